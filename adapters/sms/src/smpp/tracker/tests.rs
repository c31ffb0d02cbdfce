use std::sync::Arc;

use countersign::DeliveryOutcome::{Delivered, Failed};
use countersign::{DeliveryOutcome, FakeClock, Report, Timestamp};
use tokio::sync::mpsc::Receiver;

use super::{AFTERMATH_SECS, Behind, EARLY_SECS, MAX_EARLY, MAX_PARTS, MAX_REPORTS, Tracker};
use crate::smpp::receipt::{DeliveryReceipt, Fate};

struct Bench {
    clock: Arc<FakeClock>,
    tracker: Tracker,
    reports: Receiver<Report>,
}

impl Bench {
    fn new() -> Self {
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1_800_000_000)));
        let tracker = Tracker::new(clock.clone());
        let reports = tracker.reports().expect("the first asks");
        Self {
            clock,
            tracker,
            reports,
        }
    }

    fn send(&self, token: &str, ids: &[&str]) {
        let part = self.tracker.message(token, ids.len(), 300).expect("wanted");
        for id in ids {
            self.tracker.taken(id, part.clone());
        }
    }

    fn receive(&self, id: &str, fate: Fate) {
        let ids = vec![id.to_owned()];
        assert_eq!(
            self.tracker.received(&DeliveryReceipt { ids, fate }),
            Ok(())
        );
    }

    fn reported(&mut self) -> Vec<(String, DeliveryOutcome)> {
        let mut all = Vec::new();
        while let Ok(Report { token, outcome }) = self.reports.try_recv() {
            all.push((token, outcome));
        }
        all
    }
}

fn one(token: &str, outcome: DeliveryOutcome) -> Vec<(String, DeliveryOutcome)> {
    vec![(token.to_owned(), outcome)]
}

#[test]
fn a_receipt_becomes_the_report_of_its_message_once() {
    let mut bench = Bench::new();
    bench.send("first", &["1a2b"]);
    bench.send("second", &["77"]);
    bench.receive("6699", Fate::Delivered);
    bench.receive("6699", Fate::Failed);
    assert_eq!(bench.reported(), one("first", Delivered));
    bench.receive("0077", Fate::Failed);
    assert_eq!(bench.reported(), one("second", Failed));
    bench.receive("78", Fate::Delivered);
    assert_eq!(bench.reported(), []);
}

#[test]
fn an_id_as_it_is_written_goes_before_its_other_reading() {
    let mut bench = Bench::new();
    bench.send("hexadecimal", &["64"]);
    bench.send("as written", &["100"]);
    bench.receive("100", Fate::Delivered);
    assert_eq!(bench.reported(), one("as written", Delivered));
    bench.receive("100", Fate::Delivered);
    assert_eq!(bench.reported(), one("hexadecimal", Delivered));
}

#[test]
fn a_message_is_delivered_when_all_its_parts_are() {
    let mut bench = Bench::new();
    bench.send("three", &["1", "2", "3"]);
    bench.receive("3", Fate::Delivered);
    bench.receive("1", Fate::Delivered);
    // The same receipt twice is one.
    bench.receive("1", Fate::Delivered);
    assert_eq!(bench.reported(), []);
    bench.receive("2", Fate::Delivered);
    assert_eq!(bench.reported(), one("three", Delivered));
}

#[test]
fn a_message_failed_with_its_first_part_that_failed() {
    let mut bench = Bench::new();
    bench.send("three", &["1", "2", "3"]);
    bench.receive("2", Fate::Failed);
    assert_eq!(bench.reported(), one("three", Failed));
    bench.receive("1", Fate::Delivered);
    bench.receive("3", Fate::Failed);
    assert_eq!(bench.reported(), []);
}

#[test]
fn a_message_of_which_a_part_was_not_taken_is_never_delivered() {
    let mut bench = Bench::new();
    let part = bench.tracker.message("two", 2, 300).unwrap();
    bench.tracker.taken("1", part);
    bench.receive("1", Fate::Delivered);
    assert_eq!(bench.reported(), []);
}

#[test]
fn a_receipt_that_comes_before_the_answer_waits_for_it() {
    let mut bench = Bench::new();
    bench.receive("6699", Fate::Delivered);
    bench.send("early", &["1a2b"]);
    assert_eq!(bench.reported(), one("early", Delivered));
    bench.receive("78", Fate::Delivered);
    bench.clock.advance_secs(EARLY_SECS + 1);
    bench.send("late", &["78"]);
    assert_eq!(bench.reported(), []);
    for id in 0..=MAX_EARLY {
        bench.receive(&format!("x{id}"), Fate::Failed);
    }
    bench.send("oldest", &["x0"]);
    bench.send("next", &["x1"]);
    assert_eq!(bench.reported(), one("next", Failed));
}

#[test]
fn what_nobody_can_use_any_more_is_forgotten() {
    let mut bench = Bench::new();
    bench.send("late", &["1"]);
    bench.send("later", &["2"]);
    bench.clock.advance_secs(300 + AFTERMATH_SECS);
    bench.receive("1", Fate::Delivered);
    assert_eq!(bench.reported(), one("late", Delivered));
    bench.clock.advance_secs(1);
    bench.receive("2", Fate::Delivered);
    assert_eq!(bench.reported(), []);
    bench.send("new", &["3"]);
    assert_eq!(bench.tracker.book.lock().unwrap().order.len(), 1);
}

#[test]
fn the_oldest_is_forgotten_for_a_new_one() {
    let mut bench = Bench::new();
    for id in 0..=MAX_PARTS {
        bench.send(&format!("t{id}"), &[&format!("x{id}")]);
    }
    let book = bench.tracker.book.lock().unwrap();
    assert_eq!((book.parts.len(), book.order.len()), (MAX_PARTS, MAX_PARTS));
    drop(book);
    bench.receive("x0", Fate::Delivered);
    bench.receive("x1", Fate::Delivered);
    assert_eq!(bench.reported(), one("t1", Delivered));
}

#[test]
fn an_id_that_is_given_again_is_the_newer_messages() {
    let mut bench = Bench::new();
    bench.send("old", &["7"]);
    bench.send("new", &["7"]);
    bench.clock.advance_secs(300 + AFTERMATH_SECS + 1);
    bench.send("newest", &["7"]);
    bench.receive("7", Fate::Delivered);
    assert_eq!(bench.reported(), one("newest", Delivered));
}

#[test]
fn a_reader_that_is_behind_is_said_and_loses_nothing() {
    let mut bench = Bench::new();
    for id in 0..=MAX_REPORTS {
        bench.send(&format!("t{id}"), &[&format!("x{id}")]);
    }
    for id in 0..MAX_REPORTS {
        bench.receive(&format!("x{id}"), Fate::Delivered);
    }
    let ids = vec![format!("x{MAX_REPORTS}")];
    let last = DeliveryReceipt {
        ids,
        fate: Fate::Delivered,
    };
    assert_eq!(bench.tracker.received(&last), Err(Behind));
    assert_eq!(bench.reported().len(), MAX_REPORTS);
    assert_eq!(bench.tracker.received(&last), Ok(()));
    assert_eq!(bench.reported().len(), 1);
}

#[test]
fn nothing_is_asked_for_that_nobody_reads() {
    let tracker = Tracker::new(Arc::new(FakeClock::default()));
    assert!(tracker.message("t", 1, 300).is_none());
    let reports = tracker.reports();
    assert!(tracker.reports().is_none(), "they are handed out once");
    assert!(tracker.message("t", 1, 300).is_some());
    drop(reports);
    assert!(tracker.message("t", 1, 300).is_none());
}
