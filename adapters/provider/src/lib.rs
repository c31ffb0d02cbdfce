//! What Countersign's deliverers share: HTTP towards providers, several deliverers in
//! their order, and a breaker around one that is down.
//!
//! ```
//! use std::sync::Arc;
//! use countersign::{Deliverer, Recorder, SystemClock};
//! use countersign_provider::{AfterLostAnswers, Breaker, BreakerConfig, InOrder};
//!
//! # let (twilio, vonage) = (Arc::new(Recorder::new()), Arc::new(Recorder::new()));
//! let clock = Arc::new(SystemClock::default());
//! let guarded = |deliverer: Arc<dyn Deliverer>| -> Arc<dyn Deliverer> {
//!     Arc::new(Breaker::new(deliverer, clock.clone(), BreakerConfig::default()))
//! };
//! let both = vec![guarded(twilio), guarded(vonage)];
//! let sms = InOrder::of(both, AfterLostAnswers::Stop);
//! # assert!(sms.is_some());
//! ```
//!
//! What the [`Client`] promises:
//! - Codes cross no network in clear: `http://` goes to this machine alone.
//! - A request ends within its time-out, is sent once, follows no redirect, and takes no
//!   proxy from the environment. Of an answer 64 KiB are read.
//! - An error tells whether the message may have left: only once a connection stood.
//! - What a provider says is for its deliverer alone: neither `Debug` nor an error shows it.

mod answer;
mod base_url;
mod breaker;
mod check;
mod client;
mod credential;
mod in_order;
mod request;
mod retry_after;
pub mod twilio;

pub use answer::Answer;
pub use breaker::{Breaker, BreakerConfig};
pub use check::{CheckError, Settings};
pub use client::{Client, ClientConfig, ClientConfigError};
pub use credential::Credential;
pub use in_order::{AfterLostAnswers, InOrder};
pub use request::Request;
