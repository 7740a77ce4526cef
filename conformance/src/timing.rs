//! Compares response times that a caller must not be able to distinguish: a code that is wrong in its first digit or its
//! last, the right code for a locked session, and a session that does not exist.
//!
//! May use `harness`. It measures and must never give a verdict: the delay of the network is unknown, and a threshold
//! would accuse a busy server.

use std::time::Duration;

use otp_contract::{Contract, Role};

use crate::error::Failure;
use crate::harness::{
    Abort, CheckContext, Effort, Masking, Subject, SubmittedCode, Tenant, TrackedSession, VerifyCall,
    attempts,
};
use crate::oracle::Basis;

/// A kind of call. The response times of the others are compared with those of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CallKind {
    WrongFirst,
    WrongLast,
    Locked,
    Unknown,
}

impl CallKind {
    const ALL: [CallKind; 4] =
        [CallKind::WrongFirst, CallKind::WrongLast, CallKind::Locked, CallKind::Unknown];

    fn as_str(self) -> &'static str {
        match self {
            CallKind::WrongFirst => "wrong in the first digit",
            CallKind::WrongLast => "wrong in the last digit",
            CallKind::Locked => "right code, locked session",
            CallKind::Unknown => "unknown session",
        }
    }
}

/// How many times the samples are resampled for a confidence interval.
const RESAMPLES: usize = 400;

/// How many rounds of calls are not counted.
const WARM_UP: usize = 50;

/// The response times of one vendor.
#[derive(Debug)]
pub(crate) struct Timing {
    /// The vendor.
    pub(crate) vendor: String,
    /// The response times of each kind of call.
    pub(crate) classes: Vec<Class>,
}

/// The response times of one kind of call.
#[derive(Debug)]
pub(crate) struct Class {
    /// The kind.
    pub(crate) name: &'static str,
    /// How many responses were measured.
    pub(crate) samples: usize,
    /// The median, in nanoseconds.
    pub(crate) median_ns: f64,
    /// The difference of its median from that of the first kind, in nanoseconds; 0 for the first kind.
    pub(crate) difference_ns: f64,
    /// The 95 % confidence interval of that difference, in nanoseconds.
    pub(crate) interval_ns: (f64, f64),
}

/// The sessions that the calls use: a live one, replaced when its attempts run out, and a locked one.
struct Sessions {
    tenant: Tenant,
    live: TrackedSession,
    locked: Option<TrackedSession>,
}

/// Measures `samples` responses to each kind of call, in a random order over one connection.
pub(crate) async fn measure(
    contract: &Contract,
    subject: &Subject,
    samples: usize,
    seed: u64,
) -> Result<Timing, Failure> {
    let id = format!("{}/timing", contract.vendor);
    let effort = Effort { seed, cases: 0, bursts: 0 };
    let mut context =
        CheckContext::new(contract, Role::Verify, subject, &subject.pooled, &id, effort, Basis::Standard);
    let measured = response_times(&mut context, samples).await.map_err(|abort| {
        let reason = match abort {
            Abort::Skip(reason)
            | Abort::ConnectionLost(reason)
            | Abort::NoResponse(reason)
            | Abort::Error(reason) => reason,
            Abort::Deviation(deviation) => {
                format!("expected {}, got {}", deviation.expected, deviation.actual)
            }
        };
        Failure::Unmeasured { vendor: contract.vendor.clone(), reason }
    })?;
    let mut random = fastrand::Rng::with_seed(seed);
    let first = &measured[0].1;
    let classes = measured
        .iter()
        .map(|(kind, times)| {
            let (difference_ns, interval_ns) = match kind {
                CallKind::WrongFirst => (0.0, (0.0, 0.0)),
                _ => difference(times, first, &mut random),
            };
            let median_ns = median(&mut times.clone());
            Class { name: kind.as_str(), samples: times.len(), median_ns, difference_ns, interval_ns }
        })
        .collect();
    Ok(Timing { vendor: contract.vendor.clone(), classes })
}

/// The response times of each kind in nanoseconds, without the locked kind if the subject locks no session.
async fn response_times(
    context: &mut CheckContext<'_>,
    samples: usize,
) -> Result<Vec<(CallKind, Vec<f64>)>, Abort> {
    let tenant = context.tenant().await?;
    let live = context.start_session_for(&tenant, &attempts(10)).await?;
    let mut sessions = Sessions { tenant, live, locked: None };
    sessions.locked = sessions.lock(context).await?;
    let is_possible = |kind: &CallKind| *kind != CallKind::Locked || sessions.locked.is_some();
    let mut measured: Vec<_> = CallKind::ALL
        .into_iter()
        .filter(is_possible)
        .map(|kind| (kind, Vec::with_capacity(samples)))
        .collect();
    let mut order: Vec<usize> = (0..measured.len()).collect();
    for round in 0..samples + WARM_UP {
        context.random.shuffle(&mut order);
        for index in &order {
            let (kind, times) = &mut measured[*index];
            let took = sessions.time(context, *kind).await?;
            if round >= WARM_UP {
                times.push(nanos(took));
            }
        }
        // Nobody reads a recording of a hundred thousand calls.
        context.forget_sessions();
    }
    Ok(measured)
}

