//! The operations by which the conformance suite creates accounts, issues codes and lets time pass. For tests only.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Json, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::server::{Application, Session, Store, Tables, is_well_formed};

const VENDOR: &str = "exotel";

pub(crate) fn router(store: Arc<Store>) -> axum::Router {
    axum::Router::new()
        .route("/_control/v1", get(describe))
        .route("/_control/v1/tenants", post(create_tenant))
        .route("/_control/v1/sessions", post(issue))
        .route("/_control/v1/sessions/age", post(age))
        .with_state(store)
}

/// A response of this control that is no success.
struct Refusal(StatusCode, &'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<JsonRejection> for Refusal {
    fn from(_: JsonRejection) -> Refusal {
        Refusal(StatusCode::BAD_REQUEST, "the body does not have the documented form")
    }
}

type Body<T> = Result<Json<T>, JsonRejection>;
type Created = Result<(StatusCode, Json<Value>), Refusal>;

async fn describe() -> Json<Value> {
    let operations = ["tenants", "sessions", "age", "resend"];
    Json(
        json!({ "protocol": 1, "implementation": "axum-example/1", "vendors": [VENDOR], "operations": operations }),
    )
}

#[derive(Deserialize)]
struct TenantRequest {
    vendor: String,
}

async fn create_tenant(State(store): State<Arc<Store>>, body: Body<TenantRequest>) -> Created {
    let Json(request) = body?;
    if request.vendor != VENDOR {
        return Err(Refusal(StatusCode::NOT_FOUND, "no such vendor"));
    }
    let [sid, id, secret] = [(); 3].map(|()| Uuid::new_v4().simple().to_string());
    let credentials = json!({ "basicAuth": { "username": id, "password": secret } });
    store.lock().applications.insert(sid.clone(), Application { id, secret });
    let tenant = json!({ "tenant": sid, "parameters": { "account_sid": sid }, "credentials": credentials });
    Ok((StatusCode::CREATED, Json(tenant)))
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

async fn issue(State(store): State<Arc<Store>>, body: Body<SessionRequest>) -> Created {
    let Json(request) = body?;
    let mut tables = store.lock();
    if request.vendor != VENDOR || !tables.applications.contains_key(&request.tenant) {
        return Err(Refusal(StatusCode::NOT_FOUND, "no such vendor or tenant"));
    }
    if !is_well_formed(&request.code) {
        return Err(Refusal(StatusCode::UNPROCESSABLE_ENTITY, "a code has 4 to 6 digits"));
    }
    let lifetime = request.ttl_seconds.unwrap_or(60).clamp(1, 3_600);
    let attempts = request.max_attempts.unwrap_or(10).clamp(1, 100);
    let mut left = attempts;
    if let Some(earlier) = &request.recipient_of {
        // The recipient's new code replaces the earlier one, and brings no new attempts.
        left = left.min(find(&mut tables, &request.tenant, earlier)?.attempts_left);
        tables.sessions.remove(earlier);
    }
    let session = tables.issue(&request.tenant, request.code, Duration::from_secs(lifetime), left);
    let created = json!({ "session": session, "ttl_seconds": lifetime, "max_attempts": attempts });
    Ok((StatusCode::CREATED, Json(created)))
}

#[derive(Deserialize)]
struct AgeRequest {
    tenant: String,
    session: String,
    seconds: u32,
}

async fn age(State(store): State<Arc<Store>>, body: Body<AgeRequest>) -> Result<StatusCode, Refusal> {
    let Json(request) = body?;
    let mut tables = store.lock();
    find(&mut tables, &request.tenant, &request.session)?.aged += Duration::from_secs(request.seconds.into());
    Ok(StatusCode::NO_CONTENT)
}

fn find<'t>(tables: &'t mut Tables, tenant: &str, session: &str) -> Result<&'t mut Session, Refusal> {
    let found = tables.sessions.get_mut(session).filter(|session| session.account_sid == tenant);
    found.ok_or(Refusal(StatusCode::NOT_FOUND, "no such session"))
}
