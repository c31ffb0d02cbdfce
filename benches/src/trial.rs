//! Timing one act of one contender over and over.

use std::hint::black_box;
use std::time::Duration;

use countersign::Stopwatch;

use crate::contender::Contender;
use crate::people::People;

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Act {
    /// The right code of a live session.
    Right,
    /// A wrong code of a live session with attempts left.
    Wrong,
    /// A session for somebody new.
    Send,
}

impl Act {
    /// How often it may be done to the same person: the least of all contenders' limits.
    const fn rounds(self) -> usize {
        match self {
            Self::Right | Self::Send => 1,
            Self::Wrong => 2,
        }
    }
}

/// A contender with fresh sessions, which are opened anew, untimed, when they are used up.
#[derive(Debug)]
pub struct Trial<'p, C> {
    people: &'p People,
    act: Act,
    contender: C,
    done: usize,
}

impl<'p, C: Contender> Trial<'p, C> {
    /// Opens the sessions.
    #[must_use]
    pub fn new(people: &'p People, act: Act) -> Self {
        Self {
            people,
            act,
            contender: C::open(people),
            done: 0,
        }
    }

    /// Does it so many times, and says how long that took.
    ///
    /// # Panics
    /// If an answer was not the one expected: then something else was measured.
    pub fn time(&mut self, times: u64) -> Duration {
        let (mut left, mut took) = (usize::try_from(times).unwrap_or(usize::MAX), Duration::ZERO);
        while left > 0 {
            let count = self.people.count();
            if self.done == count * self.act.rounds() {
                *self = Self::new(self.people, self.act);
            }
            let first = self.done % count;
            let now = left.min(count - first);
            let (clock, mut as_expected) = (Stopwatch::start(), 0);
            for person in first..first + now {
                as_expected += usize::from(black_box(self.once(person)));
            }
            took += clock.elapsed();
            assert_eq!(as_expected, now, "{}: {:?}", C::NAME, self.act);
            (self.done, left) = (self.done + now, left - now);
        }
        took
    }

    fn once(&mut self, person: usize) -> bool {
        let (contender, people) = (&mut self.contender, self.people);
        match self.act {
            Act::Right => contender.right(people, person),
            Act::Wrong => contender.wrong(people, person),
            Act::Send => contender.send(people, person),
        }
    }
}
