//! The last line of an SMS that lets a phone fill the code in: Android's app hash
//! (SMS Retriever) or a domain-bound code (WICG "Origin-bound one-time codes").

use countersign::Message;

/// Appends the line for which the caller gave what it needs. What has another form is
/// left out: a broken line helps nobody and could carry a link.
pub(crate) fn append(mut text: String, message: &Message<'_>) -> String {
    if let Some(origin) = message.origin.filter(|origin| is_domain(origin)) {
        text.push_str("\n\n@");
        text.push_str(origin);
        text.push_str(" #");
        text.push_str(message.code.reveal());
    }
    if let Some(hash) = message.app_hash.filter(|hash| is_app_hash(hash)) {
        text.push('\n');
        text.push_str(hash);
    }
    text
}

fn is_domain(origin: &str) -> bool {
    (1..=253).contains(&origin.len())
        && origin
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
}

/// Eleven characters of base64, as Google Play services compute it.
fn is_app_hash(hash: &str) -> bool {
    hash.len() == 11
        && hash
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}
