//! Detects connections whose client starts no call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts the calls of one connection. A client that starts none for too long, because it is silent or because its
/// request head never ends, loses the connection. The counts are compared now and then: a timer for each call would
/// cost a tenth of the server's throughput.
#[derive(Default)]
pub(super) struct CallCounter {
    started: AtomicU64,
    finished: AtomicU64,
}

impl CallCounter {
    /// Counts a call as started, and as finished once the result is dropped.
    pub(super) fn start_call(counter: &Arc<CallCounter>) -> ActiveCall {
        counter.started.fetch_add(1, Ordering::Relaxed);
        ActiveCall(Arc::clone(counter))
    }

    /// Completes once no call has started for at least `timeout` and none is in progress; at the latest after twice
    /// that time.
    pub(super) async fn idle(&self, timeout: Duration) {
        let mut interval = tokio::time::interval(timeout);
        interval.tick().await;
        loop {
            let before = self.started.load(Ordering::Relaxed);
            interval.tick().await;
            let started = self.started.load(Ordering::Relaxed);
            if started == before && self.finished.load(Ordering::Relaxed) == started {
                return;
            }
        }
    }
}

/// A call in progress. It also ends when the client disconnects, which drops the call.
pub(super) struct ActiveCall(Arc<CallCounter>);

impl Drop for ActiveCall {
    fn drop(&mut self) {
        self.0.finished.fetch_add(1, Ordering::Relaxed);
    }
}
