//! What can happen: one operation, and what goes wrong with the store meanwhile.

use proptest::prelude::*;

/// One operation. Sessions are named by a number, modulo those there are.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Send(Send),
    Resend {
        session: usize,
        outcome: Outcome,
    },
    Check(Try),
    /// The last check once more, to the letter.
    Again,
    Cancel {
        session: usize,
        foreign: bool,
    },
    Reset {
        place: usize,
    },
    Forward {
        millis: u64,
    },
    ToExpiry {
        session: usize,
        offset: u64,
    },
    Back {
        millis: u64,
    },
    NewLife,
    Sweep,
    /// A new master secret is promoted; the older ones finish their sessions.
    Rotate,
}

#[derive(Clone, Debug)]
pub(crate) struct Send {
    pub(crate) place: usize,
    pub(crate) known_device: bool,
    pub(crate) decoy: bool,
    pub(crate) bound: bool,
    pub(crate) replaces: Option<usize>,
    pub(crate) ttl: Option<u32>,
    /// Seconds that pass between the opening and the handing over.
    pub(crate) slow: u64,
    pub(crate) outcome: Outcome,
}

/// What the deliverer answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Taken,
    FailsForNow,
    FailsForGood,
}

#[derive(Clone, Debug)]
pub(crate) struct Try {
    pub(crate) session: usize,
    pub(crate) guess: Guess,
    pub(crate) context: Context,
    pub(crate) attempt: Option<u8>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Guess {
    Newest,
    Older,
    Wrong(u32),
    TooLong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    Own,
    OtherTenant,
    OtherPurpose,
    OtherBinding,
}

/// What goes wrong with a swap of the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Another writer was faster.
    Lost,
    /// The answer is lost; nothing was written.
    AnswerLostUnwritten,
    /// The answer is lost; the value was written.
    AnswerLostWritten,
    /// The process dies between load and swap.
    DiesBefore,
    /// The process dies between swap and answer.
    DiesAfter,
}

/// An operation, its fault, and how many swaps come before the one that it meets.
pub(crate) type Move = (Act, Fault, usize);

pub(crate) fn moves() -> impl Strategy<Value = Vec<Move>> {
    prop::collection::vec(
        (act(), fault(), prop_oneof![4 => Just(0usize), 1 => Just(1)]),
        1..60,
    )
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        14 => Just(Fault::None),
        2 => Just(Fault::Lost),
        1 => Just(Fault::AnswerLostUnwritten),
        1 => Just(Fault::AnswerLostWritten),
        1 => Just(Fault::DiesBefore),
        1 => Just(Fault::DiesAfter),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => send().prop_map(Act::Send),
        3 => (any::<usize>(), outcome())
            .prop_map(|(session, outcome)| Act::Resend { session, outcome }),
        14 => attempt().prop_map(Act::Check),
        2 => Just(Act::Again),
        1 => (any::<usize>(), prop::bool::weighted(0.3))
            .prop_map(|(session, foreign)| Act::Cancel { session, foreign }),
        1 => (0..2usize).prop_map(|place| Act::Reset { place }),
        5 => forward().prop_map(|millis| Act::Forward { millis }),
        1 => (any::<usize>(), 0..3u64)
            .prop_map(|(session, offset)| Act::ToExpiry { session, offset }),
        1 => (1..4000u64).prop_map(|millis| Act::Back { millis }),
        1 => Just(Act::NewLife),
        1 => Just(Act::Sweep),
        1 => Just(Act::Rotate),
    ]
}

fn send() -> impl Strategy<Value = Send> {
    (
        0..2usize,
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.3),
        prop::option::weighted(0.2, any::<usize>()),
        prop::option::weighted(0.2, 1..1200u32),
        prop_oneof![8 => Just(0u64), 1 => 1..700u64],
        outcome(),
    )
        .prop_map(
            |(place, known_device, decoy, bound, replaces, ttl, slow, outcome)| Send {
                place,
                known_device,
                decoy,
                bound,
                replaces,
                ttl,
                slow,
                outcome,
            },
        )
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        12 => Just(Outcome::Taken),
        1 => Just(Outcome::FailsForNow),
        1 => Just(Outcome::FailsForGood),
    ]
}

fn attempt() -> impl Strategy<Value = Try> {
    let guess = prop_oneof![
        3 => Just(Guess::Newest),
        2 => Just(Guess::Older),
        8 => (0..1_000_000u32).prop_map(Guess::Wrong),
        1 => Just(Guess::TooLong),
    ];
    let context = prop_oneof![
        12 => Just(Context::Own),
        1 => Just(Context::OtherTenant),
        1 => Just(Context::OtherPurpose),
        1 => Just(Context::OtherBinding),
    ];
    let attempt = prop::option::weighted(0.4, 0..3u8);
    (any::<usize>(), guess, context, attempt).prop_map(|(session, guess, context, attempt)| Try {
        session,
        guess,
        context,
        attempt,
    })
}

fn forward() -> impl Strategy<Value = u64> {
    const MINUTE: u64 = 60_000;
    const DAY: u64 = 24 * 60 * MINUTE;
    prop_oneof![
        2 => 1..1000u64,
        4 => 1000..60_000u64,
        3 => MINUTE..20 * MINUTE,
        2 => 60 * MINUTE..5 * 60 * MINUTE,
        1 => DAY..3 * DAY,
        1 => 399 * DAY..402 * DAY,
    ]
}
