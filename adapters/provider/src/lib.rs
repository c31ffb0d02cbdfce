//! What Countersign's deliverers share: HTTP towards providers, several deliverers in
//! their order, and a breaker around one that is down.

mod answer;
mod base_url;
mod breaker;
mod client;
mod credential;
mod in_order;
mod request;
mod retry_after;
mod tls;

pub use answer::Answer;
pub use breaker::{Breaker, BreakerConfig};
pub use client::{Client, ClientConfig, ClientConfigError};
pub use credential::Credential;
pub use in_order::{AfterLostAnswers, InOrder};
pub use request::Request;
pub use tls::config as tls_config;
