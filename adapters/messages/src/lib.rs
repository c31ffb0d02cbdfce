//! The words of a message: templates per channel and locale, rendered for deliverers.
//!
//! Arabic, Chinese (simplified and traditional), Danish, Dutch, English, Finnish, French,
//! German, Hindi, Norwegian, Polish, Portuguese, Spanish and Swedish are built in. A
//! language that is not there falls back: `pt-BR` to `pt`, `nn` to `nb`, `zh-TW` to
//! `zh-Hant`, in the end to `en`. A directory of one's own adds languages and replaces
//! single files: `<directory>/<locale>/<file>`, where the file is one of
//! `email.subject.j2`, `email.text.j2`, `email.html.j2`, `sms.text.j2`, `sms.short.j2` and
//! `voice.text.j2`. Every template knows `brand`, `code`, `minutes` (whole minutes for
//! which the code is good) and `lang` (the template's own locale); an unknown name, a
//! syntax error or a missing part is found by [`Messages::new`], never by a send.
//!
//! ```
//! use countersign::{Channel, Code, Destination, Message};
//! use countersign_messages::Messages;
//!
//! let messages = Messages::new("Example", None)?;
//! # let parsed = Destination::parse(Channel::Email, "user@example.com");
//! # let Ok(destination) = parsed else { return Ok(()) };
//! let code = Code::from_custom("123456")?;
//! let mut message = Message::new(&destination, Channel::Email, &code);
//! message.locale = Some("nb-NO");
//! assert_eq!(messages.email(&message)?.subject, "Example: 123456 er koden din");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How long an SMS is
//! Every built-in SMS is one short message: 160 characters of GSM-7, or 70 where one
//! letter is outside of it (Arabic, Chinese, Hindi, Polish, Portuguese and Spanish texts,
//! and any text with such a brand). With six digits and a brand of at most 11 characters
//! the full text has room in every language. Where it has none, `sms.short.j2` takes its
//! place, which leaves out how long the code is good: one short message for every brand of
//! 32 characters and code of 10. A locale with an `sms.text.j2` of one's own has the short
//! one only if it is one's own too. [`Messages::long_sms`] tells at start which of one's
//! own texts will be paid for twice.
//!
//! An origin or an app hash makes a message longer. The hash takes 12 characters, the
//! origin 5 and its own length, and the code once more. In one short message there is room
//! - in every language, with a brand of at most 16 characters, for the hash (and within
//!   the 140 bytes beyond which Google's SMS Retriever does not read it);
//! - in every language, with a brand of at most 7 characters and six digits, for an origin
//!   of 17 characters, or for the hash and an origin of 11.
//!
//! What is longer is sent all the same, in as few messages as it takes. Browsers read an
//! origin in a message of several parts too; the SMS Retriever fills nothing in above 140
//! bytes, and the person types the code.

mod brand;
mod built_in;
mod catalogue;
mod email;
mod error;
mod locale;
mod messages;
mod own_directory;
mod part;
pub mod segments;
mod sms_binding;

pub use email::Email;
pub use error::{BrandError, RenderError, TemplateError};
pub use messages::Messages;
