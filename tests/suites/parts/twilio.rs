//! Twilio by a fake of it: its section of the configuration, its word that a message was taken,
//! and the code that the message brings.

use super::http_fake::{HttpFake, Play};

/// The secret that its account has, which signs reports too.
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

pub(crate) fn twilio(fake: &HttpFake) -> String {
    format!(
        "[twilio]\naccount_sid = \"AC{TOKEN}\"\nauth_token = \"{TOKEN}\"\nfrom = \"+15550100\"\n\
         base_url = \"{}\"\n",
        fake.url()
    )
}

pub(crate) fn taken() -> Play {
    Play::json(
        201,
        r#"{"sid":"SM0123456789abcdef0123456789abcdef","status":"queued"}"#,
    )
}

/// The run of six digits in a text.
pub(crate) fn code_in(text: &str) -> String {
    let runs = text.split(|c: char| !c.is_ascii_digit());
    let code = runs.into_iter().find(|run| run.len() == 6);
    code.unwrap_or_else(|| panic!("no code in {text}"))
        .to_owned()
}
