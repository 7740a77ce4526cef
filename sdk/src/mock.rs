//! A server for tests that plays the documented answers of the vendors, by name. Only with the feature `mock`.
//!
//! The answers are those of the vendors' contracts, the same that the clients are generated from and that the conformance
//! suite judges servers by. So a test can go through all of them, and asks about the ones that come with the next version
//! of the contracts too:
//!
//! ```
//! # #[cfg(feature = "zeckta")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use otp_verify::{mock, Code, Kind, Outcome, zeckta};
//!
//! let server = mock::Server::start().await;
//! let client = zeckta::Client::builder("an API key").base_url(server.url()).build()?;
//!
//! // One answer, by name.
//! server.play(mock::cell("zeckta", "expired").unwrap());
//! let error = client.verify("feab6011", Code::new("123456")).await.unwrap_err();
//! assert!(matches!(error, zeckta::Error::Expired(_)));
//! assert_eq!(error.kind(), Kind::Expired);
//!
//! // Every documented answer of the vendor: only one lets the user in.
//! for cell in zeckta::cells() {
//!     server.play(cell);
//!     let approved = client.verify("feab6011", Code::new("123456")).await.is_ok();
//!     assert_eq!(approved, cell.outcome() == Outcome::Approved, "{cell:?}");
//! }
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "zeckta"))]
//! # fn main() {}
//! ```
//!
//! The server answers one request at a time, as `wiremock` does: it is no place for a test of concurrency.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::cell::Cell;
use crate::vendor::Wire;

/// How a mock gives an answer.
pub(crate) struct Play {
    /// The body that the vendor's document prints.
    pub(crate) body: &'static str,
    /// The places of the body that repeat the request.
    pub(crate) echoes: &'static [(&'static str, Carried)],
}

