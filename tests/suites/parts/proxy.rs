//! A network that fails when it is told to: a TCP proxy before one server.
//!
//! A *request* is all that a client says on a connection until the server says something,
//! so that requests are round trips. They are counted over all connections, and a fault
//! strikes the one for which it is planned.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as Bound};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

use super::ports::free_port;

/// What becomes of one request, or of its connection from there on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection ends; the server never sees the request.
    CutBefore(End),
    /// The server has replied; the connection ends before any of it comes back.
    CutAfter(End),
    /// The connection ends after so many bytes of the reply, and of those that follow.
    CutWithin(usize, End),
    /// Replies are held back until [`Proxy::release`].
    Hold,
    /// The connection stays open, and what is said in this direction is swallowed: the
    /// end of the connection as well.
    Swallow(Way),
}

/// How a connection ends for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Orderly (FIN).
    Close,
    /// Torn down (RST).
    Reset,
}

/// A direction, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    ToServer,
    ToClient,
    Both,
}

/// What a request says, and its reply; nothing where it does not matter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    pub(crate) asked: &'static [u8],
    pub(crate) told: &'static [u8],
}

/// What has passed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Connections that clients opened.
    pub(crate) connections: u64,
    /// Requests that clients began, whatever became of them.
    pub(crate) requests: u64,
    /// Bytes that were passed on to the server.
    pub(crate) to_server: u64,
    /// Bytes that were passed on to clients.
    pub(crate) to_client: u64,
}

/// The proxy: it runs on a thread of its own until it is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    listening: watch::Receiver<bool>,
    _stop: oneshot::Sender<()>,
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    plan: Mutex<Option<Plan>>,
    counts: Mutex<Counts>,
    orders: watch::Sender<Orders>,
    struck: AtomicU64,
    unheard: AtomicU64,
}

#[derive(Debug)]
struct Plan {
    /// Requests that pass before.
    skip: u64,
    /// What only those requests say that count; none counts each.
    saying: Option<Words>,
    fault: Fault,
    once: bool,
}

/// On a free port. That it is free was found by listening on it; a server that another test
/// started at that very moment has a copy of this until it runs.
fn listen() -> (u16, Bound) {
    loop {
        let port = free_port();
        match Bound::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => return (port, listener),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => panic!("no port for a proxy: {error}"),
        }
    }
}

/// What all connections obey at once.
#[derive(Clone, Copy, Debug)]
struct Orders {
    accept: bool,
    /// How many times held replies were let go, and connections were cut.
    released: u64,
    cut: u64,
}

