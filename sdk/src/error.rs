//! Why a verify call did not approve a code, and how to proceed.
//!
//! May use [`http`](crate::http) and [`response`](crate::response). No type of the HTTP library is public here. No
//! message has a URL, a credential, a code or any part of a response, because errors are logged.

use std::fmt;
use std::time::Duration;

use crate::http::{IncompleteBody, InvalidInput, TransportError, input};
use crate::response::{
    Candidates, Cell, Consumption, Operation, Outcome, RawResponse, Remedy, ResponseTable, StateValue,
};

/// A verify call that did not approve the code, for any vendor.
///
/// Each vendor's module has an enum with a variant for each documented refusal, such as
/// [`zeckta::Error`](crate::zeckta::Error). Its variants hold this type, so it has all methods below, and `?` or
/// [`From`] converts it.
///
/// No vendor's verify call is idempotent, so an error reports whether the call consumed an attempt and how to proceed:
///
/// ```
/// # use otp_verify::{Error, NextStep};
/// fn message(error: &Error) -> String {
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
pub struct Error(Box<ErrorInner>);

struct ErrorInner {
    operation: &'static Operation,
    cause: Cause,
    /// The response, if one arrived at least in part.
    raw: Option<RawResponse>,
}

/// How a call failed.
#[derive(Debug)]
pub(crate) enum Cause {
    Refused(Candidates),
    Contradictory,
    Undocumented,
    /// An HTTP client that the program supplied followed a redirect.
    Redirected,
    Incomplete(IncompleteBody),
    InvalidInput(InvalidInput),
    Unsent(TransportError),
    Unanswered(TransportError),
}

/// Selects the variant of a vendor's error.
pub enum Variant {
    /// The variant of the cell with this name.
    Cell(&'static str),
    /// The response has several meanings.
    Ambiguous,
    /// The response signals both an approval and a refusal.
    Contradictory,
    /// An HTTP 429 to which the document gives no other meaning.
    RateLimited,
    /// No document describes the response.
    Undocumented,
    /// The response was cut off or is too long.
    Incomplete,
    /// An argument cannot be sent; nothing was sent.
    InvalidInput,
    /// The client could not connect.
    Unsent,
    /// The request may have arrived, but there was no response.
    Unanswered,
}

/// The kind of a failure, the same for all vendors.
///
/// A later version may add variants, so a `match` needs a wildcard arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The code is wrong.
    WrongCode,
    /// The code has expired.
    Expired,
    /// The session had reached the limit of wrong codes before this call.
    AttemptsExhausted,
    /// The vendor has approved the code before. If an earlier response was lost, that call may have been yours.
    AlreadyUsed,
    /// The account has no such session.
    UnknownSession,
    /// The vendor rejected the form of the request, or this crate did before sending it.
    InvalidRequest,
    /// The credentials are missing or wrong, or belong to another account.
    Unauthorized,
    /// Too many calls in a short time: the vendor's document says so, or gives an HTTP 429 no other meaning.
    RateLimited,
    /// Another call, or the state of the session, is in conflict with this one.
    Conflict,
    /// The session was cancelled.
    Cancelled,
    /// The vendor blocks the recipient or the account.
    Blocked,
    /// The vendor's document gives the response several meanings; see [`Error::outcomes`].
    Ambiguous,
    /// No connection, no response, or an incomplete one.
    Transport,
    /// No document describes the response, or it contradicts itself.
    UndocumentedResponse,
}

/// How to proceed after a failed call.
///
/// A later version may add variants; treat an unknown one as [`NextStep::ContactSupport`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NextStep {
    /// The session is still valid: let the user enter the code again. If [`Error::attempt_consumed`] is
    /// [`Consumption::No`], the same code may be correct and can be sent again.
    EnterCodeAgain,
    /// The session is over, or may be: send the user a new code.
    RequestNewCode,
    /// The vendor accepts no call before this time has passed; `None` if the response does not state a time.
    Wait(Option<Duration>),
    /// The vendor will reject the request whatever the code: fix the credentials, the URL or the arguments.
    FixRequest,
    /// The vendor's document does not describe the response. Its support needs [`Error::request_id`] and
    /// [`Error::raw`].
    ContactSupport,
}

impl Error {
    pub(crate) fn new(operation: &'static Operation, cause: Cause, raw: Option<RawResponse>) -> Error {
        Error(Box::new(ErrorInner { operation, cause, raw }))
    }

