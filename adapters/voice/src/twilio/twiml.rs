//! The words of a call in Twilio's XML.

/// A text read out in one language, after a second for the ear.
pub(super) fn say(language: &str, text: &str) -> String {
    let text = escaped(text);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Pause length=\"1\"/>\
         <Say language=\"{language}\">{text}</Say></Response>"
    )
}

/// The text as content of an element. What no XML may hold is left out (XML 1.0, 2.2).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            sign => escaped.push(sign),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::say;

    #[test]
    fn no_text_leaves_its_element() {
        let twiml = say(
            "en-US",
            "</Say><Dial>+1</Dial> & \"q\" ]]>\u{0}\u{1b}\u{ffff}\r\næ🎉",
        );
        assert!(twiml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>"));
        let text = "&lt;/Say&gt;&lt;Dial&gt;+1&lt;/Dial&gt; &amp; \"q\" ]]&gt;  æ🎉";
        let element = format!("<Say language=\"en-US\">{text}</Say></Response>");
        assert!(twiml.ends_with(&element), "{twiml}");
    }
}
