//! An operator's check: the account's balance, which costs nothing to ask
//! (`GET /account/get-balance`, `developer.vonage.com/en/api/account`).

use countersign_provider::{Answer, CheckError, Request, Settings};
use serde::Deserialize;

use super::Vonage;
use super::config::Login;

const SETTINGS: Settings = Settings {
    provider: "vonage",
    address: "base_url",
    login: "api_key and api_secret",
};

/// Whoever answers so speaks this API. The number itself is nobody's business here.
#[derive(Deserialize)]
struct Balance {
    #[serde(rename = "value")]
    _euros: f64,
}

impl Vonage {
    /// Logs in, and sends nothing: for an operator's check of the configuration.
    ///
    /// # Errors
    /// [`CheckError`] says in one sentence what is wrong and what to set;
    /// [`CheckError::NoQuestion`] where messages are signed, for the account's API takes
    /// its secret and nothing else.
    pub async fn check(&self) -> Result<(), CheckError> {
        let Login::Secret(secret) = &self.login else {
            return Err(CheckError::NoQuestion(SETTINGS));
        };
        let request = Request::get("/account/get-balance").basic(&self.api_key, secret);
        let answer = self.client.send(request).await;
        let well = |answer: &Answer| answer.is_success() && answer.json::<Balance>().is_some();
        SETTINGS.judge(&answer, well, &[401, 403])
    }
}
