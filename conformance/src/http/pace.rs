//! How fast requests follow one another, and how long one may take.
//!
//! Knows nothing about what a request is for.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long one exchange may take, connecting included, unless an option says otherwise.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// The pace of all requests of a run.
#[derive(Debug)]
pub(crate) struct Pace {
    timeout: Duration,
    /// Whether a server that asks for a later call gets one, within the timeout.
    waits: bool,
    /// The time between two requests, and when the next one may be sent.
    spacing: Option<(Duration, Mutex<Instant>)>,
}

impl Pace {
    /// At most `rate` requests per second, each within `timeout`.
    pub(crate) fn new(timeout: Option<Duration>, rate: Option<u32>) -> Pace {
        let spacing = rate.map(|rate| (Duration::from_secs(1) / rate.max(1), Mutex::new(Instant::now())));
        Pace { timeout: timeout.unwrap_or(DEFAULT_TIMEOUT), waits: timeout.is_some(), spacing }
    }

    /// How long one exchange may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How long to wait for a server that asks for a call after `seconds`, if `waited` has passed already; `None` if that is
    /// too long.
    pub(crate) fn wait_for(&self, seconds: u64, waited: Duration) -> Option<Duration> {
        let wait = Duration::from_secs(seconds).max(Duration::from_millis(10));
        (self.waits && waited + wait <= self.timeout).then_some(wait)
    }

    /// Whether requests are spaced, so that many at the same time are impossible.
    pub(crate) fn is_spaced(&self) -> bool {
        self.spacing.is_some()
    }

    /// Waits until the next request may be sent.
    pub(super) async fn ready(&self) {
        let Some((interval, next)) = &self.spacing else { return };
        let slot = {
            let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
            let slot = (*next).max(Instant::now());
            *next = slot + *interval;
            slot
        };
        tokio::time::sleep_until(slot).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn requests_are_spaced_by_the_rate_however_many_wait() {
        let pace = Pace::new(None, Some(100));
        let started = Instant::now();
        futures_util::future::join_all((0..11).map(|_| pace.ready())).await;
        assert!(started.elapsed() >= Duration::from_millis(100));
    }

    #[test]
    fn a_server_that_asks_for_a_later_call_gets_one_only_within_an_explicit_timeout() {
        let pace = Pace::new(Some(Duration::from_secs(5)), None);
        assert_eq!(pace.wait_for(2, Duration::ZERO), Some(Duration::from_secs(2)));
        assert_eq!(pace.wait_for(2, Duration::from_secs(4)), None);
        assert_eq!(pace.wait_for(60, Duration::ZERO), None);
        assert_eq!(Pace::new(None, None).wait_for(1, Duration::ZERO), None);
    }
}
