//! A45, A47: many sends from many places.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use countersign::{
    Channel, CheckError, CheckRequest, Clock as _, Destination, LimitName, SendError, SendRequest,
};

use super::bench::Bench;
use super::stores::{Kind, on_every_store};

/// What is sent to a number of its own from `ip`: the limit that refused, if one did.
async fn send_from(bench: &Bench, ip: IpAddr, number: u32) -> Option<LimitName> {
    let to = Destination::parse_any(&format!("+4741{number:06}")).unwrap();
    let mut request = SendRequest::new(&bench.tenant, Channel::Sms, &to);
    request.end_user_ip = Some(ip);
    match bench.verifier.send(&request).await {
        Ok(_) => None,
        Err(SendError::Throttled { limit, .. }) => Some(limit),
        Err(error) => panic!("{error}"),
    }
}

/// How many of these send, and which limits refused the others.
async fn flood(
    bench: &Bench,
    addresses: impl Iterator<Item = u128>,
) -> (u32, Option<LimitName>, u32) {
    let (mut left, mut by, mut tried) = (0, None, 0);
    for address in addresses {
        let ip = Ipv6Addr::from(address).into();
        match send_from(bench, ip, tried % 1_000_000).await {
            None => left += 1,
            Some(limit) => by = Some(limit),
        }
        tried += 1;
    }
    (left, by, tried)
}

const BLOCK: u128 = 0x2001_0db8_0001 << 80;

#[test]
fn a45_a_hundred_thousand_addresses_of_one_block_are_as_few_sources_as_people() {
    on_every_store(|kind| async move {
        let all = kind.tries(100_000).max(300);
        // Addresses spread over a /64, a /56 and a /48: bits that may be chosen freely.
        for (free, most, name) in [
            (64, 20, LimitName::SourceSends),
            (72, 200, LimitName::NetworkSends),
            (80, 200, LimitName::NetworkSends),
        ] {
            let bench = Bench::new(kind).await;
            // An odd multiplier visits every address once, far apart.
            let spread = |n: u32| {
                let mixed = u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
                BLOCK | (mixed & ((1 << free) - 1))
            };
            let (left, by, tried) = flood(&bench, (0..all).map(spread)).await;
            assert_eq!((left, by), (most, Some(name)), "{kind:?}, {free} free bits");
            assert_eq!(bench.inbox.len(), most as usize);
            let tried = format!("{tried} addresses with {free} free bits");
            kind.note("a45", &tried, &format!("{left} messages"));
        }
    });
}

#[test]
fn a45_the_spellings_of_one_address_are_one_source() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let spellings = [
            "192.0.2.7",
            "::ffff:192.0.2.7",
            "::ffff:c000:207",
            "0:0:0:0:0:ffff:192.0.2.7",
            "0000:0000:0000:0000:0000:FFFF:C000:0207",
        ];
        let mut left = 0;
        for n in 0..100 {
            let ip: IpAddr = spellings[n as usize % spellings.len()].parse().unwrap();
            left += u32::from(send_from(&bench, ip, n).await.is_none());
        }
        assert_eq!(left, 20, "{kind:?}");
        // Another address is another source, and an IPv4 address has no wider network.
        for n in 0..20 {
            let ip = Ipv4Addr::new(192, 0, 2, 8).into();
            assert_eq!(send_from(&bench, ip, 200 + n).await, None, "{kind:?}");
        }
    });
}

#[test]
fn a45_checks_are_counted_by_the_same_sources() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let (sent, _) = bench.send("user@example.com").await.unwrap();
        let id = sent.session_id.to_string();
        let mut answered = 0;
        for n in 0..200_u128 {
            let mut check = CheckRequest::new(&bench.tenant, &id, "12345");
            check.end_user_ip = Some(Ipv6Addr::from(BLOCK | n << 32 | n).into());
            match bench.verifier.check(&check).await {
                Ok(_) => answered += 1,
                Err(CheckError::Throttled { limit, .. }) => {
                    assert_eq!(limit, LimitName::SourceChecks);
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(answered, 60, "{kind:?}");
    });
}

/// A thousand sends to one number from a hundred sources, so many seconds apart; when each
/// message left, in milliseconds.
async fn hammer(bench: &Bench, kind: Kind, apart: u64) -> Vec<u64> {
    let to = Destination::parse_any("+4740000047").unwrap();
    let mut left = Vec::new();
    for n in 0..1000_u32 {
        let mut request = SendRequest::new(&bench.tenant, Channel::Sms, &to);
        request.end_user_ip = Some(Ipv4Addr::from(0xc633_6400 + n % 100).into());
        let before = bench.inbox.len();
        match bench.verifier.send(&request).await {
            Ok(_) => {
                left.push(bench.clock.now().as_millis());
                assert_eq!(bench.inbox.len(), before + 1, "{kind:?}");
            }
            Err(SendError::Throttled { .. }) => assert_eq!(bench.inbox.len(), before),
            Err(error) => panic!("{error}"),
        }
        bench.clock.advance_millis(apart * 1000 + 7);
    }
    left
}

#[test]
fn a47_one_number_is_sent_five_messages_in_ten_minutes_and_ten_in_a_day() {
    on_every_store(|kind| async move {
        for apart in [0, 1, 60, 300] {
            let bench = Bench::new(kind).await;
            let left = hammer(&bench, kind, apart).await;
            assert!(left.len() >= 3, "{kind:?}: {left:?}");
            for (seconds, most) in [(600, 5), (24 * 3600, 10)] {
                for (n, first) in left.iter().enumerate() {
                    let within = left[n..].iter().filter(|at| **at - first < seconds * 1000);
                    assert!(within.count() <= most, "{kind:?}: {left:?}");
                }
            }
        }
    });
}

/// What a send to `number` is told: seconds to wait, and by which limit.
async fn told(bench: &Bench, number: &str) -> Option<(LimitName, u64)> {
    match bench.send(number).await {
        Ok(_) => None,
        Err(SendError::Throttled { limit, retry_after }) => Some((limit, retry_after)),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a47_who_comes_back_after_the_time_told_is_served_and_a_second_before_is_not() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let (mut waits, mut seen) = (0, std::collections::BTreeSet::new());
        for _ in 0..60 {
            // Not on the whole second, where rounding shows.
            bench.clock.advance_millis(13_337);
            let Some((limit, retry_after)) = told(&bench, "+4740000048").await else {
                continue;
            };
            if retry_after > 1 {
                bench.clock.advance_secs(retry_after - 2);
                assert!(told(&bench, "+4740000048").await.is_some(), "{kind:?}");
                bench.clock.advance_secs(2);
            } else {
                bench.clock.advance_secs(retry_after);
            }
            assert_eq!(
                told(&bench, "+4740000048").await,
                None,
                "{kind:?}, {limit:?}"
            );
            waits += 1;
            seen.insert(limit.as_str());
        }
        assert!(waits > 10, "{kind:?}: {waits}");
        let names: Vec<_> = seen.into_iter().collect();
        assert_eq!(names, ["destination_sends", "live_sessions"], "{kind:?}");
    });
}
