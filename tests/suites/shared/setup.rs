//! What the servers of a fleet are told: their configuration, but for their store.

use std::collections::HashMap;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::rows::hex;
use crate::parts::server::{Home, write_secret};

/// Who has a key in the configuration of a server whose memory no command can reach.
const TENANTS: &[&str] = &[
    "a01", "a02", "a04", "a06", "a07", "a08", "a09", "a10", "a11", "a12", "a13", "a14", "a15",
    "a16", "a17", "a18", "a19", "a20", "a21", "a23", "a34", "a43", "a44", "a45", "a47", "a48",
    "a49", "a50", "a52", "a56", "a63", "a64", "a68", "a69", "another", "soak",
];
pub(crate) const SCOPES: [&str; 3] = ["send", "check", "admin"];

/// What fleets differ in.
#[derive(Clone, Copy)]
pub(crate) struct Setup<'a> {
    /// Sections that say who delivers.
    pub(crate) delivery: &'a str,
    /// More keys of the policy.
    pub(crate) policy: &'a str,
    /// More keys of the store.
    pub(crate) store: &'a str,
    /// Whether `Fleet::wind` can move its clock.
    pub(crate) moves: bool,
}

impl Default for Setup<'_> {
    /// Codes are shown in the terminal.
    fn default() -> Self {
        Self {
            delivery: "[sms]\nvia = [\"console\"]\n[email]\nvia = [\"console\"]\n",
            policy: "",
            store: "",
            moves: false,
        }
    }
}

/// The same for all servers, but for their store. No pause between messages, so that a test can
/// resend; an alarm that no slowness of this machine puts off; everything else is the default.
pub(crate) fn configuration(
    setup: Setup<'_>,
    folder: &Path,
    keys: &HashMap<&str, String>,
) -> String {
    let secret = folder.join("secret");
    write_secret(&secret);
    let key = |(tenant, key): (&&str, &String)| {
        let hash = hex(&Sha256::digest(key.as_bytes()));
        format!("[[api_key]]\ntenant = \"{tenant}\"\nscopes = {SCOPES:?}\nsha256 = \"{hash}\"\n")
    };
    let keys = keys.iter().map(key).collect::<Vec<_>>().concat();
    let Setup {
        delivery, policy, ..
    } = setup;
    format!(
        "secret_file = \"{}\"\nfailure_alarm = \"100/1h\"\n\
         [jwt]\nhs256_secret = \"a secret of the test's own, of 32 bytes\"\n{delivery}\
         [policy]\nresend_cooldown_seconds = 0\nmax_sends = 10\n{policy}{keys}",
        secret.display()
    )
}

/// A key of each tenant, made in a folder of their own.
pub(crate) fn keys() -> HashMap<&'static str, String> {
    let home = Home::empty();
    TENANTS
        .iter()
        .map(|tenant| (*tenant, home.key(tenant, &SCOPES)))
        .collect()
}
