//! Puts the parts together: the one place that names concrete adapters.

mod deliverers;
mod part;
mod question;
mod store;

use std::path::Path;
use std::sync::Arc;

use countersign::{BuildError, Channel, Code, KeyRing, Verifier};
use countersign_http::{
    Api, ApiKeys, DryRun, JwtVerifier, Scope, Scopes, StaticKey, TrustedProxies,
};
use countersign_messages::Messages;
use countersign_numbers::Numbers;

pub(crate) use self::deliverers::Deliverers;
pub(crate) use self::part::Part;
pub(crate) use self::store::{fence, survives};

use crate::bounds::for_reports;
use crate::config::{Config, JwtKey, SecretText, called};
use crate::failure::{Failure, causes};
use crate::private_file;
use crate::secrets::{self, Secrets};

/// Whether what is missing at a first start is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FirstStart {
    /// Secrets and database are made.
    Make,
    /// They must be there: for commands that look at what a server did.
    Refuse,
}

/// The keys of the deployment. A memory store's live as long as its process, unless the
/// secret file is there; a shared store's must be given, for every server needs the same.
pub(crate) fn keys(config: &Config, first: FirstStart) -> Result<KeyRing, Failure> {
    let url = &config.store.url;
    let path = &config.secret_file;
    if url.is_memory() && !path.exists() {
        return KeyRing::generate().map_err(|error| Failure::runtime("cannot make keys", &error));
    }
    if url.is_shared() && !path.exists() {
        return Err(Failure::config(format!(
            "secret_file: {shown} is not there, and none is made, for every server on {url} needs \
             the same: make it by `countersign secret new` (mode 0600) and copy it to each",
            shown = secrets::called(path)
        )));
    }
    Secrets::open(path, first == FirstStart::Make)?.ring()
}

/// The words of the messages, every template tried once.
pub(crate) fn messages(config: &Config) -> Result<Arc<Messages>, Failure> {
    Messages::new(&config.messages.brand, config.messages.dir.as_deref())
        .map(Arc::new)
        .map_err(|error| Failure::config(format!("messages: {}", causes(&error))))
}

/// What is known of phone numbers. Countries that are listed and refused all the same are
/// worth a warning.
pub(crate) fn numbers(config: &Config) -> Result<Arc<Numbers>, Failure> {
    let numbers = Numbers::new(&config.numbers).map_err(|error| Failure::config(causes(&error)))?;
    for channel in [Channel::Sms, Channel::Voice] {
        let countries = numbers.unpriced(channel).join(", ");
        if !countries.is_empty() {
            let channel = channel.name();
            tracing::warn!(
                channel,
                countries,
                "listed, and refused: a provider has no price"
            );
        }
    }
    Ok(Arc::new(numbers))
}

/// The verifier, its store found to be atomic and its own.
pub(crate) async fn verifier(
    config: &Config,
    first: FirstStart,
    deliverers: &Deliverers,
) -> Result<Verifier, Failure> {
    let keys = keys(config, first)?;
    let numbers = numbers(config)?;
    let store = store::open(config, first).await?;
    let mut builder = Verifier::builder(keys, store)
        .policy(config.policy.clone())
        .number_plan(numbers)
        .observer(Arc::new(DryRun::new()));
    for (to, code) in &config.test_destinations {
        let code = Code::from_custom(code.reveal());
        let code = code.map_err(|error| Failure::runtime("test_destination", &error))?;
        builder = builder.test_destination(to.clone(), code);
    }
    let verifier = deliverers
        .install(builder)
        .build()
        .map_err(|error| wrong_store(&error))?;
    let probed = match first {
        FirstStart::Make => verifier.probe().await,
        // What claims a fresh store is a server, not somebody who tries a secret on it.
        FirstStart::Refuse => verifier.probe_as_a_guest().await,
    };
    probed.map_err(|error| wrong_store(&error))?;
    Ok(verifier)
}

fn wrong_store(error: &BuildError) -> Failure {
    match error {
        BuildError::ForeignStore => Failure::config(
            "secret_file: the store was used with another pseudonym key, and with this one every \
             limit would be forgotten: bring the old secret file back, or name a fresh store.url",
        ),
        BuildError::Policy(error) => Failure::config(error.to_string()),
        other => Failure::Runtime(format!("store.url: {}", causes(other))),
    }
}

/// The calls. Who asks a proxy for a code is counted as the proxy says, where the
/// configuration says that people, and not auth servers, are behind it.
pub(crate) fn api(config: &Config, verifier: Verifier) -> Api {
    let api = Api::new(verifier)
        .failure_alarm(config.failure_alarm)
        .waiting_reports(for_reports(config.max_in_flight));
    if config.trusted_proxies_name_end_users {
        api.end_user_from_proxies(TrustedProxies::new(config.trusted_proxies.clone()))
    } else {
        api
    }
}

