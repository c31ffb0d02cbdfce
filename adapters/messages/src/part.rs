//! The parts that messages are made of, one template file each.

/// One part of a message in one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    EmailSubject,
    EmailText,
    EmailHtml,
    Sms,
    /// What is sent where the full text would take more than one short message.
    SmsShort,
    Voice,
}

impl Part {
    pub(crate) const ALL: [Self; 6] = [
        Self::EmailSubject,
        Self::EmailText,
        Self::EmailHtml,
        Self::Sms,
        Self::SmsShort,
        Self::Voice,
    ];

    /// What an email needs: one language for all three, never a mixture.
    pub(crate) const EMAIL: [Self; 3] = [Self::EmailSubject, Self::EmailText, Self::EmailHtml];

    /// The name of its file in a locale's folder.
    pub(crate) const fn file(self) -> &'static str {
        match self {
            Self::EmailSubject => "email.subject.j2",
            Self::EmailText => "email.text.j2",
            Self::EmailHtml => "email.html.j2",
            Self::Sms => "sms.text.j2",
            Self::SmsShort => "sms.short.j2",
            Self::Voice => "voice.text.j2",
        }
    }

    /// The part whose file has this name.
    pub(crate) fn from_file(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.file() == name)
    }

    /// Whether it is one line: a header, or text that a provider cuts at line breaks.
    pub(crate) const fn is_one_line(self) -> bool {
        matches!(self, Self::EmailSubject)
    }

    /// The most characters that a rendering may have.
    pub(crate) const fn max_chars(self) -> usize {
        match self {
            Self::EmailSubject | Self::SmsShort => 160,
            Self::Sms => 480,
            Self::Voice => 1000,
            Self::EmailText | Self::EmailHtml => 32 * 1024,
        }
    }
}
