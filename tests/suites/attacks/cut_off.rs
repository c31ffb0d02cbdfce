//! A06: a check that is dropped, fails or panics, before and after its guess was compared.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use async_trait::async_trait;
use countersign::record::{Action, Effect, Step};
use countersign::store::{Entry, Incarnation, Loaded, StepQueue, Swap};
use countersign::{CheckError, CheckRequest, RecordKey, SessionStore, StoreError, Verdict};

use super::bench::wrong;
use super::desk::{Desk, person, ring};
use super::stores::{Kind, Opened, on_every_store};

/// What becomes of a check whose guess the store has judged.
#[derive(Clone, Copy, Debug)]
enum Then {
    Tell,
    Fail,
    Panic,
}

/// A store that gives way before and after it judges a guess, so that a check can be dropped
/// there, and that knows what it found, whoever was told.
#[derive(Debug)]
struct Halting {
    inner: Arc<dyn SessionStore>,
    then: Mutex<Then>,
    begun: AtomicU32,
    judged: AtomicU32,
}

#[async_trait]
impl SessionStore for Halting {
    async fn load(&self, key: RecordKey) -> Result<Loaded, StoreError> {
        self.inner.load(key).await
    }

    async fn swap(
        &self,
        key: RecordKey,
        seen: Option<&[u8]>,
        next: Entry<'_>,
        incarnation: Incarnation,
    ) -> Result<Swap, StoreError> {
        self.inner.swap(key, seen, next, incarnation).await
    }

    fn queue(&self) -> Option<&StepQueue> {
        self.inner.queue()
    }

    async fn apply(&self, key: RecordKey, step: &Step) -> Result<Effect, StoreError> {
        if !matches!(step.action, Action::Check(_)) {
            return self.inner.apply(key, step).await;
        }
        tokio::task::yield_now().await;
        self.begun.fetch_add(1, Ordering::SeqCst);
        let effect = self.inner.apply(key, step).await?;
        self.judged.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        let then = *self.then.lock().unwrap();
        match then {
            Then::Tell => Ok(effect),
            Then::Fail => Err(StoreError::indeterminate("the test cut it off")),
            Then::Panic => panic!("the test cut it off"),
        }
    }
}

/// One process on such a store.
struct Site {
    store: Arc<Halting>,
    desk: Desk,
    _stores: Opened,
}

impl Site {
    async fn on(kind: Kind) -> Self {
        let stores = kind.open(1).await;
        let store = Arc::new(Halting {
            inner: Arc::clone(&stores.handles[0]),
            then: Mutex::new(Then::Tell),
            begun: AtomicU32::new(0),
            judged: AtomicU32::new(0),
        });
        let seen: Arc<dyn SessionStore> = Arc::clone(&store) as _;
        Self {
            store,
            desk: Desk::new(&seen, ring()),
            _stores: stores,
        }
    }

    fn then(&self, then: Then) {
        *self.store.then.lock().unwrap() = then;
    }

    /// How many guesses came to the store, and how many it judged.
    fn counted(&self) -> (u32, u32) {
        let of = |counter: &AtomicU32| counter.load(Ordering::SeqCst);
        (of(&self.store.begun), of(&self.store.judged))
    }

    /// Failures in a row that this person was charged.
    async fn charged(&self, number: u32) -> u16 {
        let (desk, to) = (&self.desk, person(number));
        let seen = desk.verifier.inspect(&desk.tenant, &to).await;
        seen.unwrap().open.streak
    }

    /// A check that ends as the store is told to end it.
    async fn cut_off(&self, session: &(String, String), code: String, then: Then) {
        self.then(then);
        let (verifier, tenant) = (self.desk.verifier.clone(), self.desk.tenant.clone());
        let id = session.0.clone();
        let check = async move {
            let request = CheckRequest::new(&tenant, &id, &code);
            verifier.check(&request).await
        };
        match (then, tokio::spawn(check).await) {
            (Then::Fail, Ok(Err(CheckError::Store(_)))) => {}
            (Then::Panic, Err(error)) if error.is_panic() => {}
            (then, ended) => panic!("{then:?}: {ended:?}"),
        }
        self.then(Then::Tell);
    }
}

/// Polls until it waits and is to be dropped; what it gave, if it ended before.
async fn polled<F: Future>(
    future: F,
    mut is_to_be_dropped: impl FnMut() -> bool,
) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if is_to_be_dropped() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

