//! Zeckta: `POST /v1/messaging/otp/verify`.
//!
//! The body has the session id and the code. An API key authenticates the call.

use secrecy::SecretString;

use crate::generated::zeckta as generated;
pub use crate::generated::zeckta::{
    Approved, Body, Client, ClientBuilder, DEFAULT_BASE_URL, Error, VerifyRequest, Zeckta, body, cells,
};
use crate::http::credentials::Credentials;
use crate::http::{Api, BuildError, environment};
use crate::vendor::{VerifyInput, VerifyOperation};

impl Client {
    /// Creates a builder for a client that authenticates with `api_key`.
    pub fn builder(api_key: impl Into<SecretString>) -> ClientBuilder {
        ClientBuilder::new(Credentials::Bearer(api_key.into()), Vec::new())
    }
}

impl ClientBuilder {
    /// Creates a builder from environment variables.
    ///
    /// | variable | value |
    /// |---|---|
    /// | `ZECKTA_API_KEY` | the API key |
    /// | `ZECKTA_BASE_URL` | the base URL, if it is not [`DEFAULT_BASE_URL`] |
    ///
    /// # Errors
    /// [`BuildError::Environment`] if a required variable is not set, or any is not valid Unicode.
    pub fn from_env() -> Result<ClientBuilder, BuildError> {
        Client::builder(environment::required("ZECKTA_API_KEY")?).base_url_from("ZECKTA_BASE_URL")
    }
}

impl VerifyOperation for Zeckta {
    type Options = ();

    fn request(api: &Api, input: &VerifyInput<()>) -> reqwest::Result<reqwest::Request> {
        let body =
            generated::types::VerifyRequest { session_id: input.session.clone(), code: input.code.clone() };
        generated::api::verify(api, &body)
    }
}
