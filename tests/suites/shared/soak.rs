//! The soak: mixed load with faults throughout. No invariant breaks, and nothing grows.
//!
//! An ordinary run takes a few rounds; `COUNTERSIGN_SOAK_SECONDS` names how long each store
//! is kept at it otherwise, and only then it is asked whether anything grew, since a server
//! needs some minutes to have all the memory that it will have. It prints its seed.

use std::sync::Arc;
use std::time::Duration;

use countersign::Stopwatch;
use serde_json::{Value, json};

use super::caller::Caller;
use super::fleet::{Fleet, SERVERS, Weight};
use super::net::Net;
use super::setup::Setup;
use super::store::{Kind, Store};
use crate::parts::dice::Dice;
use crate::parts::ledger::{From, note};
use crate::parts::proxy::{End, Fault, Way};

/// People at once.
const PEOPLE: usize = 32;
/// Numbers that they share: what is kept about them is bounded.
const NUMBERS: usize = 512;
/// Windows so short that they open again and again: by the defaults every number would be
/// closed after some minutes, and the rest of the hour be refusals.
const LIMITS: &str = "destination_sends = [\"5/10s\"]\ndestination_failures = [\"10/10s\"]\n";
/// Rounds of an ordinary run.
const ROUNDS: u64 = 12;
/// A server is killed in every so many rounds.
const KILLS: u64 = 6;

const FAULTS: [Fault; 4] = [
    Fault::CutBefore(End::Reset),
    Fault::CutAfter(End::Close),
    Fault::Swallow(Way::ToClient),
    Fault::Hold,
];

/// What all that was told adds up to.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    calls: u64,
    sessions: u64,
    approvals: u64,
    compared: u64,
    /// Sessions whose attempts were used up.
    ended: u64,
    refused: u64,
    /// Calls of which nobody knows what became.
    unknown: u64,
}

