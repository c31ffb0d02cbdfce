//! All rules in one run.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::harness::Harness;
use crate::rules::{applying, disaster, listing, outage, swapping, sweeping, time, values};
use crate::violation::{Outcome, Passed, Violation};

/// A rule: its name and its function.
#[derive(Clone, Copy)]
pub struct Rule {
    name: &'static str,
    run: Run,
}

type Run = for<'h> fn(&'h dyn Harness) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'h>>;

macro_rules! rules {
    ($($module:ident: $($name:ident),+;)+) => {
        &[$($(Rule { name: stringify!($name), run: |harness| Box::pin($module::$name(harness)) }),+),+]
    };
}

impl Rule {
    /// Every rule, in the order in which the suite tries them.
    pub const ALL: &'static [Self] = rules! {
        values: absent_is_none, winner_is_readable_at_once, done_is_written,
            empty_is_not_absent, values_up_to_1_kib_survive_byte_for_byte,
            keys_are_independent, acknowledged_writes_survive_a_reopen;
        swapping: insert_if_absent_wins_once, swap_on_the_seen_value_is_done,
            stale_swap_is_lost, swap_compares_the_whole_value, lost_swap_changes_nothing,
            exactly_one_of_many_wins_in_one_task, exactly_one_of_many_wins_on_threads,
            other_incarnation_is_lost;
        time: clock_never_goes_back, time_comes_with_the_value, life_comes_with_the_value,
            kept_until_garbage_after;
        sweeping: sweep_removes_only_garbage, sweep_removes_no_more_than_asked,
            sweep_spares_a_changed_value;
        listing: scan_lists_every_key_once;
        outage: a_cut_load_is_an_error, a_cut_swap_is_an_error;
        applying: a_step_that_changes_nothing_writes_nothing, a_hot_record_refuses_nobody,
            wrong_guesses_are_charged_exactly_once, one_of_many_right_guesses_is_approved,
            cancelled_apply_loses_no_charge, a_session_of_another_life_is_expired;
        disaster: acknowledged_writes_survive_a_kill,
            acknowledged_writes_survive_a_power_cut, what_forgets_begins_another_life,
            a_used_code_stays_used_after_a_disaster;
    };

    /// Its name: that of its function.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Tries it.
    ///
    /// # Errors
    /// [`Violation`] if it does not hold.
    pub async fn try_on(&self, harness: &dyn Harness) -> Outcome {
        (self.run)(harness).await
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rule").field(&self.name).finish()
    }
}

/// What a run of all rules found.
#[derive(Clone, Debug)]
#[must_use]
pub struct Report {
    outcomes: Vec<(&'static str, Outcome)>,
}

impl Report {
    /// Whether no rule was broken.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.violations().next().is_none()
    }

    /// The rules that do not hold.
    pub fn violations(&self) -> impl Iterator<Item = &Violation> {
        self.outcomes
            .iter()
            .filter_map(|(_, outcome)| outcome.as_ref().err())
    }

    /// The rules that were not tried, and why.
    pub fn not_tried(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.outcomes
            .iter()
            .filter_map(|(rule, outcome)| match outcome {
                Ok(Passed::NotTried(why)) => Some((*rule, *why)),
                _ => None,
            })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (rule, outcome) in &self.outcomes {
            match outcome {
                Ok(Passed::Held) => writeln!(f, "held       {rule}")?,
                Ok(Passed::NotTried(why)) => writeln!(f, "not tried  {rule}: {why}")?,
                Err(violation) => writeln!(f, "BROKEN     {violation}")?,
            }
        }
        Ok(())
    }
}

/// Tries every rule. Each is also a function of its own, in [`rules`](crate::rules).
pub async fn suite(harness: &dyn Harness) -> Report {
    let mut outcomes = Vec::new();
    for rule in Rule::ALL {
        outcomes.push((rule.name, rule.try_on(harness).await));
    }
    Report { outcomes }
}
