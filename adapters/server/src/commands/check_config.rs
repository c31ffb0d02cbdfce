//! `countersign check-config`: connects to everything named, line by line.

use std::fmt::Write as _;

use countersign::{Channel, Destination, SendRequest, Tenant, Verifier};
use countersign_messages::Messages;

use super::cost;
use crate::cli::Unread;
use crate::config::{Config, ConfigError, Provider, StoreUrl};
use crate::console;
use crate::failure::{Failure, causes};
use crate::wiring::{self, Deliverers, FirstStart, Part};

/// Whose message a trial is, in limits and logs.
const TRIAL_TENANT: &str = "check-config";

/// Tries everything that is named and prints a line for each; fails if one failed.
pub(crate) async fn run(
    config: Result<Config, ConfigError>,
    send_to: Option<&Unread>,
    cost_of: Option<&Unread>,
) -> Result<(), Failure> {
    let mut report = Report::default();
    let Some(config) = report.note("configuration", config.map_err(|e| e.to_string()), |_| {
        "every key is known and makes sense".to_owned()
    })?
    else {
        return report.end();
    };
    report.note("console", sentence(console::permit(&config)), |()| {
        shown_where(&config)
    })?;
    let deliverers = deliverers(&mut report, &config).await?;
    report.note("jwt", token_key(&config), |text| (*text).to_owned())?;
    let numbers = sentence(wiring::numbers(&config));
    let used = |_: &_| "countries and prices can be used".to_owned();
    if let (Some(numbers), Some(number)) = (report.note("numbers", numbers, used)?, cost_of) {
        let told = cost::of(&numbers, number.text());
        let name = told.as_ref().map_or("cost", |(name, _)| name).to_owned();
        report.note(&name, told, |(_, told)| told.clone())?;
    }
    let verifier = store(&mut report, &config, &deliverers, send_to.is_some()).await?;
    if let (Some(to), Some(verifier)) = (send_to, verifier) {
        let read = verifier
            .read_any(to.text())
            .map_err(|error| error.to_string());
        let (name, sent) = match read {
            Ok(to) => (
                format!("send to {}", to.masked()),
                send(&verifier, &to).await,
            ),
            Err(problem) => ("send".to_owned(), Err(problem)),
        };
        report.note(&name, sent, |channel| {
            format!("a {} code was taken for delivery", channel.name())
        })?;
    }
    report.end()
}

/// The lines so far.
#[derive(Default)]
struct Report {
    failed: usize,
}

impl Report {
    /// Prints what came of `name`, and hands on what worked.
    fn note<T>(
        &mut self,
        name: &str,
        outcome: Result<T, String>,
        well: impl FnOnce(&T) -> String,
    ) -> Result<Option<T>, Failure> {
        match outcome {
            Ok(value) => {
                super::print(&format!("ok      {name}: {}\n", well(&value)))?;
                Ok(Some(value))
            }
            Err(problem) => {
                self.failed += 1;
                super::print(&format!("FAILED  {name}: {problem}\n"))?;
                Ok(None)
            }
        }
    }

    fn end(&self) -> Result<(), Failure> {
        match self.failed {
            0 => Ok(()),
            1 => Err(Failure::config("one line failed")),
            failed => Err(Failure::config(format!("{failed} lines failed"))),
        }
    }
}

fn sentence<T>(outcome: Result<T, Failure>) -> Result<T, String> {
    outcome.map_err(|failure| failure.to_string())
}

fn shown_where(config: &Config) -> String {
    let console = Provider::Console;
    let shown: Vec<_> = config
        .routes
        .iter()
        .filter(|route| route.via.contains(&console))
        .map(|route| route.channel.name())
        .collect();
    match shown.as_slice() {
        [] => "no codes are shown".to_owned(),
        shown => format!("{} codes are shown in the terminal", shown.join(", ")),
    }
}

