//! What is counted, by names that dashboards may rely on. No label holds a
//! destination, a tenant or anything else that a caller chose.

use std::time::Duration;

use countersign::{Channel, LimitName, Observer, StoreError, Verdict};
use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

pub(crate) const SENDS: &str = "countersign_sends_total";
pub(crate) const CHECKS: &str = "countersign_checks_total";
pub(crate) const REQUESTS: &str = "countersign_request_seconds";
pub(crate) const STORE_ERRORS: &str = "countersign_store_errors_total";
pub(crate) const DELIVERIES: &str = "countersign_delivery_seconds";
pub(crate) const REPORTS: &str = "countersign_reports_total";
pub(crate) const AUTH_FAILURES: &str = "countersign_auth_failures_total";
pub(crate) const WOULD_REFUSE: &str = "countersign_would_refuse_total";

/// Describes every metric to the recorder that is installed. Call it once, after
/// installing one.
pub fn describe_metrics() {
    describe_counter!(SENDS, "Sends and resends, by channel and outcome");
    describe_counter!(CHECKS, "Checks, by verdict");
    describe_histogram!(
        REQUESTS,
        Unit::Seconds,
        "Time to answer a call, by call and status"
    );
    describe_counter!(STORE_ERRORS, "Failed store operations, by kind of error");
    describe_histogram!(
        DELIVERIES,
        Unit::Seconds,
        "Time that deliverers took, by channel"
    );
    describe_counter!(REPORTS, "Delivery reports, by provider and outcome");
    describe_counter!(
        AUTH_FAILURES,
        "Requests without a valid key or token, by kind"
    );
    describe_counter!(
        WOULD_REFUSE,
        "Messages that limits in a dry run would have refused, by limit"
    );
}

/// Counts and logs what limits in a dry run would have refused: give it to
/// [`Builder::observer`](countersign::Builder::observer).
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct DryRun;

impl DryRun {
    /// The observer.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Observer for DryRun {
    /// The prefix is in the log only: as a label it would make a series for each.
    fn would_refuse(&self, limit: LimitName, prefix: Option<&str>) {
        let limit = limit.as_str();
        counter!(WOULD_REFUSE, "limit" => limit).increment(1);
        tracing::info!(limit, prefix, "a dry run would have refused a message");
    }
}

pub(crate) fn sent(channel: Channel, outcome: &'static str) {
    counter!(SENDS, "channel" => channel.name(), "outcome" => outcome).increment(1);
}

pub(crate) fn checked(verdict: &Verdict) {
    counter!(CHECKS, "verdict" => verdict.reason()).increment(1);
}

pub(crate) fn answered(call: &'static str, status: u16, took: Duration) {
    histogram!(REQUESTS, "call" => call, "status" => status.to_string()).record(took);
}

pub(crate) fn delivered(channel: Channel, took: Duration) {
    histogram!(DELIVERIES, "channel" => channel.name()).record(took);
}

/// `provider` is one of the configured names, never what a path said.
pub(crate) fn reported(provider: &str, outcome: &'static str) {
    counter!(REPORTS, "provider" => provider.to_owned(), "outcome" => outcome).increment(1);
}

pub(crate) fn auth_failed(kind: &'static str) {
    counter!(AUTH_FAILURES, "kind" => kind).increment(1);
}

pub(crate) fn store_error(error: &StoreError) {
    let kind = match error {
        StoreError::Unavailable { .. } => "unavailable",
        StoreError::Indeterminate { .. } => "indeterminate",
        StoreError::Contended => "contended",
        StoreError::Corrupt(_) => "corrupt",
        _ => "unsupported",
    };
    counter!(STORE_ERRORS, "kind" => kind).increment(1);
}
