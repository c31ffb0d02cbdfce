//! A35, A36: somebody has the database beside running servers, and no key. Who reads it finds no
//! code, destination or session id; who writes to it is approved with no other session's code.
//!
//! Of bytes that are moved only the code is judged. They may make a session live longer or give its
//! guesses back: no key stands in the way of that, as none does where a record is put back as it
//! was, which `SECURITY.md` counts as not protected.

use countersign::Stopwatch;
use serde_json::{Value, json};

use super::caller::Caller;
use super::fleet::{Fleet, SERVERS, Session};
use super::rows::Rows;
use super::setup::Setup;
use super::store::Kind;
use crate::parts::keyless::Kept;
use crate::parts::long::{long, progress};
use crate::parts::needles::Needles;

/// How many bytes are moved at once: a nonce with its neighbours, a digest, and more.
const WIDTHS: [usize; 3] = [8, 16, 32];

/// All that a store keeps, as bytes and in its files, in which known secrets are looked for.
async fn a35_a_copy_of_the_data_shows_no_code_destination_or_id(kind: Kind) {
    let setup = Setup {
        policy: "code_length = 10\n",
        ..Setup::default()
    };
    let (fleet, clock) = (Fleet::start(kind, setup).await, Stopwatch::start());
    let (caller, store) = (fleet.tenant("a35"), fleet.store());
    // Eight bytes of a number are met by chance, in files that are full of small ones.
    let before = store.files();
    let people = people(&fleet, &caller).await;
    let (rows, files) = (store.rows(), store.files());
    assert!(rows.len() >= people.len(), "{kind}: {} rows", rows.len());
    let value = rows.values().max_by_key(|value| value.len()).expect("one");
    let there = files.windows(value.len()).any(|bytes| bytes == value);
    assert!(there, "{kind}: other files");
    let secrets = people.iter().flat_map(|one| {
        let local = one.to.split('@').next().unwrap_or_default();
        [local.trim_start_matches('+'), &one.code, &one.id[5..]]
    });
    let texts = Needles::texts(secrets);
    let numbers = people.iter().flat_map(|one| [one.code.as_str(), &one.to]);
    let numbers = Needles::numbers(numbers.filter(|text| !text.contains('@')));
    let kept = rows.iter().map(|(key, value)| [&key[..], value].concat());
    let kept: Vec<_> = kept.collect();
    let together = kept.concat();
    for (needles, bytes, before) in [
        (&texts, &together, &[][..]),
        (&numbers, &together, &[]),
        (&texts, &files, &[]),
        (&numbers, &files, &before),
    ] {
        needles.assert_they_would_be_found();
        let found = needles.found_anew(bytes, before);
        assert!(found.is_empty(), "{kind}: {found:?}");
    }
    let hashes = hashes_without_the_key(&people, &kept, kind);
    // What is written in clear is found where it is kept.
    let clear = people[0].code.clone().into_bytes();
    store.write(&Rows::from([(vec![1; 8], clear)]));
    let found = texts.found_in(&store.files());
    assert!(!found.is_empty(), "{kind}: a code in clear is not seen");
    let spellings = texts.spellings + numbers.spellings;
    let tried = format!(
        "{} secrets in {spellings} spellings and {hashes} hashes without the key, {} bytes of files",
        texts.secrets,
        files.len()
    );
    fleet.tell("a35", &tried, "0 found", &clock);
}

/// How many hashes were looked for: what each code would be kept as without a key, or with one
/// that whoever has the copy would try. The digest's own key is none of these.
fn hashes_without_the_key(people: &[Session], rows: &[Vec<u8>], kind: Kind) -> usize {
    let (kept, mut tried) = (Kept::of(rows.iter().map(Vec::as_slice)), 0);
    for person in people {
        let (hashes, found) = kept.find(&person.code, [&person.to, &person.id]);
        assert!(!found, "{kind}: {} is recovered", person.code);
        tried += hashes;
    }
    tried
}

/// Sends to numbers and addresses, some with an idempotency key, for which an answer is kept.
async fn people(fleet: &Fleet, caller: &Caller) -> Vec<Session> {
    let all = if long() { 3000 } else { 300 };
    let mut people = Vec::new();
    for n in 0..all {
        let (at, scattered) = (n % SERVERS, n * 7_654_321 % 10_000_000);
        let number = format!("+479{scattered:07}");
        people.push(match n % 3 {
            0 => {
                fleet
                    .send_once(caller, at, &number, &format!("once-{n}"))
                    .await
            }
            1 => fleet.send(caller, at, &number).await,
            _ => {
                let to = format!("quokka-{scattered:07}-{n}@marsupial.example");
                let by_email = json!({ "channel": "email" });
                fleet.send_with(caller, at, &to, by_email).await
            }
        });
        progress("a35, sends", n + 1, all);
    }
    people
}

/// Values of one session's record in the place of another's, whole and in part.
async fn a36_what_is_moved_from_another_record_approves_nothing(kind: Kind) {
    let (fleet, clock) = (
        Fleet::start(kind, Setup::default()).await,
        Stopwatch::start(),
    );
    let callers = [fleet.tenant("a36"), fleet.tenant("another")];
    let (mut tried, mut spoilt) = (0, 0);
    let rounds = if long() { 10 } else { 1 };
    for round in 0..rounds {
        let (spliced, ruined) = a_round(&fleet, &callers, round).await;
        (tried, spoilt) = (tried + spliced, spoilt + ruined);
        progress("a36", round + 1, rounds);
    }
    let tried = format!("{tried} records with bytes of another one, or all of it");
    let showed =
        format!("0 approvals of its code; {spoilt} sessions lost theirs, the others kept it");
    fleet.tell("a36", &tried, &showed, &clock);
}

