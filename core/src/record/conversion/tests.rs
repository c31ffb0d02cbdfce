use super::*;
use crate::error::LimitName;
use crate::policy::Mode;
use crate::record::kept::Kept;

const START: u64 = 1_800_000_000;
const GRACE: u32 = 300;

struct Prefix {
    kept: Kept,
    rule: Conversion,
    mode: Mode,
    operation: u32,
}

impl Prefix {
    fn new() -> Self {
        Self {
            kept: Kept::absent(Action::CountApproval, START),
            rule: Conversion::default(),
            mode: Mode::Enforce,
            operation: 0,
        }
    }

    fn charge(&mut self) -> Charge {
        self.operation += 1;
        Charge {
            operation: self.operation,
            name: LimitName::PrefixConversion,
            against: Against::Conversion {
                rule: self.rule,
                grace_seconds: GRACE,
            },
            mode: self.mode,
            decoy: false,
        }
    }

    fn take(&mut self, action: Action) -> Effect {
        self.kept.take(action)
    }

    /// Seconds to wait if a message is refused.
    fn send(&mut self) -> Option<u64> {
        let charge = self.charge();
        told(self.take(Action::Charge(charge)))
    }

    fn approve(&mut self) {
        assert_eq!(self.take(Action::CountApproval), Effect::Done);
    }

    fn pass(&mut self, secs: u64) {
        self.kept.now = self.kept.now.plus_secs(secs);
    }

    /// How many of so many sends leave, a second apart.
    fn flood(&mut self, sends: u32) -> u32 {
        let mut left = 0;
        for _ in 0..sends {
            left += u32::from(self.send().is_none());
            self.pass(1);
        }
        left
    }
}

