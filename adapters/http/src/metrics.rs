//! What is counted, by names that dashboards may rely on. No label holds a
//! destination, a tenant or anything else that a caller chose.

use std::cell::RefCell;
use std::time::Duration;

use countersign::{Channel, LimitName, Observer, StoreError, Verdict};
use metrics::{
    Key, Label, Metadata, Unit, counter, describe_counter, describe_histogram, histogram,
    with_recorder,
};

pub(crate) const SENDS: &str = "countersign_sends_total";
pub(crate) const CHECKS: &str = "countersign_checks_total";
pub(crate) const REQUESTS: &str = "countersign_request_seconds";
pub(crate) const STORE_ERRORS: &str = "countersign_store_errors_total";
pub(crate) const DELIVERIES: &str = "countersign_delivery_seconds";
pub(crate) const REPORTS: &str = "countersign_reports_total";
pub(crate) const AUTH_FAILURES: &str = "countersign_auth_failures_total";
pub(crate) const WOULD_REFUSE: &str = "countersign_would_refuse_total";
pub(crate) const FAILURE_ALARMS: &str = "countersign_failure_alarms_total";

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
    describe_counter!(
        FAILURE_ALARMS,
        "Alarms about guesses that fail over all destinations, one a minute at most"
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
    let verdict = verdict.reason();
    let labels = || vec![Label::from_static_parts("verdict", verdict)];
    let count = |key: &Key| with_recorder(|to| to.register_counter(key, &HERE)).increment(1);
    with_key((CHECKS, verdict, 0), labels, count);
}

pub(crate) fn answered(call: &'static str, status: u16, took: Duration) {
    let labels = || {
        let status = Label::new("status", status.to_string());
        vec![Label::from_static_parts("call", call), status]
    };
    let record = |key: &Key| with_recorder(|to| to.register_histogram(key, &HERE)).record(took);
    with_key((REQUESTS, call, status), labels, record);
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

pub(crate) fn failure_alarm() {
    counter!(FAILURE_ALARMS).increment(1);
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

/// Where these metrics come from, as the macros of `metrics` say it.
const HERE: Metadata<'static> =
    Metadata::new(module_path!(), metrics::Level::INFO, Some(module_path!()));

/// A metric's name, and the values of its labels.
type Labelled = (&'static str, &'static str, u16);

thread_local! {
    /// The keys of what every request counts. To make one takes three allocations and a
    /// hash, more than to count. They are few: labels hold words of ours only.
    static KEYS: RefCell<Vec<(Labelled, Key)>> = const { RefCell::new(Vec::new()) };
}

fn with_key(of: Labelled, labels: impl FnOnce() -> Vec<Label>, act: impl FnOnce(&Key)) {
    KEYS.with_borrow_mut(|keys| {
        if let Some((_, key)) = keys.iter().find(|(known, _)| *known == of) {
            return act(key);
        }
        let key = Key::from_parts(of.0, labels()).to_retained();
        act(&key);
        keys.push((of, key));
    });
}
