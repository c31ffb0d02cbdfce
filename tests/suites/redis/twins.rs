//! The native check beside the pure one: the same effect, the same bytes, the same time to
//! live, over random records.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use countersign::record::{Action, Effect, MAX_RECORD_BYTES, Moment, Record, Step};
use countersign::store::Incarnation;
use countersign::{CorruptRecord, RecordKey, SessionStore, StoreError, Timestamp, Verdict};
use countersign_redis::RedisStore;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use redis::aio::MultiplexedConnection;
use tokio::runtime::Runtime;

use crate::parts::long::long;
use crate::parts::redis::Redis;
use crate::stage::{connect, options};
use crate::steps::{Act, Manner, Material, acts};

const NAME: &str = "cs:7477696e73747769";
const KEY: RecordKey = RecordKey::from_bytes(*b"twinstwi");
/// By so much a key outlives what it holds, in milliseconds.
const MARGIN: u64 = 3_600_000;
/// What a wrong guess may need: a failure, a memo, and the first failures of both lanes.
const ROOM: usize = 5 + 11 + 2 * 5;
/// The least number of pairs that the suite compares.
const PAIRS: usize = 10_000;

struct Twins {
    store: Arc<RedisStore>,
    raw: MultiplexedConnection,
    material: Material,
    life: Incarnation,
    start: Timestamp,
    pairs: Cell<usize>,
    written: Cell<usize>,
    longest: Cell<usize>,
    /// Guesses at records so full that the library may leave them to the core.
    full: Cell<usize>,
    seen: std::cell::RefCell<BTreeMap<String, usize>>,
}

/// What a check led to: its effect, the value, and its expiry (-1 for none).
pub(crate) type End = (Result<Effect, CorruptRecord>, Option<Vec<u8>>, i64);

impl Twins {
    async fn start(redis: &Redis) -> Self {
        let store = connect(&redis.url(), options()).await;
        let loaded = store.load(KEY).await.unwrap();
        let client = redis::Client::open(redis.url()).unwrap();
        Self {
            raw: client.get_multiplexed_async_connection().await.unwrap(),
            material: Material::gather().await,
            life: loaded.incarnation,
            // Steps that go back stay in the future of the server.
            start: loaded.now.plus_secs(3600),
            store,
            pairs: Cell::new(0),
            written: Cell::new(0),
            longest: Cell::new(0),
            full: Cell::new(0),
            seen: std::cell::RefCell::default(),
        }
    }

    /// Takes all steps purely, and compares each check with the native one.
    async fn run(&self, manner: Manner, acts: &[Act]) -> Result<(), TestCaseError> {
        let (mut value, mut at) = (None::<Vec<u8>>, self.start);
        let mut opened = at;
        for act in acts {
            let millis = at.as_millis().saturating_add_signed(act.later);
            at = Timestamp::from_millis(millis.max(self.start.as_millis() - 1_000_000));
            at = act.edge(manner, opened).unwrap_or(at);
            let step = act.step(at, manner, &self.material);
            if let Action::Open(_) = &step.action {
                opened = at;
            }
            let mut before = value.clone();
            if let (Action::Check(_), Some(bytes)) = (&step.action, &mut before) {
                act.damage(bytes);
            }
            let life = if act.other_life {
                Incarnation::new(7)
            } else {
                self.life
            };
            let moment = Moment {
                now: at,
                incarnation: life,
            };
            let pure = pure(before.as_deref(), &step, moment);
            if let Action::Check(_) = &step.action
                && !act.other_life
            {
                let native = self.native(before.as_deref(), &step).await;
                if native != pure {
                    return Err(TestCaseError::fail(format!(
                        "{step:?}\n{before:02x?}\n{pure:?}\n{native:?}"
                    )));
                }
                self.count(&pure, before.as_deref());
            }
            // What was damaged is mended for the steps to come.
            if pure.0.is_ok() && (before == value || pure.1 != before) {
                value = pure.1;
            }
        }
        Ok(())
    }

    async fn native(&self, before: Option<&[u8]>, step: &Step) -> End {
        let mut raw = self.raw.clone();
        let set = match before {
            Some(bytes) => redis::cmd("SET").arg(NAME).arg(bytes).to_owned(),
            None => redis::cmd("DEL").arg(NAME).to_owned(),
        };
        set.exec_async(&mut raw).await.unwrap();
        let effect = match self.store.apply(KEY, step).await {
            Ok(effect) => Ok(effect),
            Err(StoreError::Corrupt(corrupt)) => Err(corrupt),
            Err(error) => panic!("{error}"),
        };
        let mut ask = redis::pipe();
        ask.cmd("GET").arg(NAME).cmd("PEXPIRETIME").arg(NAME);
        let (value, expiry): (Option<Vec<u8>>, i64) = ask.query_async(&mut raw).await.unwrap();
        (effect, value, expiry.max(-1))
    }

