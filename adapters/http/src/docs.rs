//! The page that explains the calls: one file, no script, nothing from elsewhere.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::call::Call;
use crate::fields::Field;
use crate::openapi::{openapi, problems};
use crate::problem::ProblemKind;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;\
padding:0 1rem;color:#1b1b1b;background:#fff}code{font:0.9em ui-monospace,monospace;\
background:#f2f2f2;padding:0 .2em}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;vertical-align:top;border-bottom:1px solid #ddd;padding:.3rem .6rem .3rem 0}\
h2{margin-top:2.5rem}@media(prefers-color-scheme:dark){body{color:#e8e8e8;background:#161616}\
code{background:#2a2a2a}th,td{border-color:#3a3a3a}a{color:#8ab4ff}}";

// Made once, and each answer holds the same bytes. Anybody may ask, over as many streams as
// a connection has, and then not read: a document made for each would be memory for each.
static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| openapi().to_string().into());
static PAGE: LazyLock<Bytes> = LazyLock::new(|| render().into());

/// The routes `/openapi.json` and `/docs`. They ask for no key.
pub fn docs_router() -> Router {
    Router::new()
        .route("/openapi.json", get(|| async { document() }))
        .route("/docs", get(|| async { page() }))
}

fn document() -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json")];
    (headers, Bytes::clone(&DOCUMENT)).into_response()
}

fn page() -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri \
                  'none'; form-action 'none'";
    let headers: [(HeaderName, &str); 2] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (headers, Bytes::clone(&PAGE)).into_response()
}

fn render() -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>Countersign</title><style>{STYLE}</style></head>\
         <body><h1>Countersign</h1><p>Calls carry <code>X-API-Key</code> and JSON bodies of at \
         most 16 KiB. The same as a document for machines: <a href=\"openapi.json\">OpenAPI 3.1\
         </a>.</p><ul>"
    );
    for call in Call::ALL {
        let (name, title) = (call.name(), html(call.summary()));
        put(
            &mut page,
            &format!("<li><a href=\"#{name}\">{title}</a> {}</li>", line(call)),
        );
    }
    put(
        &mut page,
        "<li><a href=\"#problems\">Problems</a></li></ul>",
    );
    for call in Call::ALL {
        section(&mut page, call);
    }
    verdicts(&mut page);
    problem_table(&mut page);
    put(&mut page, "</body></html>");
    page
}

fn section(page: &mut String, call: Call) {
    let (name, title, about) = (call.name(), html(call.summary()), prose(call.about()));
    put(
        page,
        &format!(
            "<h2 id=\"{name}\">{title}</h2><p>{}</p><p>{about}</p>",
            line(call)
        ),
    );
    let scopes: Vec<_> = call
        .scopes()
        .iter()
        .map(|scope| format!("<code>{}</code>", scope.name()))
        .collect();
    if !scopes.is_empty() {
        put(page, &format!("<p>Scope: {}.</p>", scopes.join(" or ")));
    }
    if let Some(fields) = call.fields() {
        put(
            page,
            "<table><tr><th>Field</th><th>Value</th><th></th></tr>",
        );
        for field in fields {
            put(page, &row(field));
        }
        put(page, "</table>");
    }
    if matches!(call, Call::Send | Call::Start) {
        put(
            page,
            "<p>Header <code>Idempotency-Key</code>: repetitions of the request are one.</p>",
        );
    }
    let problems: Vec<_> = problems(call).into_iter().map(ProblemKind::name).collect();
    let links = problems
        .iter()
        .map(|name| format!("<a href=\"#problem-{name}\">{name}</a>"));
    put(
        page,
        &format!("<p>Problems: {}.</p>", links.collect::<Vec<_>>().join(", ")),
    );
}

fn row(field: &Field) -> String {
    let name = if field.required {
        format!("<strong><code>{}</code></strong>", field.name)
    } else {
        format!("<code>{}</code>", field.name)
    };
    let (expected, about) = (prose(&field.shape.expected()), prose(field.about));
    format!("<tr><td>{name}</td><td>{expected}</td><td>{about}</td></tr>")
}

