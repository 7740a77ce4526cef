//! Exotel ExoVerify: `POST /v2/accounts/{account_sid}/verifications/sms/{verification_id}`.
//!
//! A code lives for 60 seconds. The current page and the older one show different bodies; both are read.

use secrecy::SecretString;

use crate::credentials::Credentials;
use crate::environment;
use crate::error::BuildError;
use crate::generated::exotel as generated;
pub use crate::generated::exotel::{Body, DEFAULT_BASE_URL, Error, body, cells};
use crate::transport::Api;
use crate::vendor::{Exchange, Input};

/// A client of Exotel.
pub type Client = crate::Client<Body>;
/// Settings of a client of Exotel.
pub type ClientBuilder = crate::ClientBuilder<Body>;
/// A call of Exotel's.
pub type Verify = crate::Verify<Body>;
/// An approval by Exotel.
pub type Approved = crate::Approved<Body>;

impl Client {
    /// Starts a client for the account `account_sid`, which authenticates with the application's id and secret. These are
    /// not the account's API key and token.
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
    /// Starts a client from the environment.
    ///
    /// | variable | what it is |
    /// |---|---|
    /// | `EXOTEL_ACCOUNT_SID` | the account |
    /// | `EXOTEL_APPLICATION_ID` | the application's id |
    /// | `EXOTEL_APPLICATION_SECRET` | the application's secret |
    /// | `EXOTEL_BASE_URL` | the server, where it is not [`DEFAULT_BASE_URL`] |
    ///
    /// # Errors
    /// [`BuildError::Environment`] names a variable that is not set, or is no text.
    pub fn from_env() -> Result<ClientBuilder, BuildError> {
        Client::builder(
            environment::required("EXOTEL_ACCOUNT_SID")?,
            environment::required("EXOTEL_APPLICATION_ID")?,
            environment::required("EXOTEL_APPLICATION_SECRET")?,
        )
        .base_url_from("EXOTEL_BASE_URL")
    }
}

impl Exchange for Body {
    type Options = ();

    fn request(api: &Api, input: &Input<()>) -> reqwest::Result<reqwest::Request> {
        let body = generated::types::VerifyRequest { otp: input.code.clone() };
        generated::api::verify(api, &input.account("account_sid"), &input.session, &body)
    }
}
