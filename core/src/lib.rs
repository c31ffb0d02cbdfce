//! One-time codes, verified once, in time, within the allowed guesses.
//!
//! Countersign sends a code by SMS, voice or email, and says whether the code that came back
//! is right. This crate is the engine: it has no runtime, no I/O and no clock of its own.
//! Stores ([`SessionStore`]) and deliverers ([`Deliverer`]) are yours or come with the
//! project's other crates.
//!
//! # The promise
//! A code once accepted is never accepted again, after any crash, power cut or failover that
//! starts a new incarnation of the store. The price: codes in flight at that moment must be
//! requested again. Restoring a backup is the one return to the past that nothing can see
//! from inside: the operator has to say so (`countersign fence`).
//!
//! # Example
//! ```
//! use std::sync::Arc;
//!
//! use countersign::{Channel, CheckRequest, Destination, KeyRing, MemoryStore, Recorder};
//! use countersign::{SendRequest, Tenant, Verdict, Verifier};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let post = Arc::new(Recorder::new());
//! let verifier = Verifier::builder(KeyRing::generate()?, Arc::new(MemoryStore::new()))
//!     .deliverer(Channel::Email, post.clone())
//!     .build()?;
//! let tenant = Tenant::new("acme")?;
//! let to = Destination::parse(Channel::Email, "person@example.com")?;
//!
//! let request = SendRequest::new(&tenant, Channel::Email, &to);
//! let session = verifier.send(&request).await?.session_id.to_string();
//!
//! // A real program has sent the code; here the recorder kept it.
//! let typed = post.last_code().ok_or("no message was sent")?;
//! let check = CheckRequest::new(&tenant, &session, &typed);
//! let channel = Channel::Email;
//! assert_eq!(verifier.check(&check).await?, Verdict::Verified { channel });
//! assert_eq!(verifier.check(&check).await?, Verdict::AlreadyUsed);
//! # Ok(())
//! # }
//! ```
//!
//! # One record, one pure function
//! All that is kept about one destination of one tenant is one record: the gate that limits
//! sends and guesses, and the sessions. Every change is one pure function from the record, a
//! step and the time to the next record and an effect. A store does one thing: it changes
//! the value under a key atomically. So the rules about expiry, attempts, resends and limits
//! are written once, and every store obeys them.
//!
//! # What always holds
//! - **I1** Guesses compared in one session are at most its attempts, over all its codes and
//!   resends.
//! - **I2** One session is approved at most once.
//! - **I3** A destination's failures since its last success go down only by a success, an
//!   operator's reset, or 400 days without a failure. A resend or a new session gives no
//!   guess back.
//! - **I4** Nothing is approved at or after its expiry.
//! - **I5** No message leaves unless its session is stored and its send is charged.
//! - **I6** Nothing is approved unless the store acknowledged the step. Unknown means not
//!   approved, and charged.
//! - **I7** No code, key or full destination is in a log, an error, a panic, a metric or a
//!   response.
//! - **I8** A session moves only from live to one of verified, exhausted, expired, cancelled
//!   and undeliverable, and never back. It stays readable for 15 minutes.
//! - **I9** One sender's new session never ends another live session of that destination.
//!
//! # States, verdicts, reasons and statuses
//! What a check of the code finds in each state, and what the HTTP API says of it:
//!
//! | session state | verdict of a check | `reason` | `status` |
//! |---|---|---|---|
//! | [`Live`](SessionState::Live) | [`Verified`](Verdict::Verified) | none: `status` is `verified` | `verified` from now on |
//! | | [`WrongCode`](Verdict::WrongCode) | `wrong_code` | as before |
//! | | [`Exhausted`](Verdict::Exhausted), by the last attempt | `too_many_attempts` | `failed` from now on |
//! | | [`Malformed`](Verdict::Malformed), not charged | `malformed` | as before |
//! | | [`Throttled`](Verdict::Throttled), not charged | `throttled` | as before |
//! | | [`Locked`](Verdict::Locked), not charged | `locked` | as before |
//! | [`Verified`](SessionState::Verified) | [`AlreadyUsed`](Verdict::AlreadyUsed) | `already_used` | `verified` |
//! | [`Exhausted`](SessionState::Exhausted) | [`Exhausted`](Verdict::Exhausted) | `too_many_attempts` | `failed` |
//! | [`Expired`](SessionState::Expired) | [`Expired`](Verdict::Expired) | `expired` | `expired` |
//! | [`Cancelled`](SessionState::Cancelled) | [`Cancelled`](Verdict::Cancelled) | `cancelled` | `cancelled` |
//! | [`Undeliverable`](SessionState::Undeliverable) | [`Undeliverable`](Verdict::Undeliverable) | `undeliverable` | `failed` |
//! | none, or another tenant's or purpose's | [`Unknown`](Verdict::Unknown) | none: 404 | none: 404 |
//!
//! The status of a live session follows its last message: `delivered` once a [report](Verifier::report)
//! says so, `failed` after a failure (it can still be resent), `pending` otherwise. A report of an
//! earlier message changes nothing.
//!
//! A wrong code is a [`Verdict`], never an error: an `Err` means that it could not be told.
//! Only [`Verdict::Verified`] is an approval.
//!
//! # What messages may cost
//! A [`NumberPlan`] reads phone numbers, says which are served and at what price. With one, every
//! phone send and resend is held against, in this order: [`Policy::prefix_sends`] (messages to one
//! prefix, over all tenants), [`Policy::prefix_conversion`] (of the last messages to the prefix,
//! enough must have been answered by an approval; else it is refused but for a trial now and then),
//! [`Policy::tenant_daily_spend_micros`] and [`Policy::total_daily_spend_micros`]. A cap on spend
//! is never passed, however many send at once. Money is given back when no provider was handed the
//! message; when it may have left, it is spent. Decoys are refused wherever a message would be, and
//! count in neither spend nor conversion. Each limit can be tried in a dry run ([`Mode::Report`]),
//! which an [`Observer`] hears of.
//!
//! While all of a prefix's last messages can still be answered it is held, not tripped: who comes
//! is asked back within 30 seconds, and the first approvals open it. So a prefix that is new, or
//! was silent for a day, takes [`Conversion::messages`] messages at once and then waits for the
//! first answers.

