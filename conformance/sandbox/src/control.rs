//! The control protocol, version 1: how a test makes tenants and sessions and lets time pass. Described for
//! implementers in `openapi/control.yaml`. It never repeats a code.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use otp_contract::Resend;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::dialect::Dialect;
use crate::json::read_object;
use crate::mint::mint;
use crate::server::{Shared, read_body};
use crate::store::{Issue, Issued, Key, StoreError};
use crate::tenants::Tenant;

/// The longest lifetime that can be wished for, in seconds, where the contract sets no bound of its own.
const LONGEST_TTL: u64 = 86_400;

/// The most that a session is made older at a time, in seconds: ten years, after which nothing changes any more.
const OLDEST: u64 = 10 * 365 * 86_400;

/// The most attempts that can be wished for, where the contract sets no bound of its own.
const MOST_ATTEMPTS: u32 = 100;

pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_control/v1", get(describe).fallback(wrong_method))
        .route("/_control/v1/tenants", post(create_tenant).fallback(wrong_method))
        .route("/_control/v1/sessions", post(issue_session).fallback(wrong_method))
        .route("/_control/v1/sessions/age", post(age_session).fallback(wrong_method))
        .route("/_control/{*rest}", any(no_operation))
}

/// A refusal of the control protocol.
struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Refused(status, error) = self;
        let mut response = reply(status, &json!({"error": error}));
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"control\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

