//! Several deliverers for one channel: the first that accepts.

use std::sync::Arc;

use async_trait::async_trait;
use countersign::{DeliverError, Deliverer, Message, Receipt};

/// What to do when a deliverer's answer was lost, and its message may have left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AfterLostAnswers {
    /// Nothing more is sent: the person asks again, or has the code already.
    #[default]
    Stop,
    /// The next deliverer is asked. The person may get the code twice, and both are paid.
    DangerousRetryLost,
}

/// Tries deliverers in their order, and never a second one once a message may have left
/// (unless danger is spelled). An open [`Breaker`](crate::Breaker) fails at once, so it is
/// passed over.
#[derive(Debug)]
pub struct InOrder {
    deliverers: Vec<Arc<dyn Deliverer>>,
    after_lost_answers: AfterLostAnswers,
}

impl InOrder {
    /// The one of `deliverers` where there is one, else all of them in their order;
    /// none of none.
    #[must_use]
    pub fn of(
        mut deliverers: Vec<Arc<dyn Deliverer>>,
        after_lost_answers: AfterLostAnswers,
    ) -> Option<Arc<dyn Deliverer>> {
        if deliverers.len() > 1 {
            Some(Arc::new(Self {
                deliverers,
                after_lost_answers,
            }))
        } else {
            deliverers.pop()
        }
    }

    fn goes_on(&self, error: DeliverError) -> bool {
        match self.after_lost_answers {
            AfterLostAnswers::Stop => error.another_may_take_it(),
            AfterLostAnswers::DangerousRetryLost => error.is_refused_here(),
        }
    }
}

#[async_trait]
impl Deliverer for InOrder {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        let mut last = DeliverError::transient();
        let mut left = false;
        for deliverer in &self.deliverers {
            let error = match deliverer.deliver(message).await {
                Ok(receipt) => return Ok(receipt),
                Err(error) => error,
            };
            left |= error.left_possibly();
            // One that may have left stays so, whatever a later deliverer says.
            last = if left { error.may_have_left() } else { error };
            if !self.goes_on(error) {
                break;
            }
        }
        Err(last)
    }
}

#[cfg(test)]
mod tests {
    use countersign::{Channel, Code, Destination, FakeClock, Permanent, Recorder};

    use super::AfterLostAnswers::{DangerousRetryLost, Stop};
    use super::*;
    use crate::{Breaker, BreakerConfig};

    async fn deliver(all: &dyn Deliverer) -> Result<Receipt, DeliverError> {
        let to = Destination::parse(Channel::Email, "user@example.com").unwrap();
        let code = Code::from_custom("123456").unwrap();
        all.deliver(Message::new(&to, Channel::Email, &code)).await
    }

    async fn taken_by_the_second(
        failure: DeliverError,
        after_lost_answers: AfterLostAnswers,
    ) -> (usize, bool) {
        let (first, second) = (Arc::new(Recorder::new()), Arc::new(Recorder::new()));
        first.fail_with(Some(failure));
        let both = InOrder::of(vec![first, second.clone()], after_lost_answers).unwrap();
        let answer = deliver(both.as_ref()).await;
        (second.len(), answer.is_ok())
    }

    #[tokio::test]
    async fn the_next_is_tried_when_the_first_is_down_or_refuses() {
        for failure in [
            DeliverError::transient(),
            DeliverError::permanent(Permanent::Refused),
            DeliverError::permanent(Permanent::Unauthorised),
        ] {
            for after in [Stop, DangerousRetryLost] {
                assert_eq!(taken_by_the_second(failure, after).await, (1, true));
            }
        }
    }

    #[tokio::test]
    async fn no_second_message_leaves_when_the_first_may_have() {
        for failure in [
            DeliverError::transient().may_have_left(),
            DeliverError::permanent(Permanent::Refused).may_have_left(),
            DeliverError::permanent(Permanent::InvalidDestination),
            DeliverError::permanent(Permanent::Blocked),
        ] {
            assert_eq!(
                taken_by_the_second(failure, Stop).await,
                (0, false),
                "{failure:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_second_one_leaves_after_a_lost_answer_only_where_danger_is_spelled() {
        let lost = DeliverError::transient().may_have_left();
        assert_eq!(
            taken_by_the_second(lost, DangerousRetryLost).await,
            (1, true)
        );
        let blocked = DeliverError::permanent(Permanent::Blocked);
        assert_eq!(
            taken_by_the_second(blocked, DangerousRetryLost).await,
            (0, false)
        );
        assert_eq!(AfterLostAnswers::default(), Stop);
    }

    #[tokio::test]
    async fn what_may_have_left_once_is_not_forgotten_by_a_later_refusal() {
        let (first, second) = (Arc::new(Recorder::new()), Arc::new(Recorder::new()));
        first.fail_with(Some(DeliverError::transient().may_have_left()));
        let refused = DeliverError::permanent(Permanent::Refused);
        second.fail_with(Some(refused));
        let both = InOrder::of(vec![first, second], DangerousRetryLost).unwrap();
        assert_eq!(deliver(both.as_ref()).await, Err(refused.may_have_left()));
    }

    #[tokio::test]
    async fn an_open_breaker_is_passed_over() {
        let (first, second) = (Arc::new(Recorder::new()), Arc::new(Recorder::new()));
        let config = BreakerConfig {
            failures: 1,
            ..BreakerConfig::default()
        };
        let clock = Arc::new(FakeClock::default());
        let breaker = Arc::new(Breaker::new(first.clone(), clock, config));
        let both = InOrder::of(vec![breaker.clone(), second.clone()], Stop).unwrap();
        first.fail_with(Some(DeliverError::transient().may_have_left()));
        assert!(deliver(both.as_ref()).await.is_err());
        assert!(breaker.is_open());
        first.fail_with(None);
        assert!(deliver(both.as_ref()).await.is_ok());
        assert_eq!((first.len(), second.len()), (0, 1));
    }
}
