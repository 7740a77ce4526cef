//! The verify call: its options, and how the client sends, retries and classifies it.
//!
//! May use everything but the vendors and the generated code. Never sends a request again unless the connection failed.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;

use crate::approval::Approved;
use crate::client::Client;
use crate::error::{Cause, Error};
use crate::http::retry::Backoff;
use crate::http::telemetry::Span;
use crate::http::{
    Code, ExchangeResult, InvalidInput, Secret, SessionId, TransportError, extra_header, input,
};
use crate::response::{Classification, Outcome, RawResponse, RequestValues};
use crate::vendor::{VerifyInput, VerifyOperation};

/// The limit for timeouts. The clock overflows at some point, and no code is valid for a day.
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

impl<V: VerifyOperation> Client<V> {
    /// Verifies `code` for the session. The call accepts options and starts when it is awaited.
    ///
    /// ```no_run
    /// # #[cfg(feature = "zeckta")]
    /// # async fn example(client: otp_verify::zeckta::Client) -> Result<(), otp_verify::zeckta::Error> {
    /// use std::time::Duration;
    /// use otp_verify::Code;
    ///
    /// let approved = client
    ///     .verify("feab6011-2469-4804-ace5-ee9dcb5b9ef2", Code::new("123456"))
    ///     .timeout(Duration::from_secs(10))
    ///     .header("x-request-id", "c1f6f0d9")
    ///     .await?;
    /// println!("approved by {}, call {:?}", approved.vendor(), approved.request_id());
    /// # Ok(())
    /// # }
    /// ```
    pub fn verify(&self, session: impl Into<SessionId>, code: Code) -> VerifyRequest<V> {
        VerifyRequest::new(self.clone(), session.into().into_secret(), code.into_secret())
    }
}

/// A verify call, which starts when it is awaited.
///
/// It borrows nothing, so its future is `Send` and `'static` and can be spawned.
#[must_use = "a call does nothing unless it is awaited"]
pub struct VerifyRequest<V: VerifyOperation> {
    client: Client<V>,
    input: VerifyInput<V::Options>,
    timeout: Duration,
    headers: HeaderMap,
    /// The first invalid option. Setters cannot fail, so the call does.
    invalid: Option<InvalidInput>,
}

impl<V: VerifyOperation> VerifyRequest<V> {
    fn new(client: Client<V>, session: Secret, code: Secret) -> VerifyRequest<V> {
        let inner = client.inner();
        let (accounts, values) = (inner.accounts.clone(), inner.values.clone());
        let timeout = inner.timeout;
        let input = VerifyInput { session, code, accounts, values, options: V::Options::default() };
        VerifyRequest { client, input, timeout, headers: HeaderMap::new(), invalid: None }
    }

    /// Sets the timeout for this call, instead of the client's [`timeout`](crate::ClientBuilder::timeout).
    pub fn timeout(mut self, timeout: Duration) -> VerifyRequest<V> {
        self.timeout = timeout;
        self
    }

    /// Adds a header, for example for correlation. It replaces an earlier one with the same name.
    ///
    /// If the header is invalid, authenticates, frames the message or is set by the client, nothing is sent and the
    /// call fails with [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest).
    pub fn header(mut self, name: &str, value: &str) -> VerifyRequest<V> {
        match extra_header::parse(name, value, self.client.inner().transport.authorization_header()) {
            Ok((name, value)) => {
                self.headers.insert(name, value);
                self
            }
            Err(invalid) => self.reject(invalid),
        }
    }

    /// The vendor's options, for its setters.
    #[doc(hidden)]
    pub fn options_mut(&mut self) -> &mut V::Options {
        &mut self.input.options
    }

    /// Makes the call fail before anything is sent.
    #[doc(hidden)]
    pub fn reject(mut self, invalid: InvalidInput) -> VerifyRequest<V> {
        self.invalid.get_or_insert(invalid);
        self
    }

