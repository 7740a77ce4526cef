//! What a response must not reveal: the right code, the server's internals, and anything that outlives the exchange.

use otp_contract::Situation;

use super::probe::{Authority, Probe, SESSION, always, body_with, code_in_body};
use super::{Area, standards};
use crate::harness::{
    Abort, Body, CheckContext, Credentials, IssuedSession, RequestMutation, SubmittedCode, TrackedSession,
    VerifyCall, attempts,
};
use crate::http::RawResponse;

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Disclosure,
        name: "code",
        statement: "no header and no body contains the right code or the caller's secret",
        authority: Authority::Safety(Situation::WrongCode),
        standard: standards::LEAK,
        applies: always,
        run: |context| Box::pin(code(context)),
    },
    Probe {
        area: Area::Disclosure,
        name: "internals",
        statement: "a refusal names no library, type, query or stack frame, and does not repeat the submitted code",
        authority: Authority::Standard,
        standard: standards::INTERNALS,
        applies: always,
        run: |context| Box::pin(internals(context)),
    },
    Probe {
        area: Area::Disclosure,
        name: "headers",
        statement: "a response sets no cookie and does not allow caching",
        authority: Authority::Standard,
        standard: standards::CACHING,
        applies: always,
        run: |context| Box::pin(headers(context)),
    },
];

/// The state of a session when the calls start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SessionState {
    Live,
    Locked,
    Expired,
}

/// When the right code is submitted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RightCode {
    /// Before every call that a server may count as an attempt.
    First,
    /// After all of them.
    Last,
}

/// Responses of every kind, before, at and after the end of a session.
async fn responses(
    context: &mut CheckContext<'_>,
    session: &TrackedSession,
    right: RightCode,
) -> Result<Vec<RawResponse>, Abort> {
    let mut responses = Vec::new();
    let issued = session.issued.clone();
    for _ in 0..session.spare_attempts().min(2) {
        let wrong = context.wrong_code(&issued.code);
        responses.push(context.send(&context.call(&issued, SubmittedCode::plain(&wrong))).await?);
    }
    if right == RightCode::First {
        responses.push(context.send(&context.call(&issued, issued.right())).await?);
    }
    if code_in_body(context.contract) {
        for body in ["{\"cut short\": \"", "[]", "{\"x\": 1}"] {
            let mutation = RequestMutation { body: Some(Body::Text(body)), ..RequestMutation::default() };
            let call = VerifyCall { mutation, ..context.call(&issued, issued.right()) };
            responses.push(context.send(&call).await?);
        }
    }
    let malformed = context.call(&issued, SubmittedCode::plain("!"));
    responses.push(context.send(&malformed).await?);
    let mut unknown = issued.clone();
    unknown.session.session = context.unknown_id(&issued.session.session);
    let wrong = context.wrong_code(&issued.code);
    responses.push(context.send(&context.call(&unknown, SubmittedCode::plain(&wrong))).await?);
    responses.push(context.send(&context.call(&issued, issued.right())).await?);
    let wrong = context.wrong_code(&issued.code);
    responses.push(context.send(&context.call(&issued, SubmittedCode::plain(&wrong))).await?);
    Ok(responses)
}

async fn code(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    // Two sessions with different codes each: six digits may occur in an id by chance once, but not twice.
    let orders = [
        (SessionState::Live, RightCode::First),
        (SessionState::Live, RightCode::Last),
        (SessionState::Locked, RightCode::Last),
        (SessionState::Expired, RightCode::Last),
    ];
    let orders = orders.into_iter().flat_map(|order| [order, order]).collect();
    let revealing =
        context.for_each(orders, |context, (state, right)| Box::pin(reveals_code(context, state, right)));
    let revealed = revealing.await?;
    match revealed.iter().filter(|revealed| **revealed).count() {
        0 | 1 => Ok(()),
        _ => {
            let deviation = context
                .deviation("no response with the right code", "the right code in a header or the body");
            Err(deviation.shown_where(|response, session| {
                session.is_some_and(|session| contains(response, &session.code))
            }))
        }
    }
}