fn told(effect: Effect) -> Option<u64> {
    match effect {
        Effect::Done => None,
        Effect::Refused(Refusal::Throttled {
            limit: LimitName::PrefixConversion,
            retry_after,
        }) => Some(retry_after),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a48_fifty_messages_without_an_approval_trip_it_however_fast_they_come() {
    for spacing in [0, 1, 60, 400] {
        let mut prefix = Prefix::new();
        prefix.rule.trial_seconds = DAY;
        let mut left = 0;
        for _ in 0..200 {
            left += u32::from(prefix.send().is_none());
            prefix.pass(spacing);
        }
        assert_eq!(left, 50, "{spacing} s apart");
    }
}

const DAY: u32 = 24 * 3600;

#[test]
fn a48_nine_percent_trip_it_and_ten_do_not() {
    for (every, trips) in [(12, true), (10, false), (5, false)] {
        let mut prefix = Prefix::new();
        prefix.rule.trial_seconds = DAY;
        let refused = (0..500).any(|n| {
            let refused = prefix.send().is_some();
            if n % every == 0 {
                prefix.approve();
            }
            prefix.pass(1);
            refused
        });
        assert_eq!(refused, trips, "one in {every} was approved");
    }
}

#[test]
fn a_good_history_gives_a_flood_no_more_than_fifty() {
    let mut prefix = Prefix::new();
    for _ in 0..1000 {
        assert_eq!(prefix.send(), None);
        prefix.approve();
    }
    let left = prefix.flood(500);
    assert!((46..=50).contains(&left), "{left}");
}

#[test]
fn answers_that_come_late_but_keep_pace_never_trip_it() {
    let mut prefix = Prefix::new();
    // Twenty a second, each answered after two seconds at 60 %.
    for n in 0..2000_u32 {
        assert_eq!(prefix.send(), None, "message {n}");
        if n >= 40 && n % 5 < 3 {
            prefix.approve();
        }
        prefix.kept.now = prefix.kept.now.plus_millis(50);
    }
}

#[test]
fn what_is_under_way_holds_it_for_half_a_minute_and_its_answers_open_it() {
    let mut prefix = Prefix::new();
    for _ in 0..50 {
        assert_eq!(prefix.send(), None);
    }
    assert_eq!(prefix.send(), Some(30), "all may still be answered");
    for _ in 0..5 {
        prefix.approve();
    }
    assert_eq!(prefix.send(), None, "one in ten was answered");
    let mut silent = Prefix::new();
    assert_eq!(silent.flood(50), 50);
    silent.pass(u64::from(GRACE));
    assert_eq!(
        silent.send(),
        Some(600 - 300 - 1),
        "not one was: the next trial"
    );
    let mut exact = Prefix::new();
    for _ in 0..50 {
        assert_eq!(exact.send(), None);
    }
    exact.pass(u64::from(GRACE) - 1);
    assert_eq!(exact.send(), Some(30));
    exact.pass(1);
    assert_eq!(exact.send(), Some(600 - 300));
}

#[test]
fn trials_go_out_now_and_then_and_their_approvals_open_it_again() {
    let mut prefix = Prefix::new();
    prefix.flood(50);
    assert_eq!(prefix.flood(7000), 11, "one in ten minutes");
    prefix.pass(600);
    // The owners are back: an answer to a trial is worth another at once.
    for n in 0..5 {
        assert_eq!(prefix.send(), None, "trial {n}");
        assert!(prefix.send().is_some(), "one at a time");
        prefix.approve();
    }
    for _ in 0..40 {
        assert_eq!(prefix.send(), None, "open");
    }
}

#[test]
fn an_old_silence_is_forgotten_after_its_window() {
    let mut prefix = Prefix::new();
    prefix.flood(50);
    assert!(prefix.send().is_some());
    let until = prefix.kept.record.keep_until();
    assert_eq!(
        until,
        Some(Timestamp::from_secs(START + 49 + u64::from(DAY)))
    );
    prefix.kept.now = Timestamp::from_secs(START + 49 + u64::from(DAY));
    assert_eq!(prefix.flood(49), 49);
}

#[test]
fn a_message_that_never_left_is_not_awaited() {
    let mut prefix = Prefix::new();
    for _ in 0..500 {
        let charge = prefix.charge();
        assert_eq!(prefix.take(Action::Charge(charge)), Effect::Done);
        assert_eq!(prefix.take(Action::Charge(charge)), Effect::Done, "known");
        assert_eq!(prefix.take(Action::Refund(charge)), Effect::Done);
    }
    assert_eq!(prefix.flood(60), 50);
}

#[test]
fn approvals_that_came_after_a_message_that_never_left_still_count() {
    let mut prefix = Prefix::new();
    assert_eq!(prefix.flood(20), 20);
    let failed = prefix.charge();
    assert_eq!(prefix.take(Action::Charge(failed)), Effect::Done);
    for _ in 0..5 {
        prefix.approve();
    }
    assert_eq!(prefix.take(Action::Refund(failed)), Effect::Done);
    // Five of fifty are ten percent, until they leave the last fifty.
    assert_eq!(prefix.flood(200), 50);
}

#[test]
fn a_decoy_is_refused_like_a_message_and_writes_like_one_but_counts_nowhere() {
    let mut prefix = Prefix::new();
    let decoy = |prefix: &mut Prefix| {
        let charge = Charge {
            decoy: true,
            ..prefix.charge()
        };
        let before = prefix.kept.record.encode();
        let told = told(prefix.take(Action::Charge(charge)));
        assert_eq!(told.is_none(), prefix.kept.record.encode() != before);
        told
    };
    for _ in 0..200 {
        assert_eq!(decoy(&mut prefix), None);
    }
    assert_eq!(prefix.flood(50), 50);
    assert!(decoy(&mut prefix).is_some());
}

#[test]
fn a_dry_run_tells_and_counts_and_refuses_nothing() {
    let mut prefix = Prefix::new();
    prefix.mode = Mode::Report;
    assert_eq!(prefix.flood(50), 50);
    assert!(prefix.send().is_some(), "told");
    for _ in 0..5 {
        prefix.approve();
    }
    assert_eq!(
        prefix.send(),
        None,
        "it had left all the same, and was answered"
    );
}

#[test]
fn the_widest_rule_fits_its_record() {
    let mut prefix = Prefix::new();
    prefix.rule.messages = Conversion::MOST_MESSAGES;
    assert_eq!(prefix.flood(300), 100);
}

#[test]
fn an_operator_s_reset_opens_it_for_as_many_as_an_unknown_prefix_gets() {
    let mut prefix = Prefix::new();
    assert_eq!(prefix.flood(200), 50);
    let forget = Action::Forget(crate::keys::Kind::Conversion);
    assert_eq!(prefix.take(forget), Effect::Done);
    // An answer to what was sent before counts for nothing.
    prefix.approve();
    assert_eq!(prefix.flood(200), 50);
}