impl Sessions {
    /// A session whose limit is reached, if it has one.
    async fn lock(&mut self, context: &mut CheckContext<'_>) -> Result<Option<TrackedSession>, Abort> {
        let mut session = context.start_session_for(&self.tenant, &attempts(3)).await?;
        let Ok(limit) = session.limit() else { return Ok(None) };
        for _ in 0..limit {
            context.submit_wrong(&mut session).await?;
        }
        Ok(Some(session))
    }

    /// Sends one call of a kind and returns its response time.
    async fn time(&mut self, context: &mut CheckContext<'_>, kind: CallKind) -> Result<Duration, Abort> {
        if self.live.spare_attempts() < 2 {
            self.live = context.start_session_for(&self.tenant, &attempts(10)).await?;
        }
        let retry = context.retries();
        let issued = match (kind, &self.locked) {
            (CallKind::Locked, Some(locked)) => &locked.issued,
            _ => &self.live.issued,
        };
        let near = match kind {
            CallKind::WrongFirst => Some(near_miss(&issued.code, true)),
            CallKind::WrongLast => Some(near_miss(&issued.code, false)),
            CallKind::Locked | CallKind::Unknown => None,
        };
        let unknown = (kind == CallKind::Unknown).then(|| context.unknown_id(&issued.session.session));
        let code = near.as_deref().map_or_else(|| issued.right(), SubmittedCode::plain);
        let mut call = context.call(issued, code);
        if let Some(unknown) = &unknown {
            call = VerifyCall { session: Some(unknown), ..call };
        }
        let target = &context.subject.targets[0];
        let request = call.request(target, Masking::Nothing);
        let sent = context.client.send(&request).await;
        let (_, took) = sent.map_err(|error| Abort::NoResponse(format!("{target}: {error}")))?;
        if near.is_some() {
            self.live.count_wrong(retry);
        }
        Ok(took)
    }
}

/// The code with another first or last digit.
fn near_miss(code: &str, first: bool) -> String {
    let at = if first { 0 } else { code.len().saturating_sub(1) };
    let other = |byte: u8| if byte == b'9' { b'0' } else { byte + 1 };
    let changed = code.bytes().enumerate().map(|(index, byte)| if index == at { other(byte) } else { byte });
    changed.map(char::from).collect()
}

fn nanos(took: Duration) -> f64 {
    took.as_secs_f64() * 1e9
}

/// The median of `times`, which it reorders.
fn median(times: &mut [f64]) -> f64 {
    if times.is_empty() {
        return 0.0;
    }
    let middle = times.len() / 2;
    *times.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// The difference between the medians of `times` and `others`, and its 2.5th and 97.5th percentiles over samples that are
/// drawn from both with replacement (Efron's bootstrap).
fn difference(times: &[f64], others: &[f64], random: &mut fastrand::Rng) -> (f64, (f64, f64)) {
    let observed = median(&mut times.to_vec()) - median(&mut others.to_vec());
    let mut drawn = |from: &[f64]| {
        let mut again: Vec<f64> = (0..from.len()).map(|_| from[random.usize(0..from.len())]).collect();
        median(&mut again)
    };
    let mut differences: Vec<f64> = (0..RESAMPLES).map(|_| drawn(times) - drawn(others)).collect();
    differences.sort_by(f64::total_cmp);
    let margin = RESAMPLES / 40;
    (observed, (differences[margin], differences[RESAMPLES - 1 - margin]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_between_two_kinds_of_calls_lies_in_its_interval() {
        let mut random = fastrand::Rng::with_seed(7);
        let noise = |random: &mut fastrand::Rng| random.f64() * 100.0;
        let fast: Vec<f64> = (0..2_000).map(|_| 1_000.0 + noise(&mut random)).collect();
        let slow: Vec<f64> = (0..2_000).map(|_| 1_500.0 + noise(&mut random)).collect();
        let (observed, (low, high)) = difference(&slow, &fast, &mut random);
        assert!(low <= observed && observed <= high, "{low} {observed} {high}");
        assert!(low > 480.0 && high < 520.0, "{low} {high}");
        let (_, (low, high)) = difference(&fast, &fast.clone(), &mut random);
        assert!(low <= 0.0 && 0.0 <= high, "{low} {high}");
    }

    #[test]
    fn a_near_miss_differs_in_one_place() {
        assert_eq!(near_miss("123459", true), "223459");
        assert_eq!(near_miss("123459", false), "123450");
    }
}
