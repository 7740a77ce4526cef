//! One HTTP exchange: what is added to a request, how it is sent, and what is kept of the answer.
//!
//! Generated code writes the request. It is sent here, and what comes is kept, whatever it is. Nothing here sends a request
//! twice, follows a redirect, or reads a body without end.

use std::error::Error as _;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{ACCEPT, HeaderValue, USER_AGENT};

use crate::answer::RawAnswer;
use crate::client::Shared;
use crate::error::{BuildError, NoAnswer, Shortfall};

/// The most bytes of a body that are read. The largest documented body has about 400.
pub(crate) const LARGEST_BODY: usize = 64 * 1024;

/// The HTTP library's client for a base address, which has been checked.
pub(crate) fn http_client(
    base_url: &reqwest::Url,
    connect_timeout: Duration,
) -> Result<reqwest::Client, BuildError> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(connect_timeout)
        // A redirect of a verify call would carry the code to wherever it points, and an API key in a header of the
        // vendor's own with it; the answer from there would then be believed.
        .redirect(reqwest::redirect::Policy::none());
    let plain = base_url.scheme() == "http";
    if plain {
        // Plain HTTP is to this machine, where no proxy of the environment belongs in between.
        builder = builder.no_proxy();
    }
    tls(builder, plain)?.build().map_err(|error| BuildError::Unavailable(causes(&error)))
}

#[cfg(feature = "rustls-no-provider")]
fn tls(builder: reqwest::ClientBuilder, plain: bool) -> Result<reqwest::ClientBuilder, BuildError> {
    #[cfg(feature = "rustls")]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Where another thread was quicker, its choice stands.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Asked for here, because the HTTP library would stop the program.
        let problem = "no rustls provider is installed; install one, or turn on the feature rustls";
        return Err(BuildError::Unavailable(problem.to_owned()));
    }
    let builder = builder.tls_backend_rustls();
    // Without redirects a plain client never meets TLS, and should not fail where the machine has no root certificates.
    Ok(if plain { builder.tls_certs_only([]) } else { builder.https_only(true) })
}

#[cfg(all(feature = "native-tls", not(feature = "rustls-no-provider")))]
#[expect(clippy::unnecessary_wraps, reason = "with another TLS it can fail")]
fn tls(builder: reqwest::ClientBuilder, plain: bool) -> Result<reqwest::ClientBuilder, BuildError> {
    let builder = builder.tls_backend_native();
    Ok(if plain { builder } else { builder.https_only(true) })
}

#[cfg(not(any(feature = "native-tls", feature = "rustls-no-provider")))]
fn tls(builder: reqwest::ClientBuilder, plain: bool) -> Result<reqwest::ClientBuilder, BuildError> {
    if plain {
        return Ok(builder);
    }
    let problem = "https needs one of the features rustls, rustls-no-provider and native-tls";
    Err(BuildError::Unavailable(problem.to_owned()))
}

/// What generated code writes a request with.
pub struct Api {
    /// The server's address, without a slash at its end.
    pub(crate) baseurl: String,
    pub(crate) client: reqwest::Client,
}

/// What became of the exchange.
pub(crate) enum Kept {
    /// A whole answer.
    Answer(RawAnswer),
    /// An answer from where a redirect pointed.
    Followed(RawAnswer),
    /// A part of an answer.
    Part(RawAnswer, Shortfall),
    /// No connection.
    Unsent(NoAnswer),
    /// No answer to what may have been sent.
    Unanswered(NoAnswer),
}

/// Makes the generated request the vendor's: the generator leaves the credentials out.
pub(crate) fn prepare(
    request: &mut reqwest::Request,
    client: &Shared,
    user_agent: &'static str,
    further: &HeaderMap,
    time: Duration,
) {
    let headers = request.headers_mut();
    for (name, value) in further {
        headers.insert(name, value.clone());
    }
    // Every documented answer is JSON. The generator, which is not told of answers, does not ask for any.
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if !headers.contains_key(USER_AGENT) {
        headers.insert(USER_AGENT, HeaderValue::from_static(user_agent));
    }
    headers.insert(client.authorization.0.clone(), client.authorization.1.clone());
    *request.timeout_mut() = Some(time);
}

/// Sends the request, once. It is not held until there is an answer, for which a call takes less memory.
pub(crate) fn exchange(client: &Shared, request: reqwest::Request) -> impl Future<Output = Kept> + use<> {
    // Only a client of the program's own may follow redirects.
    let asked = client.foreign.then(|| Box::new(request.url().clone()));
    kept(client.api.client.execute(request), asked)
}

async fn kept(
    sent: impl Future<Output = reqwest::Result<reqwest::Response>>,
    asked: Option<Box<reqwest::Url>>,
) -> Kept {
    let mut response = match sent.await {
        Ok(response) => response,
        Err(error) => {
            let cause = NoAnswer { timed_out: error.is_timeout(), detail: causes(&error) };
            // Only a failure to connect is known to have sent nothing. A timeout that is not one of connecting may be
            // one of answering.
            let unsent = error.is_connect() || error.is_builder();
            return if unsent { Kept::Unsent(cause) } else { Kept::Unanswered(cause) };
        }
    };
    let (body, shortfall) = body(&mut response).await;
    let followed = asked.is_some_and(|asked| *asked != *response.url());
    let status = response.status().as_u16();
    let answer = RawAnswer { status, headers: std::mem::take(response.headers_mut()), body };
    match shortfall {
        _ if followed => Kept::Followed(answer),
        None => Kept::Answer(answer),
        Some(reason) => Kept::Part(answer, reason),
    }
}

/// The body up to the most that is read, and why it is not all there.
async fn body(response: &mut reqwest::Response) -> (Bytes, Option<Shortfall>) {
    // Nearly every body comes in one piece, which is kept as it is.
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    let shortfall = loop {
        match response.chunk().await {
            Ok(Some(mut chunk)) => {
                let room = LARGEST_BODY - first.len() - whole.len();
                let too_large = chunk.len() > room;
                chunk.truncate(room);
                if first.is_empty() && whole.is_empty() {
                    first = chunk;
                } else {
                    whole.extend_from_slice(&std::mem::take(&mut first));
                    whole.extend_from_slice(&chunk);
                }
                if too_large {
                    break Some(Shortfall::TooLarge);
                }
            }
            Ok(None) => break None,
            Err(_) => break Some(Shortfall::BrokenOff),
        }
    };
    (if whole.is_empty() { first } else { whole.freeze() }, shortfall)
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
