//! Moments: what a step is told of the store that takes it.

use crate::clock::Timestamp;
use crate::record::step::Step;
use crate::store::Incarnation;

/// When, and in which life of the store, a step is taken.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "stores build it, and must give both"
)]
pub struct Moment {
    /// The store's time.
    pub now: Timestamp,
    /// The store's life.
    pub incarnation: Incarnation,
}

impl Moment {
    /// The moment by which `step` decides.
    #[inline]
    pub(crate) fn of(self, step: &Step) -> Self {
        let now = step.at.unwrap_or(self.now);
        Self { now, ..self }
    }
}
