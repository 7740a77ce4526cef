//! Kaleyra: `POST /v1/{sid}/verify/validate`.
//!
//! The page documents no HTTP statuses. `error.code` distinguishes the outcomes and may come with any 4xx.

use secrecy::SecretString;

use crate::generated::kaleyra as generated;
pub use crate::generated::kaleyra::{
    Approved, Body, Client, ClientBuilder, DEFAULT_BASE_URL, Error, Kaleyra, VerifyRequest, body, cells,
};
use crate::http::credentials::Credentials;
use crate::http::{Api, BuildError, environment};
use crate::vendor::{VerifyInput, VerifyOperation};

impl Client {
    /// Creates a builder for a client of the account `sid`, which authenticates with `api_key`.
    pub fn builder(sid: impl Into<String>, api_key: impl Into<SecretString>) -> ClientBuilder {
        ClientBuilder::new(Credentials::Header("api-key", api_key.into()), vec![("sid", sid.into())])
    }
}

impl ClientBuilder {
    /// Creates a builder from environment variables.
    ///
    /// | variable | value |
    /// |---|---|
    /// | `KALEYRA_SID` | the account |
    /// | `KALEYRA_API_KEY` | the API key |
    /// | `KALEYRA_BASE_URL` | the base URL, if it is not [`DEFAULT_BASE_URL`] |
    ///
    /// # Errors
    /// [`BuildError::Environment`] if a required variable is not set, or any is not valid Unicode.
    pub fn from_env() -> Result<ClientBuilder, BuildError> {
        let (sid, api_key) =
            (environment::required("KALEYRA_SID")?, environment::required("KALEYRA_API_KEY")?);
        Client::builder(sid, api_key).base_url_from("KALEYRA_BASE_URL")
    }
}

impl VerifyOperation for Kaleyra {
    type Options = ();

    fn request(api: &Api, input: &VerifyInput<()>) -> reqwest::Result<reqwest::Request> {
        let body =
            generated::types::ValidateRequest { verify_id: input.session.clone(), otp: input.code.clone() };
        generated::api::validate(api, &input.account("sid"), &body)
    }
}
