//! `countersign key`: API keys in the store.

use std::fmt::Write as _;
use std::io::Write as _;

use countersign::{Clock as _, StoreError, SystemClock, Tenant};
use countersign_http::{ApiKeyError, ApiKeys, NewKey, Scopes, StaticKey};

use super::inspect::ago;
use crate::cli::{Key, OfKey};
use crate::config::Config;
use crate::failure::Failure;
use crate::wiring::{self, FirstStart};

/// Makes, lists or revokes keys.
pub(crate) async fn run(config: &Config, key: Key) -> Result<(), Failure> {
    // The first key may well be made before the first start.
    let first = match key {
        Key::Create(_) => FirstStart::Make,
        Key::List { .. } | Key::Revoke { .. } => FirstStart::Refuse,
        // None is opened for it: the command line has answered.
        Key::Static(_) => return Ok(()),
    };
    let verifier = super::beside_the_server(config, first).await?;
    let keys = wiring::api_keys(config, verifier, Vec::new());
    match key {
        Key::Create(of) => create(&keys, &of).await,
        Key::List { tenant } => list(&keys, &tenant).await,
        Key::Revoke { kid } => revoke(&keys, &kid).await,
        Key::Static(_) => Ok(()),
    }
}

/// Makes a key that no store keeps. Standard output has the key alone, as of [`create`];
/// what goes into the configuration is no secret.
pub(crate) fn make_static(of: &OfKey) -> Result<(), Failure> {
    let (tenant, scopes) = (&of.tenant, named(&of.scopes));
    let (key, _) = StaticKey::draw(tenant.clone(), scopes)
        .map_err(|error| Failure::runtime("no key was made", &error))?;
    let mut section = format!(
        "# In the configuration of each server:\n[[api_key]]\ntenant = \"{}\"\nscopes = {:?}\nsha256 = \"",
        tenant.name(),
        scopes.names(),
    );
    for byte in key.sha256() {
        // Writing to a `String` cannot fail.
        let _ = write!(section, "{byte:02x}");
    }
    section.push_str("\"\n");
    std::io::stderr()
        .write_all(section.as_bytes())
        .map_err(|error| Failure::runtime("cannot write to standard error", &error))?;
    super::print(&format!("{}\n", key.reveal()))
}

fn named(scopes: &[String]) -> Scopes {
    if scopes.is_empty() {
        Scopes::SEND_AND_CHECK
    } else {
        wiring::scopes(scopes)
    }
}

async fn create(keys: &ApiKeys, of: &OfKey) -> Result<(), Failure> {
    let (tenant, scopes) = (&of.tenant, named(&of.scopes));
    let key = keys
        .create(tenant, scopes)
        .await
        .map_err(|error| not_made(&error));
    let (kid, outcome) = (key.as_ref().ok().map(NewKey::kid), super::outcome(&key));
    let scopes = scopes.names().join(",");
    tracing::info!(
        target: "audit",
        operation = "key-create", tenant = tenant.name(), kid, scopes, outcome, "audited"
    );
    super::print(&format!("{}\n", key?.reveal()))
}

/// Why there is no key to show.
fn not_made(error: &ApiKeyError) -> Failure {
    let doing = match error {
        ApiKeyError::Store(StoreError::Indeterminate { .. }) => {
            "a key may have been made that nobody was shown: look for it with `countersign key \
             list` and revoke it"
        }
        _ => "no key was made",
    };
    Failure::runtime(doing, error)
}

async fn list(keys: &ApiKeys, tenant: &Tenant) -> Result<(), Failure> {
    let keys = keys
        .list(tenant)
        .await
        .map_err(|error| Failure::runtime("the keys could not be read", &error))?;
    if keys.is_empty() {
        return super::print(&format!("tenant {} has no keys\n", tenant.name()));
    }
    let now = SystemClock::default().now();
    let mut table = format!("{:<16}{:<9}{:<18}made\n", "kid", "state", "scopes");
    for key in keys {
        let state = if key.revoked { "revoked" } else { "live" };
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            table,
            "{:<16}{state:<9}{:<18}{}",
            key.kid,
            key.scopes.names().join(","),
            ago(now, key.created_at),
        );
    }
    super::print(&table)
}

async fn revoke(keys: &ApiKeys, kid: &str) -> Result<(), Failure> {
    let revoked = match keys.revoke(kid).await {
        Ok(true) => Ok(()),
        // What was given is not repeated: it may be a whole key, pasted by mistake.
        Ok(false) => Err(Failure::Runtime(
            "there is no key of this name: `countersign key list --tenant NAME` shows them"
                .to_owned(),
        )),
        Err(error) => Err(Failure::runtime(
            "the key may not have been revoked",
            &error,
        )),
    };
    let (named, outcome) = (revoked.is_ok().then_some(kid), super::outcome(&revoked));
    tracing::info!(target: "audit", operation = "key-revoke", kid = named, outcome, "audited");
    revoked?;
    super::print(&format!("{kid} is revoked\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a66_what_is_not_known_is_not_called_undone() {
        let lost = not_made(&StoreError::indeterminate("reset").into()).to_string();
        assert!(lost.starts_with("a key may have been made"), "{lost}");
        for error in [
            StoreError::unavailable("refused").into(),
            ApiKeyError::TooMany,
        ] {
            let failure = not_made(&error).to_string();
            assert!(failure.starts_with("no key was made: "), "{failure}");
        }
    }
}
