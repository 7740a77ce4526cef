//! The sandbox as an HTTP server: finds the dialect of a path, and asks in a fixed order who calls, whether the request
//! can be read, and what the store decides. The order is that of a verifier which leaks nothing: nobody learns about a
//! session before having said who they are, and a malformed request never spends an attempt.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::extract::{Request as HttpRequest, State};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{BoxError, Router};
use bytes::Bytes;
use http::request::Parts;
use http::{StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use otp_contract::{Contract, Situation};
use tokio::net::TcpListener;

use crate::answer::Answer;
use crate::auth::{self, Caller};
use crate::dialect::{Dialect, Request, Scene};
use crate::fault::{Effect, Fault, FaultLayer, SessionDefect, StoreDefect};
use crate::listener::{self, Limits, Services};
use crate::metrics::{self, Metrics};
use crate::query::Parameters;
use crate::secret::Secret;
use crate::store::{Attempt, Key, MemoryStore, Own, RedisStore, Store, StoreError};
use crate::tenants::Tenants;
use crate::{control, mint};

/// The largest request body, in bytes. A verify call has some hundred.
pub(crate) const BODY_LIMIT: usize = 16 * 1024;

/// What a sandbox is started with.
#[derive(Default)]
pub struct Settings {
    /// The APIs to be served.
    pub contracts: Vec<Contract>,
    /// Cells to be given where a contract allows them, as `vendor/cell`; and what comes first where it leaves an order
    /// open, as `vendor/boundary=attempts_exhausted` or `vendor/precedence=expired`.
    pub prefer: Vec<String>,
    /// Deliberate defects.
    pub faults: Vec<&'static Fault>,
    /// The token that control calls must carry, where they must.
    pub control_token: Option<String>,
    /// Where sessions are kept; in this process's memory where nothing is said.
    pub backend: Option<Backend>,
    /// What callers may take.
    pub limits: Limits,
}

/// A store, and the secret of the service that it belongs to.
pub struct Backend {
    store: Arc<dyn Store>,
    secret: Secret,
    /// Whether it has the faults that span replicas in itself.
    spans_replicas: bool,
}

impl Backend {
    /// An empty store in this process's memory; `None` where the system gives no randomness.
    pub fn memory() -> Option<Backend> {
        let secret = Secret::random()?;
        Some(Backend { store: Arc::new(MemoryStore::new(secret.clone())), secret, spans_replicas: false })
    }

    /// Sessions in Redis. Faults that span replicas get what they need to show there.
    pub fn redis(store: RedisStore, faults: &[&'static Fault]) -> Option<Backend> {
        let secret = store.secret();
        let number = mint::mint("-{hex:8}")?;
        let own = |effect| {
            let is_meant = faults.iter().any(|fault| fault.effect == effect);
            if is_meant { number.clone() } else { String::new() }
        };
        let own = Own {
            counts: own(Effect::Storage(StoreDefect::CountPerReplica)),
            used: own(Effect::Decision(SessionDefect::UsePerReplica)),
        };
        Some(Backend { store: Arc::new(store.keeping(own)), secret, spans_replicas: true })
    }
}

/// Why a sandbox cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// No contract has that cell.
    #[error(
        "no contract that is served has a cell `{0}`; name one as vendor/cell, such as exotel/approved_wrapped"
    )]
    UnknownCell(String),
    /// Two contracts cannot be told apart by their paths.
    #[error("the path {path} of {vendor} cannot be served beside the others: {reason}")]
    Path {
        /// The path.
        path: String,
        /// Whose it is.
        vendor: String,
        /// What the router says.
        reason: String,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes for keys and ids")]
    Randomness,
}

/// A sandbox that is ready to serve. Clones share sessions and tenants: served on several listeners they are replicas of
/// one service.
#[derive(Clone)]
pub struct Sandbox {
    pub(crate) state: Arc<Shared>,
    replica: Replica,
}

/// Which of several replicas answers; only a fault may ask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Replica(u32);

/// What every request handler sees.
pub(crate) struct Shared {
    pub(crate) dialects: Vec<Dialect>,
    pub(crate) routes: matchit::Router<usize>,
    pub(crate) tenants: Tenants,
    pub(crate) store: Arc<dyn Store>,
    faults: Option<FaultLayer>,
    pub(crate) control_token: Option<String>,
    pub(crate) limits: Limits,
    metrics: Metrics,
}

