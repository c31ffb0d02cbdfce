//! The network before all nodes of a store: a proxy each.

use crate::parts::proxy::{Counts, Fault, Proxy};

/// One proxy for each node. What is asked about one record goes to one of them.
pub(crate) struct Net(Vec<Proxy>);

impl Net {
    pub(crate) fn of(proxies: Vec<Proxy>) -> Self {
        Self(proxies)
    }

    /// Lets a fault strike the n-th request from now at a node, once there.
    pub(crate) fn strike(&self, nth: u64, fault: Fault) {
        self.0.iter().for_each(|proxy| proxy.strike(nth, fault));
    }

    /// The whole store is gone: connections end, and new ones are refused.
    pub(crate) async fn fail(&self) {
        for proxy in &self.0 {
            proxy.refuse().await;
            proxy.cut_all();
        }
    }

    /// Passes everything again, but for connections that are half-open.
    pub(crate) async fn mend(&self) {
        for proxy in &self.0 {
            proxy.mend().await;
        }
    }

    /// Requests that were struck so far.
    pub(crate) fn struck(&self) -> u64 {
        self.0.iter().map(Proxy::struck).sum()
    }

    /// What has passed at all nodes.
    pub(crate) fn counts(&self) -> Counts {
        let counts = self.0.iter().map(Proxy::counts);
        counts.fold(Counts::default(), |sum, node| Counts {
            connections: sum.connections + node.connections,
            requests: sum.requests + node.requests,
            to_server: sum.to_server + node.to_server,
            to_client: sum.to_client + node.to_client,
        })
    }
}
