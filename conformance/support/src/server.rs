//! Servers on free loopback ports. They end with the runtime of the test.

use axum::Router;
use otp_contract::{Contract, Place};
use otp_sandbox::{Sandbox, Settings};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{ControlClient, HttpClient, Response, Tenant, contracts};

/// A sandbox with two replicas, and clients of it.
#[derive(Clone)]
pub struct TestServer {
    http: HttpClient,
    control: ControlClient,
    second_replica: String,
}

impl TestServer {
    /// Starts a sandbox.
    pub async fn start(settings: Settings) -> TestServer {
        let sandbox = Sandbox::new(settings).unwrap();
        let http = HttpClient::new(serve_replica(&sandbox, 0).await);
        let second_replica = serve_replica(&sandbox, 1).await;
        TestServer { control: ControlClient::new(http.clone()), http, second_replica }
    }

    /// Starts a sandbox of all vendors with default settings.
    pub async fn start_default() -> TestServer {
        TestServer::start(Settings { contracts: contracts(), ..Settings::default() }).await
    }

    /// The URL of the first replica.
    pub fn url(&self) -> &str {
        self.http.url()
    }

    /// An HTTP client of the server.
    pub fn http(&self) -> &HttpClient {
        &self.http
    }

    /// A client of the server's control protocol.
    pub fn control(&self) -> &ControlClient {
        &self.control
    }

    /// The same server, called over new connections.
    #[must_use]
    pub fn with_new_connections(&self) -> TestServer {
        TestServer { http: self.http.with_new_connections(), ..self.clone() }
    }

    /// The same service, called at its second replica.
    #[must_use]
    pub fn second_replica(&self) -> TestServer {
        TestServer { http: HttpClient::new(self.second_replica.clone()), ..self.clone() }
    }

    /// See [`HttpClient::send`].
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        self.http.send(method, path, headers, body).await
    }

    /// See [`ControlClient::tenant`].
    pub async fn tenant(&self, vendor: &str) -> Tenant {
        self.control.tenant(vendor).await
    }

    /// See [`ControlClient::issue`].
    pub async fn issue(&self, tenant: &Tenant, code: &str, options: Value) -> Value {
        self.control.issue(tenant, code, options).await
    }

    /// See [`ControlClient::session`].
    pub async fn session(&self, tenant: &Tenant, code: &str, options: Value) -> String {
        self.control.session(tenant, code, options).await
    }

    /// See [`ControlClient::age`].
    pub async fn age(&self, tenant: &Tenant, session: &str, seconds: u64) {
        self.control.age(tenant, session, seconds).await;
    }

    /// Sends a well-formed verify call.
    pub async fn verify(&self, contract: &Contract, tenant: &Tenant, session: &str, code: &str) -> Response {
        let operation = contract.verify();
        let mut body = json!({});
        let mut path = tenant.path(contract, session);
        for (location, value) in [(&operation.session.location, session), (&operation.code.location, code)] {
            match location.place {
                Place::Path => {}
                Place::Query => path.push_str(&format!("?{}={value}&allow_retry=true", location.name)),
                Place::Body | Place::Form => body[&location.name] = value.into(),
            }
        }
        let (name, value) = tenant.credential(contract);
        let headers = [(name.as_str(), value.as_str()), ("content-type", "application/json")];
        self.send(&operation.method, &path, &headers, body.to_string().as_bytes()).await
    }
}

/// Serves a replica of a sandbox and returns its URL.
pub async fn serve_replica(sandbox: &Sandbox, number: u32) -> String {
    let (listener, url) = bind().await;
    tokio::spawn(sandbox.replica(number).serve(listener, std::future::pending()));
    url
}

/// Serves a router and returns its URL.
pub async fn serve_router(router: Router) -> String {
    let (listener, url) = bind().await;
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn bind() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}
