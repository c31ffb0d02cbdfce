//! The shared store over Redis: alone, with Sentinel, or as a cluster.
//!
//! Any number of server processes share it. A check is one call of a function inside Redis
//! and one round trip, on one connection that all calls of a process share; every other
//! step is a load and a swap. Where a single server or one under Sentinel is asked faster
//! than it answers, checks that wait are made together, in two round trips for up to 64 of
//! them: Lua is slow, and what it need not do is done here. Redis 7.0 or later is needed, or a server that speaks as it
//! does and has functions.
//!
//! ```no_run
//! use countersign_redis::{Options, RedisStore};
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let url = "redis://countersign:password@127.0.0.1:6379";
//! let store = RedisStore::connect(url, Options::default()).await?;
//! for warning in store.warnings() {
//!     eprintln!("{warning}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Addresses
//! | url | what is there |
//! |---|---|
//! | `redis://user:password@host:6379/0` | one server; the number is its database |
//! | `redis+sentinel://user:password@host,host:26379/name` | sentinels, and the name of their master |
//! | `redis+cluster://user:password@host,host:6379` | some nodes of a cluster |
//! | `rediss://…`, `rediss+sentinel://…`, `rediss+cluster://…` | the same over TLS, the sentinels included |
//!
//! User, password and the ports may be left out. Where a letter would be mistaken for a
//! part of the URL, write it as `%40`. Certificates are verified, for the host that is
//! dialled: nodes and masters must announce a name, or an address, that theirs holds.
//!
//! # What to set in redis.conf
//! ```text
//! maxmemory-policy noeviction   # anything else is refused: it throws guesses away
//! appendonly yes                # or a restart forgets limits, locks and API keys
//! appendfsync always            # or a crash forgets the last second or two
//! ```
//! A record takes some 250 bytes after a first message and at most 1 KiB; with its key
//! (`cs:` and 16 hexadecimal digits) and what Redis adds, allow 400 bytes a destination.
//! The user needs no more than this:
//! ```text
//! ACL SETUSER countersign on >password resetkeys ~cs:* resetchannels -@all +fcall
//!     +function|load +function|list +get +mget +set +time +info +config|get
//!     +wait +asking +cluster|slots
//! ```
//! The last two are for a cluster, `+wait` for [`Options::wait_for_replicas`]. Without
//! `+config|get` it cannot be told how durable the server is, and the worst is assumed.
//!
//! # What survives what
//! | | sessions | limits, locks and API keys |
//! |---|---|---|
//! | a restart, however clean | expired | as far as the append-only file goes |
//! | a failover | expired | but for the last writes, which the replica may not have seen |
//! | a slot that moves to another node | expired, those of the slot | kept |
//! | the first replica that joins, or the first after an hour without one | expired | kept |
//! | `countersign fence` | expired | kept |
//! | `FUNCTION FLUSH` | kept; the library is loaded again | kept |
//!
//! Sessions carry the server's incarnation: a hash of its `run_id`, its `master_replid` and
//! a generation. So a code that was used in writes that were lost is not accepted again;
//! the price is that codes in flight must be requested anew. The generation is in the code
//! of the library of functions, from where it is replicated and saved like data, and
//! [`RedisStore::fence`] renews it. `FUNCTION FLUSH` takes it back to the first one: after
//! that, run the fence again if you had ever run it within the life of a session.
//!
//! [`durability`](countersign::SessionStore::durability) is `PowerLoss` for a single server
//! with `appendfsync always`, and `Forgetful` for all else: with `everysec` Redis answers
//! before it writes whenever a sync is under way, and a failover may lose what any server
//! has on its disk. [`Options::wait_for_replicas`] makes that rarer and not impossible,
//! since Sentinel may promote another replica.
//!
//! # Doubt
//! A call whose answer is lost, or later than [`Options::timeout`], may have been run: a
//! check is then neither approved nor sent again, and counts as charged
//! ([`StoreError::Indeterminate`]). Calls that did not run are sent on: after a redirection
//! in a cluster, a failover under Sentinel, or when the library was missing.
//!
//! Keys are not listed: a cluster has no order among its nodes, and SCAN has none at all.
//! Redis removes what has become garbage by itself, an hour late, since clocks differ; no
//! decision hangs on it.

mod address;
mod backend;
mod check;
mod digest;
mod error;
mod health;
mod library;
mod link;
mod native;
mod node;
mod options;
mod routes;
mod row;
mod store;
mod together;
mod turns;

use std::fmt;
use std::sync::Arc;

use countersign::store::{Durability, StepQueue};
use countersign::{RecordKey, StoreError};
use tokio_rustls::TlsConnector;

pub use self::options::Options;

use self::address::{Address, Login};
use self::backend::{Backend, fcall, fenced};
use self::check::Manner;
use self::error::Error;
use self::link::Dialer;
use self::native::Native;
use self::node::{Node, Waiting};
use self::routes::Routes;
use self::turns::Turns;

