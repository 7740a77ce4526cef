//! What an answer must not tell: the right code, what the server is made of, and anything that outlives the exchange.

use otp_contract::Situation;

use super::{Probe, always, code_in_body, standard};
use crate::call::{Body, Call, Guess, Twist};
use crate::check::Area;
use crate::control::Credentials;
use crate::finding::last_answer;
use crate::flow::{Live, attempts};
use crate::subject::{Bench, Stop};
use crate::wire::RawResponse;

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Disclosure,
        name: "code",
        statement: "neither the right code nor the caller's secret stands in any header or body",
        says: Some(Situation::WrongCode),
        standard: standard::LEAK,
        applies: always,
        run: |bench| Box::pin(code(bench)),
    },
    Probe {
        area: Area::Disclosure,
        name: "internals",
        statement: "a refusal names no library, type, query or stack, and does not repeat a code that was sent",
        says: None,
        standard: standard::INTERNALS,
        applies: always,
        run: |bench| Box::pin(internals(bench)),
    },
    Probe {
        area: Area::Disclosure,
        name: "headers",
        statement: "an answer sets no cookie and may not be kept by a cache",
        says: None,
        standard: standard::CACHING,
        applies: always,
        run: |bench| Box::pin(headers(bench)),
    },
];

/// What became of a session before it is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Live,
    Locked,
    Expired,
}

/// When the right code is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RightCode {
    /// Before anything is sent that a server may count as an attempt.
    First,
    /// After all of it.
    Last,
}

/// Answers of every kind that a session gives before, at and after its end.
async fn answers(bench: &mut Bench<'_>, live: &Live, right: RightCode) -> Result<Vec<RawResponse>, Stop> {
    let mut answers = Vec::new();
    let issued = live.issued.clone();
    let retry = bench.retries();
    for _ in 0..live.spare().min(2) {
        let wrong = bench.wrong_code(&issued.code);
        answers.push(bench.send(&issued.call(bench.contract, Guess::plain(&wrong), retry)).await?);
    }
    if right == RightCode::First {
        answers.push(bench.send(&issued.call(bench.contract, issued.right(), retry)).await?);
    }
    if code_in_body(bench.contract) {
        for body in ["{\"cut short\": \"", "[]", "{\"x\": 1}"] {
            let twist = Twist { body: Some(Body::Text(body)), ..Twist::default() };
            let call = Call { twist, ..issued.call(bench.contract, issued.right(), retry) };
            answers.push(bench.send(&call).await?);
        }
    }
    let malformed = issued.call(bench.contract, Guess::plain("!"), retry);
    answers.push(bench.send(&malformed).await?);
    let mut unknown = issued.clone();
    unknown.session.session = bench.unknown_id(&issued.session.session);
    let wrong = bench.wrong_code(&issued.code);
    answers.push(bench.send(&unknown.call(bench.contract, Guess::plain(&wrong), retry)).await?);
    answers.push(bench.send(&issued.call(bench.contract, issued.right(), retry)).await?);
    let wrong = bench.wrong_code(&issued.code);
    answers.push(bench.send(&issued.call(bench.contract, Guess::plain(&wrong), retry)).await?);
    Ok(answers)
}

async fn code(bench: &mut Bench<'_>) -> Result<(), Stop> {
    // Two sessions with codes of their own: six digits stand in an id by chance once, and not twice.
    let mut told = Vec::new();
    let orders = [
        (State::Live, RightCode::First),
        (State::Live, RightCode::Last),
        (State::Locked, RightCode::Last),
        (State::Expired, RightCode::Last),
    ];
    for (state, right) in orders.into_iter().flat_map(|order| [order, order]) {
        let mut live = bench.open(&attempts(3)).await?;
        let mut all = Vec::new();
        if state == State::Expired
            && let Some(ttl) = live.rules.ttl
        {
            bench.pass(&mut live, ttl + 1).await?;
        }
        if state == State::Locked
            && let Some(limit) = live.rules.limit.filter(|limit| *limit <= 20)
        {
            let issued = live.issued.clone();
            for _ in 0..=limit {
                let wrong = bench.wrong_code(&issued.code);
                let retry = bench.retries();
                all.push(bench.send(&issued.call(bench.contract, Guess::plain(&wrong), retry)).await?);
            }
        }
        all.extend(answers(bench, &live, right).await?);
        let code = live.issued.code.clone();
        let secrets = live.issued.tenant.credentials.values();
        if secrets.map(Credentials::secret).any(|secret| all.iter().any(|answer| tells(answer, secret))) {
            return Err(
                bench.found("no answer with the caller's secret in it", "the secret in header or body")
            );
        }
        told.push(all.iter().any(|answer| tells(answer, &code)));
    }
    match told.iter().filter(|told| **told).count() {
        0 | 1 => Ok(()),
        _ => Err(bench.found("no answer with the right code in it", "the right code in header or body")),
    }
}

fn tells(answer: &RawResponse, code: &str) -> bool {
    let in_headers =
        answer.headers.values().any(|value| String::from_utf8_lossy(value.as_bytes()).contains(code));
    in_headers || String::from_utf8_lossy(&answer.body).contains(code)
}

/// Words that an implementation says and a vendor does not.
const INTERNAL: [&str; 22] = [
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

async fn internals(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let live = bench.open(&attempts(3)).await?;
    for answer in answers(bench, &live, RightCode::Last).await? {
        let text = String::from_utf8_lossy(&answer.body).to_lowercase();
        if let Some(word) = INTERNAL.iter().find(|word| text.contains(**word)) {
            return Err(bench.found("no word of what the server is made of", format!("`{word}` in {text}")));
        }
    }
    if code_in_body(bench.contract) {
        // A number is the usual way to make a deserializer repeat what it was given.
        let canary = "918273645918";
        let body = super::body_with(bench.contract, super::SESSION, canary);
        let issued = live.issued.clone();
        let twist = Twist { body: Some(Body::Text(&body)), ..Twist::default() };
        let call = Call { twist, ..issued.call(bench.contract, issued.right(), bench.retries()) };
        let answer = bench.send(&call).await?;
        if String::from_utf8_lossy(&answer.body).contains(canary) {
            return Err(bench.found("an answer without the code that was sent", last_answer(bench)));
        }
    }
    Ok(())
}

async fn headers(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut all = Vec::new();
    for right in [RightCode::First, RightCode::Last] {
        let live = bench.open(&attempts(3)).await?;
        all.extend(answers(bench, &live, right).await?);
    }
    for answer in all {
        if let Some(cookie) = answer.headers.get(http::header::SET_COOKIE) {
            let cookie = String::from_utf8_lossy(cookie.as_bytes()).into_owned();
            return Err(bench.found("no Set-Cookie", cookie));
        }
        let caching = answer.headers.get(http::header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
        if let Some(caching) = caching.map(str::to_ascii_lowercase) {
            let fresh = caching.split(',').any(|part| {
                let part = part.trim();
                part == "public" || part.strip_prefix("max-age=").is_some_and(|seconds| seconds != "0")
            });
            if fresh && !caching.contains("no-store") {
                return Err(bench.found("an answer that no cache keeps", caching));
            }
        }
        if answer.headers.contains_key(http::header::LOCATION) && (300..400).contains(&answer.status) {
            return Err(bench.found("no redirect of a call that carries a code", last_answer(bench)));
        }
    }
    Ok(())
}
