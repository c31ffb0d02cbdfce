//! A guess: what the design says of it, and what the verifier says.

use countersign::{CheckError, CheckRequest, Purpose, SessionState, Timestamp, Verdict};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::act::{Context, Guess, Try};
use super::known::{Memo, Session, lane_of, within};
use super::world::{BACK, Ground, PLACES, Tested, World};

impl World {
    pub(crate) fn attempt(&mut self, attempt: &Try) -> Tested {
        let Some(at) = self.pick(attempt.session) else {
            return Ok(());
        };
        let session = &self.sessions[at];
        let newest = session.codes.last().cloned().unwrap_or_default();
        let older = session.older.last().or_else(|| session.codes.first());
        let code = match attempt.guess {
            Guess::Newest => newest,
            Guess::Older => older.cloned().unwrap_or_default(),
            Guess::Wrong(n) => format!("{n:06}"),
            Guess::TooLong => "1234567".to_owned(),
        };
        let code = if code.is_empty() {
            "314159".to_owned()
        } else {
            code
        };
        self.check(at, code, attempt.context, attempt.attempt)
    }

    pub(crate) fn check(
        &mut self,
        at: usize,
        code: String,
        context: Context,
        attempt: Option<u8>,
    ) -> Tested {
        let binding = match context {
            Context::OtherBinding => Some(&b"99.00 EUR to Mallory"[..]),
            _ => self.sessions[at].binding,
        };
        let Some(expected) = self.expect(at, &code, context, binding, attempt) else {
            return Ok(());
        };
        let now = self.now();
        let text = self.sessions[at].id.to_string();
        let other = Purpose::new("payment").unwrap();
        let tenant = match context {
            Context::OtherTenant => self.stranger.clone(),
            _ => self.tenant.clone(),
        };
        let mark = attempt.map(|n| format!("attempt-{n}"));
        let mut request = CheckRequest::new(&tenant, &text, &code);
        request.purpose = (context == Context::OtherPurpose).then_some(&other);
        request.binding = binding;
        request.attempt_id = mark.as_deref();
        let verifier = self.verifier.clone();
        let answer = self.drive(verifier.check(&request));
        self.last = Some((at, code.clone(), context, attempt));
        let answered = match answer {
            Some(Ok(verdict)) => Some(verdict),
            Some(Err(CheckError::Store(_))) | None => None,
            Some(Err(error)) => return Err(TestCaseError::fail(error.to_string())),
        };
        self.judge_answer(at, answered, &expected)?;
        if !expected.charged || (answered.is_none() && !self.written()) {
            return Ok(());
        }
        self.note_comparison(at, &expected)?;
        if let Some(attempt) = attempt {
            self.sessions[at].memos.push(Memo {
                attempt,
                code,
                binding,
                verdict: expected.verdict,
                at: now,
            });
        }
        Ok(())
    }

    fn judge_answer(
        &mut self,
        at: usize,
        answered: Option<Verdict>,
        expected: &Expected,
    ) -> Tested {
        let now = self.now();
        if let Some(verdict) = answered {
            // An approval whose write took until the expiry is withheld, by real time.
            let late = self.ground == Ground::Flaky
                && expected.verdict.is_verified()
                && verdict == Verdict::Expired
                && now.millis_since(Timestamp::default()) + 5000
                    >= self.sessions[at].expires.as_millis();
            prop_assert!(
                verdict == expected.verdict || expected.or == Some(verdict) || late,
                "I1-I8: {:?} in place of {:?}",
                verdict,
                expected.verdict
            );
            if verdict.is_verified() && expected.charged {
                prop_assert!(self.acknowledged(), "I6: approved without the store's word");
                prop_assert!(now < self.sessions[at].expires, "I4: approved too late");
                self.sessions[at].approved += 1;
                self.seen.verified += 1;
            }
        } else {
            self.seen.lost += 1;
        }
        Ok(())
    }