/// How long each store is kept at it; none in an ordinary run.
fn seconds() -> Option<u64> {
    let asked = std::env::var("COUNTERSIGN_SOAK_SECONDS").ok()?;
    Some(
        asked
            .parse()
            .expect("COUNTERSIGN_SOAK_SECONDS is a number of seconds"),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_breaks_or_grows_in_a_servers_memory() {
    soak(Kind::Memory).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_breaks_or_grows_on_sqlite() {
    soak(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_breaks_or_grows_on_redis() {
    soak(Kind::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_breaks_or_grows_on_postgres() {
    soak(Kind::Postgres).await;
}

async fn soak(kind: Kind) {
    let clock = Stopwatch::start();
    let (mut fleet, net) = fleet_of(kind).await;
    let seed = Dice::seeded(0);
    let caller = Arc::new(fleet.tenant("soak"));
    let (mut sum, mut weights) = (Told::default(), Vec::new());
    let (mut faults, mut starts) = (0, 0);
    for round in 0.. {
        let over = match seconds() {
            Some(seconds) => clock.elapsed() >= Duration::from_secs(seconds),
            None => round == ROUNDS,
        };
        if over {
            break;
        }
        let mut dice = seed.of_round(round);
        if let Some(net) = &net {
            let nth = u64::try_from(1 + dice.below(200)).expect("it is small");
            net.strike(nth, FAULTS[dice.below(FAULTS.len())]);
        }
        let dies = kind != Kind::Memory && round % KILLS == KILLS - 1;
        let victim = dies.then(|| dice.below(SERVERS));
        let told = a_round(&mut fleet, &caller, &mut dice, victim).await;
        if let Some(net) = &net {
            net.mend().await;
        }
        // Over a whole network: a server that cannot reach its store says so and ends.
        if let Some(victim) = victim {
            fleet.restart(victim).await;
            starts += 1;
        }
        faults += u64::from(dies) + u64::from(net.is_some());
        sum.add(told);
        weights.push(fleet.weight());
        if round % 50 == 0 {
            println!("{kind}: round {round}, {sum:?}, {:?}", weights.last());
        }
    }
    assert!(
        sum.approvals > 0 && sum.compared > sum.approvals && sum.ended > 0,
        "{kind}: {sum:?}"
    );
    let tried = format!(
        "{} calls, {faults} faults, {} s",
        sum.calls,
        clock.elapsed().as_secs()
    );
    let grew = if seconds().is_some() {
        flat(kind, &weights, starts)
    } else {
        String::new()
    };
    println!("{kind}: {tried}: {sum:?}{grew}");
    let showed = format!(
        "0 approved twice, {} of {} sessions ended by the fifth failure, none later{grew}",
        sum.ended, sum.sessions
    );
    note("soak", &kind.to_string(), From::Outside, &tried, &showed);
}

/// Servers that reach their store over a proxy that fails, where there is a network.
async fn fleet_of(kind: Kind) -> (Fleet, Option<Net>) {
    let setup = Setup {
        policy: LIMITS,
        ..Setup::default()
    };
    let (mut way, mut net) = (None, None);
    let reached = |_, store: &Store| {
        let url = way.get_or_insert_with(|| {
            let (url, proxy) = store.proxied();
            net = proxy.map(|proxy| Net::of(vec![proxy]));
            url
        });
        url.clone()
    };
    let fleet = Fleet::reached(kind, setup, reached).await;
    (fleet, net)
}

/// Everybody once, while a server may die.
async fn a_round(
    fleet: &mut Fleet,
    caller: &Arc<Caller>,
    dice: &mut Dice,
    victim: Option<usize>,
) -> Told {
    let person = |_| tokio::spawn(one_person(Arc::clone(caller), dice.fork()));
    let people: Vec<_> = (0..PEOPLE).map(person).collect();
    if let Some(victim) = victim {
        fleet.kill(victim).await;
    }
    let mut sum = Told::default();
    for person in people {
        sum.add(person.await.expect("an invariant broke"));
    }
    sum
}

/// Sends, mistypes now and then, types the code three times, each at any server, and cancels what
/// came to nothing.
async fn one_person(caller: Arc<Caller>, mut dice: Dice) -> Told {
    let mut told = Told::default();
    let (code, to) = (1000 + dice.below(8999), dice.below(NUMBERS));
    let (right, wrong) = (code.to_string(), (code + 1).to_string());
    let send = json!({ "to": format!("+4748{to:06}"), "channel": "sms", "custom_code": right });
    let Some(opened) = told
        .call(&caller, &mut dice, "/v1/verify/send", &send)
        .await
    else {
        return told;
    };
    let Some(session) = opened["session_id"].as_str() else {
        return told;
    };
    told.sessions += 1;
    // More than there are attempts, now and then.
    let mistakes = dice.below(4) + if dice.below(8) == 0 { 5 } else { 0 };
    let guesses = (0..mistakes)
        .map(|_| &wrong)
        .chain([&right, &right, &right]);
    let (mut approvals, mut compared, mut ended) = (0, 0, false);
    for guess in guesses {
        let body = json!({ "session_id": session, "code": guess });
        let answer = told
            .call(&caller, &mut dice, "/v1/verify/check", &body)
            .await;
        let answer = answer.unwrap_or_default();
        let approved = answer["status"] == "verified" && answer["reason"].is_null();
        assert!(!(approved && ended), "{session} is approved after its end");
        approvals += u64::from(approved);
        compared += u64::from(answer["reason"] == "wrong_code");
        ended |= answer["reason"] == "too_many_attempts";
    }
    assert!(approvals <= 1, "{approvals} approvals of {session}");
    // The fifth failure is told as the end, with all that come after it.
    assert!(compared <= 4, "{compared} compared of {session}");
    if approvals == 0 && !ended {
        // Given up: it would keep its place among the number's live sessions.
        let at = dice.below(SERVERS);
        told.calls += 1;
        told.unknown += u64::from(caller.cancel(at, session).await.is_err());
    }
    told.ended += u64::from(ended);
    told.approvals += approvals;
    told.compared += approvals + compared;
    told
}

impl Told {
    async fn call(
        &mut self,
        caller: &Caller,
        dice: &mut Dice,
        path: &str,
        body: &Value,
    ) -> Option<Value> {
        let at = dice.below(SERVERS);
        self.calls += 1;
        let Ok(answer) = caller.post(at, path, body).await else {
            self.unknown += 1;
            return None;
        };
        self.refused += u64::from(answer["type"].is_string());
        Some(answer)
    }

    const fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.sessions += other.sessions;
        self.approvals += other.approvals;
        self.compared += other.compared;
        self.ended += other.ended;
        self.refused += other.refused;
        self.unknown += other.unknown;
    }
}

/// After a third of the time nothing grows any more by more than a fifth: memory, handles and
/// records, the most of each in the second third beside the most in the last. A server that
/// starts leaves the value of its probe, which Redis keeps for an hour.
fn flat(kind: Kind, weights: &[Weight], starts: u64) -> String {
    let third = weights.len() / 3;
    assert!(third > 0, "{kind}: {} rounds are too few", weights.len());
    let most = |part: &[Weight], of: fn(&Weight) -> u64| part.iter().map(of).max().unwrap_or(0);
    let (middle, end) = (&weights[third..2 * third], &weights[2 * third..]);
    let grown = |name: &str, of: fn(&Weight) -> u64, allowed: u64| {
        let (before, after) = (most(middle, of), most(end, of));
        let told = format!(", {before} to {after} {name}");
        assert!(after <= before + before / 5 + allowed, "{kind}{told}");
        told
    };
    let probes = if kind == Kind::Redis { starts } else { 0 };
    [
        grown("kB", |weight| weight.kilobytes, 0),
        grown("handles", |weight| weight.handles, 0),
        grown("records", |weight| weight.records, probes),
    ]
    .concat()
}
