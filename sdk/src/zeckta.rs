//! Zeckta: `POST /v1/messaging/otp/verify`.
//!
//! The code and the session id travel in the body, and an API key authenticates the call.

use secrecy::SecretString;

use crate::client::Input;
use crate::credentials::Credentials;
use crate::generated::zeckta as generated;
pub use crate::generated::zeckta::{Body, DEFAULT_BASE_URL, body};

/// A client of Zeckta.
pub type Client = crate::Client<Body>;
/// Settings of a client of Zeckta.
pub type ClientBuilder = crate::ClientBuilder<Body>;
/// An approval by Zeckta.
pub type Approved = crate::Approved<Body>;
/// Why Zeckta did not approve.
pub type Error = crate::VerifyError<Body>;

impl Client {
    /// Starts a client that authenticates with `api_key`.
    pub fn builder(api_key: impl Into<SecretString>) -> ClientBuilder {
        ClientBuilder::new(Credentials::Bearer(api_key.into()), Vec::new())
    }

    /// Verifies `code` for the session that `session_id` names, as returned when the OTP was requested.
    ///
    /// ```no_run
    /// # use otp_verify::zeckta;
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = zeckta::Client::builder("an API key").build()?;
    /// let approved = client.verify("feab6011-2469-4804-ace5-ee9dcb5b9ef2", "123456").await?;
    /// if let Some(zeckta::Body::Http200(body)) = approved.body() {
    ///     println!("{}", body.data.status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Whatever is not an approval; a wrong code is an error too.
    pub async fn verify(&self, session_id: &str, code: &str) -> Result<Approved, Error> {
        let request =
            generated::types::VerifyRequest { session_id: session_id.to_owned(), code: code.to_owned() };
        let input = Input { session: session_id, code, session_in_path: None };
        self.call(input, async |api| drop(api.verify().body(request).send().await)).await
    }
}
