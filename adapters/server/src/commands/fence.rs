//! `countersign fence`: ends every open session of the store.

use crate::config::Config;
use crate::failure::Failure;
use crate::wiring;

/// Renews the stored generation.
pub(crate) async fn run(config: &Config) -> Result<(), Failure> {
    let url = config.store.clone();
    let fenced = tokio::task::spawn_blocking(move || wiring::fence(&url)).await;
    fenced.map_err(|error| Failure::runtime("the fence was cut off", &error))??;
    tracing::info!(target: "audit", store = %config.store, "fence: every open session was ended");
    super::print("every open session was ended; codes in flight must be requested again\n")
}
