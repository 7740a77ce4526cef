//! What was answered, counted for Prometheus. No label may come from a request, or callers could make as many series as
//! they like.

use std::time::Duration;

use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::answer::Answer;

/// How often something was answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    /// The situation that was answered; `other` for what no cell covers.
    outcome: &'static str,
    status: u16,
}

/// The counts of one service.
pub(crate) struct Metrics {
    registry: Registry,
    /// By the vendor's place among those that are served.
    answers: Vec<Family<Answered, Counter>>,
    duration: Histogram,
    failures: Counter,
}

impl Metrics {
    pub(crate) fn new<'v>(vendors: impl Iterator<Item = &'v str>) -> Metrics {
        let mut registry = Registry::with_prefix("otp_sandbox");
        let answers = vendors
            .map(|vendor| {
                let family = Family::<Answered, Counter>::default();
                let label = ("vendor".into(), vendor.to_owned().into());
                let help = "Verify calls, by what they were answered";
                registry.sub_registry_with_label(label).register("answers", help, family.clone());
                family
            })
            .collect();
        let duration = Histogram::new([0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0]);
        let help = "How long verify calls took";
        registry.register_with_unit("answer_duration", help, Unit::Seconds, duration.clone());
        let failures = Counter::default();
        registry.register("store_failures", "Calls that the store did not answer", failures.clone());
        Metrics { registry, answers, duration, failures }
    }

    /// Notes an answer of the vendor at that place; `None` where the path is nobody's.
    pub(crate) fn answered(&self, vendor: Option<usize>, answer: &Answer, took: Duration) {
        let outcome = answer.situation.map_or("other", |situation| situation.as_str());
        if let Some(family) = vendor.and_then(|vendor| self.answers.get(vendor)) {
            family.get_or_create(&Answered { outcome, status: answer.status }).inc();
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
