//! One verify call: its options, and how it is made, tried again and read.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::time::Duration;

use http::HeaderMap;
use http::header::{self, HeaderName, HeaderValue};
use tokio::time::Instant;

use crate::answer::{Approved, RawAnswer};
use crate::client::Client;
use crate::error::{Cause, Error, InvalidInput, NoAnswer, Report};
use crate::retry::Pauses;
use crate::secret::{Code, SessionId};
use crate::transport::Kept;
use crate::vendor::{Input, Vendor};
use crate::verdict::{Echoes, Reading};
use crate::{input, telemetry, transport};

/// The headers that a call sets itself, that frame the message or authenticate, or that ask for another kind of answer. `Proxy-Authorization` is the HTTP client's.
const RESERVED: [HeaderName; 18] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::EXPECT,
    header::HOST,
    header::IF_NONE_MATCH,
    header::PROXY_AUTHORIZATION,
    header::RANGE,
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What a timeout counts as that is longer: the clock ends somewhere, and no code lives for a day.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A verify call that is not made before it is awaited.
///
/// It owns what it needs, so its future is `Send` and `'static` and can be spawned.
#[must_use = "a call is made when it is awaited"]
pub struct Verify<B: Vendor> {
    pub(crate) client: Client<B>,
    pub(crate) input: Input<B::Options>,
    timeout: Duration,
    headers: HeaderMap,
    /// The first option that cannot be; a builder cannot fail half way.
    pub(crate) refused: Option<InvalidInput>,
}

impl<B: Vendor> Verify<B> {
    pub(crate) fn new(client: Client<B>, session: SessionId, code: Code) -> Verify<B> {
        let input = Input {
            session: session.into_secret(),
            code: code.into_secret(),
            accounts: client.shared.accounts.clone(),
            options: B::Options::default(),
        };
        let timeout = client.shared.timeout;
        Verify { client, input, timeout, headers: HeaderMap::new(), refused: None }
    }

    /// How long this call may take in all, instead of the client's
    /// [`timeout`](crate::ClientBuilder::timeout).
    pub fn timeout(mut self, timeout: Duration) -> Verify<B> {
        self.timeout = timeout;
        self
    }

    /// A further header, for correlation and the like; a second value for a name replaces the first.
    ///
    /// Headers that authenticate, frame the message or are the call's own are refused, as is what can be no header: the
    /// call is then not made, and its error is of [`Kind::InvalidRequest`](crate::Kind::InvalidRequest).
    pub fn header(mut self, name: &str, value: &str) -> Verify<B> {
        match self.checked(name, value) {
            Ok((name, value)) => {
                self.headers.insert(name, value);
            }
            Err(refused) => self.refused = self.refused.or(Some(refused)),
        }
        self
    }

    fn checked(&self, name: &str, value: &str) -> Result<(HeaderName, HeaderValue), InvalidInput> {
        let refuse = |problem| InvalidInput::new("header", problem);
        let name = HeaderName::try_from(name).map_err(|_| refuse("has a name that no header can have"))?;
        if RESERVED.contains(&name) || name == self.client.shared.authorization.0 {
            return Err(refuse("is one that the client sets itself"));
        }
        let mut value =
            HeaderValue::from_str(value).map_err(|_| refuse("has a value that no header can have"))?;
        // Whose secret it may be is not known here.
        value.set_sensitive(true);
        Ok((name, value))
    }

    #[expect(
        clippy::manual_async_fn,
        reason = "an async fn would keep the call twice, as argument and as variable"
    )]
    fn run(self) -> impl Future<Output = Result<Approved<B>, B::Error>> + Send + 'static {
        async move {
            let span = telemetry::Span::of(&self);
            let result = span.around(self.exchange(&span)).await;
            span.tell(&result);
            result.map_err(B::failure)
        }
    }

    /// Writes the request and sends it; it may take so long.
    fn begin(&self, time: Duration) -> Option<impl Future<Output = Kept> + use<B>> {
        let shared = &self.client.shared;
        let mut request = B::request(&shared.api, &self.input).ok()?;
        transport::prepare(&mut request, shared, B::USER_AGENT, &self.headers, time);
        Some(transport::exchange(shared, request))
    }

    async fn exchange(&self, span: &telemetry::Span) -> Result<Approved<B>, Error> {
        self.check().map_err(|refused| Self::error(Cause::InvalidInput(refused), None))?;

        let mut time = self.timeout.min(LONGEST);
        let deadline = Instant::now() + time;
        let mut pauses = None;
        let kept = loop {
            let Some(exchange) = self.begin(time) else {
                let detail = "the request could not be built".to_owned();
                break Kept::Unsent(NoAnswer { timed_out: false, detail });
            };
            match exchange.await {
                Kept::Unsent(cause) => {
                    if !pauses.get_or_insert_with(|| Pauses::until(deadline)).pause().await {
                        break Kept::Unsent(cause);
                    }
                    span.tried_again();
                    time = deadline.saturating_duration_since(Instant::now());
                }
                kept => break kept,
            }
        };
        match kept {
            Kept::Answer(answer) => self.read(answer),
            Kept::Followed(answer) => Err(Self::error(Cause::Followed, Some(answer))),
            Kept::Part(answer, shortfall) => Err(Self::error(Cause::Incomplete(shortfall), Some(answer))),
            Kept::Unsent(cause) => Err(Self::error(Cause::Unsent(cause), None)),
            Kept::Unanswered(cause) => Err(Self::error(Cause::Unanswered(cause), None)),
        }
    }

    fn error(cause: Cause, raw: Option<RawAnswer>) -> Error {
        Error::new(Report { vendor: B::ID, table: B::table(), cause, raw })
    }

    fn check(&self) -> Result<(), InvalidInput> {
        if let Some(refused) = &self.refused {
            return Err(refused.clone());
        }
        input::identifier("session_id", self.input.session.expose())?;
        input::identifier("code", self.input.code.expose())
    }

    fn read(&self, answer: RawAnswer) -> Result<Approved<B>, Error> {
        let echoes = Echoes {
            session: self.input.session.expose(),
            code: self.input.code.expose(),
            accounts: &self.input.accounts,
        };
        let cause = match B::table().read(answer.status, &answer.body, echoes) {
            Reading::Approved => return Ok(Approved::new(answer)),
            Reading::Refused(readings) => Cause::Refused(readings),
            Reading::Contradictory => Cause::Contradictory,
            Reading::Undocumented => Cause::Undocumented,
        };
        Err(Self::error(cause, Some(answer)))
    }
}

impl<B: Vendor> IntoFuture for Verify<B> {
    type Output = Result<Approved<B>, B::Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'static>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<B: Vendor> fmt::Debug for Verify<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verify")
            .field("client", &self.client)
            .field("timeout", &self.timeout)
            .field("options", &self.input.options)
            .finish_non_exhaustive()
    }
}
