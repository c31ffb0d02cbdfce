//! `status` and `cancel`: a session, as its owner sees it.

use std::sync::Arc;

use crate::answer::{StatusAnswer, answer};
use crate::api::{Api, Reply};
use crate::ask::Ask;
use crate::problem::Problem;

pub(crate) async fn status(api: Arc<Api>, ask: Ask) -> Result<Reply, Problem> {
    let view = api.verifier.status(&ask.tenant, &ask.subject).await?;
    let view = view.ok_or_else(Problem::unknown_session)?;
    let outcome = view.status();
    Ok(Reply::new(
        outcome,
        answer(&StatusAnswer::new(Some(ask.subject), &view)),
    ))
}

pub(crate) async fn cancel(api: Arc<Api>, ask: Ask) -> Result<Reply, Problem> {
    let view = api.verifier.cancel(&ask.tenant, &ask.subject).await?;
    let view = view.ok_or_else(Problem::unknown_session)?;
    let outcome = view.status();
    Ok(Reply::new(
        outcome,
        answer(&StatusAnswer::new(Some(ask.subject), &view)),
    ))
}
