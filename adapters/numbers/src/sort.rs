//! Sorts of lines.

use rlibphonenumber::PhoneNumberType;

/// What sort of line a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sort {
    /// A mobile phone: served.
    Mobile,
    /// A fixed line or a mobile phone, where the digits do not tell (as in the United
    /// States): served.
    FixedOrMobile,
    /// A fixed line: served by voice, by SMS only where asked for.
    Fixed,
    /// Internet telephony: served only where asked for.
    Voip,
    /// Paid by who is called, a company: never served.
    TollFree,
    /// Dearer than others, and the owner has a share: never served.
    Premium,
    /// Dearer than others: never served.
    SharedCost,
    /// A number that follows a person, at the caller's cost: never served.
    Personal,
    /// A pager: never served.
    Pager,
    /// A company's number for all its places: never served.
    CompanyWide,
    /// A mailbox: never served.
    Voicemail,
    /// Not known: never served.
    Unknown,
}

impl Sort {
    /// Its name in messages for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::FixedOrMobile => "fixed-line or mobile",
            Self::Fixed => "fixed-line",
            Self::Voip => "internet telephony",
            Self::TollFree => "toll-free",
            Self::Premium => "premium-rate",
            Self::SharedCost => "shared-cost",
            Self::Personal => "personal",
            Self::Pager => "pager",
            Self::CompanyWide => "company-wide",
            Self::Voicemail => "voicemail",
            Self::Unknown => "unknown",
        }
    }

    pub(crate) const fn of(library: PhoneNumberType) -> Self {
        match library {
            PhoneNumberType::Mobile => Self::Mobile,
            PhoneNumberType::FixedLineOrMobile => Self::FixedOrMobile,
            PhoneNumberType::FixedLine => Self::Fixed,
            PhoneNumberType::VoIP => Self::Voip,
            PhoneNumberType::TollFree => Self::TollFree,
            PhoneNumberType::PremiumRate => Self::Premium,
            PhoneNumberType::SharedCost => Self::SharedCost,
            PhoneNumberType::PersonalNumber => Self::Personal,
            PhoneNumberType::Pager => Self::Pager,
            PhoneNumberType::UAN => Self::CompanyWide,
            PhoneNumberType::VoiceMail => Self::Voicemail,
            PhoneNumberType::Unknown => Self::Unknown,
        }
    }
}
