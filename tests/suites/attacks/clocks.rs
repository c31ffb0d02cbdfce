//! A63: clocks that go back, jump ahead, stand still or differ, and machines that were
//! suspended, on every store.

use countersign::{RecordKey, SendError, Verdict};

use super::bench::wrong;
use super::desk::{Desk, ring};
use super::movable::Movable;
use super::stores::{Kind, Opened, on_every_store};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const LIFE: i64 = 5 * MINUTE;

fn desk(stores: &Opened) -> Desk {
    Desk::new(&stores.handles[0], ring())
}

/// A clock that goes back after the end is believed: what was written says nothing of the
/// time that was. To a time at which the session was not yet opened, it approves nothing; to
/// one within its life, the code is good again, once, as it was then.
#[test]
fn a63_past_the_end_and_before_the_beginning_nothing_is_approved() {
    on_every_store(|kind| async move {
        let stores = kind.open(1).await;
        let (desk, mut tried) = (desk(&stores), 0);
        let back = [HOUR, 6 * MINUTE, 24 * HOUR, 400 * 24 * HOUR];
        for (number, back) in (0..).zip(back) {
            let session = desk.at(0).send(number).await.unwrap();
            // Five seconds before the opening are forgiven to clocks that differ.
            for millis in [LIFE, LIFE - back, -SECOND * 5 - 1, LIFE + 1, LIFE + back] {
                let verdict = desk.at(millis).check(&session).await;
                assert_eq!(verdict, Verdict::Expired, "{kind}, {millis} ms");
                tried += 1;
            }
            let in_time = desk.at(LIFE - 1).check(&session).await;
            assert!(in_time.is_verified(), "{kind}: {in_time:?}");
            let again = desk.at(LIFE - 1).check(&session).await;
            assert_eq!(again, Verdict::AlreadyUsed, "{kind}");
        }
        let tried =
            format!("{tried} checks past the end, or by a clock set back to before the opening");
        kind.note(
            "a63",
            &tried,
            "0 approved; back within its life a code is live, once",
        );
    });
}

/// Times in the future count as now: what was charged stays charged.
#[test]
fn a63_a_clock_set_back_gives_no_guess_and_no_send_back() {
    on_every_store(|kind| async move {
        let stores = kind.open(1).await;
        let desk = desk(&stores);
        let (mut compared, mut sent) = (0, 0);
        for hours in 0..24 {
            desk.at(-hours * HOUR);
            while let Ok((id, code)) = desk.send(1).await {
                sent += 1;
                compared += guess_all(&desk, &id, &code).await;
                assert!(sent <= 10, "{kind}: {sent} messages");
            }
        }
        assert!(compared <= 10, "{kind}: {compared} guesses");
        let showed = format!("{sent} messages, {compared} guesses compared");
        kind.note("a63", "sends and guesses through a day backwards", &showed);
    });
}

/// Wrong guesses until none is taken; how many were compared.
async fn guess_all(desk: &Desk, id: &str, code: &str) -> u32 {
    let mut compared = 0;
    for n in 0..8 {
        match desk.guess(id, &wrong(code, n)).await {
            Verdict::WrongCode { .. } => compared += 1,
            Verdict::Exhausted => return compared + 1,
            Verdict::Throttled { .. } | Verdict::Locked { .. } | Verdict::Expired => break,
            verdict => panic!("{verdict:?}"),
        }
    }
    compared
}

#[test]
fn a63_a_clock_that_stands_still_opens_no_window() {
    on_every_store(|kind| async move {
        let stores = kind.open(1).await;
        let desk = desk(&stores);
        let (mut compared, mut sent) = (0, 0);
        for _ in 0..100 {
            match desk.send(1).await {
                Ok((id, code)) => {
                    sent += 1;
                    compared += guess_all(&desk, &id, &code).await;
                }
                Err(SendError::Throttled { .. }) => {}
                Err(error) => panic!("{kind}: {error}"),
            }
        }
        assert_eq!((compared, sent), (10, 5), "{kind}");
        // Nor does it end what is right.
        let session = desk.send(2).await.unwrap();
        assert!(desk.check(&session).await.is_verified(), "{kind}");
        assert_eq!(desk.check(&session).await, Verdict::AlreadyUsed);
    });
}