impl Proxy {
    /// A proxy before the server at this loopback port, which need not run yet.
    pub(crate) fn start(upstream: u16) -> Self {
        let (port, listener) = listen();
        listener.set_nonblocking(true).expect("a socket option");
        let (orders, _) = watch::channel(Orders {
            accept: true,
            released: 0,
            cut: 0,
        });
        let shared = Arc::new(Shared {
            upstream: (Ipv4Addr::LOCALHOST, upstream).into(),
            plan: Mutex::default(),
            counts: Mutex::default(),
            orders,
            struck: AtomicU64::new(0),
            unheard: AtomicU64::new(0),
        });
        let (said, listening) = watch::channel(true);
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = serve(serving, listener, &said) => {}
                }
            });
        });
        Self {
            port,
            shared,
            listening,
            _stop: stop,
        }
    }

    /// The loopback port on which it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What has passed so far.
    pub(crate) fn counts(&self) -> Counts {
        *lock(&self.shared.counts)
    }

    /// Lets a fault strike the n-th request from now, once; the next one is the first.
    pub(crate) fn strike(&self, nth: u64, fault: Fault) {
        self.plan(nth.saturating_sub(1), None, fault, true);
    }

    /// Lets a fault strike the n-th request from now that says this, once: whatever else a
    /// client asks meanwhile, the same request is met in each run.
    pub(crate) fn strike_saying(&self, words: Words, nth: u64, fault: Fault) {
        self.plan(nth.saturating_sub(1), Some(words), fault, true);
    }

    /// Lets a fault strike every request from now on.
    pub(crate) fn strike_all(&self, fault: Fault) {
        self.plan(0, None, fault, false);
    }

    fn plan(&self, skip: u64, saying: Option<Words>, fault: Fault, once: bool) {
        *lock(&self.shared.plan) = Some(Plan {
            skip,
            saying,
            fault,
            once,
        });
    }

    /// How many requests were struck so far.
    pub(crate) fn struck(&self) -> u64 {
        self.shared.struck.load(Ordering::SeqCst)
    }

    /// How many replies were swallowed so far that said this.
    pub(crate) fn unheard(&self) -> u64 {
        self.shared.unheard.load(Ordering::SeqCst)
    }

    /// Lets the replies go that are held back.
    pub(crate) fn release(&self) {
        self.order(|orders| orders.released += 1);
    }

    /// Ends every connection that there is.
    pub(crate) fn cut_all(&self) {
        self.order(|orders| orders.cut += 1);
    }

    /// Refuses new connections; when it returns, they are refused.
    pub(crate) async fn refuse(&self) {
        self.order(|orders| orders.accept = false);
        self.wait_for(false).await;
    }

    /// Passes everything again: nothing is planned or held, and connections are taken.
    /// Those that are half-open stay so, as they would.
    pub(crate) async fn mend(&self) {
        *lock(&self.shared.plan) = None;
        self.order(|orders| (orders.accept, orders.released) = (true, orders.released + 1));
        self.wait_for(true).await;
    }

    async fn wait_for(&self, accepting: bool) {
        let mut listening = self.listening.clone();
        let reached = listening.wait_for(|now| *now == accepting).await;
        assert!(reached.is_ok(), "the proxy has died");
    }

    fn order(&self, order: impl FnOnce(&mut Orders)) {
        self.shared.orders.send_modify(order);
    }
}

/// Takes connections while it is told to, and really refuses them while it is not.
async fn serve(shared: Arc<Shared>, first: Bound, said: &watch::Sender<bool>) {
    let address = first.local_addr().expect("it is bound");
    let mut listener = Some(TcpListener::from_std(first).expect("a listener"));
    let mut orders = shared.orders.subscribe();
    loop {
        let accept = orders.borrow_and_update().accept;
        if accept != listener.is_some() {
            listener = None;
            if accept {
                listener = Some(TcpListener::bind(address).await.expect("our port"));
            }
        }
        said.send_replace(accept);
        tokio::select! {
            changed = orders.changed() => if changed.is_err() { return },
            client = accepted(listener.as_ref()) => {
                lock(&shared.counts).connections += 1;
                tokio::spawn(connect(client, Arc::clone(&shared)));
            }
        }
    }
}

async fn accepted(listener: Option<&TcpListener>) -> TcpStream {
    match listener {
        Some(listener) => listener.accept().await.expect("a connection").0,
        None => std::future::pending().await,
    }
}

async fn connect(client: TcpStream, shared: Arc<Shared>) {
    let Ok(server) = TcpStream::connect(shared.upstream).await else {
        return;
    };
    for side in [&client, &server] {
        side.set_nodelay(true).expect("a socket option");
    }
    let mut line = Line {
        client,
        server,
        shared,
        fault: None,
        saying: None,
        waits: false,
        held: Vec::new(),
    };
    if line.relay().await == End::Reset {
        line.client.set_zero_linger().expect("a socket option");
    }
}

/// One connection. Writing waits for the receiver while nothing is read: enough for
/// clients that read their replies.
struct Line {
    client: TcpStream,
    server: TcpStream,
    shared: Arc<Shared>,
    fault: Option<Fault>,
    /// What the request said that was struck, if that was asked for.
    saying: Option<Words>,
    /// Whether the client has asked and the server has said nothing yet.
    waits: bool,
    held: Vec<u8>,
}

