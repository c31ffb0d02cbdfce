//! One server: its connections, opened again when they are lost, and its library.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::{Cmd, Pipeline, Value, cmd};
use tokio::sync::Semaphore;

use crate::address::Endpoint;
use crate::error::{Error, Fault};
use crate::health::Health;
use crate::library::{self, LIBRARY, PREFIX};
use crate::link::{Dialer, Link};

/// How calls wait for replicas.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) replicas: u32,
    pub(crate) millis: u64,
}

/// A server of Redis.
pub(crate) struct Node {
    pub(crate) endpoint: Endpoint,
    dialer: Arc<Dialer>,
    fence: bool,
    /// The connection that all calls share.
    shared: Mutex<Option<(Arc<Link>, Health)>>,
    /// One at a time opens it.
    opening: tokio::sync::Mutex<()>,
    /// How often this process has loaded the library, and whose turn it is.
    loads: AtomicU64,
    loading: tokio::sync::Mutex<()>,
    /// Connections for calls that wait for replicas, each for one call at a time.
    idle: Mutex<Vec<Link>>,
    seats: Semaphore,
}

impl Node {
    pub(crate) fn new(endpoint: Endpoint, dialer: Arc<Dialer>, fence: bool, seats: usize) -> Self {
        Self {
            endpoint,
            dialer,
            fence,
            shared: Mutex::new(None),
            opening: tokio::sync::Mutex::new(()),
            loads: AtomicU64::new(0),
            loading: tokio::sync::Mutex::new(()),
            idle: Mutex::new(Vec::new()),
            seats: Semaphore::new(seats.max(1)),
        }
    }

    /// Sends a call on the shared connection.
    pub(crate) async fn send(&self, call: &Cmd, asking: bool) -> Result<Value, Fault> {
        let (link, _) = self.link().await?;
        let mut commands = Pipeline::with_capacity(2);
        if asking {
            commands.add_command(cmd("ASKING"));
        }
        commands.add_command(call.clone());
        let count = 1 + usize::from(asking);
        let answers = link.send(&commands, count).await;
        let last = answers.map(|mut answers| answers.pop().unwrap_or_default());
        last.inspect_err(|_| self.give_up(&link))
    }

    /// Sends a call on a connection of its own, and waits until replicas have what it
    /// wrote: WAIT speaks of the writes of its own connection only.
    pub(crate) async fn send_and_wait(
        &self,
        call: &Cmd,
        asking: bool,
        waiting: Waiting,
    ) -> Result<Value, Fault> {
        let seat = tokio::time::timeout(self.dialer.timeout, self.seats.acquire()).await;
        let _seat = seat.ok().and_then(Result::ok).ok_or(Error::NoSeat)?;
        // The shared connection is where a server is inspected.
        drop(self.link().await?);
        let idle = lock(&self.idle).pop().filter(Link::is_open);
        let link = match idle {
            Some(link) => link,
            None => self.dialer.dial(&self.endpoint).await?,
        };
        let mut commands = Pipeline::with_capacity(3);
        if asking {
            commands.add_command(cmd("ASKING"));
        }
        commands.add_command(call.clone());
        let mut wait = cmd("WAIT");
        wait.arg(waiting.replicas).arg(waiting.millis);
        commands.add_command(wait);
        let mut answers = link.send(&commands, 2 + usize::from(asking)).await?;
        let (had, answer) = (answers.pop(), answers.pop().unwrap_or_default());
        lock(&self.idle).push(link);
        if matches!(answer, Value::ServerError(_)) {
            return Ok(answer);
        }
        match had {
            Some(Value::Int(had)) if had >= i64::from(waiting.replicas) => Ok(answer),
            Some(Value::Int(had)) => Err(Fault::Unknown(Error::Replicas(had, waiting.replicas))),
            Some(Value::ServerError(error)) => Err(Fault::Unknown(self.refused(error.code()))),
            _ => Err(Fault::Unknown(Error::Protocol(self.endpoint.clone()))),
        }
    }

    /// What the server says of itself, as it was when its connection was opened.
    pub(crate) async fn health(&self) -> Result<Health, Error> {
        Ok(self.link().await?.1)
    }

    /// How often the library was loaded so far: to be read before a call is sent.
    pub(crate) fn loads(&self) -> u64 {
        self.loads.load(Ordering::SeqCst)
    }

    /// Loads the library for a call that did not find it, unless somebody else has done so
    /// since that call was sent: when it vanishes, all calls under way miss it at once.
    pub(crate) async fn reload_library(&self, seen: u64) -> Result<(), Error> {
        let _one = self.loading.lock().await;
        if self.loads() == seen {
            self.load_library().await?;
        }
        Ok(())
    }

