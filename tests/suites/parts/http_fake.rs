//! An HTTP server that keeps what it is asked and answers as it is told.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::json;

/// What the fake does with one request.
#[derive(Clone, Debug)]
pub(crate) enum Play {
    /// Answers with status, headers and body.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Reads the request and never answers.
    Silence,
    /// Reads the request and closes the connection.
    Cut,
    /// Answers with a head that promises a body, sends its beginning and never the rest.
    Stall(u16, Vec<u8>),
    /// Answers with a body of so many bytes, all `x`.
    Flood(u16, usize),
    /// Answers with JSON that repeats all it was asked, headers and body.
    Echo(u16),
}

impl Play {
    /// An answer with a body of JSON.
    pub(crate) fn json(status: u16, body: &str) -> Self {
        let header = ("content-type", "application/json".to_owned());
        Self::Answer(status, vec![header], body.as_bytes().to_vec())
    }

    /// An answer with one header and no body.
    pub(crate) fn header(status: u16, name: &'static str, value: &str) -> Self {
        Self::Answer(status, vec![(name, value.to_owned())], Vec::new())
    }
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// The path, with its query.
    pub(crate) path: String,
    /// Lower-case names, in order.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    /// The one header of this lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Headers and body, as one text.
    pub(crate) fn text(&self) -> String {
        let body = String::from_utf8_lossy(&self.body);
        format!("{:?} {body}", self.headers)
    }

    /// The body as form fields, decoded, in order.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        let text = String::from_utf8(self.body.clone()).expect("a form is ASCII");
        let url = format!("http://form/?{text}");
        let url = reqwest::Url::parse(&url).expect("a form");
        url.query_pairs().into_owned().collect()
    }

    /// The value of the one form field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let mut values = self.form().into_iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| value);
        assert!(values.next().is_none(), "field {name} twice");
        value
    }
}

/// A running fake on a loopback port.
#[derive(Debug)]
pub(crate) struct HttpFake {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    script: VecDeque<Play>,
    asked: Vec<Asked>,
    connections: usize,
    /// Connections that are held open, and all others, for the end.
    streams: Vec<TcpStream>,
    over: bool,
}

impl HttpFake {
    /// Starts a fake that plays `script` and then answers 200 with `{}`.
    pub(crate) fn start(script: impl IntoIterator<Item = Play>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let state = Arc::new(Mutex::new(State {
            script: script.into_iter().collect(),
            ..State::default()
        }));
        let kept = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut state = lock(&kept);
                if state.over {
                    return;
                }
                state.connections += 1;
                state.streams.push(stream.try_clone().expect("a socket"));
                drop(state);
                let kept = Arc::clone(&kept);
                thread::spawn(move || serve(stream, &kept));
            }
        });
        Self { port, state }
    }

    /// Its base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Adds to what is played.
    pub(crate) fn play(&self, next: Play) {
        lock(&self.state).script.push_back(next);
    }

    /// All requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        lock(&self.state).asked.clone()
    }

    /// The one request so far.
    pub(crate) fn only(&self) -> Asked {
        let mut asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked.remove(0)
    }

    /// How many connections were made so far.
    pub(crate) fn connections(&self) -> usize {
        lock(&self.state).connections
    }
}

impl Drop for HttpFake {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.over = true;
        for stream in &state.streams {
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(state);
        // Wakes the listener, so that its thread ends.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
    while let Some(asked) = read(&mut reader) {
        let mut locked = lock(state);
        let echo = json!({ "code": 21211, "message": asked.text() }).to_string();
        locked.asked.push(asked);
        let play = locked.script.pop_front();
        drop(locked);
        let done = match play.unwrap_or_else(|| Play::json(200, "{}")) {
            Play::Answer(status, headers, body) => {
                let length = body.len();
                stream
                    .write_all(head(status, &headers, length).as_bytes())
                    .and_then(|()| stream.write_all(&body))
            }
            // The thread waits for a request that never comes: the socket stays open.
            Play::Silence => Ok(()),
            Play::Cut => stream.shutdown(Shutdown::Both),
            Play::Stall(status, beginning) => stream
                .write_all(head(status, &[], beginning.len() + 1).as_bytes())
                .and_then(|()| stream.write_all(&beginning)),
            Play::Flood(status, length) => stream
                .write_all(head(status, &[], length).as_bytes())
                .and_then(|()| stream.write_all(&vec![b'x'; length])),
            Play::Echo(status) => {
                let json = [("content-type", "application/json".to_owned())];
                stream
                    .write_all(head(status, &json, echo.len()).as_bytes())
                    .and_then(|()| stream.write_all(echo.as_bytes()))
            }
        };
        if done.is_err() {
            return;
        }
    }
}

fn head(status: u16, headers: &[(&str, String)], length: usize) -> String {
    let mut head = format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {length}\r\n");
    for (name, value) in headers {
        head.extend([*name, ": ", value, "\r\n"]);
    }
    head + "\r\n"
}

/// One request, or none when the connection is over.
fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let mut first = lines.first()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let header = |line: &String| {
        let (name, value) = line.split_once(':').expect("a header");
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    let mut asked = Asked {
        method,
        path,
        headers: lines[1..].iter().map(header).collect(),
        body: Vec::new(),
    };
    let length = asked.header("content-length").unwrap_or("0").parse();
    asked.body = vec![0; length.expect("a length")];
    reader.read_exact(&mut asked.body).ok()?;
    Some(asked)
}
