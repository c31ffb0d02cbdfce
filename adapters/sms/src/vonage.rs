//! SMS by Vonage.