    /// The vendor's id, such as `zeckta`.
    pub fn vendor(&self) -> &'static str {
        self.0.operation.vendor
    }

    /// The kind of the failure.
    pub fn kind(&self) -> ErrorKind {
        match &self.0.cause {
            Cause::Refused(_) => self.outcome().map_or(ErrorKind::Ambiguous, ErrorKind::from_outcome),
            Cause::InvalidInput(_) => ErrorKind::InvalidRequest,
            Cause::Undocumented if self.status() == Some(429) => ErrorKind::RateLimited,
            Cause::Contradictory | Cause::Undocumented | Cause::Redirected => ErrorKind::UndocumentedResponse,
            Cause::Incomplete(_) | Cause::Unsent(_) | Cause::Unanswered(_) => ErrorKind::Transport,
        }
    }

    /// The vendor's decision, if its document gives the response one meaning.
    ///
    /// Literally documented meanings take precedence over inferred ones. If a response has several, as D7 Networks'
    /// response to a wrong or an expired code, this is `None`, and [`Error::outcomes`] lists them.
    pub fn outcome(&self) -> Option<Outcome> {
        self.candidates().and_then(|candidates| candidates.closest).map(|cell| cell.outcome)
    }

    /// All outcomes that the response may mean, the literally documented ones first. Never includes an approval, and is
    /// empty without a documented response.
    pub fn outcomes(&self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for cell in self.cells() {
            if !outcomes.contains(&cell.outcome) {
                outcomes.push(cell.outcome);
            }
        }
        outcomes
    }

    /// Whether the response may mean `outcome`.
    pub fn could_be(&self, outcome: Outcome) -> bool {
        self.cells().any(|cell| cell.outcome == outcome)
    }

    /// The documented responses that match this one, the literally documented ones first. Each names the document and
    /// the section that describe it.
    pub fn cells(&self) -> impl Iterator<Item = &'static Cell> {
        self.candidates().into_iter().flat_map(|candidates| candidates.cells.iter().copied())
    }

    /// How many more wrong codes the vendor will compare, if the response states it.
    pub fn attempts_left(&self) -> Option<u32> {
        let raw = self.documented_response()?;
        self.table()
            .state(raw.body(), StateValue::RemainingAttempts)
            .and_then(|left| u32::try_from(left).ok())
    }

    /// How long to wait before the next call: the `Retry-After` header, in seconds or as a date, otherwise the duration
    /// of a lock that the body states.
    pub fn retry_after(&self) -> Option<Duration> {
        let lockout = || {
            let raw = self.documented_response()?;
            self.table().state(raw.body(), StateValue::LockoutSeconds).map(Duration::from_secs)
        };
        self.raw().and_then(RawResponse::retry_after).or_else(lockout)
    }

    /// Whether the call consumed one of the session's attempts.
    pub fn attempt_consumed(&self) -> Consumption {
        match &self.0.cause {
            Cause::Refused(candidates) => candidates.agreed(|cell| cell.consumption),
            Cause::InvalidInput(_) | Cause::Unsent(_) => Some(Consumption::No),
            Cause::Contradictory
            | Cause::Undocumented
            | Cause::Redirected
            | Cause::Incomplete(_)
            | Cause::Unanswered(_) => None,
        }
        .unwrap_or(Consumption::Unknown)
    }

    /// How to proceed. If the response has several meanings, the step is one that helps in all of them: a new code, if
    /// the code may have expired.
    pub fn next_step(&self) -> NextStep {
        match &self.0.cause {
            Cause::Refused(candidates) => self.remedy(candidates),
            Cause::InvalidInput(invalid) if invalid.argument() == input::CODE => NextStep::EnterCodeAgain,
            Cause::InvalidInput(_) | Cause::Redirected => NextStep::FixRequest,
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

    fn remedy(&self, candidates: &Candidates) -> NextStep {
        let closest = candidates.closest.and_then(|cell| cell.remedy);
        let remedy = closest.or_else(|| candidates.decisive().filter_map(|cell| cell.remedy).max());
        match remedy {
            Some(Remedy::EnterAgain) if self.attempts_left() != Some(0) => NextStep::EnterCodeAgain,
            Some(Remedy::EnterAgain | Remedy::NewCode) | None => NextStep::RequestNewCode,
            Some(Remedy::Wait) => NextStep::Wait(self.retry_after()),
            Some(Remedy::FixRequest) => NextStep::FixRequest,
        }
    }

    /// The HTTP status, if a response arrived at least in part.
    pub fn status(&self) -> Option<u16> {
        self.raw().map(RawResponse::status)
    }

    /// The vendor's or a gateway's id of the call, which its support needs: from the body if the vendor documents one
    /// there, otherwise from a header such as `x-request-id`.
    pub fn request_id(&self) -> Option<String> {
        self.raw()?.request_id(self.table())
    }

    /// The response as received, if one arrived at least in part: status, headers, and at most 64 KiB of the body.
    pub fn raw(&self) -> Option<&RawResponse> {
        self.0.raw.as_ref()
    }

    /// The failure below HTTP, if there was one.
    pub fn transport_error(&self) -> Option<&TransportError> {
        match &self.0.cause {
            Cause::Unsent(cause) | Cause::Unanswered(cause) => Some(cause),
            _ => None,
        }
    }

    /// The argument that this crate rejected before sending anything, if it did.
    pub fn invalid_input(&self) -> Option<&InvalidInput> {
        match &self.0.cause {
            Cause::InvalidInput(invalid) => Some(invalid),
            _ => None,
        }
    }

    /// Why the body is incomplete, if it is.
    pub fn incomplete_body(&self) -> Option<IncompleteBody> {
        match &self.0.cause {
            Cause::Incomplete(reason) => Some(*reason),
            _ => None,
        }
    }

    /// Selects the variant of the vendor's error.
    #[doc(hidden)]
    pub fn variant(&self) -> Variant {
        match &self.0.cause {
            Cause::Refused(candidates) => {
                candidates.closest.map_or(Variant::Ambiguous, |cell| Variant::Cell(cell.name))
            }
            Cause::Contradictory => Variant::Contradictory,
            Cause::Undocumented if self.status() == Some(429) => Variant::RateLimited,
            Cause::Undocumented | Cause::Redirected => Variant::Undocumented,
            Cause::Incomplete(_) => Variant::Incomplete,
            Cause::InvalidInput(_) => Variant::InvalidInput,
            Cause::Unsent(_) => Variant::Unsent,
            Cause::Unanswered(_) => Variant::Unanswered,
        }
    }

    /// Whether all decisive cells have one of these names.
    #[allow(
        dead_code,
        reason = "few documents have one response for several outcomes, and a build may have none of them"
    )]
    #[doc(hidden)]
    pub fn is_one_of(&self, names: &[&str]) -> bool {
        self.candidates()
            .is_some_and(|candidates| candidates.decisive().all(|cell| names.contains(&cell.name)))
    }

    /// The value of the span attribute `error.type`. `None` for a refused code, which is no error of the program.
    pub(crate) fn telemetry_type(&self) -> Option<&'static str> {
        match self.kind() {
            ErrorKind::Transport => Some("transport"),
            ErrorKind::UndocumentedResponse => Some("undocumented_answer"),
            ErrorKind::RateLimited => Some("rate_limited"),
            ErrorKind::Unauthorized => Some("unauthorized"),
            ErrorKind::InvalidRequest => Some("invalid_request"),
            ErrorKind::Conflict => Some("conflict"),
            ErrorKind::Blocked => Some("blocked"),
            ErrorKind::WrongCode
            | ErrorKind::Expired
            | ErrorKind::AttemptsExhausted
            | ErrorKind::AlreadyUsed
            | ErrorKind::UnknownSession
            | ErrorKind::Cancelled
            | ErrorKind::Ambiguous => None,
        }
    }

    fn table(&self) -> &'static ResponseTable {
        &self.0.operation.responses
    }

    fn candidates(&self) -> Option<&Candidates> {
        match &self.0.cause {
            Cause::Refused(candidates) => Some(candidates),
            _ => None,
        }
    }

    /// The response, if it is a documented one, so that its body can be trusted.
    fn documented_response(&self) -> Option<&RawResponse> {
        self.candidates().and(self.raw())
    }
}

