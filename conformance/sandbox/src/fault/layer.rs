//! Serves the requests of a sandbox with faults: it rewrites a request, lets the correct sandbox serve it, and
//! distorts the response. It uses every effect and the server; it must never be built for a sandbox without faults.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::response::{IntoResponse, Response as HttpResponse};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use otp_contract::{Contract, Situation};

use super::definition::{Effect, Fault};
use super::distortion::{HTML, distort};
use super::faulty_session::SessionDefect;
use super::faulty_store::{FaultyStore, StoreDefect};
use super::leak::Secrets;
use super::lenient_request::LenientRequest;
use super::reading::Reading;
use super::request_context::{REQUEST_CONTEXT, RequestContext};
use super::trigger::Trigger;
use crate::handler;
use crate::http::PathParameters;
use crate::http::VendorResponse;
use crate::http::{MAX_BODY_BYTES, RequestBody, read_body};
use crate::state::{AppState, Origin};
use crate::store::Store;
use crate::vendor::auth::{self, Caller};

/// The faults of a sandbox and their state.
pub(crate) struct FaultLayer {
    faults: Vec<&'static Fault>,
    store: Arc<FaultyStore>,
    /// How many responses each intermittent fault could have distorted, by vendor and fault.
    occasions: Mutex<HashMap<(String, &'static str), u32>>,
    /// The session id of the last call, by vendor.
    last_session: Mutex<HashMap<String, String>>,
}

impl FaultLayer {
    /// The store to use and the layer that belongs to it; without faults, `inner` and no layer. A store that
    /// `spans_replicas` implements the faults between replicas itself.
    pub(crate) fn around(
        inner: Arc<dyn Store>,
        faults: Vec<&'static Fault>,
        spans_replicas: bool,
    ) -> (Arc<dyn Store>, Option<FaultLayer>) {
        if faults.is_empty() {
            return (inner, None);
        }
        let (mut session_defects, mut defects) = (Vec::new(), Vec::new());
        // Within one process, this layer would see only the calls of one replica.
        for fault in faults.iter().filter(|fault| !(spans_replicas && fault.effect.spans_replicas())) {
            match fault.effect {
                Effect::Decision(defect) => session_defects.push(defect),
                Effect::Storage(defect) => defects.push(defect),
                _ => {}
            }
        }
        // Only a counter of the faulty store can be reset.
        let decides = faults.iter().any(|fault| fault.effect == Effect::Reading(Reading::AttemptsMember));
        let store = Arc::new(FaultyStore::new(inner, defects, session_defects, decides));
        let outer: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;
        let layer = FaultLayer { faults, store, occasions: Mutex::default(), last_session: Mutex::default() };
        (outer, Some(layer))
    }

    /// Serves `request` like a server with these faults.
    pub(crate) async fn serve<B: RequestBody>(&self, shared: &AppState, request: Request<B>) -> HttpResponse {
        let (parts, body) = request.into_parts();
        let target = parts.uri.path().to_owned();
        let Some(route) = shared.routes.find(&target) else {
            return self
                .send(handler::respond(shared, &parts, body).await.1, &Secrets { right: None, body: b"" });
        };
        let path = route.parameters().map(PathParameters::into_map);
        let contract = route.contract();
        let body = match self.read_body(shared, body).await {
            Ok(body) => body,
            // The sandbox documents a response to a body that is too large, so it gets such a body.
            Err(StatusCode::PAYLOAD_TOO_LARGE) => Bytes::from(vec![b' '; MAX_BODY_BYTES + 1]),
            Err(status) => return VendorResponse::refusal(&contract.refusal, status).into_response(),
        };
        let mut call = LenientRequest { contract, path: path.unwrap_or_default(), parts, body };
        let original = call.clone();
        let (session, is_respelled) = self.rewrite(shared, &mut call);

        let known = session.as_deref().and_then(|session| self.store.known(&contract.vendor, session));
        let is_owner = match auth::identify(contract, contract.verify(), &shared.tenants, &call.parts) {
            Caller::Known(tenant) => known.as_ref().is_some_and(|known| known.tenant == tenant.id),
            _ => false,
        };
        let context = Arc::new(context(&call, is_respelled));
        let (parts, body) = (call.parts, Full::new(call.body));
        let started = Instant::now();
        let serving = handler::respond(shared, &parts, body);
        let (vendor, mut response) = REQUEST_CONTEXT.scope(Arc::clone(&context), serving).await;
        handler::record(shared, vendor, &response, started.elapsed());

        if let (true, Some(session)) = (is_owner && is_malformed(&response), &session) {
            self.store.record_malformed(&contract.vendor, session);
        }
        if context.is_foreign.load(Ordering::Relaxed) && self.store.has(StoreDefect::ForeignStatus) {
            response.status = StatusCode::GONE.as_u16();
        }
        let secrets =
            Secrets { right: known.as_ref().map(|known| known.code.as_str()), body: &original.body };
        self.distort(&original, session.as_deref(), &secrets, &mut response);
        self.send(response, &secrets)
    }

    async fn read_body<B: RequestBody>(&self, shared: &AppState, body: B) -> Result<Bytes, StatusCode> {
        let partial = self.faults.iter().find_map(|fault| match fault.effect {
            Effect::Reading(reading) if reading.reads_part_of_body() => Some(reading),
            _ => None,
        });
        match partial {
            Some(reading) => Ok(read_part(body, reading == Reading::FirstChunk).await),
            None => read_body(body, shared.limits).await,
        }
    }

