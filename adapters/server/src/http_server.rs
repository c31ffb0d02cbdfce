//! Connections: HTTP/1.1 and HTTP/2 in the clear, with bounds on what a stranger can hold.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::Service as _;

/// For the head of a request, from the connection's beginning or the last answer on.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a request's head.
const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
const MAX_STREAMS: u32 = 256;
/// A peer that does not answer a ping of this rhythm is gone.
const PING: Duration = Duration::from_secs(20);
/// Without a request for so long, a connection is asked to end, and as long again later it is
/// ended: one that answers pings and asks for nothing holds a place all the same.
const IDLE: Duration = Duration::from_secs(120);
const MAX_CONNECTIONS: u32 = 4096;
/// The pause after a failed accept: most often there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What answers requests. No `tower::Service`: that one cannot name its future, and so
/// boxes it.
pub(crate) trait Answer: Clone + Send + Sync + 'static {
    /// The answer to one request.
    fn answer(self, request: Request) -> impl Future<Output = Response> + Send;
}

impl Answer for Router {
    async fn answer(mut self, request: Request) -> Response {
        let Ok(response) = self.call(request).await;
        response
    }
}

/// Lets `router` answer until `stop` turns true, then lets every request that was begun end.
pub(crate) async fn serve(
    listener: TcpListener,
    router: impl Answer,
    mut stop: watch::Receiver<bool>,
) {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS as usize));
    let protocols = Arc::new(protocols());
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &connections) => accepted,
            // The sender's end means the same as its word.
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Some((stream, peer, permit)) = accepted else {
            continue;
        };
        let connection = Connection {
            stream,
            peer,
            router: router.clone(),
        };
        let protocols = Arc::clone(&protocols);
        let stop = stop.clone();
        tokio::spawn(async move {
            connection.run(&protocols, stop).await;
            drop(permit);
        });
    }
    drop(listener);
    // All places are free once all connections have ended.
    let _ = connections.acquire_many(MAX_CONNECTIONS).await;
}

/// The next connection, once there is room for it: those beyond wait in the system.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

fn protocols() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

struct Connection<A> {
    stream: TcpStream,
    peer: SocketAddr,
    router: A,
}

impl<A: Answer> Connection<A> {
    async fn run(self, protocols: &auto::Builder<TokioExecutor>, mut stop: watch::Receiver<bool>) {
        let Self {
            stream,
            peer,
            router,
        } = self;
        // Small answers on a quiet line would otherwise wait for more.
        let _ = stream.set_nodelay(true);
        let requests = Arc::new(Requests::default());
        let begun = Arc::clone(&requests);
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let under_way = UnderWay::new(&begun);
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = router.clone().answer(request);
            async {
                let _under_way = under_way;
                Ok::<_, Infallible>(answer.await)
            }
        });
        let connection = protocols.serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection.into_owned());
        let ended = tokio::select! {
            biased;
            ended = connection.as_mut() => Some(ended),
            // The sender's end means the same as its word.
            _ = stop.wait_for(|stop| *stop) => None,
            () = requests.quiet() => None,
        };
        let ended = if let Some(ended) = ended {
            ended
        } else {
            // What was begun is answered, and the peer knows that nothing else is.
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                biased;
                ended = connection => ended,
                () = requests.quiet() => Ok(()),
            }
        };
        if let Err(error) = ended {
            tracing::debug!(error = error.as_ref(), "a connection ended");
        }
    }
}

/// What a connection asked for.
#[derive(Debug, Default)]
struct Requests {
    begun: AtomicU64,
    done: AtomicU64,
}

impl Requests {
    /// Ends when nothing was asked for in time and nothing is under way. The protocol is told
    /// apart before any of the library's own time-outs begins, so that a peer who sends half
    /// a preface would stay; and it lets those stay who have asked for something once.
    async fn quiet(&self) {
        let mut before = 0;
        let mut patience = HEAD_TIMEOUT;
        loop {
            tokio::time::sleep(patience).await;
            let begun = self.begun.load(Ordering::Relaxed);
            if begun == before && self.done.load(Ordering::Relaxed) == begun {
                return;
            }
            before = begun;
            patience = IDLE;
        }
    }
}

