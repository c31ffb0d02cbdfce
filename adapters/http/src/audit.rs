//! What operators must be able to account for: one line each, done or not, with the
//! target `audit`, so that a filter can keep them apart and for longer.

use countersign::{Destination, Pending, Tenant, Verifier};

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

/// A send to a test destination, which reaches nobody and has a code that many know: a
/// warning, for in production there must be none.
pub(crate) fn of_test_send(tenant: &Tenant, to: &Destination, pending: &Pending) {
    if pending.is_test() {
        of_test("test_send", tenant, to);
    }
}

/// An approval of a test destination's session: whoever knew the fixed code got it.
pub(crate) fn of_test_approval(verifier: &Verifier, tenant: &Tenant, session_id: &str) {
    if let Some(to) = verifier.test_destination_of(tenant, session_id) {
        of_test("test_approval", tenant, to);
    }
}

fn of_test(operation: &'static str, tenant: &Tenant, to: &Destination) {
    let (tenant, destination, outcome) = (tenant.name(), to.masked(), DONE);
    tracing::warn!(target: "audit", operation, tenant, destination, outcome, "audited");
}

fn outcome<T>(done: &Result<T, Problem>) -> &'static str {
    done.as_ref()
        .map_or_else(|problem| problem.kind.name(), |_| DONE)
}
