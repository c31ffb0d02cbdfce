//! What is counted and timed.

use std::hint::black_box;
use std::sync::Arc;

use countersign::{Destination, Randomness, Verdict};

use crate::keys::Keys;
use crate::scene::{Noise, Scene, WRONG_AT_THE_END, WRONG_THROUGHOUT};

/// One act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    WrongThroughout,
    WrongAtTheEnd,
    WrongAtDecoy,
    Exhausted,
    ExhaustedDecoy,
    Expired,
    ExpiredDecoy,
    Send,
    SendDecoy,
    UnknownKey,
    WrongSecret,
}

impl Act {
    pub(crate) const ALL: [Self; 11] = [
        Self::WrongThroughout,
        Self::WrongAtTheEnd,
        Self::WrongAtDecoy,
        Self::Exhausted,
        Self::ExhaustedDecoy,
        Self::Expired,
        Self::ExpiredDecoy,
        Self::Send,
        Self::SendDecoy,
        Self::UnknownKey,
        Self::WrongSecret,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::WrongThroughout => "a guess wrong throughout",
            Self::WrongAtTheEnd => "a guess wrong in its last digit",
            Self::WrongAtDecoy => "a guess at a decoy",
            Self::Exhausted => "a guess at an exhausted session",
            Self::ExhaustedDecoy => "a guess at an exhausted decoy",
            Self::Expired => "a guess at an expired session",
            Self::ExpiredDecoy => "a guess at an expired decoy",
            Self::Send => "a send to somebody",
            Self::SendDecoy => "a send to nobody",
            Self::UnknownKey => "an unknown key",
            Self::WrongSecret => "a known key's id with a wrong secret",
        }
    }

    const fn is_decoy(self) -> bool {
        matches!(
            self,
            Self::WrongAtDecoy | Self::ExhaustedDecoy | Self::ExpiredDecoy | Self::SendDecoy
        )
    }

    const fn guess(self) -> &'static str {
        match self {
            Self::WrongAtTheEnd => WRONG_AT_THE_END,
            _ => WRONG_THROUGHOUT,
        }
    }

    /// Does it so many times.
    pub(crate) fn run(self, times: usize) {
        let acts = [self; 2500];
        let stage = Stage::new(&acts, Arc::new(Noise::default()));
        for n in 0..times {
            black_box(stage.act(n));
        }
    }
}

/// A place for so many acts, each by its number.
pub(crate) struct Stage<'a> {
    scene: Scene,
    acts: &'a [Act],
    /// Each act's session, or its API key.
    texts: Vec<String>,
    people: Vec<Destination>,
    keys: Keys,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(acts: &'a [Act], random: Arc<dyn Randomness>) -> Self {
        let scene = Scene::new(random);
        let keys = Keys::over(&scene);
        let people = (0..acts.len()).map(Scene::person).collect();
        let mut stage = Self {
            scene,
            acts,
            texts: Vec::new(),
            people,
            keys,
        };
        stage.texts = (0..acts.len()).map(|n| stage.prepared(n)).collect();
        if acts
            .iter()
            .any(|act| matches!(act, Act::Expired | Act::ExpiredDecoy))
        {
            stage.scene.clock.advance_secs(301);
        }
        stage
    }

    #[expect(clippy::expect_used, reason = "a bench without sessions cannot go on")]
    fn prepared(&self, n: usize) -> String {
        let act = self.acts[n];
        match act {
            Act::Send | Act::SendDecoy => String::new(),
            Act::UnknownKey => self.keys.never_issued(n, false),
            Act::WrongSecret => self.keys.never_issued(n, true),
            _ => {
                let session = self.scene.session(&self.people[n], act.is_decoy());
                let session = session.expect("a session is opened");
                if matches!(act, Act::Exhausted | Act::ExhaustedDecoy) {
                    for _ in 0..5 {
                        self.scene.check(&session, WRONG_THROUGHOUT);
                    }
                }
                session
            }
        }
    }

    /// Does the n-th act, and says whether it came out as it should.
    pub(crate) fn act(&self, n: usize) -> bool {
        let (act, text) = (self.acts[n], &self.texts[n]);
        match act {
            Act::Send | Act::SendDecoy => {
                self.scene.send(&self.people[n], act.is_decoy()).is_some()
            }
            Act::UnknownKey | Act::WrongSecret => self.keys.refuses(text),
            Act::Exhausted | Act::ExhaustedDecoy => {
                self.scene.check(text, act.guess()) == Some(Verdict::Exhausted)
            }
            Act::Expired | Act::ExpiredDecoy => {
                self.scene.check(text, act.guess()) == Some(Verdict::Expired)
            }
            Act::WrongThroughout | Act::WrongAtTheEnd | Act::WrongAtDecoy => matches!(
                self.scene.check(text, act.guess()),
                Some(Verdict::WrongCode { .. })
            ),
        }
    }
}
