//! What a verify call decided. The list is closed and names no vendor; it must stay the one of the contracts, name for
//! name, which a test compares.

use std::fmt;

/// What a verify call decided, in the words of every vendor's contract.
///
/// The enum may grow with a later version, so a `match` needs an arm for the rest; treat what you do not know as a
/// refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Outcome {
    /// The code is the one that was issued, and is now used.
    Approved,
    /// The code is well formed and not the one that was issued; an attempt is spent.
    WrongCode,
    /// The lifetime of the code is over. Only a new code helps.
    Expired,
    /// The limit of wrong codes was reached before this call. Only a new code helps, and with some vendors time.
    AttemptsExhausted,
    /// The code has been approved before. After an answer that got lost this may be your own earlier call.
    AlreadyUsed,
    /// The account has no such session.
    UnknownSession,
    /// The request names no session.
    MissingSession,
    /// The request carries no code.
    MissingCode,
    /// The code is not of the documented alphabet or length.
    MalformedCode,
    /// The request cannot be read, or is not of the documented shape.
    InvalidRequest,
    /// The credentials are missing, wrong, or not those of the account named in the request.
    Unauthorized,
}

impl Outcome {
    /// Every outcome, approval first and then in the order of the contracts.
    pub const ALL: [Outcome; 11] = [
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
    ];

    /// The name used in contracts and reports, such as `wrong_code`.
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
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether a call that was not approved has used up one of the attempts that its session has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Consumption {
    /// The code was compared, and counted.
    Yes,
    /// Nothing was sent, or no code was compared.
    No,
    /// Nobody knows: the answer is lost, is not documented, or has several meanings.
    Unknown,
}
