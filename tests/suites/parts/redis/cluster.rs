//! Redis as a cluster.

use super::super::ports::free_port;
use super::{Redis, wait_until};

/// Nodes of a cluster, each with its part of the slots, without replicas.
pub(crate) struct RedisCluster {
    pub(crate) nodes: Vec<Redis>,
}

impl RedisCluster {
    pub(crate) fn start(nodes: u16) -> Self {
        Self::start_with(nodes, &[])
    }

    /// The same, with these arguments of each node over the defaults.
    pub(crate) fn start_with(nodes: u16, extra: &[&str]) -> Self {
        let buses: Vec<u16> = (0..nodes).map(|_| free_port()).collect();
        let start = |bus: &u16| {
            let bus = bus.to_string();
            let cluster = ["--cluster-enabled", "yes", "--cluster-port", &bus];
            Redis::start(&[&cluster, extra].concat())
        };
        let nodes: Vec<Redis> = buses.iter().map(start).collect();
        let share = 16_384 / nodes.len();
        for (n, node) in nodes.iter().enumerate() {
            let from = n * share;
            let to = if n + 1 == nodes.len() {
                16_383
            } else {
                from + share - 1
            };
            let epoch = (n + 1).to_string();
            node.cli(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]);
            node.cli(&[
                "CLUSTER",
                "ADDSLOTSRANGE",
                &from.to_string(),
                &to.to_string(),
            ]);
        }
        for (node, bus) in nodes.iter().zip(&buses).skip(1) {
            let (port, bus) = (node.port.to_string(), bus.to_string());
            nodes[0].cli(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
        }
        let cluster = Self { nodes };
        wait_until("the cluster is whole", || cluster.is_whole());
        cluster
    }

    /// Kills every node with -9, starts them again and waits until they agree.
    pub(crate) fn restart(&self) {
        self.nodes.iter().for_each(Redis::restart);
        wait_until("the cluster is whole again", || self.is_whole());
    }

    pub(crate) fn url(&self) -> String {
        let ends = self
            .nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port));
        format!("redis+cluster://{}", ends.collect::<Vec<_>>().join(","))
    }

    /// Moves the slots of these keys; the last one stays half-way, so that a call for it is
    /// sent on with ASK. Gives how many keys were moved.
    pub(crate) fn move_keys(from: &Redis, to: &Redis, names: &str) -> usize {
        let (source, target) = (from.cli(&["CLUSTER", "MYID"]), to.cli(&["CLUSTER", "MYID"]));
        let port = to.port.to_string();
        let names: Vec<_> = names.lines().collect();
        for (n, name) in names.iter().enumerate() {
            let slot = from.cli(&["CLUSTER", "KEYSLOT", name]);
            to.cli(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &source]);
            from.cli(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &target]);
            from.cli(&["MIGRATE", "127.0.0.1", &port, name, "0", "5000"]);
            if n + 1 < names.len() {
                for node in [to, from] {
                    node.cli(&["CLUSTER", "SETSLOT", &slot, "NODE", &target]);
                }
            }
        }
        names.len()
    }

    fn is_whole(&self) -> bool {
        let all = self.nodes.len().to_string();
        self.nodes.iter().all(|node| {
            let info = node.cli(&["CLUSTER", "INFO"]);
            info.contains("cluster_state:ok")
                && info.contains(&format!("cluster_known_nodes:{all}"))
        })
    }
}
