//! The public face: one brand's messages.

use std::fmt;
use std::path::Path;

use countersign::Message;

use crate::brand;
use crate::built_in;
use crate::catalogue::{Catalogue, Words};
use crate::email::Email;
use crate::error::{RenderError, TemplateError};
use crate::own_directory;
use crate::part::Part;
use crate::segments::segments;
use crate::sms_binding;

/// As long as any policy makes a code.
const LONGEST_CODE: &str = "ACDEFGHJKM";

/// Minutes that a code sent by SMS may be good for: no policy allows more than ten.
const LONGEST_MINUTES: std::ops::RangeInclusive<u64> = 1..=10;

/// Every message of one brand, in every language that has templates.
pub struct Messages {
    brand: String,
    catalogue: Catalogue,
}

impl Messages {
    /// Compiles the built-in templates and those of `dir` over them, and renders each
    /// once, so that a mistake stops the start and not a send. The files are not read
    /// again.
    ///
    /// # Errors
    /// [`TemplateError`], with file and line, when the brand or a template cannot be
    /// used.
    pub fn new(brand: &str, dir: Option<&Path>) -> Result<Self, TemplateError> {
        let brand = brand::valid(brand)?.to_owned();
        let mut catalogue = Catalogue::new();
        for (locale, part, source) in built_in::templates() {
            catalogue.add(
                locale,
                part,
                &format!("built-in {locale}/{}", part.file()),
                source,
            )?;
        }
        if let Some(dir) = dir {
            let own = own_directory::read(dir)?;
            for text in own.iter().filter(|own| own.part == Part::Sms) {
                catalogue.forget_short(&text.locale);
            }
            for own in own {
                catalogue.add(
                    &own.locale,
                    own.part,
                    &own.path.display().to_string(),
                    &own.source,
                )?;
            }
        }
        catalogue.complete()?;
        catalogue.try_all(&brand)?;
        Ok(Self { brand, catalogue })
    }

    /// The brand, as it stands in messages.
    #[must_use]
    pub fn brand(&self) -> &str {
        &self.brand
    }

    /// The locales that have templates, in alphabetical order, in lower case.
    #[must_use]
    pub fn locales(&self) -> Vec<&str> {
        self.catalogue.locales()
    }

    /// The message as an email.
    ///
    /// # Errors
    /// [`RenderError`] when a template fails for these values.
    pub fn email(&self, message: &Message<'_>) -> Result<Email, RenderError> {
        let locale = self
            .catalogue
            .best(message.locale, &Part::EMAIL)
            .ok_or(RenderError)?;
        let words = self.words(message, locale);
        Ok(Email {
            subject: self.catalogue.render(Part::EmailSubject, &words)?,
            text: self.catalogue.render(Part::EmailText, &words)?,
            html: self.catalogue.render(Part::EmailHtml, &words)?,
        })
    }

    /// The message as an SMS: the full text, or the locale's short one where the full one
    /// would take more than one short message. Behind it come the app hash and the web
    /// origin that the caller gave, in the forms by which phones fill the code in.
    ///
    /// # Errors
    /// [`RenderError`] when a template fails for these values.
    pub fn sms(&self, message: &Message<'_>) -> Result<String, RenderError> {
        let locale = self
            .catalogue
            .best(message.locale, &[Part::Sms])
            .ok_or(RenderError)?;
        let words = self.words(message, locale);
        let lines = sms_binding::lines(message);
        let full = self.catalogue.render(Part::Sms, &words)? + &lines.text;
        if lines.fit_in(&full) || !self.catalogue.has(locale, Part::SmsShort) {
            return Ok(full);
        }
        let short = self.catalogue.render(Part::SmsShort, &words)? + &lines.text;
        let is_better = lines.fit_in(&short) || segments(&short).parts < segments(&full).parts;
        Ok(if is_better { short } else { full })
    }

    /// Locales whose SMS takes more than one short message at the longest code and
    /// lifetime, with the number of messages: worth a warning at start, since each is
    /// paid for. None of the built-in ones is among them, whatever the brand.
    #[must_use]
    pub fn long_sms(&self) -> Vec<(&str, usize)> {
        let mut long = Vec::new();
        for locale in self.catalogue.locales() {
            let parts = LONGEST_MINUTES
                .filter_map(|minutes| {
                    let words = Words {
                        brand: &self.brand,
                        code: LONGEST_CODE,
                        minutes,
                        lang: locale,
                    };
                    let parts = |part| {
                        let text = self.catalogue.render(part, &words).ok()?;
                        Some(segments(&text).parts)
                    };
                    let full = parts(Part::Sms)?;
                    Some(parts(Part::SmsShort).unwrap_or(full).min(full))
                })
                .max();
            long.extend(
                parts
                    .filter(|parts| *parts > 1)
                    .map(|parts| (locale, parts)),
            );
        }
        long
    }

    /// The message as it is spoken: the code twice, one sign after the other.
    ///
    /// # Errors
    /// [`RenderError`] when a template fails for these values.
    pub fn voice(&self, message: &Message<'_>) -> Result<String, RenderError> {
        self.one(Part::Voice, message)
    }

    /// The locale, in lower case, of the template that [`Messages::voice`] takes: what is
    /// in English must not be read out by a voice that speaks the language asked for.
    #[must_use]
    pub fn voice_locale(&self, message: &Message<'_>) -> Option<&str> {
        self.catalogue.best(message.locale, &[Part::Voice])
    }

    fn one(&self, part: Part, message: &Message<'_>) -> Result<String, RenderError> {
        let locale = self
            .catalogue
            .best(message.locale, &[part])
            .ok_or(RenderError)?;
        self.catalogue.render(part, &self.words(message, locale))
    }

    fn words<'a>(&'a self, message: &Message<'a>, lang: &'a str) -> Words<'a> {
        // Rounded down, so that nobody is promised time that the code does not have.
        let minutes = (message.expires_in / 60).max(1);
        Words {
            brand: &self.brand,
            code: message.code.reveal(),
            minutes,
            lang,
        }
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages")
            .field("brand", &self.brand)
            .field("locales", &self.locales())
            .finish_non_exhaustive()
    }
}
