//! Calls by Twilio's `Calls` (`www.twilio.com/docs/voice/api/call-resource`).
//!
//! The words of the call travel with the request, so that no server of ours needs to be
//! reached while the phone rings.

mod language;
mod twiml;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use countersign::{DeliverError, Deliverer, Message, Permanent, Receipt};
use countersign_messages::Messages;
use countersign_provider::CheckError;
pub use countersign_provider::twilio::{Account, AccountConfig, AccountConfigError, Reports};

use crate::spoken;

/// Seconds for which a phone rings at most: most voice mailboxes answer after that.
const RINGING: u64 = 25;
/// Seconds that a call takes at most: the text, twice as slow as it is spoken.
const TIME_LIMIT: &str = "120";
/// Characters that Twilio takes as the words of a call.
const LONGEST_TWIML: usize = 4000;

/// Delivers by calling. Cheap to share in an `Arc`; needs a tokio runtime with I/O and
/// time.
pub struct Twilio {
    account: Arc<Account>,
    from: String,
    messages: Arc<Messages>,
}

impl Twilio {
    /// Checks the caller: a number as `+15550100`. Connects to nothing yet.
    ///
    /// # Errors
    /// [`AccountConfigError::Caller`].
    pub fn new(
        account: Arc<Account>,
        from: &str,
        messages: Arc<Messages>,
    ) -> Result<Self, AccountConfigError> {
        if countersign::PhoneNumber::parse(from).is_err() {
            return Err(AccountConfigError::Caller);
        }
        Ok(Self {
            account,
            from: from.to_owned(),
            messages,
        })
    }

    /// Logs in, and calls nobody: for an operator's check of the configuration.
    ///
    /// # Errors
    /// [`CheckError`] says in one sentence what is wrong and what to set.
    pub async fn check(&self) -> Result<(), CheckError> {
        self.account.check("Calls", ("From", &self.from)).await
    }

    fn twiml(&self, message: Message<'_>) -> Option<String> {
        let (language, text) = spoken::words(&self.messages, language::VOICES, message)?;
        let twiml = twiml::say(language, &text);
        (twiml.chars().count() <= LONGEST_TWIML).then_some(twiml)
    }
}

#[async_trait]
impl Deliverer for Twilio {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        let Some(twiml) = self.twiml(message) else {
            return Err(DeliverError::permanent(Permanent::Refused));
        };
        // Whoever picks up after that would hear a code that is no longer good.
        let ringing = RINGING.min(message.expires_in).max(1).to_string();
        let callback = self.account.callback(message.report_token);
        let mut fields = vec![
            ("To", message.destination.exact()),
            ("From", &self.from),
            ("Twiml", &twiml),
            ("Timeout", &ringing),
            ("TimeLimit", TIME_LIMIT),
        ];
        if let Some(url) = &callback {
            fields.push(("StatusCallback", url));
        }
        self.account.create("Calls", &fields).await
    }
}

impl fmt::Debug for Twilio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Twilio")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use countersign::{Channel, Code, Destination, Message};
    use countersign_messages::Messages;

    use super::{Account, AccountConfig, Twilio};

    fn twilio(dir: Option<&std::path::Path>) -> Twilio {
        let sid = "AC0123456789abcdef0123456789abcdef";
        let account = Account::new(AccountConfig::with_auth_token(sid, "t")).unwrap();
        let messages = Arc::new(Messages::new("R&D <Bank>", dir).unwrap());
        Twilio::new(Arc::new(account), "+15005550006", messages).unwrap()
    }

    fn twiml(twilio: &Twilio, locale: Option<&str>) -> String {
        let to = Destination::parse(Channel::Voice, "+4790000001").unwrap();
        let code = Code::from_custom("012345").unwrap();
        let mut message = Message::new(&to, Channel::Voice, &code);
        message.locale = locale;
        twilio.twiml(message).unwrap()
    }

    #[test]
    fn the_code_is_spoken_sign_by_sign_twice_in_the_language_of_its_words() {
        let twilio = twilio(None);
        for (locale, language, word) in [
            (None, "en-US", "Hello"),
            (Some("en-GB"), "en-GB", "Hello"),
            (Some("nb"), "nb-NO", "Koden"),
            (Some("nn-NO"), "nb-NO", "Koden"),
            (Some("fi"), "fi-FI", "Koodisi"),
            // No words in Lithuanian: an English voice reads the English ones.
            (Some("lt-LT"), "en-US", "Hello"),
        ] {
            let twiml = twiml(&twilio, locale);
            let say = format!("<Say language=\"{language}\">");
            assert!(twiml.contains(&say) && twiml.contains(word), "{twiml}");
            assert_eq!(twiml.matches("0, 1, 2, 3, 4, 5").count(), 2, "{twiml}");
            assert!(!twiml.contains("012345"), "{twiml}");
            assert!(twiml.contains("R&amp;D &lt;Bank&gt;"), "{twiml}");
        }
    }

    #[test]
    fn words_for_which_twilio_has_no_voice_are_not_read_out() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("lt");
        std::fs::create_dir(&own).unwrap();
        std::fs::write(own.join("voice.text.j2"), "Kodas {{ code }}, {{ code }}").unwrap();
        let twiml = twiml(&twilio(Some(folder.path())), Some("lt"));
        assert!(
            twiml.contains("Hello") && !twiml.contains("Kodas"),
            "{twiml}"
        );
    }
}
