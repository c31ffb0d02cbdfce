//! A49, A50, A51: a stranger who uses up what is the owner's.

use countersign::{
    Channel, CheckRequest, Destination, LimitName, SendError, SendRequest, Sent, Verdict,
};

use super::bench::{Bench, wrong};
use super::stores::on_every_store;

const VICTIM: &str = "+4740000049";
const HOUR: u64 = 3600;

/// A session of the owner, whose phone is known, and its code.
async fn owner_sends(bench: &Bench) -> Result<(Sent, String), SendError> {
    let to = Destination::parse_any(VICTIM).unwrap();
    let mut request = SendRequest::new(&bench.tenant, Channel::Sms, &to);
    request.known_device = true;
    let sent = bench.verifier.send(&request).await?;
    Ok((sent, bench.inbox.last_code().unwrap()))
}

/// Guesses wrongly at a session of the attacker's own until it is over or closed; how many
/// were charged.
async fn burn(bench: &Bench) -> u32 {
    let Ok((sent, code)) = bench.send(VICTIM).await else {
        return 0;
    };
    let mut charged = 0;
    for n in 0..6 {
        match bench.check(&sent, &wrong(&code, n)).await {
            Verdict::WrongCode { .. } => charged += 1,
            Verdict::Exhausted => return charged + 1,
            _ => break,
        }
    }
    charged
}

#[test]
fn a49_the_owner_on_a_known_device_succeeds_while_the_budget_is_burnt_forever() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let (mut charged, mut succeeded) = (0, 0);
        for hour in 0..40 * 24 {
            charged += burn(&bench).await;
            bench.clock.advance_secs(HOUR / 2);
            charged += burn(&bench).await;
            bench.clock.advance_secs(HOUR / 2);
            if hour % 24 == 0 {
                let (sent, code) = owner_sends(&bench).await.unwrap();
                succeeded += u32::from(bench.check(&sent, &code).await.is_verified());
            }
        }
        assert_eq!(succeeded, 40, "{kind:?}: once a day, and each time");
        assert_eq!(charged, 100, "{kind:?}: then everybody's lane is locked");
        assert!(matches!(bench.send(VICTIM).await, Err(SendError::Locked)));
        let (sent, code) = owner_sends(&bench).await.unwrap();
        assert!(bench.check(&sent, &code).await.is_verified(), "{kind:?}");
    });
}

#[test]
fn a49_tries_while_guesses_are_closed_do_not_keep_them_closed() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        for _ in 0..2 {
            assert_eq!(burn(&bench).await, 5, "{kind:?}");
        }
        // Ten in an hour are used up: the attacker goes on every second, to no avail.
        let (sent, code) = bench.send(VICTIM).await.unwrap();
        let mut waited = 0;
        loop {
            bench.clock.advance_secs(1);
            waited += 1;
            match bench.check(&sent, &wrong(&code, waited)).await {
                Verdict::Throttled { retry_after, .. } => {
                    assert!(u64::from(waited) + retry_after <= HOUR + 1, "{kind:?}");
                }
                Verdict::Expired => break,
                verdict => panic!("{verdict:?}"),
            }
        }
        bench.clock.advance_secs(HOUR - u64::from(waited));
        let (sent, code) = bench.send(VICTIM).await.unwrap();
        assert!(
            bench.check(&sent, &code).await.is_verified(),
            "{kind:?}: an hour after the tenth guess, whatever came since"
        );
    });
}

#[test]
fn a50_a_code_of_the_owner_s_outlives_every_send_of_a_stranger() {
    on_every_store(|kind| async move {
        let (bench, mut approved) = (Bench::new(kind).await, 0);
        let rounds = kind.rounds(1000);
        for round in kind.each_of("a50", rounds) {
            let victim = format!("+474{round:07}");
            let (sent, code) = bench.send(&victim).await.unwrap();
            for n in 0..50 {
                bench.clock.advance_secs(5);
                let _refused_or_not = bench.send(&victim).await;
                if n % 10 == round % 10 {
                    // Nor does a resend of a session that is not his help the stranger.
                    let _refused_or_not = bench.resend(&sent, "+4750000050").await;
                }
            }
            approved += u32::from(bench.check(&sent, &code).await.is_verified());
        }
        assert_eq!(approved, rounds, "{kind:?}");
    });
}

#[test]
fn a51_the_known_device_is_sent_a_code_every_ten_minutes_when_all_sends_are_used_up() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let mut granted = 0;
        for _ in 0..144 {
            while bench.send(VICTIM).await.is_ok() {}
            let (sent, code) = owner_sends(&bench).await.unwrap();
            granted += 1;
            let second = owner_sends(&bench).await;
            assert!(
                matches!(
                    second,
                    Err(SendError::Throttled {
                        limit: LimitName::DestinationSends | LimitName::LiveSessions,
                        retry_after: 1..=600
                    })
                ),
                "{kind:?}: {second:?}"
            );
            let id = sent.session_id.to_string();
            let check = CheckRequest::new(&bench.tenant, &id, &code);
            assert!(bench.verifier.check(&check).await.unwrap().is_verified());
            bench.clock.advance_secs(600);
        }
        assert_eq!(granted, 144, "{kind:?}: a day long");
    });
}
