//! DailyStory: `GET /api/v1/verification/{dsid}`.
//!
//! A GET that spends attempts, so it is treated as any other call: it is sent once. By default one wrong code ends the
//! session; [`Verify::allow_retry`] changes that for a call. The page knows the answers "valid", "invalid" and "locked"
//! only: an invalid code that is really expired or used is answered as a wrong one, which
//! [`outcomes`](crate::Error::outcomes) tells.

use std::num::NonZeroU64;

use secrecy::SecretString;

use crate::credentials::Credentials;
use crate::environment;
use crate::error::{BuildError, InvalidInput};
use crate::generated::dailystory as generated;
pub use crate::generated::dailystory::{Body, DEFAULT_BASE_URL, Error, body, cells};
use crate::transport::Api;
use crate::vendor::{Exchange, Input};

/// A client of DailyStory.
pub type Client = crate::Client<Body>;
/// Settings of a client of DailyStory.
pub type ClientBuilder = crate::ClientBuilder<Body>;
/// A call of DailyStory's.
pub type Verify = crate::Verify<Body>;
/// An approval by DailyStory.
pub type Approved = crate::Approved<Body>;

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
}

impl ClientBuilder {
    /// Starts a client from the environment.
    ///
    /// | variable | what it is |
    /// |---|---|
    /// | `DAILYSTORY_API_TOKEN` | the API token |
    /// | `DAILYSTORY_BASE_URL` | the data center, where it is not [`DEFAULT_BASE_URL`] |
    ///
    /// # Errors
    /// [`BuildError::Environment`] names a variable that is not set, or is no text.
    pub fn from_env() -> Result<ClientBuilder, BuildError> {
        Client::builder(environment::required("DAILYSTORY_API_TOKEN")?).base_url_from("DAILYSTORY_BASE_URL")
    }
}

/// What DailyStory's calls take beside the options that all have. What is not set is not sent.
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
impl Verify {
    /// How long the code is valid in minutes, 3 to 20; the same as when it was sent. The API's default is 15.
    pub fn minutes_valid(mut self, minutes: u8) -> Verify {
        if (3..=20).contains(&minutes) {
            self.input.options.minutes_valid = Some(minutes);
            self
        } else {
            self.refuse("minutes_valid", "is not 3 to 20")
        }
    }

    /// Whether the code survives a wrong one. The API's default is that it does not.
    pub fn allow_retry(mut self, allow: bool) -> Verify {
        self.input.options.allow_retry = Some(allow);
        self
    }

    /// How many wrong codes are allowed, 1 to 10; it counts only with [`Verify::allow_retry`]. The API's default is 5.
    pub fn retry_attempts(mut self, attempts: u8) -> Verify {
        match NonZeroU64::new(attempts.into()).filter(|attempts| attempts.get() <= 10) {
            Some(attempts) => {
                self.input.options.retry_attempts = Some(attempts);
                self
            }
            None => self.refuse("retry_attempts", "is not 1 to 10"),
        }
    }

    fn refuse(mut self, what: &'static str, problem: &'static str) -> Verify {
        self.refused = self.refused.or(Some(InvalidInput::new(what, problem)));
        self
    }
}

/// The parameters of a call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    minutes_valid: Option<u8>,
    allow_retry: Option<bool>,
    retry_attempts: Option<NonZeroU64>,
}

impl Exchange for Body {
    type Options = Options;

    fn request(api: &Api, input: &Input<Options>) -> reqwest::Result<reqwest::Request> {
        let Options { minutes_valid, allow_retry, retry_attempts } = input.options;
        let minutes = minutes_valid.map(i64::from);
        generated::api::validate(api, &input.session, allow_retry, minutes, &input.code, retry_attempts)
    }
}
