//! Delivers codes by voice call.

pub mod twilio;
pub mod vonage;
