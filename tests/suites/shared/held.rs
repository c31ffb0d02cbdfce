//! Requests of which the last byte is held back until all of them are there but for it: then
//! they end together, in a few packets, however long each took to be sent.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::watch;

/// What many bodies wait for.
#[derive(Clone)]
pub(crate) struct Gate(Arc<watch::Sender<usize>>);

impl Gate {
    /// A gate that opens when so many wait at it.
    pub(crate) fn of(many: usize) -> Self {
        Self(Arc::new(watch::Sender::new(many)))
    }

    /// Waits until no more than so many are missing.
    pub(crate) async fn lacks(&self, many: usize) {
        let mut missing = self.0.subscribe();
        // The sender is this gate's own.
        let _ = missing.wait_for(|missing| *missing <= many).await;
    }

    /// Comes to the gate without a body.
    pub(crate) fn pass(&self) {
        self.0
            .send_modify(|missing| *missing = missing.saturating_sub(1));
    }

    /// A body that waits at this gate before its last byte.
    pub(crate) fn hold(&self, body: &[u8]) -> reqwest::Body {
        let mut missing = self.0.subscribe();
        let gate = self.clone();
        let opens = async move {
            gate.pass();
            // The sender lives in this very future.
            let _ = missing.wait_for(|missing| *missing == 0).await;
        };
        let (first, last) = body.split_at(body.len() - 1);
        reqwest::Body::wrap(Held {
            first: Some(Bytes::copy_from_slice(first)),
            opens: Some(Box::pin(opens)),
            last: Some(Bytes::copy_from_slice(last)),
        })
    }
}

struct Held {
    first: Option<Bytes>,
    opens: Option<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>,
    last: Option<Bytes>,
}

impl Body for Held {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Infallible>>> {
        if self.first.is_none()
            && let Some(opens) = &mut self.opens
        {
            std::task::ready!(opens.as_mut().poll(context));
            self.opens = None;
        }
        let next = self.first.take().or_else(|| self.last.take());
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.last.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let left = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len) as u64;
        SizeHint::with_exact(left(&self.first) + left(&self.last))
    }
}
