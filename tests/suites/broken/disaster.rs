//! What is left of a broken store after it was closed, or after a disaster.

use std::sync::atomic::Ordering;

use countersign_conformance::Disaster;

use super::fault::Fault;
use super::rows::Broken;

impl Broken {
    pub(super) fn close(&self) {
        if self.is(Fault::ForgetsWhenClosed) {
            self.forget_all();
        }
    }

    /// A store without a fault forgets everything, as it declares, in another life.
    pub(super) fn befall(&self, disaster: Disaster) {
        match (self.fault, disaster) {
            (Fault::ForgetsWhenClosed, _) | (Fault::NeverSyncs, Disaster::Kill) => return,
            (Fault::NeverSyncs | Fault::Unfenced, _) => self.forget_the_last(),
            _ => self.forget_all(),
        }
        if !self.is(Fault::SameLifeAfterAll) {
            self.life.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn forget_all(&self) {
        self.rows.lock().unwrap().clear();
        self.before.lock().unwrap().clear();
        self.stale.lock().unwrap().clear();
        *self.late.lock().unwrap() = None;
    }

    /// Every value is again what it was before its last write.
    fn forget_the_last(&self) {
        let mut rows = self.rows.lock().unwrap();
        for (key, before) in self.before.lock().unwrap().drain() {
            match before {
                Some(row) => rows.insert(key, row),
                None => rows.remove(&key),
            };
        }
    }
}