/// When a check is dropped.
#[derive(Clone, Copy, Debug)]
enum At {
    /// After so many polls.
    Poll(u32),
    /// As soon as its guess was judged.
    Judged,
}

#[test]
fn a06_a_check_that_is_dropped_at_any_await_keeps_its_charge() {
    on_every_store(|kind| async move {
        let site = Site::on(kind).await;
        let (mut number, mut compared) = (0, 0);
        for _ in kind.each_of("a06, dropped", kind.rounds(200)) {
            let mut polls = 0;
            let mut was_dropped = true;
            // One poll later each time, until it ends by itself.
            while was_dropped {
                polls += 1;
                number += 1;
                let judged = dropped(&site, kind, number, At::Poll(polls)).await;
                was_dropped = judged.is_some();
                compared += u32::from(judged == Some(true));
            }
            number += 1;
            let judged = dropped(&site, kind, number, At::Judged).await;
            assert_eq!(judged, Some(true), "{kind}");
            compared += 1;
        }
        let tried = format!("{number} checks dropped, one await later each time");
        let showed = format!("{compared} compared before, all charged; 5 comparisons a session");
        kind.note("a06", &tried, &showed);
    });
}

/// A session whose first check is dropped: whether it was judged by then,
/// or none if it ended. What was judged is charged, and all in all five are.
async fn dropped(site: &Site, kind: Kind, number: u32, at: At) -> Option<bool> {
    let session = site.desk.send(number).await.unwrap();
    let (begun, judged) = site.counted();
    let guess = wrong(&session.1, 0);
    let mut polls = 0;
    let is_to_be_dropped = || {
        polls += 1;
        match at {
            At::Poll(nth) => polls == nth,
            At::Judged => site.counted().1 > judged,
        }
    };
    let told = polled(site.desk.guess(&session.0, &guess), is_to_be_dropped).await;
    let (begun, judged) = (site.counted().0 - begun, site.counted().1 - judged);
    let charged = u32::from(site.charged(number).await);
    // One that was under way may still be written; one that never came cannot.
    assert!(
        (judged..=begun).contains(&charged),
        "{kind}, {at:?}: {begun} begun, {judged} compared, {charged} charged"
    );
    let mut compared = judged;
    for n in 1..20 {
        match site.desk.guess(&session.0, &wrong(&session.1, n)).await {
            Verdict::WrongCode { .. } => compared += 1,
            verdict => {
                assert_eq!(verdict, Verdict::Exhausted, "{kind}, {at:?}");
                break;
            }
        }
    }
    // The fifth is told as all that come after it.
    assert!(compared <= 4, "{kind}, {at:?}: {compared} and one");
    assert_eq!(site.charged(number).await, 5, "{kind}, {at:?}");
    let right = site.desk.check(&session).await;
    assert_eq!(right, Verdict::Exhausted, "{kind}, {at:?}");
    told.is_none().then_some(judged == 1)
}

#[test]
fn a06_a_check_that_fails_or_panics_after_its_comparison_keeps_its_charge() {
    on_every_store(|kind| async move {
        let site = Site::on(kind).await;
        let rounds = kind.rounds(100);
        for number in 0..2 * rounds {
            let then = [Then::Fail, Then::Panic][number as usize % 2];
            let session = site.desk.send(number).await.unwrap();
            let before = site.counted();
            for n in 0..5 {
                let guess = wrong(&session.1, n);
                site.cut_off(&session, guess, then).await;
                let charged = u32::from(site.charged(number).await);
                assert_eq!(charged, n + 1, "{kind}, {then:?}");
            }
            assert_eq!(site.counted(), (before.0 + 5, before.1 + 5), "{kind}");
            let right = site.desk.check(&session).await;
            assert_eq!(right, Verdict::Exhausted, "{kind}, {then:?}");
            assert_eq!(site.charged(number).await, 5, "{kind}, {then:?}");

            // A right one is used up by it.
            let other = 10_000 + number;
            let session = site.desk.send(other).await.unwrap();
            site.cut_off(&session, session.1.clone(), then).await;
            let again = site.desk.check(&session).await;
            assert_eq!(again, Verdict::AlreadyUsed, "{kind}, {then:?}");
        }
        let tried = format!("{} checks failed, {0} panicked, once compared", 6 * rounds);
        kind.note("a06", &tried, "all charged, 0 approvals");
    });
}
