//! Records: what is read is written back to the last byte, and no step breaks one.
//!
//! An input is a count of steps, 24 bytes for each, and the bytes of a record.
#![no_main]

#[path = "record/steps.rs"]
mod steps;
#[path = "../../tests/suites/parts/tap.rs"]
mod tap;

use arbitrary::Unstructured;
use countersign::record::{MAX_RECORD_BYTES, Record};
use libfuzzer_sys::fuzz_target;

use self::steps::{Rules, Templates};

const STEP: usize = 24;

fuzz_target!(|data: &[u8]| {
    let Some((head, rest)) = data.split_first() else {
        return;
    };
    let taken = (usize::from(head >> 2) * STEP).min(rest.len());
    let (steps, bytes) = rest.split_at(taken);
    let templates = Templates::get();
    let rules = Rules::of(head & 3);
    if let Ok(record) = Record::decode(bytes) {
        assert!(bytes.len() <= MAX_RECORD_BYTES);
        assert_eq!(record.encode(), bytes, "one record has one encoding");
        walk(record, steps, &templates.with(&rules), false);
    }
    grow(steps, &templates.with(&rules));
});

/// From nothing, by steps of one policy alone: the record never outgrows its bound.
fn grow(steps: &[u8], templates: &Templates) {
    let Some(first) = steps.get(..STEP) else {
        return;
    };
    if let Ok(step) = templates.step(&mut Unstructured::new(first), None) {
        walk(Record::absent(&step), steps, templates, true);
    }
}

fn walk(mut record: Record, steps: &[u8], templates: &Templates, bounded: bool) {
    for chunk in steps.chunks_exact(STEP) {
        let mut choices = Unstructured::new(chunk);
        let Ok(step) = templates.step(&mut choices, Some(&record)) else {
            return;
        };
        let Ok(moment) = templates.moment(&mut choices) else {
            return;
        };
        let before = record.encode();
        let effect = record.step(&step, moment);
        let after = record.encode();
        if effect.is_err() {
            assert_eq!(after, before, "what is refused changes nothing");
        }
        // Any bytes can be those of a record that was full under wider limits.
        if !bounded && after.len() > MAX_RECORD_BYTES {
            return;
        }
        assert!(after.len() <= MAX_RECORD_BYTES, "{} bytes", after.len());
        record = Record::decode(&after).expect("what is written is read");
        assert_eq!(record.encode(), after);
        let _ = record.keep_until();
    }
}
