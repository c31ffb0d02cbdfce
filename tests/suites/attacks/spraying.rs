//! A18: one guess at each of very many destinations, where no limit of one destination helps.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use countersign::{Channel, Sent, Verdict};
use countersign::{CheckError, CheckRequest, Destination, LimitName, SendError, SendRequest};

use super::bench::{Bench, Tally};
use super::stores::{Kind, on_every_store};

/// What everybody is guessed with.
const GUESS: &str = "123456";
const HOUR: u64 = 3600;

/// A session for the n-th person, asked for from `ip`, unless a limit refuses it.
async fn send(bench: &Bench, n: u32, ip: IpAddr) -> Result<Sent, LimitName> {
    let to = Destination::parse_any(&format!("+4740{n:06}")).unwrap();
    let mut request = SendRequest::new(&bench.tenant, Channel::Sms, &to);
    request.end_user_ip = Some(ip);
    match bench.verifier.send(&request).await {
        Ok(sent) => Ok(sent),
        Err(SendError::Throttled { limit, .. }) => Err(limit),
        Err(error) => panic!("{error}"),
    }
}

/// Where the n-th guess comes from when the attacker has as many networks as guesses.
fn own_network(n: u32) -> IpAddr {
    Ipv4Addr::from(0x0b00_0000 + n).into()
}

fn destinations(kind: Kind) -> u32 {
    match kind {
        Kind::Memory => 100_000,
        _ => kind.rounds(5_000),
    }
}

#[test]
fn a18_a_spray_hits_as_often_as_its_guess_was_sent_and_no_more() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let all = destinations(kind);
        let mut tally = Tally::default();
        for n in 0..all {
            let sent = send(&bench, n, own_network(n)).await.unwrap();
            tally.add(bench.check(&sent, GUESS).await);
        }
        let messages = bench.inbox.messages();
        let drawn = messages.iter().filter(|message| message.code == GUESS);
        let drawn = u32::try_from(drawn.count()).unwrap();
        let expected = f64::from(all) * 1e-6;
        assert_eq!((tally.compared, tally.approved), (all, drawn), "{kind:?}");
        // Ten of 0.1 expected are no chance.
        assert!(f64::from(drawn) < 10.0 * expected.max(1.0), "{kind:?}");
        let tried = format!("{all} destinations, a guess each");
        let showed = format!("{drawn} approvals, {expected:.6} expected");
        kind.note("a18", &tried, &showed);
    });
}

/// Some hours of spraying from these addresses, so many tries in each: guesses that were
/// compared.
async fn spray(
    kind: Kind,
    bench: &Bench,
    (hours, tries): (u32, u32),
    address: impl Fn(u32) -> IpAddr,
) -> u32 {
    let (mut tally, mut person, mut refused_by) = (Tally::default(), 0, HashMap::new());
    for _ in 0..hours {
        for _ in 0..tries {
            person += 1;
            match send(bench, person, address(person)).await {
                Ok(sent) => tally.add(bench.check(&sent, GUESS).await),
                Err(limit) => *refused_by.entry(limit.as_str()).or_insert(0) += 1,
            }
        }
        bench.clock.advance_secs(HOUR);
    }
    let showed = format!(
        "{} compared, {:.6} approvals expected, refused by {refused_by:?}",
        tally.compared,
        f64::from(tally.compared) * 1e-6
    );
    let what = format!("{person} tries of one source in {hours} hours");
    kind.note("a18", &what, &showed);
    tally.compared
}

#[test]
fn a18_a_source_sprays_no_faster_than_its_cap() {
    on_every_store(|kind| async move {
        // A day at full speed, or an hour or two at a little more than the cap.
        let (hours, of_one, of_many) = match kind {
            Kind::Memory => (24, 1000, 1000),
            Kind::Postgres => (1, 25, 210),
            _ => (2, 25, 210),
        };
        let one = |_| Ipv4Addr::new(192, 0, 2, 18).into();
        let compared = spray(kind, &Bench::new(kind).await, (hours, of_one), one).await;
        assert_eq!(compared, hours * 20, "{kind:?}: one address");
        // A provider's customer: any address of a /48.
        let block = |n: u32| {
            let spread = u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            Ipv6Addr::from((0x2001_0db8_0018_u128 << 80) | (spread & ((1 << 80) - 1))).into()
        };
        let compared = spray(kind, &Bench::new(kind).await, (hours, of_many), block).await;
        assert_eq!(compared, hours * 200, "{kind:?}: one /48");
    });
}

/// Who got hold of sessions that others asked for still guesses by a cap, where the caller
/// names the source.
#[test]
fn a18_a_source_guesses_at_others_sessions_no_faster_than_its_cap() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let attacker = Ipv4Addr::new(192, 0, 2, 18).into();
        let (mut compared, mut refused) = (0, 0);
        for n in 0..80 {
            let sent = send(&bench, n, own_network(n)).await.unwrap();
            let id = sent.session_id.to_string();
            let mut check = CheckRequest::new(&bench.tenant, &id, GUESS);
            check.end_user_ip = Some(attacker);
            match bench.verifier.check(&check).await {
                Ok(Verdict::WrongCode { .. } | Verdict::Verified { .. }) => compared += 1,
                Err(CheckError::Throttled { limit, .. }) => {
                    assert_eq!(limit, LimitName::SourceChecks, "{kind:?}");
                    refused += 1;
                }
                other => panic!("{kind:?}: {other:?}"),
            }
        }
        assert_eq!((compared, refused), (60, 20), "{kind:?}");
    });
}
