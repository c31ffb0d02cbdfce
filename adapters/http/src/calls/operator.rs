//! `reset` and `destination`: for operators, and audited.

use std::sync::Arc;

use crate::answer::{DestinationAnswer, answer};
use crate::api::{Api, Reply};
use crate::ask::{self, Ask};
use crate::audit;
use crate::problem::Problem;

pub(crate) async fn reset(api: Arc<Api>, ask: Ask) -> Result<Reply, Problem> {
    let text = ask.values.text("to").unwrap_or_default();
    let to = ask::destination(&api.verifier, "to", text, None)?;
    let reset = api.verifier.reset(&ask.tenant, &to).await;
    let reset = reset.map_err(Problem::from);
    audit::of_destination("reset", &ask.tenant, &to, &reset);
    reset.map(|()| Reply::empty("reset"))
}

pub(crate) async fn destination(api: Arc<Api>, ask: Ask) -> Result<Reply, Problem> {
    let to = ask::destination(&api.verifier, "to", &ask.subject, None)?;
    let inspected = api.verifier.inspect(&ask.tenant, &to).await;
    let inspected = inspected.map_err(Problem::from);
    audit::of_destination("inspect", &ask.tenant, &to, &inspected);
    let inspection = inspected?;
    let id_of = |view: &_| Some(api.verifier.session_id(&ask.tenant, &to, view)?.to_string());
    Ok(Reply::new(
        "shown",
        answer(&DestinationAnswer::new(to.masked(), &inspection, id_of)),
    ))
}
