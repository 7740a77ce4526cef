//! Why a verify call was no approval, and what to do about it. No type of the HTTP library is in here, and no message
//! holds a URL, a credential, a code or anything of an answer, for errors end up in logs. The one thing of the other side's
//! that may stand in them are the names in a certificate that does not fit.

use std::fmt;
use std::time::Duration;

use crate::answer::RawAnswer;
use crate::cell::{Cell, Remedy, State};
use crate::outcome::{Consumption, Outcome};
use crate::verdict::{Readings, Table};

/// A verify call that was not approved, whoever the vendor is.
///
/// Each vendor's module has an enum with a variant for each documented answer, such as
/// [`zeckta::Error`](crate::zeckta::Error). Such an error is one of these: it has all methods below, and `?` or
/// [`From`] turns it into one.
///
/// Verifying is not idempotent with any vendor, so an error says what is known of the attempt that the call spends, and
/// what helps:
///
/// ```
/// # use otp_verify::{Consumption, Error, Kind, NextStep};
/// fn tell(error: &Error) -> String {
///     match error.next_step() {
///         NextStep::EnterCodeAgain => match error.attempts_left() {
///             Some(left) => format!("please try again, {left} attempts left"),
///             None => "please try again".to_owned(),
///         },
///         NextStep::RequestNewCode => "please ask for a new code".to_owned(),
///         NextStep::Wait(Some(time)) => format!("please wait {} seconds", time.as_secs()),
///         NextStep::Wait(None) => "please wait a while".to_owned(),
///         _ => "something is wrong on our side".to_owned(),
///     }
/// }
/// ```
pub struct Error(Box<Report>);

/// What there is to know.
pub(crate) struct Report {
    pub(crate) vendor: &'static str,
    pub(crate) table: &'static Table,
    pub(crate) cause: Cause,
    /// The answer, where one came or began.
    pub(crate) raw: Option<RawAnswer>,
}

/// Where a call ended.
#[derive(Debug)]
pub(crate) enum Cause {
    Refused(Readings),
    Contradictory,
    Undocumented,
    /// The program's own HTTP client went where a redirect pointed.
    Followed,
    Incomplete(Shortfall),
    InvalidInput(InvalidInput),
    Unsent(NoAnswer),
    Unanswered(NoAnswer),
}

/// Which variant of a vendor's error an error is.
pub(crate) enum Variant {
    Cell(&'static str),
    Ambiguous,
    Contradictory,
    RateLimited,
    Undocumented,
    Incomplete,
    InvalidInput,
    Unsent,
    Unanswered,
}

/// What kind of failure it is, in words that no vendor owns.
///
/// The enum may grow with a later version, so a `match` needs an arm for the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The code is not the one that was issued.
    WrongCode,
    /// The lifetime of the code is over.
    Expired,
    /// The limit of wrong codes was reached before this call.
    AttemptsExhausted,
    /// The code has been approved before. After an answer that got lost this may be your own earlier call.
    AlreadyUsed,
    /// The account has no such session.
    UnknownSession,
    /// The vendor, or this crate before anything was sent, refused the request for its form.
    InvalidRequest,
    /// The credentials are missing, wrong, or not those of the account.
    Unauthorized,
    /// Too many calls in too little time: an HTTP 429 that the vendor's document has no other meaning for.
    RateLimited,
    /// The vendor's document gives this answer several meanings; see [`Error::outcomes`].
    Ambiguous,
    /// No connection, no answer, or only a part of one.
    Transport,
    /// An answer that no document knows, one that contradicts itself among them.
    UndocumentedAnswer,
}

/// What helps after a call that was not approved.
///
/// The enum may grow with a later version; treat what you do not know as [`NextStep::ContactSupport`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NextStep {
    /// The session lives: let the user enter the code again. Where [`Error::attempt_consumed`] is
    /// [`Consumption::No`], the same code may be right and can be sent again.
    EnterCodeAgain,
    /// The session is over, or may be: have a new code sent.
    RequestNewCode,
    /// Nothing is answered before this time is over; `None` where the answer does not tell how long.
    Wait(Option<Duration>),
    /// The request would be refused again, whatever the code: credentials, addresses or arguments are wrong.
    FixRequest,
    /// The vendor answers what its document does not know. [`Error::request_id`] and [`Error::raw`] are what its support
    /// asks for.
    ContactSupport,
}

