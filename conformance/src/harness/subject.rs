//! The server under test: its addresses, its control, and the connections to it.

use std::sync::Arc;
use std::time::Duration;

use super::{ControlClient, Masking};
use crate::http::{CurlAddress, HttpClient};

/// The server under test.
pub(crate) struct Subject {
    /// Its addresses, each a scheme and an authority; several are replicas of one service.
    pub(crate) targets: Vec<String>,
    /// Puts it into a state.
    pub(crate) control: ControlClient,
    /// Pooled connections to it.
    pub(crate) pooled: Arc<HttpClient>,
    /// Connections that carry one request each.
    pub(crate) unpooled: Arc<HttpClient>,
    /// How curl has to call each target, in the same order.
    pub(crate) curl_targets: Vec<CurlAddress>,
    /// How curl has to call the control.
    pub(crate) curl_control: CurlAddress,
    /// What reports hide.
    pub(crate) masking: Masking,
}

impl Subject {
    /// How many responses have arrived, and how long they took in total.
    pub(crate) fn responses(&self) -> (u64, Duration) {
        let (pooled, unpooled) = (self.pooled.responses(), self.unpooled.responses());
        (pooled.0 + unpooled.0, pooled.1 + unpooled.1)
    }

    /// How many requests were sent, those to the control included.
    pub(crate) fn requests(&self) -> u64 {
        self.pooled.sent() + self.unpooled.sent()
    }
}
