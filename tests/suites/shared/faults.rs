//! Every point at which an operation's network can fail.

use std::future::Future;

use countersign::Destination;

use super::site::Site;
use super::store::Kind;
use crate::parts::ledger::{From, note};
use crate::parts::long::long;
use crate::parts::proxy::{Counts, End, Fault, Way};

/// A fault, and which of an operation's requests it strikes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    nth: u64,
    fault: Fault,
}

const FAULTS: [Fault; 8] = [
    Fault::CutBefore(End::Close),
    Fault::CutBefore(End::Reset),
    Fault::CutAfter(End::Close),
    Fault::CutAfter(End::Reset),
    Fault::Hold,
    Fault::Swallow(Way::ToServer),
    Fault::Swallow(Way::ToClient),
    Fault::Swallow(Way::Both),
];

/// Cuts within the replies from each request on: at each of the first bytes, which tell
/// most, and so many further on; at every byte in the long suite.
const FIRST_BYTES: u64 = 6;
const CUTS_WITHIN: u64 = 12;

/// Each fault at each request of an operation of this extent, and cuts all along the
/// bytes of its replies, the last of them behind the whole reply.
pub(crate) fn plans(extent: Counts) -> Vec<Plan> {
    let bytes = extent.to_client;
    let step = if long() {
        1
    } else {
        bytes.div_ceil(CUTS_WITHIN)
    };
    let further = (FIRST_BYTES..bytes).step_by(usize::try_from(step).expect("a few bytes"));
    let within = (0..FIRST_BYTES).chain(further).chain([bytes]).map(|after| {
        let after = usize::try_from(after).expect("a few bytes");
        Fault::CutWithin(after, End::Close)
    });
    let faults: Vec<_> = FAULTS.into_iter().chain(within).collect();
    let at = |nth| faults.iter().map(move |fault| Plan { nth, fault: *fault });
    (1..=extent.requests).flat_map(at).collect()
}

/// What an operation asks of the network when nothing fails: the least of so many, since on a
/// busy machine a few in a row may have said a request in pieces.
pub(crate) async fn extent_of<T>(
    site: &Site,
    what: &str,
    times: usize,
    operation: impl AsyncFn() -> T,
) -> Counts {
    let mut least: Option<Counts> = None;
    for _ in 0..times {
        let before = site.net.counts();
        operation().await;
        let after = site.net.counts();
        let extent = Counts {
            connections: after.connections - before.connections,
            requests: after.requests - before.requests,
            to_server: after.to_server - before.to_server,
            to_client: after.to_client - before.to_client,
        };
        if least.is_none_or(|least| extent.requests < least.requests) {
            least = Some(extent);
        }
    }
    let least = least.expect("there were some");
    let Counts {
        requests,
        to_client,
        ..
    } = least;
    assert!(requests > 0, "{}: nothing is asked", site.kind);
    println!(
        "{}: {what} is {requests} requests, {to_client} bytes back",
        site.kind
    );
    least
}

/// What came of many faults.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) faults: u32,
    /// Operations that did without the request that was to be struck.
    pub(crate) missed: u32,
    /// Operations that were answered all the same.
    pub(crate) answered: u32,
    /// Operations whose outcome the caller was not told.
    pub(crate) unknown: u32,
    /// Calls until the verifier served again, at most.
    pub(crate) back_in: u32,
}

impl Tally {
    /// An operation about `to` under a fault, after which everything is mended.
    pub(crate) async fn under<T, E>(
        &mut self,
        site: &Site,
        plan: Plan,
        to: &Destination,
        operation: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let before = site.net.struck();
        site.net.strike(plan.nth, plan.fault);
        let answer = operation.await;
        self.faults += 1;
        self.missed += u32::from(site.net.struck() == before);
        match answer {
            Ok(_) => self.answered += 1,
            Err(_) => self.unknown += 1,
        }
        self.back_in = site.mended(to).await.max(self.back_in);
        answer
    }

    /// Prints a row's figures; enough of the faults must have struck.
    pub(crate) fn tell(&self, kind: Kind, row: &str) {
        let Self {
            faults,
            missed,
            answered,
            unknown,
            back_in,
        } = self;
        assert!(
            missed * 10 <= *faults,
            "{kind}, {row}: {missed} of {faults} struck nothing"
        );
        note(
            row,
            &kind.to_string(),
            From::Inside,
            &format!("{faults} faults of the network"),
            &format!("{answered} answered, {unknown} left in doubt, no law broken"),
        );
        println!(
            "{kind}: {row}: {faults} faults ({missed} missed): {answered} answered, \
             {unknown} unknown, back in {back_in} calls at most"
        );
    }
}
