//! Calls by Twilio.
