//! What HTTP costs without anything behind it.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::client::{Figures, load};
use crate::parts::ports::free_port;

const NODE: &str = "require('http').createServer((request, response) => {
  request.resume().on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end('{\"hello\":\"world\"}');
  });
}).listen(Number(process.argv[1]), '127.0.0.1');";

/// An answer as long as that of a wrong code.
async fn check(Json(asked): Json<Value>) -> Response {
    let session = asked["session_id"].as_str().unwrap_or_default();
    let told = asked["code"].as_str().map_or(0, str::len);
    let answer = json!({
        "session_id": session, "status": "pending", "verified": false,
        "reason": "wrong_code", "attempts_remaining": told,
    });
    Json(answer).into_response()
}

/// The same layers as around Countersign's API: a bound on bodies, on requests at once
/// and on the time of each, and a look at a header.
pub(crate) async fn serve(port: u16) -> Result<(), std::io::Error> {
    let seats = Arc::new(Semaphore::new(1024));
    let router = Router::new()
        .route("/v1/verify/check", post(check))
        .layer(DefaultBodyLimit::max(16 * 1024))
        .layer(from_fn_with_state(seats, bound));
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(listener, router).await
}

async fn bound(State(seats): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    let Ok(_seat) = seats.try_acquire() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    if !request.headers().contains_key("x-api-key") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    tokio::time::timeout(Duration::from_secs(30), next.run(request))
        .await
        .unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}

pub(crate) async fn measure() -> Result<Figures, String> {
    let (port, this) = (free_port(), std::env::current_exe());
    let this = this.map_err(|error| error.to_string())?;
    let mut command = Command::new(this);
    command.args(["--bare", &port.to_string()]);
    under_load(command, port).await
}

pub(crate) async fn node() -> Result<Figures, String> {
    let port = free_port();
    let mut command = Command::new("node");
    command.args(["-e", NODE, "--", &port.to_string()]);
    under_load(command, port).await
}

async fn under_load(mut command: Command, port: u16) -> Result<Figures, String> {
    let child = command.stdout(Stdio::null()).spawn();
    let server = Killed(child.map_err(|error| error.to_string())?);
    for _ in 0..1000 {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            let ids = vec![format!("sess_{}", "A".repeat(23))];
            return load(
                &format!("http://127.0.0.1:{port}"),
                server.0.id(),
                &ids,
                "none",
            );
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err("a bare server does not listen".to_owned())
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
