//! The client that all vendors share, and its builder.
//!
//! May use [`http`](crate::http) and the [`Vendor`] trait. Knows no operation: each adds its call in a module of its
//! own, such as `call.rs`. Knows no vendor by name.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::http::credentials::Credentials;
use crate::http::{BuildError, InvalidInput, Secret, Transport, environment, input};
use crate::vendor::{Accounts, RequiredValue, RequiredValues, Vendor};

const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);

/// A client of the vendor `V`. Each vendor's module has an alias for it, such as
/// [`zeckta::Client`](crate::zeckta::Client).
///
/// Cloning is cheap, and clones share their connections. A client follows no redirect and reads at most 64 KiB of a
/// body. It sends each request once; if it cannot connect, it tries at most twice more within the call's timeout.
pub struct Client<V> {
    inner: Arc<ClientInner>,
    vendor: PhantomData<fn() -> V>,
}

/// The state that clones share.
pub(crate) struct ClientInner {
    pub(crate) transport: Transport,
    pub(crate) accounts: Accounts,
    pub(crate) values: RequiredValues,
    pub(crate) timeout: Duration,
}

impl<V> Client<V> {
    fn from_inner(inner: ClientInner) -> Client<V> {
        Client { inner: Arc::new(inner), vendor: PhantomData }
    }

    pub(crate) fn inner(&self) -> &ClientInner {
        &self.inner
    }

    /// The same client with connections of its own, unless the program supplied the HTTP client.
    #[cfg(feature = "blocking")]
    pub(crate) fn with_own_connections(self) -> Result<Client<V>, BuildError> {
        let ClientInner { transport, accounts, values, timeout } = self.inner();
        Ok(match transport.with_own_connections()? {
            Some(transport) => Client::from_inner(ClientInner {
                transport,
                accounts: Arc::clone(accounts),
                values: Arc::clone(values),
                timeout: *timeout,
            }),
            None => self,
        })
    }
}

impl<V> Clone for Client<V> {
    fn clone(&self) -> Client<V> {
        Client { inner: Arc::clone(&self.inner), vendor: PhantomData }
    }
}

impl<V> fmt::Debug for Client<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base_url", &self.inner.transport.api.baseurl).finish_non_exhaustive()
    }
}

/// Builds a [`Client`]. Each vendor's module creates one, with `Client::builder` or `ClientBuilder::from_env`.
#[must_use]
pub struct ClientBuilder<V> {
    base_url: String,
    credentials: Credentials,
    accounts: Vec<(&'static str, Secret)>,
    values: Vec<(&'static str, RequiredValue)>,
    /// The first invalid value. Setters cannot fail, so building does.
    invalid: Option<InvalidInput>,
    connect_timeout: Duration,
    timeout: Duration,
    http: Option<reqwest::Client>,
    vendor: PhantomData<fn() -> V>,
}

impl<V: Vendor> ClientBuilder<V> {
    /// Starts with the vendor's defaults. `accounts` are the path parameters that all calls have in common.
    #[doc(hidden)]
    pub fn new(credentials: Credentials, accounts: Vec<(&'static str, String)>) -> ClientBuilder<V> {
        ClientBuilder {
            base_url: V::DEFAULT_BASE_URL.to_owned(),
            credentials,
            accounts: accounts.into_iter().map(|(name, account)| (name, Secret::new(account))).collect(),
            values: Vec::new(),
            invalid: None,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            timeout: DEFAULT_TIMEOUT,
            http: None,
            vendor: PhantomData,
        }
    }

    /// Adds a value that every request must contain, by the name of its parameter or member.
    #[doc(hidden)]
    pub fn value(mut self, name: &'static str, value: impl Into<RequiredValue>) -> ClientBuilder<V> {
        let value = value.into();
        let is_empty = matches!(&value, RequiredValue::Text(text) if text.expose().is_empty());
        self.values.push((name, value));
        self.require(!is_empty, name, "is empty")
    }

    /// Makes [`build`](ClientBuilder::build) fail unless a value is allowed.
    #[doc(hidden)]
    pub fn require(
        mut self,
        is_allowed: bool,
        name: &'static str,
        problem: &'static str,
    ) -> ClientBuilder<V> {
        if !is_allowed {
            self.invalid.get_or_insert(InvalidInput::new(name, problem));
        }
        self
    }

    /// Sets the base URL from an environment variable, if that is set.
    #[doc(hidden)]
    pub fn base_url_from(self, variable: &'static str) -> Result<ClientBuilder<V>, BuildError> {
        Ok(match environment::optional(variable)? {
            Some(base_url) => self.base_url(base_url),
            None => self,
        })
    }

    /// Sets the base URL, to which the client appends the vendor's paths. It must use `https`, or `http` to this
    /// machine.
    pub fn base_url(mut self, base_url: impl Into<String>) -> ClientBuilder<V> {
        self.base_url = base_url.into();
        self
    }

    /// Sets the timeout for connecting, including TLS. The default is 5 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> ClientBuilder<V> {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the timeout for a whole call, from connecting to the last byte, including the delays between retries.
    ///
    /// The default is 15 seconds, well below the shortest documented lifetime of a code, Exotel's 60 seconds.
    pub fn timeout(mut self, timeout: Duration) -> ClientBuilder<V> {
        self.timeout = timeout;
        self
    }

    /// Uses your HTTP client, for example for a proxy or certificates that the environment does not configure.
    ///
    /// Build it with [`redirect::Policy::none()`](reqwest::redirect::Policy::none): a redirect would carry the code,
    /// and an API key in a custom header or in the URL (as `Referer`), to any address. The client rejects a response from another URL, but it cannot
    /// detect a redirect that returns to the original one. Do not let it retry requests
    /// (`reqwest::ClientBuilder::retry`), because each may consume an attempt. [`ClientBuilder::connect_timeout`] has
    /// no effect on it. With a `rustls` feature, install a provider before you build a [`reqwest::Client`].
    pub fn http_client(mut self, http: reqwest::Client) -> ClientBuilder<V> {
        self.http = Some(http);
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    /// [`BuildError::InvalidInput`] if the base URL, an account, a required value or the credentials cannot be sent,
    /// and [`BuildError::Unavailable`] if the system has no usable TLS.
    pub fn build(self) -> Result<Client<V>, BuildError> {
        if let Some(invalid) = self.invalid {
            return Err(BuildError::InvalidInput(invalid));
        }
        let base_url = input::base_url(&self.base_url).map_err(BuildError::InvalidInput)?;
        for (name, account) in &self.accounts {
            input::check_identifier(name, account.expose()).map_err(BuildError::InvalidInput)?;
        }
        let authorization = self.credentials.authorization().map_err(BuildError::InvalidInput)?;
        let transport = Transport::new(&base_url, authorization, self.connect_timeout, self.http)?;
        Ok(Client::from_inner(ClientInner {
            transport,
            accounts: self.accounts.into(),
            values: self.values.into(),
            timeout: self.timeout,
        }))
    }
}

impl<V: Vendor> fmt::Debug for ClientBuilder<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("vendor", &V::ID).finish_non_exhaustive()
    }
}
