//! `countersign reset`: unlocks a destination, or a prefix of numbers.

use countersign::Verifier;

use crate::cli::{Reset, Unread, Whose};
use crate::config::Config;
use crate::failure::Failure;
use crate::wiring::FirstStart;

/// Forgets what stands in the way of a destination or of all numbers of one prefix.
pub(crate) async fn run(config: &Config, what: &Reset) -> Result<(), Failure> {
    let verifier = super::beside_the_server(config, FirstStart::Refuse).await?;
    match (&what.whose, &what.prefix_of) {
        (Some(whose), _) => destination(&verifier, whose).await,
        (None, Some(number)) => prefix(&verifier, number).await,
        (None, None) => Err(Failure::config(
            "name a destination, or a number by --prefix-of",
        )),
    }
}

/// Forgets failures, sends and locks; sessions stay.
async fn destination(verifier: &Verifier, whose: &Whose) -> Result<(), Failure> {
    let (tenant, destination) = (
        &whose.tenant,
        super::destination(verifier, &whose.destination)?,
    );
    let reset = verifier
        .reset(tenant, &destination)
        .await
        .map_err(|error| Failure::runtime("the destination may not have been reset", &error));
    let (masked, outcome) = (destination.masked(), super::outcome(&reset));
    tracing::info!(
        target: "audit",
        operation = "reset", tenant = tenant.name(), destination = masked, outcome, "audited"
    );
    reset?;
    super::print(&format!(
        "{masked} of tenant {} was reset: failures, sends and locks are forgotten\n",
        tenant.name()
    ))
}

/// Forgets what all tenants sent to the numbers of a prefix.
async fn prefix(verifier: &Verifier, number: &Unread) -> Result<(), Failure> {
    let number = super::destination(verifier, number)?;
    let reset = verifier
        .reset_prefix(&number)
        .await
        .map_err(|error| Failure::runtime("the prefix may not have been reset", &error));
    let prefix = reset.as_ref().ok().and_then(Option::as_deref);
    let outcome = super::outcome(&reset);
    tracing::info!(target: "audit", operation = "reset-prefix", prefix, outcome, "audited");
    match reset? {
        Some(prefix) => super::print(&format!(
            "prefix {prefix} was reset: what was sent there and how much of it was approved is \
             forgotten, of all tenants\n"
        )),
        None => Err(Failure::config(
            "the number is not served, so that nothing is counted for it: `countersign \
             check-config --cost-of NUMBER` says why",
        )),
    }
}
