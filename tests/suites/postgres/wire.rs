//! What goes over the wire: two round trips a check, and what becomes of a check whose
//! connection breaks, stalls, or whose caller goes away.

use std::sync::Arc;
use std::time::Duration;

use countersign::{CheckError, Policy, Stopwatch, StoreError};
use countersign_postgres::Options;

use super::bench::{Bench, Session, impatient, patient, store};
use super::time::{raw, waiting};
use crate::parts::postgres::{OWNER, Postgres, SECRET};
use crate::parts::proxy::{End, Fault, Proxy, Way};

/// A server, a proxy before it, and a bench that goes through the proxy.
struct Wire {
    server: Postgres,
    proxy: Proxy,
    bench: Bench,
}

impl Wire {
    async fn open(mut options: Options) -> Self {
        let server = Postgres::start(&[]);
        let proxy = Proxy::start(server.port);
        let url = format!(
            "postgres://{OWNER}:{SECRET}@127.0.0.1:{}/postgres",
            proxy.port()
        );
        options.pool_size = 4;
        let bench = Bench::on(store(&url, options).await, Policy::for_console());
        Self {
            server,
            proxy,
            bench,
        }
    }

    async fn left(&self, session: &Session) -> u8 {
        let view = self.bench.verifier.status(&self.bench.tenant, &session.id);
        view.await.unwrap().unwrap().attempts_remaining
    }
}

/// One thread, so that what is sent at once leaves at once.
#[tokio::test]
async fn a_check_is_two_round_trips_right_or_wrong() {
    let wire = Wire::open(patient()).await;
    for round in 0..20 {
        let session = wire.bench.send(&format!("person{round}")).await.unwrap();
        for code in [session.wrong(0), session.code.clone()] {
            let before = wire.proxy.counts().requests;
            let verdict = wire.bench.check(&session.id, &code).await.unwrap();
            let trips = wire.proxy.counts().requests - before;
            assert_eq!(verdict.is_verified(), code == session.code);
            assert_eq!(trips, 2, "round {round}: {verdict:?}");
        }
        // Nothing to write: one round trip, and a rollback for which nobody waits.
        let before = wire.proxy.counts().requests;
        assert!(!wire.bench.approves(&session).await);
        let trips = wire.proxy.counts().requests - before;
        assert!(trips <= 2, "round {round}: {trips} for a used code");
    }
}

/// Of 64 people, so that no two checks are about one row.
#[tokio::test]
async fn checks_that_wait_for_one_another_share_a_transaction() {
    let wire = Arc::new(Wire::open(patient()).await);
    let mut sessions = Vec::new();
    for n in 0..64 {
        sessions.push(wire.bench.send(&format!("crowd{n}")).await.unwrap());
    }
    // All connections are there: what they are set up with is not counted.
    let left = tokio::join!(
        wire.left(&sessions[0]),
        wire.left(&sessions[1]),
        wire.left(&sessions[2]),
        wire.left(&sessions[3]),
    );
    assert_eq!(left, (5, 5, 5, 5));
    let before = wire.proxy.counts().requests;
    let checks = sessions.iter().cloned().enumerate().map(|(n, session)| {
        let wire = Arc::clone(&wire);
        // Every fourth guess is right.
        let code = match n % 4 {
            0 => session.code.clone(),
            _ => session.wrong(0),
        };
        tokio::spawn(async move { wire.bench.check(&session.id, &code).await.unwrap() })
    });
    let checks: Vec<_> = checks.collect();
    let mut verdicts = Vec::new();
    for check in checks {
        verdicts.push(check.await.unwrap());
    }
    let trips = wire.proxy.counts().requests - before;
    println!("64 checks in {trips} round trips");
    assert!(trips <= 32, "{trips} round trips, and 128 one by one");
    for (n, session) in sessions.iter().enumerate() {
        assert_eq!(verdicts[n].is_verified(), n % 4 == 0, "{:?}", verdicts[n]);
        let again = wire.bench.approves(session).await;
        assert_eq!(again, n % 4 != 0, "each right code once");
    }
}

