//! Faults in how a request is read, in who is let in, and in what an answer gives away. A table, and nothing else.

use super::super::{Access, Effect, Fault, Leak, Reading as R, Trigger};
use super::fault;

/// A sloppy reading turns what is no attempt into one, so it may also show where malformed requests are meant to cost
/// nothing.
const BY_SPELLING: &[&str] = &[
    "request/code-spelling",
    "request/encoding",
    "request/size",
    "matrix/malformed_code",
    "limit/not-reset",
    "lifecycle/random",
];
const BY_TWO: &[&str] =
    &["request/duplicate-members", "request/parameters", "limit/not-reset", "lifecycle/random"];
const BY_ENCODING: &[&str] = &["request/encoding"];
const BY_OBJECT: &[&str] = &["request/not-an-object", "limit/not-reset", "lifecycle/random"];
const BY_NOTHING: &[&str] = &["request/*", "matrix/missing_code", "limit/not-reset", "lifecycle/random"];

pub(super) const TABLE: &[Fault] = &[
    // Spellings of a code.
    read("code-as-integer", "codes are compared as whole numbers", R::AsInteger, BY_SPELLING),
    read("code-leading-zeros", "zeros at the start of a code do not count", R::LeadingZeros, BY_SPELLING),
    read("code-beginning", "the beginning of the right code is approved", R::Beginning, BY_SPELLING),
    read("code-ending", "the right code is approved with anything behind it", R::Ending, BY_SPELLING),
    read("code-letter-case", "letters of a code are right in either case", R::LetterCase, BY_SPELLING),
    read("code-trimmed", "white space around a code is dropped", R::Trimmed, BY_SPELLING),
    read(
        "code-separators",
        "whatever is no letter and no digit is dropped from a code",
        R::Separators,
        BY_SPELLING,
    ),
    read("code-full-width", "full-width digits are taken for digits", R::FullWidth, BY_SPELLING),
    read("code-up-to-nul", "a code ends at a NUL", R::UpToNul, BY_SPELLING),
    // Types of a code.
    read(
        "code-number",
        "a code is accepted as a number",
        R::Number,
        &["request/code-as-number", "limit/not-reset", "lifecycle/random"],
    ),
    read(
        "code-list",
        "any code of a list may be the right one",
        R::List,
        &["request/code-in-a-list", "limit/not-reset", "lifecycle/random"],
    ),
    read(
        "code-operator",
        "an object such as `{\"$ne\": \"\"}` is evaluated as a condition on the code",
        R::Operator,
        &["request/code-as-object", "limit/not-reset", "lifecycle/random"],
    ),
    read("code-empty", "an empty code is approved", R::Empty, BY_NOTHING),
    read("code-null", "a code of null is approved", R::Null, BY_NOTHING),
    read("code-missing", "a request without a code is approved", R::Missing, BY_NOTHING),
    // Members.
    read("either-of-two", "of two codes in one request either may be the right one", R::EitherOfTwo, BY_TWO),
    read(
        "verified-member",
        "a member such as `verified: true` in the request approves any code",
        R::VerifiedMember,
        &["request/unknown-members"],
    ),
    read(
        "attempts-member",
        "a member `attempts: 0` in the request sets the count of wrong codes to zero",
        R::AttemptsMember,
        &["request/unknown-members", "limit/not-reset"],
    ),
    read("positional-body", "a list is taken for the members of the body in order", R::Positional, BY_OBJECT),
    read("session-list", "a list of ids is taken for its first", R::SessionList, &["request/session-types"]),
    // Bytes.
    read(
        "first-piece-only",
        "only what arrives first of a body is read",
        R::FirstPiece,
        &["request/pieces", "request/size"],
    ),
    read(
        "broken-off-taken",
        "a body that breaks off before its end is taken for whole",
        R::CutOff,
        &["request/broken-off", "request/*", "limit/not-reset", "lifecycle/random"],
    ),
    read(
        "invalid-utf-8-dropped",
        "bytes that are no UTF-8 are dropped from the body",
        R::DropsInvalid,
        BY_ENCODING,
    ),
    // Failures.
    read(
        "nul-500",
        "a NUL in a value is answered with HTTP 500",
        R::Crash(Trigger::Nul),
        &[
            "request/encoding",
            "request/parameters",
            "request/code-spelling",
            "request/session-*",
            "limit/not-reset",
            "lifecycle/random",
        ],
    ),
    read(
        "invalid-utf-8-500",
        "bytes that are no UTF-8 are answered with HTTP 500",
        R::Crash(Trigger::InvalidUtf8),
        &[
            "request/encoding",
            "request/parameters",
            "request/session-*",
            "limit/not-reset",
            "lifecycle/random",
        ],
    ),
    read(
        "no-object-500",
        "a body that is JSON and no object is answered with HTTP 500",
        R::Crash(Trigger::NoObject),
        BY_OBJECT,
    ),
    read(
        "long-code-500",
        "a code of more than 64 bytes is answered with HTTP 500",
        R::Crash(Trigger::LongCode),
        &["request/size", "request/code-spelling", "limit/not-reset", "lifecycle/random"],
    ),
    read(
        "compressed-500",
        "a body that is said to be compressed is answered with HTTP 500",
        R::Crash(Trigger::Compressed),
        &["request/compressed"],
    ),
    read(
        "code-type-500",
        "a code that is no string is answered with HTTP 500",
        R::Crash(Trigger::NoText),
        &["request/code-*", "limit/not-reset", "lifecycle/random"],
    ),
    read(
        "parameters-500",
        "a parameter that is out of bounds is answered with HTTP 500",
        R::Crash(Trigger::OutOfBounds),
        &["request/parameters", "limit/not-reset", "lifecycle/random"],
    ),
    // Who is let in.
    enter(
        "no-credentials",
        "a call without credentials is served",
        Access::NoCredentials,
        &["auth/*", "matrix/missing_credentials"],
    ),
    enter(
        "any-credentials",
        "a call with wrong credentials is served",
        Access::AnyCredentials,
        &["auth/*", "matrix/wrong_credentials"],
    ),
    enter(
        "empty-credentials",
        "a call with empty credentials is served",
        Access::EmptyCredentials,
        &["auth/missing", "auth/wrong", "auth/challenge"],
    ),
    enter(
        "other-account",
        "the credentials of one account are good for the path of another",
        Access::OtherAccount,
        &["auth/other-account", "isolation/*", "matrix/foreign_session"],
    ),
    enter(
        "scheme-case",
        "the name of an authentication scheme is accepted only as it is usually spelled",
        Access::SchemeCase,
        &["auth/scheme-case"],
    ),
    enter(
        "other-method",
        "GET is served like POST, or POST like GET",
        Access::OtherMethod,
        &["request/method"],
    ),
    enter(
        "method-override",
        "the method is taken from X-HTTP-Method-Override",
        Access::MethodOverride,
        &["request/method"],
    ),
    // What is owed and what is given away.
    leak("no-challenge", "a 401 names no authentication scheme", Leak::NoChallenge, &["auth/*"]),
    leak("no-allow", "a 405 names no method", Leak::NoAllow, &["request/method"]),
    leak(
        "code-in-body",
        "the body of the answer to a wrong code carries the right one",
        Leak::CodeInBody,
        &["disclosure/*"],
    ),
    leak(
        "code-in-header",
        "a header field of the answer to a wrong code carries the right one",
        Leak::CodeInHeader,
        &["disclosure/*"],
    ),
    leak("length-told", "a refusal tells how long the right code is", Leak::Length, &["disclosure/*"]),
    leak(
        "parser-message",
        "a malformed request is answered with a parser's message and what was sent",
        Leak::ParserMessage,
        &["disclosure/*"],
    ),
    leak("trace", "a malformed request is answered with a trace of calls", Leak::Trace, &["disclosure/*"]),
    leak("cookie", "each answer sets a cookie", Leak::Cookie, &["disclosure/headers"]),
    leak("cacheable", "each answer may be kept by caches", Leak::Cacheable, &["disclosure/headers"]),
];

const fn read(
    name: &'static str,
    summary: &'static str,
    reading: R,
    found_by: &'static [&'static str],
) -> Fault {
    fault(name, summary, Effect::Reading(reading), found_by)
}

const fn enter(
    name: &'static str,
    summary: &'static str,
    access: Access,
    found_by: &'static [&'static str],
) -> Fault {
    fault(name, summary, Effect::Access(access), found_by)
}

const fn leak(
    name: &'static str,
    summary: &'static str,
    leak: Leak,
    found_by: &'static [&'static str],
) -> Fault {
    fault(name, summary, Effect::Leak(leak), found_by)
}
