//! The control protocol, version 1, with which tests create tenants, issue codes and let time pass.
//!
//! `openapi/control.yaml` describes it for implementers. May use `state` and everything below it, but no vendor-specific
//! handling. No response may repeat a code.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use otp_contract::{Contract, Resend};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::http::json::read_object;
use crate::http::read_body;
use crate::state::AppState;
use crate::store::{IssueRequest, Issued, SessionKey, StoreError};
use crate::vendor::{Tenant, ids};

/// The longest lifetime that can be requested where the contract sets no bound.
const MAX_TTL_SECONDS: u64 = 86_400;

/// The most that a session ages in one call: ten years, after which nothing changes any more.
const MAX_AGE_SECONDS: u64 = 10 * 365 * 86_400;

/// The highest attempt limit that can be requested where the contract sets no bound.
const MAX_ATTEMPTS: u32 = 100;

pub(crate) fn router() -> Router<Arc<AppState>> {
    Router::new()
        .route("/_control/v1", get(describe).fallback(wrong_method))
        .route("/_control/v1/tenants", post(create_tenant).fallback(wrong_method))
        .route("/_control/v1/sessions", post(issue_session).fallback(wrong_method))
        .route("/_control/v1/sessions/age", post(age_session).fallback(wrong_method))
        .route("/_control/{*rest}", any(unknown_operation))
}

/// An error response of the control protocol.
struct ControlError(StatusCode, String);

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let ControlError(status, error) = self;
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

async fn unknown_operation() -> ControlError {
    ControlError(StatusCode::NOT_FOUND, "the control protocol has no such operation".to_owned())
}

async fn wrong_method() -> ControlError {
    ControlError(StatusCode::METHOD_NOT_ALLOWED, "this operation does not support this method".to_owned())
}

async fn describe(State(state): State<Arc<AppState>>, headers: HeaderMap) -> Result<Response, ControlError> {
    authorize(&state, &headers)?;
    let vendors: Vec<_> = state.routes.contracts().map(|contract| contract.vendor.as_str()).collect();
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

async fn create_tenant(
    State(state): State<Arc<AppState>>,
    request: Request,
) -> Result<Response, ControlError> {
    let body = authorized(&state, request).await?;
    let request: TenantRequest = parse(&body)?;
    let contract = contract(&state, &request.vendor)?;
    let tenant = state.tenants.create(contract).ok_or_else(no_randomness)?;
    Ok(reply(StatusCode::CREATED, &tenant.json()))
}

#[derive(Deserialize)]
struct SessionRequest {
    vendor: String,
    tenant: String,
    code: String,
    ttl_seconds: Option<WholeNumber>,
    max_attempts: Option<WholeNumber>,
    recipient_of: Option<String>,
}

/// A whole number of any size. One beyond 128 bits saturates, because it is out of range in any case.
#[derive(Deserialize)]
#[serde(try_from = "serde_json::Number")]
struct WholeNumber(i128);

impl TryFrom<serde_json::Number> for WholeNumber {
    type Error = &'static str;

    fn try_from(number: serde_json::Number) -> Result<WholeNumber, &'static str> {
        match (number.as_i128(), number.as_f64()) {
            (Some(whole), _) => Ok(WholeNumber(whole)),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the conversion saturates, and values out of range are clamped later"
            )]
            (None, Some(number)) if number.fract() == 0.0 => Ok(WholeNumber(number as i128)),
            _ => Err("not a whole number"),
        }
    }
}

/// Clamps a requested value to between 1 and `max`.
fn clamped<T: TryFrom<i128> + Into<i128> + Copy>(value: i128, max: T) -> T {
    T::try_from(value.clamp(1, max.into())).unwrap_or(max)
}

