//! How the last response of a scenario differs between a faulty and a correct server.

/// What the faulty server does in the last response, and the correct server does not.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// It approves.
    Approved,
    /// It refuses.
    Refused,
    /// It fails with status 500.
    ServerError,
    /// Its response contains this text.
    Contains(&'static str),
    /// Its response lacks this text.
    Lacks(&'static str),
    /// It leaves more calls of the bursts alive; the last line is their number.
    MoreAlive,
    /// Its response is different.
    Different,
}
