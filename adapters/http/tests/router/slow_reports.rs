//! Reports that are begun and not ended: anybody can begin one.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;

use crate::desk::Desk;
use crate::reports::{PATH, desk_with, report};

/// A body that is begun and never ended.
struct Endless(bool);

impl futures_core::Stream for Endless {
    type Item = io::Result<&'static str>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Pending;
        }
        Poll::Ready(Some(Ok("token=")))
    }
}

#[tokio::test(start_paused = true)]
async fn a27_reports_that_do_not_end_have_few_places_and_little_time() {
    let (clock, store) = Desk::memory();
    let desk = desk_with(clock, store, |api| api.waiting_reports(2));
    let desk = Arc::new(desk);
    let slow = || {
        let desk = Arc::clone(&desk);
        let request = Request::post(PATH).body(Body::from_stream(Endless(false)));
        let call = async move { desk.call(request.unwrap()).await };
        tokio::time::timeout(Duration::from_secs(6), call)
    };
    for round in 0..2 {
        let held = [tokio::spawn(slow()), tokio::spawn(slow())];
        tokio::task::yield_now().await;
        let refused = slow().await.unwrap();
        let told = (refused.status, refused.problem());
        assert_eq!(told, (503, "busy".to_owned()), "round {round}");
        assert_eq!(refused.header("retry-after"), "1");
        let whole = report(&desk, "rep_AAAA", "delivered").await;
        assert_eq!(whole.status, 204, "what has arrived waits for nobody");
        assert!(!held[0].is_finished() && !held[1].is_finished());
        for call in held {
            let ended = call.await.unwrap().unwrap();
            let told = (ended.status, ended.problem());
            assert_eq!(told, (408, "timeout".to_owned()), "round {round}");
        }
    }
}
