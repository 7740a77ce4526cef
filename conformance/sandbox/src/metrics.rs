//! What was answered, counted for Prometheus. No label may come from a request, or callers could make as many series as
//! they like.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
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

/// The counts of one service.
pub(crate) struct Metrics {
    registry: Registry,
    vendors: Vec<Vendor>,
    answers: Family<Answered, Counter>,
    duration: Histogram,
    failures: Counter,
}

impl Metrics {
    pub(crate) fn new<'v>(vendors: impl Iterator<Item = &'v str>) -> Metrics {
        let mut registry = Registry::with_prefix("otp_sandbox");
        let vendors = vendors.map(|vendor| Vendor(vendor.into())).collect();
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
        let outcome = answer.situation.map_or("other", |situation| situation.as_str());
        if let Some(vendor) = vendor.and_then(|vendor| self.vendors.get(vendor)) {
            let labels = Answered { vendor: vendor.clone(), outcome, status: answer.status };
            self.answers.get_or_create(&labels).inc();
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
