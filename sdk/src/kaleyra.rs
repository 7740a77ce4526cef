//! Kaleyra: `POST /v1/{sid}/verify/validate`.
//!
//! The page names no HTTP statuses; `error.code` tells the outcomes apart, and any 4xx may carry it.

use secrecy::SecretString;

use crate::credentials::Credentials;
use crate::environment;
use crate::error::BuildError;
use crate::generated::kaleyra as generated;
pub use crate::generated::kaleyra::{Body, DEFAULT_BASE_URL, Error, body, cells};
use crate::transport::Api;
use crate::vendor::{Exchange, Input};

/// A client of Kaleyra.
pub type Client = crate::Client<Body>;
/// Settings of a client of Kaleyra.
pub type ClientBuilder = crate::ClientBuilder<Body>;
/// A call of Kaleyra's.
pub type Verify = crate::Verify<Body>;
/// An approval by Kaleyra.
pub type Approved = crate::Approved<Body>;

impl Client {
    /// Starts a client for the account `sid`, which authenticates with `api_key`.
    pub fn builder(sid: impl Into<String>, api_key: impl Into<SecretString>) -> ClientBuilder {
        ClientBuilder::new(Credentials::Header("api-key", api_key.into()), vec![("sid", sid.into())])
    }
}

impl ClientBuilder {
    /// Starts a client from the environment.
    ///
    /// | variable | what it is |
    /// |---|---|
    /// | `KALEYRA_SID` | the account |
    /// | `KALEYRA_API_KEY` | the API key |
    /// | `KALEYRA_BASE_URL` | the server, where it is not [`DEFAULT_BASE_URL`] |
    ///
    /// # Errors
    /// [`BuildError::Environment`] names a variable that is not set, or is no text.
    pub fn from_env() -> Result<ClientBuilder, BuildError> {
        let (sid, api_key) =
            (environment::required("KALEYRA_SID")?, environment::required("KALEYRA_API_KEY")?);
        Client::builder(sid, api_key).base_url_from("KALEYRA_BASE_URL")
    }
}

impl Exchange for Body {
    type Options = ();

    fn request(api: &Api, input: &Input<()>) -> reqwest::Result<reqwest::Request> {
        let body =
            generated::types::ValidateRequest { verify_id: input.session.clone(), otp: input.code.clone() };
        generated::api::validate(api, &input.account("sid"), &body)
    }
}