/// Renders every template and logs in to every server that is named.
async fn deliverers(report: &mut Report, config: &Config) -> Result<Deliverers, Failure> {
    let messages = sentence(wiring::messages(config));
    let Some(messages) = report.note("messages", messages, |messages| words(messages))? else {
        return Ok(Deliverers::default());
    };
    let mut parts = Vec::new();
    for (channel, provider) in Deliverers::named(config) {
        let name = line(channel, provider);
        let asked = match Part::build(provider, channel, config, &messages) {
            Ok(part) => part.question.ask().await.map(|well| (well, part)),
            Err(failure) => Err(failure.to_string()),
        };
        if provider == Provider::Console {
            // Where codes are shown has a line of its own.
            parts.extend(asked.ok().map(|(_, part)| (channel, part)));
            continue;
        }
        let part = report.note(&name, asked, |(well, _)| (*well).to_owned())?;
        parts.extend(part.map(|(_, part)| (channel, part)));
    }
    Ok(Deliverers::over(config, parts))
}

/// Whose words there are, in which languages, and which SMS are paid for more than once.
fn words(messages: &Messages) -> String {
    let mut told = format!("{} in {}", messages.brand(), messages.locales().join(", "));
    for (locale, count) in messages.long_sms() {
        // Writing to a `String` cannot fail.
        let _ = write!(
            told,
            "; the SMS in {locale} takes {count} messages, and each is paid for"
        );
    }
    told
}

/// A provider's line: it may be there for several channels.
fn line(channel: Channel, provider: Provider) -> String {
    match provider {
        Provider::Smtp => "smtp".to_owned(),
        provider => format!("{} for {}", provider.name(), channel.name()),
    }
}

fn token_key(config: &Config) -> Result<&'static str, String> {
    use crate::config::JwtKey;
    match &config.jwt.key {
        JwtKey::Made(path) if !path.exists() => Ok("its secret is made at the first start"),
        JwtKey::EdDsa(_) => {
            sentence(wiring::jwt(config, FirstStart::Refuse)).map(|_| "tokens by EdDSA are taken")
        }
        _ => sentence(wiring::jwt(config, FirstStart::Refuse)).map(|_| "tokens by HS256 are taken"),
    }
}

/// Opens the secrets and the store. What a first start would make is not made here,
/// unless a message is to be sent.
async fn store(
    report: &mut Report,
    config: &Config,
    deliverers: &Deliverers,
    sends: bool,
) -> Result<Option<Verifier>, Failure> {
    let fresh = match &config.store.url {
        StoreUrl::Sqlite(path) => !sends && !path.exists(),
        _ => false,
    };
    if fresh {
        let later = |(): &()| format!("{} is made at the first start", config.store.url);
        report.note("store", Ok(()), later)?;
        if config.secret_file.exists() {
            let keys = sentence(wiring::keys(config, FirstStart::Refuse));
            report.note("secret_file", keys, |_| "its keys can be used".to_owned())?;
        }
        return Ok(None);
    }
    let first = if sends {
        FirstStart::Make
    } else {
        FirstStart::Refuse
    };
    let verifier = sentence(wiring::verifier(config, first, deliverers).await);
    report.note("store", verifier, |verifier| {
        let survives = wiring::survives(verifier.store().durability());
        format!(
            "{} is atomic, its secrets fit, a write {survives}",
            config.store.url
        )
    })
}

async fn send(verifier: &Verifier, to: &Destination) -> Result<Channel, String> {
    let tenant = Tenant::new(TRIAL_TENANT).map_err(|error| error.to_string())?;
    let channel = Channel::ALL
        .into_iter()
        .find(|channel| to.is_reached_by(*channel))
        .ok_or("no channel reaches it")?;
    let request = SendRequest::new(&tenant, channel, to);
    match verifier.send(&request).await {
        Ok(sent) => {
            // Nobody is to check it.
            let id = sent.session_id.to_string();
            let _ = verifier.cancel(&tenant, &id).await;
            Ok(channel)
        }
        Err(error) => Err(causes(&error)),
    }
}
