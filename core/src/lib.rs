//! One-time codes, verified once, in time, within the allowed guesses.

mod clock;
mod code;
mod deliver;
mod destination;
mod digest;
pub mod envelope;
mod error;
mod keys;
mod memory;
mod policy;
mod probe;
mod random;
pub mod record;
mod recorder;
mod session_id;
pub mod store;
mod tenant;
mod typed;
mod verdict;
mod verifier;

pub use clock::{Clock, FakeClock, Stopwatch, SystemClock, Timestamp};
pub use code::{Alphabet, Code, CodeForm, Guess, MAX_CODE_LENGTH, MIN_CODE_LENGTH};
pub use deliver::{DeliverError, Deliverer, Message, Permanent, Receipt};
pub use destination::{Channel, Destination, DestinationError, EmailAddress, PhoneNumber};
pub use digest::Digest;
pub use error::{
    BuildError, CheckError, CorruptRecord, InvalidCode, InvalidSessionId, KeyError, LimitName,
    PolicyError, RandomUnavailable, SendError, StoreError,
};
pub use keys::{KeyId, KeyRing, Kind, Secret, Tag};
pub use memory::MemoryStore;
pub use policy::{LaneLimits, Limit, Policy, ResendPolicy};
pub use random::{Randomness, SystemRandom};
pub use record::{DeliveryState, Inspection, LaneView, RecordKey, SessionState, SessionView};
pub use recorder::{Recorded, Recorder};
pub use session_id::{Nonce, SessionId};
pub use store::SessionStore;
pub use tenant::{InvalidName, Purpose, Tenant};
pub use verdict::Verdict;
pub use verifier::{
    Builder, CheckRequest, DeliveryMode, Opened, Pending, ResendRequest, SendRequest, Sent,
    SentDelivery, Verifier,
};
