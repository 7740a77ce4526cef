// The control of a server for __NAME__: how `otp-conformance check __VENDOR__` creates accounts, issues codes and lets time
// pass. It does so for whoever asks, so only a test environment may have it:
//
//     if std::env::var("CONTROL").is_ok_and(|value| value == "1") {
//         app = app.merge(control::router(server));
//     }
//
// It needs axum with the feature `json`, serde with the feature `derive`, and serde_json.

use axum::Router;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Json, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

/// Whatever the three functions below need, such as a connection to your database.
pub(crate) type Server = ();

/// Add "resend" once `issue_code` knows `recipient_of`.
const OPERATIONS: &[&str] = &["tenants", "sessions", "age"];

/// Creates an account that no other test has, without a limit on calls per second. Returns the id by which the other two
/// functions know it, and what a client needs:
///
/// ```ignore
/// Ok(json!({
///     "tenant": "…",
///     "parameters": {__PARAMETERS__},
///     "credentials": {__CREDENTIALS__},
/// }))
/// ```
async fn create_tenant(server: &Server) -> Result<Value, Refusal> {
    Err(NOT_IMPLEMENTED)
}

/// Issues exactly `request.code`, as your server issues its own, for a recipient of its own and without a message.
/// `ttl_seconds` and `max_attempts` are wishes, or `None` for the usual limits (in the contract: __LIMITS__).
/// Clamps them, and returns the limits in force, with `null` where there is none:
///
/// ```ignore
/// Ok(json!({ "session": "…", "ttl_seconds": ttl_seconds, "max_attempts": max_attempts }))
/// ```
///
/// If there is a `recipient_of`, the code is for the recipient of that session, and replaces the earlier one there. The
/// result is `NOT_FOUND` if there is no such tenant or session.
async fn issue_code(server: &Server, request: SessionRequest) -> Result<Value, Refusal> {
    Err(NOT_IMPLEMENTED)
}

/// Makes a session, and no other, older by so many seconds: moves all its times back. With a database:
///
/// ```sql
/// UPDATE sessions SET issued_at = issued_at - …, expires_at = expires_at - … WHERE tenant = … AND id = …
/// ```
///
/// The result is `NOT_FOUND` if there is no such session.
async fn age_session(server: &Server, request: AgeRequest) -> Result<(), Refusal> {
    Err(NOT_IMPLEMENTED)
}

// The protocol. Nothing below needs a change.

const VENDOR: &str = "__VENDOR__";
const CODE_FORM: &str = "a code has __CODES__";
const CODE_CHARACTERS: &str = "__CHARACTERS__";
const CODE_LENGTHS: std::ops::RangeInclusive<usize> = __MIN__..=__MAX__;

const NOT_FOUND: Refusal = Refusal(StatusCode::NOT_FOUND, "no such vendor, tenant or session");
const NOT_IMPLEMENTED: Refusal = Refusal(StatusCode::NOT_IMPLEMENTED, "not implemented");
const INVALID: Refusal = Refusal(StatusCode::BAD_REQUEST, "the body is not as documented");
const NO_SUCH_CODE: Refusal = Refusal(StatusCode::UNPROCESSABLE_ENTITY, CODE_FORM);

#[derive(Deserialize)]
struct TenantRequest {
    vendor: String,
}

#[derive(Deserialize)]
struct SessionRequest {
    vendor: String,
    tenant: String,
    code: String,
    ttl_seconds: Option<u64>,
    max_attempts: Option<u32>,
    recipient_of: Option<String>,
}

#[derive(Deserialize)]
struct AgeRequest {
    vendor: String,
    tenant: String,
    session: String,
    seconds: u64,
}

pub(crate) fn router(server: Server) -> Router {
    Router::new()
        .route("/_control/v1", get(describe))
        .route("/_control/v1/tenants", post(tenants))
        .route("/_control/v1/sessions", post(sessions))
        .route("/_control/v1/sessions/age", post(age))
        .with_state(server)
}

/// A response that is no success.
struct Refusal(StatusCode, &'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

type Body<T> = Result<Json<T>, JsonRejection>;
type Created = Result<(StatusCode, Json<Value>), Refusal>;
type Aged = Result<StatusCode, Refusal>;

async fn describe() -> Json<Value> {
    Json(json!({
        "protocol": 1,
        "implementation": "axum",
        "vendors": [VENDOR],
        "operations": OPERATIONS,
    }))
}

async fn tenants(State(server): State<Server>, body: Body<TenantRequest>) -> Created {
    let Json(request) = body.map_err(|_| INVALID)?;
    expect_vendor(&request.vendor)?;
    let created = create_tenant(&server).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

async fn sessions(State(server): State<Server>, body: Body<SessionRequest>) -> Created {
    let Json(request) = body.map_err(|_| INVALID)?;
    expect_vendor(&request.vendor)?;
    let is_known = |character| CODE_CHARACTERS.contains(character);
    if !CODE_LENGTHS.contains(&request.code.len()) || !request.code.chars().all(is_known) {
        return Err(NO_SUCH_CODE);
    }
    if request.recipient_of.is_some() && !OPERATIONS.contains(&"resend") {
        return Err(NOT_IMPLEMENTED);
    }
    let issued = issue_code(&server, request).await?;
    Ok((StatusCode::CREATED, Json(issued)))
}

async fn age(State(server): State<Server>, body: Body<AgeRequest>) -> Aged {
    let Json(request) = body.map_err(|_| INVALID)?;
    expect_vendor(&request.vendor)?;
    age_session(&server, request).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn expect_vendor(vendor: &str) -> Result<(), Refusal> {
    match vendor {
        VENDOR => Ok(()),
        _ => Err(NOT_FOUND),
    }
}
