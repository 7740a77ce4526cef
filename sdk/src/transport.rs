//! One HTTP exchange: what is added to a request, how it is sent, and what is kept of the answer.
//!
//! A generated client forgets the status of a body that it cannot decode. So the answer is kept here, before the
//! generated code sees it, and the generated code's own result is never looked at. Nothing here retries, follows a
//! redirect, or reads a body without end.

use std::error::Error as _;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};

use crate::answer::RawAnswer;
use crate::error::{BuildError, NoAnswer, Shortfall};

/// The most bytes of a body that are read. The largest documented body has about 400.
pub(crate) const LARGEST_BODY: usize = 64 * 1024;

/// The HTTP library's client for a base address, which has been checked.
pub(crate) fn http_client(
    vendor: &str,
    base_url: &reqwest::Url,
    connect_timeout: Duration,
    timeout: Duration,
) -> Result<reqwest::Client, BuildError> {
    let agent = format!("{}/{} ({vendor})", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    let mut builder = reqwest::Client::builder()
        .user_agent(agent)
        .connect_timeout(connect_timeout)
        .timeout(timeout)
        // A redirect of a verify call would carry the code to wherever it points, and an API key in a header of the
        // vendor's own with it; the answer from there would then be believed.
        .redirect(reqwest::redirect::Policy::none());
    let plain = base_url.scheme() == "http";
    if plain {
        // Plain HTTP is to this machine, where no proxy of the environment belongs in between.
        builder = builder.no_proxy();
    }
    tls(builder, plain).build().map_err(|error| BuildError::Unavailable(causes(&error)))
}

#[cfg(feature = "rustls")]
fn tls(builder: reqwest::ClientBuilder, plain: bool) -> reqwest::ClientBuilder {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Where another thread was quicker, its choice stands.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    // Without redirects a plain client never meets TLS, and should not fail where the machine has no root certificates.
    if plain { builder.tls_certs_only([]) } else { builder.https_only(true) }
}

#[cfg(not(feature = "rustls"))]
fn tls(builder: reqwest::ClientBuilder, _plain: bool) -> reqwest::ClientBuilder {
    builder
}

/// What one call takes with it through the generated client.
#[derive(Clone)]
pub(crate) struct Call {
    authorization: (HeaderName, HeaderValue),
    kept: Arc<Mutex<Kept>>,
}

/// What became of the exchange.
#[derive(Default)]
pub(crate) enum Kept {
    /// It did not come to one.
    #[default]
    Nothing,
    /// A whole answer.
    Answer(RawAnswer),
    /// A part of an answer.
    Part(RawAnswer, Shortfall),
    /// No connection.
    Unsent(NoAnswer),
    /// No answer to what may have been sent.
    Unanswered(NoAnswer),
}

impl Call {
    /// A call that has not been made, authenticated by this header.
    pub(crate) fn new(authorization: (HeaderName, HeaderValue)) -> Call {
        Call { authorization, kept: Arc::default() }
    }

    /// What became of the exchange; the second time it is nothing.
    pub(crate) fn take(&self) -> Kept {
        std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn keep(&self, kept: Kept) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = kept;
    }

    /// Makes the generated request the vendor's: progenitor sends the document's version, which no vendor knows of, and
    /// leaves the credentials out.
    pub(crate) fn prepare(&self, request: &mut reqwest::Request) {
        let headers = request.headers_mut();
        headers.remove("api-version");
        headers.insert(self.authorization.0.clone(), self.authorization.1.clone());
    }

    /// Sends the request, once, and keeps what comes of it.
    pub(crate) async fn exchange(
        &self,
        http: &reqwest::Client,
        request: reqwest::Request,
    ) -> reqwest::Result<reqwest::Response> {
        let mut response = match http.execute(request).await {
            Ok(response) => response,
            Err(error) => {
                let cause = NoAnswer { timed_out: error.is_timeout(), detail: causes(&error) };
                // Only a failure to connect is known to have sent nothing. A timeout that is not one of connecting may
                // be one of answering.
                let unsent = error.is_connect() || error.is_builder();
                self.keep(if unsent { Kept::Unsent(cause) } else { Kept::Unanswered(cause) });
                return Err(error);
            }
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        let shortfall = loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > LARGEST_BODY => {
                    body.extend_from_slice(&chunk[..LARGEST_BODY - body.len()]);
                    break Some(Shortfall::TooLarge);
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break None,
                Err(_) => break Some(Shortfall::BrokenOff),
            }
        };
        let answer = RawAnswer { status, headers, body: Bytes::from(body) };
        let copy = http::Response::new(answer.body.clone());
        self.keep(match shortfall {
            None => Kept::Answer(answer),
            Some(reason) => Kept::Part(answer, reason),
        });
        Ok(copy.into())
    }
}

// The header is marked as sensitive, and still not printed: whether it is marked is another module's doing.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}

/// The texts of what lies below `error`, outermost first. Its own text is left out, for it has the URL.
fn causes(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        // Some layers repeat what lies below them.
        if texts.last().is_none_or(|last| *last != text) {
            texts.push(text);
        }
        source = cause.source();
    }
    if texts.is_empty() {
        return "the HTTP library gave no reason".to_owned();
    }
    texts.join(": ")
}

/// Implements progenitor's hooks for a generated client, the same for all.
macro_rules! hooks {
    ($client:ty) => {
        impl progenitor_client::ClientHooks<$crate::transport::Call> for $client {
            async fn pre<E>(
                &self,
                request: &mut reqwest::Request,
                _info: &progenitor_client::OperationInfo,
            ) -> Result<(), progenitor_client::Error<E>> {
                self.inner.prepare(request);
                Ok(())
            }

            async fn exec(
                &self,
                request: reqwest::Request,
                _info: &progenitor_client::OperationInfo,
            ) -> reqwest::Result<reqwest::Response> {
                self.inner.exchange(&self.client, request).await
            }
        }
    };
}

pub(crate) use hooks;
