//! A32: made-up ids never reach the store, but for one in 65,536: whoever tries them learns nothing
//! from what the store does, and gives it no work.

use countersign::Stopwatch;

use super::caller::{Answer, wrong};
use super::fleet::Session;
use super::four_servers::rounds;
use super::killed::Site;
use super::outages::open;
use super::store::Kind;
use super::strangers::made_up;
use crate::parts::dice::Dice;
use crate::parts::long::progress;

/// Guesses at a session, each of which asks the store.
const GUESSES: usize = 4;
/// Of made-up ids one in 65,536 reaches the store. More than this may be asked by nothing but more
/// ids: if it were one in a hundred it would be more by far.
const fn few(ids: usize) -> u64 {
    10 + ids as u64 / 500
}

/// Guesses at a server whose questions to its store are counted.
async fn a32_made_up_ids_never_reach_the_store(kind: Kind) {
    let (site, clock) = (Site::start(kind, "a32").await, Stopwatch::start());
    let (live, mut dice) = (open(&site, 0).await, Dice::seeded(32));
    // The server knows the caller's key from here on.
    site.victim.status_code(0).await;
    let own = asked(&site, async || {
        for n in 0..GUESSES {
            let guess = wrong(&live.code, n);
            let told = site.victim.check(0, &live, &guess).await;
            assert!(matches!(told, Answer::WrongCode { .. }), "{kind}: {told:?}");
        }
    });
    let own = own.await;
    assert!(own >= GUESSES as u64, "{kind}: {own} questions");
    let ids = 250 * rounds().min(200);
    // What the server asks of its own accord it asks as well beside what cannot be an id.
    let nothing = asked(&site, async || {
        none_found(&site, &live, ids, || "A".into()).await;
    })
    .await;
    let made_up = || made_up(&live.id, &mut dice);
    let reached = asked(&site, async || none_found(&site, &live, ids, made_up).await).await;
    assert!(
        reached <= nothing + few(ids),
        "{kind}: {ids} made-up ids, {reached} questions, not {nothing}"
    );
    let tried = format!("{ids} made-up ids at a server whose questions to its store are counted");
    let showed = format!(
        "{reached} questions to the store, {nothing} by itself; {GUESSES} guesses at a session: \
         {own}"
    );
    site.fleet.tell("a32", &tried, &showed, &clock);
}

/// How much a server asks its store meanwhile.
async fn asked(site: &Site, meanwhile: impl AsyncFnOnce()) -> u64 {
    let proxy = site.proxy.as_ref().expect("a network");
    let before = proxy.counts().requests;
    meanwhile().await;
    proxy.counts().requests - before
}

/// Guesses at so many ids, all of which name nothing.
async fn none_found(site: &Site, live: &Session, ids: usize, mut id: impl FnMut() -> String) {
    for n in 0..ids {
        let session = Session {
            id: id(),
            ..live.clone()
        };
        let answer = site.victim.check(0, &session, &live.code).await;
        assert_eq!(answer, Answer::NotFound, "{}, {n}", session.id);
        progress("a32", n + 1, ids);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn made_up_ids_never_reach_postgres() {
    a32_made_up_ids_never_reach_the_store(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn made_up_ids_never_reach_redis() {
    a32_made_up_ids_never_reach_the_store(Kind::Redis).await;
}
