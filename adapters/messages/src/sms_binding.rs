//! What stands behind an SMS so that a phone fills the code in: Android's app hash (Google's
//! SMS Retriever) and the origin (WICG, "Origin-bound one-time codes delivered via SMS").

use countersign::Message;

use crate::segments::segments;

/// The longest SMS that Google's SMS Retriever looks at.
const RETRIEVER_BYTES: usize = 140;

/// The lines to append, each with the line break before it.
pub(crate) struct Lines {
    pub(crate) text: String,
    has_hash: bool,
}

impl Lines {
    /// Whether a whole message does what it is for: one short message, and no longer than
    /// the SMS Retriever allows where it has an app hash. Google does not say in which
    /// encoding the 140 bytes are counted; one short message has at most 140 octets, and
    /// UTF-8 is what an app sees, so both hold.
    pub(crate) fn fit_in(&self, whole: &str) -> bool {
        segments(whole).parts == 1 && (!self.has_hash || whole.len() <= RETRIEVER_BYTES)
    }
}

/// The lines for which the caller gave what they need. What has another form is left out:
/// a broken line helps nobody and could carry a link.
///
/// Where both are given, the origin comes last: its specification has it on the last line
/// and nowhere else, while the SMS Retriever has looked for the hash anywhere since Google
/// dropped the `<#>` that messages once began with. The hash could also stand behind the
/// code on that last line, where the specification ignores it; rejected, since nobody
/// promises that every browser does.
pub(crate) fn lines(message: &Message<'_>) -> Lines {
    let hash = message.app_hash.filter(|hash| is_app_hash(hash));
    let origin = message.origin.filter(|origin| is_host(origin));
    let mut text = String::new();
    if let Some(hash) = hash {
        text.push('\n');
        text.push_str(hash);
    }
    if let Some(origin) = origin {
        // One line break is enough for phones; the empty line is for people, and left
        // out where every character counts.
        text.push_str(if hash.is_some() { "\n@" } else { "\n\n@" });
        // Compared with the page's host as it stands, which browsers keep in lower case.
        text.push_str(&origin.to_ascii_lowercase());
        text.push_str(" #");
        text.push_str(message.code.reveal());
    }
    Lines {
        text,
        has_hash: hash.is_some(),
    }
}

/// A host name in ASCII. A port has no place: the origin is always `https` on its own.
fn is_host(origin: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    origin.len() <= 253 && origin.split('.').all(is_label)
}

/// Eleven characters of base64, as Google Play services compute it.
fn is_app_hash(hash: &str) -> bool {
    hash.len() == 11
        && hash
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_with_an_app_hash_has_140_bytes_at_most() {
        let lines = |has_hash| Lines {
            text: String::new(),
            has_hash,
        };
        for (text, with_hash, without) in [
            ("a".repeat(140), true, true),
            ("a".repeat(141), false, true),
            ("é".repeat(70), true, true),
            ("é".repeat(71), false, true),
            ("ह".repeat(47), false, true),
            ("ह".repeat(71), false, false),
        ] {
            assert_eq!(lines(true).fit_in(&text), with_hash, "{text}");
            assert_eq!(lines(false).fit_in(&text), without, "{text}");
        }
    }

    #[test]
    fn hosts_are_names_and_nothing_else() {
        for host in [
            "example.com",
            "EXAMPLE.com",
            "xn--bcher-kva.example",
            "localhost",
            "a.b-c.d1",
        ] {
            assert!(is_host(host), "{host}");
        }
        let long = format!("{}.com", "a".repeat(64));
        for text in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "-a.b",
            "a-.b",
            "a b",
            "a\nb",
            "a:443",
            "https://a.b",
            "a/b",
            "bücher.example",
            "a#1",
            "a%b",
            "a@b",
            &long,
            &["a"; 128].join("."),
        ] {
            assert!(!is_host(text), "{text:?}");
        }
    }
}
