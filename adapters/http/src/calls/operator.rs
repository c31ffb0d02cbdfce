//! `reset` and `destination`: for operators, and audited.

use crate::answer::{DestinationAnswer, answer};
use crate::api::{Api, Reply};
use crate::ask::{self, Ask};
use crate::problem::Problem;

pub(crate) async fn reset(api: Api, ask: Ask) -> Result<Reply, Problem> {
    let to = ask::destination("to", ask.values.text("to").unwrap_or_default(), None)?;
    api.verifier.reset(&ask.tenant, &to).await?;
    tracing::warn!(
        audit = true,
        "a destination's failures, sends and locks were reset"
    );
    Ok(Reply::empty("reset"))
}

pub(crate) async fn destination(api: Api, ask: Ask) -> Result<Reply, Problem> {
    let to = ask::destination("to", &ask.subject, None)?;
    let inspection = api.verifier.inspect(&ask.tenant, &to).await?;
    tracing::warn!(audit = true, "a destination was inspected");
    let id_of = |view: &_| Some(api.verifier.session_id(&ask.tenant, &to, view)?.to_string());
    Ok(Reply::new(
        "shown",
        answer(&DestinationAnswer::new(to.masked(), &inspection, id_of)),
    ))
}
