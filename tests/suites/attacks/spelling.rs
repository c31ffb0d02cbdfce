//! A43, A44: one target in many spellings.

use countersign::{Destination, LimitName, NumberPlan as _, SendError};
use countersign_numbers::{Numbers, NumbersConfig};

use super::bench::Bench;
use super::stores::{Kind, on_every_store};

/// Spellings of one mailbox each, of which some are read as no address at all.
const MAILBOXES: [&[&str]; 2] = [
    &[
        "a43person@gmail.com",
        "A43Person@gmail.com",
        "a43.person@gmail.com",
        "a.4.3.person@gmail.com",
        "a43person+one@gmail.com",
        "a43person@GMAIL.com",
        "A43.person+x@Gmail.Com",
        "\"a43person\"@gmail.com",
        "a43person@gmail.com.",
    ],
    &[
        "a43b@bücher.example",
        "a43b@xn--bcher-kva.example",
        "A43B@XN--BCHER-KVA.example",
        "a43b+1@xn--bcher-kva.example",
        "a43b+2@BÜCHER.example",
    ],
];

/// Spellings of one number; the last ones are not unambiguous, and are no number.
const NUMBER: [&str; 12] = [
    "+4745000044",
    "+47 45 00 00 44",
    "+47-45-00-00-44",
    "004745000044",
    "45000044",
    "450 00 044",
    "+47 (0) 45000044",
    "4745000044",
    "tel:+4745000044",
    "\u{ff0b}４７４５００００４４",
    "+4745000044;ext=1",
    "+4745000044x1",
];

/// Sends to all of them again and again, fifty times, and ends each session, or the number of
/// live ones would be what refuses: five are let through.
async fn five_are_let_through(kind: Kind, row: &str, spellings: &[Destination]) {
    let bench = Bench::new(kind).await;
    let mut refused = 0;
    for to in spellings.iter().cycle().take(50) {
        match bench.send(to.exact()).await {
            Ok((sent, _)) => {
                let id = sent.session_id.to_string();
                let ended = bench.verifier.cancel(&bench.tenant, &id).await;
                assert!(ended.unwrap().is_some(), "{kind}: {to:?}");
            }
            Err(SendError::Throttled { limit, .. }) => {
                assert_eq!(limit, LimitName::DestinationSends, "{kind}: {to:?}");
                refused += 1;
            }
            Err(error) => panic!("{kind}: {to:?}: {error}"),
        }
    }
    let left = bench.inbox.len();
    assert_eq!((left, refused), (5, 45), "{kind}: {spellings:?}");
    let tried = format!("50 sends to {} spellings of one target", spellings.len());
    kind.note(row, &tried, &format!("{left} messages"));
}

#[test]
fn a43_all_spellings_of_a_mailbox_share_one_budget() {
    on_every_store(|kind| async move {
        for spellings in MAILBOXES {
            let read = spellings.iter().map(|to| Destination::parse_any(to));
            let read: Vec<_> = read.filter_map(Result::ok).collect();
            assert!(read.len() >= 3, "{read:?}");
            five_are_let_through(kind, "a43", &read).await;
        }
    });
}

#[test]
fn a44_all_spellings_of_a_number_share_one_budget() {
    let numbers = Numbers::new(&NumbersConfig::new().region("NO")).unwrap();
    let read = NUMBER.iter().filter_map(|text| numbers.read(text).ok());
    let read = read.map(|number| Destination::parse_any(number.as_str()).unwrap());
    let read: Vec<_> = read.collect();
    assert!(read.len() >= 5, "{read:?}");
    on_every_store(|kind| five_are_let_through(kind, "a44", &read));
}
