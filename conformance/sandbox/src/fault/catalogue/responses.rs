//! Faults in the response to a decision. Each row names the situations and the distortion; the distortion itself is
//! in `distortion`. This file must contain nothing but the table.

use otp_contract::Situation as S;

use super::row;
use crate::fault::definition::{Effect, Fault};
use crate::fault::distortion::Distortion as D;
use crate::fault::rule::Rule;

const APPROVED: &[S] = &[S::Approved];
const WRONG: &[S] = &[S::WrongCode];
const EXPIRED: &[S] = &[S::Expired];
const EXHAUSTED: &[S] = &[S::AttemptsExhausted];
const USED: &[S] = &[S::AlreadyUsed];
const UNKNOWN: &[S] = &[S::UnknownSession];
const UNAUTHORIZED: &[S] = &[S::MissingCredentials, S::WrongCredentials];

pub(super) const TABLE: &[Fault] = &[
    // Statuses.
    response("approved-status", "an approval has HTTP status 202", APPROVED, D::Status(202)),
    response("approved-as-500", "an approval has HTTP status 500", APPROVED, D::Status(500)),
    response("wrong-code-status", "the response to a wrong code has HTTP status 404", WRONG, D::Status(404)),
    response("wrong-code-500", "the response to a wrong code has HTTP status 500", WRONG, D::Status(500)),
    response(
        "expired-status",
        "the response to an expired code has HTTP status 500",
        EXPIRED,
        D::Status(500),
    ),
    response(
        "expired-as-404",
        "the response to an expired code has HTTP status 404",
        EXPIRED,
        D::Status(404),
    ),
    response(
        "exhausted-status",
        "the response for a locked session has HTTP status 400",
        EXHAUSTED,
        D::Status(400),
    ),
    response(
        "exhausted-503",
        "the response for a locked session has HTTP status 503",
        EXHAUSTED,
        D::Status(503),
    ),
    response("used-status", "the response to a used code has HTTP status 410", USED, D::Status(410)),
    response("used-500", "the response to a used code has HTTP status 500", USED, D::Status(500)),
    response(
        "unknown-status",
        "the response for an unknown session has HTTP status 410",
        UNKNOWN,
        D::Status(410),
    ),
    response(
        "unknown-500",
        "the response for an unknown session has HTTP status 500",
        UNKNOWN,
        D::Status(500),
    ),
    response(
        "malformed-code-500",
        "a code outside the documented alphabet causes HTTP status 500",
        &[S::MalformedCode],
        D::Status(500),
    ),
    response(
        "malformed-body-500",
        "a body that cannot be parsed causes HTTP status 500",
        &[S::MalformedBody],
        D::Status(500),
    ),
    response(
        "missing-code-500",
        "a request without a code causes HTTP status 500",
        &[S::MissingCode],
        D::Status(500),
    ),
    response(
        "missing-session-500",
        "a request without a session id causes HTTP status 500",
        &[S::MissingSession],
        D::Status(500),
    ),
    // Refusals with a success status.
    response(
        "wrong-code-as-200",
        "the response to a wrong code has HTTP status 200 and the body of the refusal",
        WRONG,
        D::Status(200),
    ),
    response(
        "expired-as-200",
        "the response to an expired code has HTTP status 200",
        EXPIRED,
        D::Status(200),
    ),
    response(
        "exhausted-as-200",
        "the response for a locked session has HTTP status 200",
        EXHAUSTED,
        D::Status(200),
    ),
    response("used-as-200", "the response to a used code has HTTP status 200", USED, D::Status(200)),
    response(
        "unknown-as-200",
        "the response for an unknown session has HTTP status 200",
        UNKNOWN,
        D::Status(200),
    ),
    response(
        "missing-code-as-200",
        "the response to a request without a code has HTTP status 200",
        &[S::MissingCode],
        D::Status(200),
    ),
    response(
        "unauthorized-as-200",
        "the response to missing or wrong credentials has HTTP status 200",
        UNAUTHORIZED,
        D::Status(200),
    ),
    response(
        "unauthorized-as-500",
        "missing or wrong credentials cause HTTP status 500",
        UNAUTHORIZED,
        D::Status(500),
    ),
    // Words and numbers that identify an outcome.
    response(
        "approved-literal",
        "the word or code that identifies an approval is replaced",
        APPROVED,
        D::Literal,
    ),
    response(
        "wrong-code-literal",
        "the word or code that identifies a wrong code is replaced",
        WRONG,
        D::Literal,
    ),
    response(
        "expired-literal",
        "the word or code that identifies an expired code is replaced",
        EXPIRED,
        D::Literal,
    ),
    response(
        "exhausted-literal",
        "the word or code that identifies a locked session is replaced",
        EXHAUSTED,
        D::Literal,
    ),
    response("used-literal", "the word or code that identifies a used code is replaced", USED, D::Literal),
    response(
        "unknown-literal",
        "the word or code that identifies an unknown session is replaced",
        UNKNOWN,
        D::Literal,
    ),
    response(
        "malformed-code-literal",
        "the word or code that identifies a malformed code is replaced",
        &[S::MalformedCode],
        D::Literal,
    ),
    response(
        "missing-code-literal",
        "the word or code that identifies a missing code is replaced",
        &[S::MissingCode],
        D::Literal,
    ),
    response(
        "missing-session-literal",
        "the word or code that identifies a missing session id is replaced",
        &[S::MissingSession],
        D::Literal,
    ),
    // Members.
    response(
        "approved-member-missing",
        "an approval lacks its last required member",
        APPROVED,
        D::MissingMember,
    ),
    response(
        "wrong-code-member-missing",
        "the response to a wrong code lacks its last required member",
        WRONG,
        D::MissingMember,
    ),
    response(
        "expired-member-missing",
        "the response to an expired code lacks its last required member",
        EXPIRED,
        D::MissingMember,
    ),
    response(
        "exhausted-member-missing",
        "the response for a locked session lacks its last required member",
        EXHAUSTED,
        D::MissingMember,
    ),
    response(
        "used-member-missing",
        "the response to a used code lacks its last required member",
        USED,
        D::MissingMember,
    ),
    response(
        "unknown-member-missing",
        "the response for an unknown session lacks its last required member",
        UNKNOWN,
        D::MissingMember,
    ),
    response(
        "malformed-code-member-missing",
        "the response to a malformed code lacks its last required member",
        &[S::MalformedCode],
        D::MissingMember,
    ),
    response(
        "missing-code-member-missing",
        "the response to a request without a code lacks its last required member",
        &[S::MissingCode],
        D::MissingMember,
    ),
    response(
        "missing-session-member-missing",
        "the response to a request without a session id lacks its last required member",
        &[S::MissingSession],
        D::MissingMember,
    ),
    response(
        "approved-mistyped",
        "a boolean or number in an approval is sent as a string",
        APPROVED,
        D::Mistyped,
    ),
    response(
        "wrong-code-mistyped",
        "a boolean or number in the response to a wrong code is sent as a string",
        WRONG,
        D::Mistyped,
    ),
    response(
        "expired-mistyped",
        "a boolean or number in the response to an expired code is sent as a string",
        EXPIRED,
        D::Mistyped,
    ),
    response(
        "exhausted-mistyped",
        "a boolean or number in the response for a locked session is sent as a string",
        EXHAUSTED,
        D::Mistyped,
    ),
    response(
        "used-mistyped",
        "a boolean or number in the response to a used code is sent as a string",
        USED,
        D::Mistyped,
    ),
    response("approved-null", "the last required member of an approval is null", APPROVED, D::NullMember),
    response(
        "wrong-code-null",
        "the last required member of the response to a wrong code is null",
        WRONG,
        D::NullMember,
    ),
    // Refusals that look like approvals.
    response(
        "wrong-code-claims-success",
        "the response to a wrong code includes the members of an approval, such as `verified: true`",
        WRONG,
        D::ClaimsSuccess,
    ),
    response(
        "expired-claims-success",
        "the response to an expired code includes the members of an approval",
        EXPIRED,
        D::ClaimsSuccess,
    ),
    response(
        "exhausted-claims-success",
        "the response for a locked session includes the members of an approval",
        EXHAUSTED,
        D::ClaimsSuccess,
    ),
    response(
        "used-claims-success",
        "the response to a used code includes the members of an approval",
        USED,
        D::ClaimsSuccess,
    ),
    response(
        "unknown-claims-success",
        "the response for an unknown session includes the members of an approval",
        UNKNOWN,
        D::ClaimsSuccess,
    ),
    response(
        "malformed-body-claims-success",
        "the response to a body that cannot be parsed includes the members of an approval",
        &[S::MalformedBody],
        D::ClaimsSuccess,
    ),
    response(
        "unauthorized-claims-success",
        "the response to missing or wrong credentials includes the members of an approval",
        UNAUTHORIZED,
        D::ClaimsSuccess,
    ),
    // Media types.
    response("approved-content-type", "an approval is labelled text/plain", APPROVED, D::PlainText),
    response(
        "wrong-code-content-type",
        "the response to a wrong code is labelled text/plain",
        WRONG,
        D::PlainText,
    ),
    response(
        "unknown-content-type",
        "the response for an unknown session is labelled text/plain",
        UNKNOWN,
        D::PlainText,
    ),
    response("wrong-code-html", "the response to a wrong code is an HTML page", WRONG, D::Html),
    response("exhausted-html", "the response for a locked session is an HTML page", EXHAUSTED, D::Html),
    response("expired-html", "the response to an expired code is an HTML page", EXPIRED, D::Html),
    // Echoed session ids.
    response(
        "approved-echo",
        "an approval echoes a session id that the request did not name",
        APPROVED,
        D::Echo,
    ),
    response(
        "approved-echo-earlier",
        "an approval echoes the session id of the previous call",
        APPROVED,
        D::EarlierEcho,
    ),
    response(
        "wrong-code-echo",
        "the response to a wrong code echoes a session id that the request did not name",
        WRONG,
        D::Echo,
    ),
    response(
        "wrong-code-echo-earlier",
        "the response to a wrong code echoes the session id of the previous call",
        WRONG,
        D::EarlierEcho,
    ),
    response(
        "unknown-echo-missing",
        "the response for an unknown session does not echo the session id",
        UNKNOWN,
        D::MissingEcho,
    ),
    // Intermittent faults.
    intermittent(
        "wrong-code-sometimes",
        "every third response to a wrong code has a different word or code",
        WRONG,
        D::Literal,
    ),
    intermittent(
        "expired-sometimes",
        "every third response to an expired code has HTTP status 500",
        EXPIRED,
        D::Status(500),
    ),
    intermittent(
        "used-sometimes",
        "every third response to a used code has HTTP status 500",
        USED,
        D::Status(500),
    ),
    intermittent(
        "approved-sometimes",
        "every third approval lacks its last required member",
        APPROVED,
        D::MissingMember,
    ),
];

const fn response(
    name: &'static str,
    summary: &'static str,
    situations: &'static [S],
    distortion: D,
) -> Fault {
    row(name, summary, Rule::DocumentedResponse, Effect::Response(situations, distortion))
}

const fn intermittent(
    name: &'static str,
    summary: &'static str,
    situations: &'static [S],
    distortion: D,
) -> Fault {
    row(name, summary, Rule::DocumentedResponse, Effect::Intermittent(situations, distortion))
}