fn reply(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

async fn no_operation() -> Refused {
    Refused(StatusCode::NOT_FOUND, "the control has no such operation".to_owned())
}

async fn wrong_method() -> Refused {
    Refused(StatusCode::METHOD_NOT_ALLOWED, "this operation has another method".to_owned())
}

async fn describe(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Response, Refused> {
    authorize(&shared, &headers)?;
    let vendors: Vec<_> = shared.dialects.iter().map(|dialect| dialect.contract.vendor.as_str()).collect();
    let implementation = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
    Ok(reply(
        StatusCode::OK,
        &json!({
            "protocol": 1,
            "implementation": implementation,
            "vendors": vendors,
            "operations": ["tenants", "sessions", "age", "resend"],
        }),
    ))
}

#[derive(Deserialize)]
struct TenantRequest {
    vendor: String,
}

async fn create_tenant(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, Refused> {
    let body = authorized(&shared, request).await?;
    let request: TenantRequest = read(&body)?;
    let dialect = dialect(&shared, &request.vendor)?;
    let tenant = shared.tenants.create(&dialect.contract).ok_or_else(no_randomness)?;
    Ok(reply(StatusCode::CREATED, &tenant.json()))
}

#[derive(Deserialize)]
struct SessionRequest {
    vendor: String,
    tenant: String,
    code: String,
    ttl_seconds: Option<Whole>,
    max_attempts: Option<Whole>,
    recipient_of: Option<String>,
}

/// A whole number, as large as JSON's numbers commonly are; what is beyond 128 bits is as far out of range as the last
/// that is not.
#[derive(Deserialize)]
#[serde(try_from = "serde_json::Number")]
struct Whole(i128);

impl TryFrom<serde_json::Number> for Whole {
    type Error = &'static str;

    fn try_from(number: serde_json::Number) -> Result<Whole, &'static str> {
        match (number.as_i128(), number.as_f64()) {
            (Some(whole), _) => Ok(Whole(whole)),
            // A conversion that saturates.
            #[expect(clippy::cast_possible_truncation, reason = "what is out of range is clamped later on")]
            (None, Some(number)) if number.fract() == 0.0 => Ok(Whole(number as i128)),
            _ => Err("a whole number"),
        }
    }
}

/// A wish, within 1 and the most there is.
fn clamped<T: TryFrom<i128> + Into<i128> + Copy>(wish: i128, most: T) -> T {
    T::try_from(wish.clamp(1, most.into())).unwrap_or(most)
}

async fn issue_session(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, Refused> {
    let body = authorized(&shared, request).await?;
    let request: SessionRequest = read(&body)?;
    let dialect = dialect(&shared, &request.vendor)?;
    let tenant = tenant(&shared, dialect, &request.tenant)?;
    let contract = &dialect.contract;
    let shape = &contract.verify().code;
    if !shape.admits(&request.code) {
        return Err(Refused(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("a code has {} to {} {:?}", shape.min_length, shape.max_length, shape.alphabet)
                .to_lowercase(),
        ));
    }
    let lifetime = &contract.policy.lifetime;
    let ttl_seconds = match request.ttl_seconds {
        None => lifetime.seconds,
        Some(Whole(wish)) => clamped(wish, lifetime.max.unwrap_or(LONGEST_TTL)),
    };
    let max_attempts = contract.policy.attempts.as_ref().map(|limit| match request.max_attempts {
        None => limit.limit,
        Some(Whole(wish)) => clamped(wish, limit.max.unwrap_or(MOST_ATTEMPTS)),
    });
    let key = |session| Key { vendor: &contract.vendor, tenant: &tenant.id, session };
    let session = match (&request.recipient_of, contract.verify().session.resend) {
        (Some(earlier), Resend::Same) => earlier.clone(),
        _ => mint(&contract.verify().session.id_pattern).ok_or_else(no_randomness)?,
    };
    let issue = Issue {
        key: key(&session),
        code: &request.code,
        ttl_seconds,
        max_attempts,
        lockout_seconds: contract.policy.lockout_seconds,
        resend_of: request.recipient_of.as_deref().map(key),
    };
    match shared.store.issue(issue).await.map_err(|error| no_store(&error))? {
        Issued::Done => Ok(reply(
            StatusCode::CREATED,
            &json!({"session": session, "ttl_seconds": ttl_seconds, "max_attempts": max_attempts}),
        )),
        Issued::NoSuchSession => Err(no_session()),
    }
}

#[derive(Deserialize)]
struct AgeRequest {
    vendor: String,
    tenant: String,
    session: String,
    seconds: Whole,
}

async fn age_session(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, Refused> {
    let body = authorized(&shared, request).await?;
    let request: AgeRequest = read(&body)?;
    let dialect = dialect(&shared, &request.vendor)?;
    let tenant = tenant(&shared, dialect, &request.tenant)?;
    let key = Key { vendor: &request.vendor, tenant: &tenant.id, session: &request.session };
    let Whole(seconds) = request.seconds;
    let Ok(seconds) = u64::try_from(seconds.min(OLDEST.into())) else { return Err(misshapen()) };
    match shared.store.age(key, seconds).await.map_err(|error| no_store(&error))? {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => Err(no_session()),
    }
}

/// The body of a call that may be made. Whoever may not make it gets nothing read.
async fn authorized(shared: &Shared, request: Request) -> Result<Bytes, Refused> {
    authorize(shared, request.headers())?;
    read_body(request.into_body(), shared.limits).await.map_err(|status| {
        let reason = status.canonical_reason().unwrap_or("refused").to_lowercase();
        Refused(status, format!("the body cannot be taken: {reason}"))
    })
}

fn authorize(shared: &Shared, headers: &HeaderMap) -> Result<(), Refused> {
    let Some(token) = &shared.control_token else { return Ok(()) };
    let field = headers.get(header::AUTHORIZATION).map(http::HeaderValue::as_bytes).unwrap_or_default();
    // Scheme names are case-insensitive (RFC 9110 §11.1).
    let (scheme, shown) = field.split_at_checked("Bearer ".len()).unwrap_or_default();
    let shown = if scheme.eq_ignore_ascii_case(b"Bearer ") { shown.trim_ascii_start() } else { b"" };
    // Compared through a digest, so that the time taken tells nothing of the token.
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"control");
    let digest = ring::hmac::sign(&key, token.as_bytes());
    match ring::hmac::verify(&key, shown, digest.as_ref()) {
        Ok(()) => Ok(()),
        Err(_) => Err(Refused(StatusCode::UNAUTHORIZED, "the control token is missing or wrong".to_owned())),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    read_object(body).and_then(|object| serde_json::from_value(object.into()).ok()).ok_or_else(misshapen)
}

fn misshapen() -> Refused {
    Refused(StatusCode::BAD_REQUEST, "the body is not an object of the documented shape".to_owned())
}

fn dialect<'a>(shared: &'a Shared, vendor: &str) -> Result<&'a Dialect, Refused> {
    shared
        .dialect(vendor)
        .ok_or_else(|| Refused(StatusCode::NOT_FOUND, "this server does not serve such a vendor".to_owned()))
}

fn tenant(shared: &Shared, dialect: &Dialect, id: &str) -> Result<Tenant, Refused> {
    shared
        .tenants
        .by_id(&dialect.contract, id)
        .ok_or_else(|| Refused(StatusCode::NOT_FOUND, "there is no such tenant".to_owned()))
}

fn no_session() -> Refused {
    Refused(StatusCode::NOT_FOUND, "there is no such session".to_owned())
}

fn no_store(error: &StoreError) -> Refused {
    Refused(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

fn no_randomness() -> Refused {
    Refused(StatusCode::INTERNAL_SERVER_ERROR, "the system gives no random bytes".to_owned())
}
