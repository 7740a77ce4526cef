//! One HTTP exchange: completes a request, sends it, and keeps what comes back.
//!
//! Generated code builds the request. Nothing here sends a request twice, follows a redirect, or reads a body without
//! limit.

use std::error::Error as _;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{ACCEPT, HeaderName, HeaderValue, USER_AGENT};
use secrecy::zeroize::Zeroizing;

use super::credentials::Authorization;
use super::telemetry::ServerAddress;
use super::{BuildError, IncompleteBody, TransportError};
use crate::response::RawResponse;

/// How much of a body is read. The largest documented body has about 400 bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// What generated code needs to build a request. The field names are progenitor's.
pub struct Api {
    /// The base URL, without a trailing slash.
    pub baseurl: String,
    /// The HTTP client.
    pub client: reqwest::Client,
}

/// The connections of a client, and what all its requests have in common.
pub(crate) struct Transport {
    pub(crate) api: Api,
    /// Whether the program supplied the HTTP client, whose settings are then unknown.
    has_supplied_client: bool,
    authorization: Authorization,
    pub(crate) server: ServerAddress,
    #[cfg(feature = "blocking")]
    connect_timeout: Duration,
}

/// The result of an exchange.
pub(crate) enum ExchangeResult {
    /// A complete response.
    Response(RawResponse),
    /// A response from the target of a redirect.
    Redirected(RawResponse),
    /// A response with an incomplete body.
    Incomplete(RawResponse, IncompleteBody),
    /// No connection was made, so nothing was sent.
    Unsent(TransportError),
    /// The request may have been sent, but no response arrived.
    Unanswered(TransportError),
}

impl Transport {
    /// `base_url` must have passed [`input::base_url`](super::input::base_url).
    pub(crate) fn new(
        base_url: &reqwest::Url,
        authorization: Authorization,
        connect_timeout: Duration,
        supplied_client: Option<reqwest::Client>,
    ) -> Result<Transport, BuildError> {
        let has_supplied_client = supplied_client.is_some();
        let client = match supplied_client {
            Some(client) => client,
            None => http_client(base_url, connect_timeout)?,
        };
        Ok(Transport {
            api: Api { baseurl: base_url.as_str().trim_end_matches('/').to_owned(), client },
            has_supplied_client,
            authorization,
            server: ServerAddress::new(base_url),
            #[cfg(feature = "blocking")]
            connect_timeout,
        })
    }

    /// The same transport with connections of its own, or `None` if the program supplied the HTTP client.
    #[cfg(feature = "blocking")]
    pub(crate) fn with_own_connections(&self) -> Result<Option<Transport>, BuildError> {
        if self.has_supplied_client {
            return Ok(None);
        }
        let base_url = super::input::base_url(&self.api.baseurl).map_err(BuildError::InvalidInput)?;
        Transport::new(&base_url, self.authorization.clone(), self.connect_timeout, None).map(Some)
    }

    /// The name of the header that authenticates the requests, if a header does.
    pub(crate) fn authorization_header(&self) -> Option<&HeaderName> {
        match &self.authorization {
            Authorization::Header(name, _) => Some(name),
            Authorization::Query(_) => None,
        }
    }

    /// Completes a generated request: the generator knows neither the credentials nor the call's options.
    pub(crate) fn prepare(
        &self,
        request: &mut reqwest::Request,
        user_agent: &'static str,
        accept: &'static str,
        extra_headers: &HeaderMap,
        timeout: Duration,
    ) {
        let headers = request.headers_mut();
        for (name, value) in extra_headers {
            headers.insert(name, value.clone());
        }
        // progenitor does not see the responses, so it sets no `Accept`.
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        if !headers.contains_key(USER_AGENT) {
            headers.insert(USER_AGENT, HeaderValue::from_static(user_agent));
        }
        match &self.authorization {
            Authorization::Header(name, value) => {
                headers.insert(name.clone(), value.clone());
            }
            Authorization::Query(pair) => add_to_query(request.url_mut(), pair),
        }
        *request.timeout_mut() = Some(timeout);
    }

    /// Sends a request once. The future does not hold the request, which keeps it small.
    pub(crate) fn send(&self, request: reqwest::Request) -> impl Future<Output = ExchangeResult> + use<> {
        // Only a supplied HTTP client can follow redirects.
        let requested = self.has_supplied_client.then(|| Box::new(request.url().clone()));
        receive(self.api.client.execute(request), requested)
    }
}

/// Adds an encoded pair to the query string. The URL keeps a copy until the exchange ends; nothing prints it.
fn add_to_query(url: &mut reqwest::Url, pair: &str) {
    let query = match url.query() {
        None | Some("") => Zeroizing::new(pair.to_owned()),
        Some(query) => Zeroizing::new(format!("{query}&{pair}")),
    };
    url.set_query(Some(&query));
}

