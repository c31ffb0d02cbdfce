//! Bounds on the whole: requests at once, and the time of each.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use countersign_http::Problem;
use tokio::sync::Semaphore;

use crate::http_server::Answer;

/// From a request's head to its answer, its body included: longer than any deliverer's
/// own time-out.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// A router with bounds. Around it and not a layer of it: axum boxes a layer, and copies
/// the routes behind it for each request.
#[derive(Clone)]
pub(crate) struct Bounded {
    router: Router,
    seats: Arc<Semaphore>,
    alone: Alone,
    patience: Duration,
}

/// Says how much goes on that nobody waits for. It takes seats as well: who asks and hangs up,
/// again and again, leaves as much behind as those who stay.
pub(crate) type Alone = Arc<dyn Fn() -> usize + Send + Sync>;

/// `router`, with at most `max` requests at once, what goes on `alone` among them; those
/// beyond are told to come again, since a queue would only answer callers who have given up.
pub(crate) fn bounded(router: Router, max: usize, alone: Alone) -> Bounded {
    within(router, max, alone, REQUEST_TIMEOUT)
}

/// How many of `max` requests at once may be delivery reports that are waited for: those
/// are strangers' until they are read, and fifteen of sixteen seats stay for others.
pub(crate) fn for_reports(max: usize) -> usize {
    (max / 16).max(1)
}

fn within(router: Router, max: usize, alone: Alone, patience: Duration) -> Bounded {
    let seats = Arc::new(Semaphore::new(max));
    Bounded {
        router,
        seats,
        alone,
        patience,
    }
}

impl Answer for Bounded {
    async fn answer(self, request: Request) -> Response {
        let Ok(_seat) = self.seats.try_acquire() else {
            return Problem::busy().into_response();
        };
        if self.seats.available_permits() < (self.alone)() {
            return Problem::busy().into_response();
        }
        tokio::time::timeout(self.patience, self.router.answer(request))
            .await
            .unwrap_or_else(|_| Problem::timed_out().into_response())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::body::Body;
    use axum::http::{StatusCode, header};
    use axum::routing::get;
    use tokio::sync::Notify;

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
        let router = bounded(Router::new().route("/", wait), 1, nobody());
        let request = || Request::new(Body::empty());
        let first = tokio::spawn(router.clone().answer(request()));
        entered.notified().await;
        let second = router.clone().answer(request());
        let answered = tokio::time::timeout(Duration::from_secs(5), second).await;
        let refused = answered.expect("nobody waits for a seat");
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()[header::RETRY_AFTER], "1");
        assert_eq!(problem(refused).await["type"], documented("busy", 503));
        leave.notify_one();
        assert_eq!(first.await.unwrap().status(), StatusCode::OK);
    }

    fn nobody() -> Alone {
        Arc::new(|| 0)
    }

    #[tokio::test]
    async fn what_goes_on_alone_takes_seats_too() {
        let left = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&left);
        let alone: Alone = Arc::new(move || counted.load(Ordering::Relaxed));
        let router = bounded(Router::new().route("/", get(async || "done")), 3, alone);
        for (left_behind, status) in [(0, 200), (2, 200), (3, 503), (4, 503), (2, 200)] {
            left.store(left_behind, Ordering::Relaxed);
            let request = Request::new(Body::empty());
            let answered = router.clone().answer(request).await;
            assert_eq!(answered.status(), status, "{left_behind} go on");
        }
    }

    #[test]
    fn reports_that_are_waited_for_take_a_sixteenth_of_the_seats() {
        for (max, reports) in [(1024, 64), (100, 6), (2, 1), (1, 1)] {
            assert_eq!(for_reports(max), reports);
        }
    }

    #[tokio::test]
    async fn a_request_that_takes_too_long_is_told_so_and_leaves_its_seat() {
        let never = get(async || std::future::pending::<()>().await);
        let router = Router::new().route("/", never);
        let router = within(router, 1, nobody(), Duration::from_millis(10));
        for _ in 0..2 {
            let request = Request::new(Body::empty());
            let answered = router.clone().answer(request).await;
            assert_eq!(answered.status(), StatusCode::REQUEST_TIMEOUT);
            assert_eq!(problem(answered).await["type"], documented("timeout", 408));
        }
    }

    async fn problem(response: Response) -> serde_json::Value {
        let format = &response.headers()[header::CONTENT_TYPE];
        assert_eq!(format, "application/problem+json");
        let body = axum::body::to_bytes(response.into_body(), 4096).await;
        serde_json::from_slice(&body.unwrap()).unwrap()
    }

    /// The type of this name, which every call documents under `status`.
    fn documented(name: &str, status: u16) -> String {
        let document = countersign_http::openapi();
        for (path, calls) in document["paths"].as_object().unwrap() {
            for (method, call) in calls.as_object().unwrap() {
                let told = &call["responses"][status.to_string()]["description"];
                let told = told.as_str().unwrap_or_default();
                assert!(told.contains(&format!("`{name}`")), "{method} {path}");
            }
        }
        format!("urn:countersign:problem:{name}")
    }
}
