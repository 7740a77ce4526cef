//! What was answered, counted for Prometheus. No label may come from a request, or callers could make as many series as
//! they like.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::StatusCode;
use otp_contract::{Contract, Situation};
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::answer::Answer;

/// How often something was answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    /// The vendor whose path it was.
    vendor: Vendor,
    /// The situation that was answered; `other` for what no cell covers.
    outcome: &'static str,
    status: u16,
}

/// A vendor's id, as a label.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Vendor(Arc<str>);

impl EncodeLabelValue for Vendor {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        (&*self.0).encode(encoder)
    }
}

/// A vendor, and the counts of the answers that its contract has. Each is found once and kept: two threads that look for
/// the same labels wait for each other.
struct Counted {
    vendor: Vendor,
    usual: Vec<(Situation, u16, OnceLock<Counter>)>,
}

impl Counted {
    fn new(contract: &Contract) -> Counted {
        let cells = contract.verify().cells.iter();
        let usual = cells.flat_map(|cell| {
            cell.situations.iter().map(|situation| (*situation, cell.sandbox_status, OnceLock::new()))
        });
        Counted { vendor: Vendor(contract.vendor.as_str().into()), usual: usual.collect() }
    }

    fn count(&self, answers: &Family<Answered, Counter>, answer: &Answer) {
        let outcome = answer.situation.map_or("other", |situation| situation.as_str());
        let labels = || Answered { vendor: self.vendor.clone(), outcome, status: answer.status };
        let mut usual = self.usual.iter();
        match usual.find(|(of, status, _)| Some(*of) == answer.situation && *status == answer.status) {
            Some((_, _, counter)) => {
                counter.get_or_init(|| answers.get_or_create(&labels()).clone()).inc();
            }
            None => {
                answers.get_or_create(&labels()).inc();
            }
        }
    }
}

/// The counts of one service.
pub(crate) struct Metrics {
    registry: Registry,
    vendors: Vec<Counted>,
    answers: Family<Answered, Counter>,
    duration: Histogram,
    failures: Counter,
}

impl Metrics {
    pub(crate) fn new<'c>(contracts: impl Iterator<Item = &'c Contract>) -> Metrics {
        let mut registry = Registry::with_prefix("otp_sandbox");
        let vendors = contracts.map(Counted::new).collect();
        let answers = Family::<Answered, Counter>::default();
        registry.register("answers", "Verify calls, by what they were answered", answers.clone());
        let duration = Histogram::new([0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0]);
        let help = "How long verify calls took";
        registry.register_with_unit("answer_duration", help, Unit::Seconds, duration.clone());
        let failures = Counter::default();
        registry.register("store_failures", "Calls that the store did not answer", failures.clone());
        Metrics { registry, vendors, answers, duration, failures }
    }

    /// Notes an answer of the vendor at that place; `None` where the path is nobody's.
    pub(crate) fn answered(&self, vendor: Option<usize>, answer: &Answer, took: Duration) {
        if let Some(counted) = vendor.and_then(|vendor| self.vendors.get(vendor)) {
            counted.count(&self.answers, answer);
        }
        self.duration.observe(took.as_secs_f64());
        if answer.status == StatusCode::SERVICE_UNAVAILABLE {
            self.failures.inc();
        }
    }

    /// The text that Prometheus reads.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// The media type of [`Metrics::text`].
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
