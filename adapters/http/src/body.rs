//! Bodies, read strictly: one flat JSON object of documented fields, each once.

use std::fmt;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::http::{HeaderMap, header};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use crate::fields::{Field, SEND, START, Shape};
use crate::problem::{Problem, ProblemKind};

/// The most bytes of a body.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// The fields that a body gave.
#[derive(Default)]
pub(crate) struct Values(Vec<(&'static str, Given)>);

enum Given {
    // Codes are among the texts: all of them are wiped.
    Text(Zeroizing<String>),
    List(Vec<String>),
    Number(u64),
    Flag(bool),
}

impl Values {
    /// Reads a body that must be an object of `fields`.
    pub(crate) fn parse(fields: &'static [Field], bytes: &[u8]) -> Result<Self, Problem> {
        let mut reading = Reading {
            fields,
            values: Self(Vec::with_capacity(4)),
            fault: None,
        };
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let read = reading
            .deserialize_from(&mut json)
            .and_then(|()| json.end());
        match read {
            Ok(()) => {}
            Err(error) if error.is_data() => {
                let not_an_object =
                    || Problem::new(ProblemKind::Invalid, "the body must be one JSON object");
                return Err(reading.fault.map_or_else(not_an_object, Fault::told));
            }
            Err(_) => return Err(Problem::new(ProblemKind::Malformed, "the body is not JSON")),
        }
        let values = reading.values;
        match fields
            .iter()
            .find(|field| field.required && !values.has(field.name))
        {
            Some(field) => Err(wrong(field)),
            None => Ok(values),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Given::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The words of a list, or the one word that was given instead of one.
    pub(crate) fn words(&self, name: &str) -> Vec<&str> {
        match self.get(name) {
            Some(Given::Text(word)) => vec![word],
            Some(Given::List(words)) => words.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// A number that its field bounds to a byte or a little more.
    pub(crate) fn number<N: TryFrom<u64>>(&self, name: &str) -> Option<N> {
        match self.get(name)? {
            Given::Number(number) => N::try_from(*number).ok(),
            _ => None,
        }
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Given::Flag(true)))
    }

    /// An IP address; one IPv4 address has one form, however it was written.
    pub(crate) fn address(&self, name: &str) -> Option<IpAddr> {
        self.text(name)?
            .parse::<IpAddr>()
            .ok()
            .map(|address| address.to_canonical())
    }

    fn get(&self, name: &str) -> Option<&Given> {
        self.0
            .iter()
            .find(|(given, _)| *given == name)
            .map(|(_, value)| value)
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// A body's bytes, of which no more are read than it may have. A body in one piece, as
/// nearly all are, is not copied.
pub(crate) async fn read_bytes(mut body: Body) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(ProblemKind::TooLarge, "a body has at most 16384 bytes");
    let announced = usize::try_from(body.size_hint().lower());
    if announced.is_ok_and(|announced| announced > MAX_BODY_BYTES) {
        return Err(too_large());
    }
    let (mut first, mut rest) = (Bytes::new(), Vec::new());
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let early = |_| Problem::new(ProblemKind::Malformed, "the body ended too early");
        // Trailers say nothing to us.
        let Ok(piece) = frame.map_err(early)?.into_data() else {
            continue;
        };
        if first.len() + rest.len() + piece.len() > MAX_BODY_BYTES {
            return Err(too_large());
        }
        if first.is_empty() {
            first = piece;
        } else {
            rest.extend_from_slice(&piece);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    Ok(Bytes::from([&first[..], &rest].concat()))
}

/// Whether a body is said to be JSON, which all of ours are.
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    if is_json(headers) {
        return Ok(());
    }
    let detail = "the content type must be application/json";
    Err(Problem::new(ProblemKind::NotJson, detail))
}

struct Reading {
    fields: &'static [Field],
    values: Values,
    fault: Option<Fault>,
}

/// What is wrong, not yet in words: most fields are right, and words cost a quarter of
/// the reading.
enum Fault {
    Unknown(String),
    Twice(&'static Field),
    Wrong(&'static Field),
}

impl Fault {
    fn told(self) -> Problem {
        match self {
            Self::Unknown(name) => unknown(&name),
            Self::Twice(field) => Problem::invalid(field.name, "given twice"),
            Self::Wrong(field) => wrong(field),
        }
    }
}

impl Reading {
    fn deserialize_from<'de, D: Deserializer<'de>>(&mut self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }

    /// Notes what is wrong; the parser's own error only ends the reading.
    fn refuse<E: Error>(&mut self, fault: Fault) -> E {
        self.fault = Some(fault);
        E::custom("refused")
    }
}

impl<'de> Visitor<'de> for &mut Reading {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = SmallSet::default();
        while let Some(named) = map.next_key_seed(Name(self.fields))? {
            let (at, field) = named.map_err(|name| self.refuse(Fault::Unknown(name)))?;
            if !seen.insert(at) {
                return Err(self.refuse(Fault::Twice(field)));
            }
            self.fault = Some(Fault::Wrong(field));
            // `null` stands for a field that is not given.
            if let Some(value) = map.next_value_seed(Slot(field))? {
                self.values.0.push((field.name, value));
            }
            self.fault = None;
        }
        Ok(())
    }
}

/// The places of fields in their table.
#[derive(Default)]
struct SmallSet(u64);

const _: () = assert!(SEND.len() <= 64 && START.len() <= 64, "a place is one bit");

impl SmallSet {
    /// Whether it was not there before.
    fn insert(&mut self, at: usize) -> bool {
        let before = self.0;
        self.0 |= 1 << at;
        self.0 != before
    }
}

/// One of the fields by its name, with its place; or a name that is none of theirs.
struct Name(&'static [Field]);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Result<(usize, &'static Field), String>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Result<(usize, &'static Field), String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        let mut fields = self.0.iter().enumerate();
        let known = fields.find(|(_, field)| field.name == name);
        Ok(known.ok_or_else(|| name.to_owned()))
    }
}

struct Slot(&'static Field);

impl<'de> DeserializeSeed<'de> for Slot {
    type Value = Option<Given>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Option<Given>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Slot {
    type Value = Option<Given>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.shape.expected())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<Given>, E> {
        let taken = self.0.shape.takes_text(text);
        let given = || Given::Text(Zeroizing::new(text.to_owned()));
        taken
            .then(given)
            .map(Some)
            .ok_or_else(|| E::custom("refused"))
    }

    /// No word twice, so that a list is no longer than its field has words.
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<Given>, A::Error> {
        let refused = || A::Error::custom("refused");
        let Shape::Words(known) = self.0.shape else {
            return Err(refused());
        };
        let mut words = Vec::new();
        while let Some(word) = list.next_element::<String>()? {
            if !known.contains(&word.as_str()) || words.contains(&word) {
                return Err(refused());
            }
            words.push(word);
        }
        let given = (!words.is_empty()).then_some(Given::List(words));
        given.map(Some).ok_or_else(refused)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Option<Given>, E> {
        let taken = self.0.shape.takes_number(number);
        taken
            .then_some(Some(Given::Number(number)))
            .ok_or_else(|| E::custom("refused"))
    }

    /// `6.0` is a whole number too, in JSON Schema as in JavaScript.
    fn visit_f64<E: Error>(self, number: f64) -> Result<Option<Given>, E> {
        let whole = (number.fract() == 0.0).then(|| format!("{number:.0}"));
        match whole.and_then(|digits| digits.parse().ok()) {
            Some(number) => self.visit_u64(number),
            None => Err(E::custom("refused")),
        }
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Option<Given>, E> {
        let taken = matches!(self.0.shape, Shape::Flag);
        taken
            .then_some(Some(Given::Flag(flag)))
            .ok_or_else(|| E::custom("refused"))
    }

    fn visit_unit<E: Error>(self) -> Result<Option<Given>, E> {
        if self.0.required {
            Err(E::custom("refused"))
        } else {
            Ok(None)
        }
    }
}

fn wrong(field: &Field) -> Problem {
    Problem::invalid(
        field.name,
        format!("`{}` must be {}", field.name, field.shape.expected()),
    )
}

/// The name is repeated only where it looks like one: it might be a value put in the
/// wrong place.
fn unknown(name: &str) -> Problem {
    let plain = name.len() <= 32 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if !plain || name.is_empty() {
        return Problem::new(
            ProblemKind::Invalid,
            "the body has a field that this call has not",
        );
    }
    Problem::new(
        ProblemKind::Invalid,
        format!("this call has no field `{name}`"),
    )
    .with("field", name)
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = content_type
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}