    /// Rewrites `call`. Returns the session id that it names and whether its code was spelled differently.
    fn rewrite(&self, shared: &AppState, call: &mut LenientRequest<'_>) -> (Option<String>, bool) {
        let contract = call.contract;
        let mut session = call.session();
        let mut is_respelled = false;
        for fault in &self.faults {
            let known = session.as_deref().and_then(|session| self.store.known(&contract.vendor, session));
            match fault.effect {
                Effect::Reading(reading) => {
                    if let (true, Some(session)) = (reading.resets_count(call), &session) {
                        self.store.reset(&contract.vendor, session);
                    }
                    is_respelled |= reading.rewrite(call, known.as_ref().map(|known| known.code.as_str()));
                }
                Effect::Access(access) => {
                    let owner = known.and_then(|known| shared.tenants.by_id(contract, &known.tenant));
                    access.rewrite(call, &shared.tenants, owner.as_ref());
                }
                Effect::Decision(SessionDefect::ReuseBySpelling) => {
                    is_respelled |= Reading::TrimmedEnd.rewrite(call, None);
                }
                _ => {}
            }
            session = call.session().or(session);
        }
        (session, is_respelled)
    }

    fn distort(
        &self,
        call: &LenientRequest<'_>,
        session: Option<&str>,
        secrets: &Secrets<'_>,
        response: &mut VendorResponse,
    ) {
        let contract = call.contract;
        let earlier = self.replace_last_session(contract, session);
        for fault in &self.faults {
            match fault.effect {
                Effect::Response(situations, distortion) if is_in(response, situations) => {
                    distort(distortion, contract, earlier.as_deref(), response);
                }
                Effect::Intermittent(situations, distortion)
                    if is_in(response, situations) && self.is_third_occasion(contract, fault) =>
                {
                    distort(distortion, contract, earlier.as_deref(), response);
                }
                Effect::Reading(Reading::Crash(trigger))
                    if (is_refused_for_content(response) || is_undecoded(trigger, response))
                        && trigger.matches(call) =>
                {
                    *response = VendorResponse::refusal(&contract.refusal, StatusCode::INTERNAL_SERVER_ERROR);
                }
                Effect::Leak(leak) => leak.extend_body(response, secrets),
                _ => {}
            }
        }
    }

    /// Remembers `session` and returns the session id of the previous call.
    fn replace_last_session(&self, contract: &Contract, session: Option<&str>) -> Option<String> {
        let mut last = self.last_session.lock().unwrap_or_else(PoisonError::into_inner);
        match session {
            Some(session) => last.insert(contract.vendor.clone(), session.to_owned()),
            None => last.get(&contract.vendor).cloned(),
        }
    }

    fn is_third_occasion(&self, contract: &Contract, fault: &Fault) -> bool {
        let mut occasions = self.occasions.lock().unwrap_or_else(PoisonError::into_inner);
        let occasion = occasions.entry((contract.vendor.clone(), fault.name)).or_default();
        *occasion = occasion.wrapping_add(1);
        occasion.is_multiple_of(3)
    }

    fn send(&self, response: VendorResponse, secrets: &Secrets<'_>) -> HttpResponse {
        let situation = response.situation;
        let page = match &*response.body {
            serde_json::Value::String(page) if response.content_type == HTML => Some(page.clone()),
            _ => None,
        };
        let mut sent = response.into_response();
        if let Some(page) = page {
            *sent.body_mut() = page.into();
        }
        for fault in &self.faults {
            if let Effect::Leak(leak) = fault.effect {
                leak.change_headers(&mut sent, situation, secrets);
            }
        }
        sent
    }
}

fn context(call: &LenientRequest<'_>, is_respelled: bool) -> RequestContext {
    let forwarded = call.parts.headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
    let origin = call.parts.extensions.get::<Origin>();
    RequestContext {
        peer: origin.map(|origin| origin.peer),
        replica: origin.map(|origin| origin.replica).unwrap_or_default(),
        forwarded: forwarded.map(str::to_owned),
        is_respelled,
        ..RequestContext::default()
    }
}

/// Reads the first chunk of a body, or the body up to the point where it breaks off.
async fn read_part(body: impl RequestBody, only_first: bool) -> Bytes {
    let mut body = pin!(body);
    let mut read = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        read.extend(frame.into_data().unwrap_or_default());
        if only_first || read.len() > MAX_BODY_BYTES {
            break;
        }
    }
    read.into()
}

fn is_in(response: &VendorResponse, situations: &[Situation]) -> bool {
    response.situation.is_some_and(|situation| situations.contains(&situation))
}

fn is_malformed(response: &VendorResponse) -> bool {
    is_in(response, &[Situation::MalformedBody, Situation::MalformedCode, Situation::MissingCode])
}

/// Whether the sandbox refused to decode a body that a careless server would have tried to decode.
fn is_undecoded(trigger: Trigger, response: &VendorResponse) -> bool {
    trigger == Trigger::Compressed && response.status == StatusCode::UNSUPPORTED_MEDIA_TYPE
}

/// Whether the sandbox accepted the caller and the method, and refused the content of the request.
fn is_refused_for_content(response: &VendorResponse) -> bool {
    (400..500).contains(&response.status) && ![401, 403, 405, 413, 415].contains(&response.status)
        || response.situation == Some(Situation::UnknownSession)
}
