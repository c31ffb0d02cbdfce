//! A33, A69: a decoy lives and ends as a real session does whose code nobody guesses, and asks
//! for as much.

use std::fmt;
use std::sync::{Arc, Mutex};

use countersign::{
    Channel, CheckRequest, DeliveryMode, Destination, Opened, RandomUnavailable, Randomness,
    ResendRequest, SendRequest, Sent, SessionView, SystemRandom,
};

use super::bench::{Bench, Setup, wrong};
use super::stores::{Kind, on_every_store};

/// The system's randomness, and how many bytes were drawn each time.
#[derive(Debug, Default)]
struct Watched(Mutex<Vec<usize>>);

impl Watched {
    fn take(&self) -> Vec<usize> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Randomness for Watched {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        self.0.lock().unwrap().push(bytes.len());
        SystemRandom::default().fill(bytes)
    }
}

/// What one act led to.
#[derive(Debug, PartialEq, Eq)]
struct Act {
    /// What its caller was told.
    told: String,
    /// How many bytes were drawn each time.
    drawn: Vec<usize>,
    /// How many steps the store was asked to take.
    steps: usize,
}

/// How a session ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Exhausted,
    Expired,
    Cancelled,
}

/// One session, and all that was seen of it.
struct Life {
    bench: Bench,
    random: Arc<Watched>,
    to: Destination,
    decoy: bool,
    /// The code, unless it is a decoy, which has none that anybody could know.
    code: Option<String>,
    /// The guess of the attempt that is repeated.
    named: String,
    acts: Vec<Act>,
}

impl Life {
    /// From the first send to what is answered long after the end.
    async fn led(kind: Kind, decoy: bool, end: End) -> Vec<Act> {
        let random = Arc::new(Watched::default());
        let setup = Setup {
            randomness: random.clone(),
            ..Setup::default()
        };
        let mut life = Self {
            bench: Bench::with(kind, setup).await,
            random,
            to: Destination::parse_any("somebody@example.com").unwrap(),
            decoy,
            code: None,
            named: String::new(),
            acts: Vec::new(),
        };
        let sent = life.send().await;
        life.live(&sent).await;
        life.end(&sent, end).await;
        life.all(&sent).await;
        life.bench.clock.advance_secs(300);
        life.all(&sent).await;
        life.acts
    }

    async fn send(&mut self) -> Sent {
        let (to, decoy) = (self.to.clone(), self.decoy);
        let mut sent = None;
        let mut pending = None;
        self.act(async |bench| {
            let opened = open(bench, &to, decoy).await;
            let Opened::Pending(mut parcel) = opened else {
                panic!("answered before");
            };
            parcel.acknowledge().await;
            sent = Some(parcel.sent().clone());
            pending = Some(parcel);
            told_of(sent.as_ref().unwrap())
        })
        .await;
        self.act(async |_| told_of(&pending.unwrap().deliver().await.unwrap()))
            .await;
        self.code = self.bench.inbox.last_code();
        assert_eq!(
            self.code.is_none(),
            decoy,
            "a decoy's code is sent to nobody"
        );
        sent.unwrap()
    }

    /// Guesses of every sort, with their repetitions, and another message.
    async fn live(&mut self, sent: &Sent) {
        self.guess(sent, 0).await;
        self.named = wrong(self.code.as_deref().unwrap_or("000000"), 1);
        self.repeated(sent).await;
        self.repeated(sent).await;
        self.malformed(sent).await;
        self.resend(sent).await;
        self.bench.clock.advance_secs(30);
        self.resend(sent).await;
        self.guess(sent, 2).await;
        self.status(sent).await;
        let (to, decoy) = (self.to.clone(), self.decoy);
        self.act(async |bench| match open(bench, &to, decoy).await {
            Opened::Answered(sent) => told_of(&sent),
            Opened::Pending(_) => panic!("sent twice"),
        })
        .await;
    }

    async fn end(&mut self, sent: &Sent, end: End) {
        match end {
            End::Exhausted => {
                self.guess(sent, 3).await;
                self.guess(sent, 4).await;
            }
            End::Expired => self.bench.clock.advance_secs(600),
            End::Cancelled => self.cancel(sent).await,
        }
    }

    /// Everything that can be asked of a session.
    async fn all(&mut self, sent: &Sent) {
        self.guess(sent, 5).await;
        self.repeated(sent).await;
        self.malformed(sent).await;
        self.status(sent).await;
        self.resend(sent).await;
        self.cancel(sent).await;
        self.guess(sent, 6).await;
    }

    /// The n-th guess that looks right and is wrong.
    async fn guess(&mut self, sent: &Sent, n: u32) {
        let code = self.code.as_deref().unwrap_or("000000");
        self.check(sent, &wrong(code, n), None).await;
    }