async fn receive(
    response: impl Future<Output = reqwest::Result<reqwest::Response>>,
    requested: Option<Box<reqwest::Url>>,
) -> ExchangeResult {
    let mut response = match response.await {
        Ok(response) => response,
        Err(error) => {
            let cause = TransportError::new(error.is_timeout(), causes(&error));
            // Only a failure to connect proves that nothing was sent. Any other timeout may have occurred while waiting
            // for the response.
            let unsent = error.is_connect() || error.is_builder();
            return if unsent { ExchangeResult::Unsent(cause) } else { ExchangeResult::Unanswered(cause) };
        }
    };
    let (body, incomplete) = read_body(&mut response).await;
    let redirected = requested.is_some_and(|requested| *requested != *response.url());
    let status = response.status().as_u16();
    let response = RawResponse { status, headers: std::mem::take(response.headers_mut()), body };
    match incomplete {
        _ if redirected => ExchangeResult::Redirected(response),
        None => ExchangeResult::Response(response),
        Some(reason) => ExchangeResult::Incomplete(response, reason),
    }
}

/// The body up to the limit, and why it is incomplete if it is.
async fn read_body(response: &mut reqwest::Response) -> (Bytes, Option<IncompleteBody>) {
    // Nearly every body arrives in one chunk, which is kept without copying. `http_body_util::Limited` would discard the
    // part of a body that has arrived before an error.
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    let incomplete = loop {
        match response.chunk().await {
            Ok(Some(mut chunk)) => {
                let remaining = MAX_BODY_BYTES - first.len() - joined.len();
                let too_large = chunk.len() > remaining;
                chunk.truncate(remaining);
                if first.is_empty() && joined.is_empty() {
                    first = chunk;
                } else {
                    joined.extend_from_slice(&std::mem::take(&mut first));
                    joined.extend_from_slice(&chunk);
                }
                if too_large {
                    break Some(IncompleteBody::TooLarge);
                }
            }
            Ok(None) => break None,
            Err(_) => break Some(IncompleteBody::Truncated),
        }
    };
    (if joined.is_empty() { first } else { joined.freeze() }, incomplete)
}

/// The messages of the error's sources, outermost first. The error's own message is omitted because it contains the
/// URL.
fn causes(error: &reqwest::Error) -> String {
    let mut messages: Vec<String> = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        let message = cause.to_string();
        // Some layers repeat the message of their source.
        if messages.last().is_none_or(|last| *last != message) {
            messages.push(message);
        }
        source = cause.source();
    }
    if messages.is_empty() {
        return "the http library reported no cause".to_owned();
    }
    messages.join(": ")
}

/// An HTTP client for a base URL.
fn http_client(base_url: &reqwest::Url, connect_timeout: Duration) -> Result<reqwest::Client, BuildError> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(connect_timeout)
        // A redirect would carry the code, and an API key in a custom header, to any address; and the client would then
        // trust a response from there.
        .redirect(reqwest::redirect::Policy::none());
    let plain = base_url.scheme() == "http";
    if plain {
        // Plain HTTP stays on this machine, so a proxy of the environment must not see it.
        builder = builder.no_proxy();
    }
    with_tls(builder, plain)?.build().map_err(|error| BuildError::Unavailable(causes(&error)))
}

#[cfg(feature = "rustls-no-provider")]
fn with_tls(builder: reqwest::ClientBuilder, plain: bool) -> Result<reqwest::ClientBuilder, BuildError> {
    #[cfg(feature = "rustls")]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // If another thread installs one first, that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // The HTTP library would panic.
        let problem = "no rustls provider is installed; install one or enable the feature rustls";
        return Err(BuildError::Unavailable(problem.to_owned()));
    }
    let builder = builder.tls_backend_rustls();
    // A plain client never uses TLS, because it follows no redirects. It must not fail for lack of root certificates.
    Ok(if plain { builder.tls_certs_only([]) } else { builder.https_only(true) })
}

#[cfg(all(feature = "native-tls", not(feature = "rustls-no-provider")))]
#[expect(clippy::unnecessary_wraps, reason = "the other TLS backends can fail")]
fn with_tls(builder: reqwest::ClientBuilder, plain: bool) -> Result<reqwest::ClientBuilder, BuildError> {
    let builder = builder.tls_backend_native();
    Ok(if plain { builder } else { builder.https_only(true) })
}

#[cfg(not(any(feature = "native-tls", feature = "rustls-no-provider")))]
fn with_tls(builder: reqwest::ClientBuilder, plain: bool) -> Result<reqwest::ClientBuilder, BuildError> {
    if plain {
        return Ok(builder);
    }
    let problem = "https needs one of the features rustls, rustls-no-provider and native-tls";
    Err(BuildError::Unavailable(problem.to_owned()))
}
