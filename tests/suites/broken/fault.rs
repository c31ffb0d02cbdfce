//! What can be wrong with a store.

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing: the wrapper itself keeps the contract.
    None,
    /// Suspends between comparing and writing.
    SuspendsInSwap,
    /// Lets go of its lock between comparing and writing, without suspending.
    RacesInSwap,
    /// Loads the value before the last one, the first time after each write.
    LoadsStale,
    /// Forgets a value a minute before its time.
    EvictsEarly,
    /// Says `Done` for replacements that it does not write.
    LosesWrites,
    /// Says `Done` for a swap that was lost.
    SaysDoneForLost,
    /// Says `Lost` for a replacement that was done.
    SaysLostForDone,
    /// Each load is a second earlier than the one before.
    RunsBackwards,
    /// Tells the time of the first load for ever.
    StandsStill,
    /// Cuts values at 512 bytes.
    Truncates,
    /// Compares the first 16 bytes only.
    ComparesPrefix,
    /// Inserts over what is there.
    InsertsOver,
    /// Writes what was lost.
    WritesLost,
    /// Takes an empty value for none.
    EmptyIsAbsent,
    /// Has a value under every key.
    AbsentIsEmpty,
    /// Leaves the first byte of the key out.
    CutsKeys,
    /// Takes a time-out for a success.
    TimeoutIsDone,
    /// Takes a time-out for an absent value.
    TimeoutIsAbsent,
    /// Swaps in whatever life.
    IgnoresLife,
    /// Read its life once, and keeps it over a crash.
    KeepsLife,
    /// Sweeps values that are not yet garbage.
    SweepsLive,
    /// Sweeps what was garbage when it looked, and has been renewed since.
    SweepsRenewed,
    /// Sweeps more than it was asked to.
    SweepsAll,
    /// Leaves a key out of each page of a listing.
    ScanSkips,
    /// Declares to survive, and forgets everything when it is closed.
    ForgetsWhenClosed,
    /// Declares to survive a kill, and dies with its process.
    DiesWithItsProcess,
    /// Declares to survive a power cut, and never syncs its last writes.
    NeverSyncs,
    /// Forgets everything in a disaster, and takes what is left for the same life.
    SameLifeAfterAll,
    /// Has no fence, and forgets its last writes in a disaster.
    Unfenced,
    /// Asks for its life once, and takes every later step in that one.
    StepsInFirstLife,
    /// Answers the third wrong guess, and writes nothing: it can be made again.
    ThirdGuessIsFree,
    /// Approves, and writes nothing: the session it saw stays as it was.
    ApprovesUnwritten,
    /// Stores absent records when they are looked at.
    StoresAbsent,
    /// Answers a step first and charges it later.
    ChargesLate,
    /// Takes a charge back when its caller hangs up.
    TakesBack,
    /// Has no queue, and gives up after a few lost swaps.
    GivesUp,
}
