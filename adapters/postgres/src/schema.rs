//! The tables: made and brought up to date by one server at a time.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::error::SqlState;

use crate::error::Error;

/// One change each; the schema's version is how many of them have run.
const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_records.sql")];

/// What servers that start at once wait for (`CSGN`). It is taken before the transaction
/// begins: in one that has begun, names are still looked up as they were before the wait.
const LOCK: &str = "SELECT pg_advisory_lock(1129531214)";
const UNLOCK: &str = "SELECT pg_advisory_unlock(1129531214)";

/// Runs what is missing, all or nothing.
pub(crate) async fn migrate(client: &ClientWrapper) -> Result<(), Error> {
    if version(client).await? == Some(known()) {
        return Ok(());
    }
    match run(client).await {
        Err(error) if error.is(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            Err(Error::MayNotCreate(role(client).await))
        }
        // After an error the lock and the transaction end with the connection.
        other => other,
    }
}

async fn run(client: &ClientWrapper) -> Result<(), Error> {
    let begin =
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL synchronous_commit = on";
    client.batch_execute(LOCK).await?;
    client.batch_execute(begin).await?;
    // Another server may have been faster while this one waited.
    let done = version(client).await?.unwrap_or(0);
    for sql in MIGRATIONS.iter().skip(usize::try_from(done).unwrap_or(0)) {
        client.batch_execute(sql).await?;
    }
    let set = format!("UPDATE countersign_store SET schema_version = {}", known());
    if done < known() {
        client.batch_execute(&set).await?;
    }
    client.batch_execute("COMMIT").await?;
    Ok(client.batch_execute(UNLOCK).await?)
}

fn known() -> i32 {
    i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX)
}

/// The schema's version; none before the first migration.
async fn version(client: &ClientWrapper) -> Result<Option<i32>, Error> {
    let there = "SELECT to_regclass('countersign_store') IS NOT NULL";
    if !client.query_one(there, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let sql = "SELECT schema_version FROM countersign_store";
    let row = match client.query_one(sql, &[]).await.map_err(Error::from) {
        Err(error) if error.is(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            return Err(Error::MayNotWrite(role(client).await));
        }
        row => row?,
    };
    let found = row.try_get(0)?;
    if found > known() {
        let known = known();
        return Err(Error::NewerSchema { found, known });
    }
    Ok(Some(found))
}

/// Whether there is a store at all, for what must not make one.
pub(crate) async fn exists(client: &ClientWrapper) -> Result<(), Error> {
    version(client).await?.map(drop).ok_or(Error::NoStore)
}

/// The role, quoted as a statement needs it; in an aborted transaction it cannot be asked.
pub(crate) async fn role(client: &ClientWrapper) -> String {
    let _ = client.batch_execute("ROLLBACK").await;
    let asked = client.query_one("SELECT quote_ident(current_user)", &[]);
    match asked.await.and_then(|row| row.try_get(0)) {
        Ok(role) => role,
        Err(_) => "the role".to_owned(),
    }
}
