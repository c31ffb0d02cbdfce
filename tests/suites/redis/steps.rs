//! Random steps on one record, with real digests.

use std::sync::Arc;

use countersign::record::{Action, Check, DeliveryOutcome, Fit, Open, Posted, Resend, Step};
use countersign::{
    Alphabet, Channel, CodeForm, Digest, KeyId, LaneLimits, Limit, MemoryStore, Nonce, Policy,
    RecordKey, ResendPolicy, Tag, Timestamp,
};
use proptest::prelude::*;

use crate::stage::Desk;
use crate::tap::Tap;

/// What random steps are made of: digests as the verifier makes them.
pub(crate) struct Material {
    pub(crate) digests: Vec<Digest>,
    key: KeyId,
}

impl Material {
    pub(crate) async fn gather() -> Self {
        let tap = Arc::new(Tap::over(MemoryStore::new()));
        Desk::over(Arc::clone(&tap) as _).send(6).await;
        let steps = tap.steps();
        let opens = steps.iter().filter_map(|(_, step)| match &step.action {
            Action::Open(open) => Some(*open),
            _ => None,
        });
        let opened: Vec<Open> = opens.collect();
        Self {
            digests: opened.iter().map(|open| open.digest).collect(),
            key: opened[0].key,
        }
    }
}

/// One step to come, as numbers.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    /// Milliseconds since the step before; may go back.
    pub(crate) later: i64,
    /// Which life of the store it is taken in: mostly the server's own.
    pub(crate) other_life: bool,
    kind: u8,
    session: u8,
    digest: u8,
    lane: bool,
    mark: Option<u8>,
    limits: u8,
    fit: u8,
    odd: u8,
}

/// How a case's record is made: with sessions of these sizes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) attempts: u8,
    pub(crate) sessions: u8,
    pub(crate) lifetime: u32,
    pub(crate) limits: u8,
}

pub(crate) fn acts() -> impl Strategy<Value = (Manner, Vec<Act>)> {
    let later = prop_oneof![
        30 => 0..3i64, 30 => 1..2000i64, 20 => 1000..70_000i64, 5 => 60_000..900_000i64,
        1 => 3_000_000..90_000_000i64, 3 => -12_000..0i64, 1 => Just(401 * 86_400_000),
    ];
    let act = (
        (
            later,
            prop::bool::weighted(0.02),
            0..40u8,
            any::<u8>(),
            any::<u8>(),
        ),
        (
            prop::bool::weighted(0.3),
            prop::option::weighted(0.4, 0..4u8),
            0..60u8,
            0..30u8,
            any::<u8>(),
        ),
    );
    let act = act.prop_map(
        |((later, other_life, kind, session, digest), (lane, mark, limits, fit, odd))| Act {
            later,
            other_life,
            kind,
            session,
            digest,
            lane,
            mark,
            limits,
            fit,
            odd,
        },
    );
    let manner = (
        1..14u8,
        1..14u8,
        prop_oneof![Just(300u32), 1..4000u32],
        0..7u8,
    );
    let manner = manner.prop_map(|(attempts, sessions, lifetime, limits)| Manner {
        attempts,
        sessions,
        lifetime,
        limits,
    });
    (manner, prop::collection::vec(act, 4..60))
        .prop_map(|(manner, acts)| (manner, Act::openings(manner).chain(acts).collect()))
}

impl Act {
    /// Opens every session of the case, so that most guesses find one.
    fn openings(manner: Manner) -> impl Iterator<Item = Self> {
        (0..manner.sessions).map(|session| Self {
            later: 700,
            other_life: false,
            kind: 0,
            session,
            digest: session,
            lane: session % 3 == 2,
            mark: None,
            limits: u8::MAX,
            fit: 2,
            odd: session + 20,
        })
    }

    /// Now and then, a moment at which something just ends or just does not: the last
    /// session's time, or the tolerance before its opening.
    pub(crate) fn edge(&self, manner: Manner, opened: Timestamp) -> Option<Timestamp> {
        let opened_at = opened.as_millis();
        let over = opened_at + u64::from(manner.lifetime) * 1000;
        let moment = match self.odd {
            41..=52 => over,
            53 | 54 => over - 1,
            55 | 56 => opened_at - 5000,
            57 => opened_at - 5001,
            _ => return None,
        };
        (self.kind > 10).then(|| Timestamp::from_millis(moment))
    }

    /// The step of this act.
    pub(crate) fn step(&self, at: Timestamp, manner: Manner, material: &Material) -> Step {
        let tag = if self.odd == 0 { tag(9) } else { tag(1) };
        let (nonce, digest) = (
            self.nonce(manner),
            material.digests[usize::from(self.digest % 4)],
        );
        let action = match self.kind {
            0..=10 => Action::Open(self.open(manner, material, digest)),
            11..=13 => Action::Resend(self.resend(manner, digest)),
            14 if self.odd < 128 => Action::Cancel(nonce),
            14 => Action::Outcome(self.posted(nonce), DeliveryOutcome::Undeliverable),
            15 if self.odd < 128 => Action::Outcome(self.posted(nonce), DeliveryOutcome::Accepted),
            15 if self.odd < 160 => {
                Action::Outcome(self.posted(nonce), DeliveryOutcome::Undeliverable)
            }
            15 if self.odd < 176 => Action::Report(self.posted(nonce), DeliveryOutcome::Delivered),
            15 if self.odd < 192 => Action::Turn(self.posted(nonce), Channel::Voice),
            16 if self.odd < 40 => Action::Reset,
            _ => Action::Check(self.check(manner, digest)),
        };
        Step {
            tag,
            at: Some(at),
            action,
        }
    }