async fn issue_session(
    State(state): State<Arc<AppState>>,
    request: Request,
) -> Result<Response, ControlError> {
    let body = authorized(&state, request).await?;
    let request: SessionRequest = parse(&body)?;
    let contract = contract(&state, &request.vendor)?;
    let tenant = tenant(&state, contract, &request.tenant)?;
    let operation = contract.verify();
    let shape = &operation.code;
    if !shape.admits(&request.code) {
        return Err(ControlError(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("a code has {} to {} {:?}", shape.min_length, shape.max_length, shape.alphabet)
                .to_lowercase(),
        ));
    }
    let lifetime = &contract.policy.lifetime;
    let ttl_seconds = match request.ttl_seconds {
        None => lifetime.seconds,
        Some(WholeNumber(value)) => clamped(value, lifetime.max.unwrap_or(MAX_TTL_SECONDS)),
    };
    let max_attempts = contract.policy.attempts.as_ref().map(|limit| match request.max_attempts {
        None => limit.limit,
        Some(WholeNumber(value)) => clamped(value, limit.max.unwrap_or(MAX_ATTEMPTS)),
    });
    let key = |session| SessionKey { vendor: &contract.vendor, tenant: &tenant.id, session };
    let session = match (&request.recipient_of, operation.session.resend) {
        (Some(earlier), Resend::Same) => earlier.clone(),
        _ => ids::generate(&operation.session.id_pattern).ok_or_else(no_randomness)?,
    };
    let issue = IssueRequest {
        key: key(&session),
        code: &request.code,
        ttl_seconds,
        max_attempts,
        lockout_seconds: contract.policy.lockout_seconds,
        resend_of: request.recipient_of.as_deref().map(key),
    };
    match state.store.issue(issue).await.map_err(|error| store_failed(&error))? {
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
    seconds: WholeNumber,
}

async fn age_session(State(state): State<Arc<AppState>>, request: Request) -> Result<Response, ControlError> {
    let body = authorized(&state, request).await?;
    let request: AgeRequest = parse(&body)?;
    let contract = contract(&state, &request.vendor)?;
    let tenant = tenant(&state, contract, &request.tenant)?;
    let key = SessionKey { vendor: &request.vendor, tenant: &tenant.id, session: &request.session };
    let WholeNumber(seconds) = request.seconds;
    let Ok(seconds) = u64::try_from(seconds.min(MAX_AGE_SECONDS.into())) else { return Err(malformed()) };
    match state.store.age(key, seconds).await.map_err(|error| store_failed(&error))? {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => Err(no_session()),
    }
}

/// Reads the body of an authorized call. The body of an unauthorized one is not read.
async fn authorized(state: &AppState, request: Request) -> Result<Bytes, ControlError> {
    authorize(state, request.headers())?;
    read_body(request.into_body(), state.limits).await.map_err(|status| {
        let reason = status.canonical_reason().unwrap_or("refused").to_lowercase();
        ControlError(status, format!("the body cannot be read: {reason}"))
    })
}

fn authorize(state: &AppState, headers: &HeaderMap) -> Result<(), ControlError> {
    let Some(token) = &state.control_token else { return Ok(()) };
    let field = headers.get(header::AUTHORIZATION).map(http::HeaderValue::as_bytes).unwrap_or_default();
    // Scheme names are case-insensitive (RFC 9110 §11.1).
    let (scheme, given) = field.split_at_checked("Bearer ".len()).unwrap_or_default();
    let given = if scheme.eq_ignore_ascii_case(b"Bearer ") { given.trim_ascii_start() } else { b"" };
    // Digests are compared, so that the time taken reveals nothing about the token.
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"control");
    let digest = ring::hmac::sign(&key, token.as_bytes());
    match ring::hmac::verify(&key, given, digest.as_ref()) {
        Ok(()) => Ok(()),
        Err(_) => {
            Err(ControlError(StatusCode::UNAUTHORIZED, "the control token is missing or wrong".to_owned()))
        }
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ControlError> {
    read_object(body).and_then(|object| serde_json::from_value(object.into()).ok()).ok_or_else(malformed)
}

fn malformed() -> ControlError {
    ControlError(StatusCode::BAD_REQUEST, "the body is not an object of the documented shape".to_owned())
}

fn contract<'a>(state: &'a AppState, vendor: &str) -> Result<&'a Contract, ControlError> {
    state.routes.contract(vendor).ok_or_else(|| {
        ControlError(StatusCode::NOT_FOUND, "this server does not serve this vendor".to_owned())
    })
}

fn tenant(state: &AppState, contract: &Contract, id: &str) -> Result<Tenant, ControlError> {
    state
        .tenants
        .by_id(contract, id)
        .ok_or_else(|| ControlError(StatusCode::NOT_FOUND, "no such tenant".to_owned()))
}

fn no_session() -> ControlError {
    ControlError(StatusCode::NOT_FOUND, "no such session".to_owned())
}

fn store_failed(error: &StoreError) -> ControlError {
    ControlError(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

fn no_randomness() -> ControlError {
    ControlError(StatusCode::INTERNAL_SERVER_ERROR, "the system provides no random bytes".to_owned())
}
