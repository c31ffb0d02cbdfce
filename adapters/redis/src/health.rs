//! What a server says of itself, and whether that will do.

use countersign::store::Durability;

use crate::address::Endpoint;
use crate::error::Error;

/// What matters of a server's settings.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    append_only: bool,
    /// `appendfsync`, and whether it is suspended while the log is rewritten; unknown when
    /// CONFIG is not permitted.
    sync: Option<(String, bool)>,
}

impl Health {
    /// Reads INFO, and CONFIG GET where it was permitted. A server that would throw values
    /// away, or is too old for functions, is refused. One that hides all this from its
    /// user is refused if there is a fence, which needs INFO too.
    pub(crate) fn read(
        endpoint: &Endpoint,
        info: Option<&str>,
        config: &[(String, String)],
        fence: bool,
    ) -> Result<Self, Error> {
        let Some(info) = info else {
            if fence {
                return Err(Error::NoWitness(endpoint.clone()));
            }
            let (append_only, sync) = (false, None);
            return Ok(Self { append_only, sync });
        };
        let version = field(info, "redis_version").unwrap_or_default();
        let major = version.split('.').next().unwrap_or_default();
        if major.parse::<u32>().is_ok_and(|major| major < 7) {
            return Err(Error::Old(endpoint.clone(), version.to_owned()));
        }
        let policy = field(info, "maxmemory_policy").unwrap_or("noeviction");
        if policy != "noeviction" {
            return Err(Error::Evicts(endpoint.clone(), policy.to_owned()));
        }
        let set = |name| config.iter().find(|(key, _)| key == name);
        Ok(Self {
            append_only: field(info, "aof_enabled") == Some("1"),
            sync: set("appendfsync").map(|(_, sync)| {
                let suspended = set("no-appendfsync-on-rewrite");
                (
                    sync.clone(),
                    suspended.is_some_and(|(_, value)| value == "yes"),
                )
            }),
        })
    }

    /// What one server alone keeps.
    ///
    /// Redis writes its log before it answers, and with `always` it also waits for the
    /// disk. With `everysec` it puts the write off while a sync is under way, and answers
    /// all the same: a kill may then lose what was acknowledged.
    pub(crate) fn durability(&self) -> Durability {
        match &self.sync {
            Some((sync, false)) if self.append_only && sync == "always" => Durability::PowerLoss,
            Some((sync, true)) if self.append_only && sync == "always" => Durability::Crash,
            _ => Durability::Forgetful,
        }
    }

    /// Whether the server has a log to read at its next start, as far as it tells.
    pub(crate) const fn is_logged(&self) -> bool {
        self.append_only
    }

    /// What the operator should know.
    pub(crate) fn warning(&self, endpoint: &Endpoint) -> Option<String> {
        (!self.append_only).then(|| {
            format!(
                "{endpoint} keeps no append-only file: a restart forgets the last guesses, sends \
                 and locks, API keys and who was activated. Run `CONFIG SET appendonly yes` and write `appendonly yes` in its \
                 redis.conf"
            )
        })
    }
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(info: &str, config: &[(&str, &str)]) -> Result<Health, String> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let config: Vec<_> = config.iter().map(owned).collect();
        let endpoint = Endpoint::new("h", 1);
        Health::read(&endpoint, Some(info), &config, true).map_err(|error| error.to_string())
    }

    #[test]
    fn an_old_server_is_refused_with_a_sentence() {
        let old = read(
            "redis_version:6.2.14\r\nmaxmemory_policy:noeviction\r\n",
            &[],
        );
        let said = old.unwrap_err();
        assert!(said.contains("6.2.14") && said.contains("7.0"), "{said}");
        for version in ["7.0.0", "7.2.4", "8.2.1", "255.255.255"] {
            let _ = read(&format!("redis_version:{version}\r\n"), &[]).unwrap();
        }
    }

    #[test]
    fn every_policy_that_evicts_is_refused_with_the_line_to_change() {
        for policy in [
            "allkeys-lru",
            "volatile-ttl",
            "volatile-lfu",
            "allkeys-random",
        ] {
            let said = read(
                &format!("redis_version:7.0.15\r\nmaxmemory_policy:{policy}\r\n"),
                &[],
            );
            let said = said.unwrap_err();
            assert!(
                said.contains("CONFIG SET maxmemory-policy noeviction"),
                "{said}"
            );
        }
    }

    #[test]
    fn only_what_is_synced_survives() {
        let aof = "redis_version:7.0.15\r\naof_enabled:1\r\n";
        let always = ("appendfsync", "always");
        let paused = ("no-appendfsync-on-rewrite", "yes");
        for (info, config, expected) in [
            (
                "redis_version:7.0.15\r\naof_enabled:0\r\n",
                vec![always],
                Durability::Forgetful,
            ),
            (aof, vec![], Durability::Forgetful),
            (
                aof,
                vec![("appendfsync", "everysec")],
                Durability::Forgetful,
            ),
            (aof, vec![always, paused], Durability::Crash),
            (aof, vec![always], Durability::PowerLoss),
        ] {
            assert_eq!(
                read(info, &config).unwrap().durability(),
                expected,
                "{config:?}"
            );
        }
    }

    #[test]
    fn a_hidden_witness_is_refused_unless_the_fence_is_off() {
        let endpoint = Endpoint::new("h", 1);
        let said = Health::read(&endpoint, None, &[], true)
            .unwrap_err()
            .to_string();
        assert!(said.contains("+info"), "{said}");
        let hidden = Health::read(&endpoint, None, &[], false).unwrap();
        assert_eq!(hidden.durability(), Durability::Forgetful);
    }
}
