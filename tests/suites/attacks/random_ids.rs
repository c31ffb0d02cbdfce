//! A34: session ids that somebody makes up, while others have live sessions.

use countersign::{CheckRequest, Sent, SessionId, Verdict};

use super::bench::Bench;
use super::stores::{Kind, on_every_store};
use crate::parts::dice::Dice;
use crate::parts::long::long;

/// Sessions of others, live all the while.
const LIVE: u32 = 500;
/// Of so many made-up ids one is a pointer that the store is asked for.
const TO_A_STORE: u32 = 65_536;

/// How many ids are made up: 10^8 in memory in the long suite. Elsewhere fewer, for all but
/// one in 65,536 end before the store.
fn tries(kind: Kind) -> u32 {
    match (kind, long()) {
        (Kind::Memory, true) => 100_000_000,
        (Kind::Memory, false) => 1_000_000,
        (_, true) => 10_000_000,
        (_, false) => 200_000,
    }
}

/// An id of the same key: what comes first in it is no secret, for whoever has seen one id
/// knows it. The other 128 bits are random.
fn made_up(seen: &[u8], dice: &mut Dice) -> String {
    const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let value = |symbol| SYMBOLS.iter().position(|other| *other == symbol).unwrap();
    // "sess_", six bits of the key's id, and its last two before four that are random.
    let mut id = seen[..6].to_vec();
    let last = value(seen[6]) & 0b11_0000;
    id.push(SYMBOLS[last | dice.below(16)]);
    for _ in 0..3 {
        let mut drawn = dice.below(1 << 42);
        for _ in 0..7 {
            id.push(SYMBOLS[drawn & 63]);
            drawn >>= 6;
        }
    }
    // Its last two bits must be zeros; of the 23 symbols it takes the place of the last one.
    id.pop();
    id.push(SYMBOLS[dice.below(16) << 2]);
    String::from_utf8(id).unwrap()
}

#[test]
fn a34_made_up_ids_name_none_of_the_live_sessions() {
    on_every_store(|kind| async move {
        let bench = Bench::new(kind).await;
        let mut live = Vec::new();
        for n in 0..LIVE {
            live.push(bench.send(&format!("+47400{n:05}")).await.unwrap());
        }
        let seen = live[0].0.session_id.to_string();
        let (mut dice, mut hits) = (Dice::seeded(34), 0);
        let (count, before) = (tries(kind), bench.counted.steps());
        for _ in kind.each_of("a34", count) {
            let id = made_up(seen.as_bytes(), &mut dice);
            assert!(id.parse::<SessionId>().is_ok(), "{id} is no id at all");
            let request = CheckRequest::new(&bench.tenant, &id, "123456");
            let verdict = bench.verifier.check(&request).await.unwrap();
            hits += u32::from(verdict != Verdict::Unknown);
        }
        assert_eq!(hits, 0, "{kind}");
        let asked = u32::try_from(bench.counted.steps() - before).unwrap();
        assert_is_by_chance(kind, asked, count);
        for (sent, code) in &live {
            assert_untouched(&bench, kind, sent, code).await;
        }
        let tried = format!("{count} made-up ids beside {LIVE} live sessions");
        let showed = format!("{hits} hits, the store was asked {asked} times");
        kind.note("a34", &tried, &showed);
    });
}

/// That the store was asked about as often as one id in 65,536 is a pointer: eight standard
/// deviations, and eight more where few are expected.
fn assert_is_by_chance(kind: Kind, asked: u32, tries: u32) {
    let expected = f64::from(tries) / f64::from(TO_A_STORE);
    let off = (f64::from(asked) - expected).abs();
    let most = 8.0 * expected.sqrt() + 8.0;
    assert!(
        off < most,
        "{kind}: asked {asked} times, {expected:.1} by chance"
    );
}

async fn assert_untouched(bench: &Bench, kind: Kind, sent: &Sent, code: &str) {
    assert_eq!(bench.status(sent).await.attempts_remaining, 5, "{kind}");
    assert!(bench.check(sent, code).await.is_verified(), "{kind}");
}
