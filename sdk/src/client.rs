//! The client that all vendors share: built once, then one exchange a call. What is particular to a vendor is in its own
//! module; nothing here knows one by name.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use http::header::{HeaderName, HeaderValue};

use crate::answer::{Approved, Refusal};
use crate::credentials::Credentials;
use crate::error::{BuildError, NoAnswer, VerifyError};
use crate::input;
use crate::transport::{self, Call, Kept};
use crate::vendor::Vendor;
use crate::verdict::{self, Echoes, Reading};

/// A client of one vendor; each vendor's module has an alias for it, such as [`zeckta::Client`](crate::zeckta::Client).
///
/// Cloning is cheap, and clones share their connections. A client never repeats a request, never follows a redirect and
/// reads at most 64 KiB of an answer.
pub struct Client<B> {
    http: reqwest::Client,
    base_url: String,
    authorization: (HeaderName, HeaderValue),
    accounts: Vec<(&'static str, String)>,
    vendor: PhantomData<fn() -> B>,
}

/// What a verify call carries.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    /// The session id.
    pub(crate) session: &'a str,
    /// The code.
    pub(crate) code: &'a str,
    /// The name of the path parameter that the session id is, where it is one.
    pub(crate) session_in_path: Option<&'static str>,
}

impl<B> Client<B> {
    /// Makes one call: `send` uses the generated client that it is given, and its result is read from what the transport
    /// kept.
    pub(crate) async fn call<F, Sent>(&self, input: Input<'_>, send: F) -> Result<Approved<B>, VerifyError<B>>
    where
        B: Vendor,
        F: FnOnce(B::Client) -> Sent,
        Sent: Future<Output = ()>,
    {
        if let Some(name) = input.session_in_path {
            input::path_segment(name, input.session).map_err(VerifyError::InvalidInput)?;
        }
        // A fresh one for each call, so that two calls at once do not keep their answers in one place.
        let call = Call::new(self.authorization.clone());
        send(B::client(&self.base_url, self.http.clone(), call.clone())).await;
        match call.take() {
            Kept::Answer(answer) => {
                let mut echoes = vec![("session", input.session), ("code", input.code)];
                echoes.extend(self.accounts.iter().map(|(name, value)| (*name, value.as_str())));
                let reading = verdict::read(B::CELLS, answer.status, &answer.body, Echoes(&echoes));
                let body = |answer: &crate::RawAnswer| B::decode(answer.status, &answer.body);
                match reading {
                    Reading::Approved => Ok(Approved { body: body(&answer), raw: answer }),
                    Reading::Refused(cells) => {
                        let body = body(&answer);
                        Err(VerifyError::Refused(Box::new(Refusal::new(cells, body, answer))))
                    }
                    Reading::Contradictory => Err(VerifyError::Contradictory(Box::new(answer))),
                    Reading::Undocumented => Err(VerifyError::Undocumented(Box::new(answer))),
                }
            }
            Kept::Part(answer, reason) => Err(VerifyError::Incomplete { answer: Box::new(answer), reason }),
            Kept::Unsent(cause) => Err(VerifyError::Unsent(cause)),
            Kept::Unanswered(cause) => Err(VerifyError::Unanswered(cause)),
            Kept::Nothing => Err(VerifyError::Unsent(NoAnswer {
                timed_out: false,
                detail: "the request could not be built".to_owned(),
            })),
        }
    }

    /// The account that the client was built with, by the name of its path parameter.
    #[allow(
        dead_code,
        reason = "not every vendor has accounts in its paths, and a build may have one vendor"
    )]
    pub(crate) fn account(&self, name: &str) -> &str {
        self.accounts.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }
}

impl<B> Clone for Client<B> {
    fn clone(&self) -> Client<B> {
        Client {
            http: self.http.clone(),
            base_url: self.base_url.clone(),
            authorization: self.authorization.clone(),
            accounts: self.accounts.clone(),
            vendor: PhantomData,
        }
    }
}

impl<B> fmt::Debug for Client<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// Settings of a [`Client`] to be; each vendor's module says how to start one.
#[must_use]
pub struct ClientBuilder<B> {
    vendor_id: &'static str,
    base_url: String,
    credentials: Credentials,
    accounts: Vec<(&'static str, String)>,
    connect_timeout: Duration,
    timeout: Duration,
    vendor: PhantomData<fn() -> B>,
}

impl<B> ClientBuilder<B> {
    /// A builder with the vendor's defaults; `accounts` are path parameters that are the same for all calls.
    pub(crate) fn new(credentials: Credentials, accounts: Vec<(&'static str, String)>) -> ClientBuilder<B>
    where
        B: Vendor,
    {
        ClientBuilder {
            vendor_id: B::ID,
            base_url: B::DEFAULT_BASE_URL.to_owned(),
            credentials,
            accounts,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(15),
            vendor: PhantomData,
        }
    }

    /// The server to call instead of the vendor's, with the vendor's paths below it. `https`, or `http` to this machine.
    pub fn base_url(mut self, base_url: impl Into<String>) -> ClientBuilder<B> {
        self.base_url = base_url.into();
        self
    }

    /// How long connecting may take, TLS included. 5 seconds where nothing else is said.
    pub fn connect_timeout(mut self, timeout: Duration) -> ClientBuilder<B> {
        self.connect_timeout = timeout;
        self
    }

    /// How long a call may take in all, from connecting to the last byte. 15 seconds where nothing else is said, which is
    /// well below the shortest documented life of a code, Exotel's 60.
    pub fn timeout(mut self, timeout: Duration) -> ClientBuilder<B> {
        self.timeout = timeout;
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`BuildError::InvalidInput`] for a base URL, an account or credentials that cannot be sent.
    pub fn build(self) -> Result<Client<B>, BuildError> {
        let base_url = input::base_url(&self.base_url).map_err(BuildError::InvalidInput)?;
        for (name, value) in &self.accounts {
            input::path_segment(name, value).map_err(BuildError::InvalidInput)?;
        }
        Ok(Client {
            http: transport::http_client(self.vendor_id, &base_url, self.connect_timeout, self.timeout)?,
            base_url: base_url.as_str().trim_end_matches('/').to_owned(),
            authorization: self.credentials.header().map_err(BuildError::InvalidInput)?,
            accounts: self.accounts,
            vendor: PhantomData,
        })
    }
}

impl<B> fmt::Debug for ClientBuilder<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("vendor", &self.vendor_id).finish_non_exhaustive()
    }
}