/// The API keys, with those of the configuration and `extra` ones of this process.
pub(crate) fn api_keys(config: &Config, verifier: Verifier, extra: Vec<StaticKey>) -> ApiKeys {
    let configured = config
        .api_keys
        .iter()
        .map(|key| StaticKey::new(key.tenant.clone(), scopes(&key.scopes), key.sha256));
    ApiKeys::builder(verifier)
        .static_keys(configured.chain(extra))
        .trusted_proxies(TrustedProxies::new(config.trusted_proxies.clone()))
        .build()
}

/// The scopes of these names.
pub(crate) fn scopes(names: &[String]) -> Scopes {
    names
        .iter()
        .filter_map(|name| Scope::from_name(name))
        .collect()
}

/// What verifies dashboard tokens, and signs them where the secret is known.
pub(crate) fn jwt(config: &Config, first: FirstStart) -> Result<JwtVerifier, Failure> {
    let wrong = |field: &str, error: &dyn std::error::Error| {
        Failure::config(format!("jwt.{field}: {}", causes(error)))
    };
    let verifier = match &config.jwt.key {
        JwtKey::Hs256(secret) => JwtVerifier::hs256(secret.reveal().as_bytes())
            .map_err(|error| wrong("hs256_secret", &error))?,
        JwtKey::EdDsa(path) => {
            let pem = std::fs::read_to_string(path).map_err(|error| {
                Failure::config(format!(
                    "jwt.public_key_file: cannot read {}: {error}",
                    called(path)
                ))
            })?;
            JwtVerifier::eddsa(&pem).map_err(|error| wrong("public_key_file", &error))?
        }
        JwtKey::Made(path) => {
            let secret = made_secret(config, path, first)?;
            JwtVerifier::hs256(secret.reveal().as_bytes())
                .map_err(|error| wrong("hs256_secret_file", &error))?
        }
    };
    Ok(verifier
        .audience(&config.jwt.audience)
        .tenant_claim(&config.jwt.tenant_claim))
}

