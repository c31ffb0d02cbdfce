//! Delivers codes by a signed webhook: any channel, to a server of yours.
//!
//! ```
//! use std::sync::Arc;
//! use countersign_messages::Messages;
//! use countersign_webhook::{Webhook, WebhookConfig};
//!
//! let messages = Arc::new(Messages::new("Example", None)?);
//! let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
//! let config = WebhookConfig::new("https://hooks.example.com/codes", secret);
//! let webhook = Webhook::new(config, messages)?;
//! let reports = webhook.reports();
//! // `Arc::new(webhook)` is a `countersign::Deliverer`, `reports` a `countersign::ReportReader`.
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![doc = include_str!("protocol.md")]

mod answer;
mod body;
mod config;
mod deliverer;
mod reports;
mod secrets;
mod signature;

pub use config::{WebhookConfig, WebhookConfigError};
pub use deliverer::Webhook;
pub use reports::WebhookReports;
