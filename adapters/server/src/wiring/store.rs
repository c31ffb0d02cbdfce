//! The store of a configuration, opened.

use std::path::Path;
use std::sync::Arc;

use countersign::store::Durability;
use countersign::{MemoryStore, SessionStore, StoreError};
use countersign_postgres::PostgresStore;
use countersign_redis::RedisStore;
use countersign_sqlite::SqliteStore;

use super::FirstStart;
use crate::config::{Config, SecretText, StoreConfig, StoreUrl, called};
use crate::failure::{Failure, causes};
use crate::private_file;

/// Opens the store, and logs what its operator should know.
pub(super) async fn open(
    config: &Config,
    first: FirstStart,
) -> Result<Arc<dyn SessionStore>, Failure> {
    let store = &config.store;
    Ok(match &store.url {
        StoreUrl::Memory => Arc::new(MemoryStore::new()),
        StoreUrl::Sqlite(path) => Arc::new(sqlite(path, store, first)?),
        StoreUrl::Redis(url) => {
            let opened = redis(url, store).await?;
            has_keys(config, &opened)?;
            Arc::new(opened)
        }
        StoreUrl::Postgres(url) => Arc::new(postgres(url, store).await?),
    })
}

/// Refuses a store that forgets its API keys where there are no others: after a restart of
/// it nobody could call, and whoever holds an old dashboard token is shown a first key again.
fn has_keys(config: &Config, store: &RedisStore) -> Result<(), Failure> {
    if store.is_logged() || !config.api_keys.is_empty() || config.draws_a_key() {
        return Ok(());
    }
    Err(Failure::config(format!(
        "api_key: {} keeps no append-only file, so a restart of it forgets every API key and who \
         was activated: run `CONFIG SET appendonly yes` and write `appendonly yes` in its \
         redis.conf, or name a key here that needs no store (`countersign key static` makes one)",
        config.store.url
    )))
}

/// Ends every open session of the store, in whatever process.
pub(crate) async fn fence(config: &StoreConfig) -> Result<(), Failure> {
    match &config.url {
        StoreUrl::Memory => Err(Failure::config(
            "store.url: a memory store ends with its process: restart the server",
        )),
        StoreUrl::Sqlite(path) => SqliteStore::fence(path).map_err(|error| refused(&error)),
        StoreUrl::Redis(url) => RedisStore::fence(url.reveal(), redis_options(config)?)
            .await
            .map_err(|error| refused(&error)),
        StoreUrl::Postgres(url) => PostgresStore::fence(url.reveal(), postgres_options(config)?)
            .await
            .map_err(|error| refused(&error)),
    }
}

fn sqlite(path: &Path, config: &StoreConfig, first: FirstStart) -> Result<SqliteStore, Failure> {
    if first == FirstStart::Make {
        private_file::make_folder_of(path).map_err(|error| {
            Failure::config(format!(
                "store.url: cannot make the folder of {}: {error}",
                path.display()
            ))
        })?;
    } else if !path.exists() {
        return Err(Failure::config(format!(
            "store.url: there is no database {}: run this where the server runs, or name its \
             configuration with --config",
            path.display()
        )));
    }
    let mut options = countersign_sqlite::Options::default();
    options.fence = config.fence;
    SqliteStore::open(path, &options).map_err(|error| refused(&error))
}

async fn redis(url: &SecretText, config: &StoreConfig) -> Result<RedisStore, Failure> {
    let store = RedisStore::connect(url.reveal(), redis_options(config)?)
        .await
        .map_err(|error| refused(&error))?;
    for warning in store.warnings() {
        tracing::warn!(store = %config.url, "{warning}");
    }
    Ok(store)
}

fn redis_options(config: &StoreConfig) -> Result<countersign_redis::Options, Failure> {
    let mut options = countersign_redis::Options::default();
    options.fence = config.fence;
    options.timeout = config.timeout;
    options.wait_for_replicas = config.wait_for_replicas;
    options.sentinel_login = config
        .sentinel_login
        .as_ref()
        .map(|login| (login.user.clone(), login.password.reveal().to_owned()));
    options.ca_pem = ca(config)?;
    Ok(options)
}

async fn postgres(url: &SecretText, config: &StoreConfig) -> Result<PostgresStore, Failure> {
    PostgresStore::connect(url.reveal(), postgres_options(config)?)
        .await
        .map_err(|error| refused(&error))
}

fn postgres_options(config: &StoreConfig) -> Result<countersign_postgres::Options, Failure> {
    let mut options = countersign_postgres::Options::default();
    options.fence = config.fence;
    options.pool_size = usize::try_from(config.pool_size).unwrap_or(options.pool_size);
    options.connect_timeout = config.timeout;
    options.acquire_timeout = config.timeout;
    options.statement_timeout = config.timeout;
    options.ca_pem = ca(config)?;
    Ok(options)
}

fn ca(config: &StoreConfig) -> Result<Option<Vec<u8>>, Failure> {
    let read = |path: &std::path::PathBuf| {
        std::fs::read(path).map_err(|error| {
            Failure::config(format!(
                "store.ca_file: cannot read {}: {error}",
                called(path)
            ))
        })
    };
    config.ca_file.as_ref().map(read).transpose()
}

/// It may be a mistake, or a store that is not up yet: a restart helps with one of them, and
/// harms none.
fn refused(error: &StoreError) -> Failure {
    Failure::Runtime(format!("store.url: {}", causes(error)))
}

/// What a store's acknowledged writes survive, in words.
pub(crate) fn survives(durability: Durability) -> &'static str {
    match durability {
        Durability::Process => "gone with the process",
        Durability::Forgetful => "may forget the last writes in a crash",
        Durability::Crash => "survives a crash, not a loss of power",
        _ => "survives a loss of power",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_of_a_shared_store_reaches_its_adapter() {
        let store = |text: &str| Config::of(&format!("[store]\n{text}")).unwrap().store;
        let postgres = |text: &str| postgres_options(&store(text)).unwrap();
        assert_eq!(postgres("url = \"postgres://h/d\"").pool_size, 16);
        let options = postgres("url = \"postgres://h/d\"\npool_size = 3");
        assert_eq!(options.pool_size, 3);

        let url = "url = \"rediss+sentinel://h/m\"";
        let login = |text: &str| {
            let options = redis_options(&store(&format!("{url}\n{text}"))).unwrap();
            options.sentinel_login
        };
        assert_eq!(login(""), None);
        let told = |user: &str| Some((user.to_owned(), "watch".to_owned()));
        assert_eq!(login("sentinel_password = \"watch\""), told(""));
        let both = "sentinel_user = \"me\"\nsentinel_password = \"watch\"";
        assert_eq!(login(both), told("me"));
    }
}
