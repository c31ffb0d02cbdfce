//! Which server a key lives on: always the same one, the sentinels' master, or the owner
//! of the key's slot.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::{Value, cmd};

use crate::address::{Address, Endpoint, Kind};
use crate::error::{Error, Fault};
use crate::link::Dialer;
use crate::node::Node;
use crate::row::SLOTS;

/// The servers, and who serves what.
pub(crate) struct Routes {
    kind: Kind,
    seeds: Vec<Endpoint>,
    dialer: Arc<Dialer>,
    /// Sentinels may have a login of their own.
    sentinels: Dialer,
    fence: bool,
    seats: usize,
    map: Mutex<Map>,
    /// One at a time asks for the way.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Map {
    ranges: Vec<(RangeInclusive<u16>, Endpoint)>,
    nodes: HashMap<Endpoint, Arc<Node>>,
}

impl Routes {
    pub(crate) fn new(
        address: &Address,
        dialer: Dialer,
        sentinels: Dialer,
        fence: bool,
        seats: usize,
    ) -> Self {
        Self {
            kind: address.kind.clone(),
            seeds: address.seeds.clone(),
            dialer: Arc::new(dialer),
            sentinels,
            fence,
            seats,
            map: Mutex::default(),
            asking: tokio::sync::Mutex::new(()),
        }
    }

    /// Whether there is more than one server to be asked.
    pub(crate) fn is_single(&self) -> bool {
        self.kind == Kind::Single
    }

    /// Whether keys are spread over servers.
    pub(crate) fn is_cluster(&self) -> bool {
        self.kind == Kind::Cluster
    }

    /// The server that takes writes for this slot.
    pub(crate) async fn owner(&self, slot: u16) -> Result<Arc<Node>, Error> {
        if let Some(node) = self.known(slot) {
            return Ok(node);
        }
        // Else all who wait would ask one after the other, long after anybody wants to know.
        let asking = tokio::time::timeout(self.dialer.timeout, self.asking.lock()).await;
        let _one = asking.map_err(|_| Error::NoWay(self.dialer.timeout))?;
        if let Some(node) = self.known(slot) {
            return Ok(node);
        }
        let ranges = self.discover().await?;
        self.map().ranges = ranges;
        self.known(slot).ok_or(Error::NoOwner)
    }

    /// Every server that takes writes.
    pub(crate) async fn masters(&self) -> Result<Vec<Arc<Node>>, Error> {
        let ranges = self.discover().await?;
        let mut masters: Vec<Endpoint> = Vec::new();
        for (_, endpoint) in &ranges {
            if !masters.contains(endpoint) {
                masters.push(endpoint.clone());
            }
        }
        self.map().ranges = ranges;
        Ok(masters.into_iter().map(|one| self.node(&one)).collect())
    }

    /// The server at this end, whatever it serves.
    pub(crate) fn node(&self, endpoint: &Endpoint) -> Arc<Node> {
        let mut map = self.map();
        let node = map.nodes.entry(endpoint.clone()).or_insert_with(|| {
            let dialer = Arc::clone(&self.dialer);
            Arc::new(Node::new(endpoint.clone(), dialer, self.fence, self.seats))
        });
        Arc::clone(node)
    }

    /// What was known of this server's part is asked for again, by whoever needs it next; who
    /// needs another's goes on.
    pub(crate) fn doubt(&self, endpoint: &Endpoint) {
        let mut map = self.map();
        map.ranges.retain(|(_, owner)| owner != endpoint);
    }

    fn known(&self, slot: u16) -> Option<Arc<Node>> {
        let endpoint = {
            let map = self.map();
            let mut ranges = map.ranges.iter();
            ranges.find(|(range, _)| range.contains(&slot))?.1.clone()
        };
        Some(self.node(&endpoint))
    }

    async fn discover(&self) -> Result<Vec<(RangeInclusive<u16>, Endpoint)>, Error> {
        let whole = |endpoint| vec![(0..=SLOTS - 1, endpoint)];
        match &self.kind {
            Kind::Single => Ok(self.seeds.first().cloned().map(whole).unwrap_or_default()),
            Kind::Sentinel(name) => self.ask_sentinels(name).await.map(whole),
            Kind::Cluster => self.ask_cluster().await,
        }
    }

    async fn ask_sentinels(&self, name: &str) -> Result<Endpoint, Error> {
        let mut last = Error::UnknownMaster;
        for sentinel in &self.seeds {
            match self.ask_sentinel(sentinel, name).await {
                Ok(master) => return Ok(master),
                Err(error) => last = error,
            }
        }
        Err(Error::NoMaster(name.to_owned(), Box::new(last)))
    }

