//! Which rule each fault must break, and what else it breaks by the way.

use super::fault::Fault;

/// A fault, the rule that it must break in every run, and the others that it may break.
pub(crate) const TABLE: &[(Fault, &str, &[&str])] = &[
    (
        Fault::SuspendsInSwap,
        "exactly_one_of_many_wins_in_one_task",
        RACES,
    ),
    (
        Fault::RacesInSwap,
        "exactly_one_of_many_wins_on_threads",
        RACES,
    ),
    (
        Fault::LoadsStale,
        "winner_is_readable_at_once",
        &[
            "empty_is_not_absent",
            "values_up_to_1_kib_survive_byte_for_byte",
            "keys_are_independent",
            "swap_on_the_seen_value_is_done",
            "kept_until_garbage_after",
            "sweep_removes_only_garbage",
            "sweep_spares_a_changed_value",
            "wrong_guesses_are_charged_exactly_once",
        ],
    ),
    (Fault::EvictsEarly, "kept_until_garbage_after", &[]),
    (
        Fault::LosesWrites,
        "done_is_written",
        &[
            "winner_is_readable_at_once",
            "stale_swap_is_lost",
            "exactly_one_of_many_wins_in_one_task",
            "exactly_one_of_many_wins_on_threads",
            "kept_until_garbage_after",
            "sweep_spares_a_changed_value",
            "a_hot_record_refuses_nobody",
            "wrong_guesses_are_charged_exactly_once",
            "one_of_many_right_guesses_is_approved",
            "cancelled_apply_loses_no_charge",
        ],
    ),
    (
        Fault::SaysDoneForLost,
        "stale_swap_is_lost",
        &[
            "empty_is_not_absent",
            "insert_if_absent_wins_once",
            "swap_compares_the_whole_value",
            "exactly_one_of_many_wins_in_one_task",
            "exactly_one_of_many_wins_on_threads",
            "other_incarnation_is_lost",
            // Where the race is met:
            "sweep_spares_a_changed_value",
        ],
    ),
    (
        Fault::SaysLostForDone,
        "swap_on_the_seen_value_is_done",
        &[
            "empty_is_not_absent",
            "kept_until_garbage_after",
            "a_hot_record_refuses_nobody",
            "one_of_many_right_guesses_is_approved",
            "cancelled_apply_loses_no_charge",
            "a_used_code_stays_used_after_a_disaster",
        ],
    ),
    (
        Fault::RunsBackwards,
        "clock_never_goes_back",
        &[
            "time_comes_with_the_value",
            "kept_until_garbage_after",
            "cancelled_apply_loses_no_charge",
        ],
    ),
    (
        Fault::StandsStill,
        "time_comes_with_the_value",
        &["kept_until_garbage_after"],
    ),
    (
        Fault::Truncates,
        "values_up_to_1_kib_survive_byte_for_byte",
        &[],
    ),
    (Fault::ComparesPrefix, "swap_compares_the_whole_value", &[]),
    (
        Fault::InsertsOver,
        "insert_if_absent_wins_once",
        &[
            "empty_is_not_absent",
            "lost_swap_changes_nothing",
            "exactly_one_of_many_wins_in_one_task",
            "exactly_one_of_many_wins_on_threads",
        ],
    ),
    (
        Fault::WritesLost,
        "lost_swap_changes_nothing",
        &["empty_is_not_absent"],
    ),
    (Fault::EmptyIsAbsent, "empty_is_not_absent", &[]),
    (
        Fault::AbsentIsEmpty,
        "absent_is_none",
        &[
            "empty_is_not_absent",
            "keys_are_independent",
            "a_step_that_changes_nothing_writes_nothing",
            "a_hot_record_refuses_nobody",
            "wrong_guesses_are_charged_exactly_once",
            "one_of_many_right_guesses_is_approved",
            "cancelled_apply_loses_no_charge",
            "a_session_of_another_life_is_expired",
            "a_used_code_stays_used_after_a_disaster",
        ],
    ),
    (
        Fault::CutsKeys,
        "keys_are_independent",
        &["scan_lists_every_key_once"],
    ),
    (Fault::TimeoutIsDone, "a_cut_swap_is_an_error", &[]),
    (Fault::TimeoutIsAbsent, "a_cut_load_is_an_error", &[]),
    (Fault::IgnoresLife, "other_incarnation_is_lost", &[]),
    (
        Fault::KeepsLife,
        "life_comes_with_the_value",
        &[
            "a_session_of_another_life_is_expired",
            "what_forgets_begins_another_life",
        ],
    ),
    (
        Fault::StepsInFirstLife,
        "a_session_of_another_life_is_expired",
        &[],
    ),
    (
        Fault::SweepsLive,
        "sweep_removes_only_garbage",
        &["kept_until_garbage_after", "sweep_spares_a_changed_value"],
    ),
    (Fault::SweepsRenewed, "sweep_spares_a_changed_value", &[]),
    (Fault::SweepsAll, "sweep_removes_no_more_than_asked", &[]),
    (Fault::ScanSkips, "scan_lists_every_key_once", &[]),
    (
        Fault::ForgetsWhenClosed,
        "acknowledged_writes_survive_a_reopen",
        &[],
    ),
    (
        Fault::DiesWithItsProcess,
        "acknowledged_writes_survive_a_kill",
        &[],
    ),
    (
        Fault::NeverSyncs,
        "acknowledged_writes_survive_a_power_cut",
        &[],
    ),
    (
        Fault::SameLifeAfterAll,
        "what_forgets_begins_another_life",
        &[],
    ),
    (
        Fault::Unfenced,
        "a_used_code_stays_used_after_a_disaster",
        &[],
    ),
    (
        Fault::StoresAbsent,
        "a_step_that_changes_nothing_writes_nothing",
        &[],
    ),
    (
        Fault::ChargesLate,
        "cancelled_apply_loses_no_charge",
        &[
            "a_hot_record_refuses_nobody",
            "wrong_guesses_are_charged_exactly_once",
            "one_of_many_right_guesses_is_approved",
        ],
    ),
    (Fault::TakesBack, "cancelled_apply_loses_no_charge", &[]),
    (
        Fault::ThirdGuessIsFree,
        "wrong_guesses_are_charged_exactly_once",
        &[],
    ),
    (
        Fault::ApprovesUnwritten,
        "one_of_many_right_guesses_is_approved",
        &[],
    ),
    // Which of its callers give up hangs on who meets whom.
    (
        Fault::GivesUp,
        "a_hot_record_refuses_nobody",
        &["wrong_guesses_are_charged_exactly_once"],
    ),
];

/// Which of these a writer meets that is not atomic hangs on the machine.
const RACES: &[&str] = &[
    "exactly_one_of_many_wins_in_one_task",
    "exactly_one_of_many_wins_on_threads",
    "sweep_spares_a_changed_value",
];
