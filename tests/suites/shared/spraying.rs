//! A18: one guess at each of very many destinations, where no limit of one destination helps.

use countersign::Stopwatch;
use serde_json::json;

use super::caller::{Answer, wrong};
use super::fleet::{Fleet, SERVERS};
use super::strangers::sends;
use crate::parts::long::{long, progress};

/// What everybody is guessed with.
const GUESS: &str = "123456";
/// Failures of a server up to which no alarm is raised, as it is configured.
const QUIET: usize = 100;
const ALARMS: &str = "countersign_failure_alarms_total";

/// Failures are in the metrics when they are answered, and each server raises the alarm with the
/// first one beyond the limit. On servers at which nobody has guessed before.
pub(crate) async fn a18_a_spray_is_counted_and_raises_the_alarm(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a18"), Stopwatch::start());
    let servers = fleet.servers();
    // As many failures as are allowed, and one more: no guess is right by chance.
    for nth in 0..servers * (QUIET + 1) {
        if nth == servers * QUIET {
            let raised = fleet.counted(ALARMS).await;
            assert_eq!(raised, vec![0; servers], "{}: too early", fleet.kind);
        }
        let at = nth % servers;
        let session = fleet.send(&caller, at, &format!("+4768{nth:06}")).await;
        let answer = caller.check(at, &session, &wrong(&session.code, 0)).await;
        assert_eq!(answer, Answer::WrongCode { left: 4 }, "{}", fleet.kind);
    }
    let raised = fleet.counted(ALARMS).await;
    assert_eq!(raised, vec![1; servers], "{}", fleet.kind);
    let failed = fleet.checks("wrong_code").await;
    assert_eq!(failed, (servers * (QUIET + 1)) as u64, "{}", fleet.kind);
    let all = if long() { 2000 } else { 100 };
    let (mut drawn, mut approved) = (0, 0);
    for n in 0..all {
        let at = n % SERVERS;
        let session = fleet.send(&caller, at, &format!("+4769{n:06}")).await;
        let answer = caller.check(at, &session, GUESS).await;
        drawn += usize::from(session.code == GUESS);
        approved += usize::from(answer == Answer::Verified);
        progress("a18", n + 1, all);
    }
    assert_eq!(approved, drawn, "{}", fleet.kind);
    let failed = fleet.checks("wrong_code").await - failed;
    assert_eq!(
        failed,
        (all - approved) as u64,
        "{}: by the metrics",
        fleet.kind
    );
    let tried = format!("{all} destinations, a guess each");
    let expected = f64::from(u32::try_from(all).expect("a few")) * 1e-6;
    let showed = format!(
        "{approved} approvals, {expected:.6} expected; each failure in the metrics; an alarm with \
         failure {} at a server",
        QUIET + 1
    );
    fleet.tell("a18", &tried, &showed, &clock);
}

/// From one address, whichever servers it is told to.
pub(crate) async fn a18_one_source_sprays_no_faster_than_its_cap(fleet: &Fleet) {
    let (caller, clock) = (fleet.tenant("a18"), Stopwatch::start());
    let from = json!({ "end_user_ip": "198.51.100.18" });
    let all = (0..80).map(|n| (format!("+47681{n:05}"), from.clone()));
    let sent = sends(fleet, &caller, "source_sends", all).await;
    assert_eq!(sent, 20, "{}: in an hour", fleet.kind);
    fleet.tell(
        "a18",
        "80 sends of one source",
        "20 sessions to guess at",
        &clock,
    );
}
