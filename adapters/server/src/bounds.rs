//! Bounds on the whole: requests at once, and the time of each.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::sync::Semaphore;

/// From a request's head to its answer, its body included: longer than any deliverer's
/// own time-out.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// `router`, with at most `max` requests at once; those beyond are told to come again,
/// since a queue would only answer callers who have given up.
pub(crate) fn bounded(router: Router, max: usize) -> Router {
    router.layer(from_fn_with_state(Arc::new(Semaphore::new(max)), bound))
}

async fn bound(State(seats): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    let Ok(_seat) = seats.try_acquire() else {
        let detail = "too many requests are under way: come again in a second";
        return problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "The server is busy",
            detail,
        );
    };
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => problem(
            StatusCode::REQUEST_TIMEOUT,
            "timeout",
            "The request took too long",
            "the request was not read and answered within 30 s",
        ),
    }
}

fn problem(status: StatusCode, name: &str, title: &str, detail: &str) -> Response {
    let body = json!({
        "type": format!("/docs#{name}"),
        "title": title,
        "status": status.as_u16(),
        "detail": detail,
    });
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    let format = HeaderValue::from_static("application/problem+json");
    headers.insert(header::CONTENT_TYPE, format);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use tokio::sync::Notify;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_request_too_many_is_refused_and_the_others_are_answered() {
        let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (inside, door) = (entered.clone(), leave.clone());
        let wait = get(async move || {
            inside.notify_one();
            door.notified().await;
            "done"
        });
        let router = bounded(Router::new().route("/", wait), 1);
        let request = || Request::new(Body::empty());
        let first = tokio::spawn(router.clone().oneshot(request()));
        entered.notified().await;
        let second = router.clone().oneshot(request());
        let answered = tokio::time::timeout(Duration::from_secs(5), second).await;
        let refused = answered.expect("nobody waits for a seat").unwrap();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()[header::RETRY_AFTER], "1");
        assert_eq!(
            refused.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
        leave.notify_one();
        assert_eq!(first.await.unwrap().unwrap().status(), StatusCode::OK);
    }
}
