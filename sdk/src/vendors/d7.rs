//! D7 Networks: `POST /verify/v1/otp/verify-otp`.
//!
//! An HTTP 200 alone is no approval: its `status` may be `FAILED`, `EXPIRED` or `ALREADY_VERIFIED`. D7 Networks sends
//! the same HTTP 400 for a wrong and for an expired code, which is [`Error::WrongCodeOrExpired`].

use secrecy::SecretString;

use crate::generated::d7 as generated;
pub use crate::generated::d7::{
    Approved, Body, Client, ClientBuilder, D7, DEFAULT_BASE_URL, Error, VerifyRequest, body, cells,
};
use crate::http::credentials::Credentials;
use crate::http::{Api, BuildError, environment};
use crate::vendor::{VerifyInput, VerifyOperation};

impl Client {
    /// Creates a builder for a client that authenticates with `access_token`.
    pub fn builder(access_token: impl Into<SecretString>) -> ClientBuilder {
        ClientBuilder::new(Credentials::Bearer(access_token.into()), Vec::new())
    }
}

impl ClientBuilder {
    /// Creates a builder from environment variables.
    ///
    /// | variable | value |
    /// |---|---|
    /// | `D7_ACCESS_TOKEN` | the access token |
    /// | `D7_BASE_URL` | the base URL, if it is not [`DEFAULT_BASE_URL`] |
    ///
    /// # Errors
    /// [`BuildError::Environment`] if a required variable is not set, or any is not valid Unicode.
    pub fn from_env() -> Result<ClientBuilder, BuildError> {
        Client::builder(environment::required("D7_ACCESS_TOKEN")?).base_url_from("D7_BASE_URL")
    }
}

impl VerifyOperation for D7 {
    type Options = ();

    fn request(api: &Api, input: &VerifyInput<()>) -> reqwest::Result<reqwest::Request> {
        let body =
            generated::types::VerifyRequest { otp_id: input.session.clone(), otp_code: input.code.clone() };
        generated::api::verify_otp(api, &body)
    }
}