    /// The first or the second message, by a channel that its session may have.
    fn posted(&self, nonce: Nonce) -> Posted {
        Posted {
            nonce,
            number: 1 + self.digest % 2,
            channel: self.channel(),
        }
    }

    fn channel(&self) -> Channel {
        Channel::ALL[usize::from(self.odd % 3)]
    }

    fn nonce(&self, manner: Manner) -> Nonce {
        Nonce::from_bytes([self.session % manner.sessions; 6])
    }

    fn open(&self, manner: Manner, material: &Material, digest: Digest) -> Open {
        Open {
            nonce: self.nonce(manner),
            key: material.key,
            purpose: tag(2),
            exact: tag(3),
            channel: self.channel(),
            form: form(self.session % manner.sessions),
            digest,
            lifetime_seconds: manner.lifetime,
            ceiling_seconds: manner.lifetime * 2,
            max_attempts: manner.attempts,
            max_sends: 9,
            cooldown_seconds: 0,
            limits: open_limits(manner),
            known_device: self.lane,
            decoy: self.odd % 11 == 1,
            custom: self.odd % 7 == 1,
            replaces: None,
            prefix: self
                .odd
                .is_multiple_of(2)
                .then(|| RecordKey::from_bytes([self.digest; 8])),
        }
    }

    fn resend(&self, manner: Manner, digest: Digest) -> Resend {
        Resend {
            nonce: self.nonce(manner),
            purpose: tag(2),
            exact: tag(3),
            channel: Channel::Voice,
            digest,
            resend: [
                ResendPolicy::Rotate,
                ResendPolicy::KeepLast(2),
                ResendPolicy::KeepLast(3),
            ][usize::from(self.odd % 3)],
            ceiling_seconds: manner.lifetime * 2,
            cooldown_seconds: 0,
            max_sends: 9,
            limits: open_limits(manner),
            device_limits: open_limits(manner),
        }
    }

    /// A guess: the digest is one of a few, so that it is often right.
    pub(crate) fn check(&self, manner: Manner, digest: Digest) -> Check {
        let form = form(self.session % manner.sessions);
        let right = self.fit > 0;
        Check {
            nonce: self.nonce(manner),
            purpose: if self.odd == 1 { tag(8) } else { tag(2) },
            fit: Fit {
                length: form.length() + u8::from(!right),
                digits: form.alphabet() == Alphabet::Digits || self.fit == 1,
                alphanumeric: form.alphabet() != Alphabet::Digits || self.fit > 4,
            },
            digest,
            attempt: self.mark.map(|mark| [mark; 8]),
            limits: guess_limits(self.choice(manner)),
            device_limits: guess_limits((self.choice(manner) + 1) % 7),
        }
    }

    /// Mostly the limits of the whole case: a policy seldom changes.
    fn choice(&self, manner: Manner) -> u8 {
        if self.limits < 7 {
            self.limits
        } else {
            manner.limits
        }
    }

    /// What to do to the bytes before the check: mostly nothing.
    pub(crate) fn damage(&self, bytes: &mut Vec<u8>) {
        let at = (usize::from(self.odd) * 37 + usize::from(self.digest)) % bytes.len().max(1);
        match (self.odd % 32, self.session % 3) {
            (31, 0) => bytes.truncate(at),
            (31, 1) => bytes[at] ^= 1 << (self.digest % 8),
            (31, _) => bytes.push(0),
            _ => {}
        }
    }
}

fn form(session: u8) -> CodeForm {
    let alphabet = if session % 5 == 4 {
        Alphabet::Alphanumeric
    } else {
        Alphabet::Digits
    };
    CodeForm::new(4 + session % 7, alphabet).unwrap()
}

fn tag(of: u8) -> Tag {
    Tag::from_bytes([of; 8])
}

/// Sends are hardly limited, so that records fill up.
fn open_limits(manner: Manner) -> LaneLimits {
    let mut limits = Policy::default().destination;
    limits.sends = [Limit::new(60, 600), Limit::new(200, 86_400)];
    limits.live_sessions = manner.sessions;
    limits
}

fn guess_limits(choice: u8) -> LaneLimits {
    let mut limits = Policy::default().destination;
    (limits.failures, limits.lock_after) = match choice {
        0 => (limits.failures, limits.lock_after),
        1 => ([Limit::new(2, 10), Limit::new(5, 60)], 3),
        2 => ([Limit::new(100, 60), Limit::new(600, 3600)], u16::MAX),
        3 => ([Limit::new(21, 7), Limit::new(20, 100)], 40),
        4 => ([Limit::new(0, 30), Limit::new(3, 0)], 5),
        5 => (
            [Limit::new(u16::MAX, u32::MAX), Limit::new(1000, 86_400)],
            1000,
        ),
        _ => ([Limit::new(20, 3600), Limit::new(20, 3601)], 0),
    };
    limits
}
