//! The throttle: submits evenly spread over the second.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Lets so many submits a second pass, each at its turn.
#[derive(Debug)]
pub(super) struct Pace {
    gap: Option<Duration>,
    /// Made by the first submit: a timer needs a runtime.
    turns: Mutex<Option<Interval>>,
}

impl Pace {
    /// No bound without a number.
    pub(super) fn new(max_per_second: Option<u32>) -> Self {
        let gap = max_per_second.and_then(|n| Duration::from_secs(1).checked_div(n));
        Self {
            gap,
            turns: Mutex::new(None),
        }
    }

    /// Waits for a turn, in the order of asking. Whoever goes away before takes none.
    pub(super) async fn turn(&self) {
        let Some(gap) = self.gap else { return };
        let mut turns = self.turns.lock().await;
        let timer = turns.get_or_insert_with(|| {
            let mut timer = interval(gap);
            // After a quiet time no burst makes up for it.
            timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
            timer
        });
        timer.tick().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{advance, timeout};

    use super::Pace;

    async fn passes_now(pace: &Pace) -> bool {
        timeout(Duration::ZERO, pace.turn()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_agreed_pass_in_a_second() {
        let pace = Pace::new(Some(4));
        let mut passed = 0;
        for _ in 0..1000 {
            passed += usize::from(passes_now(&pace).await);
            advance(Duration::from_millis(1)).await;
        }
        assert_eq!(passed, 4);
        // A quiet minute is not made up for.
        advance(Duration::from_secs(60)).await;
        assert!(passes_now(&pace).await);
        assert!(!passes_now(&pace).await);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_bound_nobody_waits() {
        let pace = Pace::new(None);
        for _ in 0..1000 {
            assert!(passes_now(&pace).await);
        }
    }
}
