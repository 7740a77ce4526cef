//! Faults in reading a request, in authentication, and in what a response discloses or lacks. Each row names the rule
//! and the effect; `reading`, `access` and `leak` implement the effects. This file must contain nothing but the
//! table.

use super::row;
use crate::fault::access::Access;
use crate::fault::definition::{Effect, Fault};
use crate::fault::leak::Leak;
use crate::fault::reading::Reading as R;
use crate::fault::rule::Rule;
use crate::fault::trigger::Trigger;

pub(super) const TABLE: &[Fault] = &[
    // Spellings of a code.
    reading("code-as-integer", "codes are compared as integers", Rule::ExactCode, R::AsInteger),
    reading("code-leading-zeros", "leading zeros in a code are ignored", Rule::ExactCode, R::LeadingZeros),
    reading("code-beginning", "a prefix of the right code is approved", Rule::ExactCode, R::Prefix),
    reading(
        "code-ending",
        "the right code is approved with any text after it",
        Rule::ExactCode,
        R::TrailingText,
    ),
    reading("code-letter-case", "the case of letters in a code is ignored", Rule::ExactCode, R::LetterCase),
    reading("code-trimmed", "white space around a code is ignored", Rule::ExactCode, R::Trimmed),
    reading(
        "code-separators",
        "characters in a code other than letters and digits are ignored",
        Rule::ExactCode,
        R::Separators,
    ),
    reading(
        "code-full-width",
        "full-width digits in a code are accepted as digits",
        Rule::ExactCode,
        R::FullWidth,
    ),
    reading("code-up-to-nul", "everything after a NUL in a code is ignored", Rule::ExactCode, R::UpToNul),
    // Types of a code.
    reading("code-number", "a code is accepted as a JSON number", Rule::CodeType, R::Number),
    reading("code-list", "a list of codes is approved if it contains the right one", Rule::CodeType, R::List),
    reading(
        "code-operator",
        "an object such as `{\"$ne\": \"\"}` is evaluated as a condition on the code",
        Rule::CodeType,
        R::Operator,
    ),
    reading("code-empty", "an empty code is approved", Rule::CodeRequired, R::Empty),
    reading("code-null", "a null code is approved", Rule::CodeRequired, R::Null),
    reading("code-missing", "a request without a code is approved", Rule::CodeRequired, R::Missing),
    // Members.
    reading(
        "either-of-two",
        "a request with two codes is approved if either is right",
        Rule::UniqueNames,
        R::EitherOfTwo,
    ),
    reading(
        "verified-member",
        "a request member such as `verified: true` causes any code to be approved",
        Rule::UnknownMembers,
        R::VerifiedMember,
    ),
    reading(
        "attempts-member",
        "a request member `attempts: 0` resets the count of wrong codes",
        Rule::UnknownMembers,
        R::AttemptsMember,
    ),
    reading(
        "positional-body",
        "a JSON array is accepted as the members of the body in order",
        Rule::BodyIsObject,
        R::Positional,
    ),
    reading(
        "session-list",
        "a list of session ids is accepted, and its first id is used",
        Rule::SessionIdType,
        R::SessionList,
    ),
    // Bytes of the body.
    reading(
        "first-piece-only",
        "only the first chunk of a body that arrives is read",
        Rule::WholeBody,
        R::FirstChunk,
    ),
    reading("broken-off-taken", "a truncated body is accepted as complete", Rule::WholeBody, R::Truncated),
    reading(
        "invalid-utf-8-dropped",
        "bytes that are not valid UTF-8 are dropped from the body",
        Rule::TextEncoding,
        R::DropsInvalidUtf8,
    ),
    // Server errors.
    reading("nul-500", "a NUL in a value causes HTTP status 500", Rule::TextEncoding, R::Crash(Trigger::Nul)),
    reading(
        "invalid-utf-8-500",
        "bytes that are not valid UTF-8 cause HTTP status 500",
        Rule::TextEncoding,
        R::Crash(Trigger::InvalidUtf8),
    ),
    reading(
        "no-object-500",
        "a JSON body that is not an object causes HTTP status 500",
        Rule::BodyIsObject,
        R::Crash(Trigger::NotAnObject),
    ),
    reading(
        "long-code-500",
        "a code longer than 64 bytes causes HTTP status 500",
        Rule::CodeLength,
        R::Crash(Trigger::LongCode),
    ),
    reading(
        "compressed-500",
        "a body labelled as compressed causes HTTP status 500",
        Rule::ContentEncoding,
        R::Crash(Trigger::Compressed),
    ),
    reading(
        "code-type-500",
        "a code that is not a string causes HTTP status 500",
        Rule::CodeType,
        R::Crash(Trigger::NotText),
    ),
    reading(
        "parameters-500",
        "a parameter out of bounds causes HTTP status 500",
        Rule::ParameterBounds,
        R::Crash(Trigger::OutOfBounds),
    ),
    // Authentication, accounts and methods.
    access(
        "no-credentials",
        "a call without credentials is served",
        Rule::CredentialsRequired,
        Access::NoCredentials,
    ),
    access(
        "any-credentials",
        "a call with wrong credentials is served",
        Rule::CredentialsCompared,
        Access::AnyCredentials,
    ),
    access(
        "empty-credentials",
        "a call with empty credentials is served",
        Rule::CredentialsRequired,
        Access::EmptyCredentials,
    ),
    access(
        "other-account",
        "the credentials of one account are accepted for the path of another",
        Rule::OwnAccount,
        Access::OtherAccount,
    ),
    access(
        "scheme-case",
        "the name of an authentication scheme is accepted only in its usual spelling",
        Rule::SchemeName,
        Access::SchemeCase,
    ),
    access("other-method", "GET is served like POST, or POST like GET", Rule::Method, Access::OtherMethod),
    access(
        "method-override",
        "X-HTTP-Method-Override replaces the method of the request",
        Rule::Method,
        Access::MethodOverride,
    ),
    // Required headers and disclosed data.
    leak(
        "no-challenge",
        "a response with status 401 names no authentication scheme",
        Rule::Challenge,
        Leak::NoChallenge,
    ),
    leak(
        "no-allow",
        "a response with status 405 does not list the allowed methods",
        Rule::Method,
        Leak::NoAllow,
    ),
    leak(
        "code-in-body",
        "the response to a wrong code includes the right code in its body",
        Rule::Secrecy,
        Leak::CodeInBody,
    ),
    leak(
        "code-in-header",
        "the response to a wrong code includes the right code in a header field",
        Rule::Secrecy,
        Leak::CodeInHeader,
    ),
    leak("length-disclosed", "a refusal discloses the length of the right code", Rule::Secrecy, Leak::Length),
    leak(
        "parser-message",
        "the response to a malformed request includes a parser's message and the request body",
        Rule::Secrecy,
        Leak::ParserMessage,
    ),
    leak("trace", "the response to a malformed request includes a stack trace", Rule::Secrecy, Leak::Trace),
    leak("cookie", "each response sets a cookie", Rule::ResponseHeaders, Leak::Cookie),
    leak("cacheable", "each response allows caches to store it", Rule::ResponseHeaders, Leak::Cacheable),
];

const fn reading(name: &'static str, summary: &'static str, breaks: Rule, reading: R) -> Fault {
    row(name, summary, breaks, Effect::Reading(reading))
}

const fn access(name: &'static str, summary: &'static str, breaks: Rule, access: Access) -> Fault {
    row(name, summary, breaks, Effect::Access(access))
}

const fn leak(name: &'static str, summary: &'static str, breaks: Rule, leak: Leak) -> Fault {
    row(name, summary, breaks, Effect::Leak(leak))
}
