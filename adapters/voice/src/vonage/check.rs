//! An operator's check: the application's calls so far, which cost nothing to list
//! (`GET /v1/calls`, `developer.vonage.com/en/api/voice`).

use countersign::DeliverError;
use countersign_provider::{Answer, CheckError, Request, Settings};
use serde::Deserialize;

use super::Vonage;

const SETTINGS: Settings = Settings {
    provider: "vonage",
    address: "voice_base_url",
    login: "application_id and private_key",
};

/// Whoever answers so speaks this API. Nothing of the list itself is kept.
#[derive(Deserialize)]
struct Calls {
    #[serde(rename = "count")]
    _count: u64,
}

impl Vonage {
    /// Logs in as the application, and calls nobody: for an operator's check of the
    /// configuration.
    ///
    /// # Errors
    /// [`CheckError`] says in one sentence what is wrong and what to set.
    pub async fn check(&self) -> Result<(), CheckError> {
        let answer = match self.signed(Request::get("/v1/calls")) {
            Some(request) => self.client.send(request).await,
            None => Err(DeliverError::transient()),
        };
        let well = |answer: &Answer| answer.is_success() && answer.json::<Calls>().is_some();
        SETTINGS.judge(&answer, well, &[401, 403])
    }
}
