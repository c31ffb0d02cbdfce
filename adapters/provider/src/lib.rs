//! What Countersign's deliverers share: HTTP towards providers, several deliverers in
//! their order, and a breaker around one that is down.

mod answer;
mod base_url;
mod client;
mod credential;
mod request;
mod retry_after;
mod tls;

pub use answer::Answer;
pub use client::{Client, ClientConfig, ClientConfigError};
pub use credential::Credential;
pub use request::Request;
