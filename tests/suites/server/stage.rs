//! The server that most tests share: email through a real SMTP server, SMS and voice in
//! the terminal, SQLite. Each test has its own tenant and its own destinations.

use tokio::sync::{Mutex, OnceCell};

use crate::api::Api;
use crate::mail::Mailboxes;
use crate::parts::server::{Home, Server};
use crate::terminal;

pub(crate) struct Stage {
    pub(crate) mail: Mailboxes,
    pub(crate) home: Home,
    pub(crate) server: Server,
    /// Held while a code is on its way to the terminal, which doesn't say whose it is.
    terminal: Mutex<()>,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::at(|home| home).await
    }

    /// One whose server has a single thread to serve with, so that the memory which each
    /// takes for its buffers is taken once.
    pub(crate) async fn of_one_thread() -> Self {
        Self::at(|home| home.env("TOKIO_WORKER_THREADS", "1")).await
    }

    async fn at(dress: impl FnOnce(Home) -> Home) -> Self {
        let mail = Mailboxes::start();
        let config = format!("{}{}", mail.email_config(), terminal::CONFIG);
        let home = dress(Home::with_config(&config));
        let server = home.serve().await;
        Self {
            mail,
            home,
            server,
            terminal: Mutex::new(()),
        }
    }

    /// The calls of a fresh key of `tenant`, with every scope.
    pub(crate) fn tenant(&self, tenant: &str) -> Api {
        let key = self.home.key(tenant, &["send", "check", "admin"]);
        Api::new(&self.home.base(), &key)
    }

    /// Sends a code by email, which must succeed, and gives the session and the code.
    pub(crate) async fn emailed(&self, api: &Api, to: &str) -> (String, String) {
        let session = api.send("email", to).await.session();
        (session, self.mail.code_for(to).await)
    }

    /// Sends a code by SMS, which must succeed, and gives the session and the code.
    pub(crate) async fn texted(&self, api: &Api, to: &str) -> (String, String) {
        let _alone = self.terminal.lock().await;
        let shown = terminal::codes(&self.server).len();
        let session = api.send("sms", to).await.session();
        (session, terminal::code_after(&self.server, shown).await)
    }
}

/// The shared server, started by the first test that asks.
pub(crate) async fn stage() -> &'static Stage {
    static STAGE: OnceCell<Stage> = OnceCell::const_new();
    STAGE.get_or_init(Stage::new).await
}
