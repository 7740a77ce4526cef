//! Where exchanges are played for a fault: calls of every shape, and a transcript of their answers in which nothing is
//! left that differs from one sandbox to the next.

use std::sync::Arc;

use otp_contract::{Contract, Matching, Place};
use otp_test_support::{Response, Tenant, TestServer};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tokio::sync::Barrier;

/// A call, and how it departs from a proper one.
#[derive(Clone)]
pub(crate) struct Ask {
    /// Whose credentials it carries, and whose account the path names.
    pub(crate) tenant: usize,
    pub(crate) account: usize,
    pub(crate) session: Value,
    pub(crate) code: Option<Value>,
    pub(crate) retry: bool,
    /// Further members of the body.
    pub(crate) members: Vec<(&'static str, Value)>,
    /// Further pairs of the query.
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) method: Option<&'static str>,
    pub(crate) media_type: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The header fields that authenticate the call, where they are not those of `tenant`.
    pub(crate) credentials: Option<Vec<(String, String)>>,
    /// Whether the call gets a connection of its own.
    pub(crate) anew: bool,
    /// Whether it goes to the other replica.
    pub(crate) elsewhere: bool,
    pub(crate) delivery: Delivery,
}

/// How a call arrives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    /// The body in two pieces.
    Pieces,
    /// Without the last two octets, and then no more.
    BrokenOff,
    /// Whole, and nobody waits for the answer.
    HungUp,
}

impl Ask {
    pub(crate) fn code(&self, code: impl Into<Value>) -> Ask {
        Ask { code: Some(code.into()), ..self.clone() }
    }

    pub(crate) fn session(&self, session: impl Into<Value>) -> Ask {
        Ask { session: session.into(), ..self.clone() }
    }

    pub(crate) fn id(&self) -> &str {
        self.session.as_str().unwrap()
    }
}

pub(crate) struct Stage<'a> {
    house: &'a TestServer,
    pub(crate) contract: &'a Contract,
    tenants: Vec<Arc<Tenant>>,
    sessions: Vec<String>,
    /// What was answered, one line each.
    pub(crate) transcript: Vec<String>,
    pub(crate) last: Option<Response>,
}

