//! The OpenAPI 3.1 document, written from the tables of calls, fields and problems.
//!
//! No derive macro and no second description of the bodies: what the document says of a
//! field is what the reader of bodies checks.

mod answers;
mod bodies;

use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::problem::ProblemKind;

/// The OpenAPI 3.1 document of every call.
#[must_use]
pub fn openapi() -> Value {
    let mut paths = Map::new();
    for call in Call::ALL {
        let path = paths.entry(call.path()).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(call.method().to_owned(), operation(call));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Countersign",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Sends one-time codes by SMS, voice and email, and checks them: once, \
                            in time, within the allowed attempts.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"}
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": answers::schemas(),
            "headers": headers(),
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "dashboard": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            }
        }
    })
}

fn operation(call: Call) -> Value {
    let scheme = if call == Call::Activate {
        "dashboard"
    } else {
        "apiKey"
    };
    let mut operation = json!({
        "operationId": call.name(),
        "summary": call.summary(),
        "description": call.about(),
        "security": [{scheme: []}],
        "responses": responses(call),
    });
    if let Some(members) = operation.as_object_mut() {
        let parameters = parameters(call);
        if !parameters.is_empty() {
            members.insert("parameters".to_owned(), parameters.into());
        }
        if let Some(schema) = bodies::schema(call) {
            let content = json!({"application/json": {"schema": schema}});
            let body = json!({"required": true, "content": content});
            members.insert("requestBody".to_owned(), body);
        }
    }
    operation
}

fn parameters(call: Call) -> Vec<Value> {
    match call {
        Call::Status | Call::Cancel => vec![json!({
            "name": "session_id",
            "in": "path",
            "required": true,
            "description": "The id that the send answered with.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 64}
        })],
        Call::Destination => vec![json!({
            "name": "to",
            "in": "query",
            "required": true,
            "description": "The destination; a `+` is best written as `%2B`.",
            "schema": {"anyOf": [
                {"type": "string", "pattern": bodies::PHONE},
                {"type": "string", "pattern": bodies::EMAIL, "maxLength": 200}
            ]}
        })],
        Call::Send | Call::Start => vec![json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "Makes repetitions of this request one: the same answer for 24 hours, \
                            and at most one message.",
            "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"}
        })],
        Call::Check | Call::Resend | Call::Reset | Call::Activate => Vec::new(),
    }
}

/// Which problems a call may answer with.
pub(crate) fn problems(call: Call) -> Vec<ProblemKind> {
    use ProblemKind as P;
    let mut kinds = vec![P::Unauthorised, P::Throttled, P::Internal];
    kinds.extend([P::Unavailable, P::Indeterminate, P::NoMethod]);
    // The bounds of the server around the calls.
    kinds.extend([P::Busy, P::Timeout]);
    if call != Call::Activate {
        kinds.push(P::Forbidden);
    }
    if call.fields().is_some() {
        kinds.extend([P::Malformed, P::TooLarge, P::NotJson, P::Invalid]);
    }
    match call {
        Call::Send | Call::Start => kinds.extend([
            P::Locked,
            P::UnknownSession,
            P::InProgress,
            P::IdempotencyMismatch,
            P::ChannelUnavailable,
            P::Undelivered,
        ]),
        Call::Resend => kinds.extend([
            P::Locked,
            P::UnknownSession,
            P::ChannelUnavailable,
            P::Undelivered,
        ]),
        Call::Check | Call::Status | Call::Cancel => kinds.push(P::UnknownSession),
        Call::Destination => kinds.push(P::Invalid),
        Call::Activate => kinds.push(P::Activated),
        Call::Reset => {}
    }
    kinds
}

fn responses(call: Call) -> Value {
    let mut responses = Map::new();
    if call == Call::Reset {
        responses.insert(
            "204".to_owned(),
            json!({"description": "Done.", "headers": reply(&[])}),
        );
    } else {
        let schema = json!({"$ref": format!("#/components/schemas/{}", answers::name(call))});
        let content = json!({"application/json": {"schema": schema}});
        let ok = json!({"description": "Done.", "headers": reply(&[]), "content": content});
        responses.insert("200".to_owned(), ok);
    }
    for kind in problems(call) {
        let status = kind.status().to_string();
        let entry = responses.entry(status).or_insert_with(|| refusal(kind));
        let told = format!("`{}`: {}. {}", kind.name(), kind.title(), kind.advice());
        if let Some(description) = entry.get_mut("description") {
            let before = description.as_str().unwrap_or_default();
            let separator = if before.is_empty() { "" } else { " " };
            *description = format!("{before}{separator}{told}").into();
        }
    }
    Value::Object(responses)
}

fn refusal(kind: ProblemKind) -> Value {
    let names: &[&str] = match kind.status() {
        401 => &["WWW-Authenticate"],
        405 => &["Allow"],
        409 | 429 | 502 | 503 => &["Retry-After"],
        _ => &[],
    };
    json!({
        "description": "",
        "headers": reply(names),
        "content": {"application/problem+json": {
            "schema": {"$ref": "#/components/schemas/Problem"}
        }}
    })
}

fn reply(names: &[&str]) -> Value {
    let own = names.iter().map(|name| {
        (
            (*name).to_owned(),
            json!({"$ref": format!("#/components/headers/{name}")}),
        )
    });
    let id = (
        "X-Request-Id".to_owned(),
        json!({"$ref": "#/components/headers/X-Request-Id"}),
    );
    Value::Object(own.chain([id]).collect())
}

fn headers() -> Value {
    json!({
        "X-Request-Id": {
            "description": "By which the operator finds the request in the log.",
            "schema": {"type": "string"}
        },
        "Retry-After": {
            "description": "Seconds after which to try again.",
            "schema": {"type": "integer", "minimum": 1}
        },
        "WWW-Authenticate": {
            "description": "What to authenticate with.",
            "schema": {"type": "string"}
        },
        "Allow": {
            "description": "The methods that this path takes.",
            "schema": {"type": "string"}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_points_to_something() {
        let document = openapi();
        let text = document.to_string();
        let mut found = 0;
        for part in text.split("\"$ref\":\"#").skip(1) {
            let pointer = part.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
            found += 1;
        }
        assert!(found > 50);
    }

    #[test]
    fn every_operation_documents_its_success_and_its_problems() {
        for call in Call::ALL {
            let operation = &openapi()["paths"][call.path()][call.method()];
            let ok = if call == Call::Reset { "204" } else { "200" };
            assert!(operation["responses"][ok].is_object(), "{call:?}");
            for kind in problems(call) {
                let response = &operation["responses"][kind.status().to_string()];
                let told = response["description"].as_str().unwrap();
                assert!(told.contains(kind.name()), "{call:?} {kind:?}");
            }
        }
    }
}
