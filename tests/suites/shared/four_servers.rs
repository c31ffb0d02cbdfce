//! The rows that are about many servers, each on four processes over one store.

use countersign::Stopwatch;

use super::fleet::Fleet;
use super::setup::Setup;
use super::store::Kind;
use super::{
    activating, crossing, ends, guessing, resending, retries, rotating, spraying, strangers,
};
use crate::parts::long::{long, progress};

/// The limits of sends, as they are wherever people are sent to: the console has none.
pub(crate) const SENDS: &str =
    "destination_sends = [\"5/10m\", \"10/1d\"]\nsource_sends = \"20/1h\"\n";

/// Rounds of each race.
pub(crate) fn rounds() -> usize {
    if long() { 1000 } else { 20 }
}

/// The rounds of one row's race, one after the other.
pub(crate) fn each_round(row: &'static str) -> impl Iterator<Item = usize> {
    let of = rounds();
    (0..of).inspect(move |round| progress(row, *round, of))
}

/// Every row in turn: the first one guesses at servers that are fresh, and the last ones kill servers that the others need.
async fn every_row_holds_on(kind: Kind) {
    let clock = Stopwatch::start();
    let setup = Setup {
        policy: SENDS,
        ..Setup::default()
    };
    let mut fleet = Fleet::start(kind, setup).await;
    println!("{kind}: servers after {} ms", clock.elapsed_millis());
    spraying::a18_a_spray_is_counted_and_raises_the_alarm(&fleet).await;
    spraying::a18_one_source_sprays_no_faster_than_its_cap(&fleet).await;
    crossing::a04_a_used_code_is_approved_once(&fleet).await;
    crossing::a07_a_code_is_good_for_its_session_only(&fleet).await;
    crossing::a08_another_tenant_sees_nothing(&fleet).await;
    crossing::a09_a_code_is_good_for_its_purpose_only(&fleet).await;
    crossing::a10_a_code_is_good_for_its_binding_only(&fleet).await;
    crossing::a56_a_repeated_attempt_is_charged_once(&fleet).await;
    guessing::a01_wrong_guesses_at_once_are_compared_five_times(&fleet).await;
    guessing::a02_right_answers_at_once_are_approved_once(&fleet).await;
    guessing::a12_new_sessions_give_no_guess_back(&fleet).await;
    guessing::a16_wrong_guesses_in_flight_never_refuse_the_owner(&fleet).await;
    resending::a11_a_resend_gives_no_attempt_back(&fleet).await;
    resending::a13_the_old_codes_are_dead_after_a_resend(&fleet).await;
    resending::a14_a_guess_that_races_a_resend_brings_no_old_code_back(&fleet).await;
    resending::a15_one_guess_is_tried_on_one_session_and_charged_once(&fleet).await;
    strangers::a34_made_up_ids_name_nothing(&fleet).await;
    strangers::a43_spellings_of_a_mailbox_share_its_budget(&fleet).await;
    strangers::a44_spellings_of_a_number_share_its_budget(&fleet).await;
    strangers::a45_addresses_of_one_network_are_one_source(&fleet).await;
    strangers::a47_one_target_of_many_sources_gets_five(&fleet).await;
    strangers::a49_a51_the_known_device_has_a_lane_of_its_own(&fleet).await;
    strangers::a50_sends_of_strangers_end_no_session(&fleet).await;
    strangers::a69_a_decoy_answers_as_a_session_does(&fleet).await;
    retries::a52_a_hundred_retries_at_once_are_one_send(&fleet).await;
    activating::a66_of_a_hundred_activations_at_once_one_is_shown_the_key(&fleet).await;
    // A server's memory is no other's, and ends with it.
    if kind != Kind::Memory {
        servers_come_and_go(&mut fleet).await;
    }
    println!("{kind}: all rows after {} ms", clock.elapsed_millis());
}

async fn servers_come_and_go(fleet: &mut Fleet) {
    ends::a67_a_revoked_key_is_refused_by_all_servers(fleet).await;
    rotating::a64_live_sessions_finish_through_a_whole_rotation(fleet).await;
    ends::a05_a_used_code_stays_used_when_a_server_starts_again(fleet).await;
}

/// On servers of their own: in the long suite it is an hour's work.
async fn killed_under_load_on(kind: Kind) {
    let mut fleet = Fleet::start(kind, Setup::default()).await;
    ends::a03_a_server_killed_under_load_approves_nothing_twice(&mut fleet).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_holds_on_a_server_with_its_memory() {
    every_row_holds_on(Kind::Memory).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_holds_on_four_servers_with_one_sqlite_file() {
    every_row_holds_on(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_holds_on_four_servers_with_postgres() {
    every_row_holds_on(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_holds_on_four_servers_with_redis() {
    every_row_holds_on(Kind::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_holds_on_four_servers_with_a_redis_cluster() {
    every_row_holds_on(Kind::RedisCluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_with_one_sqlite_file() {
    killed_under_load_on(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_with_postgres() {
    killed_under_load_on(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_with_redis() {
    killed_under_load_on(Kind::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_with_a_redis_cluster() {
    killed_under_load_on(Kind::RedisCluster).await;
}
