//! Whether and when a call is tried again. Only a call of which nothing can have left this machine is: the connection was
//! not made. Everything else may have spent an attempt, so it is the caller's to decide.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;

/// How often a call may connect again.
pub(crate) const MOST: usize = 2;

/// The pauses between the tries of one call: few, growing, and up to twice as long by chance, so that clients which lost a server
/// together do not come back together.
pub(crate) struct Pauses {
    pauses: ExponentialBackoff,
    deadline: Instant,
}

impl Pauses {
    /// The pauses of a call that must be over at `deadline`.
    pub(crate) fn until(deadline: Instant) -> Pauses {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(Duration::from_secs(1))
            .with_max_times(MOST)
            .with_jitter();
        Pauses { pauses: pauses.build(), deadline }
    }

    /// Waits for the next pause; false at once where there is none, or where it would not end in time.
    pub(crate) async fn pause(&mut self) -> bool {
        let Some(pause) = self.pauses.next() else { return false };
        let in_time = Instant::now().checked_add(pause).is_some_and(|end| end < self.deadline);
        if in_time {
            tokio::time::sleep(pause).await;
        }
        in_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn there_are_two_pauses_that_grow_and_differ() {
        let mut totals = Vec::new();
        for _ in 0..20 {
            let start = Instant::now();
            let mut pauses = Pauses::until(start + Duration::from_secs(15));
            assert!(pauses.pause().await && pauses.pause().await);
            totals.push(start.elapsed());
            assert!(!pauses.pause().await);
        }
        // 100 and 200 milliseconds, each with up to 100 % on top.
        let bounds = Duration::from_millis(300)..=Duration::from_millis(602);
        assert!(totals.iter().all(|total| bounds.contains(total)), "{totals:?}");
        assert!(totals.iter().any(|total| *total != totals[0]), "no jitter: {totals:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_pause_goes_beyond_the_deadline() {
        let start = Instant::now();
        let mut pauses = Pauses::until(start + Duration::from_millis(50));
        assert!(!pauses.pause().await);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
