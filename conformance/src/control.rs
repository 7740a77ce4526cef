//! The suite's side of the control protocol: how a subject is put into a state. A refusal is the set-up's trouble and
//! never the subject's verdict, so it has types of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::wire::{RawRequest, RawResponse, Wire, WireError};

/// An account of a vendor, with what authenticates as it.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
pub struct Tenant {
    /// Its id in the control protocol.
    pub tenant: String,
    /// The path parameters that name it.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Its credentials, by the name of the document's security scheme.
    pub credentials: BTreeMap<String, Credentials>,
    /// Which of a check's tenants it is, from 1; what is shown of it is named by this.
    #[serde(skip)]
    pub number: usize,
}

/// The credentials of one scheme.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum Credentials {
    /// For a bearer scheme.
    Token {
        /// The token.
        token: String,
    },
    /// For a basic scheme.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: String,
    },
    /// For an API key.
    Value {
        /// The key.
        value: String,
    },
}

impl Credentials {
    /// The part that nobody else may know.
    pub(crate) fn secret(&self) -> &str {
        match self {
            Credentials::Token { token } => token,
            Credentials::Basic { password, .. } => password,
            Credentials::Value { value } => value,
        }
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("credentials, not shown")
    }
}

/// An issued code's session, with the limits in force.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
pub(crate) struct Session {
    /// Its id.
    pub(crate) session: String,
    /// How long the code is valid, in seconds; `None` where it does not expire.
    pub(crate) ttl_seconds: Option<u64>,
    /// How many wrong codes are compared; `None` where there is no limit.
    pub(crate) max_attempts: Option<u32>,
}

/// What a control can do.
#[derive(Debug, Clone, Deserialize)]
pub struct Description {
    /// The version of the protocol.
    pub protocol: u32,
    /// Name and version of the server.
    #[serde(default)]
    pub implementation: String,
    /// The vendors that it serves.
    pub vendors: Vec<String>,
    /// The operations that it offers.
    pub operations: Vec<String>,
}

/// What is wished of a session.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Wish {
    /// A lifetime in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u64>,
    /// A number of wrong codes that are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
}

/// Why a state could not be brought about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The subject does not offer it, or cannot issue such a code.
    #[error("{0}")]
    NotOffered(String),
    /// The connection broke.
    #[error("control {operation}: {reason}")]
    Lost {
        /// The operation.
        operation: &'static str,
        /// What the connection said.
        reason: String,
    },
    /// Anything else: the set-up is broken.
    #[error("control {operation}: {reason}")]
    Failed {
        /// The operation.
        operation: &'static str,
        /// What came back instead.
        reason: String,
    },
}

/// A control that is spoken to over HTTP.
pub struct Control {
    url: String,
    token: Option<String>,
    /// What it can do.
    pub description: Description,
    /// Tenants from the configuration, for a control that makes none.
    pub prepared: BTreeMap<String, Vec<Tenant>>,
}

impl Control {
    /// Asks the control at `url` what it can do.
    pub async fn connect(wire: &Wire, url: &str, token: Option<String>) -> Result<Control, ControlError> {
        let request = control_request("GET", url, "", token.as_deref(), None);
        let response = send(wire, "description", &request).await?;
        let description: Description = read("description", &response, 200)?;
        if description.protocol != 1 {
            return Err(ControlError::Failed {
                operation: "description",
                reason: format!("protocol {} is spoken there, and 1 here", description.protocol),
            });
        }
        Ok(Control { url: url.to_owned(), token, description, prepared: BTreeMap::new() })
    }

    fn offers(&self, operation: &str) -> bool {
        self.description.operations.iter().any(|offered| offered == operation)
    }

    /// `count` accounts that are not used elsewhere, or at least not by a check that runs at the same time.
    pub async fn tenants(
        &self,
        wire: &Wire,
        vendor: &str,
        count: usize,
    ) -> Result<Vec<Tenant>, ControlError> {
        if !self.offers("tenants") {
            let prepared = self.prepared.get(vendor).map_or(&[][..], Vec::as_slice);
            return match prepared.get(..count) {
                Some(tenants) => Ok(tenants.to_vec()),
                None => Err(ControlError::NotOffered(format!(
                    "the control makes no tenants, and the configuration has {} of the {count} that are needed for {vendor}",
                    prepared.len()
                ))),
            };
        }
        let mut tenants = Vec::new();
        for _ in 0..count {
            tenants.push(self.post(wire, "tenants", "/tenants", &json!({"vendor": vendor})).await?);
        }
        Ok(tenants)
    }

