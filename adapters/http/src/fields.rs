//! Every field that a body may have: one table, from which bodies are read, the OpenAPI
//! document is written and the page is rendered, so that none of them can drift.

use std::net::IpAddr;

use countersign::{Code, Guess, Purpose, SessionId};

/// One field of a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    pub(crate) about: &'static str,
}

/// What a field's value may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// A text of so many characters.
    Text { min: usize, max: usize },
    /// A text that `fits`; `pattern` is what the document says of it, and may say less.
    Like {
        max: usize,
        pattern: &'static str,
        fits: fn(&str) -> bool,
        expected: &'static str,
    },
    /// An IPv4 or IPv6 address.
    Address,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words, or a list of different ones in an order.
    Words(&'static [&'static str]),
    /// A whole number in these bounds.
    Whole { min: u64, max: u64 },
    /// `true` or `false`.
    Flag,
}

impl Shape {
    /// What is right, for people. It shows no value.
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Text { min, max } => format!("a text of {min} to {max} characters"),
            Self::Like { expected, .. } => (*expected).to_owned(),
            Self::Address => "an IPv4 or IPv6 address".to_owned(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::Words(words) => format!(
                "one of {}, or a list of different ones in their order",
                words.join(", ")
            ),
            Self::Whole { min, max } => format!("a whole number from {min} to {max}"),
            Self::Flag => "true or false".to_owned(),
        }
    }

    pub(crate) fn takes_text(&self, text: &str) -> bool {
        match self {
            Self::Text { min, max } => (*min..=*max).contains(&text.chars().count()),
            Self::Like { max, fits, .. } => text.len() <= *max && fits(text),
            Self::Address => text.parse::<IpAddr>().is_ok(),
            Self::Word(words) | Self::Words(words) => words.contains(&text),
            Self::Whole { .. } | Self::Flag => false,
        }
    }

    pub(crate) fn takes_number(&self, number: u64) -> bool {
        matches!(self, Self::Whole { min, max } if (*min..=*max).contains(&number))
    }
}

impl Field {
    const fn needed(name: &'static str, shape: Shape, about: &'static str) -> Self {
        Self {
            name,
            shape,
            required: true,
            about,
        }
    }

    const fn option(name: &'static str, shape: Shape, about: &'static str) -> Self {
        Self {
            name,
            shape,
            required: false,
            about,
        }
    }
}

const DESTINATION: Shape = Shape::Text { min: 1, max: 254 };
const CHANNELS: &[&str] = &["sms", "voice", "email"];

const TO: Field = Field::needed(
    "to",
    DESTINATION,
    "Exactly one destination: a phone number in E.164 for `sms` and `voice`, a bare address for \
     `email`.",
);
const RECIPIENT: Field = Field {
    name: "recipient",
    ..TO
};
const CHANNEL: Field = Field::needed(
    "channel",
    Shape::Words(CHANNELS),
    "How the code travels. Of a list, the first that takes the message: the next is tried when one \
     is down or refuses, and never when the message may have left. It is one session with one \
     code and its usual attempts, charged once, and the answer's `channel` is the one that took it.",
);
const OTHER_CHANNEL: Field = Field::option(
    "channel",
    Shape::Word(CHANNELS),
    "Another channel than before, for the same destination.",
);
const SESSION: Field = Field::needed(
    "session_id",
    Shape::Text { min: 1, max: 64 },
    "The id that the send answered with.",
);
const CODE: Field = Field::needed(
    "code",
    Shape::Like {
        max: 256,
        pattern: r"^[ -]?(?:(?:[0-9][ -]?){4,10}|(?:[34679ACDEFGHJKMNPQRTWXYacdefghjkmnpqrtwxy][ -]?){4,10})$",
        fits: |text| Guess::parse(text).is_ok(),
        expected: "a text of 4 to 10 digits, or of letters and digits without look-alikes",
    },
    "The code as it was typed. Spaces and hyphens are left out, decimal digits of every script \
     are taken.",
);
const PURPOSE: Field = Field::option(
    "purpose",
    Shape::Like {
        max: 64,
        pattern: "^[A-Za-z0-9._:@/+=-]{1,64}$",
        fits: |text| Purpose::new(text).is_ok(),
        expected: "a name of 1 to 64 characters of A–Z a–z 0–9 . _ : @ / + = -",
    },
    "Why the code is asked for; `verify` unless given. A code is good for its own purpose only.",
);
const BINDING: Field = Field::option(
    "binding",
    Shape::Like {
        max: 1024,
        pattern: r"^[\s\S]{1,256}$",
        fits: |text| !text.is_empty(),
        expected: "a text of 1 to 1024 bytes",
    },
    "A text of at most 1024 bytes (amount and payee, say) that must be the same at send and at \
     check.",
);
const REPLACES: Field = Field::option(
    "replaces",
    Shape::Like {
        max: 28,
        pattern: "^sess_[A-Za-z0-9_-]{22}[AEIMQUYcgkosw048]$",
        fits: |text| text.parse::<SessionId>().is_ok(),
        expected: "a session id: `sess_` and 23 characters",
    },
    "An own earlier session of this destination, ended in the same step.",
);
const LOCALE: Field = Field::option(
    "locale",
    Shape::Like {
        max: 35,
        pattern: "^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,3}$",
        fits: is_locale,
        expected: "a BCP 47 tag of at most 35 characters, for instance `nb-NO`",
    },
    "The person's language, a BCP 47 tag.",
);
const LENGTH_ABOUT: &str = "Characters in the code, if not the policy's.";
const CODE_LENGTH: Field = Field::option(
    "code_length",
    Shape::Whole { min: 4, max: 10 },
    LENGTH_ABOUT,
);
const ALPHABET: Field = Field::option(
    "alphabet",
    Shape::Word(&["digits", "alphanumeric"]),
    "What the code is made of: digits, or upper-case letters and digits without look-alikes.",
);
const TTL_ABOUT: &str =
    "Seconds for which the code is good; cut to the channel's ceiling, `expires_in` tells.";
