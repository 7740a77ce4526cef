//! Counts responses for Prometheus.
//!
//! May use the status of a response and the contracts. No label value may come from a request: otherwise clients could
//! create any number of time series.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::StatusCode;
use otp_contract::{Operation, Situation};
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::http::VendorResponse;

/// The labels of the response counter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResponseLabels {
    vendor: VendorLabel,
    /// The situation of the call; `other` if no cell covers it.
    outcome: &'static str,
    status: u16,
}

/// A vendor's id as a label.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct VendorLabel(Arc<str>);

impl EncodeLabelValue for VendorLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        (&*self.0).encode(encoder)
    }
}

/// The counters of one operation. Those of its documented responses are looked up once and kept, because lookups of the
/// same labels in different threads wait for each other.
struct OperationCounters {
    vendor: VendorLabel,
    documented: Vec<(Situation, u16, OnceLock<Counter>)>,
}

impl OperationCounters {
    fn new(vendor: &str, operation: &Operation) -> OperationCounters {
        let documented = operation.cells.iter().flat_map(|cell| {
            cell.situations.iter().map(|situation| (*situation, cell.sandbox_status, OnceLock::new()))
        });
        OperationCounters { vendor: VendorLabel(vendor.into()), documented: documented.collect() }
    }

    fn count(&self, responses: &Family<ResponseLabels, Counter>, response: &VendorResponse) {
        let outcome = response.situation.map_or("other", |situation| situation.as_str());
        let labels = || ResponseLabels { vendor: self.vendor.clone(), outcome, status: response.status };
        let counter = self.documented.iter().find(|(situation, status, _)| {
            Some(*situation) == response.situation && *status == response.status
        });
        match counter {
            Some((_, _, counter)) => {
                counter.get_or_init(|| responses.get_or_create(&labels()).clone()).inc();
            }
            None => {
                responses.get_or_create(&labels()).inc();
            }
        }
    }
}

/// The metrics of one service.
pub(crate) struct Metrics {
    registry: Registry,
    operations: Vec<OperationCounters>,
    responses: Family<ResponseLabels, Counter>,
    duration: Histogram,
    store_failures: Counter,
}

impl Metrics {
    /// Metrics of the given operations, each with its vendor's id.
    pub(crate) fn new<'c>(operations: impl Iterator<Item = (&'c str, &'c Operation)>) -> Metrics {
        let mut registry = Registry::with_prefix("otp_sandbox");
        let operations =
            operations.map(|(vendor, operation)| OperationCounters::new(vendor, operation)).collect();
        let responses = Family::<ResponseLabels, Counter>::default();
        registry.register("answers", "Verify calls, by outcome and status", responses.clone());
        let duration = Histogram::new([0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0]);
        let help = "How long verify calls took";
        registry.register_with_unit("answer_duration", help, Unit::Seconds, duration.clone());
        let store_failures = Counter::default();
        registry.register(
            "store_failures",
            "Calls that the store could not complete",
            store_failures.clone(),
        );
        Metrics { registry, operations, responses, duration, store_failures }
    }

    /// Records a response of the operation at this index; `None` if the path belongs to no operation.
    pub(crate) fn record(&self, operation: Option<usize>, response: &VendorResponse, duration: Duration) {
        if let Some(counters) = operation.and_then(|operation| self.operations.get(operation)) {
            counters.count(&self.responses, response);
        }
        self.duration.observe(duration.as_secs_f64());
        if response.status == StatusCode::SERVICE_UNAVAILABLE {
            self.store_failures.inc();
        }
    }

    /// The metrics in the `OpenMetrics` text format.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a `String` never fails.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// The media type of [`Metrics::text`].
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
