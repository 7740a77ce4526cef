//! A request body that does not go out at once: in pieces with pauses between them, of an announced length or of none,
//! and to its end or not. It knows nothing of what it carries.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

/// A body in pieces.
#[derive(Debug)]
pub(crate) struct Pieces {
    left: VecDeque<Bytes>,
    /// The length that is announced; `None` for the chunked coding.
    announced: Option<u64>,
    /// How long is waited before each piece but the first, and before breaking off.
    pause: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    breaks_off: bool,
}

/// Why a body ends before its end.
#[derive(Debug, thiserror::Error)]
#[error("broken off on purpose")]
pub(crate) struct BrokenOff;

impl Pieces {
    /// `body` in `count` pieces of about the same length, announced whole.
    pub(crate) fn announced(body: &[u8], count: usize, pause: Duration) -> Pieces {
        Pieces { announced: Some(body.len() as u64), ..Pieces::chunked(body, count, pause) }
    }

    /// The same in the chunked coding.
    pub(crate) fn chunked(body: &[u8], count: usize, pause: Duration) -> Pieces {
        let length = body.len().div_ceil(count.max(1)).max(1);
        let left = body.chunks(length).map(Bytes::copy_from_slice).collect();
        Pieces { left, announced: None, pause, waiting: None, breaks_off: false }
    }

    /// `body` announced whole, of which only the first `kept` octets are sent before the connection is closed.
    pub(crate) fn broken_off(body: &[u8], kept: usize, pause: Duration) -> Pieces {
        let kept = &body[..kept.min(body.len())];
        let announced = Some(body.len() as u64);
        Pieces { announced, breaks_off: true, ..Pieces::chunked(kept, 1, pause) }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if let Some(waiting) = &mut self.waiting {
            ready!(waiting.as_mut().poll(context));
        }
        let Some(piece) = self.left.pop_front() else {
            return Poll::Ready(self.breaks_off.then_some(Err(BrokenOff)));
        };
        // What was sent is only seen by the other side if nothing more follows at once.
        if !self.pause.is_zero() && (self.breaks_off || !self.left.is_empty()) {
            self.waiting = Some(Box::pin(tokio::time::sleep(self.pause)));
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        self.announced.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