    fn note_comparison(&mut self, at: usize, expected: &Expected) -> Tested {
        let now = self.now();
        let session = &mut self.sessions[at];
        let (place, lane) = (session.place, session.lane);
        session.compared += 1;
        let most = self.verifier.policy().max_attempts;
        prop_assert!(session.compared <= most, "I1: too many comparisons");
        prop_assert!(session.approved <= 1, "I2: approved twice");
        let limits = self.policy_of(lane);
        let base = self.streak_at(place, lane, now);
        let gate = &mut self.lanes[place][lane];
        if expected.verdict.is_verified() {
            self.cause.verified = Some(at);
            (gate.streak, gate.locked) = (0, false);
            return Ok(());
        }
        if expected.verdict == Verdict::Exhausted {
            self.cause.exhausted = Some(at);
        }
        self.seen.wrong += 1;
        gate.streak = base + 1;
        gate.last_failure = now;
        gate.locked |= gate.streak >= limits.lock_after;
        gate.failures.push(now);
        within(&gate.failures, limits.failures, now)
    }

    /// What the design says of this check; none where a memo is just running out.
    fn expect(
        &self,
        at: usize,
        code: &str,
        context: Context,
        binding: Option<&[u8]>,
        attempt: Option<u8>,
    ) -> Option<Expected> {
        let (session, now) = (&self.sessions[at], self.now());
        let told = |verdict| {
            Some(Expected {
                verdict,
                or: None,
                charged: false,
            })
        };
        let Some(state) = session.state else {
            return told(Verdict::Unknown);
        };
        if matches!(context, Context::OtherTenant | Context::OtherPurpose) {
            return told(Verdict::Unknown);
        }
        let memo = session.memos.iter().rev().find(|memo| {
            Some(memo.attempt) == attempt && memo.code == code && memo.binding == binding
        });
        let memo = match memo {
            Some(memo) if now <= memo.at.plus_millis(60_000) => Some(memo.verdict),
            Some(memo) if now <= memo.at.plus_millis(61_000 + BACK) => return None,
            _ => None,
        };
        if session.life != self.life {
            // Where the record went on in the new life, its ended sessions tell their ends,
            // and no verdict of the old one is repeated.
            return Some(Expected {
                verdict: Verdict::Expired,
                or: end_of(state),
                charged: false,
            });
        }
        // Repeated or not, nothing is told as right after its time.
        let late = |verdict: &Verdict| verdict.is_verified() && now >= session.expires;
        if memo.as_ref().is_some_and(late) {
            return told(Verdict::Expired);
        }
        if let Some(verdict) = memo.or(end_of(state)) {
            return told(verdict);
        }
        if now >= session.expires {
            return told(Verdict::Expired);
        }
        Some(self.judge(session, code, binding))
    }

    /// A guess in time, at a live session.
    fn judge(&self, session: &Session, code: &str, binding: Option<&[u8]>) -> Expected {
        let told = |verdict| Expected {
            verdict,
            or: None,
            charged: false,
        };
        let attempts_remaining = self.verifier.policy().max_attempts - session.compared;
        if code.len() != 6 {
            return told(Verdict::Malformed { attempts_remaining });
        }
        let gate = self.inspect(session.place);
        let gate = lane_of(&gate, session.lane);
        if gate.locked {
            return told(Verdict::Locked { attempts_remaining });
        }
        if gate.next_check_in > 0 {
            let retry_after = gate.next_check_in;
            return told(Verdict::Throttled {
                retry_after,
                attempts_remaining,
            });
        }
        let right = session.codes.iter().any(|one| one == code)
            && binding == session.binding
            && !session.decoy;
        let verdict = match (right, attempts_remaining) {
            (true, _) => Verdict::Verified {
                channel: PLACES[session.place].0,
            },
            (false, 1) => Verdict::Exhausted,
            (false, left) => Verdict::WrongCode {
                attempts_remaining: left - 1,
            },
        };
        Expected {
            verdict,
            or: None,
            charged: true,
        }
    }
}

struct Expected {
    verdict: Verdict,
    /// Another answer that is as good, to a session of an earlier life.
    or: Option<Verdict>,
    charged: bool,
}

fn end_of(state: SessionState) -> Option<Verdict> {
    match state {
        SessionState::Live => None,
        SessionState::Verified => Some(Verdict::AlreadyUsed),
        SessionState::Exhausted => Some(Verdict::Exhausted),
        SessionState::Expired => Some(Verdict::Expired),
        SessionState::Cancelled => Some(Verdict::Cancelled),
        SessionState::Undeliverable => Some(Verdict::Undeliverable),
    }
}