/// Where a request carries a value.
#[allow(dead_code, reason = "a build may have one vendor")]
#[derive(Clone, Copy)]
pub(crate) enum Carried {
    /// In the parameter of this name in the path.
    Path(&'static str),
    /// In this parameter of the query.
    Query(&'static str),
    /// In this member of the body.
    Body(&'static str),
}

/// Every documented answer of every vendor whose feature is on.
pub fn cells() -> impl Iterator<Item = &'static Cell> {
    vendors().into_iter().flat_map(|vendor| vendor.cells)
}

/// What a server needs to know of a vendor.
struct Vendor {
    id: &'static str,
    method: &'static str,
    path: &'static str,
    cells: &'static [Cell],
}

fn vendors() -> Vec<Vendor> {
    #[allow(dead_code, reason = "there may be no vendor")]
    fn vendor<B: Wire>() -> Vendor {
        Vendor { id: B::ID, method: B::METHOD, path: B::PATH, cells: B::table().cells }
    }
    vec![
        #[cfg(feature = "zeckta")]
        vendor::<crate::zeckta::Body>(),
        #[cfg(feature = "kaleyra")]
        vendor::<crate::kaleyra::Body>(),
        #[cfg(feature = "dailystory")]
        vendor::<crate::dailystory::Body>(),
        #[cfg(feature = "exotel")]
        vendor::<crate::exotel::Body>(),
        #[cfg(feature = "d7")]
        vendor::<crate::d7::Body>(),
    ]
}

/// The documented answer of that vendor and name, such as `zeckta` and `expired`.
pub fn cell(vendor: &str, name: &str) -> Option<&'static Cell> {
    cells().find(|cell| cell.vendor == vendor && cell.name == name)
}

/// A server on a free port of this machine, which ends when it is dropped.
pub struct Server {
    wiremock: MockServer,
    stage: Stage,
}

/// What is played, by the vendor's id.
#[derive(Clone, Default)]
struct Stage(Arc<Mutex<HashMap<&'static str, Played>>>);

/// A cell as it is played.
struct Played {
    cell: &'static Cell,
    status: u16,
    change: Box<dyn Fn(&mut Value) + Send + Sync>,
}

impl Server {
    /// Starts a server. A call of a vendor of whom nothing is played gets an empty HTTP 404.
    pub async fn start() -> Server {
        let (wiremock, stage) = (MockServer::start().await, Stage::default());
        Mock::given(any()).respond_with(stage.clone()).mount(&wiremock).await;
        Server { wiremock, stage }
    }

    /// The address, for [`ClientBuilder::base_url`](crate::ClientBuilder::base_url).
    pub fn url(&self) -> String {
        self.wiremock.uri()
    }

    /// Answers every further call of the cell's vendor with this cell: with its status and the body that the vendor's
    /// document prints, where what repeats the request is taken from the request. What is played for another vendor
    /// goes on, so one server can stand for several.
    pub fn play(&self, cell: &'static Cell) {
        self.play_as(cell, cell.usual_status, |_| {});
    }

    /// Answers as [`Server::play`] does, with another status and a changed body: for an answer that a vendor might
    /// invent. `change` sees the body as JSON.
    pub fn play_as(
        &self,
        cell: &'static Cell,
        status: u16,
        change: impl Fn(&mut Value) + Send + Sync + 'static,
    ) {
        let played = Played { cell, status, change: Box::new(change) };
        self.stage.0.lock().unwrap_or_else(PoisonError::into_inner).insert(cell.vendor, played);
    }

    /// How many requests have arrived so far.
    pub async fn requests(&self) -> usize {
        self.wiremock.received_requests().await.unwrap_or_default().len()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl Respond for Stage {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let called = vendors().into_iter().find_map(|vendor| {
            let path = Path::of(&vendor, request)?;
            Some((stage.get(vendor.id)?, path))
        });
        match called {
            Some((played, path)) => played.answer(request, &path),
            None => ResponseTemplate::new(404),
        }
    }
}

impl Played {
    fn answer(&self, request: &Request, path: &Path) -> ResponseTemplate {
        let mut body: Value = serde_json::from_str(self.cell.play.body).unwrap_or_default();
        for (pointer, carried) in self.cell.play.echoes {
            let value = match carried {
                Carried::Path(name) => path.0.get(name).cloned(),
                Carried::Query(name) => request
                    .url
                    .query_pairs()
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value.into_owned()),
                Carried::Body(name) => serde_json::from_slice::<Value>(&request.body)
                    .ok()
                    .and_then(|body| body.get(name)?.as_str().map(str::to_owned)),
            };
            if let (Some(place), Some(value)) = (body.pointer_mut(pointer), value) {
                *place = value.into();
            }
        }
        (self.change)(&mut body);
        ResponseTemplate::new(self.status).set_body_json(body)
    }
}

/// The parameters of a path.
struct Path(HashMap<&'static str, String>);

impl Path {
    /// The parameters, where the request is a call of the vendor's.
    fn of(vendor: &Vendor, request: &Request) -> Option<Path> {
        let segments: Vec<&str> = request.url.path().split('/').collect();
        let template: Vec<&'static str> = vendor.path.split('/').collect();
        if request.method.as_str() != vendor.method || segments.len() != template.len() {
            return None;
        }
        let mut parameters = HashMap::new();
        for (expected, found) in template.into_iter().zip(segments) {
            match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => {
                    parameters.insert(name, decoded(found));
                }
                None if expected != found => return None,
                None => {}
            }
        }
        Some(Path(parameters))
    }
}

/// A segment of a path as it was before it was percent-encoded.
fn decoded(segment: &str) -> String {
    // A query is encoded as a segment is, but for the plus sign, which stands for itself in a segment.
    let query = format!("http://localhost/?{}", segment.replace('+', "%2B"));
    let url = reqwest::Url::parse(&query).ok();
    url.and_then(|url| url.query_pairs().next().map(|(key, _)| key.into_owned())).unwrap_or_default()
}
