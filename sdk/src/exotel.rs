//! Exotel ExoVerify: `POST /v2/accounts/{account_sid}/verifications/sms/{verification_id}`.
//!
//! A code lives for 60 seconds. The current page and the older one show different bodies; both are read.

use secrecy::SecretString;

use crate::client::Input;
use crate::credentials::Credentials;
use crate::generated::exotel as generated;
pub use crate::generated::exotel::{Body, DEFAULT_BASE_URL, body};

/// A client of Exotel.
pub type Client = crate::Client<Body>;
/// Settings of a client of Exotel.
pub type ClientBuilder = crate::ClientBuilder<Body>;
/// An approval by Exotel.
pub type Approved = crate::Approved<Body>;
/// Why Exotel did not approve.
pub type Error = crate::VerifyError<Body>;

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

    /// Verifies `otp` for the verification that `verification_id` names, as returned when it was started.
    ///
    /// ```no_run
    /// # use otp_verify::exotel;
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = exotel::Client::builder("your_account_sid", "an application id", "its secret").build()?;
    /// let approved = client.verify("ver_abc123def456", "123456").await?;
    /// println!("{}", approved.raw().status());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Whatever is not an approval; a wrong code is an error too.
    pub async fn verify(&self, verification_id: &str, otp: &str) -> Result<Approved, Error> {
        let request = generated::types::VerifyRequest { otp: otp.to_owned() };
        let account_sid = self.account("account_sid");
        let input = Input { session: verification_id, code: otp, session_in_path: Some("verification_id") };
        self.call(input, async |api| {
            let call = api.verify().account_sid(account_sid).verification_id(verification_id);
            drop(call.body(request).send().await);
        })
        .await
    }
}
