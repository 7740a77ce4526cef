//! Calls any vendor's client and returns the result in a form that does not depend on the vendor.

use std::time::Duration;

use otp_contract::{Cell, Contract, Matching, StatusPattern};
use otp_verify::__private::http::credentials::{Credentials, KeyPlace};
use otp_verify::{Approved, Code, Error, Outcome, VerifyOperation, dailystory};
use serde_json::Value;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::every_client::with_builder;

/// The arguments and credentials of the calls. No message and no `Debug` may repeat them.
pub(crate) const SESSION: &str = "canary-session-7f3a";
pub(crate) const CODE: &str = "427001";
pub(crate) const ACCOUNT: &str = "canary-account-91bc";
pub(crate) const USER: &str = "canary-user-55de";
pub(crate) const SECRET: &str = "canary-secret-02e8";

/// The result of a call.
#[derive(Debug)]
pub(crate) struct CallResult {
    /// `Approved`, `Refused` for a documented response, or the variant of the error.
    pub(crate) kind: &'static str,
    /// `Approved`, or the variant of the vendor's error.
    pub(crate) variant: String,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) status: Option<u16>,
    /// Whether the body can be decoded.
    pub(crate) typed: bool,
    pub(crate) raw: Option<Vec<u8>>,
    /// The output of `Display` and `Debug`, also of the sources.
    pub(crate) printed: String,
    /// The output of `Display`.
    pub(crate) message: String,
    /// The vendor-neutral error.
    pub(crate) error: Option<Error>,
}

impl CallResult {
    pub(crate) fn new<V: VerifyOperation>(result: Result<Approved<V>, V::Error>) -> CallResult {
        match result {
            Ok(approved) => CallResult {
                kind: "Approved",
                variant: "Approved".to_owned(),
                outcome: Some(Outcome::Approved),
                outcomes: vec![Outcome::Approved],
                status: Some(approved.raw().status()),
                typed: approved.body().is_some(),
                raw: Some(approved.raw().body().to_vec()),
                printed: format!("{approved:?} {approved:#?} {:?}", &*approved),
                message: String::new(),
                error: None,
            },
            Err(error) => {
                let debug = format!("{error:?}");
                let variant = debug.split('(').next().unwrap().to_owned();
                let mut printed = format!("{error} {error:?} {error:#?}");
                let mut source = std::error::Error::source(&error);
                while let Some(cause) = source {
                    printed += &format!(" {cause} {cause:?}");
                    source = cause.source();
                }
                let message = error.to_string();
                let error: Error = error.into();
                printed += &format!(" {error} {error:?} {error:#?} {:?}", error.transport_error());
                let variants = [
                    "Contradictory",
                    "RateLimited",
                    "Undocumented",
                    "Incomplete",
                    "InvalidInput",
                    "Unsent",
                    "Unanswered",
                ];
                CallResult {
                    kind: variants.into_iter().find(|known| *known == variant).unwrap_or("Refused"),
                    variant,
                    outcome: error.outcome(),
                    outcomes: error.outcomes(),
                    status: error.status(),
                    typed: false,
                    raw: error.raw().map(|raw| raw.body().to_vec()),
                    printed,
                    message,
                    error: Some(error),
                }
            }
        }
    }

    pub(crate) fn error(&self) -> &Error {
        self.error.as_ref().unwrap()
    }
}

/// A builder for an HTTP client of the program. It needs the TLS provider that building a vendor's client installs.
pub(crate) fn program_http_client() -> reqwest::ClientBuilder {
    otp_verify::d7::Client::builder("token").build().unwrap();
    reqwest::Client::builder().no_proxy().tls_certs_only([])
}

/// A builder for a client whose key is in a place that none of the vendors has chosen. Its calls also have a query of
/// their own.
pub(crate) fn builder_with_key(
    place: KeyPlace,
    name: &'static str,
    prefix: Option<&'static str>,
    key: &str,
) -> dailystory::ClientBuilder {
    let credentials = Credentials::ApiKey { place, name, prefix, key: key.into() };
    dailystory::ClientBuilder::new(credentials, Vec::new())
}

/// The contracts of all vendors.
pub(crate) fn contracts() -> Vec<Contract> {
    Contract::all().unwrap()
}

/// Calls a vendor's client with the canary values.
pub(crate) async fn verify(vendor: &str, base_url: &str) -> CallResult {
    verify_as(vendor, base_url, SESSION, CODE, Duration::from_secs(15)).await
}

/// Calls a vendor's client.
pub(crate) async fn verify_as(
    vendor: &str,
    base_url: &str,
    session: &str,
    code: &str,
    timeout: Duration,
) -> CallResult {
    let code = Code::new(code);
    macro_rules! call {
        ($builder:expr) => {{
            let client = $builder.base_url(base_url).timeout(timeout).build().unwrap();
            let result = client.verify(session, code).await;
            let typed = result.as_ref().err().is_some_and(|error| error.body().is_some());
            let result = CallResult::new(result);
            CallResult { typed: result.typed || typed, ..result }
        }};
    }
    with_builder!(vendor, call)
}

/// The example body of a cell, with the values of the call where it repeats them.
pub(crate) fn rendered(cell: &Cell) -> Value {
    let mut body = cell.body.clone();
    for member in &cell.members {
        if let Matching::Echo(what) = &member.rule.matching {
            let value = match what.as_str() {
                "session" => SESSION,
                "code" => CODE,
                _ => ACCOUNT,
            };
            *body.pointer_mut(&member.pointer).unwrap() = value.into();
        }
    }
    body
}

/// The statuses with which to send a cell: the sandbox's, and another one of the class if the contract has no exact
/// status.
pub(crate) fn statuses(contract: &Contract, cell: &Cell) -> Vec<u16> {
    let exact =
        |status| contract.verify().cells.iter().any(|cell| cell.status == StatusPattern::Exact(status));
    let mut statuses = vec![cell.sandbox_status];
    if let StatusPattern::Class(class) = cell.status {
        let base = u16::from(class) * 100;
        // Proxies use 499 for a client that disconnected.
        statuses.extend((base + 1..base + 99).rev().find(|status| !exact(*status)));
    }
    statuses
}

/// Sends one response to one call. Returns the result of the call and the requests that arrived.
pub(crate) async fn exchange(
    vendor: &str,
    status: u16,
    body: &[u8],
    media: &str,
) -> (CallResult, Vec<Request>) {
    let server = MockServer::start().await;
    let response = ResponseTemplate::new(status).set_body_raw(body, media);
    Mock::given(any()).respond_with(response).mount(&server).await;
    let result = verify(vendor, &server.uri()).await;
    let requests = server.received_requests().await.unwrap();
    (result, requests)
}

/// [`exchange`] with a JSON body and one request.
pub(crate) async fn exchange_json(vendor: &str, status: u16, body: &Value) -> CallResult {
    let (result, requests) = exchange(vendor, status, body.to_string().as_bytes(), "application/json").await;
    assert_eq!(requests.len(), 1);
    result
}
