//! A span for each call, with the names of OpenTelemetry's HTTP conventions; nothing at all without the feature `tracing`.
//!
//! A span has the path's template and never the URL: the path of one vendor holds a session id and an account, and the
//! query of another the code.

#[cfg(feature = "tracing")]
pub(crate) use on::{Server, Span};

#[cfg(not(feature = "tracing"))]
pub(crate) use off::Span;

#[cfg(feature = "tracing")]
mod on {
    use tracing::field::Empty;
    use tracing::{Instrument as _, Level};

    use crate::answer::Approved;
    use crate::error::{Error, Kind};
    use crate::vendor::Vendor;
    use crate::{Outcome, Verify};

    /// The server, as spans name it.
    #[derive(Clone)]
    pub(crate) struct Server {
        address: String,
        port: u16,
    }

    impl Server {
        pub(crate) fn of(base_url: &reqwest::Url) -> Server {
            Server {
                address: base_url.host_str().unwrap_or_default().to_owned(),
                port: base_url.port_or_known_default().unwrap_or_default(),
            }
        }
    }

    /// The span of a call.
    pub(crate) struct Span {
        span: tracing::Span,
        tries: std::sync::atomic::AtomicU32,
    }

    impl Span {
        pub(crate) fn of<B: Vendor>(call: &Verify<B>) -> Span {
            let server = &call.client.shared.server;
            let span = tracing::span!(
                target: "otp_verify",
                Level::INFO,
                "verify",
                otel.name = format_args!("{} {}", B::METHOD, B::PATH),
                otel.kind = "client",
                otel.status_code = Empty,
                http.request.method = B::METHOD,
                http.request.resend_count = Empty,
                http.response.status_code = Empty,
                url.template = B::PATH,
                server.address = server.address,
                server.port = server.port,
                error.r#type = Empty,
                otp.vendor = B::ID,
                otp.outcome = Empty,
            );
            Span { span, tries: std::sync::atomic::AtomicU32::new(0) }
        }

        pub(crate) fn around<F: Future>(&self, future: F) -> tracing::instrument::Instrumented<F> {
            future.instrument(self.span.clone())
        }

        /// A connection is tried again.
        pub(crate) fn tried_again(&self) {
            let count = self.tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            self.span.record("http.request.resend_count", count);
        }

        pub(crate) fn tell<B: Vendor>(&self, result: &Result<Approved<B>, Error>) {
            let status = match result {
                Ok(approved) => Some(approved.raw().status()),
                Err(error) => error.status(),
            };
            if let Some(status) = status {
                self.span.record("http.response.status_code", status);
            }
            let Err(error) = result else {
                self.span.record("otp.outcome", Outcome::Approved.as_str());
                return;
            };
            if let Some(outcome) = error.outcome() {
                self.span.record("otp.outcome", outcome.as_str());
            }
            // A wrong code is an answer like any other; what is an error to whoever runs the program is the rest.
            let kind = match error.kind() {
                Kind::Transport => "transport",
                Kind::UndocumentedAnswer => "undocumented_answer",
                Kind::RateLimited => "rate_limited",
                Kind::Unauthorized => "unauthorized",
                Kind::InvalidRequest => "invalid_request",
                _ => return,
            };
            self.span.record("error.type", kind);
            self.span.record("otel.status_code", "ERROR");
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use crate::Verify;
    use crate::answer::Approved;
    use crate::error::Error;
    use crate::vendor::Vendor;

    /// No span.
    pub(crate) struct Span;

    #[expect(clippy::unused_self, reason = "the same methods as with the feature")]
    impl Span {
        pub(crate) fn of<B: Vendor>(_call: &Verify<B>) -> Span {
            Span
        }

        pub(crate) fn around<F: Future>(&self, future: F) -> F {
            future
        }

        pub(crate) fn tried_again(&self) {}

        pub(crate) fn tell<B: Vendor>(&self, _result: &Result<Approved<B>, Error>) {}
    }
}
