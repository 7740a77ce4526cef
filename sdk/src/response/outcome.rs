//! The decisions that a vendor can make about a verify call.
//!
//! The names equal those of the contracts, which a test checks.

use std::fmt;

/// What the vendor decided about a verify call. The outcomes are the same for all vendors.
///
/// A later version may add variants; treat an unknown one as a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Outcome {
    /// The code is correct, and the session is now used.
    Approved,
    /// The code is well formed but wrong; the call consumed an attempt.
    WrongCode,
    /// The code has expired. Request a new one.
    Expired,
    /// The session had reached the limit of wrong codes before this call. Request a new code or, with some vendors,
    /// wait.
    AttemptsExhausted,
    /// The vendor has approved the code before. If an earlier response was lost, that call may have been yours.
    AlreadyUsed,
    /// The account has no such session.
    UnknownSession,
    /// The request has no session id.
    MissingSession,
    /// The request has no code.
    MissingCode,
    /// The code does not have the documented alphabet or length.
    MalformedCode,
    /// The request cannot be parsed, or does not have the documented form.
    InvalidRequest,
    /// The credentials are missing or wrong, or belong to another account than the one in the request.
    Unauthorized,
    /// The account or the recipient has too many calls.
    RateLimited,
    /// Another call, or the state of the session, is in conflict with this one.
    Conflict,
    /// The session was cancelled.
    Cancelled,
    /// The vendor blocks the recipient or the account.
    Blocked,
}

impl Outcome {
    /// All outcomes, in the order of the contracts.
    pub const ALL: [Outcome; 15] = [
        Outcome::Approved,
        Outcome::WrongCode,
        Outcome::Expired,
        Outcome::AttemptsExhausted,
        Outcome::AlreadyUsed,
        Outcome::UnknownSession,
        Outcome::MissingSession,
        Outcome::MissingCode,
        Outcome::MalformedCode,
        Outcome::InvalidRequest,
        Outcome::Unauthorized,
        Outcome::RateLimited,
        Outcome::Conflict,
        Outcome::Cancelled,
        Outcome::Blocked,
    ];

    /// The name in contracts and reports, such as `wrong_code`.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Approved => "approved",
            Outcome::WrongCode => "wrong_code",
            Outcome::Expired => "expired",
            Outcome::AttemptsExhausted => "attempts_exhausted",
            Outcome::AlreadyUsed => "already_used",
            Outcome::UnknownSession => "unknown_session",
            Outcome::MissingSession => "missing_session",
            Outcome::MissingCode => "missing_code",
            Outcome::MalformedCode => "malformed_code",
            Outcome::InvalidRequest => "invalid_request",
            Outcome::Unauthorized => "unauthorized",
            Outcome::RateLimited => "rate_limited",
            Outcome::Conflict => "conflict",
            Outcome::Cancelled => "cancelled",
            Outcome::Blocked => "blocked",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether a failed call consumed one of the session's attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Consumption {
    /// The vendor compared the code and counted the attempt.
    Yes,
    /// Nothing was sent, or the vendor did not compare the code.
    No,
    /// The response is lost, undocumented or ambiguous.
    Unknown,
}
