//! How long answers take, compared between calls that a caller should not be able to tell apart: a wrong code by its
//! first digit or its last, the right code for a locked session, a session that there is not. It measures and never
//! judges: what a network adds is unknown, and a threshold would accuse a busy server.

use std::time::Duration;

use otp_contract::Contract;

use crate::call::{Call, Guess, Masking};
use crate::control::Tenant;
use crate::error::Failure;
use crate::flow::{Live, attempts};
use crate::run::Options;
use crate::subject::{Bench, Stop, Subject};

/// A kind of calls. The others are compared with the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    WrongFirst,
    WrongLast,
    Locked,
    Unknown,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::WrongFirst, Kind::WrongLast, Kind::Locked, Kind::Unknown];

    fn as_str(self) -> &'static str {
        match self {
            Kind::WrongFirst => "wrong in the first digit",
            Kind::WrongLast => "wrong in the last digit",
            Kind::Locked => "right, and locked",
            Kind::Unknown => "no such session",
        }
    }
}

/// How often the samples are drawn anew for a confidence interval.
const RESAMPLES: usize = 400;

/// How many calls are made before any is counted.
const WARM_UP: usize = 50;

/// The times of one vendor's answers.
#[derive(Debug)]
pub(crate) struct Timing {
    /// The vendor.
    pub(crate) vendor: String,
    /// What was measured, kind by kind.
    pub(crate) classes: Vec<Class>,
}

/// The times of one kind of calls.
#[derive(Debug)]
pub(crate) struct Class {
    /// What kind.
    pub(crate) name: &'static str,
    /// How many answers were timed.
    pub(crate) samples: usize,
    /// The median, in nanoseconds.
    pub(crate) median: f64,
    /// The difference of its median from that of the first class, in nanoseconds; 0 for that itself.
    pub(crate) difference: f64,
    /// Where that difference lies with a confidence of 95 %.
    pub(crate) interval: (f64, f64),
}

/// What a vendor's calls are made with: some sessions that live, and one that is locked.
struct Sessions {
    tenant: Tenant,
    live: Live,
    locked: Option<Live>,
}

/// Measures a vendor's answers, `samples` of each class, in a random order over one connection.
pub(crate) async fn measure(
    contract: &Contract,
    subject: &Subject,
    samples: usize,
    seed: u64,
) -> Result<Timing, Failure> {
    let id = format!("{}/timing", contract.vendor);
    let mut bench = Bench::new(contract, subject, &id, &Options::with_seed(seed));
    let measured = times(&mut bench, samples).await.map_err(|stop| {
        let reason = match stop {
            Stop::Skip(reason) | Stop::Lost(reason) | Stop::Unanswered(reason) | Stop::Error(reason) => {
                reason
            }
            Stop::Found(finding) => format!("expected {}, and got {}", finding.expected, finding.actual),
        };
        Failure::Unmeasured { vendor: contract.vendor.clone(), reason }
    })?;
    let mut random = fastrand::Rng::with_seed(seed);
    let first = &measured[0].1;
    let classes = measured
        .iter()
        .map(|(kind, times)| {
            let (difference, interval) = match kind {
                Kind::WrongFirst => (0.0, (0.0, 0.0)),
                _ => difference(times, first, &mut random),
            };
            let median = median(&mut times.clone());
            Class { name: kind.as_str(), samples: times.len(), median, difference, interval }
        })
        .collect();
    Ok(Timing { vendor: contract.vendor.clone(), classes })
}

/// The times of each kind, in nanoseconds; without the locked one where nothing can be locked.
async fn times(bench: &mut Bench<'_>, samples: usize) -> Result<Vec<(Kind, Vec<f64>)>, Stop> {
    let tenant = bench.tenant().await?;
    let live = bench.open_for(&tenant, &attempts(10)).await?;
    let mut sessions = Sessions { tenant, live, locked: None };
    sessions.locked = sessions.lock(bench).await?;
    let there = |kind: &Kind| *kind != Kind::Locked || sessions.locked.is_some();
    let mut measured: Vec<_> =
        Kind::ALL.into_iter().filter(there).map(|kind| (kind, Vec::with_capacity(samples))).collect();
    let mut order: Vec<usize> = (0..measured.len()).collect();
    for round in 0..samples + WARM_UP {
        bench.random.shuffle(&mut order);
        for index in &order {
            let (kind, times) = &mut measured[*index];
            let took = sessions.time(bench, *kind).await?;
            if round >= WARM_UP {
                times.push(nanos(took));
            }
        }
        // A journal of a hundred thousand calls serves nobody.
        bench.forget_sessions();
    }
    Ok(measured)
}

