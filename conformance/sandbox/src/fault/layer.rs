//! The one way by which a sandbox with faults answers: a request is rewritten, answered by the sandbox as it is, and
//! the answer spoiled. It may never be built for a sandbox without faults.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use std::time::Instant;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use otp_contract::Situation;

use super::answer::{HTML, distort};
use super::call::Call;
use super::decision::{CIRCUMSTANCES, Circumstances, FaultyStore};
use super::leak::Secrets;
use super::life::Defect;
use super::reading::{Reading, Trigger};
use super::{Effect, Fault};
use crate::handler;
use crate::http::PathParameters;
use crate::http::VendorResponse;
use crate::http::{MAX_BODY_BYTES, RequestBody, read_body};
use crate::state::{AppState, Origin};
use crate::store::Store;
use crate::vendor::auth::{self, Caller};

/// The faults of a sandbox, with what they remember.
pub(crate) struct FaultLayer {
    faults: Vec<&'static Fault>,
    store: Arc<FaultyStore>,
    /// How often a fault that comes and goes has had its chance, by vendor and fault.
    chances: Mutex<HashMap<(String, &'static str), u32>>,
    /// The session of the last call, by vendor.
    last: Mutex<HashMap<String, String>>,
}

impl FaultLayer {
    /// The store to be used (one that `spans_replicas` has the faults of that kind in itself), and the layer that goes with it; without faults `inner` itself, and none.
    pub(crate) fn around(
        inner: Arc<dyn Store>,
        faults: Vec<&'static Fault>,
        spans_replicas: bool,
    ) -> (Arc<dyn Store>, Option<FaultLayer>) {
        if faults.is_empty() {
            return (inner, None);
        }
        let defects: Vec<_> = faults
            .iter()
            .filter_map(|fault| match fault.effect {
                // A store that spans replicas has these in itself; here they would see one replica only.
                Effect::Decision(Defect::UsePerReplica | Defect::CountPerReplica) if spans_replicas => None,
                Effect::Decision(defect) => Some(defect),
                _ => None,
            })
            .collect();
        // A member that sets the count to zero needs a count that can be set.
        let resets = faults.iter().any(|fault| fault.effect == Effect::Reading(Reading::AttemptsMember));
        let store = Arc::new(FaultyStore::new(inner, defects, resets));
        let shared: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;
        (shared, Some(FaultLayer { faults, store, chances: Mutex::default(), last: Mutex::default() }))
    }

    /// Answers `request` as a server with these faults does.
    pub(crate) async fn serve<B: RequestBody>(&self, shared: &AppState, request: Request<B>) -> Response {
        let (parts, body) = request.into_parts();
        let target = parts.uri.path().to_owned();
        let Some(route) = shared.routes.find(&target) else {
            return self
                .send(handler::respond(shared, &parts, body).await.1, &Secrets { right: None, body: b"" });
        };
        let path = route.parameters().map(PathParameters::into_map);
        let contract = route.contract();
        let read = match self.faults.iter().find(|fault| fault.effect.reads_in_part()) {
            Some(fault) => Ok(read_in_part(body, fault.effect == Effect::Reading(Reading::FirstPiece)).await),
            None => read_body(body, shared.limits).await,
        };
        let body = match read {
            Ok(body) => body,
            // The server has an answer to a body that is too large, and gets one that is.
            Err(StatusCode::PAYLOAD_TOO_LARGE) => Bytes::from(vec![b' '; MAX_BODY_BYTES + 1]),
            Err(status) => return VendorResponse::refusal(&contract.refusal, status).into_response(),
        };
        let mut call = Call { contract, path: path.unwrap_or_default(), parts, body };
        let original = call.clone();

        let mut session = call.session();
        let mut is_respelled = false;
        for fault in &self.faults {
            let known = session.as_deref().and_then(|session| self.store.known(&contract.vendor, session));
            match fault.effect {
                Effect::Reading(reading) => {
                    if let (true, Some(session)) = (reading.resets(&call), &session) {
                        self.store.reset(&contract.vendor, session);
                    }
                    is_respelled |=
                        reading.rewrite(&mut call, known.as_ref().map(|known| known.code.as_str()));
                }
                Effect::Access(access) => {
                    let owner = known.and_then(|known| shared.tenants.by_id(contract, &known.tenant));
                    access.rewrite(&mut call, &shared.tenants, owner.as_ref());
                }
                Effect::Decision(Defect::ReuseBySpelling) => {
                    is_respelled |= Reading::TrimmedEnd.rewrite(&mut call, None);
                }
                _ => {}
            }
            session = call.session().or(session);
        }

        let known = session.as_deref().and_then(|session| self.store.known(&contract.vendor, session));
        let is_owner = match auth::identify(contract, contract.verify(), &shared.tenants, &call.parts.headers)
        {
            Caller::Known(tenant) => known.as_ref().is_some_and(|known| known.tenant == tenant.id),
            _ => false,
        };
        let forwarded = call.parts.headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
        let origin = call.parts.extensions.get::<Origin>();
        let around = Arc::new(Circumstances {
            peer: origin.map(|origin| origin.peer),
            forwarded: forwarded.map(str::to_owned),
            replica: origin.map(|origin| origin.replica).unwrap_or_default(),
            respelled: is_respelled,
            ..Circumstances::default()
        });
        let (parts, body) = (call.parts, Full::new(call.body));
        let started = Instant::now();
        let answering = handler::respond(shared, &parts, body);
        let (vendor, mut answer) = CIRCUMSTANCES.scope(Arc::clone(&around), answering).await;
        handler::record(shared, vendor, &answer, started.elapsed());

        if let (true, Some(session)) = (is_owner && is_malformed(&answer), &session) {
            self.store.note_malformed(&contract.vendor, session);
        }
        if around.is_foreign.load(Ordering::Relaxed) && self.store.has(Defect::ForeignStatus) {
            answer.status = StatusCode::GONE.as_u16();
        }
        let secrets =
            Secrets { right: known.as_ref().map(|known| known.code.as_str()), body: &original.body };
        self.spoil(&original, session.as_deref(), &secrets, &mut answer);
        self.send(answer, &secrets)
    }