/// A jump ahead is how a machine sees that it was suspended.
#[test]
fn a63_what_was_open_when_the_machine_was_suspended_is_over() {
    on_every_store(|kind| async move {
        let stores = kind.open(1).await;
        let (desk, rounds) = (desk(&stores), 50);
        for number in 0..rounds {
            let suspended = LIFE + i64::from(number) * 7 * MINUTE;
            let session = desk.at(0).send(number).await.unwrap();
            let guess = wrong(&session.1, 0);
            let before = desk.at(LIFE - 1).guess(&session.0, &guess).await;
            assert_eq!(before.attempts_remaining(), 4, "{kind}");
            let verdict = desk.at(suspended).check(&session).await;
            assert_eq!(verdict, Verdict::Expired, "{kind}, {suspended}");
        }
        kind.note(
            "a63",
            &format!("{rounds} codes over a suspension"),
            "0 approved",
        );
    });
}

/// Two instances, one five minutes fast and one five minutes slow, each with its own word on
/// the time. A code opened by one is out of time for the other: in the future or over.
#[test]
fn a63_instances_five_minutes_apart_approve_nothing_out_of_time() {
    on_every_store(|kind| async move {
        let stores = kind.open(2).await;
        let fast = Desk::new(&stores.handles[0], ring());
        let slow = Desk::new(&stores.handles[1], ring());
        let (mut tried, mut approved) = (0, 0);
        for number in 0..50 {
            let true_time = i64::from(number) * HOUR;
            fast.at(true_time + LIFE);
            slow.at(true_time - LIFE);
            for (opens, checks) in [(&fast, &slow), (&slow, &fast)] {
                let session = opens.send(number).await.unwrap();
                approved += u32::from(checks.check(&session).await.is_verified());
                tried += 1;
                // The one that opened it agrees with itself.
                let own = opens.check(&session).await;
                assert!(own.is_verified(), "{kind}: {own:?}");
            }
        }
        assert_eq!(approved, 0, "{kind}");
        kind.note(
            "a63",
            &format!("{tried} codes at the other of two instances ten minutes apart"),
            "0 approved",
        );
    });
}

/// Without a clock of their own, as servers are, all instances have the store's, and not that
/// of their process, which here is hours or days away from it. In memory and with SQLite the
/// store's is the machine's, or the one that it was given instead, as here.
#[test]
fn a63_instances_of_one_store_have_its_clock() {
    on_every_store(|kind| async move {
        let store = Movable::start(kind, 2).await;
        let mut told = 0;
        for by in [0, HOUR, -3 * HOUR, 26 * HOUR] {
            store.wind(by);
            for handle in store.handles.iter().cycle().take(6) {
                let before = store.time();
                let now = handle.load(RecordKey::SCRATCH).await.unwrap().now;
                let after = store.time();
                assert!(before <= now && now <= after, "{kind}: {before:?}, {now:?}");
                told += 1;
            }
        }
        let whose = match kind {
            Kind::Memory | Kind::Sqlite => "the clock that the store was given",
            Kind::Redis | Kind::Postgres => "the server's clock",
        };
        let tried = format!("{whose} moved, the time told {told} times by two instances");
        kind.note("a63", &tried, "the store's each time");
    });
}

#[test]
fn a63_by_the_store_s_clock_a_code_is_over_at_every_instance() {
    on_every_store(|kind| async move {
        let store = Movable::start(kind, 2).await;
        let sites: Vec<_> = store
            .handles
            .iter()
            .map(Desk::of_the_store_s_time)
            .collect();
        let mut tried = 0;
        for opens in sites.iter().cycle().take(10) {
            // The test itself takes some of the life that is left.
            for (by, approved) in [(LIFE, false), (-6 * MINUTE, false), (LIFE - MINUTE, true)] {
                let session = opens.send(tried).await.unwrap();
                store.wind(by);
                for site in &sites {
                    let verdict = site.guess(&session.0, &session.1).await;
                    let expected = if approved {
                        verdict.is_verified()
                    } else {
                        verdict == Verdict::Expired
                    };
                    assert!(expected, "{kind}, {by} ms: {verdict:?}");
                    tried += 1;
                    if approved {
                        break;
                    }
                }
                store.wind(-by);
            }
        }
        kind.note(
            "a63",
            &format!("{tried} checks at two instances by the store's clock"),
            "0 approved past the end or before the opening",
        );
    });
}
