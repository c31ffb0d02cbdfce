//! Schemas of what is sent, from the table of fields.

use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::fields::{Field, Shape};

/// A phone number in E.164: a country code, then the number without the zero that its
/// national form begins with. Readers take spaces and the like too.
pub(super) const PHONE: &str = concat!(
    r"^\+(?:(?:[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]",
    r"|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[7-9][0-9]|8[03579][0-9]|9[679][0-9])",
    r"[1-9]|39[0-9])[0-9]{5,11}$",
);
/// A bare address with an ASCII domain.
pub(super) const EMAIL: &str = "^[A-Za-z0-9][A-Za-z0-9_-]{0,30}(?:\\.[A-Za-z0-9_-]{1,30})?@[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?\\.[A-Za-z]{2,20}$";

/// The schema of a call's body; none where no body is read.
pub(super) fn schema(call: Call) -> Option<Value> {
    let fields = call.fields()?;
    let place = if call == Call::Start {
        "recipient"
    } else {
        "to"
    };
    Some(match call {
        Call::Send | Call::Start => json!({"oneOf": [
            variant(fields, place, Some((&["sms", "voice"], PHONE)), true),
            variant(fields, place, Some((&["email"], EMAIL)), true),
        ]}),
        Call::Resend => json!({"oneOf": [
            variant(fields, place, Some((&["sms", "voice"], PHONE)), false),
            variant(fields, place, Some((&["email"], EMAIL)), false),
        ]}),
        Call::Reset => json!({"oneOf": [
            variant(fields, place, Some((&[], PHONE)), true),
            variant(fields, place, Some((&[], EMAIL)), true),
        ]}),
        _ => variant(fields, place, None, true),
    })
}

/// The object of these fields, with destinations of one sort and the channels that
/// reach them.
fn variant(
    fields: &[Field],
    place: &str,
    sort: Option<(&[&str], &str)>,
    channel_needed: bool,
) -> Value {
    let mut properties = Map::new();
    for field in fields {
        let schema = match sort {
            Some((_, pattern)) if field.name == place => {
                json!({"type": "string", "pattern": pattern, "description": field.about})
            }
            Some((channels, _)) if field.name == "channel" => {
                let mut schema = channel(field, channels, channel_needed);
                schema["description"] = field.about.into();
                schema
            }
            _ => property(field),
        };
        properties.insert(field.name.to_owned(), schema);
    }
    let required: Vec<_> = fields
        .iter()
        .filter(|f| f.required)
        .map(|f| f.name)
        .collect();
    let mut object = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    if let (Some(members), true) = (object.as_object_mut(), has(fields, "decoy")) {
        members.insert(
            "allOf".to_owned(),
            json!([decoy_rule(), custom_code_rule()]),
        );
    }
    object
}

/// The channels of one sort of destination, or a list of them where the field takes one.
fn channel(field: &Field, channels: &[&str], needed: bool) -> Value {
    let mut words = json!(channels);
    if let (false, Some(words)) = (needed, words.as_array_mut()) {
        words.push(Value::Null);
    }
    let one = json!({"enum": words});
    if !matches!(field.shape, Shape::Words(_)) {
        return one;
    }
    let list = json!({
        "type": "array",
        "items": one,
        "minItems": 1,
        "maxItems": channels.len(),
        "uniqueItems": true
    });
    json!({"anyOf": [one, list]})
}

fn has(fields: &[Field], name: &str) -> bool {
    fields.iter().any(|field| field.name == name)
}

/// A decoy needs delivery in the background.
fn decoy_rule() -> Value {
    json!({"anyOf": [
        {"properties": {"decoy": {"enum": [false, null]}}},
        {
            "properties": {"delivery": {"const": "background"}, "decoy": {"const": true}},
            "required": ["delivery", "decoy"]
        }
    ]})
}

/// A custom code has a form already.
fn custom_code_rule() -> Value {
    json!({"anyOf": [
        {"properties": {"custom_code": {"type": "null"}}},
        {"properties": {"code_length": {"type": "null"}, "alphabet": {"type": "null"}}}
    ]})
}

/// One property; where it is no required one, `null` stands for its absence.
fn property(field: &Field) -> Value {
    let optional = !field.required;
    let sort = |name: &str| {
        if optional {
            json!([name, "null"])
        } else {
            json!(name)
        }
    };
    let mut schema = match field.shape {
        Shape::Text { min, max } => {
            json!({"type": sort("string"), "minLength": min, "maxLength": max})
        }
        Shape::Like { pattern, .. } => json!({"type": sort("string"), "pattern": pattern}),
        Shape::Address => json!({"anyOf": [
            {"type": "string", "format": "ipv4"},
            {"type": "string", "format": "ipv6"},
            {"type": "null"}
        ]}),
        Shape::Word(words) | Shape::Words(words) => {
            let mut words = json!(words);
            if let (true, Some(words)) = (optional, words.as_array_mut()) {
                words.push(Value::Null);
            }
            json!({"enum": words})
        }
        Shape::Whole { min, max } => {
            json!({"type": sort("integer"), "minimum": min, "maximum": max})
        }
        Shape::Flag => json!({"type": sort("boolean")}),
    };
    if let Some(members) = schema.as_object_mut() {
        members.insert("description".to_owned(), field.about.into());
    }
    schema
}
