//! Redis: a check beside the same client's bare `GET`, and beside a bare script that reads
//! and writes as many bytes and decides nothing.

use std::sync::Arc;

use countersign_redis::{Options, RedisStore};
use redis::aio::MultiplexedConnection;

use crate::crowd::{Figures, crowd, micros};
use crate::parts::redis::Redis;
use crate::records;
use crate::sessions::Sessions;

/// Reads a record, and writes one as long with an expiry.
const BARE: &str = "local held = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], held, 'PX', 2000000)
return {2, 4, 0}";

pub(crate) async fn measure() -> Result<(), String> {
    let (server, count) = (Redis::start(&[]), records());
    let store = RedisStore::connect(&server.url(), Options::default()).await;
    let before = used(&server);
    let store = Arc::new(store.map_err(|error| error.to_string())?);
    let sessions = Sessions::open(store, count).await?;
    let bytes = (used(&server) - before) / count as u64;
    let bare = Bare::on(&server).await.map_err(|error| error.to_string())?;
    println!("\nRedis, {count} records, {bytes} bytes each\n");
    println!(
        "| callers | checks/s | p50 µs | p99 µs | p50 of a bare GET's | p50 of a bare script's | throughput of a bare script's |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut done = 0;
    for (callers, times) in [(1, 10_000), (64, 60_000), (256, 60_000)] {
        let times = times.min(sessions.guesses() / 4);
        let first = bare.script(callers, times).await?;
        let got = bare.get(callers, times).await?;
        let guess = sessions.clone();
        let seen = crowd(callers, done, times, move |n| guess.clone().guess(n)).await?;
        done += times;
        let second = bare.script(callers, times).await?;
        let script_p50 = f64::midpoint(micros(first.p50), micros(second.p50));
        println!(
            "| {callers} | {:.0} | {:.0} | {:.0} | {:.2} | {:.2} | {:.2} |",
            seen.per_second,
            micros(seen.p50),
            micros(seen.p99),
            micros(seen.p50) / micros(got.p50),
            micros(seen.p50) / script_p50,
            seen.per_second / f64::midpoint(first.per_second, second.per_second),
        );
    }
    Ok(())
}

fn used(server: &Redis) -> u64 {
    server.info("memory", "used_memory").parse().unwrap_or(0)
}

/// The client library alone, on the same server.
#[derive(Clone)]
struct Bare {
    connection: MultiplexedConnection,
    sha: String,
}

impl Bare {
    const KEYS: usize = 1000;

    async fn on(server: &Redis) -> redis::RedisResult<Self> {
        let client = redis::Client::open(server.url())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let load = redis::cmd("SCRIPT").arg("LOAD").arg(BARE).clone();
        let sha = load.query_async(&mut connection).await?;
        for n in 0..Self::KEYS {
            let mut set = redis::cmd("SET");
            set.arg(format!("bare{n}")).arg(&[7_u8; 126][..]);
            set.exec_async(&mut connection).await?;
        }
        Ok(Self { connection, sha })
    }

    async fn get(&self, callers: usize, times: usize) -> Result<Figures, String> {
        let bare = self.clone();
        let get = move |n: usize| {
            let mut connection = bare.connection.clone();
            async move {
                let mut get = redis::cmd("GET");
                get.arg(format!("bare{}", n % Self::KEYS));
                let got: redis::RedisResult<Vec<u8>> = get.query_async(&mut connection).await;
                got.map(drop).map_err(|error| error.to_string())
            }
        };
        crowd(callers, 0, times, get).await
    }

    async fn script(&self, callers: usize, times: usize) -> Result<Figures, String> {
        let bare = self.clone();
        let run = move |n: usize| {
            let (mut connection, sha) = (bare.connection.clone(), bare.sha.clone());
            async move {
                let mut run = redis::cmd("EVALSHA");
                run.arg(sha).arg(1).arg(format!("bare{}", n % Self::KEYS));
                run.arg(&[7_u8; 82][..]);
                let ran: redis::RedisResult<(u8, u8, u8)> = run.query_async(&mut connection).await;
                ran.map(drop).map_err(|error| error.to_string())
            }
        };
        crowd(callers, 0, times, run).await
    }
}
