//! `check`: one guess, one verdict.

use std::sync::Arc;

use countersign::CheckRequest;

use crate::answer::{CheckAnswer, answer};
use crate::api::{Api, Reply};
use crate::ask::Ask;
use crate::audit;
use crate::metrics;
use crate::problem::Problem;

pub(crate) async fn check(api: Arc<Api>, ask: Ask) -> Result<Reply, Problem> {
    let session_id = ask.values.text("session_id").unwrap_or_default();
    let code = ask.values.text("code").unwrap_or_default();
    let purpose = ask.purpose();
    let mut request = CheckRequest::new(&ask.tenant, session_id, code);
    request.purpose = purpose.as_ref();
    request.binding = ask.binding();
    request.attempt_id = ask.values.text("attempt_id");
    request.end_user_ip = ask.values.address("end_user_ip");
    let verdict = api.verifier.check(&request).await?;
    metrics::checked(&verdict);
    api.failures.note(&verdict);
    if verdict.is_verified() {
        audit::of_test_approval(&api.verifier, &ask.tenant, session_id);
    }
    let body = CheckAnswer::new(session_id, &verdict).ok_or_else(Problem::unknown_session)?;
    Ok(Reply::new(verdict.reason(), answer(&body)))
}
