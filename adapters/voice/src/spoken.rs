//! Codes as they are spoken.

use countersign::{Code, Message};
use countersign_messages::Messages;

use crate::voices::{self, Voice};

/// The words of a call in the person's language, and the voice's; in English where the
/// provider has no voice for it: the words of a language must not be read out by a voice of
/// another.
pub(crate) fn words(
    messages: &Messages,
    voices: &'static [Voice],
    mut message: Message<'_>,
) -> Option<(&'static str, String)> {
    let template = messages.voice_locale(&message)?;
    let language = voices::best(voices, template, message.locale).unwrap_or_else(|| {
        message.locale = None;
        voices::ENGLISH
    });
    let text = messages.voice(&message).ok()?;
    Some((language, taken_apart(&text, message.code)))
}

/// The text with the code taken apart where a template left it in one piece, so that it is
/// read sign by sign, with a pause at every comma, and not as a number.
fn taken_apart(text: &str, code: &Code) -> String {
    let code = code.reveal();
    let signs: Vec<String> = code.chars().map(String::from).collect();
    text.replace(code, &signs.join(", "))
}

#[cfg(test)]
mod tests {
    use countersign::Code;

    use super::taken_apart;

    #[test]
    fn a_code_in_one_piece_is_taken_apart() {
        let code = Code::from_custom("ACDE").unwrap();
        for (text, expected) in [
            ("Code: ACDE. ACDE!", "Code: A, C, D, E. A, C, D, E!"),
            ("Code: A, C, D, E.", "Code: A, C, D, E."),
            ("", ""),
        ] {
            assert_eq!(taken_apart(text, &code), expected);
        }
    }
}
