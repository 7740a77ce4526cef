//! Puts a subject into a state: with the control protocol over HTTP or over the pipe of a program, or with what somebody has
//! prepared.
//!
//! A refusal is a problem of the set-up and never part of the verdict on the subject, so it has an error type of its own.

mod fixtures;
mod fixtures_file;
mod http;
mod program;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) use self::fixtures::{Fixtures, SessionState};
pub(crate) use self::fixtures_file::TEMPLATE as FIXTURES_TEMPLATE;
use self::http::HttpControl;
pub(crate) use self::program::ControlProgram;
use super::Tenant;
use crate::http::HttpClient;

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

/// The limits that a new session is asked to have.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct SessionOptions {
    /// The lifetime in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ttl_seconds: Option<u64>,
    /// How many wrong codes the server should compare.
    #[serde(skip_serializing_if = "Option::is_none")]
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
    /// The program behind `--control-exec` does not answer any more, whatever it is asked.
    #[error("{0}")]
    ProgramEnded(String),
}

/// A session and its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issued {
    /// The session.
    pub(crate) session: Session,
    /// The code.
    pub(crate) code: String,
    /// Its state, if it was there already.
    pub(crate) prepared: Option<SessionState>,
}

/// The code that a session should have.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CodeWish<'a> {
    /// Just this one.
    Exactly(&'a str),
    /// This one, or another if the control has its own.
    Preferably(&'a str),
}

/// What a control answers.
enum Answer {
    /// What was asked for.
    Done(Value),
    /// It refuses.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its explanation.
        message: Option<String>,
    },
}

/// Puts a subject into a state.
pub(crate) struct ControlClient {
    source: Source,
    /// What it offers.
    pub(crate) description: Description,
    /// Tenants from the configuration, by vendor, for a control that does not offer `tenants`.
    pub(crate) prepared: BTreeMap<String, Vec<Tenant>>,
}

enum Source {
    Http(HttpControl),
    Program(ControlProgram),
    Fixtures(Fixtures),
}

impl ControlClient {
    /// Connects to the control at `url` and reads what it offers.
    pub(crate) async fn connect(
        client: &HttpClient,
        url: &str,
        token: Option<String>,
    ) -> Result<ControlClient, ControlError> {
        let http = HttpControl { url: url.trim_end_matches('/').to_owned(), token };
        ControlClient::describe(client, Source::Http(http)).await
    }

    /// Asks a program what it offers.
    pub(crate) async fn from_program(
        client: &HttpClient,
        program: ControlProgram,
    ) -> Result<ControlClient, ControlError> {
        ControlClient::describe(client, Source::Program(program)).await
    }

    /// Uses what somebody has prepared.
    pub(crate) fn from_fixtures(fixtures: Fixtures) -> ControlClient {
        let description =
            Description { protocol: 1, vendors: fixtures.vendors(), operations: vec!["sessions".to_owned()] };
        ControlClient { source: Source::Fixtures(fixtures), description, prepared: BTreeMap::new() }
    }

    async fn describe(client: &HttpClient, source: Source) -> Result<ControlClient, ControlError> {
        let description = Description { protocol: 1, vendors: Vec::new(), operations: Vec::new() };
        let mut control = ControlClient { source, description, prepared: BTreeMap::new() };
        control.description = control.call(client, "description", "", None).await?;
        if control.description.protocol != 1 {
            return Err(ControlError::Failed {
                operation: "description",
                reason: format!(
                    "it speaks version {} of the protocol, and the suite speaks version 1",
                    control.description.protocol
                ),
            });
        }
        Ok(control)
    }

    /// What somebody has prepared, if that is all there is. Nothing can be made, so every session is precious.
    pub(crate) fn fixtures(&self) -> Option<&Fixtures> {
        match &self.source {
            Source::Fixtures(fixtures) => Some(fixtures),
            Source::Http(_) | Source::Program(_) => None,
        }
    }

    /// Ends the program, if there is one: it reads the end of its input, and has a moment to end by itself.
    pub(crate) async fn close(&self) {
        if let Source::Program(program) = &self.source {
            program.close().await;
        }
    }

    /// Whether all accounts are there already.
    pub(crate) fn has_only_prepared_tenants(&self) -> bool {
        !self.offers("tenants")
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
        if let Some(fixtures) = self.fixtures() {
            return fixtures.tenants(vendor, count);
        }
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
            let body = json!({"vendor": vendor});
            tenants.push(self.call(client, "tenants", "tenants", Some(body)).await?);
        }
        Ok(tenants)
    }

    /// Issues a code.
    pub(crate) async fn issue(
        &self,
        client: &HttpClient,
        vendor: &str,
        tenant: &Tenant,
        code: CodeWish<'_>,
        options: &SessionOptions,
        recipient_of: Option<&str>,
    ) -> Result<Issued, ControlError> {
        self.require("sessions")?;
        if recipient_of.is_some() {
            self.require("resend")?;
        }
        if let Some(fixtures) = self.fixtures() {
            return fixtures.take(vendor, tenant, code);
        }
        let (CodeWish::Exactly(code) | CodeWish::Preferably(code)) = code;
        let mut body = serde_json::to_value(options).unwrap_or_else(|_| json!({}));
        body["vendor"] = vendor.into();
        body["tenant"] = tenant.tenant.as_str().into();
        body["code"] = code.into();
        if let Some(earlier) = recipient_of {
            body["recipient_of"] = earlier.into();
        }
        let session = self.call(client, "sessions", "sessions", Some(body)).await?;
        Ok(Issued { session, code: code.to_owned(), prepared: None })
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
        let _: Value = self.call(client, "age", "sessions/age", Some(body)).await?;
        Ok(())
    }

    fn require(&self, operation: &str) -> Result<(), ControlError> {
        match (self.offers(operation), &self.source) {
            (true, _) => Ok(()),
            (false, Source::Fixtures(_)) => Err(ControlError::NotOffered(format!(
                "`{operation}` needs a control, and there are only fixtures"
            ))),
            (false, _) => Err(ControlError::NotOffered(format!("the control does not offer `{operation}`"))),
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        client: &HttpClient,
        operation: &'static str,
        path: &'static str,
        body: Option<Value>,
    ) -> Result<T, ControlError> {
        let answer = match &self.source {
            Source::Http(http) => http.call(client, operation, path, body.as_ref()).await?,
            Source::Program(program) => program.call(path, body).await?,
            Source::Fixtures(_) => return self.require(operation).and(Err(only_fixtures())),
        };
        match answer {
            Answer::Done(value) => serde_json::from_value(value)
                .map_err(|error| ControlError::Failed { operation, reason: unexpected_shape(&error) }),
            Answer::Refused { status, message } => Err(refusal(operation, status, message)),
        }
    }
}

fn only_fixtures() -> ControlError {
    ControlError::NotOffered("there are only fixtures".to_owned())
}

fn unexpected_shape(error: &serde_json::Error) -> String {
    format!("the response does not have the documented shape: {error}")
}

fn refusal(operation: &'static str, status: u16, message: Option<String>) -> ControlError {
    let reason = match message {
        Some(message) => format!("http {status}, {message}"),
        None => format!("http {status}"),
    };
    let reason = match status {
        401 => {
            format!("{reason} (the control token comes from OTP_CONFORMANCE_CONTROL_TOKEN or control_token)")
        }
        _ => reason,
    };
    match status {
        // A subject may be unable to issue a code, and need not offer every operation.
        422 | 501 => ControlError::NotOffered(format!("the control cannot do `{operation}`: {reason}")),
        _ => ControlError::Failed { operation, reason },
    }
}
