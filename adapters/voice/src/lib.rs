//! Delivers codes by voice call.

mod spoken;
pub mod twilio;
mod voices;
pub mod vonage;
