//! Every deliverer that speaks HTTP, towards a server on this machine that answers as told.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use countersign::{Channel, DeliverError, Deliverer, FakeClock, Message, Receipt};
use countersign_messages::Messages;
use countersign_provider::ClientConfig;
use countersign_sms::sns::{Sns, SnsConfig};
use countersign_sms::twilio::{Account, AccountConfig, Sender};
use countersign_sms::vonage::{Vonage, VonageConfig};
use countersign_webhook::{Webhook, WebhookConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::LocalSet;

const WEBHOOK_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";

/// An answer of HTTP as a provider may give it.
#[derive(Clone, Default)]
pub(crate) struct Scripted {
    status: u16,
    octets: Vec<u8>,
}

impl Scripted {
    pub(crate) fn new(status: u16, retry_after: Option<&str>, body: &str) -> Self {
        let status = status.clamp(200, 999);
        let mut head = format!("HTTP/1.1 {status} So\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
        if let Some(pause) = retry_after {
            let plain = pause.chars().filter(|c| c.is_ascii_graphic() || *c == ' ');
            let _ = write!(head, "retry-after: {}\r\n", plain.collect::<String>());
        }
        // These have no body, whatever their length says.
        let body = if matches!(status, 204 | 205 | 304) {
            ""
        } else {
            body
        };
        let _ = write!(head, "content-length: {}\r\n\r\n{body}", body.len());
        let octets = head.into_bytes();
        Self { status, octets }
    }

    pub(crate) const fn is_success(&self) -> bool {
        self.status / 100 == 2
    }
}

/// What is said next.
type Script = Rc<RefCell<Scripted>>;

pub(crate) struct Providers {
    runtime: Runtime,
    tasks: LocalSet,
    script: Script,
    named: Vec<(&'static str, Channel, Arc<dyn Deliverer>)>,
}

thread_local! {
    static PROVIDERS: &'static Providers = Box::leak(Box::new(Providers::start()));
}

impl Providers {
    /// Those of this thread: libFuzzer has one.
    pub(crate) fn get() -> &'static Self {
        PROVIDERS.with(|providers| *providers)
    }

    pub(crate) fn named(&self, name: &str) -> Option<(&dyn Deliverer, Channel)> {
        let found = self.named.iter().find(|(known, ..)| *known == name)?;
        Some((&*found.2, found.1))
    }

    /// Delivers to a provider that gives this answer.
    pub(crate) fn deliver(
        &self,
        deliverer: &dyn Deliverer,
        message: Message<'_>,
        answer: &Scripted,
    ) -> Result<Receipt, DeliverError> {
        self.script.replace(answer.clone());
        let delivery = deliverer.deliver(message);
        self.tasks.block_on(&self.runtime, delivery)
    }

    fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)));
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (tasks, script) = (LocalSet::new(), Script::default());
        tasks.spawn_local(serve(listener, Rc::clone(&script)));
        let base = format!("http://{address}");
        let named = deliverers(&base);
        Self {
            runtime,
            tasks,
            script,
            named,
        }
    }
}

fn deliverers(base: &str) -> Vec<(&'static str, Channel, Arc<dyn Deliverer>)> {
    let words = Arc::new(Messages::new("Example", None).expect("the built-in words"));
    let here = |http: ClientConfig| http.base_url(base);
    let sid = format!("AC{}", "0".repeat(32));
    let account = AccountConfig::with_auth_token(&sid, "token").http(here);
    let account = Arc::new(Account::new(account).expect("an account"));
    let sender = Sender::From("Example".to_owned());
    let twilio = countersign_sms::twilio::Twilio::new(Arc::clone(&account), sender, words.clone());
    let calls = countersign_voice::twilio::Twilio::new(account, "+15005550006", words.clone());
    let vonage = VonageConfig::new("key", "Example")
        .api_secret("secret")
        .http(here);
    let access = format!("AKIA{}", "A".repeat(16));
    let sns = SnsConfig::new("eu-north-1", &access, "secret").http(here);
    let sns = sns.clock(Arc::new(FakeClock::default()));
    let hook = WebhookConfig::new(base, WEBHOOK_SECRET);
    vec![
        ("twilio", Channel::Sms, Arc::new(twilio.expect("twilio"))),
        ("calls", Channel::Voice, Arc::new(calls.expect("calls"))),
        (
            "vonage",
            Channel::Sms,
            Arc::new(Vonage::new(vonage, words.clone()).expect("vonage")),
        ),
        (
            "sns",
            Channel::Sms,
            Arc::new(Sns::new(sns, words.clone()).expect("sns")),
        ),
        (
            "webhook",
            Channel::Sms,
            Arc::new(Webhook::new(hook, words).expect("webhook")),
        ),
    ]
}

async fn serve(listener: TcpListener, script: Script) {
    while let Ok((connection, _)) = listener.accept().await {
        tokio::task::spawn_local(talk(connection, Rc::clone(&script)));
    }
}

/// Answers each request as the script says, until the other side has enough.
async fn talk(mut connection: TcpStream, script: Script) {
    while read_request(&mut connection).await.is_some() {
        let octets = script.borrow().octets.clone();
        if connection.write_all(&octets).await.is_err() {
            return;
        }
    }
}

async fn read_request(connection: &mut TcpStream) -> Option<()> {
    let mut read = Vec::new();
    let end = loop {
        if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if connection.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.and_then(|text| text.parse().ok()).unwrap_or(0);
    while read.len() < end + length {
        if connection.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
    Some(())
}
