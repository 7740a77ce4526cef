//! A sandbox on a free port, and a client that sends what it is told.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use otp_contract::{Contract, Place};
use otp_sandbox::{Sandbox, Settings};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

pub(crate) fn contracts() -> Vec<Contract> {
    Contract::all().unwrap()
}

#[derive(Clone)]
pub(crate) struct House {
    pub(crate) url: String,
    /// A second replica of the same service.
    second: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }
}

impl House {
    pub(crate) async fn open(settings: Settings) -> House {
        let service = Sandbox::new(settings).unwrap();
        let mut urls = Vec::new();
        for number in 0..2 {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            urls.push(format!("http://{}", listener.local_addr().unwrap()));
            tokio::spawn(service.replica(number).serve(listener, std::future::pending()));
        }
        let client = Client::builder(TokioExecutor::new()).build_http();
        House { url: urls.remove(0), second: urls.remove(0), client }
    }

    /// The same sandbox, over connections of its own.
    pub(crate) fn anew(&self) -> House {
        House { client: Client::builder(TokioExecutor::new()).build_http(), ..self.clone() }
    }

    /// The other replica of the same service.
    pub(crate) fn other(&self) -> House {
        House { url: self.second.clone(), ..self.clone() }
    }

    /// Sends octets as they are over a connection of their own, each piece for itself. What is answered until the server
    /// closes, or nothing where it is not waited for.
    pub(crate) async fn send_octets(&self, pieces: &[Vec<u8>], waits: bool) -> Option<Answer> {
        let address = self.url.trim_start_matches("http://");
        let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
        for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
            connection.write_all(piece).await.unwrap();
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        if !waits {
            return None;
        }
        let mut read = Vec::new();
        connection.read_to_end(&mut read).await.unwrap();
        let text = String::from_utf8(read).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let fields = lines.map(|line| line.split_once(": ").unwrap());
        let headers = fields.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Some(Answer { status, headers, body: body.to_owned().into() })
    }

    pub(crate) async fn clean() -> House {
        House::open(Settings { contracts: contracts(), ..Settings::default() }).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body))).unwrap();
        let (parts, body) = self.client.request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(crate) async fn control(&self, path: &str, body: &Value) -> Answer {
        let path = format!("/_control/v1{path}");
        self.send("POST", &path, &[("content-type", "application/json")], body.to_string().as_bytes()).await
    }

    pub(crate) async fn tenant(&self, vendor: &str) -> Tenant {
        let made = self.control("/tenants", &json!({"vendor": vendor})).await;
        assert_eq!(made.status, 201);
        Tenant { vendor: vendor.to_owned(), made: made.json() }
    }

    pub(crate) async fn issue(&self, tenant: &Tenant, code: &str, wishes: Value) -> Value {
        let mut body = wishes;
        body["vendor"] = tenant.vendor.as_str().into();
        body["tenant"] = tenant.id().into();
        body["code"] = code.into();
        let issued = self.control("/sessions", &body).await;
        assert_eq!(issued.status, 201, "{:?}", issued.body);
        issued.json()
    }

    pub(crate) async fn age(&self, tenant: &Tenant, session: &str, seconds: u64) {
        let body =
            json!({"vendor": tenant.vendor, "tenant": tenant.id(), "session": session, "seconds": seconds});
        assert_eq!(self.control("/sessions/age", &body).await.status, 204);
    }

    /// A proper verify call.
    pub(crate) async fn verify(
        &self,
        contract: &Contract,
        tenant: &Tenant,
        session: &str,
        code: &str,
    ) -> Answer {
        let operation = &contract.verify();
        let mut body = json!({});
        let mut path = tenant.path(contract, session);
        for (location, value) in [(&operation.session.location, session), (&operation.code.location, code)] {
            match location.place {
                Place::Path => {}
                Place::Query => path.push_str(&format!("?{}={value}&allow_retry=true", location.name)),
                Place::Body => body[&location.name] = value.into(),
            }
        }
        let (name, value) = tenant.credential();
        let headers = [(name.as_str(), value.as_str()), ("content-type", "application/json")];
        self.send(&operation.method, &path, &headers, body.to_string().as_bytes()).await
    }
}

pub(crate) struct Tenant {
    pub(crate) vendor: String,
    pub(crate) made: Value,
}

impl Tenant {
    pub(crate) fn id(&self) -> &str {
        self.made["tenant"].as_str().unwrap()
    }

    pub(crate) fn path(&self, contract: &Contract, session: &str) -> String {
        contract.verify().path.fill(|name| match self.made["parameters"][name].as_str() {
            Some(account) => account.to_owned(),
            None => session.to_owned(),
        })
    }

    /// The header field that authenticates as this tenant.
    pub(crate) fn credential(&self) -> (String, String) {
        use base64::Engine;
        let credentials = &self.made["credentials"];
        if let Some(token) = credentials["bearerAuth"]["token"].as_str() {
            return ("authorization".to_owned(), format!("Bearer {token}"));
        }
        if let Some(value) = credentials["apiKey"]["value"].as_str() {
            return ("api-key".to_owned(), value.to_owned());
        }
        let basic = &credentials["basicAuth"];
        let pair = format!("{}:{}", basic["username"].as_str().unwrap(), basic["password"].as_str().unwrap());
        (
            "authorization".to_owned(),
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)),
        )
    }
}
