//! Deliverers by SMS and voice, towards providers: what is sent, what their answers mean,
//! and what happens when they are slow, broken or hostile.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a suite fails by panicking"
)]

#[path = "providers/client.rs"]
mod client;
#[expect(dead_code, reason = "each suite starts some of the counterparts")]
#[path = "parts/mod.rs"]
mod parts;
#[path = "providers/smpp.rs"]
mod smpp;
#[path = "providers/smpp_failures.rs"]
mod smpp_failures;
#[path = "providers/smpp_receipts.rs"]
mod smpp_receipts;
#[path = "providers/sns.rs"]
mod sns;
#[path = "providers/stage.rs"]
mod stage;
#[path = "providers/twilio.rs"]
mod twilio;
#[path = "providers/twilio_contract.rs"]
mod twilio_contract;
#[path = "providers/twilio_sdk.rs"]
mod twilio_sdk;
#[path = "providers/vonage.rs"]
mod vonage;
#[path = "providers/vonage_check.rs"]
mod vonage_check;
#[path = "providers/webhook.rs"]
mod webhook;
