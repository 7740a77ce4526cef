//! A span for each call, with the attribute names of OpenTelemetry's HTTP conventions. Does nothing without the feature
//! `tracing`.
//!
//! A span has the path's template and never the URL, which may contain a session id, an account or a code.

#[cfg(feature = "tracing")]
pub(crate) use enabled::{ServerAddress, Span};

#[cfg(not(feature = "tracing"))]
pub(crate) use disabled::{ServerAddress, Span};

#[cfg(feature = "tracing")]
mod enabled {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tracing::field::Empty;
    use tracing::{Instrument as _, Level};

    use crate::response::{Operation, Outcome};

    /// The address of the server as spans show it.
    #[derive(Clone)]
    pub(crate) struct ServerAddress {
        address: String,
        port: u16,
    }

    impl ServerAddress {
        pub(crate) fn new(base_url: &reqwest::Url) -> ServerAddress {
            ServerAddress {
                address: base_url.host_str().unwrap_or_default().to_owned(),
                port: base_url.port_or_known_default().unwrap_or_default(),
            }
        }
    }

    /// The span of a call.
    pub(crate) struct Span {
        span: tracing::Span,
        retries: AtomicU32,
    }

    impl Span {
        pub(crate) fn new(server: &ServerAddress, operation: &Operation) -> Span {
            let Operation { vendor, method, path, .. } = *operation;
            let span = tracing::span!(
                target: "otp_verify",
                Level::INFO,
                "verify",
                otel.name = format_args!("{method} {path}"),
                otel.kind = "client",
                otel.status_code = Empty,
                http.request.method = method,
                http.request.resend_count = Empty,
                http.response.status_code = Empty,
                url.template = path,
                server.address = server.address,
                server.port = server.port,
                error.r#type = Empty,
                otp.vendor = vendor,
                otp.outcome = Empty,
            );
            Span { span, retries: AtomicU32::new(0) }
        }

        pub(crate) fn instrument<F: Future>(&self, future: F) -> tracing::instrument::Instrumented<F> {
            future.instrument(self.span.clone())
        }

        /// Counts a retry of the connection.
        pub(crate) fn record_retry(&self) {
            let count = self.retries.fetch_add(1, Ordering::Relaxed) + 1;
            self.span.record("http.request.resend_count", count);
        }

        /// Records how the call ended. The span has the status `ERROR` if there is an error type.
        pub(crate) fn record_result(
            &self,
            status: Option<u16>,
            outcome: Option<Outcome>,
            error_type: Option<&'static str>,
        ) {
            if let Some(status) = status {
                self.span.record("http.response.status_code", status);
            }
            if let Some(outcome) = outcome {
                self.span.record("otp.outcome", outcome.as_str());
            }
            if let Some(error_type) = error_type {
                self.span.record("error.type", error_type);
                self.span.record("otel.status_code", "ERROR");
            }
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod disabled {
    use crate::response::{Operation, Outcome};

    #[derive(Clone)]
    pub(crate) struct ServerAddress;

    impl ServerAddress {
        pub(crate) fn new(_base_url: &reqwest::Url) -> ServerAddress {
            ServerAddress
        }
    }

    pub(crate) struct Span;

    #[expect(clippy::unused_self, reason = "the methods are the same as with the feature")]
    impl Span {
        pub(crate) fn new(_server: &ServerAddress, _operation: &Operation) -> Span {
            Span
        }

        pub(crate) fn instrument<F: Future>(&self, future: F) -> F {
            future
        }

        pub(crate) fn record_retry(&self) {}

        pub(crate) fn record_result(
            &self,
            _status: Option<u16>,
            _outcome: Option<Outcome>,
            _error_type: Option<&'static str>,
        ) {
        }
    }
}
