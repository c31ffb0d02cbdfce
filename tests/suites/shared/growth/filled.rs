//! A store, filled with records.

use std::sync::Arc;

use countersign::store::{Entry, Swap};
use countersign::{RecordKey, SessionStore, Timestamp};
use tokio::task::JoinSet;

use super::record_keys;
use super::sample::Sample;

/// So many writers at once, as a server under load has.
const WRITERS: u64 = 64;

/// Ends in the year 2100: nothing is swept while it is counted.
const LATER: Timestamp = Timestamp::from_secs(4_102_444_800);

/// Puts `bytes` under the first `count` keys.
pub(crate) async fn fill(store: &Arc<dyn SessionStore>, bytes: &[u8], count: u64) {
    let mut writers = JoinSet::new();
    for n in 0..WRITERS {
        let step = usize::try_from(WRITERS).expect("it fits");
        let skip = usize::try_from(n).expect("it fits");
        let keys: Vec<_> = record_keys(count).skip(skip).step_by(step).collect();
        let (store, bytes) = (Arc::clone(store), bytes.to_vec());
        writers.spawn(async move {
            let loaded = store.load(RecordKey::SCRATCH).await;
            let life = loaded.expect("it loads").incarnation;
            for key in keys {
                let next = Entry {
                    bytes: &bytes,
                    garbage_after: Some(LATER),
                };
                let swap = store.swap(key, None, next, life).await;
                assert_eq!(swap.expect("it is written"), Swap::Done);
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.expect("the writer ends well");
    }
}

/// How many bytes each of `count` records added.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(crate) fn each(before: u64, after: u64, count: u64) -> f64 {
    after.saturating_sub(before) as f64 / count as f64
}

/// Figures of one store beside those of the page.
#[derive(Debug)]
pub(crate) struct Figures {
    store: &'static str,
    wrong: Vec<String>,
}

impl Figures {
    pub(crate) fn of(store: &'static str) -> Self {
        let wrong = Vec::new();
        Self { store, wrong }
    }

    /// Prints a figure, which should be the page's within a fifth: how full pages are when
    /// many write at once is chance.
    pub(crate) fn note(&mut self, record: &Sample, measured: f64, page: f64) {
        let (store, name, length) = (self.store, record.name, record.bytes.len());
        println!("{store}, {name} record of {length} bytes: {measured:.0} bytes each");
        if (measured / page - 1.0).abs() > 0.2 {
            let wrong = format!("{name}: {measured:.0}, and the page says {page:.0}");
            self.wrong.push(wrong);
        }
    }

    #[track_caller]
    pub(crate) fn assert_page(self) {
        assert!(self.wrong.is_empty(), "{}: {:?}", self.store, self.wrong);
    }
}
