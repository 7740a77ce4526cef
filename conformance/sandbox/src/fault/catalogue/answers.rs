//! Faults in how a decision is answered. A table, and nothing else.

use otp_contract::Situation as S;

use super::super::{Distortion as D, Effect, Fault};
use super::fault;

const APPROVED: &[S] = &[S::Approved];
const WRONG: &[S] = &[S::WrongCode];
const EXPIRED: &[S] = &[S::Expired];
const EXHAUSTED: &[S] = &[S::AttemptsExhausted];
const USED: &[S] = &[S::AlreadyUsed];
const UNKNOWN: &[S] = &[S::UnknownSession];
const UNAUTHORIZED: &[S] = &[S::MissingCredentials, S::WrongCredentials];

/// Checks in which a right code is approved.
const BY_APPROVED: &[&str] = &[
    "matrix/approved",
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

/// Checks in which a wrong code is compared.
const BY_WRONG: &[&str] = &[
    "matrix/wrong_code*",
    "request/*",
    "lifecycle/random",
    "limit/*",
    "expiry/*",
    "isolation/*",
    "concurrency/*",
    "policy/*",
    "consistency/*",
];

/// Checks in which a session is too old, or its code superseded.
const BY_EXPIRED: &[&str] = &[
    "matrix/expired",
    "lifecycle/random",
    "limit/resend",
    "expiry/*",
    "single-use/stays-used",
    "policy/*",
    "consistency/*",
];

/// Checks in which the limit is reached.
const BY_EXHAUSTED: &[&str] = &[
    "matrix/attempts_exhausted*",
    "request/*",
    "lifecycle/random",
    "limit/*",
    "isolation/*",
    "disclosure/*",
    "concurrency/*",
    "policy/*",
    "consistency/*",
];

/// Checks in which a session was used before.
const BY_USED: &[&str] = &[
    "matrix/already_used",
    "request/*",
    "lifecycle/random",
    "single-use/*",
    "isolation/*",
    "concurrency/*",
    "policy/*",
    "consistency/*",
];

/// Checks in which the caller has no such session.
const BY_UNKNOWN: &[&str] = &[
    "matrix/unknown_session",
    "matrix/foreign_session",
    "request/session-*",
    "request/encoding",
    "lifecycle/random",
    "isolation/*",
    "consistency/*",
];

/// Checks in which a request is not of the documented shape.
const BY_MALFORMED: &[&str] = &[
    "matrix/malformed_*",
    "request/*",
    "limit/not-reset",
    "lifecycle/random",
    "consistency/*",
    "disclosure/*",
];

/// Checks in which a member is missing.
const BY_MISSING: &[&str] = &[
    "matrix/missing_*",
    "request/*",
    "limit/not-reset",
    "lifecycle/random",
    "consistency/*",
    "disclosure/*",
];

pub(super) const TABLE: &[Fault] = &[
    // Statuses.
    answer("approved-status", "an approval is answered with HTTP 202", APPROVED, D::Status(202), BY_APPROVED),
    answer("approved-as-500", "an approval is answered with HTTP 500", APPROVED, D::Status(500), BY_APPROVED),
    answer("wrong-code-status", "a wrong code is answered with HTTP 404", WRONG, D::Status(404), BY_WRONG),
    answer("wrong-code-500", "a wrong code is answered with HTTP 500", WRONG, D::Status(500), BY_WRONG),
    answer(
        "expired-status",
        "an expired code is answered with HTTP 500",
        EXPIRED,
        D::Status(500),
        BY_EXPIRED,
    ),
    answer(
        "expired-as-404",
        "an expired code is answered with HTTP 404",
        EXPIRED,
        D::Status(404),
        BY_EXPIRED,
    ),
    answer(
        "exhausted-status",
        "a locked session is answered with HTTP 400",
        EXHAUSTED,
        D::Status(400),
        BY_EXHAUSTED,
    ),
    answer(
        "exhausted-503",
        "a locked session is answered with HTTP 503",
        EXHAUSTED,
        D::Status(503),
        BY_EXHAUSTED,
    ),
    answer("used-status", "a used code is answered with HTTP 410", USED, D::Status(410), BY_USED),
    answer("used-500", "a used code is answered with HTTP 500", USED, D::Status(500), BY_USED),
    answer(
        "unknown-status",
        "an unknown session is answered with HTTP 410",
        UNKNOWN,
        D::Status(410),
        BY_UNKNOWN,
    ),
    answer(
        "unknown-500",
        "an unknown session is answered with HTTP 500",
        UNKNOWN,
        D::Status(500),
        BY_UNKNOWN,
    ),
    answer(
        "malformed-code-500",
        "a code outside the documented alphabet is answered with HTTP 500",
        &[S::MalformedCode],
        D::Status(500),
        BY_MALFORMED,
    ),
    answer(
        "malformed-body-500",
        "a body that cannot be read is answered with HTTP 500",
        &[S::MalformedBody],
        D::Status(500),
        BY_MALFORMED,
    ),
    answer(
        "missing-code-500",
        "a request without a code is answered with HTTP 500",
        &[S::MissingCode],
        D::Status(500),
        BY_MISSING,
    ),
    answer(
        "missing-session-500",
        "a request that names no session is answered with HTTP 500",
        &[S::MissingSession],
        D::Status(500),
        BY_MISSING,
    ),
    // Errors as successes.
    answer(
        "wrong-code-as-200",
        "a wrong code is answered with HTTP 200 and the body of the refusal",
        WRONG,
        D::Status(200),
        BY_WRONG,
    ),
    answer(
        "expired-as-200",
        "an expired code is answered with HTTP 200",
        EXPIRED,
        D::Status(200),
        BY_EXPIRED,
    ),
    answer(
        "exhausted-as-200",
        "a locked session is answered with HTTP 200",
        EXHAUSTED,
        D::Status(200),
        BY_EXHAUSTED,
    ),
    answer("used-as-200", "a used code is answered with HTTP 200", USED, D::Status(200), BY_USED),
    answer(
        "unknown-as-200",
        "an unknown session is answered with HTTP 200",
        UNKNOWN,
        D::Status(200),
        BY_UNKNOWN,
    ),
    answer(
        "missing-code-as-200",
        "a request without a code is answered with HTTP 200",
        &[S::MissingCode],
        D::Status(200),
        BY_MISSING,
    ),
    answer(
        "unauthorized-as-200",
        "a caller without good credentials is answered with HTTP 200",
        UNAUTHORIZED,
        D::Status(200),
        &["matrix/*_credentials", "auth/*", "isolation/*"],
    ),
    answer(
        "unauthorized-as-500",
        "a caller without good credentials is answered with HTTP 500",
        UNAUTHORIZED,
        D::Status(500),
        &["matrix/*_credentials", "auth/*", "isolation/*"],
    ),
    // Words and numbers.
    answer("approved-literal", "the word of approval is another one", APPROVED, D::Literal, BY_APPROVED),
    answer(
        "wrong-code-literal",
        "the word or code by which a wrong code is told is another one",
        WRONG,
        D::Literal,
        BY_WRONG,
    ),
    answer(
        "expired-literal",
        "the word or code for an expired code is another one",
        EXPIRED,
        D::Literal,
        BY_EXPIRED,
    ),
    answer(
        "exhausted-literal",
        "the word or code for a locked session is another one",
        EXHAUSTED,
        D::Literal,
        BY_EXHAUSTED,
    ),
    answer("used-literal", "the word or code for a used code is another one", USED, D::Literal, BY_USED),
    answer(
        "unknown-literal",
        "the word or code for an unknown session is another one",
        UNKNOWN,
        D::Literal,
        BY_UNKNOWN,
    ),
    answer(
        "malformed-code-literal",
        "the word or code for a code outside the alphabet is another one",
        &[S::MalformedCode],
        D::Literal,
        BY_MALFORMED,
    ),
    answer(
        "missing-code-literal",
        "the word or code for a missing code is another one",
        &[S::MissingCode],
        D::Literal,
        BY_MISSING,
    ),
    answer(
        "missing-session-literal",
        "the word or code for a missing session is another one",
        &[S::MissingSession],
        D::Literal,
        BY_MISSING,
    ),
    // Members.
    answer(
        "approved-member-missing",
        "the approval lacks its last required member",
        APPROVED,
        D::MissingMember,
        BY_APPROVED,
    ),
    answer(
        "wrong-code-member-missing",
        "the answer to a wrong code lacks its last required member",
        WRONG,
        D::MissingMember,
        BY_WRONG,
    ),
    answer(
        "expired-member-missing",
        "the answer to an expired code lacks its last required member",
        EXPIRED,
        D::MissingMember,
        BY_EXPIRED,
    ),
    answer(
        "exhausted-member-missing",
        "the answer for a locked session lacks its last required member",
        EXHAUSTED,
        D::MissingMember,
        BY_EXHAUSTED,
    ),
    answer(
        "used-member-missing",
        "the answer to a used code lacks its last required member",
        USED,
        D::MissingMember,
        BY_USED,
    ),
    answer(
        "unknown-member-missing",
        "the answer for an unknown session lacks its last required member",
        UNKNOWN,
        D::MissingMember,
        BY_UNKNOWN,
    ),
    answer(
        "malformed-code-member-missing",
        "the answer to a code outside the alphabet lacks its last required member",
        &[S::MalformedCode],
        D::MissingMember,
        BY_MALFORMED,
    ),
    answer(
        "missing-code-member-missing",
        "the answer to a request without a code lacks its last required member",
        &[S::MissingCode],
        D::MissingMember,
        BY_MISSING,
    ),
    answer(
        "missing-session-member-missing",
        "the answer to a request that names no session lacks its last required member",
        &[S::MissingSession],
        D::MissingMember,
        BY_MISSING,
    ),
    answer(
        "approved-mistyped",
        "a boolean or number of the approval is a string",
        APPROVED,
        D::Mistyped,
        BY_APPROVED,
    ),
    answer(
        "wrong-code-mistyped",
        "a boolean or number of the answer to a wrong code is a string",
        WRONG,
        D::Mistyped,
        BY_WRONG,
    ),
    answer(
        "expired-mistyped",
        "a boolean or number of the answer to an expired code is a string",
        EXPIRED,
        D::Mistyped,
        BY_EXPIRED,
    ),
    answer(
        "exhausted-mistyped",
        "a boolean or number of the answer for a locked session is a string",
        EXHAUSTED,
        D::Mistyped,
        BY_EXHAUSTED,
    ),
    answer(
        "used-mistyped",
        "a boolean or number of the answer to a used code is a string",
        USED,
        D::Mistyped,
        BY_USED,
    ),
    answer(
        "approved-null",
        "the last required member of the approval is null",
        APPROVED,
        D::NullMember,
        BY_APPROVED,
    ),
    answer(
        "wrong-code-null",
        "the last required member of the answer to a wrong code is null",
        WRONG,
        D::NullMember,
        BY_WRONG,
    ),
    // Signs of approval.
    answer(
        "wrong-code-claims-success",
        "the answer to a wrong code carries the members of an approval, such as `verified: true`",
        WRONG,
        D::ClaimsSuccess,
        BY_WRONG,
    ),
    answer(
        "expired-claims-success",
        "the answer to an expired code carries the members of an approval",
        EXPIRED,
        D::ClaimsSuccess,
        BY_EXPIRED,
    ),
    answer(
        "exhausted-claims-success",
        "the answer for a locked session carries the members of an approval",
        EXHAUSTED,
        D::ClaimsSuccess,
        BY_EXHAUSTED,
    ),
    answer(
        "used-claims-success",
        "the answer to a used code carries the members of an approval",
        USED,
        D::ClaimsSuccess,
        BY_USED,
    ),
    answer(
        "unknown-claims-success",
        "the answer for an unknown session carries the members of an approval",
        UNKNOWN,
        D::ClaimsSuccess,
        BY_UNKNOWN,
    ),
    answer(
        "malformed-body-claims-success",
        "the answer to a body that cannot be read carries the members of an approval",
        &[S::MalformedBody],
        D::ClaimsSuccess,
        BY_MALFORMED,
    ),
    answer(
        "unauthorized-claims-success",
        "the answer to a caller without good credentials carries the members of an approval",
        UNAUTHORIZED,
        D::ClaimsSuccess,
        &["matrix/*_credentials", "auth/*", "isolation/*"],
    ),
    // Media types.
    answer("approved-content-type", "the approval is called text/plain", APPROVED, D::PlainText, BY_APPROVED),
    answer(
        "wrong-code-content-type",
        "the answer to a wrong code is called text/plain",
        WRONG,
        D::PlainText,
        BY_WRONG,
    ),
    answer(
        "unknown-content-type",
        "the answer for an unknown session is called text/plain",
        UNKNOWN,
        D::PlainText,
        BY_UNKNOWN,
    ),
    answer("wrong-code-html", "a wrong code is answered with a page in HTML", WRONG, D::Html, BY_WRONG),
    answer(
        "exhausted-html",
        "a locked session is answered with a page in HTML",
        EXHAUSTED,
        D::Html,
        BY_EXHAUSTED,
    ),
    answer("expired-html", "an expired code is answered with a page in HTML", EXPIRED, D::Html, BY_EXPIRED),
    // Echoes.
    answer(
        "approved-echo",
        "the approval names another session than the one that was asked about",
        APPROVED,
        D::Echo,
        BY_APPROVED,
    ),
    answer(
        "approved-echo-earlier",
        "the approval names the session of the call before",
        APPROVED,
        D::EarlierEcho,
        BY_APPROVED,
    ),
    answer(
        "wrong-code-echo",
        "the answer to a wrong code names another session than the one that was asked about",
        WRONG,
        D::Echo,
        BY_WRONG,
    ),
    answer(
        "wrong-code-echo-earlier",
        "the answer to a wrong code names the session of the call before",
        WRONG,
        D::EarlierEcho,
        BY_WRONG,
    ),
    answer(
        "unknown-echo-missing",
        "the answer for an unknown session does not name the session",
        UNKNOWN,
        D::MissingEcho,
        BY_UNKNOWN,
    ),
    // What comes and goes.
    sometimes(
        "wrong-code-sometimes",
        "every third wrong code is told by another word",
        WRONG,
        D::Literal,
        BY_WRONG,
    ),
    sometimes(
        "expired-sometimes",
        "every third expired code is answered with HTTP 500",
        EXPIRED,
        D::Status(500),
        BY_EXPIRED,
    ),
    sometimes(
        "used-sometimes",
        "every third used code is answered with HTTP 500",
        USED,
        D::Status(500),
        BY_USED,
    ),
    sometimes(
        "approved-sometimes",
        "every third approval lacks its last required member",
        APPROVED,
        D::MissingMember,
        BY_APPROVED,
    ),
];

const fn answer(
    name: &'static str,
    summary: &'static str,
    situations: &'static [S],
    distortion: D,
    found_by: &'static [&'static str],
) -> Fault {
    fault(name, summary, Effect::Answer(situations, distortion), found_by)
}

const fn sometimes(
    name: &'static str,
    summary: &'static str,
    situations: &'static [S],
    distortion: D,
    found_by: &'static [&'static str],
) -> Fault {
    fault(name, summary, Effect::Sometimes(situations, distortion), found_by)
}
