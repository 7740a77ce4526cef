//! A client that sends calls of any shape and keeps a transcript of the responses. The transcript replaces everything
//! that differs between two sandboxes, so that two runs of a scenario can be compared.

use std::sync::Arc;

use otp_contract::{Contract, Matching, Place};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tokio::sync::Barrier;

use otp_test_support::{Response, Tenant, TestServer};

/// A verify call and its differences from a correct one.
#[derive(Clone)]
pub(crate) struct Call {
    /// The tenant whose credentials the call has.
    pub(crate) tenant: usize,
    /// The tenant whose account the path names.
    pub(crate) account: usize,
    pub(crate) session: Value,
    pub(crate) code: Option<Value>,
    pub(crate) retry: bool,
    /// Additional members of the body.
    pub(crate) members: Vec<(&'static str, Value)>,
    /// Additional pairs of the query.
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) method: Option<&'static str>,
    pub(crate) media_type: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The header fields that authenticate the call, if they are not those of `tenant`.
    pub(crate) credentials: Option<Vec<(String, String)>>,
    /// Whether the call opens a new connection.
    pub(crate) on_new_connection: bool,
    /// Whether the call goes to the other replica.
    pub(crate) to_other_replica: bool,
    pub(crate) delivery: Delivery,
}

/// How a call reaches the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Complete,
    /// With the body in two chunks.
    Chunked,
    /// Without the last two bytes of the body.
    Truncated,
    /// Complete, but the client disconnects before the response.
    Disconnected,
}

impl Call {
    pub(crate) fn code(&self, code: impl Into<Value>) -> Call {
        Call { code: Some(code.into()), ..self.clone() }
    }

    pub(crate) fn session(&self, session: impl Into<Value>) -> Call {
        Call { session: session.into(), ..self.clone() }
    }

    pub(crate) fn id(&self) -> &str {
        self.session.as_str().unwrap()
    }
}

pub(crate) struct ScenarioClient<'a> {
    sandbox: &'a TestServer,
    pub(crate) contract: &'a Contract,
    tenants: Vec<Arc<Tenant>>,
    sessions: Vec<String>,
    /// One line for each response.
    pub(crate) transcript: Vec<String>,
    pub(crate) last: Option<Response>,
}

