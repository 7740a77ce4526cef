//! Faults in what is decided. A table, and nothing else.

use otp_contract::Outcome as O;

use super::super::{Defect as D, Effect, Fault, Spelling};
use super::fault;

const BY_USE: &[&str] = &[
    "matrix/already_used",
    "request/*",
    "lifecycle/random",
    "single-use/*",
    "concurrency/*",
    "policy/*",
    "consistency/walk",
];

const BY_LIMIT: &[&str] = &[
    "matrix/attempts_exhausted*",
    // Where an answer tells how many attempts remain, the defect shows from the first on.
    "matrix/wrong_code.retry",
    "request/*",
    "lifecycle/random",
    "limit/*",
    "expiry/*",
    "isolation/*",
    "concurrency/*",
    "policy/*",
    "consistency/walk",
];

const BY_LIFETIME: &[&str] =
    &["matrix/expired", "lifecycle/random", "expiry/*", "policy/*", "consistency/walk"];

const BY_RESEND: &[&str] = &["limit/resend", "lifecycle/random", "consistency/walk"];

const BY_RACE_OF_USE: &[&str] = &["concurrency/single-use", "concurrency/mixed"];

const BY_RACE_OF_COUNT: &[&str] = &["concurrency/limit", "concurrency/mixed"];

const BY_ISOLATION: &[&str] =
    &["matrix/foreign_session", "isolation/*", "lifecycle/random", "consistency/walk"];

const BY_POLICY: &[&str] = &["policy/*", "limit/*", "lifecycle/random", "consistency/walk"];

const BY_REMAINING: &[&str] = &[
    "matrix/wrong_code.retry",
    "limit/*",
    "policy/*",
    "lifecycle/random",
    "concurrency/*",
    "consistency/walk",
];

const BY_SPELLING: &[&str] = &["request/session-spelling", "request/session-types", "request/encoding"];

/// What a count that sessions share spoils: whatever is done with a second session.
const BY_SHARED_COUNT: &[&str] = &[
    "matrix/attempts_exhausted*",
    "matrix/wrong_code.retry",
    "request/*",
    "lifecycle/random",
    "limit/*",
    "expiry/*",
    "single-use/*",
    "isolation/*",
    "concurrency/*",
    "policy/*",
    "consistency/*",
    "disclosure/*",
    "auth/*",
];