#[cfg(test)]
mod at_once;
mod base64url;
mod block_mac;
mod clock;
mod code;
mod deliver;
mod destination;
mod digest;
pub mod envelope;
mod error;
pub mod guide;
mod keys;
mod memory;
mod number_plan;
mod observer;
mod policy;
mod probe;
mod random;
pub mod record;
mod recorder;
mod report;
mod report_token;
mod session_id;
pub mod store;
mod tenant;
mod typed;
mod verdict;
mod verifier;

pub use clock::{Clock, FakeClock, Stopwatch, SystemClock, Timestamp};
pub use code::{Alphabet, Code, CodeForm, Guess, MAX_CODE_LENGTH, MIN_CODE_LENGTH};
pub use deliver::{DeliverError, Deliverer, Message, Permanent, Receipt};
pub use destination::{Channel, Destination, DestinationError, EmailAddress, PhoneNumber};
pub use digest::Digest;
pub use error::{
    BuildError, CheckError, CorruptRecord, InvalidCode, InvalidSessionId, KeyError, LimitName,
    PolicyError, RandomUnavailable, SendError, StoreError,
};
pub use keys::{KeyId, KeyRing, Kind, Secret, Tag};
pub use memory::MemoryStore;
pub use number_plan::{NumberPlan, Served, Unserved};
pub use observer::Observer;
pub use policy::{Conversion, LaneLimits, Limit, Mode, Policy, ResendPolicy};
pub use random::{Randomness, SystemRandom};
pub use record::{
    DeliveryOutcome, DeliveryState, Inspection, LaneView, RecordKey, SessionState, SessionView,
};
pub use recorder::{Recorded, Recorder};
pub use report::{Callback, Report, ReportReader, Unsigned};
pub use session_id::{Nonce, SessionId};
pub use store::SessionStore;
pub use tenant::{InvalidName, Purpose, Tenant};
pub use verdict::Verdict;
pub use verifier::{
    Builder, CheckRequest, DeliveryMode, Opened, Pending, ResendRequest, SendRequest, Sent,
    SentDelivery, Verifier,
};
