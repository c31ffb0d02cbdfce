//! Delivers codes by SMS.

mod hex;
pub mod smpp;
pub mod sns;
mod split;
pub mod twilio;
pub mod vonage;