impl ErrorKind {
    fn from_outcome(outcome: Outcome) -> ErrorKind {
        match outcome {
            Outcome::WrongCode => ErrorKind::WrongCode,
            Outcome::Expired => ErrorKind::Expired,
            Outcome::AttemptsExhausted => ErrorKind::AttemptsExhausted,
            Outcome::AlreadyUsed => ErrorKind::AlreadyUsed,
            Outcome::UnknownSession => ErrorKind::UnknownSession,
            Outcome::MissingSession
            | Outcome::MissingCode
            | Outcome::MalformedCode
            | Outcome::InvalidRequest => ErrorKind::InvalidRequest,
            Outcome::Unauthorized => ErrorKind::Unauthorized,
            Outcome::RateLimited => ErrorKind::RateLimited,
            Outcome::Conflict => ErrorKind::Conflict,
            Outcome::Cancelled => ErrorKind::Cancelled,
            Outcome::Blocked => ErrorKind::Blocked,
            // A refusal is never an approval; this arm keeps a mistake from becoming one.
            Outcome::Approved => ErrorKind::UndocumentedResponse,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let vendor = self.vendor();
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
            Cause::Contradictory => write!(f, "contradictory response from {vendor} with status {status}"),
            Cause::Undocumented if (300..400).contains(&status) => {
                write!(f, "redirect rejected: {vendor} responded with status {status}; check the base url")
            }
            Cause::Undocumented if status == 429 => {
                write!(f, "{vendor} limited the rate of calls; wait before the next call")
            }
            Cause::Undocumented => write!(f, "undocumented response from {vendor} with status {status}"),
            Cause::Redirected => write!(
                f,
                "response with status {status} rejected because the http client followed a redirect of {vendor}; \
                 build it without redirects"
            ),
            Cause::Incomplete(reason) => {
                write!(f, "incomplete response from {vendor} with status {status}: {reason}")
            }
            Cause::InvalidInput(invalid) => write!(f, "nothing was sent to {vendor}: {invalid}"),
            Cause::Unsent(cause) => write!(f, "the request to {vendor} was not sent: {cause}"),
            Cause::Unanswered(cause) => write!(f, "no response from {vendor}: {cause}"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("vendor", &self.vendor())
            .field("cause", &self.0.cause)
            .field("raw", &self.0.raw)
            .finish()
    }
}

impl std::error::Error for Error {}
