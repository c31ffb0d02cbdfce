//! The words of a message: templates per channel and locale, rendered for deliverers.
//!
//! English, Norwegian and Arabic are built in. A directory of one's own adds languages
//! and replaces single files: `<directory>/<locale>/<file>`, where the file is one of
//! `email.subject.j2`, `email.text.j2`, `email.html.j2`, `sms.text.j2` and
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

mod brand;
mod built_in;
mod catalogue;
mod email;
mod error;
mod locale;
mod messages;
mod own_directory;
mod part;
mod sms_binding;

pub use email::Email;
pub use error::{BrandError, RenderError, TemplateError};
pub use messages::Messages;
