//! A18: one guess at each of very many destinations, where no limit of one destination helps.

use countersign::Stopwatch;
use serde_json::json;

use super::caller::Answer;
use super::fleet::{Fleet, SERVERS};
use super::strangers::sends;
use crate::parts::long::{long, progress};

/// What everybody is guessed with.
const GUESS: &str = "123456";
/// Failures of a server up to which no alarm is raised, as it is configured.
const QUIET: usize = 100;
const ALARMS: &str = "countersign_failure_alarms_total";

/// Guesses are in the metrics when they are answered, and each server raises the alarm with the
/// first failure beyond the limit. On servers at which nobody has guessed before.
pub(crate) async fn a18_a_spray_is_counted_and_raises_the_alarm(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a18"), Stopwatch::start());
    let servers = fleet.servers();
    let all = servers * QUIET + if long() { 2000 } else { servers };
    let (mut drawn, mut approved) = (0, 0);
    for n in 0..all {
        if n == servers * QUIET {
            let raised = fleet.counted(ALARMS).await;
            assert_eq!(raised, vec![0; servers], "{}: too early", fleet.kind);
        }
        let at = n % servers;
        let session = fleet.send(&caller, at, &format!("+4768{n:06}")).await;
        let answer = caller.check(at, &session, GUESS).await;
        drawn += usize::from(session.code == GUESS);
        approved += usize::from(answer == Answer::Verified);
        if n % 10 == 0 {
            let failed = fleet.checks("wrong_code").await;
            let told = (n + 1 - approved) as u64;
            assert_eq!(failed, told, "{}: by the metrics", fleet.kind);
        }
        progress("a18", n + 1, all);
    }
    assert_eq!(approved, drawn, "{}", fleet.kind);
    let raised = fleet.counted(ALARMS).await;
    assert!(
        raised.iter().all(|raised| *raised > 0),
        "{}: {raised:?}",
        fleet.kind
    );
    let tried = format!("{all} destinations, a guess each");
    let showed = format!(
        "{approved} approvals, {:.6} expected; failures in the metrics when they are answered; \
         an alarm with the {QUIET} and first at a server",
        f64::from(u32::try_from(all).expect("a few")) * 1e-6
    );
    fleet.tell("a18", &tried, &showed, &clock);
}

/// From one address, whichever servers it is told to.
pub(crate) async fn a18_one_source_sprays_no_faster_than_its_cap(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a18"), Stopwatch::start());
    let from = json!({ "end_user_ip": "198.51.100.18" });
    let all = (0..80).map(|n| (format!("+47681{n:05}"), from.clone()));
    let sent = sends(fleet, &caller, all).await;
    assert_eq!(sent, 20, "{}: in an hour", fleet.kind);
    let tried = format!("80 sends of one source at {SERVERS} servers");
    fleet.tell("a18", &tried, "20 sessions to guess at", &clock);
}
