//! When a call connects again.
//!
//! Only a call that failed to connect is retried, because none of its bytes can have left this machine. Any other call
//! may have consumed an attempt, so the caller decides.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;

/// How often a call connects again.
const MAX_RETRIES: usize = 2;
const FIRST_DELAY: Duration = Duration::from_millis(100);
const MAX_DELAY: Duration = Duration::from_secs(1);

/// The delays before the retries of one call.
///
/// They grow, and jitter makes each up to twice as long, so that clients that lost a server together do not all return
/// at once.
pub(crate) struct Backoff {
    delays: ExponentialBackoff,
    deadline: Instant,
}

impl Backoff {
    /// The delays of a call that ends at `deadline`.
    pub(crate) fn until(deadline: Instant) -> Backoff {
        let delays = ExponentialBuilder::default()
            .with_min_delay(FIRST_DELAY)
            .with_max_delay(MAX_DELAY)
            .with_max_times(MAX_RETRIES)
            .with_jitter();
        Backoff { delays: delays.build(), deadline }
    }

    /// Sleeps for the next delay. Returns false at once if there is none, or if it would end after the deadline.
    pub(crate) async fn sleep(&mut self) -> bool {
        let Some(delay) = self.delays.next() else { return false };
        let in_time = Instant::now().checked_add(delay).is_some_and(|end| end < self.deadline);
        if in_time {
            tokio::time::sleep(delay).await;
        }
        in_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn there_are_two_growing_delays_with_jitter() {
        let mut totals = Vec::new();
        for _ in 0..20 {
            let start = Instant::now();
            let mut backoff = Backoff::until(start + Duration::from_secs(15));
            assert!(backoff.sleep().await && backoff.sleep().await);
            totals.push(start.elapsed());
            assert!(!backoff.sleep().await);
        }
        // 100 and 200 milliseconds, each with up to 100 % of jitter.
        let bounds = Duration::from_millis(300)..=Duration::from_millis(602);
        assert!(totals.iter().all(|total| bounds.contains(total)), "{totals:?}");
        assert!(totals.iter().any(|total| *total != totals[0]), "no jitter: {totals:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_delay_ends_after_the_deadline() {
        let start = Instant::now();
        let mut backoff = Backoff::until(start + Duration::from_millis(50));
        assert!(!backoff.sleep().await);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
