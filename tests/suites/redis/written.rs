//! What the second call of checks made together writes: only what nobody changed since the
//! first, in the same life of the server, and an approval only in time.

use redis::aio::MultiplexedConnection;

use crate::parts::redis::Redis;
use crate::stage::{connect, library, options};

const FENCED: &str = "1";
const KEYS: [&str; 5] = ["cs:1", "cs:2", "cs:3", "cs:4", "cs:5"];
/// Of the server's clock, in milliseconds since 1970: long ago, and not soon.
const OVER: &str = "1000";
const AHEAD: &str = "9000000000000";

/// What was seen, and until when its successor may be written; none of them has an expiry.
type Seen<'a> = (&'a str, &'a str);

struct Library {
    connection: MultiplexedConnection,
    name: String,
}

impl Library {
    /// The store brings it along.
    async fn of(redis: &Redis) -> Self {
        connect(&redis.url(), options()).await;
        let client = redis::Client::open(redis.url()).unwrap();
        let connection = client.get_multiplexed_async_connection().await.unwrap();
        let name = library(redis);
        Self { connection, name }
    }

    fn call(&self, function: &str) -> redis::Cmd {
        let mut call = redis::cmd("FCALL");
        call.arg(format!("{}_{function}", self.name));
        call.arg(KEYS.len()).arg(&KEYS).arg(FENCED);
        call
    }

    async fn life(&mut self) -> Vec<u8> {
        let call = self.call("load_all");
        let (_, life, _): (u64, Vec<u8>, Vec<redis::Value>) =
            call.query_async(&mut self.connection).await.unwrap();
        life
    }

    async fn swap(&mut self, life: &[u8], seen: [Seen<'_>; 5]) -> Vec<u8> {
        let mut call = self.call("swap_all");
        call.arg(life);
        for (seen, before) in seen {
            call.arg(seen).arg("next").arg("").arg(before);
        }
        call.query_async(&mut self.connection).await.unwrap()
    }
}

#[tokio::test]
async fn a_value_is_written_only_as_seen_in_this_life_and_in_time() {
    let redis = Redis::start(&[]);
    let mut library = Library::of(&redis).await;
    for key in &KEYS[..4] {
        assert_eq!(redis.cli(&["SET", key, "held"]), "OK");
    }
    assert_eq!(redis.cli(&["RPUSH", KEYS[4], "a list"]), "1");
    let (life, all) = (library.life().await, [("held", ""); 5]);
    let mut other = life.clone();
    other[0] ^= 1;
    assert_eq!(library.swap(&other, all).await, [0; 5], "of another life");
    let values = || KEYS[..4].iter().map(|key| redis.cli(&["GET", key]));
    assert!(values().all(|value| value == "held"));

    let seen = [
        ("held", ""),
        ("another", ""),
        ("held", OVER),
        ("held", AHEAD),
        ("", ""),
    ];
    assert_eq!(library.swap(&life, seen).await, [1, 0, 0, 1, 0]);
    assert!(values().eq(["next", "held", "held", "next"]));
    assert_eq!(redis.cli(&["TYPE", KEYS[4]]), "list");
}