/// How many records were changed, and how many of their sessions were good for nothing then.
async fn a_round(fleet: &Fleet, callers: &[Caller; 2], round: usize) -> (usize, usize) {
    let (store, kind) = (fleet.store(), fleet.kind);
    let (other, from) = copied(fleet, &callers[0], &to(round, 0), json!({})).await;
    let (foreign, another) = copied(fleet, &callers[1], &to(round, 1), json!({})).await;
    let (bound, payment) = copied(fleet, &callers[0], &to(round, 2), paying()).await;
    let every = |width| (0..=from.len() - width).map(move |at| at..at + width);
    let moved: Vec<_> = WIDTHS
        .into_iter()
        .chain([from.len()])
        .flat_map(every)
        .collect();
    let (before, mut own) = (store.rows(), Vec::new());
    for nth in 0..moved.len() {
        let to = to(round, 3 + nth);
        own.push(fleet.send(&callers[0], nth % SERVERS, &to).await);
    }
    let whole = fresh(&before, store.rows());
    assert_eq!(whole.len(), own.len(), "{kind}: a record each");
    let mut spliced = whole.clone();
    for (value, moved) in spliced.values_mut().zip(moved) {
        assert_eq!(value.len(), from.len(), "{kind}: alike in form");
        value[moved.clone()].copy_from_slice(&from[moved]);
    }
    store.write(&spliced);
    let found = approved(&callers[0], &own, Some(&other.code), json!({})).await;
    assert_eq!(found, 0, "{kind}, {round}: another session's code");
    // As they were before those guesses. Digests are among what was moved, and whole sessions.
    store.write(&spliced);
    let spoilt = own.len() - approved(&callers[0], &own, None, json!({})).await;
    assert!((16..own.len()).contains(&spoilt), "{kind}: {spoilt} spoilt");
    for (value, code) in [(another, &foreign.code), (payment, &bound.code)] {
        let written = whole.keys().map(|key| (key.clone(), value.clone()));
        store.write(&written.collect());
        for (caller, with) in callers
            .iter()
            .flat_map(|one| [(one, json!({})), (one, paying())])
        {
            let found = approved(caller, &own, Some(code), with).await;
            assert_eq!(found, 0, "{kind}, {round}: a tenant's or a payment's code");
        }
    }
    store.write(&whole);
    let kept = approved(&callers[0], &own, None, json!({})).await;
    assert_eq!(kept, own.len(), "{kind}, {round}: nothing moved");
    for (caller, copied, with) in [
        (&callers[0], other, json!({})),
        (&callers[1], foreign, json!({})),
        (&callers[0], bound, paying()),
    ] {
        let right = approved(caller, &[copied], None, with).await;
        assert_eq!(right, 1, "{kind}, {round}: what was copied");
    }
    (3 * own.len(), spoilt)
}

/// A session, and the value of its record.
async fn copied(fleet: &Fleet, caller: &Caller, to: &str, with: Value) -> (Session, Vec<u8>) {
    let before = fleet.store().rows();
    let session = fleet.send_with(caller, 0, to, with).await;
    let mut record = fresh(&before, fleet.store().rows());
    assert_eq!(record.len(), 1, "{}: its record", fleet.kind);
    let (_, value) = record.pop_first().expect("one");
    (session, value)
}

/// What was not there before.
fn fresh(before: &Rows, mut rows: Rows) -> Rows {
    rows.retain(|key, _| !before.contains_key(key));
    rows
}

/// What a code is good for, and no other.
fn paying() -> Value {
    json!({ "purpose": "pay", "binding": "EUR 12.50 to NO93" })
}

fn to(round: usize, nth: usize) -> String {
    format!("+479{:07}", 1000 * round + nth)
}

/// How many of these sessions are approved with a code, or each with its own, for this at one server after
/// the other. A value that cannot be read is an error, and no approval. Who has the same code by
/// chance is not asked.
async fn approved(caller: &Caller, sessions: &[Session], code: Option<&str>, with: Value) -> usize {
    let mut approvals = 0;
    for (at, session) in sessions.iter().enumerate() {
        if code == Some(&session.code) {
            continue;
        }
        let mut guess = with.clone();
        guess["session_id"] = json!(session.id);
        guess["code"] = json!(code.unwrap_or(&session.code));
        let answer = caller.post(at % SERVERS, "/v1/verify/check", &guess).await;
        let answer = answer.expect("the server answers");
        approvals += usize::from(answer["status"] == "verified" && answer["reason"].is_null());
    }
    approvals
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn written_over_in_one_sqlite_file() {
    a36_what_is_moved_from_another_record_approves_nothing(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn written_over_in_postgres() {
    a36_what_is_moved_from_another_record_approves_nothing(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn written_over_in_redis() {
    a36_what_is_moved_from_another_record_approves_nothing(Kind::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copied_from_one_sqlite_file() {
    a35_a_copy_of_the_data_shows_no_code_destination_or_id(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copied_from_postgres() {
    a35_a_copy_of_the_data_shows_no_code_destination_or_id(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copied_from_redis() {
    a35_a_copy_of_the_data_shows_no_code_destination_or_id(Kind::Redis).await;
}