    /// Brings the library of this release onto the server, with the generation that a
    /// library of another release has there.
    pub(crate) async fn load_library(&self) -> Result<(), Error> {
        let generation = generation(&self.libraries().await?);
        self.function_load(&LIBRARY.code(&generation), false)
            .await?;
        // A fence may have been renewed in between: then the newer one is taken over.
        let newer = self::generation(&self.libraries().await?);
        if newer != generation {
            self.function_load(&LIBRARY.code(&newer), true).await?;
        }
        self.loads.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// Begins another life: gives every library of ours on the server this generation.
    pub(crate) async fn renew(&self, generation: &str) -> Result<(), Error> {
        self.function_load(&LIBRARY.code(generation), true).await?;
        for code in self.libraries().await? {
            if let Some(code) = library::renewed(&code, generation) {
                self.function_load(&code, true).await?;
            }
        }
        Ok(())
    }

    /// Answers a call that has nothing to do with a key.
    pub(crate) async fn ask(&self, call: &Cmd) -> Result<Value, Error> {
        match self.send(call, false).await {
            Ok(Value::ServerError(error)) => {
                let details = error.details().unwrap_or_default();
                Err(self.refused(code_of(error.code(), details)))
            }
            Ok(answer) => Ok(answer),
            Err(Fault::Undone(error) | Fault::Unknown(error)) => Err(error),
        }
    }

    pub(crate) fn refused(&self, code: &str) -> Error {
        Error::Refused {
            endpoint: self.endpoint.clone(),
            code: code.to_owned(),
        }
    }

    /// The code of every library of ours.
    async fn libraries(&self) -> Result<Vec<String>, Error> {
        let mut list = cmd("FUNCTION");
        list.arg("LIST")
            .arg("LIBRARYNAME")
            .arg(format!("{PREFIX}*"));
        let answer = self.ask(list.arg("WITHCODE")).await?;
        let unread = || Error::Protocol(self.endpoint.clone());
        let Value::Array(libraries) = answer else {
            return Err(unread());
        };
        let code = |library: Value| {
            let fields: Vec<Value> = redis::from_redis_value(library).ok()?;
            let named =
                |field: &Value| matches!(field, Value::BulkString(name) if name == b"library_code");
            let at = fields.iter().position(named)?;
            redis::from_redis_value_ref::<String>(fields.get(at + 1)?).ok()
        };
        let codes = libraries.into_iter().map(code);
        codes.collect::<Option<Vec<_>>>().ok_or_else(unread)
    }

    async fn function_load(&self, code: &str, replace: bool) -> Result<(), Error> {
        let mut load = cmd("FUNCTION");
        load.arg("LOAD");
        if replace {
            load.arg("REPLACE");
        }
        match self.send(load.arg(code), false).await {
            // Somebody else was first: a library of this name has this code.
            Ok(Value::ServerError(error))
                if error
                    .details()
                    .is_some_and(|said| said.contains("already exists")) =>
            {
                Ok(())
            }
            Ok(Value::ServerError(error)) => Err(self.refused(error.code())),
            Ok(_) => Ok(()),
            Err(Fault::Undone(error) | Fault::Unknown(error)) => Err(error),
        }
    }

    async fn link(&self) -> Result<(Arc<Link>, Health), Error> {
        if let Some(open) = self.open_link() {
            return Ok(open);
        }
        let opened = tokio::time::timeout(self.dialer.timeout, self.open()).await;
        opened.map_err(|_| Error::Late {
            endpoint: self.endpoint.clone(),
            limit: self.dialer.timeout,
        })?
    }

    fn open_link(&self) -> Option<(Arc<Link>, Health)> {
        let shared = lock(&self.shared);
        shared.as_ref().filter(|(link, _)| link.is_open()).cloned()
    }

    async fn open(&self) -> Result<(Arc<Link>, Health), Error> {
        let _one = self.opening.lock().await;
        if let Some(open) = self.open_link() {
            return Ok(open);
        }
        let link = self.dialer.dial(&self.endpoint).await?;
        let health = self.inspect(&link).await?;
        let opened = (Arc::new(link), health);
        *lock(&self.shared) = Some(opened.clone());
        Ok(opened)
    }

    async fn inspect(&self, link: &Link) -> Result<Health, Error> {
        let mut questions = Pipeline::with_capacity(2);
        questions.add_command(cmd("INFO"));
        let mut config = cmd("CONFIG");
        config
            .arg("GET")
            .arg("appendfsync")
            .arg("no-appendfsync-on-rewrite");
        questions.add_command(config);
        let answers = match link.send(&questions, 2).await {
            Ok(answers) => answers,
            Err(Fault::Undone(error) | Fault::Unknown(error)) => return Err(error),
        };
        let [info, config] = answers.as_slice() else {
            return Err(Error::Protocol(self.endpoint.clone()));
        };
        if let Value::ServerError(error) = info
            && error.code() != "NOPERM"
        {
            return Err(self.refused(error.code()));
        }
        let info: Option<String> = redis::from_redis_value_ref(info).ok();
        let config: Vec<(String, String)> = redis::from_redis_value_ref(config).unwrap_or_default();
        Health::read(&self.endpoint, info.as_deref(), &config, self.fence)
    }

    /// Calls after this one go over another connection. Those that are under way on this
    /// one may still have their answers.
    fn give_up(&self, link: &Arc<Link>) {
        let mut shared = lock(&self.shared);
        if shared
            .as_ref()
            .is_some_and(|(held, _)| Arc::ptr_eq(held, link))
        {
            *shared = None;
        }
    }
}

/// The generation of those libraries: the newest cannot be told from the first otherwise
/// than by not being it.
fn generation(codes: &[String]) -> String {
    let mut found = codes.iter().filter_map(|code| library::generation_of(code));
    let other = found.rfind(|generation| *generation != library::FIRST);
    other.unwrap_or(library::FIRST).to_owned()
}

/// Poisoned by nothing that runs under it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The code of an error; a command that only a function of ours may not run has none of its own.
pub(crate) fn code_of<'e>(code: &'e str, details: &str) -> &'e str {
    if code == "ERR" && details.contains("can't run this command") {
        return "NOPERM";
    }
    code
}