/// Whether a response to a session in this state has its code. A deviation if one has the caller's secret.
async fn reveals_code(
    context: &mut CheckContext<'_>,
    state: SessionState,
    right: RightCode,
) -> Result<bool, Abort> {
    let mut session = context.start_session(&attempts(3)).await?;
    let mut all = Vec::new();
    if state == SessionState::Expired
        && let Some(ttl) = session.rules.ttl
    {
        context.advance(&mut session, ttl + 1).await?;
    }
    if state == SessionState::Locked
        && let Some(limit) = session.rules.limit.filter(|limit| *limit <= 20)
    {
        let issued = session.issued.clone();
        for _ in 0..=limit {
            let wrong = context.wrong_code(&issued.code);
            all.push(context.send(&context.call(&issued, SubmittedCode::plain(&wrong))).await?);
        }
    }
    all.extend(responses(context, &session, right).await?);
    let code = session.issued.code.clone();
    let mut secrets = session.issued.tenant.credentials.values().map(Credentials::secret);
    if secrets.any(|secret| all.iter().any(|response| contains(response, secret))) {
        let deviation =
            context.deviation("no response with the caller's secret", "the secret in a header or the body");
        return Err(deviation.shown_where(|response, session| {
            let secrets = session.into_iter().flat_map(|session| session.tenant.credentials.values());
            secrets.map(Credentials::secret).any(|secret| contains(response, secret))
        }));
    }
    Ok(all.iter().any(|response| contains(response, &code)))
}

fn contains(response: &RawResponse, code: &str) -> bool {
    let in_headers =
        response.headers.values().any(|value| String::from_utf8_lossy(value.as_bytes()).contains(code));
    in_headers || String::from_utf8_lossy(&response.body).contains(code)
}

/// Words that reveal an implementation and that no vendor uses.
const INTERNAL_WORDS: [&str; 22] = [
    "traceback",
    "stack trace",
    "stacktrace",
    "panicked",
    "exception",
    "serde",
    "invalid type:",
    "expected struct",
    "at line ",
    "line 1 column",
    "jackson",
    "com.fasterxml",
    "org.springframework",
    "node_modules",
    "sqlstate",
    "syntax error at",
    "select * from",
    "redis",
    "django",
    "werkzeug",
    "expected_length",
    "expected length",
];

async fn internals(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let session = context.start_session(&attempts(3)).await?;
    for response in responses(context, &session, RightCode::Last).await? {
        let text = String::from_utf8_lossy(&response.body).to_lowercase();
        if let Some(word) = INTERNAL_WORDS.iter().find(|word| text.contains(**word)) {
            let deviation =
                context.deviation("no word about the server's internals", format!("`{word}` in {text}"));
            let test = move |response: &RawResponse, _: Option<&IssuedSession>| {
                String::from_utf8_lossy(&response.body).to_lowercase().contains(word)
            };
            return Err(deviation.shown_where(test));
        }
    }
    if code_in_body(context.contract) {
        // Many deserializers repeat an unexpected number in their error messages.
        let canary = "918273645918";
        let body = body_with(context.contract, SESSION, canary);
        let issued = session.issued.clone();
        let mutation = RequestMutation { body: Some(Body::Text(&body)), ..RequestMutation::default() };
        let call = VerifyCall { mutation, ..context.call(&issued, issued.right()) };
        let response = context.send(&call).await?;
        if String::from_utf8_lossy(&response.body).contains(canary) {
            let deviation =
                context.deviation("a response without the submitted code", context.recording.last_response());
            let test = move |response: &RawResponse, _: Option<&IssuedSession>| {
                String::from_utf8_lossy(&response.body).contains(canary)
            };
            return Err(deviation.shown_where(test));
        }
    }
    Ok(())
}

/// The `Cache-Control` of a response that a cache may keep.
fn kept_by_caches(response: &RawResponse) -> Option<String> {
    let caching = response.headers.get(http::header::CACHE_CONTROL)?.to_str().ok()?.to_ascii_lowercase();
    let is_fresh = caching.split(',').any(|part| {
        let part = part.trim();
        part == "public" || part.strip_prefix("max-age=").is_some_and(|seconds| seconds != "0")
    });
    (is_fresh && !caching.contains("no-store")).then_some(caching)
}

async fn headers(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let mut all = Vec::new();
    for right in [RightCode::First, RightCode::Last] {
        let session = context.start_session(&attempts(3)).await?;
        all.extend(responses(context, &session, right).await?);
    }
    for response in all {
        if let Some(cookie) = response.headers.get(http::header::SET_COOKIE) {
            let cookie = String::from_utf8_lossy(cookie.as_bytes()).into_owned();
            let deviation = context.deviation("no Set-Cookie", cookie);
            return Err(
                deviation.shown_where(|response, _| response.headers.contains_key(http::header::SET_COOKIE))
            );
        }
        if let Some(caching) = kept_by_caches(&response) {
            let deviation = context.deviation("a response that no cache keeps", caching);
            return Err(deviation.shown_where(|response, _| kept_by_caches(response).is_some()));
        }
        if response.headers.contains_key(http::header::LOCATION) && (300..400).contains(&response.status) {
            return Err(context
                .deviation("no redirect of a call that carries a code", context.recording.last_response()));
        }
    }
    Ok(())
}
