//! The rules that faults break, in the overrides of an OTP API. This module depends on nothing. It must not name a check,
//! a suite or a vendor: how a violation is found is a suite's knowledge.

/// A rule of an OTP verification API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// None: the documents leave the behaviour open, so it is no fault.
    Undecided,
    /// Each situation has the response that the contract documents.
    DocumentedResponse,
    /// A code is approved at most once.
    SingleUse,
    /// Of several concurrent calls with the right code, exactly one is approved.
    AtomicUse,
    /// A client that disconnects does not undo what its call changed.
    Disconnect,
    /// Each wrong code counts, and a session is locked once its limit is reached.
    AttemptLimit,
    /// Concurrent calls with wrong codes count one by one.
    AtomicCount,
    /// A session counts its own wrong codes, and no others.
    CountPerSession,
    /// Nothing that a caller sends resets a count of wrong codes.
    CountPersists,
    /// A malformed request is not an attempt.
    MalformedIsNoAttempt,
    /// A resend replaces the code and keeps the count of wrong codes.
    Resend,
    /// A code is valid for its lifetime, and no longer.
    Lifetime,
    /// A tenant can neither use, affect nor discover the sessions of another.
    Isolation,
    /// A session is found by its exact id.
    ExactSessionId,
    /// A request for a higher attempt limit does not unlock a locked session.
    LimitOverride,
    /// A request for a longer lifetime does not revive an expired code.
    LifetimeOverride,
    /// A request that allows retries does not revive an invalidated code.
    RetryOverride,
    /// A lockout has a fixed duration.
    Lockout,
    /// The reported number of remaining attempts is correct.
    RemainingAttempts,
    /// A code matches only if all its characters do.
    ExactCode,
    /// A code in a body is a string.
    CodeType,
    /// A request needs a code.
    CodeRequired,
    /// A request names each value once.
    UniqueNames,
    /// Members that the contract does not document have no effect.
    UnknownMembers,
    /// A body is a JSON object.
    BodyIsObject,
    /// A session id in a body is a string.
    SessionIdType,
    /// A body counts only when it has arrived completely.
    WholeBody,
    /// Text is valid UTF-8, and a request with other bytes is refused.
    TextEncoding,
    /// A code that is too long is refused.
    CodeLength,
    /// A body with a content encoding is decoded or refused.
    ContentEncoding,
    /// A parameter out of bounds is refused or limited.
    ParameterBounds,
    /// A request needs credentials.
    CredentialsRequired,
    /// Credentials must be those of a tenant.
    CredentialsCompared,
    /// Credentials are valid only for the account that they belong to.
    OwnAccount,
    /// The names of authentication schemes are not case-sensitive.
    SchemeName,
    /// Only the documented method is served, and the refusal of others lists it.
    Method,
    /// A response with status 401 names an authentication scheme.
    Challenge,
    /// A response discloses neither codes nor internals.
    Secrecy,
    /// A response sets no cookie and forbids caching.
    ResponseHeaders,
}
