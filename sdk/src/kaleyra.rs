//! Kaleyra: `POST /v1/{sid}/verify/validate`.
//!
//! The page names no HTTP statuses; `error.code` tells the outcomes apart, and any 4xx may carry it.

use secrecy::SecretString;

use crate::client::Input;
use crate::credentials::Credentials;
use crate::generated::kaleyra as generated;
pub use crate::generated::kaleyra::{Body, DEFAULT_BASE_URL, body};

/// A client of Kaleyra.
pub type Client = crate::Client<Body>;
/// Settings of a client of Kaleyra.
pub type ClientBuilder = crate::ClientBuilder<Body>;
/// An approval by Kaleyra.
pub type Approved = crate::Approved<Body>;
/// Why Kaleyra did not approve.
pub type Error = crate::VerifyError<Body>;

impl Client {
    /// Starts a client for the account `sid`, which authenticates with `api_key`.
    pub fn builder(sid: impl Into<String>, api_key: impl Into<SecretString>) -> ClientBuilder {
        ClientBuilder::new(Credentials::Header("api-key", api_key.into()), vec![("sid", sid.into())])
    }

    /// Verifies `otp` for the OTP that `verify_id` names, as returned when it was generated.
    ///
    /// ```no_run
    /// # use otp_verify::kaleyra;
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = kaleyra::Client::builder("HXXXXXXX071US", "an API key").build()?;
    /// let approved = client.verify("4d3d0959-805e-43fa-bece-5815ce0795a2", "123456").await?;
    /// if let Some(kaleyra::Body::Http2xx(body)) = approved.body() {
    ///     println!("{}", body.data.message);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Whatever is not an approval; a wrong code is an error too.
    pub async fn verify(&self, verify_id: &str, otp: &str) -> Result<Approved, Error> {
        let request =
            generated::types::ValidateRequest { verify_id: verify_id.to_owned(), otp: otp.to_owned() };
        let sid = self.account("sid");
        let input = Input { session: verify_id, code: otp, session_in_path: None };
        self.call(input, async |api| drop(api.validate().sid(sid).body(request).send().await)).await
    }
}