impl Sessions {
    /// A session whose limit is reached, where there is one.
    async fn lock(&mut self, bench: &mut Bench<'_>) -> Result<Option<Live>, Stop> {
        let mut live = bench.open_for(&self.tenant, &attempts(3)).await?;
        let Ok(limit) = live.limit() else { return Ok(None) };
        for _ in 0..limit {
            bench.wrong(&mut live).await?;
        }
        Ok(Some(live))
    }

    /// Makes one call of a kind; how long its answer took.
    async fn time(&mut self, bench: &mut Bench<'_>, kind: Kind) -> Result<Duration, Stop> {
        if self.live.spare() < 2 {
            self.live = bench.open_for(&self.tenant, &attempts(10)).await?;
        }
        let retry = bench.retries();
        let issued = match (kind, &self.locked) {
            (Kind::Locked, Some(locked)) => &locked.issued,
            _ => &self.live.issued,
        };
        let near = match kind {
            Kind::WrongFirst => Some(near_miss(&issued.code, true)),
            Kind::WrongLast => Some(near_miss(&issued.code, false)),
            Kind::Locked | Kind::Unknown => None,
        };
        let unknown = (kind == Kind::Unknown).then(|| bench.unknown_id(&issued.session.session));
        let guess = near.as_deref().map_or_else(|| issued.right(), Guess::plain);
        let mut call = issued.call(bench.contract, guess, retry);
        if let Some(unknown) = &unknown {
            call = Call { session: Some(unknown), ..call };
        }
        let target = &bench.subject.targets[0];
        let request = call.request(target, Masking::Nothing);
        let sent = bench.wire.send(&request).await;
        let (_, took) = sent.map_err(|error| Stop::Unanswered(format!("{target}: {error}")))?;
        if near.is_some() {
            self.live.note_wrong(retry);
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

/// The middle of `times`, which it leaves in another order.
fn median(times: &mut [f64]) -> f64 {
    if times.is_empty() {
        return 0.0;
    }
    let middle = times.len() / 2;
    *times.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// How far the median of `times` is from that of `others`, and the percentiles 2.5 and 97.5 of that over samples that
/// are drawn from both with replacement (Efron's bootstrap).
fn difference(times: &[f64], others: &[f64], random: &mut fastrand::Rng) -> (f64, (f64, f64)) {
    let told = median(&mut times.to_vec()) - median(&mut others.to_vec());
    let mut drawn = |from: &[f64]| {
        let mut again: Vec<f64> = (0..from.len()).map(|_| from[random.usize(0..from.len())]).collect();
        median(&mut again)
    };
    let mut differences: Vec<f64> = (0..RESAMPLES).map(|_| drawn(times) - drawn(others)).collect();
    differences.sort_by(f64::total_cmp);
    let margin = RESAMPLES / 40;
    (told, (differences[margin], differences[RESAMPLES - 1 - margin]))
}

/// The report as text.
pub(crate) fn as_text(timings: &[Timing]) -> String {
    let mut text = String::new();
    for timing in timings {
        text.push_str(&format!("{}\n", timing.vendor));
        for class in &timing.classes {
            let micros = |nanos: f64| nanos / 1e3;
            text.push_str(&format!("  {:<28}{:>10.1} µs", class.name, micros(class.median)));
            if class.difference != 0.0 || class.interval != (0.0, 0.0) {
                text.push_str(&format!(
                    "  {:+.1} µs ({:+.1} to {:+.1})",
                    micros(class.difference),
                    micros(class.interval.0),
                    micros(class.interval.1)
                ));
            }
            text.push_str(&format!("  {} samples\n", class.samples));
        }
    }
    text.push_str(
        "medians; behind them the difference from the first kind of call, with its 95 % interval by bootstrap.\n\
         A report and no verdict: what a caller elsewhere can tell apart depends on the network between.\n",
    );
    text
}

/// The report for a program; times in nanoseconds.
pub(crate) fn as_json(timings: &[Timing]) -> String {
    let rows = timings.iter().map(|timing| {
        let classes = timing.classes.iter().map(|class| {
            serde_json::json!({
                "class": class.name,
                "samples": class.samples,
                "median_ns": class.median,
                "difference_ns": class.difference,
                "interval_95_ns": [class.interval.0, class.interval.1],
            })
        });
        serde_json::json!({"vendor": timing.vendor, "classes": classes.collect::<Vec<_>>()})
    });
    format!("{:#}\n", serde_json::Value::from(rows.collect::<Vec<_>>()))
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
        let (told, (low, high)) = difference(&slow, &fast, &mut random);
        assert!(low <= told && told <= high, "{low} {told} {high}");
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
