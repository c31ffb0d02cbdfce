//! A record that lives on under one policy after another never passes its bound, lets no guess
//! through uncharged, and loses no right code.

mod policies;

use proptest::prelude::*;
use proptest::sample::Index;

use self::policies::{any_policy, filling, growing, lane_of};
use super::*;
use crate::code::CodeForm;
use crate::destination::Channel;
use crate::digest::Digest;
use crate::keys::KeyId;
use crate::policy::{Policy, ResendPolicy};
use crate::record::view::{LaneView, SessionView};
use crate::record::{Check, Fit, MAX_RECORD_BYTES, Record, RecordKey, Resend};

/// What happens next, under the policy of that time.
#[derive(Clone, Debug)]
enum Act {
    /// Another policy from now on.
    Govern(Index),
    Open {
        known_device: bool,
    },
    /// A wrong guess, which may name itself.
    Wrong(Index, Option<u8>),
    /// One of the codes that work.
    Right(Index, Index, Option<u8>),
    Resend(Index),
    Pass(u64),
}

struct Person {
    record: Record,
    now: Timestamp,
    policy: Policy,
    /// Each session's nonce, and its codes.
    sessions: Vec<(Nonce, Vec<Digest>)>,
    drawn: u32,
    longest: usize,
    squeezed: usize,
}

impl Person {
    fn new(policy: Policy) -> Self {
        let look = Action::Look(Nonce([0; 6]));
        Self {
            record: Record::absent(&step(look)),
            now: Timestamp::from_secs(1_800_000_000),
            policy,
            sessions: Vec::new(),
            drawn: 0,
            longest: 0,
            squeezed: 0,
        }
    }

    /// With as many sessions as two policies let in, one after the other.
    fn filled() -> Self {
        let mut person = Self::new(filling(false));
        for known_device in [false, true] {
            person.policy = filling(known_device);
            for _ in 0..12 {
                person.open(known_device);
            }
        }
        person
    }

    /// Every step goes through the encoding, as in a store.
    fn take(&mut self, action: Action) -> Effect {
        let moment = Moment {
            now: self.now,
            incarnation: Incarnation::UNFENCED,
        };
        let effect = self.record.step(&step(action), moment).unwrap();
        let bytes = self.record.encode();
        assert!(bytes.len() <= MAX_RECORD_BYTES, "{} bytes", bytes.len());
        self.record = Record::decode(&bytes).unwrap();
        assert_eq!(self.record.encode(), bytes);
        self.longest = self.longest.max(bytes.len());
        effect
    }

    fn act(&mut self, act: &Act, policies: &[Policy]) {
        match act {
            Act::Govern(which) => self.policy = which.get(policies).clone(),
            Act::Open { known_device } => self.open(*known_device),
            Act::Pass(seconds) => self.now = self.now.plus_secs(*seconds),
            _ if self.sessions.is_empty() => {}
            Act::Wrong(which, mark) => {
                self.wrong(which.index(self.sessions.len()), *mark);
            }
            Act::Right(which, code, mark) => {
                self.right(which.index(self.sessions.len()), *code, *mark);
            }
            Act::Resend(which) => self.resend(which.index(self.sessions.len())),
        }
    }

    fn open(&mut self, known_device: bool) {
        let (policy, digest) = (self.policy.clone(), self.draw());
        let mut nonce = [0; 6];
        nonce[..4].copy_from_slice(&self.drawn.to_be_bytes());
        let open = Open {
            nonce: Nonce(nonce),
            key: KeyId(1),
            purpose: Tag([4; 8]),
            exact: Tag([5; 8]),
            channel: Channel::Email,
            form: CodeForm::SIX_DIGITS,
            digest,
            lifetime_seconds: policy.lifetime_seconds,
            ceiling_seconds: policy.email_ceiling_seconds,
            max_attempts: policy.max_attempts,
            max_sends: policy.max_sends,
            cooldown_seconds: policy.resend_cooldown_seconds,
            limits: lane_of(&policy, known_device),
            known_device,
            decoy: false,
            custom: false,
            replaces: None,
            prefix: policy
                .prefix_conversion
                .map(|_| RecordKey::from_bytes([9; 8])),
        };
        if let Effect::Granted(_) = self.take(Action::Open(open)) {
            self.sessions.push((open.nonce, vec![digest]));
        }
    }

