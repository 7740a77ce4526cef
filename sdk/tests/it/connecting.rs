//! Connections that are refused. The resolver counts how often the client connects, the server counts requests.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use otp_verify::{Code, Consumption, zeckta};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde_json::json;
use tokio::time::Instant;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::vendor_call::program_http_client;

/// Resolves `localhost` to a port without a listener for a number of times, and then to the server.
struct Directory {
    closed: SocketAddr,
    open: SocketAddr,
    refusals: usize,
    lookups: AtomicUsize,
}

impl Directory {
    fn new(open: SocketAddr, refusals: usize) -> Arc<Directory> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = listener.local_addr().unwrap();
        Arc::new(Directory { closed, open, refusals, lookups: AtomicUsize::new(0) })
    }

    fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }

    fn client(self: &Arc<Directory>) -> zeckta::Client {
        let http = program_http_client()
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(Lookup(Arc::clone(self))))
            .build()
            .unwrap();
        zeckta::Client::builder("key").base_url("http://localhost").http_client(http).build().unwrap()
    }
}

struct Lookup(Arc<Directory>);

impl Resolve for Lookup {
    fn resolve(&self, _: Name) -> Resolving {
        let number = self.0.lookups.fetch_add(1, Ordering::SeqCst);
        let address = if number < self.0.refusals { self.0.closed } else { self.0.open };
        let found: Addrs = Box::new(std::iter::once(address));
        Box::pin(std::future::ready(Ok(found)))
    }
}

async fn server() -> MockServer {
    let server = MockServer::start().await;
    let expired = json!({ "success": false, "message": "OTP expired",
        "data": { "sessionId": "s", "status": "EXPIRED", "verified": false, "message": "OTP expired" } });
    let response = ResponseTemplate::new(410).set_body_json(expired);
    Mock::given(any()).respond_with(response).mount(&server).await;
    server
}

#[tokio::test]
async fn a_server_that_starts_before_the_third_connection_gets_one_request() {
    for refusals in 0..=2 {
        let server = server().await;
        let directory = Directory::new(*server.address(), refusals);
        let error = directory.client().verify("s", Code::new("1")).await.unwrap_err();
        assert!(matches!(error, zeckta::Error::Expired(_)), "{error:?}");
        assert_eq!(directory.lookups(), refusals + 1);
        assert_eq!(server.received_requests().await.unwrap().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_connects_three_times_with_growing_delays() {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    let directory = Directory::new(nowhere, usize::MAX);
    let client = directory.client();
    let start = Instant::now();
    let error = client.verify("s", Code::new("1")).await.unwrap_err();
    // The clock advances only for the delays: 100 and 200 milliseconds, each with up to 100 % of jitter.
    let bounds = Duration::from_millis(300)..=Duration::from_millis(605);
    assert!(bounds.contains(&start.elapsed()), "{:?}", start.elapsed());
    assert!(matches!(error, zeckta::Error::Unsent(_)), "{error:?}");
    assert_eq!((directory.lookups(), error.attempt_consumed()), (3, Consumption::No));
}

#[tokio::test(start_paused = true)]
async fn no_retry_starts_after_the_timeout_of_the_call() {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    let directory = Directory::new(nowhere, usize::MAX);
    let start = Instant::now();
    let call = directory.client().verify("s", Code::new("1")).timeout(Duration::from_millis(90));
    let error = call.await.unwrap_err();
    assert!(matches!(error, zeckta::Error::Unsent(_)), "{error:?}");
    assert_eq!(directory.lookups(), 1);
    assert!(start.elapsed() <= Duration::from_millis(90), "{:?}", start.elapsed());
}

#[tokio::test]
async fn the_longest_possible_timeout_works() {
    let server = server().await;
    let directory = Directory::new(*server.address(), 0);
    let call = directory.client().verify("s", Code::new("1")).timeout(Duration::MAX);
    assert!(matches!(call.await, Err(zeckta::Error::Expired(_))));
}