impl<'a> Stage<'a> {
    pub(crate) async fn open(house: &'a TestServer, contract: &'a Contract) -> Stage<'a> {
        let tenants = vec![
            Arc::new(house.tenant(&contract.vendor).await),
            Arc::new(house.tenant(&contract.vendor).await),
        ];
        Stage { house, contract, tenants, sessions: Vec::new(), transcript: Vec::new(), last: None }
    }

    /// A new session of the first tenant, and a proper call with its code.
    pub(crate) async fn issue(&mut self, code: &str, wishes: Value) -> Ask {
        self.issue_for(0, code, wishes).await
    }

    pub(crate) async fn issue_for(&mut self, tenant: usize, code: &str, wishes: Value) -> Ask {
        let issued = self.house.issue(&self.tenants[tenant], code, wishes).await;
        let session = issued["session"].as_str().unwrap().to_owned();
        if !self.sessions.contains(&session) {
            self.sessions.push(session.clone());
        }
        Ask {
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
            anew: false,
            elsewhere: false,
            delivery: Delivery::Whole,
        }
    }

    pub(crate) async fn age(&self, ask: &Ask, seconds: u64) {
        self.house.age(&self.tenants[ask.tenant], ask.id(), seconds).await;
    }

    pub(crate) fn credential(&self, tenant: usize) -> (String, String) {
        self.tenants[tenant].credential(self.contract)
    }

    /// The body of a proper call, with the members of `ask`.
    pub(crate) fn body(&self, ask: &Ask) -> Value {
        let operation = &self.contract.verify();
        let mut body = json!({});
        if operation.session.location.place == Place::Body && !ask.session.is_null() {
            body[&operation.session.location.name] = ask.session.clone();
        }
        if let (Place::Body, Some(code)) = (operation.code.location.place, &ask.code) {
            body[&operation.code.location.name] = code.clone();
        }
        for (name, value) in &ask.members {
            body[*name] = value.clone();
        }
        body
    }

    fn target(&self, ask: &Ask) -> String {
        let operation = &self.contract.verify();
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let parameters = &self.tenants[ask.account].json()["parameters"];
        let mut target = operation.path.fill(|name| match parameters[name].as_str() {
            Some(account) => account.to_owned(),
            None => encode(ask.session.as_str().unwrap()),
        });
        let mut pairs = Vec::new();
        if let (Place::Query, Some(code)) = (operation.code.location.place, &ask.code) {
            pairs.push(format!("{}={}", operation.code.location.name, encode(code.as_str().unwrap())));
        }
        if operation.code.location.place == Place::Query {
            if ask.retry {
                pairs.push("allow_retry=true".to_owned());
            }
            pairs.extend(ask.query.iter().map(|(name, value)| format!("{name}={value}")));
        }
        if !pairs.is_empty() {
            target.push('?');
            target.push_str(&pairs.join("&"));
        }
        target
    }

    pub(crate) async fn send(&mut self, ask: &Ask) {
        let Some(answer) = self.exchange(ask).await else { return };
        let line = self.line(&answer);
        self.transcript.push(line);
        self.last = Some(answer);
    }

    async fn exchange(&self, ask: &Ask) -> Option<Response> {
        let house = if ask.elsewhere { self.house.second_replica() } else { self.house.clone() };
        let request = self.request(ask);
        if ask.delivery == Delivery::Whole {
            return Some(exchange(house, request, ask.anew).await);
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
        let mut pieces = vec![head.into_bytes(), first.to_vec()];
        if ask.delivery != Delivery::BrokenOff {
            pieces.push(last.to_vec());
        }
        let answer = house.http().send_bytes(&pieces, ask.delivery == Delivery::Pieces).await;
        // What a server does with a call that it lost, it does in a moment.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        answer
    }

    fn request(&self, ask: &Ask) -> Prepared {
        let operation = &self.contract.verify();
        let mut headers = ask
            .credentials
            .clone()
            .unwrap_or_else(|| vec![self.tenants[ask.tenant].credential(self.contract)]);
        headers.push(("content-type".to_owned(), ask.media_type.to_owned()));
        headers.extend(ask.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let body = match &ask.body {
            Some(body) => body.clone(),
            None if operation.has_body => self.body(ask).to_string().into_bytes(),
            None => Vec::new(),
        };
        let method = ask.method.unwrap_or(&operation.method).to_owned();
        Prepared { method, target: self.target(ask), headers, body }
    }

    /// Sends the calls at once and gives the lines of their answers, in no order.
    pub(crate) async fn burst(&mut self, asks: &[Ask]) -> Vec<String> {
        let barrier = Arc::new(Barrier::new(asks.len()));
        let running: Vec<_> = asks
            .iter()
            .map(|ask| {
                let (house, barrier, request) = (self.house.clone(), Arc::clone(&barrier), self.request(ask));
                tokio::spawn(async move {
                    barrier.wait().await;
                    exchange(house, request, false).await
                })
            })
            .collect();
        let mut lines = Vec::new();
        for answer in running {
            lines.push(self.line(&answer.await.unwrap()));
        }
        lines
    }

    /// Status and body of the last answer, which is what the matrix judges.
    pub(crate) fn judged(&self) -> String {
        let line = self.transcript.last().unwrap();
        let (status, _) = line.split_once(' ').unwrap();
        let (_, body) = line.split_once("] ").unwrap();
        format!("{status} {body}")
    }

    /// Whether the last answer is an approval.
    pub(crate) fn is_approved(&self) -> bool {
        let answer = self.last.as_ref().unwrap();
        let cell = self.contract.verify().approvals().find(|cell| !cell.alternative).unwrap();
        let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else { return false };
        cell.status.matches(answer.status)
            && cell
                .members
                .iter()
                .filter(|member| member.rule.matching == Matching::Literal)
                .all(|member| body.pointer(&member.pointer) == Some(&member.example))
    }

    /// An answer without what is minted or depends on the clock.
    pub(crate) fn line(&self, answer: &Response) -> String {
        let mut headers: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| !["date", "content-length"].contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        headers.sort();
        let body = match serde_json::from_slice::<Value>(&answer.body) {
            Ok(mut body) => {
                without_times(&mut body);
                body.to_string()
            }
            Err(_) => String::from_utf8_lossy(&answer.body).into_owned(),
        };
        let mut line = format!("{} {headers:?} {body}", answer.status);
        for (index, session) in self.sessions.iter().enumerate() {
            line = line.replace(session, &format!("<session {index}>"));
            line = line.replace(&session.to_uppercase(), &format!("<session {index} in capitals>"));
            line = line.replace(&session.replace('-', ""), &format!("<session {index} bare>"));
        }
        for (index, tenant) in self.tenants.iter().enumerate() {
            for made in ["parameters", "credentials"] {
                each_text(&tenant.json()[made], &mut |text| {
                    line = line.replace(text, &format!("<of tenant {index}>"));
                });
            }
        }
        line
    }
}

struct Prepared {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

async fn exchange(house: TestServer, request: Prepared, anew: bool) -> Response {
    let house = if anew { house.with_new_connections() } else { house };
    let headers: Vec<_> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    house.send(&request.method, &request.target, &headers, &request.body).await
}

fn without_times(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), &*member) {
                    (name, Value::String(_)) if name.starts_with("date_") => *member = "<time>".into(),
                    // To the minute: a second more or less is the machine's.
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

fn each_text(value: &Value, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Object(members) => members.values().for_each(|member| each_text(member, visit)),
        _ => {}
    }
}