    fn resend(&mut self, which: usize) {
        let (digest, nonce) = (self.draw(), self.sessions[which].0);
        let resend = Resend {
            nonce,
            purpose: Tag([4; 8]),
            exact: Tag([5; 8]),
            channel: Channel::Email,
            digest,
            resend: self.policy.resend,
            ceiling_seconds: self.policy.email_ceiling_seconds,
            cooldown_seconds: self.policy.resend_cooldown_seconds,
            max_sends: self.policy.max_sends,
            limits: self.policy.destination,
            device_limits: self.policy.known_device,
        };
        let before = self.record.encode();
        match self.take(Action::Resend(resend)) {
            Effect::Granted(_) => {
                let kept = match self.policy.resend {
                    ResendPolicy::KeepLast(n) => usize::from(n) - 1,
                    _ => 0,
                };
                let codes = &mut self.sessions[which].1;
                codes.drain(..codes.len().saturating_sub(kept));
                codes.push(digest);
            }
            Effect::Refused(_) => assert_eq!(self.record.encode(), before, "uncharged"),
            other => panic!("{other:?}"),
        }
    }

    /// A guess that is taken costs an attempt and a failure, and is never one fewer.
    fn wrong(&mut self, which: usize, mark: Option<u8>) {
        let (nonce, before) = (self.sessions[which].0, self.record.encode());
        let Some(seen) = self.look(nonce) else {
            return;
        };
        let lane = self.lane(seen.known_device);
        let digest = self.draw();
        match self.check(nonce, digest, mark) {
            Verdict::WrongCode { attempts_remaining } => {
                assert_eq!(attempts_remaining + 1, seen.attempts_remaining);
                let left = self.look(nonce).unwrap().attempts_remaining;
                assert_eq!(left, attempts_remaining);
            }
            Verdict::Exhausted if seen.state == SessionState::Live => {
                assert_eq!(seen.attempts_remaining, 1);
            }
            _ => return assert_eq!(self.record.encode(), before, "neither taken nor charged"),
        }
        let after = self.lane(seen.known_device);
        assert!(after.streak == lane.streak + 1);
        for (after, before) in after.failures_left.into_iter().zip(lane.failures_left) {
            assert!(after < before, "{after} failures left of {before}");
        }
        let most = before.len() + 5 + if mark.is_some() { 11 } else { 0 };
        self.squeezed += usize::from(most > MAX_RECORD_BYTES);
    }

    /// A right code is taken wherever a guess is, and told again to whoever repeats it.
    fn right(&mut self, which: usize, code: Index, mark: Option<u8>) {
        let (nonce, codes) = &self.sessions[which];
        let (nonce, digest) = (*nonce, *code.get(codes));
        let Some(seen) = self
            .look(nonce)
            .filter(|seen| seen.state == SessionState::Live)
        else {
            return;
        };
        let lane = self.lane(seen.known_device);
        match self.check(nonce, digest, mark) {
            Verdict::Verified { .. } => {
                let again = self.check(nonce, digest, mark);
                match mark {
                    Some(_) => assert!(matches!(again, Verdict::Verified { .. })),
                    None => assert_eq!(again, Verdict::AlreadyUsed),
                }
            }
            Verdict::Locked { .. } => assert!(lane.locked),
            Verdict::Throttled { .. } => assert!(lane.failures_left.contains(&0)),
            other => panic!("{other:?}"),
        }
    }

    fn check(&mut self, nonce: Nonce, digest: Digest, mark: Option<u8>) -> Verdict {
        let check = Check {
            nonce,
            purpose: Tag([4; 8]),
            fit: Fit {
                length: 6,
                digits: true,
                alphanumeric: false,
            },
            digest,
            // As in earnest, a mark is of one guess.
            attempt: mark.map(|mark| {
                let mut attempt = [mark; 8];
                attempt[..6].copy_from_slice(&digest.0[..6]);
                attempt
            }),
            limits: self.policy.destination,
            device_limits: self.policy.known_device,
        };
        match self.take(Action::Check(check)) {
            Effect::Verdict(verdict) => verdict,
            Effect::Approved { channel, .. } => Verdict::Verified { channel },
            other => panic!("{other:?}"),
        }
    }

    fn look(&mut self, nonce: Nonce) -> Option<SessionView> {
        match self.take(Action::Look(nonce)) {
            Effect::Session(seen) => seen,
            other => panic!("{other:?}"),
        }
    }

    fn lane(&mut self, known_device: bool) -> LaneView {
        let policy = &self.policy;
        let inspect = Action::Inspect(policy.destination, policy.known_device);
        match self.take(inspect) {
            Effect::Inspection(seen) if known_device => seen.known_device,
            Effect::Inspection(seen) => seen.open,
            other => panic!("{other:?}"),
        }
    }

