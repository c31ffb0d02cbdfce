//! The shared store over PostgreSQL: for those who have one, and for several servers.
//!
//! A check is two round trips: the first begins a transaction, locks the record's row and
//! then reads the clock and the store's life; the pure step,
//! [`Record::step`](countersign::record::Record::step), runs here; the second writes and
//! commits. Few of a process's transactions of checks are under way at a time, and checks that
//! come meanwhile share the next one, whatever their records: many at once cost the server
//! little more than a few. A row that another has locked is passed over, and its check waits
//! by itself. Other steps that wait for one record are taken together, so that a record under
//! attack takes up one connection of the pool and few commits.
//!
//! ```no_run
//! use countersign_postgres::{Options, PostgresStore};
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut options = Options::default();
//! options.ca_pem = Some(std::fs::read("ca.pem")?);
//! let url = "postgres://app:password@db.example.com:5432/countersign";
//! let store = PostgresStore::connect(url, options).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What to set
//! PostgreSQL 13 or later (it is tested with 15), `fsync = on` (else the start is refused) and connections for
//! [`Options::pool_size`] times the servers. Isolation, `synchronous_commit` and time-outs
//! are set by the store itself, whatever the server's, the database's or the role's
//! defaults are. A pooler in between must keep sessions (`pool_mode = session`), since
//! statements are prepared. Several hosts may be named, `host1:5432,host2:5432`: the one
//! that is no standby is used, and looked for again when it is gone.
//!
//! The first start makes two tables, in the first schema of the role's `search_path`; it
//! needs `GRANT CREATE ON SCHEMA public TO app`. Once they are there a role needs no more
//! than
//!
//! ```sql
//! GRANT SELECT, INSERT, UPDATE, DELETE ON countersign_records TO app;
//! GRANT SELECT, UPDATE ON countersign_store TO app;
//! -- only where they were revoked from PUBLIC:
//! GRANT EXECUTE ON FUNCTION pg_control_system(), pg_current_wal_lsn(),
//!     pg_walfile_name(pg_lsn) TO app;
//! ```
//!
//! Connections are encrypted, and the server's certificate must be trusted and for the
//! host in the URL (`verify-full`), unless the host is loopback or a Unix socket, or
//! `sslmode=disable` is written. `sslmode=require` means `verify-full` here.
//!
//! # What survives what
//! | | acknowledged steps | codes already used |
//! |---|---|---|
//! | server killed, power lost | all kept | stay used |
//! | the same with `full_page_writes = off` | kept, unless the disk tears pages | stay used |
//! | standby promoted | those it had not received are lost | stay used: the fence |
//! | backup or disk snapshot restored | what came after it is lost | only after [`PostgresStore::fence`] |
//!
//! The fence: sessions carry the store's incarnation, a hash of a stored generation, of
//! the `system_identifier` and of the timeline that the server writes. A promotion begins
//! another timeline, so codes in flight must be requested again; a crash of the one server
//! does not, for it loses nothing. Limits and counts are as durable as the standby; name
//! it in `synchronous_standby_names` to lose none.
//!
//! # Size
//! 383 bytes a record with values of 120 bytes, the key's index included: half of each page
//! is left free, so that an update stays on its page. There is no index on the time at
//! which a record is garbage: with one no update of 60,000 stayed on its page (without it,
//! all did), and each wrote 993 bytes of log instead of 777. Sweeps go by the key.

mod address;
mod backend;
mod connection;
mod error;
mod fence;
mod locked;
mod options;
mod row;
mod schema;
mod statements;
mod store;
mod sweep;
mod transaction;
mod turns;

use std::fmt;
use std::sync::{Arc, Mutex};

use countersign::StoreError;
use countersign::store::{Durability, StepQueue};
use deadpool_postgres::Client;

pub use self::options::Options;

use self::address::Address;
use self::backend::Backend;
use self::error::no_connection;
use self::statements::Reads;
use self::turns::Turns;

/// Keeps records in a PostgreSQL database. It needs a tokio runtime.
pub struct PostgresStore {
    backend: Arc<Backend>,
    turns: Arc<Turns>,
    queue: StepQueue,
    durability: Durability,
}

impl PostgresStore {
    /// Connects to `url`, `postgres://user:password@host:port/database?sslmode=…`, and
    /// makes the tables if they are not there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] with a sentence on what is wrong and what to do: no
    /// server, no right, a standby, `fsync` off, a newer schema, a certificate that is not
    /// trusted, or no witness for the fence.
    pub async fn connect(url: &str, options: Options) -> Result<Self, StoreError> {
        let address = Address::read(url, &options)?;
        let client = alone(&address, &options).await?;
        schema::migrate(&client).await?;
        let whole_pages = connection::inspect(&client, options.fence).await?;
        let backend = Backend {
            pool: connection::pool(&address, &options, options.pool_size, true)?,
            reads: Reads::new(options.fence),
            fence: options.fence,
            limit: options.statement_timeout,
            swept: Mutex::new(None),
        };
        // The first connection is made now, so that what is wrong is told now.
        drop(backend.client().await?);
        let backend = Arc::new(backend);
        Ok(Self {
            turns: Turns::new(&backend, &options),
            backend,
            queue: StepQueue::new(),
            durability: if whole_pages {
                Durability::PowerLoss
            } else {
                Durability::Crash
            },
        })
    }

    /// Ends every session that was opened before, in all processes that use the database:
    /// for the operator, after restoring a backup or a snapshot.
    ///
    /// # Errors
    /// As [`PostgresStore::connect`], and when there is no store in the database.
    pub async fn fence(url: &str, options: Options) -> Result<(), StoreError> {
        let address = Address::read(url, &options)?;
        let client = alone(&address, &options).await?;
        schema::exists(&client).await?;
        Ok(fence::renew(&client).await?)
    }
}

/// One connection by itself, which is closed when it is dropped with what is open on it.
async fn alone(address: &Address, options: &Options) -> Result<Client, StoreError> {
    let pool = connection::pool(address, options, 1, false)?;
    pool.get().await.map_err(|error| no_connection(error, 1))
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("connections", &self.backend.pool.status().size)
            .field("durability", &self.durability)
            .finish_non_exhaustive()
    }
}
