//! How `otp-conformance check exotel` creates accounts, issues codes and lets time pass; made with `otp-conformance init
//! control`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Json, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::server::{Application, Store};

pub(crate) type Server = Arc<Store>;

const OPERATIONS: &[&str] = &["tenants", "sessions", "age", "resend"];

async fn create_tenant(store: &Server) -> Result<Value, Refusal> {
    let [sid, id, secret] = [(); 3].map(|()| Uuid::new_v4().simple().to_string());
    let credentials = json!({ "basicAuth": { "username": id, "password": secret } });
    store.lock().applications.insert(sid.clone(), Application { id, secret });
    Ok(json!({ "tenant": sid, "parameters": { "account_sid": sid }, "credentials": credentials }))
}

async fn issue_code(store: &Server, request: SessionRequest) -> Result<Value, Refusal> {
    let lifetime = request.ttl_seconds.unwrap_or(60).clamp(1, 3_600);
    let attempts = request.max_attempts.unwrap_or(10).clamp(1, 100);
    let mut left = attempts;
    let mut tables = store.lock();
    if !tables.applications.contains_key(&request.tenant) {
        return Err(NOT_FOUND);
    }
    if let Some(earlier) = &request.recipient_of {
        // The new code replaces the earlier one, and brings no new attempts.
        left = left.min(tables.session_of(&request.tenant, earlier).ok_or(NOT_FOUND)?.attempts_left);
        tables.sessions.remove(earlier);
    }
    let session = tables.issue(&request.tenant, request.code, Duration::from_secs(lifetime), left);
    Ok(json!({ "session": session, "ttl_seconds": lifetime, "max_attempts": attempts }))
}

async fn age_session(store: &Server, request: AgeRequest) -> Result<(), Refusal> {
    let mut tables = store.lock();
    let session = tables.session_of(&request.tenant, &request.session).ok_or(NOT_FOUND)?;
    session.age = session.age.saturating_add(Duration::from_secs(request.seconds));
    Ok(())
}

// The protocol. Nothing below needs a change.

const VENDOR: &str = "exotel";
const CODE_FORM: &str = "a code has 4 to 6 digits";
const CODE_CHARACTERS: &str = "0123456789";
const CODE_LENGTHS: std::ops::RangeInclusive<usize> = 4..=6;

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
