//! Faults in the decision on a code. Each row names the rule and the defect, which `faulty_session` or `faulty_store`
//! implements. This file must contain nothing but the table.

use otp_contract::Outcome as O;

use super::row;
use crate::fault::definition::{Effect, Fault};
use crate::fault::faulty_session::SessionDefect as D;
use crate::fault::faulty_store::StoreDefect as T;
use crate::fault::rule::Rule;
use crate::fault::spelling::Spelling;

pub(super) const TABLE: &[Fault] = &[
    // Single use.
    decision("reuse", "a used code is approved again", Rule::SingleUse, D::Reuse),
    decision(
        "reuse-at-once",
        "a used code is approved again within one second of its use",
        Rule::SingleUse,
        D::ReuseAtOnce,
    ),
    decision(
        "reuse-by-spelling",
        "the comparison ignores trailing white space in a code, but the record of used codes does not",
        Rule::SingleUse,
        D::ReuseBySpelling,
    ),
    decision(
        "use-forgotten",
        "a used code is approved again after its lifetime",
        Rule::SingleUse,
        D::UseForgotten,
    ),
    decision(
        "use-per-connection",
        "a used code is approved again over another connection",
        Rule::SingleUse,
        D::UsePerConnection,
    ),
    decision(
        "use-per-replica",
        "a used code is approved again by another replica of the service",
        Rule::SingleUse,
        D::UsePerReplica,
    ),
    storage(
        "disconnect-undoes",
        "if the client disconnects before the response, the server rolls back what the call changed in the session",
        Rule::Disconnect,
        T::DisconnectUndoes,
    ),
    storage(
        "use-race",
        "the server checks whether a code was used a few milliseconds before it records the use",
        Rule::AtomicUse,
        T::UseRace,
    ),
    storage(
        "use-race-when-busy",
        "like `use-race`, but only while more than four calls for the session are in flight",
        Rule::AtomicUse,
        T::UseRaceWhenBusy,
    ),
    // The attempt limit.
    decision("no-limit", "the number of wrong codes is not limited", Rule::AttemptLimit, D::NoLimit),
    decision(
        "limit-off-by-one",
        "one wrong code more than the limit is compared",
        Rule::AttemptLimit,
        D::LimitHigh,
    ),
    decision("limit-low", "one wrong code fewer than the limit is compared", Rule::AttemptLimit, D::LimitLow),
    decision("count-lost", "wrong codes are not counted", Rule::AttemptLimit, D::CountLost),
    decision("count-half", "only every other wrong code is counted", Rule::AttemptLimit, D::CountHalf),
    decision(
        "count-distinct",
        "a wrong code that was tried before is not counted again",
        Rule::AttemptLimit,
        D::CountDistinct,
    ),
    storage(
        "count-late",
        "a wrong code is counted a few milliseconds after the comparison",
        Rule::AtomicCount,
        T::CountLate,
    ),
    storage(
        "count-late-when-busy",
        "like `count-late`, but only while more than four calls for the session are in flight",
        Rule::AtomicCount,
        T::CountLateWhenBusy,
    ),
    storage(
        "count-overwritten",
        "the count is read before a comparison and written back after it, so concurrent updates are lost",
        Rule::AtomicCount,
        T::CountOverwritten,
    ),
    storage(
        "count-per-tenant",
        "all sessions of a tenant share one count",
        Rule::CountPerSession,
        T::CountPerTenant,
    ),
    storage(
        "count-per-vendor",
        "all sessions of all tenants share one count",
        Rule::CountPerSession,
        T::CountPerVendor,
    ),
    storage(
        "count-per-connection",
        "each connection has its own count",
        Rule::AttemptLimit,
        T::CountPerConnection,
    ),
    storage(
        "count-per-replica",
        "each replica of the service has its own count",
        Rule::AttemptLimit,
        T::CountPerReplica,
    ),
    storage(
        "count-per-forwarded",
        "each value of X-Forwarded-For has its own count",
        Rule::CountPersists,
        T::CountPerForwarded,
    ),
    storage(
        "success-resets-others",
        "an approval resets the counts of the tenant's other sessions",
        Rule::CountPersists,
        T::SuccessResets,
    ),
    storage(
        "malformed-resets",
        "a malformed request resets the count of wrong codes",
        Rule::MalformedIsNoAttempt,
        T::MalformedResets,
    ),
    storage("resend-resets", "a resend resets the count of wrong codes", Rule::Resend, T::ResendResets),
    storage("resend-keeps-old", "the old code remains valid after a resend", Rule::Resend, T::ResendKeepsOld),
    decision("lock-opens", "the right code unlocks a locked session", Rule::AttemptLimit, D::LockOpens),
    // Oracles and misreported outcomes.
    decision(
        "lock-oracle",
        "the response for a locked session reveals whether the code is right",
        Rule::AttemptLimit,
        D::ComparedFirst(O::AttemptsExhausted),
    ),
    decision(
        "use-oracle",
        "the response for a used session reveals whether the code is right",
        Rule::SingleUse,
        D::ComparedFirst(O::AlreadyUsed),
    ),
    decision(
        "expiry-oracle",
        "the response for an expired session reveals whether the code is right",
        Rule::Lifetime,
        D::ComparedFirst(O::Expired),
    ),
    decision(
        "expired-reported-as-wrong",
        "an expired code is reported as a wrong code",
        Rule::Lifetime,
        D::Misreported(O::Expired, O::WrongCode),
    ),
    decision(
        "exhausted-reported-as-wrong",
        "a locked session is reported as a wrong code",
        Rule::AttemptLimit,
        D::Misreported(O::AttemptsExhausted, O::WrongCode),
    ),
    decision(
        "used-reported-as-expired",
        "a used code is reported as expired",
        Rule::SingleUse,
        D::Misreported(O::AlreadyUsed, O::Expired),
    ),
    decision(
        "unknown-reported-as-wrong",
        "an unknown session is reported as a wrong code",
        Rule::DocumentedResponse,
        D::Misreported(O::UnknownSession, O::WrongCode),
    ),
    // Lifetime.
    decision("no-expiry", "codes never expire", Rule::Lifetime, D::NoExpiry),
    decision("expiry-late", "codes expire five seconds late", Rule::Lifetime, D::ExpiryLate),
    decision(
        "expiry-early",
        "codes expire after nine tenths of their lifetime",
        Rule::Lifetime,
        D::ExpiryEarly,
    ),
    decision(
        "expiry-extended",
        "each attempt restarts the lifetime of a code",
        Rule::Lifetime,
        D::ExpiryExtended,
    ),
    decision(
        "expiry-for-wrong-only",
        "the right code is approved after its lifetime; only wrong codes expire",
        Rule::Lifetime,
        D::ExpiryForWrongOnly,
    ),
    // Tenants.
    storage("foreign-tenant", "any tenant can verify a session", Rule::Isolation, T::ForeignTenant),
    storage(
        "foreign-counts",
        "wrong codes sent by another tenant count against the owner",
        Rule::Isolation,
        T::ForeignCounts,
    ),
    storage(
        "foreign-consumes",
        "the right code sent by another tenant uses up the session",
        Rule::Isolation,
        T::ForeignConsumes,
    ),
    storage(
        "foreign-revealed",
        "another tenant's session is reported as a wrong code instead of an unknown session",
        Rule::Isolation,
        T::ForeignRevealed,
    ),
    storage(
        "foreign-status",
        "the HTTP status reveals that another tenant's session exists",
        Rule::Isolation,
        T::ForeignStatus,
    ),
    // Session ids.
    session_id(
        "session-trimmed",
        "the lookup ignores white space around a session id, but the count does not",
        Spelling::Space,
    ),
    session_id(
        "session-case",
        "the lookup ignores the case of letters in a session id, but the count does not",
        Spelling::Case,
    ),
    session_id("session-hyphens", "the lookup ignores hyphens and braces in a session id", Spelling::Hyphens),
    session_id(
        "session-up-to-nul",
        "the lookup ignores everything after a NUL in a session id",
        Spelling::AfterNul,
    ),
    session_id(
        "session-wildcard",
        "a session id of `*` or `%` matches any session of the tenant",
        Spelling::Wildcard,
    ),
    // Policy overrides and lockout.
    decision(
        "limit-revives",
        "a request for a higher attempt limit unlocks a locked session",
        Rule::LimitOverride,
        D::LimitRevives,
    ),
    decision(
        "lifetime-revives",
        "a request for a longer lifetime revives an expired code",
        Rule::LifetimeOverride,
        D::LifetimeRevives,
    ),
    decision(
        "retry-revives",
        "a request that allows retries revives a code that a wrong attempt had invalidated",
        Rule::RetryOverride,
        D::RetryRevives,
    ),
    decision(
        "lock-extended",
        "each call to a locked session restarts the lockout",
        Rule::Lockout,
        D::LockExtended,
    ),
    decision(
        "remaining-off-by-one",
        "the reported number of remaining attempts is one too high",
        Rule::RemainingAttempts,
        D::RemainingHigh,
    ),
    decision(
        "remaining-stuck",
        "the reported number of remaining attempts never decreases",
        Rule::RemainingAttempts,
        D::RemainingStuck,
    ),
];

const fn decision(name: &'static str, summary: &'static str, breaks: Rule, defect: D) -> Fault {
    row(name, summary, breaks, Effect::Decision(defect))
}

const fn storage(name: &'static str, summary: &'static str, breaks: Rule, defect: T) -> Fault {
    row(name, summary, breaks, Effect::Storage(defect))
}

const fn session_id(name: &'static str, summary: &'static str, spelling: Spelling) -> Fault {
    storage(name, summary, Rule::ExactSessionId, T::SessionSpelling(spelling))
}
