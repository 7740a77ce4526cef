//! The purpose of an operation, and the outcomes that it may have.
//!
//! Uses the outcomes. It never depends on a vendor.

use std::fmt;

use serde::Serialize;

use crate::Outcome;

/// The purpose of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sends a code to a recipient.
    Send,
    /// Sends a code of an existing session again.
    Resend,
    /// Compares a code with the one that was issued.
    Verify,
    /// Reports the state of a session.
    Status,
    /// Ends a session before its time.
    Cancel,
}

impl Role {
    /// Every role, in the order in which a session meets them.
    pub const ALL: [Role; 5] = [Role::Send, Role::Resend, Role::Verify, Role::Status, Role::Cancel];

    /// The name used in contracts and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Send => "send",
            Role::Resend => "resend",
            Role::Verify => "verify",
            Role::Status => "status",
            Role::Cancel => "cancel",
        }
    }

    /// The outcomes that a response of the operation may report, in the order in which output lists them.
    pub fn outcomes(self) -> &'static [Outcome] {
        match self {
            Role::Verify => &[
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
            ],
            Role::Send => &[
                Outcome::Sent,
                Outcome::Reused,
                Outcome::TooSoon,
                Outcome::SendLimit,
                Outcome::Locked,
                Outcome::InvalidRecipient,
                Outcome::InvalidRequest,
                Outcome::Unauthorized,
                Outcome::RateLimited,
                Outcome::Conflict,
                Outcome::Blocked,
            ],
            Role::Resend => &[
                Outcome::Sent,
                Outcome::TooSoon,
                Outcome::SendLimit,
                Outcome::Locked,
                Outcome::Expired,
                Outcome::AlreadyUsed,
                Outcome::Cancelled,
                Outcome::UnknownSession,
                Outcome::MissingSession,
                Outcome::InvalidRecipient,
                Outcome::InvalidRequest,
                Outcome::Unauthorized,
                Outcome::RateLimited,
                Outcome::Conflict,
                Outcome::Blocked,
            ],
            Role::Status => &[
                Outcome::Open,
                Outcome::Approved,
                Outcome::Expired,
                Outcome::Locked,
                Outcome::Cancelled,
                Outcome::UnknownSession,
                Outcome::MissingSession,
                Outcome::InvalidRequest,
                Outcome::Unauthorized,
                Outcome::RateLimited,
            ],
            Role::Cancel => &[
                Outcome::Cancelled,
                Outcome::AlreadyUsed,
                Outcome::Expired,
                Outcome::Locked,
                Outcome::TooSoon,
                Outcome::UnknownSession,
                Outcome::MissingSession,
                Outcome::InvalidRequest,
                Outcome::Unauthorized,
                Outcome::RateLimited,
                Outcome::Conflict,
            ],
        }
    }

    /// The outcomes that only a 2xx response reports, because the call did what it was asked for.
    pub fn successes(self) -> &'static [Outcome] {
        match self {
            Role::Verify => &[Outcome::Approved],
            Role::Send | Role::Resend => &[Outcome::Sent, Outcome::Reused],
            Role::Status => &[Outcome::Open, Outcome::Approved],
            Role::Cancel => &[Outcome::Cancelled],
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
