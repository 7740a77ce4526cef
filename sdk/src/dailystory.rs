//! DailyStory: `GET /api/v1/verification/{dsid}`.
//!
//! A GET that spends attempts, and by default one wrong code ends the session; [`VerifyOptions::allow_retry`] changes
//! that for a call. The page knows the answers "valid", "invalid" and "locked" only: an invalid code that is really
//! expired or used is answered as a wrong one, which [`Error::outcomes`] tells.

use std::num::NonZeroU64;

use secrecy::SecretString;

use crate::InvalidInput;
use crate::client::Input;
use crate::credentials::Credentials;
pub use crate::generated::dailystory::{Body, DEFAULT_BASE_URL, body};

/// A client of DailyStory.
pub type Client = crate::Client<Body>;
/// Settings of a client of DailyStory.
pub type ClientBuilder = crate::ClientBuilder<Body>;
/// An approval by DailyStory.
pub type Approved = crate::Approved<Body>;
/// Why DailyStory did not approve.
pub type Error = crate::VerifyError<Body>;

impl Client {
    /// Starts a client that authenticates with `api_token`.
    ///
    /// The default address is that of the data center us-1; for another one give
    /// [`base_url`](crate::ClientBuilder::base_url), such as `https://uk-3.dailystory.com`.
    pub fn builder(api_token: impl Into<SecretString>) -> ClientBuilder {
        ClientBuilder::new(Credentials::Bearer(api_token.into()), Vec::new())
    }

    /// Starts a client that authenticates with a user name, which may be any, and `api_token` for the password.
    pub fn builder_with_basic(
        user: impl Into<SecretString>,
        api_token: impl Into<SecretString>,
    ) -> ClientBuilder {
        ClientBuilder::new(Credentials::Basic(user.into(), api_token.into()), Vec::new())
    }

    /// Verifies `otp` for the contact whose DailyStory id is `dsid`. A wrong code ends the session.
    ///
    /// # Errors
    /// Whatever is not an approval; a wrong code is an error too.
    pub async fn verify(&self, dsid: &str, otp: &str) -> Result<Approved, Error> {
        self.verify_with(dsid, otp, VerifyOptions::default()).await
    }

    /// Verifies as [`Client::verify`] does, with parameters that change what the API allows for this call.
    ///
    /// ```no_run
    /// # use otp_verify::dailystory::{Body, Client, VerifyOptions};
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::builder("an API token").base_url("https://uk-3.dailystory.com").build()?;
    /// let options = VerifyOptions::default().allow_retry(true).retry_attempts(3);
    /// let result = client.verify_with("3c095687f9c844d58826d5a4e994215d", "629316", options).await;
    /// if let Some(Body::Http400(body)) = result.as_ref().err().and_then(|error| error.body()) {
    ///     println!("attempts left: {:?}", body.response.remaining_attempts);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Whatever is not an approval; options out of their range are [`Error::InvalidInput`], and nothing is sent.
    pub async fn verify_with(
        &self,
        dsid: &str,
        otp: &str,
        options: VerifyOptions,
    ) -> Result<Approved, Error> {
        let VerifyOptions { minutes_valid, allow_retry, retry_attempts } =
            options.checked().map_err(Error::InvalidInput)?;
        let input = Input { session: dsid, code: otp, session_in_path: Some("dsid") };
        self.call(input, async |api| {
            let mut call = api.validate().dsid(dsid).otp(otp);
            if let Some(minutes) = minutes_valid {
                call = call.minutes_valid(minutes);
            }
            if let Some(allow) = allow_retry {
                call = call.allow_retry(allow);
            }
            if let Some(attempts) = retry_attempts.and_then(|attempts| NonZeroU64::new(attempts.into())) {
                call = call.retry_attempts(attempts);
            }
            drop(call.send().await);
        })
        .await
    }
}

/// What a call may ask of the API. What is not set is not sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VerifyOptions {
    minutes_valid: Option<u8>,
    allow_retry: Option<bool>,
    retry_attempts: Option<u8>,
}

impl VerifyOptions {
    /// How long the code is valid in minutes, 3 to 20; the same as when it was sent. The API's default is 15.
    #[must_use]
    pub fn minutes_valid(mut self, minutes: u8) -> VerifyOptions {
        self.minutes_valid = Some(minutes);
        self
    }

    /// Whether the code survives a wrong one. The API's default is that it does not.
    #[must_use]
    pub fn allow_retry(mut self, allow: bool) -> VerifyOptions {
        self.allow_retry = Some(allow);
        self
    }

    /// How many wrong codes are allowed, 1 to 10; it counts only with [`VerifyOptions::allow_retry`]. The API's default
    /// is 5.
    #[must_use]
    pub fn retry_attempts(mut self, attempts: u8) -> VerifyOptions {
        self.retry_attempts = Some(attempts);
        self
    }

    fn checked(self) -> Result<VerifyOptions, InvalidInput> {
        if self.minutes_valid.is_some_and(|minutes| !(3..=20).contains(&minutes)) {
            return Err(InvalidInput::new("minutes_valid", "is not 3 to 20"));
        }
        if self.retry_attempts.is_some_and(|attempts| !(1..=10).contains(&attempts)) {
            return Err(InvalidInput::new("retry_attempts", "is not 1 to 10"));
        }
        Ok(self)
    }
}