impl Sandbox {
    /// Prepares a sandbox.
    pub fn new(settings: Settings) -> Result<Sandbox, SandboxError> {
        let mut settings = settings;
        let wishes = std::mem::take(&mut settings.prefer);
        settings.prefer =
            wishes.into_iter().filter(|wish| !prefer_order(&mut settings.contracts, wish)).collect();
        let mut preferred = BTreeMap::<String, BTreeSet<String>>::new();
        for wish in settings.prefer {
            let known = wish.split_once('/').filter(|(vendor, cell)| {
                settings
                    .contracts
                    .iter()
                    .any(|contract| contract.vendor == *vendor && contract.verify().cell(cell).is_some())
            });
            let Some((vendor, cell)) = known else { return Err(SandboxError::UnknownCell(wish)) };
            preferred.entry(vendor.to_owned()).or_default().insert(cell.to_owned());
        }
        let mut routes = matchit::Router::new();
        let mut dialects = Vec::new();
        for contract in settings.contracts {
            let operation = &contract.verify();
            let variants = operation.path_variants.iter().map(|variant| &variant.path);
            for path in std::iter::once(&operation.path).chain(variants) {
                let path = path.to_string();
                routes.insert(path.clone(), dialects.len()).map_err(|error| SandboxError::Path {
                    path,
                    vendor: contract.vendor.clone(),
                    reason: error.to_string(),
                })?;
            }
            let preferred = preferred.remove(&contract.vendor).unwrap_or_default();
            dialects.push(Dialect::new(Arc::new(contract), preferred));
        }
        let backend = match settings.backend {
            Some(backend) => backend,
            None => Backend::memory().ok_or(SandboxError::Randomness)?,
        };
        let (store, faults) = FaultLayer::around(backend.store, settings.faults, backend.spans_replicas);
        let metrics = Metrics::new(dialects.iter().map(|dialect| &*dialect.contract));
        Ok(Sandbox {
            state: Arc::new(Shared {
                dialects,
                routes,
                tenants: Tenants::new(backend.secret),
                store,
                faults,
                control_token: settings.control_token,
                limits: settings.limits,
                metrics,
            }),
            replica: Replica::default(),
        })
    }

    /// The same service as its replica of that number. Faults that span replicas tell them apart; nothing else does.
    #[must_use]
    pub fn replica(&self, number: u32) -> Sandbox {
        Sandbox { state: Arc::clone(&self.state), replica: Replica(number) }
    }

    /// Everything that is served as a service, for whoever accepts connections in another way.
    pub fn router(&self) -> Router {
        control::router().merge(watching()).fallback(serve_any).with_state(Arc::clone(&self.state))
    }

    /// Serves everything on `listener` until `stop` is done: the vendors, the control, health and metrics.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) {
        let router =
            control::router().merge(watching()).fallback(serve_any).with_state(Arc::clone(&self.state));
        let services = Services { vendors: Some(Arc::clone(&self.state)), router };
        listener::serve(services, listener, self.replica, self.state.limits, stop).await;
    }

    /// Serves the vendors, health and metrics, and no control: nobody can issue codes.
    pub async fn serve_without_control(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) {
        let router = watching().fallback(serve_any).with_state(Arc::clone(&self.state));
        let services = Services { vendors: Some(Arc::clone(&self.state)), router };
        listener::serve(services, listener, self.replica, self.state.limits, stop).await;
    }

    /// Serves the vendors alone: nobody who can call them can issue codes.
    pub async fn serve_vendors(self, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) {
        let router = Router::new().fallback(serve_any).with_state(Arc::clone(&self.state));
        let services = Services { vendors: Some(Arc::clone(&self.state)), router };
        listener::serve(services, listener, self.replica, self.state.limits, stop).await;
    }

    /// Serves the control, health and metrics alone.
    pub async fn serve_control(self, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) {
        let router = control::router().merge(watching()).with_state(Arc::clone(&self.state));
        listener::serve(Services { vendors: None, router }, listener, self.replica, self.state.limits, stop)
            .await;
    }

    /// Drops what nobody may ask for any more, bit by bit, for as long as it is polled.
    pub async fn sweep(&self) {
        let mut beat = tokio::time::interval(SWEEP_BEAT);
        loop {
            beat.tick().await;
            self.state.store.sweep();
        }
    }

    /// A fresh account of a vendor: its id, the parameters that name it and its credentials, as the control hands them
    /// over; `None` where the vendor is not served or the system gives no randomness.
    pub fn tenant(&self, vendor: &str) -> Option<serde_json::Value> {
        let dialect = self.state.dialect(vendor)?;
        self.state.tenants.create(&dialect.contract).map(|tenant| tenant.json())
    }
}