impl Error {
    pub(crate) fn new(report: Report) -> Error {
        Error(Box::new(report))
    }

    /// The vendor's id, such as `zeckta`.
    pub fn vendor(&self) -> &'static str {
        self.0.vendor
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        match &self.0.cause {
            Cause::Refused(_) => self.outcome().map_or(Kind::Ambiguous, Kind::of),
            Cause::InvalidInput(_) => Kind::InvalidRequest,
            Cause::Undocumented if self.status() == Some(429) => Kind::RateLimited,
            Cause::Contradictory | Cause::Undocumented | Cause::Followed => Kind::UndocumentedAnswer,
            Cause::Incomplete(_) | Cause::Unsent(_) | Cause::Unanswered(_) => Kind::Transport,
        }
    }

    /// What the vendor decided, where its document gives this answer one meaning.
    ///
    /// Literal words go before what is only inferred from a document. Where they give the answer two meanings this is
    /// `None`, and [`Error::outcomes`] has both: D7 Networks answers a wrong and an expired code alike.
    pub fn outcome(&self) -> Option<Outcome> {
        self.readings().and_then(|readings| readings.nearest).map(|cell| cell.outcome)
    }

    /// Everything that this answer may mean, each once, and what the document says literally first; never an approval,
    /// and empty where there is no documented answer.
    pub fn outcomes(&self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for cell in self.cells() {
            if !outcomes.contains(&cell.outcome) {
                outcomes.push(cell.outcome);
            }
        }
        outcomes
    }

    /// Whether this answer may mean `outcome`.
    pub fn could_be(&self, outcome: Outcome) -> bool {
        self.cells().any(|cell| cell.outcome == outcome)
    }

    /// The documented answers that this one may be, the literally documented first; empty where there are none. They say
    /// which document and section an answer rests on.
    pub fn cells(&self) -> impl Iterator<Item = &'static Cell> {
        self.readings().into_iter().flat_map(|readings| readings.cells.iter().copied())
    }

    /// How many wrong codes will still be compared, where the answer says so.
    pub fn attempts_left(&self) -> Option<u32> {
        let raw = self.documented_answer()?;
        self.0.table.state(&raw.body, State::RemainingAttempts).and_then(|left| u32::try_from(left).ok())
    }

    /// How long to wait before the next call: the header `Retry-After` in seconds or as a date, else the time that the
    /// body gives for a lock.
    pub fn retry_after(&self) -> Option<Duration> {
        let lockout = || {
            let raw = self.documented_answer()?;
            self.0.table.state(&raw.body, State::LockoutSeconds).map(Duration::from_secs)
        };
        self.raw().and_then(RawAnswer::retry_after).or_else(lockout)
    }

    /// Whether the call has used up one of the attempts that the session has.
    pub fn attempt_consumed(&self) -> Consumption {
        match &self.0.cause {
            Cause::Refused(readings) => readings.agree(|cell| cell.consumption),
            Cause::InvalidInput(_) | Cause::Unsent(_) => Some(Consumption::No),
            Cause::Contradictory
            | Cause::Undocumented
            | Cause::Followed
            | Cause::Incomplete(_)
            | Cause::Unanswered(_) => None,
        }
        .unwrap_or(Consumption::Unknown)
    }

    /// What helps. Where an answer has several meanings, it is what helps in each of them: a new code, where the code may
    /// be expired.
    pub fn next_step(&self) -> NextStep {
        match &self.0.cause {
            Cause::Refused(readings) => self.remedy(readings),
            Cause::InvalidInput(input) if input.what == "code" => NextStep::EnterCodeAgain,
            Cause::InvalidInput(_) | Cause::Followed => NextStep::FixRequest,
            Cause::Unsent(_) => NextStep::EnterCodeAgain,
            Cause::Unanswered(_) | Cause::Incomplete(_) => NextStep::RequestNewCode,
            Cause::Contradictory => NextStep::ContactSupport,
            Cause::Undocumented => match (self.status(), self.retry_after()) {
                (Some(429), time) => NextStep::Wait(time),
                (Some(503), Some(time)) => NextStep::Wait(Some(time)),
                (Some(300..=399), _) => NextStep::FixRequest,
                (Some(408 | 500..=599), _) => NextStep::RequestNewCode,
                _ => NextStep::ContactSupport,
            },
        }
    }

    fn remedy(&self, readings: &Readings) -> NextStep {
        let nearest = readings.nearest.and_then(|cell| cell.remedy);
        let remedy = nearest.or_else(|| readings.heard().filter_map(|cell| cell.remedy).max());
        match remedy {
            Some(Remedy::EnterAgain) if self.attempts_left() != Some(0) => NextStep::EnterCodeAgain,
            Some(Remedy::EnterAgain | Remedy::NewCode) | None => NextStep::RequestNewCode,
            Some(Remedy::Wait) => NextStep::Wait(self.retry_after()),
            Some(Remedy::FixRequest) => NextStep::FixRequest,
        }
    }

    /// The HTTP status, where an answer came or began.
    pub fn status(&self) -> Option<u16> {
        self.raw().map(RawAnswer::status)
    }

    /// The vendor's or a gateway's id of the call, which its support asks for: from the body where the vendor's document
    /// has one there, else from a header such as `x-request-id`.
    pub fn request_id(&self) -> Option<String> {
        self.raw()?.request_id(self.0.table)
    }

    /// The answer as it was received, where one came or began: status, headers, and at most 64 KiB of the body.
    pub fn raw(&self) -> Option<&RawAnswer> {
        self.0.raw.as_ref()
    }

    /// The failure below HTTP, where there is one.
    pub fn no_answer(&self) -> Option<&NoAnswer> {
        match &self.0.cause {
            Cause::Unsent(cause) | Cause::Unanswered(cause) => Some(cause),
            _ => None,
        }
    }

    /// The argument that was refused before anything was sent, where one was.
    pub fn invalid_input(&self) -> Option<&InvalidInput> {
        match &self.0.cause {
            Cause::InvalidInput(input) => Some(input),
            _ => None,
        }
    }

    /// Why the answer is not all there, where it is not.
    pub fn shortfall(&self) -> Option<Shortfall> {
        match &self.0.cause {
            Cause::Incomplete(shortfall) => Some(*shortfall),
            _ => None,
        }
    }

    /// Which variant of its vendor's error this is.
    pub(crate) fn variant(&self) -> Variant {
        match &self.0.cause {
            Cause::Refused(readings) => {
                readings.nearest.map_or(Variant::Ambiguous, |cell| Variant::Cell(cell.name))
            }
            Cause::Contradictory => Variant::Contradictory,
            Cause::Undocumented if self.status() == Some(429) => Variant::RateLimited,
            Cause::Undocumented | Cause::Followed => Variant::Undocumented,
            Cause::Incomplete(_) => Variant::Incomplete,
            Cause::InvalidInput(_) => Variant::InvalidInput,
            Cause::Unsent(_) => Variant::Unsent,
            Cause::Unanswered(_) => Variant::Unanswered,
        }
    }

    /// Whether the answer is one of the cells of these names, and no other.
    #[allow(
        dead_code,
        reason = "few documents give one answer to several outcomes, and a build may have none"
    )]
    pub(crate) fn is_one_of(&self, names: &[&str]) -> bool {
        self.readings().is_some_and(|readings| readings.heard().all(|cell| names.contains(&cell.name)))
    }

    fn readings(&self) -> Option<&Readings> {
        match &self.0.cause {
            Cause::Refused(readings) => Some(readings),
            _ => None,
        }
    }

    /// The answer, where its body can be taken at its word.
    fn documented_answer(&self) -> Option<&RawAnswer> {
        self.readings().and(self.raw())
    }
}