pub(super) const TABLE: &[Fault] = &[
    // Single use.
    wrong("reuse", "a used code is approved again", D::Reuse, BY_USE),
    wrong(
        "reuse-at-once",
        "a used code is approved again within a second of its use",
        D::ReuseAtOnce,
        BY_USE,
    ),
    wrong(
        "reuse-by-spelling",
        "white space behind a code is dropped before it is compared, and not before it is marked as used",
        D::ReuseBySpelling,
        &["request/code-spelling", "single-use/*", "lifecycle/random"],
    ),
    wrong(
        "use-forgotten",
        "a used code is approved again once its lifetime is over",
        D::UseForgotten,
        &["single-use/stays-used", "lifecycle/random", "consistency/walk"],
    ),
    wrong(
        "use-per-connection",
        "a used code is approved again over another connection",
        D::UsePerConnection,
        BY_USE,
    ),
    wrong(
        "use-per-replica",
        "a used code is approved again at another replica of the service",
        D::UsePerReplica,
        BY_USE,
    ),
    wrong(
        "hang-up-undoes",
        "a caller that hangs up before the answer undoes what was noted of the session",
        D::HangUpUndoes,
        &["limit/hang-up", "single-use/hang-up"],
    ),
    wrong(
        "use-race",
        "between the look whether a code was used and the note that it is lie some milliseconds",
        D::UseRace,
        BY_RACE_OF_USE,
    ),
    wrong(
        "use-race-when-busy",
        "as `use-race`, and only while more than four calls for the session are under way",
        D::UseRaceWhenBusy,
        BY_RACE_OF_USE,
    ),
    // The limit.
    wrong("no-limit", "wrong codes are compared without end", D::NoLimit, BY_LIMIT),
    wrong("limit-off-by-one", "one wrong code more than allowed is compared", D::LimitHigh, BY_LIMIT),
    wrong("limit-low", "one wrong code less than allowed is compared", D::LimitLow, BY_LIMIT),
    wrong("count-lost", "wrong codes are not counted", D::CountLost, BY_LIMIT),
    wrong("count-half", "every second wrong code is not counted", D::CountHalf, BY_LIMIT),
    wrong(
        "count-distinct",
        "a wrong code that was tried before is not counted again",
        D::CountDistinct,
        BY_LIMIT,
    ),
    wrong(
        "count-late",
        "wrong codes are counted some milliseconds after the comparison",
        D::CountLate,
        BY_RACE_OF_COUNT,
    ),
    wrong(
        "count-late-when-busy",
        "as `count-late`, and only while more than four calls for the session are under way",
        D::CountLateWhenBusy,
        BY_RACE_OF_COUNT,
    ),
    wrong(
        "count-overwritten",
        "the count that was read before a comparison is written back after it, so that one of two is lost",
        D::CountOverwritten,
        BY_RACE_OF_COUNT,
    ),
    wrong("count-per-tenant", "all sessions of a tenant share one count", D::CountPerTenant, BY_SHARED_COUNT),
    wrong(
        "count-per-vendor",
        "all sessions of all tenants share one count",
        D::CountPerVendor,
        &[
            "matrix/*",
            "request/*",
            "lifecycle/*",
            "limit/*",
            "expiry/*",
            "single-use/*",
            "isolation/*",
            "concurrency/*",
            "policy/*",
            "consistency/*",
            "disclosure/*",
            "auth/*",
        ],
    ),
    wrong("count-per-connection", "each connection has a count of its own", D::CountPerConnection, BY_LIMIT),
    wrong(
        "count-per-replica",
        "each replica of the service has a count of its own",
        D::CountPerReplica,
        BY_LIMIT,
    ),
    wrong(
        "count-per-forwarded",
        "each value of X-Forwarded-For has a count of its own",
        D::CountPerForwarded,
        &["limit/not-reset"],
    ),
    wrong(
        "success-resets-others",
        "an approval sets the counts of the tenant's other sessions to zero",
        D::SuccessResets,
        &["limit/*", "lifecycle/random", "consistency/walk"],
    ),
    wrong(
        "malformed-resets",
        "a malformed request sets the count of wrong codes to zero",
        D::MalformedResets,
        &["limit/not-reset", "request/*", "lifecycle/random"],
    ),
    wrong(
        "malformed-counts",
        "a malformed request counts as a wrong code",
        D::MalformedCounts,
        &["limit/*", "request/*", "lifecycle/random"],
    ),
    wrong("resend-resets", "a new code sets the count of wrong codes to zero", D::ResendResets, BY_RESEND),
    wrong("resend-keeps-old", "a new code leaves the old one valid", D::ResendKeepsOld, BY_RESEND),
    wrong("lock-opens", "the right code opens a locked session", D::LockOpens, BY_LIMIT),
    // Comparison before state.
    wrong(
        "lock-oracle",
        "a wrong code for a locked session is told from the right one",
        D::ComparedFirst(O::AttemptsExhausted),
        BY_LIMIT,
    ),
    wrong(
        "use-oracle",
        "a wrong code for a used session is told from the right one",
        D::ComparedFirst(O::AlreadyUsed),
        BY_USE,
    ),
    wrong(
        "expiry-oracle",
        "a wrong code for an expired session is told from the right one",
        D::ComparedFirst(O::Expired),
        BY_LIFETIME,
    ),
    wrong(
        "expired-told-as-wrong",
        "an expired code is told as a wrong one",
        D::Told(O::Expired, O::WrongCode),
        &["matrix/expired", "lifecycle/random", "expiry/*", "limit/resend", "policy/*", "consistency/*"],
    ),
    wrong(
        "exhausted-told-as-wrong",
        "a locked session is told as one that got a wrong code",
        D::Told(O::AttemptsExhausted, O::WrongCode),
        BY_LIMIT,
    ),
    wrong(
        "used-told-as-expired",
        "a used code is told as an expired one",
        D::Told(O::AlreadyUsed, O::Expired),
        BY_USE,
    ),
    wrong(
        "unknown-told-as-wrong",
        "an unknown session is told as one that got a wrong code",
        D::Told(O::UnknownSession, O::WrongCode),
        &[
            "matrix/unknown_session",
            "matrix/foreign_session",
            "request/session-*",
            "request/encoding",
            "isolation/*",
            "lifecycle/random",
            "consistency/*",
        ],
    ),
    // Lifetime.
    wrong("no-expiry", "codes do not expire", D::NoExpiry, BY_LIFETIME),
    wrong("expiry-late", "codes expire five seconds late", D::ExpiryLate, BY_LIFETIME),
    wrong(
        "expiry-early",
        "codes expire when nine tenths of their lifetime are over",
        D::ExpiryEarly,
        BY_LIFETIME,
    ),
    wrong(
        "expiry-extended",
        "each attempt starts the lifetime of a code anew",
        D::ExpiryExtended,
        BY_LIFETIME,
    ),
    wrong(
        "expiry-for-wrong-only",
        "an expired code is approved, and only wrong ones are refused",
        D::ExpiryForWrong,
        BY_LIFETIME,
    ),
    // Tenants.
    wrong("foreign-tenant", "a session is verified for any tenant", D::ForeignTenant, BY_ISOLATION),
    wrong(
        "foreign-counts",
        "another tenant's wrong codes are counted for the owner",
        D::ForeignCounts,
        BY_ISOLATION,
    ),
    wrong(
        "foreign-consumes",
        "another tenant's right code uses the session up",
        D::ForeignConsumes,
        BY_ISOLATION,
    ),
    wrong(
        "foreign-told",
        "another tenant's session is answered like one of the caller's own that got a wrong code",
        D::ForeignTold,
        BY_ISOLATION,
    ),
    wrong(
        "foreign-status",
        "another tenant's session is told from an unknown one by the status",
        D::ForeignStatus,
        BY_ISOLATION,
    ),
    // Ids.
    spelled(
        "session-trimmed",
        "white space around a session's id is dropped for finding it, and not for counting",
        Spelling::Space,
    ),
    spelled(
        "session-case",
        "the letters of a session's id are read in either case for finding it, and not for counting",
        Spelling::Case,
    ),
    spelled("session-hyphens", "hyphens and braces in a session's id do not count", Spelling::Hyphens),
    spelled("session-up-to-nul", "a session's id ends at a NUL", Spelling::AfterNul),
    spelled("session-wildcard", "`*` or `%` finds any session of the tenant", Spelling::Wildcard),
    // What the request asks of the policy.
    wrong("limit-revives", "a wish for more attempts opens a locked session", D::LimitRevives, BY_POLICY),
    wrong(
        "lifetime-revives",
        "a wish for a longer lifetime brings an expired code back",
        D::LifetimeRevives,
        &["policy/*", "expiry/*", "lifecycle/random", "consistency/walk"],
    ),
    wrong(
        "retry-revives",
        "the permission to retry brings back a code that a wrong one has ended",
        D::RetryRevives,
        BY_POLICY,
    ),
    wrong("lock-extended", "each call to a locked session starts the lock anew", D::LockExtended, BY_POLICY),
    wrong(
        "remaining-off-by-one",
        "one attempt more than there is, is said to remain",
        D::RemainingHigh,
        BY_REMAINING,
    ),
    wrong(
        "remaining-stuck",
        "as many attempts are said to remain as there were at first",
        D::RemainingStuck,
        BY_REMAINING,
    ),
];

const fn wrong(
    name: &'static str,
    summary: &'static str,
    defect: D,
    found_by: &'static [&'static str],
) -> Fault {
    fault(name, summary, Effect::Decision(defect), found_by)
}

const fn spelled(name: &'static str, summary: &'static str, spelling: Spelling) -> Fault {
    wrong(name, summary, D::SessionSpelling(spelling), BY_SPELLING)
}
