//! The guards of the protocol: each is a switch of the model.

/// What keeps the laws. Break one, and a law breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Guard {
    // The store
    /// A swap is done only where the value still is the one that was seen.
    SwapComparesValue,
    /// A swap is done only in the life in which the value was seen.
    SwapComparesLife,
    /// A store that may have lost writes begins another life.
    LossBeginsLife,
    /// A primary that is promoted once more does not take up its old life.
    PromotionBeginsLife,
    // The record
    /// A session of another life of the store is over.
    StepComparesLife,
    /// The repetition of an attempt is told what the attempt was.
    MemoRecalls,
    /// A repetition after the expiry is told no approval.
    RecallIsInTime,
    // The loop
    /// Effects are told after the write that they came with.
    AnswerAfterWrite,
    /// What a lost swap had found is dropped, and found anew.
    LostIsFoundAnew,
    /// An answer that never came is no success.
    DoubtIsNoSuccess,
    /// A swap that may have happened is not sent again.
    DoubtIsNotRepeated,
    /// An approval whose write took until the expiry is told as expired.
    LateIsWithheld,
    // The queue
    /// Each step of a batch sees what the one before it left.
    StepsFoldInTurn,
    /// All of a batch wait for the swap, not its leader alone.
    AllAwaitTheSwap,
    /// When a leader goes while its swap is under way, the others are in doubt.
    LeaderGoneIsDoubt,
    /// When a leader goes, the next in line is called.
    NextIsCalled,
    // The idempotent send
    /// Nobody takes a key over before its lease is over.
    LeaseHoldsKey,
    /// Whoever takes a key over goes on with the nonce that was drawn first.
    NonceIsHandedOn,
    /// A session that an earlier try opened gets no message from this one.
    ExistingSendsNothing,
    /// A try in doubt keeps its key.
    DoubtKeepsKey,
    /// The message leaves after its session was stored.
    MessageAfterWrite,
    /// A refusal ends its try's lease; after one that took over, the next has its nonce.
    RefusalKeepsNonce,
    /// A refusal ends the lease of its own try only.
    ReleaseIsOfTheHolder,
    /// A dry run of an opening finds the session of its own nonce before any limit.
    PeekFindsSession,
}

impl Guard {
    /// All of them.
    pub(crate) const KEPT: [Self; 24] = [
        Self::SwapComparesValue,
        Self::SwapComparesLife,
        Self::LossBeginsLife,
        Self::PromotionBeginsLife,
        Self::StepComparesLife,
        Self::MemoRecalls,
        Self::RecallIsInTime,
        Self::AnswerAfterWrite,
        Self::LostIsFoundAnew,
        Self::DoubtIsNoSuccess,
        Self::DoubtIsNotRepeated,
        Self::LateIsWithheld,
        Self::StepsFoldInTurn,
        Self::AllAwaitTheSwap,
        Self::LeaderGoneIsDoubt,
        Self::NextIsCalled,
        Self::LeaseHoldsKey,
        Self::NonceIsHandedOn,
        Self::ExistingSendsNothing,
        Self::DoubtKeepsKey,
        Self::MessageAfterWrite,
        Self::RefusalKeepsNonce,
        Self::ReleaseIsOfTheHolder,
        Self::PeekFindsSession,
    ];
}

/// Which guards hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Guards(u32);

impl Guards {
    pub(crate) const ALL: Self = Self(u32::MAX);

    pub(crate) const fn without(self, guard: Guard) -> Self {
        Self(self.0 & !(1 << guard as u8))
    }

    pub(crate) const fn hold(self, guard: Guard) -> bool {
        self.0 & (1 << guard as u8) != 0
    }
}