impl Kind {
    fn of(outcome: Outcome) -> Kind {
        match outcome {
            Outcome::WrongCode => Kind::WrongCode,
            Outcome::Expired => Kind::Expired,
            Outcome::AttemptsExhausted => Kind::AttemptsExhausted,
            Outcome::AlreadyUsed => Kind::AlreadyUsed,
            Outcome::UnknownSession => Kind::UnknownSession,
            Outcome::MissingSession
            | Outcome::MissingCode
            | Outcome::MalformedCode
            | Outcome::InvalidRequest => Kind::InvalidRequest,
            Outcome::Unauthorized => Kind::Unauthorized,
            // No refusal is an approval; were one, nobody should believe it.
            Outcome::Approved => Kind::UndocumentedAnswer,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let vendor = self.0.vendor;
        let status = self.status().unwrap_or_default();
        match &self.0.cause {
            Cause::Refused(_) => {
                write!(f, "{vendor} did not approve: ")?;
                for (index, outcome) in self.outcomes().iter().enumerate() {
                    let separator = if index == 0 { "" } else { " or " };
                    write!(f, "{separator}{outcome}")?;
                }
                Ok(())
            }
            Cause::Contradictory => {
                write!(f, "the answer of {vendor} with status {status} contradicts itself")
            }
            Cause::Undocumented if (300..400).contains(&status) => {
                write!(f, "redirect refused: {vendor} answered with status {status}; check the base url")
            }
            Cause::Undocumented if status == 429 => write!(f, "{vendor} refused the call as one too many"),
            Cause::Undocumented => write!(f, "the answer of {vendor} with status {status} is not documented"),
            Cause::Followed => write!(
                f,
                "the answer with status {status} came after a redirect of {vendor} and is not believed; \
                 build the http client without redirects"
            ),
            Cause::Incomplete(shortfall) => {
                write!(f, "the answer of {vendor} with status {status} {shortfall}")
            }
            Cause::InvalidInput(input) => write!(f, "not sent to {vendor}: {input}"),
            Cause::Unsent(cause) => write!(f, "the request to {vendor} was not sent: {cause}"),
            Cause::Unanswered(cause) => write!(f, "no answer came from {vendor}: {cause}"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("vendor", &self.0.vendor)
            .field("cause", &self.0.cause)
            .field("raw", &self.0.raw)
            .finish()
    }
}

impl std::error::Error for Error {}

/// Why an answer is not all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shortfall {
    /// The body is longer than 64 KiB; no documented answer comes near.
    TooLarge,
    /// The connection ended, or the time was up, before the body did.
    BrokenOff,
}

/// An argument that cannot be sent as it is. The value itself is not repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidInput {
    what: &'static str,
    problem: &'static str,
}

impl InvalidInput {
    /// `what` is the argument, and `problem` a predicate that says what is wrong with it.
    pub(crate) fn new(what: &'static str, problem: &'static str) -> InvalidInput {
        InvalidInput { what, problem }
    }

