//! Where randomness comes from: the operating system, and nowhere else.

use std::fmt;

use crate::error::RandomUnavailable;

/// A source of randomness.
///
/// There is one for production, [`SystemRandom`]. The trait is there so that a test can
/// take randomness away and see that nothing is sent: whatever draws from a source that
/// fails gives up, without a fallback.
///
/// An implementation that repeats itself, or that can be foretold, gives every code away.
///
/// ```
/// use countersign::{Code, CodeForm, RandomUnavailable, Randomness};
///
/// #[derive(Debug)]
/// struct Dry;
///
/// impl Randomness for Dry {
///     fn fill(&self, _bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
///         Err(RandomUnavailable::default())
///     }
/// }
///
/// assert!(Code::draw_from(CodeForm::SIX_DIGITS, &Dry).is_err());
/// ```
pub trait Randomness: Send + Sync + fmt::Debug {
    /// Fills all of `bytes` with uniformly random ones.
    ///
    /// # Errors
    /// [`RandomUnavailable`] when it cannot; then what `bytes` hold must not be used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable>;
}

/// The operating system's generator (`getrandom` on Linux), asked anew each time.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemRandom;

impl Randomness for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
        getrandom::fill(bytes).map_err(|_| RandomUnavailable)
    }
}

/// For sources outside this crate that have none to give.
impl Default for RandomUnavailable {
    fn default() -> Self {
        Self
    }
}

/// Fills `bytes` from the operating system.
pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), RandomUnavailable> {
    SystemRandom.fill(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_never_gives_the_same_twice() {
        let (mut first, mut second) = ([0u8; 32], [0u8; 32]);
        fill_random(&mut first).unwrap();
        fill_random(&mut second).unwrap();
        assert_ne!(first, second);
        assert_ne!(first, [0; 32]);
    }
}