impl<'a> ScenarioClient<'a> {
    pub(crate) async fn open(sandbox: &'a TestServer, contract: &'a Contract) -> ScenarioClient<'a> {
        let tenants = vec![
            Arc::new(sandbox.tenant(&contract.vendor).await),
            Arc::new(sandbox.tenant(&contract.vendor).await),
        ];
        ScenarioClient {
            sandbox,
            contract,
            tenants,
            sessions: Vec::new(),
            transcript: Vec::new(),
            last: None,
        }
    }

    /// Issues a session of the first tenant. Returns a correct call with its code.
    pub(crate) async fn issue(&mut self, code: &str, options: Value) -> Call {
        self.issue_for(0, code, options).await
    }

    pub(crate) async fn issue_for(&mut self, tenant: usize, code: &str, options: Value) -> Call {
        let issued = self.sandbox.issue(&self.tenants[tenant], code, options).await;
        let session = issued["session"].as_str().unwrap().to_owned();
        if !self.sessions.contains(&session) {
            self.sessions.push(session.clone());
        }
        Call {
            tenant,
            account: tenant,
            session: session.into(),
            code: Some(code.into()),
            retry: true,
            members: Vec::new(),
            query: Vec::new(),
            body: None,
            method: None,
            media_type: "application/json",
            headers: Vec::new(),
            credentials: None,
            on_new_connection: false,
            to_other_replica: false,
            delivery: Delivery::Complete,
        }
    }

    pub(crate) async fn age(&self, call: &Call, seconds: u64) {
        self.sandbox.age(&self.tenants[call.tenant], call.id(), seconds).await;
    }

    pub(crate) fn credential(&self, tenant: usize) -> (String, String) {
        self.tenants[tenant].credential(self.contract)
    }

    /// The body of `call`, unless it has one of its own.
    pub(crate) fn body(&self, call: &Call) -> Value {
        let operation = &self.contract.verify();
        let mut body = json!({});
        if operation.session.location.place == Place::Body && !call.session.is_null() {
            body[&operation.session.location.name] = call.session.clone();
        }
        if let (Place::Body, Some(code)) = (operation.code.location.place, &call.code) {
            body[&operation.code.location.name] = code.clone();
        }
        for (name, value) in &call.members {
            body[*name] = value.clone();
        }
        body
    }

    fn target(&self, call: &Call) -> String {
        let operation = &self.contract.verify();
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let parameters = &self.tenants[call.account].json()["parameters"];
        let mut target = operation.path.fill(|name| match parameters[name].as_str() {
            Some(account) => account.to_owned(),
            None => encode(call.session.as_str().unwrap()),
        });
        let mut pairs = Vec::new();
        if let (Place::Query, Some(code)) = (operation.code.location.place, &call.code) {
            pairs.push(format!("{}={}", operation.code.location.name, encode(code.as_str().unwrap())));
        }
        if operation.code.location.place == Place::Query {
            if call.retry {
                pairs.push("allow_retry=true".to_owned());
            }
            pairs.extend(call.query.iter().map(|(name, value)| format!("{name}={value}")));
        }
        if !pairs.is_empty() {
            target.push('?');
            target.push_str(&pairs.join("&"));
        }
        target
    }

    pub(crate) async fn send(&mut self, call: &Call) {
        let Some(response) = self.exchange(call).await else { return };
        let line = self.line(&response);
        self.transcript.push(line);
        self.last = Some(response);
    }

    async fn exchange(&self, call: &Call) -> Option<Response> {
        let sandbox =
            if call.to_other_replica { self.sandbox.second_replica() } else { self.sandbox.clone() };
        let request = self.request(call);
        if call.delivery == Delivery::Complete {
            return Some(exchange(sandbox, request, call.on_new_connection).await);
        }
        let mut head = format!(
            "{} {} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\n",
            request.method, request.target
        );
        for (name, value) in request.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", request.body.len()));
        let (first, last) = request.body.split_at(request.body.len().saturating_sub(2));
        let mut chunks = vec![head.into_bytes(), first.to_vec()];
        if call.delivery != Delivery::Truncated {
            chunks.push(last.to_vec());
        }
        let response = sandbox.http().send_bytes(&chunks, call.delivery == Delivery::Chunked).await;
        // A server handles a lost connection shortly after.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        response
    }

    fn request(&self, call: &Call) -> PreparedRequest {
        let operation = &self.contract.verify();
        let mut headers = call
            .credentials
            .clone()
            .unwrap_or_else(|| vec![self.tenants[call.tenant].credential(self.contract)]);
        headers.push(("content-type".to_owned(), call.media_type.to_owned()));
        headers.extend(call.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let body = match &call.body {
            Some(body) => body.clone(),
            None if operation.has_json_body() => self.body(call).to_string().into_bytes(),
            None => Vec::new(),
        };
        let method = call.method.unwrap_or(&operation.method).to_owned();
        PreparedRequest { method, target: self.target(call), headers, body }
    }

    /// Sends the calls concurrently. Returns the lines of the responses in the order of the calls.
    pub(crate) async fn burst(&mut self, calls: &[Call]) -> Vec<String> {
        let barrier = Arc::new(Barrier::new(calls.len()));
        let running: Vec<_> = calls
            .iter()
            .map(|call| {
                let (sandbox, barrier, request) =
                    (self.sandbox.clone(), Arc::clone(&barrier), self.request(call));
                tokio::spawn(async move {
                    barrier.wait().await;
                    exchange(sandbox, request, false).await
                })
            })
            .collect();
        let mut lines = Vec::new();
        for response in running {
            lines.push(self.line(&response.await.unwrap()));
        }
        lines
    }

    /// Status and body of the last response, which the matrix compares.
    pub(crate) fn last_status_and_body(&self) -> String {
        let line = self.transcript.last().unwrap();
        let (status, _) = line.split_once(' ').unwrap();
        let (_, body) = line.split_once("] ").unwrap();
        format!("{status} {body}")
    }

    /// Whether the last response is an approval.
    pub(crate) fn is_approved(&self) -> bool {
        let response = self.last.as_ref().unwrap();
        let cell = self.contract.verify().approvals().find(|cell| !cell.alternative).unwrap();
        let Ok(body) = serde_json::from_slice::<Value>(&response.body) else { return false };
        cell.status.matches(response.status)
            && cell
                .members
                .iter()
                .filter(|member| member.rule.matching == Matching::Literal)
                .all(|member| body.pointer(&member.pointer) == Some(&member.example))
    }

    /// A response without generated values and without values that depend on the clock.
    pub(crate) fn line(&self, response: &Response) -> String {
        let mut headers: Vec<_> = response
            .headers
            .iter()
            .filter(|(name, _)| !["date", "content-length"].contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        headers.sort();
        let body = match serde_json::from_slice::<Value>(&response.body) {
            Ok(mut body) => {
                without_times(&mut body);
                body.to_string()
            }
            Err(_) => String::from_utf8_lossy(&response.body).into_owned(),
        };
        let mut line = format!("{} {headers:?} {body}", response.status);
        for (index, session) in self.sessions.iter().enumerate() {
            line = line.replace(session, &format!("<session {index}>"));
            line = line.replace(&session.to_uppercase(), &format!("<session {index} in capitals>"));
            line = line.replace(&session.replace('-', ""), &format!("<session {index} bare>"));
        }
        for (index, tenant) in self.tenants.iter().enumerate() {
            for part in ["parameters", "credentials"] {
                for_each_text(&tenant.json()[part], &mut |text| {
                    line = line.replace(text, &format!("<tenant {index}>"));
                });
            }
        }
        line
    }
}

struct PreparedRequest {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

async fn exchange(sandbox: TestServer, request: PreparedRequest, on_new_connection: bool) -> Response {
    let sandbox = if on_new_connection { sandbox.with_new_connections() } else { sandbox };
    let headers: Vec<_> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    sandbox.send(&request.method, &request.target, &headers, &request.body).await
}

fn without_times(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), &*member) {
                    (name, Value::String(_)) if name.starts_with("date_") => *member = "<time>".into(),
                    // Rounded to minutes, because a slow machine makes a difference of a second.
                    ("lockout_seconds", Value::Number(seconds)) => {
                        *member = ((seconds.as_u64().unwrap() + 30) / 60).into();
                    }
                    _ => without_times(member),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(without_times),
        _ => {}
    }
}

fn for_each_text(value: &Value, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Object(members) => members.values().for_each(|member| for_each_text(member, visit)),
        _ => {}
    }
}
