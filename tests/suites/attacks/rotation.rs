//! A64: master keys that are rotated while sessions live, and instances whose keys differ,
//! on every store.

use countersign::{KeyError, KeyRing, Verdict};

use super::bench::wrong;
use super::desk::{Desk, secret};
use super::stores::{Opened, on_every_store};

/// Sessions of each kind.
const SESSIONS: u32 = 25;

/// An instance with the one pseudonym key and these master keys, the newest first.
fn instance(stores: &Opened, at: usize, masters: &[u32]) -> Desk {
    let masters: Vec<_> = masters.iter().map(|number| secret(*number)).collect();
    let ring = KeyRing::new(&secret(0), &masters).unwrap();
    Desk::new(&stores.handles[at], ring)
}

/// Sends so many sessions from this number on.
async fn send(desk: &Desk, from: u32) -> Vec<(String, String)> {
    let mut sent = Vec::new();
    for number in from..from + SESSIONS {
        sent.push(desk.send(number).await.unwrap());
    }
    sent
}

async fn approved(desk: &Desk, sessions: &[(String, String)]) -> usize {
    let mut approved = 0;
    for session in sessions {
        approved += usize::from(desk.check(session).await.is_verified());
    }
    approved
}

/// As the README has it: the new key is appended on every server, then promoted, and the old
/// one leaves when its sessions are over. Two instances are never in the same state at once.
#[test]
fn a64_live_sessions_finish_through_a_whole_rotation() {
    on_every_store(|kind| async move {
        let stores = kind.open(2).await;
        let (old, new) = (1, 2);
        let states: [(&[u32], &[u32]); 5] = [
            (&[old], &[old]),
            (&[old, new], &[old]),
            (&[old, new], &[old, new]),
            (&[new, old], &[old, new]),
            (&[new, old], &[new, old]),
        ];
        let mut live: Vec<(usize, Vec<_>)> = Vec::new();
        let mut finished = 0;
        for (step, (one, other)) in (0..).zip(states) {
            let instances = [instance(&stores, 0, one), instance(&stores, 1, other)];
            // What the last state opened is finished in this one, across.
            for (opened_at, sessions) in live.drain(..) {
                let across = 1 - opened_at;
                finished += approved(&instances[across], &sessions).await;
                let again = approved(&instances[opened_at], &sessions).await;
                assert_eq!(again, 0, "{kind}, step {step}");
            }
            for (at, instance) in instances.iter().enumerate() {
                let from = step * 1000 + u32::try_from(at).unwrap() * 100;
                live.push((at, send(instance, from).await));
            }
        }
        let expected = usize::try_from(8 * SESSIONS).unwrap();
        assert_eq!(finished, expected, "{kind}");
        let showed = format!("{finished} of {expected} sessions finished");
        kind.note("a64", "a whole rotation at two instances", &showed);
    });
}

#[test]
fn a64_an_unknown_key_id_is_refused_and_charges_nothing() {
    on_every_store(|kind| async move {
        let stores = kind.open(2).await;
        let (with, without) = (instance(&stores, 0, &[2, 1]), instance(&stores, 1, &[1]));
        let sessions = send(&with, 0).await;
        for session in &sessions {
            for guess in [session.1.clone(), wrong(&session.1, 0)] {
                let verdict = without.guess(&session.0, &guess).await;
                assert_eq!(verdict, Verdict::Unknown, "{kind}");
            }
            let verdict = with.guess(&session.0, &wrong(&session.1, 0)).await;
            assert_eq!(verdict.attempts_remaining(), 4, "{kind}");
        }
        assert_eq!(approved(&with, &sessions).await, sessions.len());
    });
}

/// The number of another secret whose key id is that of the first.
fn namesake(of: u32) -> u32 {
    let alike = |number: &u32| {
        let ring = KeyRing::new(&secret(0), &[secret(of), secret(*number)]);
        matches!(ring, Err(KeyError::Alike))
    };
    (100..100_000).find(alike).expect("one in 256 is alike")
}

/// A key of the same id opens what another one sealed to noise: 65,535 times in 65,536 it is
/// refused at once, and never is it approved.
#[test]
fn a64_a_wrong_key_of_the_same_id_approves_nothing() {
    on_every_store(|kind| async move {
        let stores = kind.open(2).await;
        let (right, other) = (
            instance(&stores, 0, &[1]),
            instance(&stores, 1, &[namesake(1)]),
        );
        let sessions = send(&right, 0).await;
        for session in &sessions {
            let verdict = other.check(session).await;
            assert_eq!(verdict, Verdict::Unknown, "{kind}");
        }
        assert_eq!(approved(&right, &sessions).await, sessions.len());
    });
}

/// All rings share one gate: another key gives no guess back.
#[test]
fn a64_rotating_gives_no_guess_back() {
    on_every_store(|kind| async move {
        let stores = kind.open(2).await;
        let (old, new) = (instance(&stores, 0, &[1]), instance(&stores, 1, &[2, 1]));
        let mut compared = 0;
        for turn in 0..6 {
            let opener = if turn % 2 == 0 { &old } else { &new };
            let Ok((id, code)) = opener.send(1).await else {
                break;
            };
            for n in 0..8 {
                let verdict = new.guess(&id, &wrong(&code, n)).await;
                let last = verdict == Verdict::Exhausted;
                compared += u32::from(last || matches!(verdict, Verdict::WrongCode { .. }));
                if !matches!(verdict, Verdict::WrongCode { .. }) {
                    break;
                }
            }
        }
        assert_eq!(compared, 10, "{kind}: guesses in an hour");
    });
}
