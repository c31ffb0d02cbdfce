//! The fault proxy itself, before a server that answers `ab\n` with `AB\n`.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::parts::proxy::{Counts, End, Fault, Proxy, Way};

/// A proxy before such a server, and what that server hears.
async fn shouting() -> (Proxy, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("it is bound").port();
    let (to_us, heard) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let to_us = to_us.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                while stream.read_line(&mut line).await.is_ok_and(|n| n > 0) {
                    let reply = line.to_uppercase();
                    drop(to_us.send(std::mem::take(&mut line)));
                    stream
                        .write_all(reply.as_bytes())
                        .await
                        .expect("it is read");
                }
                drop(to_us.send("end".to_owned()));
            });
        }
    });
    (Proxy::start(port), heard)
}

/// A client that says a line and takes what comes back.
struct Client(TcpStream);

impl Client {
    async fn of(proxy: &Proxy) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", proxy.port())).await;
        Self(stream.expect("the proxy listens"))
    }

    async fn say(&mut self, line: &str) {
        self.0.write_all(line.as_bytes()).await.expect("it is open");
    }

    /// What comes back before the connection ends, and how it ends.
    async fn rest(&mut self) -> (String, End) {
        let mut told = Vec::new();
        let ended = self.0.read_to_end(&mut told).await;
        let told = String::from_utf8(told).expect("UTF-8");
        (
            told,
            if ended.is_ok() {
                End::Close
            } else {
                End::Reset
            },
        )
    }

    /// What comes back to a line, which has as many bytes.
    async fn ask(&mut self, line: &str) -> String {
        self.say(line).await;
        self.read(line.len()).await
    }

    async fn read(&mut self, bytes: usize) -> String {
        let mut told = vec![0; bytes];
        self.0.read_exact(&mut told).await.expect("so many bytes");
        String::from_utf8(told).expect("UTF-8")
    }
}

#[tokio::test]
async fn what_is_not_struck_passes_and_is_counted() {
    let (proxy, mut heard) = shouting().await;
    let (mut one, mut other) = (Client::of(&proxy).await, Client::of(&proxy).await);
    assert_eq!(one.ask("ab\n").await, "AB\n");
    assert_eq!(other.ask("cde\n").await, "CDE\n");
    assert_eq!(one.ask("f\n").await, "F\n");
    let expected = Counts {
        connections: 2,
        requests: 3,
        to_server: 9,
        to_client: 9,
    };
    assert_eq!(proxy.counts(), expected);
    for line in ["ab\n", "cde\n", "f\n"] {
        assert_eq!(heard.recv().await.as_deref(), Some(line));
    }
    drop(one);
    assert_eq!(heard.recv().await.as_deref(), Some("end"));
}

#[tokio::test]
async fn a_cut_comes_at_its_request_and_its_byte_and_only_once() {
    for end in [End::Close, End::Reset] {
        for (fault, arrives, told) in [
            (Fault::CutBefore(end), false, ""),
            (Fault::CutAfter(end), true, ""),
            (Fault::CutWithin(0, end), true, ""),
            (Fault::CutWithin(1, end), true, "C"),
            (Fault::CutWithin(2, end), true, "CD"),
            (Fault::CutWithin(3, end), true, "CD\n"),
        ] {
            let (proxy, mut heard) = shouting().await;
            let mut client = Client::of(&proxy).await;
            proxy.strike(2, fault);
            assert_eq!(client.ask("ab\n").await, "AB\n", "{fault:?}");
            assert_eq!(heard.recv().await.as_deref(), Some("ab\n"));
            client.say("cd\n").await;
            assert_eq!(client.rest().await, (told.to_owned(), end), "{fault:?}");
            if arrives {
                assert_eq!(heard.recv().await.as_deref(), Some("cd\n"), "{fault:?}");
            }
            assert_eq!(heard.recv().await.as_deref(), Some("end"), "{fault:?}");
            assert_eq!(proxy.struck(), 1);
            assert_eq!(Client::of(&proxy).await.ask("ef\n").await, "EF\n");
        }
    }
}

#[tokio::test]
async fn held_replies_come_when_they_are_let_go() {
    let (proxy, mut heard) = shouting().await;
    let mut client = Client::of(&proxy).await;
    proxy.strike(1, Fault::Hold);
    for line in ["ab\n", "cd\n"] {
        client.say(line).await;
        assert_eq!(heard.recv().await.as_deref(), Some(line));
    }
    assert_eq!(
        Client::of(&proxy).await.ask("x\n").await,
        "X\n",
        "others pass"
    );
    assert_eq!(proxy.counts().to_client, 2);
    proxy.release();
    assert_eq!(client.read(6).await, "AB\nCD\n");
    assert_eq!(client.ask("ef\n").await, "EF\n");
    proxy.cut_all();
    assert_eq!(client.rest().await, (String::new(), End::Reset));
}

#[tokio::test]
async fn a_half_open_connection_swallows_its_direction_and_its_end() {
    for (way, arrives) in [
        (Way::ToServer, false),
        (Way::ToClient, true),
        (Way::Both, false),
    ] {
        let (proxy, mut heard) = shouting().await;
        let mut client = Client::of(&proxy).await;
        proxy.strike(1, Fault::Swallow(way));
        client.say("ab\n").await;
        let mut other = Client::of(&proxy).await;
        if arrives {
            assert_eq!(heard.recv().await.as_deref(), Some("ab\n"));
        }
        assert_eq!(other.ask("cd\n").await, "CD\n", "{way:?}: others pass");
        assert_eq!(heard.recv().await.as_deref(), Some("cd\n"), "{way:?}");
        drop(client);
        if arrives {
            assert_eq!(heard.recv().await.as_deref(), Some("end"));
        }
        assert_eq!(other.ask("ef\n").await, "EF\n");
        assert_eq!(
            heard.recv().await.as_deref(),
            Some("ef\n"),
            "{way:?}: no end"
        );
        drop(proxy);
        assert_eq!(heard.recv().await.as_deref(), Some("end"), "{way:?}");
    }
}

#[tokio::test]
async fn refused_means_refused_until_it_is_mended() {
    let (proxy, _heard) = shouting().await;
    let mut client = Client::of(&proxy).await;
    assert_eq!(client.ask("ab\n").await, "AB\n");
    proxy.refuse().await;
    let refused = TcpStream::connect(("127.0.0.1", proxy.port())).await;
    assert!(refused.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused));
    assert_eq!(client.ask("cd\n").await, "CD\n", "the old connection lives");
    proxy.cut_all();
    assert_eq!(client.rest().await, (String::new(), End::Reset));
    proxy.strike_all(Fault::CutBefore(End::Close));
    proxy.mend().await;
    assert_eq!(Client::of(&proxy).await.ask("ef\n").await, "EF\n");
}

#[tokio::test]
async fn what_strikes_all_strikes_every_connection() {
    let (proxy, _heard) = shouting().await;
    proxy.strike_all(Fault::CutAfter(End::Close));
    for struck in 1..=3 {
        let mut client = Client::of(&proxy).await;
        client.say("ab\n").await;
        assert_eq!(client.rest().await, (String::new(), End::Close));
        assert_eq!(proxy.struck(), struck);
    }
}
