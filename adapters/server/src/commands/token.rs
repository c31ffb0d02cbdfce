//! `countersign token`: a dashboard token, where its secret is known.

use std::time::Duration;

use countersign::Tenant;

use crate::config::Config;
use crate::failure::{Failure, causes};
use crate::wiring::{self, FirstStart};

/// Prints a token with which `tenant` can be activated.
pub(crate) fn print(
    config: &Config,
    tenant: &Tenant,
    lifetime_seconds: u32,
) -> Result<(), Failure> {
    let jwt = wiring::jwt(config, FirstStart::Refuse)?;
    let token = jwt
        .sign(tenant, Duration::from_secs(lifetime_seconds.into()))
        .map_err(|error| Failure::config(format!("jwt: {}", causes(&error))))?;
    super::print(&format!("{token}\n"))
}