/// How often a part of the store is swept.
const SWEEP_BEAT: Duration = Duration::from_millis(500);

fn watching() -> Router<Arc<Shared>> {
    let metrics = |State(shared): State<Arc<Shared>>| async move {
        ([(header::CONTENT_TYPE, metrics::MEDIA_TYPE)], shared.metrics.text())
    };
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/metrics", get(metrics))
}

/// Grants a wish such as `exotel/boundary=attempts_exhausted` or `exotel/precedence=expired`: the outcome comes first
/// where the contract leaves a choice. Whether it was such a wish, and one that the contract allows.
fn prefer_order(contracts: &mut [Contract], wish: &str) -> bool {
    let Some((vendor, (what, outcome))) =
        wish.split_once('/').and_then(|(vendor, rest)| Some((vendor, rest.split_once('=')?)))
    else {
        return false;
    };
    let Some(contract) = contracts.iter_mut().find(|contract| contract.vendor == vendor) else {
        return false;
    };
    let policy = &mut contract.policy;
    let place = match what {
        "boundary" => policy.boundary.iter().position(|boundary| boundary.outcome().as_str() == outcome),
        "precedence" => policy.precedence.iter().position(|other| other.as_str() == outcome),
        _ => None,
    };
    match (what, place) {
        ("boundary", Some(place)) => policy.boundary.swap(0, place),
        ("precedence", Some(place)) => policy.precedence.swap(0, place),
        _ => return false,
    }
    true
}

async fn serve_any(State(shared): State<Arc<Shared>>, request: HttpRequest) -> axum::response::Response {
    serve_vendor(&shared, request).await
}

/// Answers a request to a vendor, or to nobody.
pub(crate) async fn serve_vendor<B: Body>(
    shared: &Shared,
    request: http::Request<B>,
) -> axum::response::Response {
    match &shared.faults {
        None => {
            let started = Instant::now();
            let (parts, body) = request.into_parts();
            let (vendor, answer) = shared.answer(&parts, body).await;
            shared.note(vendor, &answer, started.elapsed());
            answer.into_response()
        }
        Some(faults) => faults.serve(shared, request).await,
    }
}

/// The body of a request, whoever brings it.
pub(crate) trait Body: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send {}

impl<B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send> Body for B {}

impl Shared {
    /// Counts an answer and logs it. Neither has anything that the caller sent.
    pub(crate) fn note(&self, vendor: Option<usize>, answer: &Answer, took: Duration) {
        self.metrics.answered(vendor, answer, took);
        tracing::info!(
            vendor = vendor.map(|index| self.dialects[index].contract.vendor.as_str()),
            outcome = answer.situation.map_or("other", |situation| situation.as_str()),
            status = answer.status,
            cell = answer.cell.as_deref(),
            took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
    }

    pub(crate) fn dialect(&self, vendor: &str) -> Option<&Dialect> {
        self.dialects.iter().find(|dialect| dialect.contract.vendor == vendor)
    }

    /// Whether it misbehaves on purpose.
    pub(crate) fn has_faults(&self) -> bool {
        self.faults.is_some()
    }

    /// The answer, and the place of the vendor whose path it is.
    pub(crate) async fn answer(&self, parts: &Parts, body: impl Body) -> (Option<usize>, Answer) {
        let Ok(found) = self.routes.at(parts.uri.path()) else {
            return (None, self.nobodys_refusal(parts.uri.path(), StatusCode::NOT_FOUND));
        };
        let index = *found.value;
        let answer = match Parameters::read(found.params.iter()) {
            Some(parameters) => self.answer_call(&self.dialects[index], &parameters, parts, body).await,
            None => self.dialects[index].refusal(StatusCode::BAD_REQUEST),
        };
        (Some(index), answer)
    }

    async fn answer_call(
        &self,
        dialect: &Dialect,
        path: &Parameters<'_>,
        parts: &Parts,
        body: impl Body,
    ) -> Answer {
        let contract = &dialect.contract;
        let session_in_path = path.get(&contract.verify().session.location.name);
        let unauthorized = |situation, shown| {
            let scene = Scene { session: session_in_path, ..Scene::default() };
            let mut answer = dialect.answer(situation, None, scene);
            for challenge in auth::challenges(contract, shown) {
                answer = answer.with_header(header::WWW_AUTHENTICATE, challenge);
            }
            answer
        };
        let tenant = match auth::identify(contract, &self.tenants, &parts.headers) {
            Caller::Known(tenant) => tenant,
            Caller::Missing => return unauthorized(Situation::MissingCredentials, false),
            Caller::Wrong => return unauthorized(Situation::WrongCredentials, true),
        };
        // Good credentials for another account are as good as none: which accounts there are is nobody's business.
        if tenant.accounts.iter().any(|(name, account)| path.get(name) != Some(account.as_str())) {
            return unauthorized(Situation::WrongCredentials, true);
        }
        if parts.method.as_str() != contract.verify().method {
            return dialect
                .refusal(StatusCode::METHOD_NOT_ALLOWED)
                .with_header(header::ALLOW, contract.verify().method.clone());
        }
        if !dialect.accepts(&parts.headers) {
            return dialect
                .refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE)
                .with_header(header::ACCEPT, "application/json".to_owned());
        }
        let body = match read_body(body, self.limits).await {
            Ok(body) => body,
            Err(status) => return dialect.refusal(status),
        };
        let scene = Scene { tenant: Some(&tenant), ..Scene::default() };
        match dialect.read(path, parts.uri.query(), &body) {
            Request::Misshapen { situation, session } => {
                dialect.answer(situation, None, Scene { session: session.as_deref(), ..scene })
            }
            Request::Attempt { session, code, terms } => {
                let key = Key { vendor: &contract.vendor, tenant: &tenant.id, session: &session };
                let scene = Scene { session: Some(&session), code: Some(&code), ..scene };
                let attempt = Attempt { key, code: &code, terms };
                let verdict = match self.store.attempt(&contract.policy, attempt).await {
                    Ok(verdict) => verdict,
                    Err(error) => {
                        tracing::error!(vendor = contract.vendor, %error, "the store did not answer");
                        return dialect.unavailable(&error);
                    }
                };
                if verdict.foreign && dialect.tells_foreign_sessions() {
                    return dialect.answer(Situation::ForeignSession, None, scene);
                }
                dialect
                    .answer_verdict(&verdict, Scene { session: Some(&session), code: Some(&code), ..scene })
            }
        }
    }

