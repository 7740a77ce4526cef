//! D7 Networks: `POST /verify/v1/otp/verify-otp`.
//!
//! An HTTP 200 is no approval by itself: its `status` may be `FAILED`, `EXPIRED` or `ALREADY_VERIFIED`. A 400 is one
//! answer to a wrong code and to an expired one, so [`Error::outcome`] has nothing to say about it, and
//! [`Error::outcomes`] both.

use secrecy::SecretString;

use crate::client::Input;
use crate::credentials::Credentials;
use crate::generated::d7 as generated;
pub use crate::generated::d7::{Body, DEFAULT_BASE_URL, body};

/// A client of D7 Networks.
pub type Client = crate::Client<Body>;
/// Settings of a client of D7 Networks.
pub type ClientBuilder = crate::ClientBuilder<Body>;
/// An approval by D7 Networks.
pub type Approved = crate::Approved<Body>;
/// Why D7 Networks did not approve.
pub type Error = crate::VerifyError<Body>;

impl Client {
    /// Starts a client that authenticates with `access_token`.
    pub fn builder(access_token: impl Into<SecretString>) -> ClientBuilder {
        ClientBuilder::new(Credentials::Bearer(access_token.into()), Vec::new())
    }

    /// Verifies `otp_code` for the OTP that `otp_id` names, as returned when it was sent.
    ///
    /// ```no_run
    /// # use otp_verify::d7;
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = d7::Client::builder("an access token").build()?;
    /// let approved = client.verify("86b24910-2d1e-4257-b6d4-e6b829e50e84", "689237").await?;
    /// if let Some(d7::Body::Http200(body)) = approved.body() {
    ///     println!("{}", body.status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Whatever is not an approval; a wrong code is an error too.
    pub async fn verify(&self, otp_id: &str, otp_code: &str) -> Result<Approved, Error> {
        let request =
            generated::types::VerifyRequest { otp_id: otp_id.to_owned(), otp_code: otp_code.to_owned() };
        let input = Input { session: otp_id, code: otp_code, session_in_path: None };
        self.call(input, async |api| drop(api.verify_otp().body(request).send().await)).await
    }
}
