//! Exotel ExoVerify: `POST /v2/accounts/{account_sid}/verifications/sms/{verification_id}`.
//!
//! A code is valid for 60 seconds. Exotel's current page and its older page show different bodies; the client
//! understands both.

use secrecy::SecretString;

use crate::generated::exotel as generated;
pub use crate::generated::exotel::{
    Approved, Body, Client, ClientBuilder, DEFAULT_BASE_URL, Error, Exotel, VerifyRequest, body, cells,
};
use crate::http::credentials::Credentials;
use crate::http::{Api, BuildError, environment};
use crate::vendor::{VerifyInput, VerifyOperation};

impl Client {
    /// Creates a builder for a client of the account `account_sid`, which authenticates with the id and the secret of
    /// an application. These differ from the account's API key and token.
    pub fn builder(
        account_sid: impl Into<String>,
        application_id: impl Into<SecretString>,
        application_secret: impl Into<SecretString>,
    ) -> ClientBuilder {
        let credentials = Credentials::Basic(application_id.into(), application_secret.into());
        ClientBuilder::new(credentials, vec![("account_sid", account_sid.into())])
    }
}

impl ClientBuilder {
    /// Creates a builder from environment variables.
    ///
    /// | variable | value |
    /// |---|---|
    /// | `EXOTEL_ACCOUNT_SID` | the account |
    /// | `EXOTEL_APPLICATION_ID` | the application's id |
    /// | `EXOTEL_APPLICATION_SECRET` | the application's secret |
    /// | `EXOTEL_BASE_URL` | the base URL, if it is not [`DEFAULT_BASE_URL`] |
    ///
    /// # Errors
    /// [`BuildError::Environment`] if a required variable is not set, or any is not valid Unicode.
    pub fn from_env() -> Result<ClientBuilder, BuildError> {
        Client::builder(
            environment::required("EXOTEL_ACCOUNT_SID")?,
            environment::required("EXOTEL_APPLICATION_ID")?,
            environment::required("EXOTEL_APPLICATION_SECRET")?,
        )
        .base_url_from("EXOTEL_BASE_URL")
    }
}

impl VerifyOperation for Exotel {
    type Options = ();

    fn request(api: &Api, input: &VerifyInput<()>) -> reqwest::Result<reqwest::Request> {
        let body = generated::types::VerifyRequest { otp: input.code.clone() };
        generated::api::verify(api, &input.account("account_sid"), &input.session, &body)
    }
}
