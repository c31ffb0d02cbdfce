//! The calls inside an app of one's own: its own login, its own store.
//!
//! ```text
//! cargo run --release -p countersign-http --example nest
//! curl http://127.0.0.1:3000/otp/v1/verify/send -H 'Authorization: Bearer let-me-in' \
//!     -H 'Content-Type: application/json' -d '{"to":"user@example.com","channel":"email"}'
//! ```

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use axum::Router;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use countersign::store::{Entry, Incarnation, Loaded, StepQueue, Swap};
use countersign::{
    Channel, Clock, DeliverError, Deliverer, KeyRing, Message, Receipt, RecordKey, SessionStore,
    StoreError, SystemClock, Tenant, Verifier,
};
use countersign_http::{Api, Caller, Problem, Scopes};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let verifier = Verifier::builder(KeyRing::generate()?, Arc::new(OwnStore::default()))
        .deliverer(Channel::Email, Arc::new(Terminal))
        .build()?;
    verifier.probe().await?;
    let api = Api::new(verifier);
    let app = Router::new()
        .route("/", get(|| async { "an app with a login of its own\n" }))
        .nest("/otp", api.router().layer(from_fn(own_login)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app).await?;
    api.drain().await;
    Ok(())
}

/// Whatever authenticates: it says who calls and what the caller may do.
async fn own_login(mut request: Request, next: Next) -> Response {
    let token = request
        .headers()
        .get(AUTHORIZATION)
        .map(HeaderValue::as_bytes);
    // A real app looks a session up here, and compares in constant time.
    let tenant = match token {
        Some(b"Bearer let-me-in") => Tenant::new("own-app").ok(),
        _ => None,
    };
    let Some(tenant) = tenant else {
        return Problem::unauthorised().into_response();
    };
    request
        .extensions_mut()
        .insert(Caller::new(tenant, Scopes::SEND_AND_CHECK));
    next.run(request).await
}

/// It dies with its process, so it has one life.
const LIFE: Incarnation = Incarnation::new(1);

/// A store of one's own: bytes under a key, swapped if they still are what was seen.
#[derive(Debug, Default)]
struct OwnStore {
    values: Mutex<HashMap<RecordKey, Vec<u8>>>,
    clock: SystemClock,
    queue: StepQueue,
}

#[async_trait]
impl SessionStore for OwnStore {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let (value, now) = (values.get(&key).cloned(), self.clock.now());
        Ok(Loaded {
            value,
            now,
            incarnation: LIFE,
        })
    }

    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        incarnation: Incarnation,
    ) -> Result<Swap, StoreError> {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        if incarnation != LIFE || values.get(&key).map(Vec::as_slice) != seen {
            return Ok(Swap::Lost);
        }
        values.insert(key, next.bytes.to_vec());
        Ok(Swap::Done)
    }

    fn queue(&self) -> Option<&StepQueue> {
        Some(&self.queue)
    }
}

/// Shows codes in the terminal: for trying things out, never for production.
#[derive(Debug)]
struct Terminal;

#[async_trait]
impl Deliverer for Terminal {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        println!(
            "{} for {}",
            message.code.reveal(),
            message.destination.masked()
        );
        Ok(Receipt::new("terminal"))
    }
}
