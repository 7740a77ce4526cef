//! Zeckta: `POST /v1/messaging/otp/verify`.
//!
//! The code and the session id travel in the body, and an API key authenticates the call.

use secrecy::SecretString;

use crate::credentials::Credentials;
use crate::environment;
use crate::error::BuildError;
use crate::generated::zeckta as generated;
pub use crate::generated::zeckta::{Body, DEFAULT_BASE_URL, Error, body, cells};
use crate::transport::Api;
use crate::vendor::{Exchange, Input};

/// A client of Zeckta.
pub type Client = crate::Client<Body>;
/// Settings of a client of Zeckta.
pub type ClientBuilder = crate::ClientBuilder<Body>;
/// A call of Zeckta's.
pub type Verify = crate::Verify<Body>;
/// An approval by Zeckta.
pub type Approved = crate::Approved<Body>;

impl Client {
    /// Starts a client that authenticates with `api_key`.
    pub fn builder(api_key: impl Into<SecretString>) -> ClientBuilder {
        ClientBuilder::new(Credentials::Bearer(api_key.into()), Vec::new())
    }
}

impl ClientBuilder {
    /// Starts a client from the environment.
    ///
    /// | variable | what it is |
    /// |---|---|
    /// | `ZECKTA_API_KEY` | the API key |
    /// | `ZECKTA_BASE_URL` | the server, where it is not [`DEFAULT_BASE_URL`] |
    ///
    /// # Errors
    /// [`BuildError::Environment`] names a variable that is not set, or is no text.
    pub fn from_env() -> Result<ClientBuilder, BuildError> {
        Client::builder(environment::required("ZECKTA_API_KEY")?).base_url_from("ZECKTA_BASE_URL")
    }
}

impl Exchange for Body {
    type Options = ();

    fn request(api: &Api, input: &Input<()>) -> reqwest::Result<reqwest::Request> {
        let body =
            generated::types::VerifyRequest { session_id: input.session.clone(), code: input.code.clone() };
        generated::api::verify(api, &body)
    }
}