impl Line {
    /// Passes on what is said until the connection ends, and says how it is to end.
    async fn relay(&mut self) -> End {
        let (mut asked, mut replied) = (vec![0; 16 << 10], vec![0; 16 << 10]);
        let (mut client_gone, mut server_gone) = (false, false);
        let mut orders = self.shared.orders.subscribe();
        let mut seen = *orders.borrow_and_update();
        while !(client_gone && server_gone) {
            let ended = tokio::select! {
                changed = orders.changed() => {
                    let before = std::mem::replace(&mut seen, *orders.borrow_and_update());
                    if changed.is_err() || seen.cut != before.cut {
                        return End::Reset;
                    }
                    if seen.released == before.released { Ok(()) } else { self.release().await }
                }
                read = self.client.read(&mut asked), if !client_gone => match read {
                    Ok(n) if n > 0 => self.asked(&asked[..n]).await,
                    _ => { client_gone = true; self.left(Way::ToServer) }
                },
                read = self.server.read(&mut replied), if !server_gone => match read {
                    Ok(n) if n > 0 => self.replied(&replied[..n]).await,
                    _ => { server_gone = true; self.left(Way::ToClient) }
                },
            };
            if let Err(end) = ended {
                return end;
            }
        }
        End::Close
    }

    async fn asked(&mut self, bytes: &[u8]) -> Result<(), End> {
        let begins = !self.waits;
        self.waits = true;
        lock(&self.shared.counts).requests += u64::from(begins);
        if self.fault.is_none()
            && let Some((fault, saying)) = self.shared.draw(bytes, begins)
        {
            (self.fault, self.saying) = (Some(fault), saying);
        }
        match self.fault {
            Some(Fault::CutBefore(end)) => Err(end),
            _ if self.swallows(Way::ToServer) => Ok(()),
            _ => {
                lock(&self.shared.counts).to_server += bytes.len() as u64;
                self.server.write_all(bytes).await.map_err(|_| End::Close)
            }
        }
    }

    async fn replied(&mut self, bytes: &[u8]) -> Result<(), End> {
        self.waits = false;
        match self.fault {
            Some(Fault::CutAfter(end)) => Err(end),
            Some(Fault::CutWithin(left, end)) => {
                let passed = &bytes[..left.min(bytes.len())];
                self.tell(passed).await?;
                self.fault = Some(Fault::CutWithin(left - passed.len(), end));
                if left == passed.len() {
                    Err(end)
                } else {
                    Ok(())
                }
            }
            Some(Fault::Hold) => {
                self.held.extend_from_slice(bytes);
                Ok(())
            }
            _ if self.swallows(Way::ToClient) => {
                let told = self.saying.is_none_or(|words| says(bytes, words.told));
                self.shared
                    .unheard
                    .fetch_add(u64::from(told), Ordering::SeqCst);
                Ok(())
            }
            _ => self.tell(bytes).await,
        }
    }

    async fn release(&mut self) -> Result<(), End> {
        if self.fault == Some(Fault::Hold) {
            self.fault = None;
        }
        let held = std::mem::take(&mut self.held);
        self.tell(&held).await
    }

    async fn tell(&mut self, bytes: &[u8]) -> Result<(), End> {
        lock(&self.shared.counts).to_client += bytes.len() as u64;
        self.client.write_all(bytes).await.map_err(|_| End::Close)
    }

    /// One side has ended the connection; the other hears of it unless it is swallowed.
    fn left(&self, way: Way) -> Result<(), End> {
        if self.swallows(way) {
            Ok(())
        } else {
            Err(End::Close)
        }
    }

    fn swallows(&self, way: Way) -> bool {
        matches!(self.fault, Some(Fault::Swallow(swallowed))
            if swallowed == way || swallowed == Way::Both)
    }
}

impl Shared {
    /// The fault that these bytes of a request meet, if it is one's turn.
    fn draw(&self, bytes: &[u8], begins: bool) -> Option<(Fault, Option<Words>)> {
        let mut planned = lock(&self.plan);
        let plan = planned.as_mut()?;
        if !plan.saying.map_or(begins, |words| says(bytes, words.asked)) {
            return None;
        }
        if plan.skip > 0 {
            plan.skip -= 1;
            return None;
        }
        let met = (plan.fault, plan.saying);
        if plan.once {
            *planned = None;
        }
        self.struck.fetch_add(1, Ordering::SeqCst);
        Some(met)
    }
}

fn says(bytes: &[u8], saying: &[u8]) -> bool {
    saying.is_empty() || bytes.windows(saying.len()).any(|window| window == saying)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
