//! D7 Networks: `POST /verify/v1/otp/verify-otp`.
//!
//! An HTTP 200 is no approval by itself: its `status` may be `FAILED`, `EXPIRED` or `ALREADY_VERIFIED`. A 400 is one
//! answer to a wrong code and to an expired one, so it is [`Error::WrongCodeOrExpired`].

use secrecy::SecretString;

use crate::credentials::Credentials;
use crate::environment;
use crate::error::BuildError;
use crate::generated::d7 as generated;
pub use crate::generated::d7::{Body, DEFAULT_BASE_URL, Error, body, cells};
use crate::transport::Api;
use crate::vendor::{Exchange, Input};

/// A client of D7 Networks.
pub type Client = crate::Client<Body>;
/// Settings of a client of D7 Networks.
pub type ClientBuilder = crate::ClientBuilder<Body>;
/// A call of D7 Networks's.
pub type Verify = crate::Verify<Body>;
/// An approval by D7 Networks.
pub type Approved = crate::Approved<Body>;

impl Client {
    /// Starts a client that authenticates with `access_token`.
    pub fn builder(access_token: impl Into<SecretString>) -> ClientBuilder {
        ClientBuilder::new(Credentials::Bearer(access_token.into()), Vec::new())
    }
}

impl ClientBuilder {
    /// Starts a client from the environment.
    ///
    /// | variable | what it is |
    /// |---|---|
    /// | `D7_ACCESS_TOKEN` | the access token |
    /// | `D7_BASE_URL` | the server, where it is not [`DEFAULT_BASE_URL`] |
    ///
    /// # Errors
    /// [`BuildError::Environment`] names a variable that is not set, or is no text.
    pub fn from_env() -> Result<ClientBuilder, BuildError> {
        Client::builder(environment::required("D7_ACCESS_TOKEN")?).base_url_from("D7_BASE_URL")
    }
}

impl Exchange for Body {
    type Options = ();

    fn request(api: &Api, input: &Input<()>) -> reqwest::Result<reqwest::Request> {
        let body =
            generated::types::VerifyRequest { otp_id: input.session.clone(), otp_code: input.code.clone() };
        generated::api::verify_otp(api, &body)
    }
}