    #[expect(
        clippy::manual_async_fn,
        reason = "an async fn would store the call twice, as argument and as variable"
    )]
    fn run(self) -> impl Future<Output = Result<Approved<V>, V::Error>> + Send + 'static {
        async move {
            let span = Span::new(&self.client.inner().transport.server, V::operation());
            let result = span.instrument(self.exchange(&span)).await;
            let (status, outcome, error_type) = match &result {
                Ok(approved) => (Some(approved.raw().status()), Some(Outcome::Approved), None),
                Err(error) => (error.status(), error.outcome(), error.telemetry_type()),
            };
            span.record_result(status, outcome, error_type);
            result.map_err(V::error)
        }
    }

    /// Builds the request and starts to send it; `None` if it cannot be built.
    fn send(&self, timeout: Duration) -> Option<impl Future<Output = ExchangeResult> + use<V>> {
        let transport = &self.client.inner().transport;
        let mut request = V::request(&transport.api, &self.input).ok()?;
        transport.prepare(&mut request, V::USER_AGENT, V::ACCEPT, &self.headers, timeout);
        Some(transport.send(request))
    }

    async fn exchange(&self, span: &Span) -> Result<Approved<V>, Error> {
        self.check().map_err(|invalid| Self::error(Cause::InvalidInput(invalid), None))?;

        let mut timeout = self.timeout.min(MAX_TIMEOUT);
        let deadline = Instant::now() + timeout;
        let mut backoff = None;
        let result = loop {
            let Some(exchange) = self.send(timeout) else {
                break ExchangeResult::Unsent(TransportError::new(false, "the request cannot be built"));
            };
            match exchange.await {
                ExchangeResult::Unsent(cause) => {
                    if !backoff.get_or_insert_with(|| Backoff::until(deadline)).sleep().await {
                        break ExchangeResult::Unsent(cause);
                    }
                    span.record_retry();
                    timeout = deadline.saturating_duration_since(Instant::now());
                }
                result => break result,
            }
        };
        match result {
            ExchangeResult::Response(response) => self.classify(response),
            ExchangeResult::Redirected(response) => Err(Self::error(Cause::Redirected, Some(response))),
            ExchangeResult::Incomplete(response, reason) => {
                Err(Self::error(Cause::Incomplete(reason), Some(response)))
            }
            ExchangeResult::Unsent(cause) => Err(Self::error(Cause::Unsent(cause), None)),
            ExchangeResult::Unanswered(cause) => Err(Self::error(Cause::Unanswered(cause), None)),
        }
    }

    fn error(cause: Cause, raw: Option<RawResponse>) -> Error {
        Error::new(V::operation(), cause, raw)
    }

    fn check(&self) -> Result<(), InvalidInput> {
        if let Some(invalid) = &self.invalid {
            return Err(invalid.clone());
        }
        input::check_identifier(input::SESSION_ID, self.input.session.expose())?;
        input::check_identifier(input::CODE, self.input.code.expose())
    }

    fn classify(&self, response: RawResponse) -> Result<Approved<V>, Error> {
        let accounts = &self.input.accounts;
        let request = RequestValues {
            session: self.input.session.expose(),
            code: self.input.code.expose(),
            account: &|name| {
                accounts.iter().find(|(known, _)| *known == name).map(|(_, account)| account.expose())
            },
        };
        let cause = match V::operation().responses.classify(response.status(), response.body(), request) {
            Classification::Approved => return Ok(Approved::new(response)),
            Classification::Refused(candidates) => Cause::Refused(candidates),
            Classification::Contradictory => Cause::Contradictory,
            Classification::Undocumented => Cause::Undocumented,
        };
        Err(Self::error(cause, Some(response)))
    }
}

impl<V: VerifyOperation> IntoFuture for VerifyRequest<V> {
    type Output = Result<Approved<V>, V::Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'static>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<V: VerifyOperation> fmt::Debug for VerifyRequest<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyRequest")
            .field("client", &self.client)
            .field("timeout", &self.timeout)
            .field("options", &self.input.options)
            .finish_non_exhaustive()
    }
}
