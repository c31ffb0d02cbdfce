//! What operators must be able to account for: one line each, done or not, with the
//! target `audit`, so that a filter can keep them apart and for longer.

use countersign::{Destination, Tenant};

use crate::problem::Problem;

/// The outcome of what was done; what was not has its problem's name.
const DONE: &str = "done";

/// An operation on a destination, which is shown masked.
pub(crate) fn of_destination<T>(
    operation: &'static str,
    tenant: &Tenant,
    to: &Destination,
    done: &Result<T, Problem>,
) {
    let (tenant, destination, outcome) = (tenant.name(), to.masked(), outcome(done));
    tracing::info!(target: "audit", operation, tenant, destination, outcome, "audited");
}

/// A key that was made, or was to be made; its name is not secret.
pub(crate) fn of_key<T>(
    operation: &'static str,
    tenant: &Tenant,
    kid: Option<&str>,
    done: &Result<T, Problem>,
) {
    let (tenant, outcome) = (tenant.name(), outcome(done));
    tracing::info!(target: "audit", operation, tenant, kid, outcome, "audited");
}

fn outcome<T>(done: &Result<T, Problem>) -> &'static str {
    done.as_ref()
        .map_or_else(|problem| problem.kind.name(), |_| DONE)
}
