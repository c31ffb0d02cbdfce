//! Form fields of a callback.

/// Decoded names and values, in their order.
pub(super) type Fields = Vec<(String, String)>;

/// Reads `a=b&c=d`, percent-encoding undone.
pub(super) fn read(bytes: &[u8]) -> Fields {
    form_urlencoded::parse(bytes).into_owned().collect()
}

/// The value of the one field of this name; none where there are several, for who is to
/// say which of them counts.
pub(super) fn one<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let mut values = fields.iter().filter(|(known, _)| known == name);
    let (_, value) = values.next()?;
    values.next().is_none().then_some(value.as_str())
}