/// Keeps records in Redis. It needs a tokio runtime.
pub struct RedisStore {
    backend: Arc<Backend>,
    native: Arc<Native>,
    /// None where each check is made alone: a cluster has no call for keys of many slots, and
    /// who waits for replicas has a connection of its own.
    turns: Option<Arc<Turns>>,
    queue: StepQueue,
    durability: Durability,
    is_logged: bool,
    warnings: Vec<String>,
}

impl RedisStore {
    /// Connects to `url` and brings the library of functions onto every primary.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] with a sentence on what is wrong and what to do: no
    /// server, a wrong password, a missing right, a certificate that is not trusted, a
    /// replica, Redis before 7.0, a `maxmemory-policy` that evicts, or no witness for the
    /// fence. The password is in none of them.
    pub async fn connect(url: &str, options: Options) -> Result<Self, StoreError> {
        let address = Address::read(url)?;
        let routes = routes(&address, &options)?;
        let alone = routes.is_single();
        let (mut durability, mut is_logged) = (Durability::PowerLoss, true);
        let mut warnings = Vec::new();
        for master in routes.masters().await? {
            let health = master.health().await?;
            prepare(&master, &options, routes.is_cluster()).await?;
            durability = durability.min(health.durability());
            is_logged &= health.is_logged();
            warnings.extend(health.warning(&master.endpoint));
        }
        if !alone {
            // A failover may lose the last writes, however well each server keeps them.
            durability = durability.min(Durability::Forgetful);
        }
        let waiting = waiting(&options);
        let is_shared = waiting.is_none() && !routes.is_cluster();
        let backend = Arc::new(Backend {
            routes,
            fence: options.fence,
            waiting,
        });
        let native = Arc::new(Native {
            backend: Arc::clone(&backend),
            manner: Manner {
                fence: options.fence,
                waits: waiting.is_some(),
                open_limits: digest::open_limits(),
            },
        });
        Ok(Self {
            turns: is_shared.then(|| Turns::new(Arc::clone(&native), options.timeout)),
            native,
            backend,
            queue: StepQueue::new(),
            durability,
            is_logged,
            warnings,
        })
    }

    /// Ends every session that was opened before, in all processes that use the store: for
    /// the operator, after restoring a backup or a snapshot.
    ///
    /// # Errors
    /// As [`RedisStore::connect`].
    pub async fn fence(url: &str, options: Options) -> Result<(), StoreError> {
        let address = Address::read(url)?;
        let generation = library::fresh_generation()?;
        for master in routes(&address, &options)?.masters().await? {
            master.renew(&generation).await?;
        }
        Ok(())
    }

    /// Whether each server keeps an append-only file. Without one a restart forgets all, or
    /// what came after the last snapshot: API keys too, and who was activated.
    #[must_use]
    pub const fn is_logged(&self) -> bool {
        self.is_logged
    }

    /// What the operator should know of the servers, for the caller to log: one sentence
    /// for each server that keeps no append-only file.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("fence", &self.backend.fence)
            .field("durability", &self.durability)
            .finish_non_exhaustive()
    }
}

fn routes(address: &Address, options: &Options) -> Result<Routes, Error> {
    let waits = options.wait_for_replicas > 0;
    let dialer = Dialer {
        tls: address
            .tls
            .then(|| countersign_tls::client_config(options.ca_pem.as_deref()))
            .transpose()?
            .map(|config| TlsConnector::from(Arc::new(config))),
        login: address.login.clone(),
        database: address.database,
        timeout: options.timeout,
        replica_timeout: if waits {
            options.replica_timeout
        } else {
            std::time::Duration::ZERO
        },
    };
    let login = options.sentinel_login.clone();
    let sentinels = Dialer {
        login: login.map_or_else(Login::default, |(user, password)| Login {
            user: (!user.is_empty()).then_some(user),
            password: Some(password),
        }),
        database: 0,
        ..dialer.clone()
    };
    let seats = options.replica_connections;
    Ok(Routes::new(
        address,
        dialer,
        sentinels,
        options.fence,
        seats,
    ))
}

fn waiting(options: &Options) -> Option<Waiting> {
    (options.wait_for_replicas > 0).then(|| Waiting {
        replicas: options.wait_for_replicas,
        millis: u64::try_from(options.replica_timeout.as_millis()).unwrap_or(u64::MAX),
    })
}

/// Loads the library, and asks it for the server's life and, where checks are made together,
/// for a value: what a user may not do, or a replica cannot, is told now.
async fn prepare(master: &Node, options: &Options, in_cluster: bool) -> Result<(), Error> {
    master.load_library().await?;
    let fence = [fenced(options.fence)];
    master.ask(&fcall("life", &[], &fence)).await?;
    if !in_cluster {
        let nobody = RecordKey::from_bytes([0; 8]);
        master.ask(&fcall("load_all", &[nobody], &fence)).await?;
    }
    Ok(())
}