/// What waits for a row that another has locked waits by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_row_holds_up_nobody_elses_check() {
    let server = Postgres::start(&[]);
    let url = server.url("postgres");
    let bench = Arc::new(Bench::on(
        store(&url, patient()).await,
        Policy::for_console(),
    ));
    let mut sessions = Vec::new();
    for n in 0..64 {
        sessions.push(bench.send(&format!("crowd{n}")).await.unwrap());
    }
    let (blocker, looker) = (raw(&url).await, raw(&url).await);
    let rows = "SELECT count(*) FROM countersign_records";
    let rows: i64 = looker.query_one(rows, &[]).await.unwrap().get(0);
    assert_eq!(rows, 64, "each is a person's");
    let lock = "BEGIN; SELECT FROM countersign_records ORDER BY key LIMIT 1 FOR UPDATE";
    blocker.batch_execute(lock).await.unwrap();
    let checks = sessions.iter().cloned().map(|session| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move { bench.approves(&session).await })
    });
    let checks: Vec<_> = checks.collect();
    waiting(&looker, 1).await;
    let since = Stopwatch::start();
    while checks.iter().filter(|check| check.is_finished()).count() < 63 {
        assert!(
            since.elapsed() < Duration::from_secs(10),
            "they are held up"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let held = checks.iter().filter(|check| !check.is_finished()).count();
    assert_eq!(held, 1);
    blocker.batch_execute("COMMIT").await.unwrap();
    let mut approvals = 0;
    for check in checks {
        approvals += u32::from(check.await.unwrap());
    }
    assert_eq!(approvals, 64);
}

/// Where the whole table is locked nobody gets on; who was never sent is told so in time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_that_gets_no_turn_was_not_made() {
    let server = Postgres::start(&[]);
    let url = server.url("postgres");
    let mut options = patient();
    options.acquire_timeout = Duration::from_secs(2);
    let bench = Arc::new(Bench::on(store(&url, options).await, Policy::for_console()));
    let mut sessions = Vec::new();
    for n in 0..8 {
        sessions.push(bench.send(&format!("person{n}")).await.unwrap());
    }
    let (blocker, looker) = (raw(&url).await, raw(&url).await);
    let lock = "BEGIN; LOCK TABLE countersign_records IN ACCESS EXCLUSIVE MODE";
    blocker.batch_execute(lock).await.unwrap();
    let wrong = |session: &Session| {
        let (bench, session) = (Arc::clone(&bench), session.clone());
        tokio::spawn(async move { bench.check(&session.id, &session.wrong(0)).await })
    };
    // One after the other: those that come at once may share a turn, and leave one free.
    let mut sent = Vec::new();
    for (session, turns) in sessions[..4].iter().zip(1..) {
        sent.push(wrong(session));
        waiting(&looker, turns).await;
    }
    let late: Vec<_> = sessions[4..].iter().map(wrong).collect();
    for check in late {
        match check.await.unwrap() {
            Err(CheckError::Store(StoreError::Unavailable { reason, .. })) => {
                assert!(reason.contains("no turn within 2000 ms"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }
    blocker.batch_execute("COMMIT").await.unwrap();
    for check in sent {
        assert!(!check.await.unwrap().unwrap().is_verified());
    }
    for (n, session) in sessions.iter().enumerate() {
        let view = bench.verifier.status(&bench.tenant, &session.id).await;
        let left = view.unwrap().unwrap().attempts_remaining;
        assert_eq!(left, if n < 4 { 4 } else { 5 }, "session {n}");
        assert!(bench.approves(session).await);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_commit_costs_nothing() {
    let wire = Wire::open(patient()).await;
    for end in [End::Close, End::Reset] {
        let session = wire.bench.send(&format!("before{end:?}")).await.unwrap();
        let struck = wire.proxy.struck();
        wire.proxy.strike(1, Fault::CutBefore(end));
        assert!(wire.bench.approves(&session).await, "on another connection");
        assert_eq!(wire.proxy.struck(), struck + 1);
        assert!(!wire.bench.approves(&session).await, "once");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_at_the_commit_approves_nothing() {
    let wire = Wire::open(patient()).await;
    let faults = [
        (Fault::CutBefore(End::Reset), false),
        (Fault::CutBefore(End::Close), false),
        (Fault::CutAfter(End::Reset), true),
        (Fault::CutAfter(End::Close), true),
        (Fault::CutWithin(7, End::Reset), true),
    ];
    for (n, (fault, written)) in faults.into_iter().enumerate() {
        let session = wire.bench.send(&format!("commit{n}")).await.unwrap();
        wire.proxy.strike(2, fault);
        let right = wire.bench.check(&session.id, &session.code).await;
        let Err(CheckError::Store(StoreError::Indeterminate { reason, .. })) = right else {
            panic!("{fault:?}: {right:?}");
        };
        println!("{fault:?}: {reason}");
        // What was committed is used; what was not is still good.
        let again = wire.bench.approves(&session).await;
        assert_eq!(again, !written, "{fault:?}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_waited_for_in_bounds() {
    let wire = Wire::open(impatient()).await;
    for (nth, known) in [(1, true), (2, false)] {
        let session = wire.bench.send(&format!("silent{nth}")).await.unwrap();
        wire.proxy.strike(nth, Fault::Swallow(Way::ToClient));
        let wrong = wire.bench.check(&session.id, &session.wrong(0)).await;
        match wrong {
            Err(CheckError::Store(StoreError::Unavailable { .. })) if known => {}
            Err(CheckError::Store(StoreError::Indeterminate { .. })) if !known => {}
            other => panic!("{nth}: {other:?}"),
        }
        wire.proxy.mend().await;
        wire.proxy.cut_all();
        let left = wire.left(&session).await;
        assert_eq!(left, if known { 5 } else { 4 }, "of five attempts");
        assert!(wire.bench.approves(&session).await);
    }
}

/// Another's lock that is never let go is an error before anything is written.
#[tokio::test]
async fn a_lock_that_is_kept_is_an_error_and_charges_nothing() {
    let wire = Wire::open(impatient()).await;
    let session = wire.bench.send("locked").await.unwrap();
    let blocker = raw(&wire.server.url("postgres")).await;
    let lock = "BEGIN; SELECT FROM countersign_records FOR UPDATE";
    blocker.batch_execute(lock).await.unwrap();
    let wrong = wire.bench.check(&session.id, &session.wrong(0)).await;
    let error = wrong.unwrap_err().to_string();
    assert!(error.contains("PostgreSQL"), "{error}");
    blocker.batch_execute("COMMIT").await.unwrap();
    assert_eq!(wire.left(&session).await, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_that_go_away_leave_no_transaction_open() {
    let server = Postgres::start(&[]);
    let url = server.url("postgres");
    let mut options = patient();
    options.pool_size = 4;
    let bench = Arc::new(Bench::on(store(&url, options).await, Policy::for_console()));
    let mut whole = Duration::ZERO;
    let session = bench.send("pace").await.unwrap();
    for _ in 0..4 {
        // The last one counts: by then the connections are there.
        let clock = Stopwatch::start();
        assert!(bench.check(&session.id, "000000").await.is_ok());
        whole = clock.elapsed();
    }
    let mut dropped = 0;
    for round in 0..200_u32 {
        let session = bench.send(&format!("gone{round}")).await.unwrap();
        // At many points of its way, some of them in the queue behind another.
        let calls = (0..4).map(|n| {
            let (bench, session) = (Arc::clone(&bench), session.clone());
            tokio::spawn(async move {
                let check = bench.check(&session.id, "000000");
                let limit = whole * ((round * 4 + n) * 13 % 64) / 64;
                tokio::time::timeout(limit, check).await.is_err()
            })
        });
        for call in calls.collect::<Vec<_>>() {
            dropped += u32::from(call.await.unwrap());
        }
    }
    println!("{dropped} of 800 calls were dropped half-way");
    assert!(dropped > 100);
    let looker = raw(&url).await;
    let open = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'";
    let since = Stopwatch::start();
    while looker.query_one(open, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        assert!(
            since.elapsed() < Duration::from_secs(10),
            "a transaction is open"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let all = "SELECT FROM countersign_records FOR UPDATE NOWAIT";
    looker.batch_execute(all).await.unwrap();
    let session = bench.send("after").await.unwrap();
    assert!(bench.approves(&session).await);
}

/// A dropped call that waits for a row gives its connection back in bounds.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_that_go_away_from_a_locked_row_do_not_use_up_the_pool() {
    let server = Postgres::start(&[]);
    let url = server.url("postgres");
    let mut options = patient();
    options.pool_size = 2;
    let bench = Arc::new(Bench::on(store(&url, options).await, Policy::for_console()));
    let session = bench.send("victim").await.unwrap();
    let other = bench.send("other").await.unwrap();
    let (blocker, looker) = (raw(&url).await, raw(&url).await);
    let lock = "BEGIN; SELECT FROM countersign_records ORDER BY key FOR UPDATE";
    blocker.batch_execute(lock).await.unwrap();
    let held = tokio::spawn({
        let (bench, session) = (Arc::clone(&bench), session.clone());
        async move { bench.check(&session.id, "000000").await }
    });
    waiting(&looker, 1).await;
    held.abort();
    assert!(held.await.unwrap_err().is_cancelled());
    blocker.batch_execute("COMMIT").await.unwrap();
    assert!(bench.approves(&other).await);
    assert!(bench.approves(&session).await);
}
