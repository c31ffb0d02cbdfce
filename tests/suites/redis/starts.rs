//! What is refused at the start, what is warned of, and what a user needs at least.

use countersign::SessionStore;
use countersign::store::Durability;
use countersign_redis::{Options, RedisStore};

use crate::parts::ca::TestCa;
use crate::parts::redis::Redis;
use crate::parts::redis::sentinel::RedisSentinel;
use crate::stage::{Desk, connect, options, unfenced};

/// As the crate's documentation has it.
const RIGHTS: &str = "resetkeys ~cs:* resetchannels -@all +fcall +function|load +function|list \
                      +get +mget +set +time +info +config|get +wait +asking +cluster|slots";

async fn refused(url: &str, options: Options) -> String {
    RedisStore::connect(url, options)
        .await
        .unwrap_err()
        .to_string()
}

#[tokio::test]
async fn a59_a_server_that_evicts_is_refused_with_the_line_to_change() {
    for policy in ["allkeys-lru", "volatile-ttl"] {
        let redis = Redis::start(&["--maxmemory", "100mb", "--maxmemory-policy", policy]);
        let said = refused(&redis.url(), options()).await;
        assert!(said.contains(policy), "{said}");
        assert!(
            said.contains("CONFIG SET maxmemory-policy noeviction"),
            "{said}"
        );
        redis.cli(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
        drop(connect(&redis.url(), options()).await);
    }
}

#[tokio::test]
async fn a57_only_a_synced_log_is_durable_and_none_is_warned_of() {
    for (args, durability, warned) in [
        (vec![], Durability::Forgetful, true),
        (vec!["--appendonly", "yes"], Durability::Forgetful, false),
        (
            vec!["--appendonly", "yes", "--appendfsync", "always"],
            Durability::PowerLoss,
            false,
        ),
    ] {
        let redis = Redis::start(&args);
        let store = connect(&redis.url(), options()).await;
        assert_eq!(store.durability(), durability, "{args:?}");
        assert_eq!(
            !store.warnings().is_empty(),
            warned,
            "{:?}",
            store.warnings()
        );
        assert_eq!(store.is_logged(), !warned, "{args:?}");
    }
}

/// Killed, not shut down: what was acknowledged is there, and the fence still ends what
/// was open, for a restart tells nothing of what was lost.
#[tokio::test]
async fn a57_with_a_synced_log_a_kill_forgets_nothing() {
    let redis = Redis::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let store = connect(&redis.url(), unfenced()).await;
    let desk = Desk::over(store as _);
    let sent = desk.send(50).await;
    assert_eq!(desk.try_all(&sent[..25]).await, 25);
    redis.restart();
    let desk = Desk::over(connect(&redis.url(), unfenced()).await as _);
    assert_eq!(desk.try_all(&sent).await, 25, "the other half");
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_not_shown() {
    let redis = Redis::start(&["--requirepass", "hunter2"]);
    let at = |login: &str| format!("redis://{login}127.0.0.1:{}", redis.port);
    for login in [":hunter3@", "nobody:hunter3@", ""] {
        let said = refused(&at(login), options()).await;
        assert!(said.contains("password"), "{said}");
        assert!(!said.contains("hunter"), "{said}");
    }
    let store = connect(&at(":hunter2@"), options()).await;
    assert!(!format!("{store:?}").contains("hunter2"));
    store.ping().await.unwrap();
}

#[tokio::test]
async fn tls_takes_its_own_ca_and_no_other() {
    let (ca, other) = (TestCa::make(), TestCa::make());
    let redis = Redis::start_tls(&ca, &[]);
    let trusting = |ca: &TestCa| {
        let mut options = options();
        options.ca_pem = Some(ca.pem());
        options
    };
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("rediss://{host}:{}", redis.port);
        connect(&url, trusting(&ca)).await.ping().await.unwrap();
        for wrong in [trusting(&other), options()] {
            let said = refused(&url, wrong).await;
            assert!(said.contains("CA"), "{said}");
        }
    }
    let mut nonsense = options();
    nonsense.ca_pem = Some(b"no certificate".to_vec());
    let said = refused(&format!("rediss://localhost:{}", redis.port), nonsense).await;
    assert!(said.contains("PEM"), "{said}");
}

#[tokio::test]
async fn a_user_with_the_least_rights_can_do_all_of_it() {
    let redis = Redis::start(&[]);
    let user = |rights: &str| {
        let mut set = vec!["ACL", "SETUSER", "countersign", "reset", "on", ">s3cret"];
        set.extend(rights.split_whitespace());
        assert_eq!(redis.cli(&set), "OK");
    };
    let url = format!("redis://countersign:s3cret@127.0.0.1:{}", redis.port);
    user(RIGHTS);
    let desk = Desk::over(connect(&url, options()).await as _);
    let sent = desk.send(5).await;
    assert_eq!(desk.try_all(&sent).await, 5);
    // Of many at once, some are loaded together.
    let sent = desk.send(64).await;
    assert_eq!(desk.try_all_at_once(&sent).await, 64);
    RedisStore::fence(&url, options()).await.unwrap();
    // Without CONFIG the store assumes the worst; without INFO there is no fence.
    user(&RIGHTS.replace("+config|get", ""));
    assert_eq!(
        connect(&url, options()).await.durability(),
        Durability::Forgetful
    );
    user(&RIGHTS.replace("+info", ""));
    let said = refused(&url, options()).await;
    assert!(said.contains("+info"), "{said}");
    drop(connect(&url, unfenced()).await);
    for right in [
        "+fcall",
        "+function|load",
        "+function|list",
        "+time",
        "+mget",
    ] {
        user(&RIGHTS.replace(right, ""));
        let said = refused(&url, options()).await;
        assert!(said.contains("may not"), "{right}: {said}");
    }
}

#[tokio::test]
async fn a_replica_is_refused() {
    let primary = Redis::start(&[]);
    let of = format!("127.0.0.1 {}", primary.port);
    let replica = Redis::start(&["--replicaof", &of]);
    let said = refused(&replica.url(), options()).await;
    assert!(said.contains("replica"), "{said}");
}

#[tokio::test]
async fn sentinels_that_ask_for_a_password_are_given_their_own() {
    let site = RedisSentinel::start_locked("watchword");
    let mut options = options();
    let said = refused(&site.url(), options.clone()).await;
    assert!(said.contains("password"), "{said}");
    for wrong in ["hunter3", ""] {
        options.sentinel_login = Some((String::new(), wrong.to_owned()));
        let said = refused(&site.url(), options.clone()).await;
        assert!(!said.contains("hunter3"), "{said}");
    }
    for user in ["", "default"] {
        options.sentinel_login = Some((user.to_owned(), "watchword".to_owned()));
        let store = connect(&site.url(), options.clone()).await;
        store.ping().await.unwrap();
    }
}
