//! How much a run does at the same time: as much as the subject keeps up with.
//!
//! A run starts with a few permits. While responses take about as long as the first ones did, more are added; when they take
//! much longer, some are withdrawn. A subject that responds within a few milliseconds gains nothing from more calls at the
//! same time, so for it the number stays as it is, and every run of one seed sends the same requests.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::Semaphore;

use super::{Abort, CheckContext};

/// How many checks run at the same time at first.
const FIRST: usize = 16;

/// The bounds of what a run may do at the same time.
const FEWEST: usize = 4;
const MOST: usize = 192;

/// From this latency on, more calls at the same time make a run faster.
const SLOW: Duration = Duration::from_millis(5);

/// How many parts of one check run at the same time, at most.
const MOST_LANES: usize = 24;

/// The permits of a run. Each check, and each further part of a check, needs one.
#[derive(Debug)]
pub(crate) struct Capacity {
    permits: Semaphore,
    granted: AtomicUsize,
    /// How long a response takes when nothing else happens.
    latency: Duration,
    /// Whether the number of permits may change.
    adapts: bool,
}

impl Capacity {
    /// The capacity for a subject with this latency; `jobs` is the number of checks at the same time, if it is fixed.
    pub(crate) fn new(jobs: Option<usize>, latency: Duration) -> Capacity {
        let granted = jobs.unwrap_or(FIRST).max(1);
        Capacity {
            permits: Semaphore::new(granted),
            granted: AtomicUsize::new(granted),
            latency,
            adapts: jobs.is_none() && latency >= SLOW,
        }
    }

    /// What a check must hold while it runs.
    pub(crate) fn permits(&self) -> &Semaphore {
        &self.permits
    }

    /// Adapts the number of permits to the subject, forever. `total` is how many responses have arrived, and how long they took
    /// in total.
    pub(crate) async fn adapt(&self, total: impl Fn() -> (u64, Duration)) {
        if !self.adapts {
            return std::future::pending().await;
        }
        let mut before = total();
        loop {
            tokio::time::sleep((self.latency * 2).clamp(Duration::from_millis(50), Duration::from_secs(2)))
                .await;
            let now = total();
            let responses = now.0 - before.0;
            if responses == 0 {
                continue;
            }
            let mean = now.1.saturating_sub(before.1) / u32::try_from(responses).unwrap_or(u32::MAX);
            before = now;
            let granted = self.granted.load(Ordering::Relaxed);
            if mean <= self.latency * 2 && granted < MOST {
                let more = granted.min(MOST - granted);
                self.permits.add_permits(more);
                self.granted.fetch_add(more, Ordering::Relaxed);
            } else if mean > self.latency * 5 && granted > FEWEST {
                let fewer = self.permits.forget_permits((granted / 4).min(granted - FEWEST));
                self.granted.fetch_sub(fewer, Ordering::Relaxed);
            }
        }
    }
}

/// What a part of a check returns.
pub(crate) type Part<'x, T> = Pin<Box<dyn Future<Output = Result<T, Abort>> + Send + 'x>>;

impl<'a> CheckContext<'a> {
    /// Does `work` for each item, in contexts of their own, one after the other or side by side where that saves time. The
    /// results are in the order of the items. Of several parts that abort, the first item decides among those that have ended.
    pub(crate) async fn for_each<I: Send, T: Send>(
        &mut self,
        items: Vec<I>,
        work: impl for<'x> Fn(&'x mut CheckContext<'a>, I) -> Part<'x, T> + Send + Sync,
    ) -> Result<Vec<T>, Abort> {
        let lanes = match &self.capacity {
            Some(capacity) if capacity.adapts => items.len().min(MOST_LANES),
            _ => 1,
        };
        let count = items.len();
        let seeded: VecDeque<_> =
            items.into_iter().enumerate().map(|(index, item)| (index, self.random.u64(..), item)).collect();
        let queue = Mutex::new(seeded);
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let mut running = FuturesUnordered::new();
        for lane in 0..lanes {
            let mut context = self.part();
            let capacity = self.capacity.clone();
            let (next, work) = (&next, &work);
            running.push(async move {
                // The first lane has the permit of the check.
                let _permit = match (&capacity, lane) {
                    (Some(capacity), 1..) => capacity.permits.acquire().await.ok(),
                    _ => None,
                };
                let mut results = Vec::new();
                while let Some((index, seed, item)) = next() {
                    context.random = fastrand::Rng::with_seed(seed);
                    let result = work(&mut context, item).await;
                    let ended = result.is_err();
                    results.push((index, result));
                    if ended {
                        break;
                    }
                }
                (results, context)
            });
        }
        let mut results: Vec<Option<Result<T, Abort>>> = (0..count).map(|_| None).collect();
        let mut left = count;
        while let Some((finished, context)) = running.next().await {
            self.requests += context.requests;
            left -= finished.len();
            let failed = finished.iter().any(|(_, result)| result.is_err());
            for (index, result) in finished {
                results[index] = Some(result);
            }
            self.take_recording(context);
            // The other lanes may still wait for a permit.
            if failed || left == 0 {
                break;
            }
        }
        drop(running);
        let mut all = Vec::new();
        for result in results.into_iter().flatten() {
            all.push(result?);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    /// How many permits there are after a while, for a subject with this latency whose responses take this long.
    async fn permits(jobs: Option<usize>, latency_ms: u64, response_ms: u64) -> usize {
        let capacity = Capacity::new(jobs, Duration::from_millis(latency_ms));
        let responses = AtomicU64::new(0);
        let total = || {
            let count = responses.fetch_add(10, Ordering::Relaxed) + 10;
            (count, Duration::from_millis(count * response_ms))
        };
        let _ = tokio::time::timeout(Duration::from_millis(900), capacity.adapt(total)).await;
        capacity.permits().available_permits()
    }

    #[tokio::test]
    async fn a_slow_subject_that_keeps_up_gets_more_calls_at_the_same_time() {
        assert_eq!(permits(None, 10, 12).await, MOST);
    }

    #[tokio::test]
    async fn a_subject_that_does_not_keep_up_gets_fewer() {
        assert!(permits(None, 10, 200).await < FIRST);
    }

    #[tokio::test]
    async fn a_fast_subject_and_a_fixed_number_of_jobs_change_nothing() {
        assert_eq!(permits(None, 1, 1).await, FIRST);
        assert_eq!(permits(Some(7), 50, 50).await, 7);
    }
}
