//! Delivers codes by SMS.

pub mod segments;
pub mod smpp;
pub mod sns;
pub mod twilio;
pub mod vonage;