/// The token secret beside the master keys, made at the first start; a memory store's
/// lives as long as its process.
fn made_secret(config: &Config, path: &Path, first: FirstStart) -> Result<SecretText, Failure> {
    if !path.exists() {
        if first == FirstStart::Refuse {
            return Err(Failure::config(
                "jwt: there is no jwt-secret beside secret_file: run this where the server runs, \
                 or set jwt.hs256_secret_file",
            ));
        }
        if config.store.url.is_shared() {
            return Err(Failure::config(format!(
                "jwt: no token secret is given, and none is made, for every server on {} needs \
                 the same: set jwt.hs256_secret_file or jwt.public_key_file",
                config.store.url
            )));
        }
        let fresh = secrets::generate_text()
            .map_err(|error| Failure::runtime("cannot make a token secret", &error))?;
        if config.store.url.is_memory() {
            return Ok(SecretText::new(fresh.as_str().to_owned()));
        }
        private_file::make(path, &format!("{}\n", fresh.as_str())).map_err(|error| {
            Failure::config(format!(
                "jwt: cannot make jwt-secret beside secret_file: {error}"
            ))
        })?;
    }
    private_file::warn_if_open(path);
    Ok(SecretText::read("jwt.hs256_secret_file", path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channels(text: &str) -> Vec<Channel> {
        let config = Config::of(text).unwrap();
        Deliverers::over(&config, built(&config)).channels()
    }

    /// What can be built of it.
    fn built(config: &Config) -> Vec<(Channel, Part)> {
        let messages = messages(config).unwrap();
        let named = Deliverers::named(config);
        let part = |(channel, provider)| {
            let part = Part::build(provider, channel, config, &messages);
            part.ok().map(|part| (channel, part))
        };
        named.filter_map(part).collect()
    }

    #[test]
    fn the_console_takes_every_channel_only_while_none_is_configured() {
        assert_eq!(channels("").len(), 3);
        assert_eq!(channels("[email]\nvia = [\"console\"]"), [Channel::Email]);
        assert_eq!(channels("[email]\nvia = [\"smtp\"]"), []);
    }

    #[test]
    fn a_deliverer_that_is_named_and_not_configured_says_what_to_set() {
        for (section, expected) in [
            ("", "smtp.url is not set"),
            ("[smtp]\nfrom = \"a@example.com\"", "smtp.url is not set"),
            ("[smtp]\nurl = \"smtp://127.0.0.1\"", "smtp.from is not set"),
            (
                "[smtp]\nurl = \"smtp://u@127.0.0.1\"\nfrom = \"a@example.com\"",
                "set password_file",
            ),
        ] {
            let config = Config::of(&format!("[email]\nvia = [\"smtp\"]\n{section}")).unwrap();
            let messages = messages(&config).unwrap();
            let refused = Deliverers::of(&config, &messages).map(drop);
            let sentence = refused.unwrap_err().to_string();
            assert!(sentence.contains(expected), "{sentence}");
        }
    }

    /// `from` in the same section is for SMS.
    #[test]
    fn a_caller_that_is_no_number_is_told_by_its_own_key() {
        let config = Config::of(
            "[voice]\nvia = [\"vonage\"]\n[vonage]\nprivate_key = \"…\"\n\
             application_id = \"aaaaaaaa-bbbb-cccc-dddd-0123456789ab\"\n\
             from = \"Example\"\nvoice_from = \"Example\"",
        )
        .unwrap();
        let refused = Deliverers::of(&config, &messages(&config).unwrap()).map(drop);
        let sentence = refused.unwrap_err().to_string();
        assert!(sentence.contains("vonage voice_from: "), "{sentence}");
    }

    /// As it is with a variable that was filled from the file instead of with its name.
    #[tokio::test]
    async fn a_secret_in_the_place_of_its_file_is_not_shown() {
        let of = |text: &str| Config::of(text).unwrap();
        let shared = "[store]\nurl = \"redis://127.0.0.1:1\"";
        let secret_file = of(&format!("secret_file = \"s3cret\"\n{shared}"));
        let public_key = of("[jwt]\npublic_key_file = \"s3cret\"");
        let ca = of(&format!("{shared}\nca_file = \"s3cret\""));
        for (field, refused) in [
            (
                "secret_file",
                keys(&secret_file, FirstStart::Make).map(drop),
            ),
            (
                "secret_file",
                Secrets::open(Path::new("s3cret"), false).map(drop),
            ),
            (
                "jwt.public_key_file",
                jwt(&public_key, FirstStart::Make).map(drop),
            ),
            ("store.ca_file", fence(&ca.store).await),
        ] {
            let said = refused.unwrap_err().to_string();
            assert!(said.starts_with(&format!("{field}: ")), "{said}");
            assert!(!said.contains("s3cret"), "{said}");
        }
    }

    #[tokio::test]
    async fn a_look_with_a_wrong_secret_does_not_shut_the_right_one_out() {
        let folder = tempfile::tempdir().unwrap();
        let of = |secret: &str| {
            let (secret, store) = (folder.path().join(secret), folder.path().join("db"));
            let text = "secret_file = {:?}\n[store]\nurl = \"sqlite:{}\"";
            let text = text.replacen("{:?}", &format!("{secret:?}"), 1);
            Config::of(&text.replacen("{}", &store.display().to_string(), 1)).unwrap()
        };
        let (right, wrong) = (of("right"), of("wrong"));
        for config in [&right, &wrong] {
            keys(config, FirstStart::Make).map(drop).unwrap();
        }
        // A fresh store that is there, as a shared one is.
        store::open(&right, FirstStart::Make)
            .await
            .map(drop)
            .unwrap();
        let nobody = Deliverers::default();
        let with = async |config, first| {
            let opened = verifier(config, first, &nobody).await;
            opened.map(drop).map_err(|error| error.to_string())
        };
        with(&wrong, FirstStart::Refuse).await.unwrap();
        with(&right, FirstStart::Make).await.unwrap();
        let told = with(&wrong, FirstStart::Refuse).await.unwrap_err();
        assert!(told.contains("another pseudonym key"), "{told}");
    }

    #[tokio::test]
    async fn a_store_of_other_secrets_stops_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("data/secret");
        let text = format!(
            "secret_file = \"{}\"\n[store]\nurl = \"sqlite:{}\"",
            secret.display(),
            folder.path().join("data/countersign.db").display()
        );
        let config = Config::of(&text).unwrap();
        let untouched = verifier(&config, FirstStart::Refuse, &Deliverers::default()).await;
        assert!(
            untouched.is_err() && !secret.exists(),
            "a look makes nothing"
        );
        verifier(&config, FirstStart::Make, &Deliverers::default())
            .await
            .map(drop)
            .unwrap();
        verifier(&config, FirstStart::Refuse, &Deliverers::default())
            .await
            .map(drop)
            .unwrap();
        std::fs::remove_file(&secret).unwrap();
        let refused = verifier(&config, FirstStart::Make, &Deliverers::default())
            .await
            .map(drop);
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("another pseudonym key")
        );
    }
}