    /// The refusal of a request of which no more is known than its path, and the place of the vendor whose path it is.
    pub(crate) fn refusal(&self, path: &str, status: StatusCode) -> (Option<usize>, Answer) {
        match self.routes.at(path) {
            Ok(found) => (Some(*found.value), self.dialects[*found.value].refusal(status)),
            Err(_) => (None, self.nobodys_refusal(path, status)),
        }
    }

    /// A path that no contract has is answered by the vendor whose path has the most leading segments in common.
    fn nobodys_refusal(&self, path: &str, status: StatusCode) -> Answer {
        let in_common = |dialect: &&Dialect| {
            let template = dialect.contract.verify().path.to_string();
            template.split('/').zip(path.split('/')).take_while(|(ours, theirs)| ours == theirs).count()
        };
        match self.dialects.iter().max_by_key(in_common) {
            Some(dialect) => dialect.refusal(status),
            None => Answer::refusal(&serde_json::json!({"error": "$reason"}), status),
        }
    }
}

impl Dialect {
    /// The answer where the store gave none. It is no refusal of the code: whether the attempt counts may be unknown.
    fn unavailable(&self, error: &StoreError) -> Answer {
        let outcome = match error {
            StoreError::Unreachable(_) | StoreError::Refused(_) => "not verified: the service is unavailable",
            StoreError::Lost(_) | StoreError::Halfway(_) | StoreError::Foreign(_) => {
                "outcome unknown: the service is unavailable"
            }
        };
        Answer::refusal_saying(&self.contract.refusal, StatusCode::SERVICE_UNAVAILABLE, outcome)
    }

    fn refusal(&self, status: StatusCode) -> Answer {
        Answer::refusal(&self.contract.refusal, status)
    }
}

pub(crate) async fn read_body(body: impl Body, limits: Limits) -> Result<Bytes, StatusCode> {
    let mut reading = pin!(Limited::new(body, BODY_LIMIT).collect());
    // Nearly every body is there with its head, and no time need be taken.
    let read = match std::future::poll_fn(|context| Poll::Ready(reading.as_mut().poll(context))).await {
        Poll::Ready(read) => read,
        Poll::Pending => match tokio::time::timeout(limits.body_time, reading).await {
            Ok(read) => read,
            Err(_) => return Err(StatusCode::REQUEST_TIMEOUT),
        },
    };
    match read {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::BAD_REQUEST),
    }
}