    /// Issues `code`.
    pub(crate) async fn issue(
        &self,
        wire: &Wire,
        vendor: &str,
        tenant: &Tenant,
        code: &str,
        wish: &Wish,
        recipient_of: Option<&str>,
    ) -> Result<Session, ControlError> {
        self.require("sessions")?;
        if recipient_of.is_some() {
            self.require("resend")?;
        }
        let mut body = serde_json::to_value(wish).unwrap_or_else(|_| json!({}));
        body["vendor"] = vendor.into();
        body["tenant"] = tenant.tenant.as_str().into();
        body["code"] = code.into();
        if let Some(earlier) = recipient_of {
            body["recipient_of"] = earlier.into();
        }
        self.post(wire, "sessions", "/sessions", &body).await
    }

    /// Makes a session `seconds` older.
    pub(crate) async fn age(
        &self,
        wire: &Wire,
        vendor: &str,
        tenant: &Tenant,
        session: &str,
        seconds: u64,
    ) -> Result<(), ControlError> {
        self.require("age")?;
        let body = json!({"vendor": vendor, "tenant": tenant.tenant, "session": session, "seconds": seconds});
        let request = self.request("/sessions/age", &body);
        let response = send(wire, "age", &request).await?;
        match response.status {
            204 | 200 => Ok(()),
            _ => Err(refusal("age", &response)),
        }
    }

    fn require(&self, operation: &str) -> Result<(), ControlError> {
        match self.offers(operation) {
            true => Ok(()),
            false => Err(ControlError::NotOffered(format!("the control does not offer `{operation}`"))),
        }
    }

    fn request(&self, path: &str, body: &Value) -> RawRequest {
        control_request("POST", &self.url, path, self.token.as_deref(), Some(body))
    }

    async fn post<T: serde::de::DeserializeOwned>(
        &self,
        wire: &Wire,
        operation: &'static str,
        path: &str,
        body: &Value,
    ) -> Result<T, ControlError> {
        let response = send(wire, operation, &self.request(path, body)).await?;
        read(operation, &response, 201)
    }
}

fn control_request(
    method: &str,
    url: &str,
    path: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> RawRequest {
    let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
    if let Some(token) = token {
        headers.push(("authorization".to_owned(), format!("Bearer {token}")));
    }
    if body.is_some() {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    RawRequest {
        method: method.to_owned(),
        url: format!("{}/_control/v1{path}", url.trim_end_matches('/')),
        headers,
        body: body.map(|body| body.to_string().into_bytes()),
    }
}

async fn send(
    wire: &Wire,
    operation: &'static str,
    request: &RawRequest,
) -> Result<RawResponse, ControlError> {
    match wire.send(request).await {
        Ok((response, _)) => Ok(response),
        Err(error @ (WireError::Unreached(_) | WireError::Broken(_))) => {
            Err(ControlError::Lost { operation, reason: error.to_string() })
        }
        Err(error) => Err(ControlError::Failed { operation, reason: error.to_string() }),
    }
}

fn read<T: serde::de::DeserializeOwned>(
    operation: &'static str,
    response: &RawResponse,
    expected: u16,
) -> Result<T, ControlError> {
    // 200 for 201 is a slip that changes nothing for us.
    if response.status != expected && response.status != 200 {
        return Err(refusal(operation, response));
    }
    serde_json::from_slice(&response.body).map_err(|error| ControlError::Failed {
        operation,
        reason: format!("the answer is not of the documented shape: {error}"),
    })
}

fn refusal(operation: &'static str, response: &RawResponse) -> ControlError {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let said = serde_json::from_slice::<Refusal>(&response.body).map(|refusal| refusal.error);
    let reason = match said {
        Ok(said) => format!("http {}, {said}", response.status),
        Err(_) => format!("http {}", response.status),
    };
    let reason = match response.status {
        401 => {
            format!("{reason} (the control token comes from OTP_CONFORMANCE_CONTROL_TOKEN or control_token)")
        }
        _ => reason,
    };
    match response.status {
        // A code that cannot be issued, and an operation that is not offered, are the subject's right.
        422 | 501 => ControlError::NotOffered(format!("the control cannot do `{operation}`: {reason}")),
        _ => ControlError::Failed { operation, reason },
    }
}
