//! Delivers codes by a signed webhook.
