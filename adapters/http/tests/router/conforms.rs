//! Holds answers against the OpenAPI document: as much of JSON Schema as it uses.

use countersign_http::openapi;
use serde_json::Value;

use crate::desk::Answer;

/// The answer is one that the document has for this call: its status, its content type
/// and every member. Calls that the document has not are 404 or 405 problems.
pub(crate) fn assert_documented(method: &str, path: &str, answer: &Answer) {
    let document = openapi();
    let template = document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .find(|path_of_call| {
            let mut here = path.split('/');
            path_of_call.split('/').all(|part| {
                here.next()
                    .is_some_and(|given| part == given || part.starts_with('{'))
            }) && here.next().is_none()
        });
    let schema = match template {
        Some(template) if answer.status != 405 => {
            let operation = &document["paths"][template][method.to_lowercase()];
            let response = &operation["responses"][answer.status.to_string()];
            assert!(
                response.is_object(),
                "{method} {template}: {answer:?} is not documented"
            );
            let Some(content) = response["content"].as_object() else {
                return;
            };
            let (content_type, content) = content.iter().next().unwrap();
            assert_eq!(answer.header("content-type"), content_type);
            content["schema"].clone()
        }
        _ if matches!(answer.status, 200 | 204) => return,
        _ => serde_json::json!({"$ref": "#/components/schemas/Problem"}),
    };
    if let Err(fault) = conforms(&document, &schema, &answer.body) {
        panic!("{method} {path}: {fault}: {answer:?}");
    }
    if answer.status >= 400 {
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.body["status"], answer.status);
    }
}

fn conforms(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).unwrap();
        return conforms(document, target, value);
    }
    if let Some(variants) = schema["oneOf"].as_array() {
        let fits = variants
            .iter()
            .filter(|one| conforms(document, one, value).is_ok())
            .count();
        return if fits == 1 {
            Ok(())
        } else {
            Err(format!("{fits} variants fit"))
        };
    }
    if schema.get("const").is_some_and(|word| word != value) {
        return Err(format!("{value} is not {}", schema["const"]));
    }
    if schema["enum"]
        .as_array()
        .is_some_and(|words| !words.contains(value))
    {
        return Err(format!("{value} is none of the words"));
    }
    let sorts = match &schema["type"] {
        Value::Array(sorts) => sorts.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    if !sorts.is_empty()
        && !sorts
            .iter()
            .any(|sort| is_of(sort.as_str().unwrap(), value))
    {
        return Err(format!("{value} is not {sorts:?}"));
    }
    for item in value.as_array().into_iter().flatten() {
        conforms(document, &schema["items"], item)?;
    }
    members(document, schema, value)
}

fn members(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let (Some(properties), Some(members)) = (schema["properties"].as_object(), value.as_object())
    else {
        return Ok(());
    };
    for needed in schema["required"].as_array().into_iter().flatten() {
        if !members.contains_key(needed.as_str().unwrap()) {
            return Err(format!("{needed} is missing"));
        }
    }
    for (name, member) in members {
        let schema = properties
            .get(name)
            .ok_or_else(|| format!("{name} is not documented"))?;
        conforms(document, schema, member)?;
    }
    Ok(())
}

fn is_of(sort: &str, value: &Value) -> bool {
    match sort {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "null" => value.is_null(),
        other => panic!("unknown type {other}"),
    }
}
