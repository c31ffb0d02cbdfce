//! Several deliverers for one channel: the first that accepts.

use std::sync::Arc;

use async_trait::async_trait;
use countersign::{DeliverError, Deliverer, Message, Permanent, Receipt};

/// Tries deliverers in their order, and never a second one once a message may have left.
#[derive(Debug)]
pub(crate) struct InOrder(Vec<Arc<dyn Deliverer>>);

impl InOrder {
    /// The one of `deliverers` where there is one, else all of them in their order;
    /// none of none.
    pub(crate) fn of(mut deliverers: Vec<Arc<dyn Deliverer>>) -> Option<Arc<dyn Deliverer>> {
        if deliverers.len() > 1 {
            Some(Arc::new(Self(deliverers)))
        } else {
            deliverers.pop()
        }
    }
}

#[async_trait]
impl Deliverer for InOrder {
    async fn deliver(&self, message: Message<'_>) -> Result<Receipt, DeliverError> {
        let mut last = DeliverError::transient();
        for deliverer in &self.0 {
            match deliverer.deliver(message).await {
                Err(error) if another_may_take_it(&error) => last = error,
                answer => return answer,
            }
        }
        Err(last)
    }
}

/// What is wrong with the destination itself is wrong everywhere.
fn another_may_take_it(error: &DeliverError) -> bool {
    let refused_here = matches!(
        error.reason(),
        None | Some(Permanent::Refused | Permanent::Unauthorised)
    );
    refused_here && !error.left_possibly()
}

#[cfg(test)]
mod tests {
    use countersign::{Channel, Code, Destination, Recorder};

    use super::*;

    async fn taken_by_the_second(failure: DeliverError) -> (usize, bool) {
        let (first, second) = (Arc::new(Recorder::new()), Arc::new(Recorder::new()));
        first.fail_with(Some(failure));
        let both = InOrder::of(vec![first, second.clone()]).unwrap();
        let to = Destination::parse(Channel::Email, "user@example.com").unwrap();
        let code = Code::from_custom("123456").unwrap();
        let answer = both.deliver(Message::new(&to, Channel::Email, &code)).await;
        (second.len(), answer.is_ok())
    }

    #[tokio::test]
    async fn the_next_is_tried_when_the_first_is_down_or_refuses() {
        for failure in [
            DeliverError::transient(),
            DeliverError::permanent(Permanent::Refused),
            DeliverError::permanent(Permanent::Unauthorised),
        ] {
            assert_eq!(taken_by_the_second(failure).await, (1, true), "{failure:?}");
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
                taken_by_the_second(failure).await,
                (0, false),
                "{failure:?}"
            );
        }
    }
}