    /// The same attempt again, with the same guess.
    async fn repeated(&mut self, sent: &Sent) {
        self.check(sent, &self.named.clone(), Some("named")).await;
    }

    async fn malformed(&mut self, sent: &Sent) {
        self.check(sent, "12345", None).await;
    }

    async fn check(&mut self, sent: &Sent, code: &str, attempt: Option<&str>) {
        let id = sent.session_id.to_string();
        self.act(async |bench| {
            let mut request = CheckRequest::new(&bench.tenant, &id, code);
            request.attempt_id = attempt;
            request.end_user_ip = Some("2001:db8::1".parse().unwrap());
            text(bench.verifier.check(&request).await)
        })
        .await;
    }

    async fn resend(&mut self, sent: &Sent) {
        let (to, id) = (self.to.clone(), sent.session_id);
        let mut pending = None;
        self.act(async |bench| {
            let mut request = ResendRequest::new(&bench.tenant, id, &to);
            request.delivery = DeliveryMode::Background;
            match bench.verifier.reopen(&request).await {
                Ok(parcel) => told_of(pending.insert(parcel).sent()),
                Err(error) => text(error),
            }
        })
        .await;
        if let Some(pending) = pending {
            self.act(async |_| told_of(&pending.deliver().await.unwrap()))
                .await;
        }
        // The newest is what is not to be guessed.
        self.code = self.bench.inbox.last_code();
    }

    async fn status(&mut self, sent: &Sent) {
        let id = sent.session_id.to_string();
        self.act(async |bench| {
            let seen = bench.verifier.status(&bench.tenant, &id).await;
            seen_as(&seen.unwrap().unwrap())
        })
        .await;
    }

    async fn cancel(&mut self, sent: &Sent) {
        let id = sent.session_id.to_string();
        self.act(async |bench| {
            let seen = bench.verifier.cancel(&bench.tenant, &id).await;
            seen_as(&seen.unwrap().unwrap())
        })
        .await;
    }

    async fn act(&mut self, act: impl AsyncFnOnce(&Bench) -> String) {
        self.random.take();
        let before = self.bench.counted.steps();
        let told = act(&self.bench).await;
        self.acts.push(Act {
            told,
            drawn: self.random.take(),
            steps: self.bench.counted.steps() - before,
        });
    }
}

async fn open(bench: &Bench, to: &Destination, decoy: bool) -> Opened {
    let mut request = SendRequest::new(&bench.tenant, Channel::Email, to);
    request.delivery = DeliveryMode::Background;
    request.decoy = decoy;
    request.end_user_ip = Some("2001:db8::1".parse().unwrap());
    request.idempotency_key = Some("once");
    bench.verifier.open(&request).await.unwrap()
}

fn text(what: impl fmt::Debug) -> String {
    format!("{what:?}")
}

/// All of it but the id, of which there are no two alike: only its form.
fn told_of(sent: &Sent) -> String {
    let id = sent.session_id.to_string().len();
    let Sent {
        session_id: _,
        channel,
        expires_in,
        form,
        resend_after,
        attempts_remaining,
        delivery,
        ..
    } = sent;
    text((
        id,
        channel,
        expires_in,
        form,
        resend_after,
        attempts_remaining,
        delivery,
    ))
}

/// All that the API tells of a session.
fn seen_as(seen: &SessionView) -> String {
    text((
        (seen.status(), seen.state, seen.channel, seen.delivery),
        (seen.opened_at, seen.expires_at, seen.form),
        (seen.attempts_remaining, seen.sends),
        (seen.custom, seen.known_device),
    ))
}

#[test]
fn a69_a_decoy_s_whole_life_is_told_and_costs_as_a_real_session_s() {
    on_every_store(|kind| async move {
        let mut compared = 0;
        for end in [End::Exhausted, End::Expired, End::Cancelled] {
            let real = Life::led(kind, false, end).await;
            let decoy = Life::led(kind, true, end).await;
            for (n, (decoy, real)) in decoy.iter().zip(&real).enumerate() {
                assert_eq!(decoy, real, "{kind}, {end:?}, act {n}");
            }
            assert_eq!(decoy.len(), real.len(), "{kind}, {end:?}");
            // It was a life: guesses were wrong, codes drawn, and it ended in its own way.
            let told = |what: &str| real.iter().filter(|act| act.told.contains(what)).count();
            assert!(told("WrongCode") >= 4, "{kind}, {end:?}: {real:?}");
            assert!(real.iter().any(|act| !act.drawn.is_empty()), "{kind}");
            assert!(told(&text(end)) >= 4, "{kind}, {end:?}: {real:?}");
            compared += real.len();
        }
        let tried = format!("3 lives of a real session and a decoy, {compared} acts of each");
        kind.note(
            "a69",
            &tried,
            "outcomes, randomness drawn and store steps alike",
        );
    });
}