    async fn ask_sentinel(&self, sentinel: &Endpoint, name: &str) -> Result<Endpoint, Error> {
        let link = self.sentinels.dial(sentinel).await?;
        let mut question = cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
        let mut questions = redis::Pipeline::new();
        questions.add_command(question);
        let answer = match link.send(&questions, 1).await {
            Ok(mut answers) => answers.pop().unwrap_or_default(),
            Err(Fault::Undone(error) | Fault::Unknown(error)) => return Err(error),
        };
        match answer {
            Value::Nil => Err(Error::UnknownMaster),
            Value::ServerError(error) => Err(Error::Refused {
                endpoint: sentinel.clone(),
                code: error.code().to_owned(),
            }),
            answer => {
                let (host, port): (String, u16) = redis::from_redis_value(answer)
                    .map_err(|_| Error::Protocol(sentinel.clone()))?;
                Ok(Endpoint::new(host, port))
            }
        }
    }

    /// The nodes that are known, those that nobody doubts first: one that is gone costs a
    /// time-out. Then those of the URL.
    fn ends(&self) -> Vec<Endpoint> {
        let map = self.map();
        let mut ends: Vec<Endpoint> = map.nodes.keys().cloned().collect();
        ends.sort_by_key(|end| map.ranges.iter().all(|(_, owner)| owner != end));
        drop(map);
        ends.extend(self.seeds.iter().cloned());
        ends
    }

    async fn ask_cluster(&self) -> Result<Vec<(RangeInclusive<u16>, Endpoint)>, Error> {
        let ends = self.ends();
        let mut last = Error::NoOwner;
        for endpoint in ends {
            let mut question = cmd("CLUSTER");
            match self.node(&endpoint).ask(question.arg("SLOTS")).await {
                Ok(answer) => match read_slots(answer, &endpoint) {
                    Some(ranges) if !ranges.is_empty() => return Ok(ranges),
                    Some(_) => {}
                    None => last = Error::Protocol(endpoint),
                },
                Err(error) => {
                    // Nodes that have left the cluster are not asked for ever.
                    self.map().nodes.remove(&endpoint);
                    last = error;
                }
            }
        }
        Err(last)
    }

    /// Poisoned by nothing that runs under it.
    fn map(&self) -> MutexGuard<'_, Map> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads CLUSTER SLOTS: from, to, and the master's host and port first.
fn read_slots(answer: Value, asked: &Endpoint) -> Option<Vec<(RangeInclusive<u16>, Endpoint)>> {
    let Value::Array(rows) = answer else {
        return None;
    };
    let row = |row: Value| {
        let Value::Array(fields) = row else {
            return None;
        };
        let [from, to, master, ..] = fields.as_slice() else {
            return None;
        };
        let Value::Array(master) = master else {
            return None;
        };
        let host: Option<String> = redis::from_redis_value_ref(master.first()?).ok()?;
        // A node that does not know its own address leaves it out.
        let host = host.filter(|host| !host.is_empty() && host != "?");
        let host = host.unwrap_or_else(|| asked.host.clone());
        let port = redis::from_redis_value_ref(master.get(1)?).ok()?;
        let from: u16 = redis::from_redis_value_ref(from).ok()?;
        let to: u16 = redis::from_redis_value_ref(to).ok()?;
        Some((from..=to, Endpoint::new(host, port)))
    };
    rows.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::options::Options;

    fn cluster() -> Routes {
        let options = Options {
            timeout: Duration::from_millis(20),
            ..Options::default()
        };
        let address = Address::read("redis+cluster://127.0.0.1:1").unwrap();
        crate::routes(&address, &options).unwrap()
    }

    #[tokio::test]
    async fn nobody_waits_for_ever_for_one_who_asks_the_way() {
        let routes = cluster();
        let _asking = routes.asking.lock().await;
        let told = routes.owner(7).await.map(drop);
        assert!(matches!(told, Err(Error::NoWay(_))), "{told:?}");
    }

    #[tokio::test]
    async fn a_node_in_doubt_is_asked_last_and_takes_no_other_s_slots_away() {
        let routes = cluster();
        let [good, bad] = [7001, 7002].map(|port| Endpoint::new("127.0.0.1".to_owned(), port));
        routes.map().ranges = vec![(0..=99, bad.clone()), (100..=199, good.clone())];
        for end in [&bad, &good] {
            routes.node(end);
        }
        routes.doubt(&bad);
        assert!(routes.known(7).is_none() && routes.known(107).is_some());
        assert_eq!(routes.ends()[..2], [good, bad]);
    }
}