/// One table that maps each state of a session to its verdict.
fn verdicts(page: &mut String) {
    let rows = [
        ("live, and the code is right", "verified", "", "verified"),
        (
            "live, and the code is wrong",
            "failed",
            "wrong_code",
            "pending",
        ),
        (
            "live, and the guess has another form than the code",
            "failed",
            "malformed",
            "pending",
        ),
        (
            "live, and its destination has failed too often",
            "failed",
            "throttled",
            "pending",
        ),
        (
            "live, and its destination is locked",
            "failed",
            "locked",
            "pending",
        ),
        ("out of attempts", "failed", "too_many_attempts", "failed"),
        ("out of time", "failed", "expired", "expired"),
        ("verified before", "failed", "already_used", "verified"),
        ("cancelled or replaced", "failed", "cancelled", "cancelled"),
        (
            "its message could not be delivered",
            "failed",
            "undeliverable",
            "failed",
        ),
    ];
    put(
        page,
        "<h2 id=\"states\">States</h2><table><tr><th>The session is</th><th>check: ",
    );
    put(
        page,
        "<code>status</code></th><th><code>reason</code></th><th>status call</th></tr>",
    );
    for (state, status, reason, shown) in rows {
        put(
            page,
            &format!("<tr><td>{state}</td><td>{status}</td><td>{reason}</td>"),
        );
        put(page, &format!("<td>{shown}</td></tr>"));
    }
    put(page, "</table>");
}

fn problem_table(page: &mut String) {
    put(
        page,
        "<h2 id=\"problems\">Problems</h2><p>Every refusal is a problem detail (RFC 9457)",
    );
    put(
        page,
        " of one of these types.</p><table><tr><th>Type</th><th>Status</th><th></th></tr>",
    );
    for kind in ProblemKind::all() {
        let (name, status, uri) = (kind.name(), kind.status(), kind.uri());
        let (title, advice) = (html(kind.title()), prose(kind.advice()));
        put(
            page,
            &format!("<tr id=\"problem-{name}\"><td><code>{uri}</code></td>"),
        );
        put(
            page,
            &format!("<td>{status}</td><td>{title}. {advice}</td></tr>"),
        );
    }
    put(page, "</table>");
}

fn line(call: Call) -> String {
    format!(
        "<code>{} {}</code>",
        call.method().to_uppercase(),
        html(call.path())
    )
}

fn put(page: &mut String, part: &str) {
    // Writing to a string cannot fail.
    let _ = page.write_str(part);
}

/// Escaped text, with what stands between backticks as code.
fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts
        .map(|(n, part)| {
            if n % 2 == 1 {
                format!("<code>{}</code>", html(part))
            } else {
                html(part)
            }
        })
        .collect()
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::Pin;

    use axum::body::HttpBody as _;

    use super::*;

    async fn only_piece(response: Response) -> Bytes {
        let mut body = response.into_body();
        let frame = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        assert!(body.is_end_stream());
        frame.unwrap().unwrap().into_data().unwrap()
    }

    /// Nobody needs a key for them, and who does not read on holds what was not sent yet.
    #[tokio::test]
    async fn all_answers_of_a_document_are_one_piece_of_memory() {
        for answer in [document, page] {
            let (one, other) = (only_piece(answer()).await, only_piece(answer()).await);
            assert!(one.len() > 1000);
            assert_eq!((one.as_ptr(), one.len()), (other.as_ptr(), other.len()));
        }
    }

    #[test]
    fn the_page_lists_every_call_field_and_problem_and_loads_nothing() {
        let page = render();
        for call in Call::ALL {
            assert!(page.contains(&html(call.path())), "{call:?}");
            for field in call.fields().unwrap_or_default() {
                assert!(page.contains(field.name), "{}", field.name);
            }
        }
        for kind in ProblemKind::all() {
            assert!(page.contains(&kind.uri()));
        }
        for link in page.split("href=\"").skip(1) {
            let target = link.split('"').next().unwrap();
            let inside = target.strip_prefix('#').map(|id| format!("id=\"{id}\""));
            assert!(inside.is_none_or(|id| page.contains(&id)), "{target}");
        }
        assert!(!page.contains("http") && !page.contains("<script"));
    }
}
