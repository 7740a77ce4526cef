//! The client that all vendors share: built once, then one exchange a call. What is particular to a vendor is in its own
//! module; nothing here knows one by name.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderName, HeaderValue};

use crate::credentials::Credentials;
use crate::error::BuildError;
use crate::secret::{Code, Secret, SessionId};
use crate::transport::Api;
use crate::vendor::Vendor;
use crate::{Verify, environment, input, transport};

/// A client of one vendor; each vendor's module has an alias for it, such as [`zeckta::Client`](crate::zeckta::Client).
///
/// Cloning is cheap, and clones share their connections. A client follows no redirect, reads at most 64 KiB of an answer,
/// and sends a request once: only where no connection could be made does it try to make one again, twice at most and
/// within the time of the call.
pub struct Client<B> {
    pub(crate) shared: Arc<Shared>,
    vendor: PhantomData<fn() -> B>,
}

/// What clones share.
pub(crate) struct Shared {
    pub(crate) api: Api,
    /// Whether the program handed the HTTP client in, so that its settings are not known.
    pub(crate) foreign: bool,
    pub(crate) authorization: (HeaderName, HeaderValue),
    pub(crate) accounts: Arc<[(&'static str, Secret)]>,
    pub(crate) timeout: Duration,
    #[cfg(feature = "blocking")]
    connect_timeout: Duration,
    #[cfg(feature = "tracing")]
    pub(crate) server: crate::telemetry::Server,
}

impl<B: Vendor> Client<B> {
    /// Verifies `code` for the session. The result is a call that can be given options and is made when it is awaited.
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
    pub fn verify(&self, session: impl Into<SessionId>, code: Code) -> Verify<B> {
        Verify::new(self.clone(), session.into(), code)
    }
}

#[cfg(feature = "blocking")]
impl<B: Vendor> Client<B> {
    /// The same client with connections of its own, unless the program handed its HTTP client in.
    pub(crate) fn apart(self) -> Result<Client<B>, BuildError> {
        let shared = &self.shared;
        if shared.foreign {
            return Ok(self);
        }
        let base_url = input::base_url(&shared.api.baseurl).map_err(BuildError::InvalidInput)?;
        let client = transport::http_client(&base_url, shared.connect_timeout)?;
        let shared = Shared {
            api: Api { baseurl: shared.api.baseurl.clone(), client },
            foreign: false,
            authorization: shared.authorization.clone(),
            accounts: Arc::clone(&shared.accounts),
            timeout: shared.timeout,
            connect_timeout: shared.connect_timeout,
            #[cfg(feature = "tracing")]
            server: shared.server.clone(),
        };
        Ok(Client { shared: Arc::new(shared), vendor: PhantomData })
    }
}

impl<B> Clone for Client<B> {
    fn clone(&self) -> Client<B> {
        Client { shared: Arc::clone(&self.shared), vendor: PhantomData }
    }
}

impl<B> fmt::Debug for Client<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base_url", &self.shared.api.baseurl).finish_non_exhaustive()
    }
}

/// Settings of a [`Client`] to be; each vendor's module says how to start one.
#[must_use]
pub struct ClientBuilder<B> {
    vendor_id: &'static str,
    base_url: String,
    credentials: Credentials,
    accounts: Vec<(&'static str, Secret)>,
    connect_timeout: Duration,
    timeout: Duration,
    http: Option<reqwest::Client>,
    vendor: PhantomData<fn() -> B>,
}

impl<B: Vendor> ClientBuilder<B> {
    /// A builder with the vendor's defaults; `accounts` are path parameters that are the same for all calls.
    pub(crate) fn new(credentials: Credentials, accounts: Vec<(&'static str, String)>) -> ClientBuilder<B> {
        ClientBuilder {
            vendor_id: B::ID,
            base_url: B::DEFAULT_BASE_URL.to_owned(),
            credentials,
            accounts: accounts.into_iter().map(|(name, account)| (name, Secret::new(account))).collect(),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(15),
            http: None,
            vendor: PhantomData,
        }
    }

    /// The base URL from a variable, where it is set.
    pub(crate) fn base_url_from(self, variable: &'static str) -> Result<ClientBuilder<B>, BuildError> {
        Ok(match environment::optional(variable)? {
            Some(base_url) => self.base_url(base_url),
            None => self,
        })
    }

    /// The server to call instead of the vendor's, with the vendor's paths below it. `https`, or `http` to this machine.
    pub fn base_url(mut self, base_url: impl Into<String>) -> ClientBuilder<B> {
        self.base_url = base_url.into();
        self
    }

    /// How long making a connection may take, TLS included. 5 seconds where nothing else is said.
    pub fn connect_timeout(mut self, timeout: Duration) -> ClientBuilder<B> {
        self.connect_timeout = timeout;
        self
    }

    /// How long a call may take in all, from connecting to the last byte, with every pause in between. 15 seconds where
    /// nothing else is said, which is well below the shortest documented life of a code, Exotel's 60.
    pub fn timeout(mut self, timeout: Duration) -> ClientBuilder<B> {
        self.timeout = timeout;
        self
    }

    /// An HTTP client of the program's own, for a proxy or certificates that the environment does not name.
    ///
    /// It must be built with [`redirect::Policy::none()`](reqwest::redirect::Policy::none): a redirect would carry the
    /// code, and an API key in a header of the vendor's own, to wherever it points. An answer from another address is not
    /// believed, but a redirect that comes back to where it began cannot be seen. It must not send a request again by a
    /// policy of its own (`ClientBuilder::retry`), for each time may spend an attempt.
    /// [`ClientBuilder::connect_timeout`] is the HTTP client's own then. With a `rustls` feature, a [`reqwest::Client`] needs a provider that was installed before it is built.
    pub fn http_client(mut self, http: reqwest::Client) -> ClientBuilder<B> {
        self.http = Some(http);
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`BuildError::InvalidInput`] for a base URL, an account or credentials that cannot be sent, and
    /// [`BuildError::Unavailable`] where the machine has no usable TLS.
    pub fn build(self) -> Result<Client<B>, BuildError> {
        let base_url = input::base_url(&self.base_url).map_err(BuildError::InvalidInput)?;
        for (name, account) in &self.accounts {
            input::identifier(name, account.expose()).map_err(BuildError::InvalidInput)?;
        }
        let authorization = self.credentials.header().map_err(BuildError::InvalidInput)?;
        let foreign = self.http.is_some();
        let http = match self.http {
            Some(http) => http,
            None => transport::http_client(&base_url, self.connect_timeout)?,
        };
        let baseurl = base_url.as_str().trim_end_matches('/').to_owned();
        let shared = Shared {
            api: Api { baseurl, client: http },
            foreign,
            authorization,
            accounts: self.accounts.into(),
            timeout: self.timeout,
            #[cfg(feature = "blocking")]
            connect_timeout: self.connect_timeout,
            #[cfg(feature = "tracing")]
            server: crate::telemetry::Server::of(&base_url),
        };
        Ok(Client { shared: Arc::new(shared), vendor: PhantomData })
    }
}

impl<B> fmt::Debug for ClientBuilder<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("vendor", &self.vendor_id).finish_non_exhaustive()
    }
}