    /// Another digest.
    fn draw(&mut self) -> Digest {
        self.drawn += 1;
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&self.drawn.to_be_bytes());
        Digest(bytes)
    }
}

fn step(action: Action) -> Step {
    let (tag, at) = (Tag([3; 8]), None);
    Step { tag, at, action }
}

#[test]
fn the_first_session_of_all_may_be_a_known_device_s() {
    let mut person = Person::new(Policy::default());
    let before = Person::new(Policy::default()).lane(false);
    person.open(true);
    person.wrong(0, None);
    let own = person.lane(true);
    assert_eq!((own.streak, person.lane(false)), (1, before));
    let most = person.policy.known_device.sends.map(|limit| limit.max);
    assert_eq!(own.sends_left, most.map(|max| max - 1));
}

#[test]
fn the_digest_of_a_code_that_is_over_goes_with_the_next_send() {
    let mut person = Person::new(Policy::default());
    person.open(false);
    let digest = person.sessions[0].1[0].0;
    let holds = |person: &Person| person.record.encode().windows(16).any(|at| at == digest);
    assert!(holds(&person));
    person.now = person.now.plus_secs(300);
    person.open(false);
    assert!(!holds(&person));
}

/// Those that ended are for reading: they go, the oldest first, before a send is refused.
#[test]
fn what_has_ended_makes_room_for_what_is_new() {
    let mut person = Person::filled();
    let ended = person.sessions.clone();
    for (nonce, codes) in &ended {
        let verdict = person.check(*nonce, codes[0], None);
        assert!(matches!(verdict, Verdict::Verified { .. }), "{verdict:?}");
    }
    // The windows of sends are open again, and what has ended is kept still.
    person.now = person.now.plus_secs(601);
    let new = 5;
    for _ in 0..new {
        person.open(true);
    }
    assert_eq!(person.sessions.len(), ended.len() + new);
    assert_eq!(person.look(ended[0].0), None);
    assert!(person.look(ended[ended.len() - 1].0).is_some());
}

#[test]
fn a_record_filled_under_wider_policies_takes_resends_and_guesses_within_its_bound() {
    let mut person = Person::filled();
    let live = person.sessions.len();
    assert!(live >= 10, "{live}");
    person.policy = growing();
    for which in 0..live {
        person.resend(which);
    }
    let longest = person.longest;
    assert!(longest > MAX_RECORD_BYTES - 16, "{longest}");
    for which in 0..live {
        person.now = person.now.plus_secs(1);
        person.wrong(which, Some(1));
    }
    assert!(person.squeezed > 5, "{} of {live}", person.squeezed);
    for which in 0..live {
        let (nonce, codes) = &person.sessions[which];
        let (nonce, digest) = (*nonce, *codes.last().unwrap());
        let verdict = person.check(nonce, digest, Some(2));
        assert!(matches!(verdict, Verdict::Verified { .. }), "{verdict:?}");
    }
}

fn any_act() -> impl Strategy<Value = Act> {
    let which = any::<Index>;
    let mark = || prop::option::of(0..3_u8);
    prop_oneof![
        1 => which().prop_map(Act::Govern),
        6 => prop::bool::weighted(0.2).prop_map(|known_device| Act::Open { known_device }),
        6 => (which(), mark()).prop_map(|(which, mark)| Act::Wrong(which, mark)),
        1 => (which(), which(), mark()).prop_map(|(which, code, mark)| Act::Right(which, code, mark)),
        6 => which().prop_map(Act::Resend),
        4 => (0..40_u64).prop_map(Act::Pass),
        1 => (0..700_u64).prop_map(Act::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_record_never_passes_its_bound_whatever_policies_follow_one_another(
        policies in prop::collection::vec(any_policy(), 2..5),
        is_filled: bool,
        acts in prop::collection::vec(any_act(), 0..120),
    ) {
        let mut person = if is_filled {
            Person::filled()
        } else {
            Person::new(policies[0].clone())
        };
        person.policy = policies[0].clone();
        for act in &acts {
            person.act(act, &policies);
        }
    }
}

#[test]
fn a_record_is_kept_until_the_last_of_its_sessions_may_go() {
    let day = 24 * 3600;
    for lifetimes in [[300, day], [day, 300]] {
        let mut person = Person::new(Policy::default());
        person.policy.email_ceiling_seconds = day;
        for lifetime in lifetimes {
            person.policy.lifetime_seconds = lifetime;
            person.open(false);
        }
        let gone = person.now.plus_secs(u64::from(day) + 15 * 60);
        assert_eq!(person.record.keep_until(), Some(gone), "{lifetimes:?}");
    }
}