    fn count(&self, end: &End, before: Option<&[u8]>) {
        self.pairs.set(self.pairs.get() + 1);
        self.written
            .set(self.written.get() + usize::from(end.1.as_deref() != before));
        let bytes = end.1.as_ref().map_or(0, Vec::len);
        self.longest.set(self.longest.get().max(bytes));
        let wrong = matches!(end.0, Ok(Effect::Verdict(Verdict::WrongCode { .. })));
        let is_full = wrong && before.is_some_and(|before| before.len() + ROOM > MAX_RECORD_BYTES);
        self.full.set(self.full.get() + usize::from(is_full));
        let name = match &end.0 {
            Ok(Effect::Verdict(verdict)) => verdict.reason().to_owned(),
            Ok(Effect::Approved { .. }) => "approved".to_owned(),
            other => format!("{other:?}"),
        };
        *self.seen.borrow_mut().entry(name).or_default() += 1;
    }
}

/// By the core alone.
pub(crate) fn pure(before: Option<&[u8]>, step: &Step, moment: Moment) -> End {
    let held = || before.map(<[u8]>::to_vec);
    let mut record = match before.map(Record::decode).transpose() {
        Ok(record) => record.unwrap_or_else(|| Record::absent(step)),
        Err(corrupt) => return (Err(corrupt), held(), -1),
    };
    let empty = Record::absent(step).encode();
    match record.step(step, moment) {
        Err(foreign) => (Err(foreign), held(), -1),
        Ok(effect) => {
            let bytes = record.encode();
            let unchanged = before.map_or(bytes == empty, |before| before == bytes);
            if unchanged {
                return (Ok(effect), held(), -1);
            }
            let expiry = record.keep_until().map_or(-1, |until| {
                i64::try_from(until.as_millis() + MARGIN).unwrap()
            });
            (Ok(effect), Some(bytes), expiry)
        }
    }
}

#[test]
fn the_native_check_is_the_pure_one() {
    let runtime = Runtime::new().unwrap();
    let redis = Redis::start(&[]);
    let twins = runtime.block_on(Twins::start(&redis));
    let cases = if long() { 40_000 } else { 600 };
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let run = |(manner, acts): (Manner, Vec<Act>)| runtime.block_on(twins.run(manner, &acts));
    let result = TestRunner::new(config).run(&acts(), run);
    let (pairs, written, longest) = (twins.pairs.get(), twins.written.get(), twins.longest.get());
    println!(
        "{pairs} pairs, {written} written, at most {longest} bytes: {:?}",
        twins.seen.borrow()
    );
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(
        pairs >= PAIRS && written > PAIRS / 10,
        "{pairs} pairs, {written} written"
    );
    assert!(longest > 1000, "no record was full");
    // What the library left to the core would always be the same as itself: one call a
    // pair, and a load for each that is corrupt; where it is full, a load and a swap.
    let corrupt: usize = twins
        .seen
        .borrow()
        .iter()
        .filter(|(end, _)| end.starts_with("Err"))
        .map(|(_, n)| n)
        .sum();
    let calls = calls(&redis);
    let full = twins.full.get();
    println!("{calls} calls of functions, {corrupt} values were corrupt, {full} full");
    assert!(
        calls <= pairs + corrupt + 2 * full + 3,
        "{calls} calls for {pairs} pairs"
    );
    for verdict in [
        "approved",
        "verified",
        "wrong_code",
        "too_many_attempts",
        "malformed",
        "expired",
        "already_used",
        "cancelled",
        "undeliverable",
        "throttled",
        "locked",
        "unknown",
        "Err(Encoding)",
    ] {
        assert!(
            twins.seen.borrow().contains_key(verdict),
            "never seen: {verdict}"
        );
    }
}

pub(crate) fn calls(redis: &Redis) -> usize {
    let stats = redis.cli(&["INFO", "commandstats"]);
    let mut lines = stats
        .lines()
        .filter_map(|line| line.strip_prefix("cmdstat_fcall:calls="));
    lines
        .next()
        .and_then(|line| line.split(',').next())
        .unwrap()
        .parse()
        .unwrap()
}
