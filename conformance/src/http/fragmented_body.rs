//! A request body that is sent in fragments with pauses between them: with an announced length or the chunked coding,
//! complete or truncated.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

/// A body in fragments.
#[derive(Debug)]
pub(crate) struct FragmentedBody {
    left: VecDeque<Bytes>,
    /// The announced length; `None` for the chunked coding.
    announced: Option<u64>,
    /// The pause before each fragment but the first, and before a truncated body ends.
    pause: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    is_truncated: bool,
}

/// The error that ends a truncated body.
#[derive(Debug, thiserror::Error)]
#[error("truncated on purpose")]
pub(crate) struct Truncated;

impl FragmentedBody {
    /// `body` in `count` fragments of about the same size, with its length announced.
    pub(crate) fn with_length(body: &[u8], count: usize, pause: Duration) -> FragmentedBody {
        FragmentedBody { announced: Some(body.len() as u64), ..FragmentedBody::chunked(body, count, pause) }
    }

    /// `body` in `count` fragments of about the same size, in the chunked coding.
    pub(crate) fn chunked(body: &[u8], count: usize, pause: Duration) -> FragmentedBody {
        let length = body.len().div_ceil(count.max(1)).max(1);
        let left = body.chunks(length).map(Bytes::copy_from_slice).collect();
        FragmentedBody { left, announced: None, pause, waiting: None, is_truncated: false }
    }

    /// The first `kept` bytes of `body`, with the whole length announced.
    pub(crate) fn truncated(body: &[u8], kept: usize, pause: Duration) -> FragmentedBody {
        let kept = &body[..kept.min(body.len())];
        let announced = Some(body.len() as u64);
        FragmentedBody { announced, is_truncated: true, ..FragmentedBody::chunked(kept, 1, pause) }
    }
}

impl Body for FragmentedBody {
    type Data = Bytes;
    type Error = Truncated;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Truncated>>> {
        if let Some(waiting) = &mut self.waiting {
            ready!(waiting.as_mut().poll(context));
        }
        let Some(fragment) = self.left.pop_front() else {
            return Poll::Ready(self.is_truncated.then_some(Err(Truncated)));
        };
        // The other side reads a fragment on its own only if nothing follows immediately.
        if !self.pause.is_zero() && (self.is_truncated || !self.left.is_empty()) {
            self.waiting = Some(Box::pin(tokio::time::sleep(self.pause)));
        }
        Poll::Ready(Some(Ok(Frame::data(fragment))))
    }

    fn size_hint(&self) -> SizeHint {
        self.announced.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
