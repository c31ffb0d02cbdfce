//! Connections: how each is set up, and what is refused.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime,
};
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::address::Address;
use crate::error::Error;
use crate::options::Options;
use crate::schema::role;
use crate::statements::Reads;

/// A pool of at most `size` connections. Those of a store that is `ready` have their
/// statements prepared.
pub(crate) fn pool(
    address: &Address,
    options: &Options,
    size: usize,
    ready: bool,
) -> Result<Pool, Error> {
    let settings: Arc<str> = settings(options.statement_timeout).into();
    let statements: &'static [&'static str] = match (ready, options.fence) {
        (false, _) => &[],
        (true, false) => const { &Reads::new(false).all() },
        (true, true) => const { &Reads::new(true).all() },
    };
    let limit = options.connect_timeout;
    let hook = Hook::async_fn(move |client: &mut ClientWrapper, _| {
        let settings = Arc::clone(&settings);
        Box::pin(async move {
            let set_up = tokio::time::timeout(limit, set_up(client, &settings, statements));
            let result = set_up.await.unwrap_or(Err(Error::Late(limit)));
            result.map_err(|error| match error {
                Error::Postgres(error) => HookError::Backend(error),
                error => HookError::message(error.to_string()),
            })
        })
    });
    let built = Pool::builder(manager(address, options)?)
        .max_size(size.max(1))
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(options.acquire_timeout))
        .create_timeout(Some(limit * address.dials()))
        .post_create(hook)
        .build();
    built.map_err(|_| Error::Pool)
}

fn manager(address: &Address, options: &Options) -> Result<Manager, Error> {
    let config = address.config.clone();
    // A connection that was in doubt is never put back, so none needs to be tried.
    let manager = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    if address.tls {
        let trusted = countersign_tls::client_config(options.ca_pem.as_deref())?;
        let connector = MakeRustlsConnect::new(trusted);
        Ok(Manager::from_config(config, connector, manager))
    } else {
        Ok(Manager::from_config(config, NoTls, manager))
    }
}

/// Said on every connection, whatever the defaults are. There is no `statement_timeout`:
/// it would cut short the wait for a synchronous standby, and the commit be acknowledged.
/// Locks are all that a statement of ours can wait for.
fn settings(limit: Duration) -> String {
    let limit = limit.as_millis().clamp(1, 2_147_483_647);
    format!(
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE; \
         SET synchronous_commit = on; SET lock_timeout = {limit}; \
         SET idle_in_transaction_session_timeout = {limit}"
    )
}

async fn set_up(client: &ClientWrapper, settings: &str, statements: &[&str]) -> Result<(), Error> {
    // By itself: it must not be cut short by what it turns off.
    client.batch_execute("SET statement_timeout = 0").await?;
    client.batch_execute(settings).await?;
    let sql = "SELECT pg_is_in_recovery(), current_setting('fsync') = 'on'";
    let row = client.query_one(sql, &[]).await?;
    if row.try_get(0)? {
        return Err(Error::Standby);
    }
    if !row.try_get::<_, bool>(1)? {
        return Err(Error::NoSync);
    }
    for sql in statements {
        client.prepare_cached(sql).await?;
    }
    Ok(())
}

/// Looks at what a store stands on, once, and says whether pages are safe from tearing.
pub(crate) async fn inspect(client: &ClientWrapper, fence: bool) -> Result<bool, Error> {
    let rights = "SELECT has_table_privilege('countersign_records', 'SELECT') \
         AND has_table_privilege('countersign_records', 'INSERT') \
         AND has_table_privilege('countersign_records', 'UPDATE') \
         AND has_table_privilege('countersign_records', 'DELETE') \
         AND has_table_privilege('countersign_store', 'SELECT') \
         AND has_table_privilege('countersign_store', 'UPDATE'), \
         current_setting('full_page_writes') = 'on'";
    let row = client.query_one(rights, &[]).await?;
    if !row.try_get::<_, bool>(0)? {
        return Err(Error::MayNotWrite(role(client).await));
    }
    for table in ["countersign_records", "countersign_store"] {
        let sql = "SELECT relpersistence = 'p' FROM pg_class WHERE oid = to_regclass($1::text)";
        if !client
            .query_one(sql, &[&table])
            .await?
            .try_get::<_, bool>(0)?
        {
            return Err(Error::Unlogged(table));
        }
    }
    let moment = client.query_one(Reads::new(fence).moment, &[]).await;
    match moment.map_err(Error::from) {
        Err(error) if error.is(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            Err(Error::NoWitness(role(client).await))
        }
        Err(error) => Err(error),
        Ok(_) => Ok(row.try_get(1)?),
    }
}
