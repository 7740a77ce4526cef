//! A server for tests that sends the vendors' documented responses by name, with the feature `mock`.
//!
//! The responses come from the contracts from which the clients are generated and by which the conformance suite judges
//! servers. A test can iterate over all of them, and then also covers those that a later version of a contract adds:
//!
//! ```
//! # #[cfg(feature = "zeckta")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use otp_verify::{mock, Code, ErrorKind, Outcome, zeckta};
//!
//! let server = mock::Server::start().await;
//! let client = zeckta::Client::builder("an API key").base_url(server.url()).build()?;
//!
//! // One response, by name.
//! server.respond_with(mock::cell("zeckta", "expired").unwrap());
//! let error = client.verify("feab6011", Code::new("123456")).await.unwrap_err();
//! assert!(matches!(error, zeckta::Error::Expired(_)));
//! assert_eq!(error.kind(), ErrorKind::Expired);
//!
//! // Every documented response of the vendor. Only an approval admits the user.
//! for cell in zeckta::cells() {
//!     server.respond_with(cell);
//!     let approved = client.verify("feab6011", Code::new("123456")).await.is_ok();
//!     assert_eq!(approved, cell.outcome() == Outcome::Approved, "{cell:?}");
//! }
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "zeckta"))]
//! # fn main() {}
//! ```
//!
//! The server handles one request at a time, because `wiremock` does, so it is not suitable for tests of concurrency.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use percent_encoding::percent_decode_str;
use serde_json::Value;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::generated::VERIFY_OPERATIONS;
use crate::response::{Cell, MockResponse, RequestPart};

/// The documented responses of all vendors whose features are enabled.
pub fn cells() -> impl Iterator<Item = &'static Cell> {
    VERIFY_OPERATIONS.iter().flat_map(|operation| operation.responses.cells)
}

/// The documented response with this vendor and name, such as `zeckta` and `expired`.
pub fn cell(vendor: &str, name: &str) -> Option<&'static Cell> {
    cells().find(|cell| cell.vendor == vendor && cell.name == name)
}

/// A server on a free loopback port. It stops when it is dropped.
pub struct Server {
    wiremock: MockServer,
    responses: Responses,
}

/// The configured responses, by the vendor's id.
#[derive(Clone, Default)]
struct Responses(Arc<Mutex<BTreeMap<&'static str, ConfiguredResponse>>>);

struct ConfiguredResponse {
    cell: &'static Cell,
    status: u16,
    change: Box<dyn Fn(&mut Value) + Send + Sync>,
}

impl Server {
    /// Starts a server. A call gets an empty HTTP 404 until a response is configured for its vendor.
    pub async fn start() -> Server {
        let (wiremock, responses) = (MockServer::start().await, Responses::default());
        Mock::given(any()).respond_with(responses.clone()).mount(&wiremock).await;
        Server { wiremock, responses }
    }

    /// The base URL, for [`ClientBuilder::base_url`](crate::ClientBuilder::base_url).
    pub fn url(&self) -> String {
        self.wiremock.uri()
    }

    /// Responds to all further calls of the cell's vendor with this cell: with its status and with the body in the
    /// vendor's document, in which the values that repeat the request come from the request.
    ///
    /// The responses for other vendors remain, so one server can stand for several vendors.
    pub fn respond_with(&self, cell: &'static Cell) {
        self.respond_with_changes(cell, cell.usual_status, |_| {});
    }

    /// Responds like [`Server::respond_with`], but with another status and with a body that `change` modifies. This
    /// simulates responses that no document describes.
    pub fn respond_with_changes(
        &self,
        cell: &'static Cell,
        status: u16,
        change: impl Fn(&mut Value) + Send + Sync + 'static,
    ) {
        let response = ConfiguredResponse { cell, status, change: Box::new(change) };
        self.responses.0.lock().unwrap_or_else(PoisonError::into_inner).insert(cell.vendor, response);
    }

    /// How many requests have arrived.
    pub async fn requests(&self) -> usize {
        self.wiremock.received_requests().await.unwrap_or_default().len()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl Respond for Responses {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let responses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let response = responses.values().find_map(|response| {
            let parameters = path_parameters(&response.cell.mock, request)?;
            Some(response.render(request, &parameters))
        });
        response.unwrap_or_else(|| ResponseTemplate::new(404))
    }
}

impl ConfiguredResponse {
    fn render(&self, request: &Request, path_parameters: &HashMap<&'static str, String>) -> ResponseTemplate {
        if !self.cell.has_body() {
            return ResponseTemplate::new(self.status);
        }
        let mut body: Value = serde_json::from_str(self.cell.mock.body).unwrap_or_default();
        for (pointer, part) in self.cell.mock.echoes {
            let value = match part {
                RequestPart::Path(name) => path_parameters.get(name).cloned(),
                RequestPart::Query(name) => request
                    .url
                    .query_pairs()
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value.into_owned()),
                RequestPart::Body(name) => body_member(request, name),
            };
            if let (Some(target), Some(value)) = (body.pointer_mut(pointer), value) {
                *target = value.into();
            }
        }
        (self.change)(&mut body);
        ResponseTemplate::new(self.status).set_body_json(body)
    }
}

/// A member of a request's body, which is JSON or a form.
fn body_member(request: &Request, name: &str) -> Option<String> {
    match serde_json::from_slice::<Value>(&request.body) {
        // A member inside another one has its JSON pointer.
        Ok(body) if name.starts_with('/') => body.pointer(name)?.as_str().map(str::to_owned),
        Ok(body) => body.get(name)?.as_str().map(str::to_owned),
        Err(_) => url::form_urlencoded::parse(&request.body)
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned()),
    }
}

/// The path parameters of a call, or `None` if the request is another call.
fn path_parameters(operation: &MockResponse, request: &Request) -> Option<HashMap<&'static str, String>> {
    let segments: Vec<&str> = request.url.path().split('/').collect();
    let template: Vec<&'static str> = operation.path.split('/').collect();
    if request.method.as_str() != operation.method || segments.len() != template.len() {
        return None;
    }
    let mut parameters = HashMap::new();
    for (expected, found) in template.into_iter().zip(segments) {
        match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => {
                parameters.insert(name, percent_decode_str(found).decode_utf8_lossy().into_owned());
            }
            None if expected != found => return None,
            None => {}
        }
    }
    Some(parameters)
}
