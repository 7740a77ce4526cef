//! The operation that verifies a code, and the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Json, Path, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

const MAX_BODY: usize = 16 << 10;

/// The application of an account, which authenticates its calls.
pub(crate) struct Application {
    pub(crate) id: String,
    pub(crate) secret: String,
}

pub(crate) struct Session {
    pub(crate) account_sid: String,
    pub(crate) code: String,
    pub(crate) created: SystemTime,
    pub(crate) issued: Instant,
    /// How much older it is than the time since then, because a test has let time pass.
    pub(crate) age: Duration,
    pub(crate) lifetime: Duration,
    pub(crate) attempts_left: u32,
    pub(crate) used: bool,
}

enum Outcome {
    Approved { created: SystemTime },
    Unknown,
    AlreadyUsed,
    Locked,
    Expired,
    WrongCode,
}

#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) applications: HashMap<String, Application>,
    pub(crate) sessions: HashMap<String, Session>,
}

/// Everything behind one lock. With a database, `verify` is one transaction that locks the session's row.
pub(crate) struct Store {
    tables: Mutex<Tables>,
    ignores_account: bool,
}

impl Store {
    pub(crate) fn new(ignores_account: bool) -> Store {
        Store { tables: Mutex::default(), ignores_account }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of the application, if the credentials are those of the account.
    fn authenticate(&self, account_sid: &str, headers: &HeaderMap) -> Option<String> {
        let (scheme, encoded) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
        let pair = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (id, secret) = pair.split_once(':')?;
        let tables = self.lock();
        let application = tables.applications.get(account_sid)?;
        let is_known =
            application.id == id && bool::from(application.secret.as_bytes().ct_eq(secret.as_bytes()));
        (scheme.eq_ignore_ascii_case("Basic") && is_known).then(|| id.to_owned())
    }

    fn verify(&self, account_sid: &str, verification_id: &str, code: &str) -> Outcome {
        let mut tables = self.lock();
        let Some(session) = tables.sessions.get_mut(verification_id) else { return Outcome::Unknown };
        // Another account's session looks exactly like one that does not exist.
        if session.account_sid != account_sid && !self.ignores_account {
            return Outcome::Unknown;
        }
        // The state decides before the code does, so that nobody can test codes on a session that is over.
        if session.used {
            return Outcome::AlreadyUsed;
        }
        if session.attempts_left == 0 {
            return Outcome::Locked;
        }
        if session.issued.elapsed().saturating_add(session.age) >= session.lifetime {
            return Outcome::Expired;
        }
        if !bool::from(session.code.as_bytes().ct_eq(code.as_bytes())) {
            session.attempts_left -= 1;
            return Outcome::WrongCode;
        }
        session.used = true;
        Outcome::Approved { created: session.created }
    }
}

impl Tables {
    pub(crate) fn session_of(&mut self, account_sid: &str, verification_id: &str) -> Option<&mut Session> {
        self.sessions.get_mut(verification_id).filter(|session| session.account_sid == account_sid)
    }

    /// Creates a session and returns its id.
    pub(crate) fn issue(
        &mut self,
        account_sid: &str,
        code: String,
        lifetime: Duration,
        attempts: u32,
    ) -> String {
        let id = format!("ver_{}", Uuid::new_v4().simple());
        let session = Session {
            account_sid: account_sid.to_owned(),
            code,
            created: SystemTime::now(),
            issued: Instant::now(),
            age: Duration::ZERO,
            lifetime,
            attempts_left: attempts,
            used: false,
        };
        self.sessions.insert(id.clone(), session);
        id
    }
}

pub(crate) fn is_well_formed(code: &str) -> bool {
    (4..=6).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit())
}

pub(crate) fn router(store: Arc<Store>) -> axum::Router {
    axum::Router::new()
        .route("/v2/accounts/{account_sid}/verifications/sms/{verification_id}", post(verify))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(store)
}

async fn verify(
    State(store): State<Arc<Store>>,
    Path((account_sid, verification_id)): Path<(String, String)>,
    headers: HeaderMap,
    // A struct that derives `Deserialize` would also accept a list of its members.
    body: Result<Json<Map<String, Value>>, JsonRejection>,
) -> Response {
    let Some(application_id) = store.authenticate(&account_sid, &headers) else {
        let refusal = refuse(401, 1010, "Authentication failed — invalid App ID or Secret");
        return ([(WWW_AUTHENTICATE, "Basic realm=\"verifications\"")], refusal).into_response();
    };
    // axum's own text names members and types.
    let request = match body {
        Ok(Json(request)) => request,
        Err(rejection) => return refuse(rejection.status().as_u16(), 400, "Bad request"),
    };
    let Some(code) = request.get("OTP").and_then(Value::as_str) else {
        return refuse(400, 1001, "Mandatory Body Parameters missing");
    };
    if !is_well_formed(code) {
        return refuse(400, 1211, "Invalid OTP — the code entered is incorrect");
    }
    match store.verify(&account_sid, &verification_id, code) {
        Outcome::Approved { created } => Json(json!({
            "verification_id": verification_id,
            "application_id": application_id,
            "account_sid": account_sid,
            "status": "success",
            "date_created": humantime::format_rfc3339_seconds(created).to_string(),
            "date_updated": humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        }))
        .into_response(),
        Outcome::WrongCode => refuse(400, 1211, "Invalid OTP — the code entered is incorrect"),
        Outcome::Expired => refuse(400, 1210, "OTP expired — the 60-second window has passed"),
        Outcome::Locked => refuse(403, 1016, "Max attempts exceeded — user tried more than 10 times"),
        Outcome::AlreadyUsed => refuse(403, 1017, "Verification already completed"),
        Outcome::Unknown => refuse(404, 404, "Verification not found"),
    }
}

fn refuse(status: u16, code: u16, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, Json(json!({ "code": code, "message": message }))).into_response()
}