const TTL: Field = Field::option(
    "ttl_seconds",
    Shape::Whole {
        min: 30,
        max: 86_400,
    },
    TTL_ABOUT,
);
const CUSTOM_CODE: Field = Field::option(
    "custom_code",
    Shape::Like {
        max: 10,
        pattern: "^(?:[0-9]{4,10}|[34679ACDEFGHJKMNPQRTWXY]{4,10})$",
        fits: |text| Code::from_custom(text).is_ok(),
        expected: "a code of 4 to 10 digits, or of upper-case letters and digits without \
                   look-alikes",
    },
    "A code of the caller's own. `code_length` and `alphabet` cannot be given beside it.",
);
const REFERENCE: Field = Field::option(
    "client_reference",
    Shape::Like {
        max: 512,
        pattern: r"^[^\u0000-\u001F\u007F-\u009F\u2028\u2029]{1,128}$",
        fits: is_one_line,
        expected: "a text of 1 to 128 characters without control characters and line breaks",
    },
    "A text of the caller's that the answer repeats. It is not stored.",
);
const END_USER_IP: Field = Field::option(
    "end_user_ip",
    Shape::Address,
    "The address of the person at the other end, for the limit of sends per source (20 an hour \
     unless the policy says otherwise). Without it no source is counted: the caller's own address \
     is none, or all its users would share one budget. Only where the operator lets trusted \
     proxies name end users does the client in their `X-Forwarded-For` count instead.",
);
const GUESSER_IP: Field = Field {
    about: "The address of the person at the other end, for the limit of guesses per source (60 \
            in 10 minutes unless the policy says otherwise). Without it no source is counted.",
    ..END_USER_IP
};
const KNOWN_DEVICE: Field = Field::option(
    "known_device",
    Shape::Flag,
    "The caller vouches that this browser or phone verified this destination before: it has its \
     own small lane, which no stranger can fill or lock.",
);
const DELIVERY: Field = Field::option(
    "delivery",
    Shape::Word(&["wait", "background"]),
    "`wait` (unless given) answers after the provider did, `background` once the session is \
     stored; the outcome is then in its status.",
);
const DECOY: Field = Field::option(
    "decoy",
    Shape::Flag,
    "A session that behaves alike and can never succeed, for destinations that nobody has. It \
     needs `delivery` to be `background`, and its status must not be shown to the person: it \
     never becomes `delivered`.",
);
const APP_HASH: Field = Field::option(
    "app_hash",
    Shape::Like {
        max: 11,
        pattern: "^[A-Za-z0-9+/]{11}$",
        fits: |text| text.len() == 11 && text.bytes().all(is_base64),
        expected: "the 11 characters of an Android app hash",
    },
    "The Android app hash for the end of an SMS.",
);
const ORIGIN: Field = Field::option(
    "origin",
    Shape::Like {
        max: 253,
        pattern: r"^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?){1,4}$",
        fits: is_domain,
        expected: "a domain in lower case",
    },
    "The web origin (a domain) to which an SMS code is bound.",
);
const ATTEMPT: Field = Field::option(
    "attempt_id",
    Shape::Like {
        max: 255,
        pattern: "^[!-~]{1,255}$",
        fits: |text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()),
        expected: "1 to 255 printable ASCII characters without spaces",
    },
    "Makes repetitions of this attempt within 60 seconds one: the same answer, as long as the code is in time, charged once. Draw it at random: who can guess it learns in that time whether a code was the approved one.",
);

pub(crate) const SEND: &[Field] = &[
    TO,
    CHANNEL,
    PURPOSE,
    BINDING,
    REPLACES,
    LOCALE,
    CODE_LENGTH,
    ALPHABET,
    TTL,
    CUSTOM_CODE,
    REFERENCE,
    END_USER_IP,
    KNOWN_DEVICE,
    DELIVERY,
    DECOY,
    APP_HASH,
    ORIGIN,
];

pub(crate) const START: &[Field] = &[
    CHANNEL,
    RECIPIENT,
    Field::option("code_length", Shape::Whole { min: 4, max: 8 }, LENGTH_ABOUT),
    Field::option("ttl_seconds", Shape::Whole { min: 60, max: 900 }, TTL_ABOUT),
    REFERENCE,
    LOCALE,
    PURPOSE,
    BINDING,
    REPLACES,
    ALPHABET,
    CUSTOM_CODE,
    END_USER_IP,
    KNOWN_DEVICE,
    DELIVERY,
    DECOY,
    APP_HASH,
    ORIGIN,
];

pub(crate) const CHECK: &[Field] = &[SESSION, CODE, PURPOSE, BINDING, ATTEMPT, GUESSER_IP];

pub(crate) const RESEND: &[Field] = &[
    SESSION,
    TO,
    OTHER_CHANNEL,
    PURPOSE,
    BINDING,
    LOCALE,
    END_USER_IP,
    DELIVERY,
    APP_HASH,
    ORIGIN,
];

pub(crate) const RESET: &[Field] = &[TO];

fn is_locale(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    (2..=8).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        })
}

/// Line separators are no control characters, and break lines all the same.
fn is_one_line(text: &str) -> bool {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    (1..=128).contains(&text.chars().count()) && !text.contains(breaks)
}

fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.contains('.') && text.split('.').all(label)
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}
