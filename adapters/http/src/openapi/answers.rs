//! Schemas of what is answered. The router's tests hold every answer against them.

use serde_json::{Value, json};

use crate::call::Call;

/// The name of the schema of a call's answer.
pub(super) const fn name(call: Call) -> &'static str {
    match call {
        Call::Send | Call::Start | Call::Resend => "Sent",
        Call::Check => "Verdict",
        Call::Status | Call::Cancel => "Session",
        Call::Reset | Call::Destination => "Destination",
        Call::Activate => "Activated",
    }
}

pub(super) fn schemas() -> Value {
    json!({
        "Sent": sent(),
        "Verdict": {"oneOf": [verified(), failed()]},
        "Session": object(session()),
        "Destination": destination(),
        "Lane": lane(),
        "OperatorSession": operator_session(),
        "Activated": object(json!({
            "api_key": {"type": "string", "pattern": "^countersign_verify_"},
            "endpoint": {"type": "string"}
        })),
        "Problem": problem()
    })
}

/// An object that has exactly these properties.
fn object(properties: impl Into<Value>) -> Value {
    let properties = properties.into();
    let names: Vec<_> = properties
        .as_object()
        .into_iter()
        .flat_map(|p| p.keys().cloned())
        .collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": names,
        "additionalProperties": false
    })
}

fn sent() -> Value {
    let mut sent = object(json!({
        "session_id": session_id(),
        "status": {"const": "sent"},
        "channel": channel(),
        "expires_in": whole("Seconds for which the code is good."),
        "code_length": {"type": "integer", "minimum": 4, "maximum": 10},
        "alphabet": alphabet(),
        "resend_after": {
            "type": ["integer", "null"],
            "minimum": 0,
            "description": "Seconds until a resend is taken; none when there is none left."
        },
        "attempts_remaining": whole("Guesses left."),
        "delivery": {
            "enum": ["accepted", "background", "unknown"],
            "description": "`unknown` after an earlier try was cut off: the person may resend."
        }
    }));
    // An addition to what is always there.
    sent["properties"]["client_reference"] = json!({"type": "string"});
    sent
}

fn verified() -> Value {
    object(json!({
        "session_id": {"type": "string"},
        "status": {"const": "verified"},
        "channel": channel()
    }))
}

fn failed() -> Value {
    let mut failed = object(json!({
        "session_id": {"type": "string"},
        "status": {"const": "failed"},
        "attempts_remaining": whole("Guesses left; zero once the session has ended."),
        "reason": {"enum": [
            "wrong_code", "malformed", "expired", "too_many_attempts", "already_used",
            "cancelled", "undeliverable", "throttled", "locked"
        ]}
    }));
    failed["properties"]["retry_after"] =
        whole("With `throttled`: seconds until a guess is taken.");
    failed
}

fn session() -> Value {
    json!({
        "session_id": session_id(),
        "status": {"enum": ["pending", "delivered", "verified", "failed", "expired", "cancelled"]},
        "channel": channel(),
        "delivery": {
            "enum": ["unknown", "accepted", "failed", "delivered"],
            "description": "What is known of the last message."
        },
        "attempts_remaining": whole("Guesses left; zero once the session has ended."),
        "sends": whole("Messages so far."),
        "code_length": {"type": "integer", "minimum": 4, "maximum": 10},
        "alphabet": alphabet(),
        "opened_at": whole("Seconds since the Unix epoch."),
        "expires_at": whole("Seconds since the Unix epoch.")
    })
}

fn operator_session() -> Value {
    let mut properties = session();
    // None once the key that the session was opened with is gone from the ring.
    properties["session_id"]["type"] = json!(["string", "null"]);
    for name in ["decoy", "custom_code", "known_device"] {
        properties[name] = json!({"type": "boolean"});
    }
    object(properties)
}

fn destination() -> Value {
    object(json!({
        "destination": {"type": "string", "description": "Masked."},
        "open": {"$ref": "#/components/schemas/Lane"},
        "known_device": {"$ref": "#/components/schemas/Lane"},
        "sessions": {"type": "array", "items": {"$ref": "#/components/schemas/OperatorSession"}}
    }))
}

fn lane() -> Value {
    let pair = |about: &str| {
        let items = whole("In the shorter window, then in the longer.");
        json!({"type": "array", "items": items, "minItems": 2, "maxItems": 2, "description": about})
    };
    object(json!({
        "sends_left": pair("Sends left."),
        "failures_left": pair("Failed guesses left."),
        "failures_in_a_row": whole("Failed guesses since the last success."),
        "locked": {"type": "boolean"},
        "next_send_in": whole("Seconds."),
        "next_check_in": whole("Seconds.")
    }))
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "Problem details (RFC 9457).",
        "properties": {
            "type": {"type": "string", "pattern": "^urn:countersign:problem:[a-z-]+$"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string"},
            "field": {"type": "string", "description": "What is not as documented."},
            "limit": {"type": "string", "description": "Which limit is reached."},
            "reason": {
                "enum": ["invalid", "country", "sort", "no_price", "other"],
                "description": "Why nothing is sent to a number."
            },
            "retry_after": {"type": "integer", "minimum": 1, "description": "Seconds."},
            "session_id": session_id(),
            "retryable": {"type": "boolean", "description": "Whether a resend makes sense."}
        },
        "required": ["type", "title", "status", "detail"],
        "additionalProperties": false
    })
}

fn session_id() -> Value {
    json!({"type": "string", "pattern": "^sess_[A-Za-z0-9_-]{23}$"})
}

fn channel() -> Value {
    json!({"enum": ["sms", "voice", "email"]})
}

fn alphabet() -> Value {
    json!({"enum": ["digits", "alphanumeric"]})
}

fn whole(about: &str) -> Value {
    json!({"type": "integer", "minimum": 0, "description": about})
}
