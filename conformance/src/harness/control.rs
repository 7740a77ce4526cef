//! A client of the control protocol, which puts a subject into a state.
//!
//! A refusal is a problem of the set-up and never part of the verdict on the subject, so it has an error type of its own.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{SessionOptions, Tenant};
use crate::http::{HttpClient, HttpError, RawRequest, RawResponse};

/// The session of an issued code, with the limits in force.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
pub(crate) struct Session {
    /// Its id.
    pub(crate) session: String,
    /// How long the code is valid, in seconds; `None` where it does not expire.
    pub(crate) ttl_seconds: Option<u64>,
    /// How many wrong codes the server compares; `None` where there is no limit.
    pub(crate) max_attempts: Option<u32>,
}

/// What a control says about itself.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Description {
    /// The version of the protocol.
    pub(crate) protocol: u32,
    /// The vendors that it serves.
    pub(crate) vendors: Vec<String>,
    /// The operations that it offers.
    pub(crate) operations: Vec<String>,
}

/// Why the subject could not be put into a state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ControlError {
    /// The subject does not offer the operation, or cannot issue such a code.
    #[error("{0}")]
    NotOffered(String),
    /// The connection could not be made, or broke.
    #[error("control {operation}: {reason}")]
    ConnectionLost {
        /// The operation.
        operation: &'static str,
        /// What went wrong with the connection.
        reason: String,
    },
    /// Anything else: the set-up is broken.
    #[error("control {operation}: {reason}")]
    Failed {
        /// The operation.
        operation: &'static str,
        /// What came back instead of the documented response.
        reason: String,
    },
}

/// A client of one control over HTTP.
pub(crate) struct ControlClient {
    url: String,
    token: Option<String>,
    /// What it offers.
    pub(crate) description: Description,
    /// Tenants from the configuration, by vendor, for a control that does not offer `tenants`.
    pub(crate) prepared: BTreeMap<String, Vec<Tenant>>,
}

impl ControlClient {
    /// Connects to the control at `url` and reads what it offers.
    pub(crate) async fn connect(
        client: &HttpClient,
        url: &str,
        token: Option<String>,
    ) -> Result<ControlClient, ControlError> {
        let request = control_request("GET", url, "", token.as_deref(), None);
        let response = send(client, "description", &request).await?;
        let description: Description = read("description", &response, 200)?;
        if description.protocol != 1 {
            return Err(ControlError::Failed {
                operation: "description",
                reason: format!(
                    "it speaks version {} of the protocol, and the suite speaks version 1",
                    description.protocol
                ),
            });
        }
        Ok(ControlClient { url: url.to_owned(), token, description, prepared: BTreeMap::new() })
    }

    fn offers(&self, operation: &str) -> bool {
        self.description.operations.iter().any(|offered| offered == operation)
    }

    /// `count` accounts. They are new where the control offers `tenants`; otherwise they come from the configuration.
    pub(crate) async fn tenants(
        &self,
        client: &HttpClient,
        vendor: &str,
        count: usize,
    ) -> Result<Vec<Tenant>, ControlError> {
        if !self.offers("tenants") {
            let prepared = self.prepared.get(vendor).map_or(&[][..], Vec::as_slice);
            return match prepared.get(..count) {
                Some(tenants) => Ok(tenants.to_vec()),
                None => Err(ControlError::NotOffered(format!(
                    "the control does not offer `tenants`, and the configuration has {} of the {count} tenants that this check needs for {vendor}",
                    prepared.len()
                ))),
            };
        }
        let mut tenants = Vec::new();
        for _ in 0..count {
            tenants.push(self.post(client, "tenants", "/tenants", &json!({"vendor": vendor})).await?);
        }
        Ok(tenants)
    }

    /// Issues `code`.
    pub(crate) async fn issue(
        &self,
        client: &HttpClient,
        vendor: &str,
        tenant: &Tenant,
        code: &str,
        options: &SessionOptions,
        recipient_of: Option<&str>,
    ) -> Result<Session, ControlError> {
        self.require("sessions")?;
        if recipient_of.is_some() {
            self.require("resend")?;
        }
        let mut body = serde_json::to_value(options).unwrap_or_else(|_| json!({}));
        body["vendor"] = vendor.into();
        body["tenant"] = tenant.tenant.as_str().into();
        body["code"] = code.into();
        if let Some(earlier) = recipient_of {
            body["recipient_of"] = earlier.into();
        }
        self.post(client, "sessions", "/sessions", &body).await
    }

    /// Moves every timer of a session `seconds` ahead.
    pub(crate) async fn age(
        &self,
        client: &HttpClient,
        vendor: &str,
        tenant: &Tenant,
        session: &str,
        seconds: u64,
    ) -> Result<(), ControlError> {
        self.require("age")?;
        let body = json!({"vendor": vendor, "tenant": tenant.tenant, "session": session, "seconds": seconds});
        let request = self.request("/sessions/age", &body);
        let response = send(client, "age", &request).await?;
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
        client: &HttpClient,
        operation: &'static str,
        path: &str,
        body: &Value,
    ) -> Result<T, ControlError> {
        let response = send(client, operation, &self.request(path, body)).await?;
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
    client: &HttpClient,
    operation: &'static str,
    request: &RawRequest,
) -> Result<RawResponse, ControlError> {
    match client.send(request).await {
        Ok((response, _)) => Ok(response),
        Err(error @ (HttpError::NotConnected(_) | HttpError::Disconnected(_))) => {
            Err(ControlError::ConnectionLost { operation, reason: error.to_string() })
        }
        Err(error) => Err(ControlError::Failed { operation, reason: error.to_string() }),
    }
}

fn read<T: serde::de::DeserializeOwned>(
    operation: &'static str,
    response: &RawResponse,
    expected: u16,
) -> Result<T, ControlError> {
    // 200 instead of 201 is a slip that changes nothing for the suite.
    if response.status != expected && response.status != 200 {
        return Err(refusal(operation, response));
    }
    serde_json::from_slice(&response.body).map_err(|error| ControlError::Failed {
        operation,
        reason: format!("the response does not have the documented shape: {error}"),
    })
}

fn refusal(operation: &'static str, response: &RawResponse) -> ControlError {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let message = serde_json::from_slice::<Refusal>(&response.body).map(|refusal| refusal.error);
    let reason = match message {
        Ok(message) => format!("http {}, {message}", response.status),
        Err(_) => format!("http {}", response.status),
    };
    let reason = match response.status {
        401 => {
            format!("{reason} (the control token comes from OTP_CONFORMANCE_CONTROL_TOKEN or control_token)")
        }
        _ => reason,
    };
    match response.status {
        // A subject may be unable to issue a code, and need not offer every operation.
        422 | 501 => ControlError::NotOffered(format!("the control cannot do `{operation}`: {reason}")),
        _ => ControlError::Failed { operation, reason },
    }
}