/// One request, until it is answered or given up.
struct UnderWay(Arc<Requests>);

impl UnderWay {
    fn new(requests: &Arc<Requests>) -> Self {
        requests.begun.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(requests))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.done.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::Notify;
    use tokio::task::JoinHandle;

    use super::*;

    async fn start(router: Router) -> (SocketAddr, watch::Sender<bool>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        (
            address,
            stop,
            tokio::spawn(serve(listener, router, stopped)),
        )
    }

    async fn answer(mut stream: TcpStream) -> String {
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    #[tokio::test]
    async fn a_request_in_flight_is_answered_and_then_nobody_is_let_in() {
        let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (inside, door) = (entered.clone(), leave.clone());
        let wait = get(async move || {
            inside.notify_one();
            door.notified().await;
            "done"
        });
        let (address, stop, server) = start(Router::new().route("/", wait)).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let idle = TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .unwrap();
        entered.notified().await;
        stop.send_replace(true);
        assert_eq!(
            answer(idle).await,
            "",
            "a connection that asks for nothing is closed"
        );
        assert!(
            TcpStream::connect(address).await.is_err(),
            "nobody is let in any more"
        );
        assert!(!server.is_finished(), "it waits for the request in flight");
        leave.notify_one();
        let text = answer(stream).await;
        assert!(
            text.starts_with("HTTP/1.1 200") && text.ends_with("done"),
            "{text}"
        );
        server.await.unwrap();
    }

    #[tokio::test]
    async fn a27_a_head_of_too_many_or_too_large_headers_is_refused() {
        let (address, _stop, _server) = start(Router::new().route("/", get(|| async {}))).await;
        let many = (0..1000)
            .map(|n| format!("x-{n}: 1\r\n"))
            .collect::<Vec<_>>()
            .concat();
        let large = format!("x: {}\r\n", "a".repeat(64 * 1024));
        for headers in [many, large] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{headers}\r\n");
            // The server may close before it has read everything.
            let _ = stream.write_all(head.as_bytes()).await;
            let mut status = [0; 12];
            stream.read_exact(&mut status).await.unwrap();
            assert_eq!(&status, b"HTTP/1.1 431");
        }
    }

    /// A peer that speaks HTTP/2, asks once, answers every ping and closes nothing.
    #[tokio::test]
    async fn a_peer_that_has_nothing_more_to_ask_for_is_let_go() {
        const PING: u8 = 6;
        const GOAWAY: u8 = 7;
        let (address, _stop, _server) = start(Router::new().route("/", get(|| async {}))).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
        // GET / of `a`, and the end of the stream.
        let request = [0, 0, 6, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84, 0x41, 1, b'a'];
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        let hello = [&preface[..], &settings, &request].concat();
        stream.write_all(&hello).await.unwrap();
        tokio::time::pause();
        let (mut seen, started) = (Vec::new(), tokio::time::Instant::now());
        let until_it_ends = async {
            let mut head = [0; 9];
            while stream.read_exact(&mut head).await.is_ok() {
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
                let mut payload = vec![0; usize::try_from(length).unwrap()];
                stream.read_exact(&mut payload).await.unwrap();
                seen.push(head[3]);
                if (head[3], head[4]) == (PING, 0) {
                    let pong = [&[0, 0, 8, PING, 1, 0, 0, 0, 0], &payload[..]].concat();
                    stream.write_all(&pong).await.unwrap();
                }
            }
        };
        let bound = Duration::from_secs(3600);
        let ended = tokio::time::timeout(bound, until_it_ends).await;
        assert!(ended.is_ok(), "it stays for ever: {}", seen.len());
        assert!(started.elapsed() >= IDLE, "{:?}", started.elapsed());
        assert!(seen.contains(&1) && seen.contains(&GOAWAY), "{seen:?}");
    }
}
