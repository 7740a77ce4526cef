//! The outcomes of a call, and the situations that lead to those of a verify call.
//!
//! Both lists are closed: every cell of every contract has exactly one outcome. Uses nothing of this crate, and never
//! depends on a vendor.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The result of a call; `Role::outcomes` lists those of each operation. Contracts, check ids and reports use the same names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The code is the one that was issued, and is now used.
    Approved,
    /// The code is well formed but not the one that was issued; an attempt is spent.
    WrongCode,
    /// The code has expired.
    Expired,
    /// The limit of wrong codes was reached before this request.
    AttemptsExhausted,
    /// The code was approved before.
    AlreadyUsed,
    /// The client's tenant has no such session.
    UnknownSession,
    /// The request names no session.
    MissingSession,
    /// The request carries no code.
    MissingCode,
    /// The code does not have the documented alphabet or length.
    MalformedCode,
    /// The request cannot be parsed, or does not have the documented form.
    InvalidRequest,
    /// The credentials are missing, wrong, or not those of the account named in the request.
    Unauthorized,
    /// The caller sends too many requests.
    RateLimited,
    /// Another request or the state of the session is in conflict with this one.
    Conflict,
    /// The session was cancelled.
    Cancelled,
    /// The vendor blocks the recipient or the account.
    Blocked,
    /// A code was sent.
    Sent,
    /// A session is open already; its id is handed out again and nothing is sent.
    Reused,
    /// The time between two sends has not passed.
    TooSoon,
    /// The recipient has been sent as many codes as the vendor allows.
    SendLimit,
    /// The recipient or the session is locked after too many wrong codes.
    Locked,
    /// The recipient is not a number or an address that the vendor sends to.
    InvalidRecipient,
    /// The session waits for its code.
    Open,
}

impl Outcome {
    /// Every outcome, in the order in which reports list them.
    pub const ALL: [Outcome; 22] = [
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
        Outcome::Sent,
        Outcome::Reused,
        Outcome::TooSoon,
        Outcome::SendLimit,
        Outcome::Locked,
        Outcome::InvalidRecipient,
        Outcome::Open,
    ];

    /// The name used in contracts and output, such as `wrong_code`.
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
            Outcome::Sent => "sent",
            Outcome::Reused => "reused",
            Outcome::TooSoon => "too_soon",
            Outcome::SendLimit => "send_limit",
            Outcome::Locked => "locked",
            Outcome::InvalidRecipient => "invalid_recipient",
            Outcome::Open => "open",
        }
    }

    /// The situations that lead to this outcome unless a contract names others, the most direct one first; none if no test
    /// can bring it about.
    pub fn usual_situations(self) -> &'static [Situation] {
        match self {
            Outcome::Approved => &[Situation::Approved],
            Outcome::WrongCode => &[Situation::WrongCode],
            Outcome::Expired => &[Situation::Expired],
            Outcome::AttemptsExhausted => &[Situation::AttemptsExhausted],
            Outcome::AlreadyUsed => &[Situation::AlreadyUsed],
            Outcome::UnknownSession => &[Situation::UnknownSession],
            Outcome::MissingSession => &[Situation::MissingSession],
            Outcome::MissingCode => &[Situation::MissingCode],
            Outcome::MalformedCode => &[Situation::MalformedCode],
            Outcome::InvalidRequest => &[Situation::MalformedBody],
            Outcome::Unauthorized => &[Situation::MissingCredentials, Situation::WrongCredentials],
            // No verify call brings these about, or none that a test can send.
            Outcome::RateLimited
            | Outcome::Conflict
            | Outcome::Cancelled
            | Outcome::Blocked
            | Outcome::Sent
            | Outcome::Reused
            | Outcome::TooSoon
            | Outcome::SendLimit
            | Outcome::Locked
            | Outcome::InvalidRecipient
            | Outcome::Open => &[],
        }
    }

    /// The situation that leads to this outcome most directly; `None` if no test can bring it about.
    pub fn situation(self) -> Option<Situation> {
        self.usual_situations().first().copied()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The state of a session together with the kind of request. The suite creates a situation to provoke a cell; the
/// sandbox selects a cell by the situation of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Situation {
    /// An open session and its code.
    Approved,
    /// An open session and a well-formed wrong code.
    WrongCode,
    /// A session older than its lifetime.
    Expired,
    /// A session whose limit of wrong codes has been reached.
    AttemptsExhausted,
    /// A session that was approved before.
    AlreadyUsed,
    /// A well-formed id that no session has.
    UnknownSession,
    /// An open session of another tenant.
    ForeignSession,
    /// A request that names no session.
    MissingSession,
    /// A request without a code.
    MissingCode,
    /// A code that does not have the documented alphabet.
    MalformedCode,
    /// A body that cannot be parsed.
    MalformedBody,
    /// A request without credentials.
    MissingCredentials,
    /// A request with credentials that no tenant has.
    WrongCredentials,
}

impl Situation {
    /// The outcome that the situation stands for, if it stands for one.
    pub fn outcome(self) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|outcome| outcome.situation() == Some(self))
    }

    /// Every situation, in the order in which the matrix lists them.
    pub const ALL: [Situation; 13] = [
        Situation::Approved,
        Situation::WrongCode,
        Situation::Expired,
        Situation::AttemptsExhausted,
        Situation::AlreadyUsed,
        Situation::UnknownSession,
        Situation::ForeignSession,
        Situation::MissingSession,
        Situation::MissingCode,
        Situation::MalformedCode,
        Situation::MalformedBody,
        Situation::MissingCredentials,
        Situation::WrongCredentials,
    ];

    /// The name used in contracts and check ids, such as `foreign_session`.
    pub fn as_str(self) -> &'static str {
        match self {
            Situation::Approved => "approved",
            Situation::WrongCode => "wrong_code",
            Situation::Expired => "expired",
            Situation::AttemptsExhausted => "attempts_exhausted",
            Situation::AlreadyUsed => "already_used",
            Situation::UnknownSession => "unknown_session",
            Situation::ForeignSession => "foreign_session",
            Situation::MissingSession => "missing_session",
            Situation::MissingCode => "missing_code",
            Situation::MalformedCode => "malformed_code",
            Situation::MalformedBody => "malformed_body",
            Situation::MissingCredentials => "missing_credentials",
            Situation::WrongCredentials => "wrong_credentials",
        }
    }
}

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
