//! SMS by Twilio.
