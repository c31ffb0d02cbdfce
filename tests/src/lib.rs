//! A conformance kit for stores: one named async function for each rule of
//! [`SessionStore`](countersign::SessionStore)'s contract.
//!
//! Write a [`Harness`] for your store and run [`suite`] on it in a test; the report names
//! each rule that does not hold, what was seen, and what it would cost. It depends on the
//! core only: there is no runtime in it.
//!
//! ```
//! use std::sync::Arc;
//! use countersign::{MemoryStore, SessionStore, StoreError};
//! use countersign_conformance::{Harness, block_on, suite};
//!
//! struct Mine(Arc<MemoryStore>);
//!
//! #[async_trait::async_trait]
//! impl Harness for Mine {
//!     async fn open(&self) -> Result<Arc<dyn SessionStore>, StoreError> {
//!         Ok(Arc::clone(&self.0) as _)
//!     }
//! }
//!
//! let report = block_on(suite(&Mine(Arc::default())));
//! assert!(report.is_clean(), "{report}");
//! ```
//!
//! A store that needs a runtime also implements [`Harness::block_on`], which the kit
//! calls on threads of its own.

mod ground;
mod harness;
pub mod rules;
mod suite;
mod violation;

pub use harness::{Harness, Job, block_on};
pub use suite::{Report, Rule, suite};
pub use violation::{Outcome, Passed, Violation};