    /// The argument: `session_id`, `code`, or the name of a setting or parameter.
    pub fn argument(&self) -> &'static str {
        self.what
    }
}

/// A failure below HTTP. Its text is that of the layers below, without the URL.
#[derive(Debug, Clone)]
pub struct NoAnswer {
    pub(crate) timed_out: bool,
    pub(crate) detail: String,
}

impl NoAnswer {
    /// Whether the time was up; see [`ClientBuilder::timeout`](crate::ClientBuilder::timeout).
    pub fn timed_out(&self) -> bool {
        self.timed_out
    }
}

/// A client that cannot be built.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum BuildError {
    /// A setting that no client can have.
    InvalidInput(InvalidInput),
    /// An environment variable that is not set, or is no text.
    Environment(&'static str),
    /// The machine has no usable TLS, no root certificates for instance.
    Unavailable(String),
}

// By hand: four messages are not worth what a derive would add to every build of a program with this client.
impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Shortfall::TooLarge => "has a body of more than 64 KiB",
            Shortfall::BrokenOff => "broke off",
        })
    }
}

impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.what, self.problem)
    }
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::InvalidInput(input) => fmt::Display::fmt(input, f),
            BuildError::Environment(name) => {
                write!(f, "the environment variable {name} is not set, or is no text")
            }
            BuildError::Unavailable(problem) => write!(f, "no HTTP client can be made: {problem}"),
        }
    }
}

impl std::error::Error for Shortfall {}
impl std::error::Error for InvalidInput {}
impl std::error::Error for NoAnswer {}
impl std::error::Error for BuildError {}
