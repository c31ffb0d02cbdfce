//! `countersign reset`: unlocks a destination.

use crate::cli::Whose;
use crate::config::Config;
use crate::failure::Failure;
use crate::wiring::FirstStart;

/// Forgets failures, sends and locks; sessions stay.
pub(crate) async fn run(config: &Config, whose: &Whose) -> Result<(), Failure> {
    let verifier = super::beside_the_server(config, FirstStart::Refuse).await?;
    let (tenant, destination) = (&whose.tenant, super::destination(&verifier, whose)?);
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
