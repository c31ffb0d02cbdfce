//! `countersign fence`: ends every open session of the store.

use crate::config::Config;
use crate::failure::Failure;
use crate::wiring;

/// Renews the stored generation.
pub(crate) async fn run(config: &Config) -> Result<(), Failure> {
    let fenced = wiring::fence(&config.store).await;
    let outcome = super::outcome(&fenced);
    tracing::info!(
        target: "audit", operation = "fence", store = %config.store.url, outcome, "audited"
    );
    fenced?;
    super::print("every open session was ended; codes in flight must be requested again\n")
}
