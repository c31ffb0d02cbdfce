//! Calls by Vonage.
