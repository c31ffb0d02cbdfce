//! A35: somebody has a copy of all that a store keeps, and no key. Neither codes nor
//! destinations can be read from it, nor found by trying codes; nor session ids, also where
//! answers are kept for idempotency keys.

use std::sync::Arc;

use countersign::{Alphabet, Channel, CodeForm, Destination, SendRequest, SessionStore};

use super::desk::{Desk, ring};
use super::theft::Copied;
use crate::parts::keyless::{Kept, keyless};
use crate::parts::ledger::{From, note};
use crate::parts::long::{long, progress};
use crate::parts::needles::Needles;

/// People whose codes are long enough to be looked for, and as many with codes of six digits.
fn people() -> u32 {
    if long() { 5000 } else { 100 }
}

/// What is known of one person, who is not the store.
struct Person {
    to: String,
    code: String,
    session: String,
}

/// The n-th person: every second one has a number, the others an address.
fn destination(n: u32) -> Destination {
    let scattered = n.wrapping_mul(0x9e37_79b9) % 10_000_000;
    let text = match n % 2 {
        0 => format!("+46701{scattered:07}"),
        _ => format!("quokka-{scattered:07}-{n}@marsupial.example"),
    };
    Destination::parse_any(&text).unwrap()
}

/// Sends a code of so many digits to each of these people.
async fn send(desk: &Desk, people: std::ops::Range<u32>, digits: u8) -> Vec<Person> {
    let mut known = Vec::new();
    for n in people {
        progress("a35, sends", n as usize, 2 * self::people() as usize);
        let to = destination(n);
        let channel = match n % 2 {
            0 => Channel::Sms,
            _ => Channel::Email,
        };
        let mut request = SendRequest::new(&desk.tenant, channel, &to);
        request.form = Some(CodeForm::new(digits, Alphabet::Digits).unwrap());
        let key = format!("repeat-{n}");
        request.idempotency_key = n.is_multiple_of(3).then_some(key.as_str());
        let sent = desk.verifier.send(&request).await.unwrap();
        known.push(Person {
            to: to.exact().to_owned(),
            code: desk.inbox.last_code().unwrap(),
            session: sent.session_id.to_string(),
        });
    }
    known
}

/// Every key and value, one after the other; of a store that does not list its keys, its
/// snapshot, which is little else.
async fn rows(store: &Arc<dyn SessionStore>, files: &[u8]) -> Vec<u8> {
    let Ok(keys) = store.scan(None, usize::MAX).await else {
        return files.to_vec();
    };
    let mut all = Vec::new();
    for key in keys {
        all.extend(key.to_bytes());
        let loaded = store.load(key).await.unwrap();
        all.extend(loaded.value.unwrap());
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a35_a_copy_of_the_data_shows_no_code_destination_or_id() {
    for (name, copied) in Copied::every_store().await {
        let desk = Desk::new(&copied.store, ring());
        let before = copied.files();
        let known = send(&desk, 0..people(), 10).await;
        let short = send(&desk, people()..2 * people(), 6).await;
        let files = copied.files();
        let rows = rows(&copied.store, &files).await;
        assert!(rows.len() > 100 * known.len(), "{name}: no rows");
        // The files are what the rows are in: a value of the rows is found there.
        let value = &rows[8..][..40];
        let there = files.windows(value.len()).any(|window| window == value);
        assert!(there, "{name}: other files");

        let copy = Copy {
            rows: &rows,
            files: &files,
            before: &before,
        };
        let (secrets, spellings) = nothing_is_read(name, &known, &copy);
        note(
            "a35",
            name,
            From::Inside,
            &format!(
                "{secrets} secrets in {spellings} spellings, {} bytes of files",
                files.len()
            ),
            "0 found",
        );
        let hashes = nothing_is_recovered(name, &short, &rows);
        note(
            "a35",
            name,
            From::Inside,
            &format!("{hashes} hashes of codes without the key"),
            "0 found",
        );
    }
}

/// What the thief has, and the files as they were before anybody was sent anything.
struct Copy<'c> {
    rows: &'c [u8],
    files: &'c [u8],
    before: &'c [u8],
}

/// How many secrets were looked for, and in how many spellings.
fn nothing_is_read(name: &str, known: &[Person], copy: &Copy<'_>) -> (usize, usize) {
    let secrets = known.iter().flat_map(|person| {
        let local = person.to.split('@').next().unwrap();
        [local, &person.code, &person.session[5..]]
    });
    let texts = Needles::texts(secrets);
    let is_number = |text: &&str| text.trim_start_matches('+').parse::<u64>().is_ok();
    let numbers = known
        .iter()
        .flat_map(|person| [person.code.as_str(), &person.to]);
    let numbers = Needles::numbers(numbers.filter(is_number));
    texts.assert_they_would_be_found();
    numbers.assert_they_would_be_found();
    for (what, needles, hay, before) in [
        ("rows", &texts, copy.rows, &[][..]),
        ("rows", &numbers, copy.rows, &[]),
        ("files", &texts, copy.files, &[]),
        ("files", &numbers, copy.files, copy.before),
    ] {
        let found = needles.found_anew(hay, before);
        assert!(found.is_empty(), "{name}, {what}: {found:?}");
    }
    (texts.secrets, texts.spellings + numbers.spellings)
}

/// The digest is keyed: whoever has no key knows none again, though every code can be tried.
/// Each person's own is tried with what is known of the person; in the long suite every code is
/// tried with what is known of the first. Gives how many hashes were looked for.
fn nothing_is_recovered(name: &str, known: &[Person], rows: &[u8]) -> usize {
    let kept = Kept::of([rows]);
    let mut tried = 0;
    let mut try_one = |code: &str, person: &Person| {
        let (hashes, found) = kept.find(code, [&person.to, &person.session]);
        tried += hashes;
        assert!(!found, "{name}: {code} is recovered");
    };
    for person in known {
        try_one(&person.code, person);
    }
    if long() {
        for code in 0..1_000_000 {
            progress("a35, codes tried", code, 1_000_000);
            try_one(&format!("{code:06}"), &known[0]);
        }
    }
    tried
}

/// The search recovers what a system without a key would have kept.
#[test]
#[should_panic(expected = "039201 is recovered")]
fn a35_codes_that_are_hashed_without_a_key_are_recovered() {
    let person = Person {
        to: "person@example.com".to_owned(),
        code: "039201".to_owned(),
        session: String::new(),
    };
    let mut kept = b"what else is in the row ".repeat(9);
    let salt = person.to.as_bytes();
    let mut hashes = Vec::new();
    keyless("039201", &[salt], |hash| hashes.push(hash));
    // The last one: the code under the destination.
    kept.extend(hashes.last().unwrap());
    nothing_is_recovered("a row", &[person], &kept);
}
