//! A deployment in memory, with randomness of the bench's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign::{
    Channel, CheckRequest, Code, DeliveryMode, Destination, FakeClock, KeyRing, MemoryStore,
    Opened, RandomUnavailable, Randomness, Secret, SendRequest, Tenant, Timestamp, Verdict,
    Verifier,
};
use countersign_benches::{Taker, mix, ready};

/// The code of everybody.
pub(crate) const CODE: &str = "592061";
/// Of this one no digit is right.
pub(crate) const WRONG_THROUGHOUT: &str = "047516";
/// And of this one only the last is not.
pub(crate) const WRONG_AT_THE_END: &str = "592067";

/// A verifier on a memory store, on a clock that stands still until it is moved.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) verifier: Verifier,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) tenant: Tenant,
}

impl Scene {
    #[expect(
        clippy::expect_used,
        reason = "a bench without a verifier cannot go on"
    )]
    pub(crate) fn new(random: Arc<dyn Randomness>) -> Self {
        let clock = Arc::new(FakeClock::at(Timestamp::from_secs(1_800_000_000)));
        let secret = |byte| Secret::new(vec![byte; 32]).expect("32 bytes");
        let keys = KeyRing::new(&secret(1), &[secret(2)]).expect("one master key");
        let store = MemoryStore::with_clock(Arc::clone(&clock) as _);
        let verifier = Verifier::builder(keys, Arc::new(store))
            .randomness(random)
            .deliverer(Channel::Sms, Arc::new(Taker))
            .build();
        Self {
            verifier: verifier.expect("the default policy fits"),
            clock,
            tenant: Tenant::new("bench").expect("a name"),
        }
    }

    /// The n-th person, or the n-th nobody.
    #[expect(clippy::expect_used, reason = "a bench without people cannot go on")]
    pub(crate) fn person(n: usize) -> Destination {
        Destination::parse(Channel::Sms, &format!("+49{}", 1_500_000_000 + n)).expect("a number")
    }

    /// A send as far as a caller waits for it: what is delivered later is left out.
    pub(crate) fn send(&self, to: &Destination, decoy: bool) -> Option<String> {
        let (sent, _) = self.open(to, decoy, None)?;
        Some(sent)
    }

    /// A session with the one code, its message delivered. A decoy has the same form.
    pub(crate) fn session(&self, to: &Destination, decoy: bool) -> Option<String> {
        let (sent, opened) = self.open(to, decoy, Code::from_custom(CODE).ok())?;
        ready(opened.deliver()).ok()?;
        Some(sent)
    }

    fn open(
        &self,
        to: &Destination,
        decoy: bool,
        code: Option<Code>,
    ) -> Option<(String, countersign::Pending)> {
        let mut request = SendRequest::new(&self.tenant, Channel::Sms, to);
        request.delivery = DeliveryMode::Background;
        request.decoy = decoy;
        request.custom_code = code;
        match ready(self.verifier.open(&request)).ok()? {
            Opened::Pending(mut pending) => {
                ready(pending.acknowledge());
                Some((pending.sent().session_id.to_string(), *pending))
            }
            Opened::Answered(_) => None,
        }
    }

    pub(crate) fn check(&self, id: &str, code: &str) -> Option<Verdict> {
        ready(
            self.verifier
                .check(&CheckRequest::new(&self.tenant, id, code)),
        )
        .ok()
    }
}

/// Splitmix64, so that both acts of a pair draw the same.
#[derive(Debug, Default)]
pub(crate) struct Noise(AtomicU64);

impl Noise {
    pub(crate) const fn of(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    pub(crate) fn draw(&self) -> u64 {
        let step = 0x9e37_79b9_7f4a_7c15;
        mix(self.0.fetch_add(step, Ordering::Relaxed).wrapping_add(step))
    }
}

impl Randomness for Noise {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        for chunk in bytes.chunks_mut(8) {
            let drawn = self.draw().to_le_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
        Ok(())
    }
}
