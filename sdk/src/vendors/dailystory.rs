//! DailyStory: `GET /api/v1/verification/{dsid}`.
//!
//! This GET consumes attempts, so the client sends it once, like every other call. By default one wrong code ends the
//! session; [`VerifyRequest::allow_retry`] changes that for a call. DailyStory only distinguishes valid, invalid and
//! locked: it sends the same response for a wrong, an expired and a used code, so
//! [`outcomes`](crate::Error::outcomes) lists all three.

use std::num::NonZeroU64;

use secrecy::SecretString;

use crate::generated::dailystory as generated;
pub use crate::generated::dailystory::{
    Approved, Body, Client, ClientBuilder, DEFAULT_BASE_URL, Dailystory, Error, VerifyRequest, body, cells,
};
use crate::http::credentials::Credentials;
use crate::http::{Api, BuildError, InvalidInput, environment};
use crate::vendor::{VerifyInput, VerifyOperation};

impl Client {
    /// Creates a builder for a client that authenticates with `api_token`.
    ///
    /// The default base URL is that of the data center us-1. For another one, set
    /// [`base_url`](crate::ClientBuilder::base_url), for example to `https://uk-3.dailystory.com`.
    pub fn builder(api_token: impl Into<SecretString>) -> ClientBuilder {
        ClientBuilder::new(Credentials::Bearer(api_token.into()), Vec::new())
    }

    /// Creates a builder for a client that authenticates with any user name, and `api_token` as the password.
    pub fn builder_with_basic(
        user: impl Into<SecretString>,
        api_token: impl Into<SecretString>,
    ) -> ClientBuilder {
        ClientBuilder::new(Credentials::Basic(user.into(), api_token.into()), Vec::new())
    }
}

impl ClientBuilder {
    /// Creates a builder from environment variables.
    ///
    /// | variable | value |
    /// |---|---|
    /// | `DAILYSTORY_API_TOKEN` | the API token |
    /// | `DAILYSTORY_BASE_URL` | the data center's base URL, if it is not [`DEFAULT_BASE_URL`] |
    ///
    /// # Errors
    /// [`BuildError::Environment`] if a required variable is not set, or any is not valid Unicode.
    pub fn from_env() -> Result<ClientBuilder, BuildError> {
        Client::builder(environment::required("DAILYSTORY_API_TOKEN")?).base_url_from("DAILYSTORY_BASE_URL")
    }
}

/// Options that only DailyStory supports. The request contains only the options that are set.
///
/// ```no_run
/// # use otp_verify::{Code, dailystory};
/// # async fn example(client: dailystory::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let call = client.verify("3c095687f9c844d58826d5a4e994215d", Code::new("629316"));
/// if let Err(error) = call.allow_retry(true).retry_attempts(3).await {
///     println!("attempts left: {:?}", error.attempts_left());
/// }
/// # Ok(())
/// # }
/// ```
impl VerifyRequest {
    /// Sets how long the code is valid, in minutes from 3 to 20. Use the value with which the code was sent.
    /// DailyStory's default is 15.
    pub fn minutes_valid(mut self, minutes: u8) -> VerifyRequest {
        if (3..=20).contains(&minutes) {
            self.input.options.minutes_valid = Some(minutes);
            self
        } else {
            self.reject(InvalidInput::new("minutes_valid", "must be from 3 to 20"))
        }
    }

    /// Sets whether the session survives a wrong code. By default it does not.
    pub fn allow_retry(mut self, allow: bool) -> VerifyRequest {
        self.input.options.allow_retry = Some(allow);
        self
    }

    /// Sets how many wrong codes are allowed, from 1 to 10. Has an effect only with [`VerifyRequest::allow_retry`].
    /// DailyStory's default is 5.
    pub fn retry_attempts(mut self, attempts: u8) -> VerifyRequest {
        match NonZeroU64::new(attempts.into()).filter(|attempts| attempts.get() <= 10) {
            Some(attempts) => {
                self.input.options.retry_attempts = Some(attempts);
                self
            }
            None => self.reject(InvalidInput::new("retry_attempts", "must be from 1 to 10")),
        }
    }
}

/// The options of a call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    minutes_valid: Option<u8>,
    allow_retry: Option<bool>,
    retry_attempts: Option<NonZeroU64>,
}

impl VerifyOperation for Dailystory {
    type Options = Options;

    fn request(api: &Api, input: &VerifyInput<Options>) -> reqwest::Result<reqwest::Request> {
        let Options { minutes_valid, allow_retry, retry_attempts } = input.options;
        let minutes = minutes_valid.map(i64::from);
        generated::api::validate(api, &input.session, allow_retry, minutes, &input.code, retry_attempts)
    }
}