    fn spoil(
        &self,
        call: &Call<'_>,
        session: Option<&str>,
        secrets: &Secrets<'_>,
        answer: &mut VendorResponse,
    ) {
        let contract = call.contract;
        let earlier = {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            match session {
                Some(session) => last.insert(contract.vendor.clone(), session.to_owned()),
                None => last.get(&contract.vendor).cloned(),
            }
        };
        for fault in &self.faults {
            match fault.effect {
                Effect::Answer(situations, distortion)
                    if answer.situation.is_some_and(|situation| situations.contains(&situation)) =>
                {
                    distort(distortion, contract, earlier.as_deref(), answer);
                }
                Effect::Sometimes(situations, distortion)
                    if answer.situation.is_some_and(|situation| situations.contains(&situation)) =>
                {
                    let mut chances = self.chances.lock().unwrap_or_else(PoisonError::into_inner);
                    let chance = chances.entry((contract.vendor.clone(), fault.name)).or_default();
                    *chance = chance.wrapping_add(1);
                    if chance.is_multiple_of(3) {
                        distort(distortion, contract, earlier.as_deref(), answer);
                    }
                }
                Effect::Reading(Reading::Crash(trigger))
                    if (is_refused_for_itself(answer) || is_unread(trigger, answer))
                        && trigger.is_pulled(call) =>
                {
                    *answer = VendorResponse::refusal(&contract.refusal, StatusCode::INTERNAL_SERVER_ERROR);
                }
                Effect::Leak(leak) => leak.write(answer, secrets),
                _ => {}
            }
        }
    }

    fn send(&self, answer: VendorResponse, secrets: &Secrets<'_>) -> Response {
        let situation = answer.situation;
        let page = match &*answer.body {
            serde_json::Value::String(page) if answer.content_type == HTML => Some(page.clone()),
            _ => None,
        };
        let mut response = answer.into_response();
        if let Some(page) = page {
            *response.body_mut() = page.into();
        }
        for fault in &self.faults {
            if let Effect::Leak(leak) = fault.effect {
                leak.write_headers(&mut response, situation, secrets);
            }
        }
        response
    }
}

/// What arrives of a body: its first piece, or all of it up to where it breaks off.
async fn read_in_part(body: impl RequestBody, first: bool) -> Bytes {
    let mut body = pin!(body);
    let mut read = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        read.extend(frame.into_data().unwrap_or_default());
        if first || read.len() > MAX_BODY_BYTES {
            break;
        }
    }
    read.into()
}

fn is_malformed(answer: &VendorResponse) -> bool {
    matches!(
        answer.situation,
        Some(Situation::MalformedBody | Situation::MalformedCode | Situation::MissingCode)
    )
}

/// Whether the body was not unpacked, where a careless server would have tried.
fn is_unread(trigger: Trigger, answer: &VendorResponse) -> bool {
    trigger == Trigger::Compressed && answer.status == StatusCode::UNSUPPORTED_MEDIA_TYPE
}

/// Whether the caller was let in, and refused for what it sent.
fn is_refused_for_itself(answer: &VendorResponse) -> bool {
    (400..500).contains(&answer.status) && ![401, 403, 405, 413, 415].contains(&answer.status)
        || answer.situation == Some(Situation::UnknownSession)
}
