//! Handles one call to a vendor.
//!
//! The order of the steps is that of a verifier that leaks nothing: no client learns about a session before it has
//! authenticated, and a malformed request never spends an attempt. It uses the vendor layer and the store, and must not
//! know whether the sandbox has faults.

use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{StatusCode, header};
use otp_contract::{BodyEncoding, Situation};

use crate::http::{PathParameters, RequestBody, VendorResponse, read_body};
use crate::state::AppState;
use crate::store::{SessionKey, StoreError, VerifyAttempt};
use crate::vendor::auth::{self, Caller};
use crate::vendor::{RenderContext, Tenant, VendorAdapter, VerifyRequest};

/// Responds to a request to any vendor. Also returns the adapter of the operation, if the path belongs to one.
pub(crate) async fn respond<'s>(
    state: &'s AppState,
    parts: &Parts,
    body: impl RequestBody,
) -> (Option<&'s VendorAdapter>, VendorResponse) {
    let path = parts.uri.path();
    let Some(route) = state.routes.find(path) else {
        return (None, refusal_of_unknown_path(state, path, StatusCode::NOT_FOUND));
    };
    let operation = route.operation(&parts.method);
    let adapter = operation.unwrap_or_else(|| route.any_operation());
    let Some(parameters) = route.parameters() else {
        return (Some(adapter), adapter.refusal(StatusCode::BAD_REQUEST));
    };
    let tenant = match authenticate(state, adapter, &parameters, parts) {
        Ok(tenant) => tenant,
        Err(unauthorized) => return (Some(adapter), unauthorized),
    };
    let response = if operation.is_none() {
        adapter.refusal(StatusCode::METHOD_NOT_ALLOWED).with_header(header::ALLOW, route.allowed_methods())
    } else if !adapter.accepts(&parts.headers) {
        adapter
            .refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE)
            .with_header(header::ACCEPT, accepted_media_type(adapter).to_owned())
    } else {
        match read_body(body, state.limits).await {
            Ok(body) => verify(state, adapter, &tenant, &parameters, parts.uri.query(), &body).await,
            Err(status) => adapter.refusal(status),
        }
    };
    (Some(adapter), response)
}

fn accepted_media_type(adapter: &VendorAdapter) -> &'static str {
    adapter.operation().body.unwrap_or(BodyEncoding::Json).media_type()
}

/// Finds the caller's tenant. The error is the response to send.
fn authenticate(
    state: &AppState,
    adapter: &VendorAdapter,
    path: &PathParameters<'_>,
    parts: &Parts,
) -> Result<Arc<Tenant>, VendorResponse> {
    let (contract, operation) = (&adapter.contract, adapter.operation());
    let unauthorized = |situation, has_credentials| {
        let session = path.get(&operation.session.location.name);
        let mut response =
            adapter.respond(situation, None, RenderContext { session, ..RenderContext::default() });
        for challenge in auth::challenges(&contract.vendor, operation, has_credentials) {
            response = response.with_header(header::WWW_AUTHENTICATE, challenge);
        }
        Err(response)
    };
    let tenant = match auth::identify(contract, operation, &state.tenants, parts) {
        Caller::Known(tenant) => tenant,
        Caller::NoCredentials => return unauthorized(Situation::MissingCredentials, false),
        Caller::WrongCredentials => return unauthorized(Situation::WrongCredentials, true),
    };
    // Valid credentials of another account get the same response as invalid ones, so that nobody learns which accounts
    // exist.
    let is_own_account = |name: &str| tenant.accounts.get(name).map(String::as_str) == path.get(name);
    match operation.accounts.iter().all(|account| is_own_account(&account.name)) {
        true => Ok(tenant),
        false => unauthorized(Situation::WrongCredentials, true),
    }
}

async fn verify(
    state: &AppState,
    adapter: &VendorAdapter,
    tenant: &Tenant,
    path: &PathParameters<'_>,
    query: Option<&str>,
    body: &[u8],
) -> VendorResponse {
    let context = RenderContext { tenant: Some(tenant), ..RenderContext::default() };
    let (session, code, overrides) = match adapter.parse_verify(path, query, body) {
        VerifyRequest::WellFormed { session, code, overrides } => (session, code, overrides),
        VerifyRequest::Malformed { situation, session } => {
            return adapter.respond(
                situation,
                None,
                RenderContext { session: session.as_deref(), ..context },
            );
        }
    };
    let context = RenderContext { session: Some(&session), code: Some(&code), ..context };
    let contract = &adapter.contract;
    let key = SessionKey { vendor: &contract.vendor, tenant: &tenant.id, session: &session };
    let attempt = VerifyAttempt { key, code: &code, overrides };
    match state.store.attempt(&contract.policy, attempt).await {
        Ok(decision) if decision.foreign && adapter.reveals_foreign_sessions() => {
            adapter.respond(Situation::ForeignSession, None, context)
        }
        Ok(decision) => adapter.respond_to_decision(&decision, context),
        Err(error) => {
            tracing::error!(vendor = contract.vendor, %error, "the store failed");
            unavailable(adapter, &error)
        }
    }
}

/// The response to a failure of the store. It never rejects the code, because the attempt may have been counted or not.
fn unavailable(adapter: &VendorAdapter, error: &StoreError) -> VendorResponse {
    let reason = match error {
        StoreError::Unreachable(_) | StoreError::Refused(_) => "not verified: the service is unavailable",
        StoreError::ResponseLost(_) | StoreError::PartiallyApplied(_) | StoreError::UnexpectedData(_) => {
            "outcome unknown: the service is unavailable"
        }
    };
    let template = &adapter.contract.refusal;
    VendorResponse::refusal_with_reason(template, StatusCode::SERVICE_UNAVAILABLE, reason)
}

/// The error response to a request of which only the path is known. Also returns the adapter, if the path belongs to
/// one.
pub(crate) fn refuse<'s>(
    state: &'s AppState,
    path: &str,
    status: StatusCode,
) -> (Option<&'s VendorAdapter>, VendorResponse) {
    match state.routes.find(path) {
        Some(route) => {
            let adapter = route.any_operation();
            (Some(adapter), adapter.refusal(status))
        }
        None => (None, refusal_of_unknown_path(state, path, status)),
    }
}

/// The error response to a path that no vendor serves, in the format of the vendor with the most similar path.
fn refusal_of_unknown_path(state: &AppState, path: &str, status: StatusCode) -> VendorResponse {
    match state.routes.nearest(path) {
        Some(adapter) => adapter.refusal(status),
        None => VendorResponse::refusal(&serde_json::json!({"error": "$reason"}), status),
    }
}

/// Counts and logs a response. Neither contains anything that the client sent.
pub(crate) fn record(
    state: &AppState,
    adapter: Option<&VendorAdapter>,
    response: &VendorResponse,
    duration: Duration,
) {
    state.metrics.record(adapter.map(|adapter| adapter.id), response, duration);
    tracing::info!(
        vendor = adapter.map(|adapter| adapter.contract.vendor.as_str()),
        outcome = response.situation.map_or("other", |situation| situation.as_str()),
        status = response.status,
        cell = response.cell.as_deref(),
        took_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
}
