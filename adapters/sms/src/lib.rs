//! Delivers codes by SMS.

mod hex;
pub mod segments;
pub mod smpp;
pub mod sns;
pub mod twilio;
pub mod vonage;
