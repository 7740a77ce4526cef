//! A failed check, with everything that a reader needs: what was allowed, what happened, where the two differ, every
//! exchange, and two ways to see it again.

use otp_contract::Contract;
use serde::Serialize;

use super::ShownStep;
use super::script::{curl, script};
use super::sign::Sign;
use crate::harness::{Deviation, Subject};
use crate::http::{Exchange, RawRequest, RawResponse};
use crate::oracle::Difference;

/// A failed check.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What is allowed, one alternative per line.
    pub expected: String,
    /// What happened: status and body.
    pub actual: String,
    /// Where the response differs from the closest documented one.
    pub differences: Vec<Difference>,
    /// What the control did and the calls, in order.
    pub steps: Vec<ShownStep>,
    /// Every call and its response, in order. The last response is the one that failed the check.
    pub exchanges: Vec<ShownExchange>,
    /// The calls as command lines; secrets are shell variables.
    pub curl: Vec<String>,
    /// A shell script that creates its own sessions through the control and repeats the steps. Its exit status is 1 if the
    /// defect shows, and 0 if it does not.
    pub script: String,
    /// The seed of the run.
    pub seed: u64,
}

/// An exchange as reports show it.
#[derive(Debug, Clone, Serialize)]
pub struct ShownExchange {
    /// The request.
    pub request: ShownRequest,
    /// The response; `None` if none arrived, or if the client did not wait for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<ShownResponse>,
}

/// A request as reports show it.
#[derive(Debug, Clone, Serialize)]
pub struct ShownRequest {
    /// The method.
    pub method: String,
    /// Scheme, authority, path and query.
    pub url: String,
    /// The header fields, each a name and a value.
    pub headers: Vec<[String; 2]>,
    /// The body, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// A response as reports show it.
#[derive(Debug, Clone, Serialize)]
pub struct ShownResponse {
    /// The HTTP status.
    pub status: u16,
    /// The header fields, each a name and a value.
    pub headers: Vec<[String; 2]>,
    /// The body.
    pub body: String,
}

impl ShownResponse {
    /// Status and body on one line.
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.status, self.body)
    }
}

impl Finding {
    /// The response that failed the check; `None` if none arrived.
    pub(super) fn last_response(&self) -> Option<&ShownResponse> {
        self.exchanges.last()?.response.as_ref()
    }

    /// The finding for a deviation of the check with this id and statement. The recording's requests went to `subject`.
    pub(crate) fn new(
        (id, statement): (&str, &str),
        contract: &Contract,
        subject: &Subject,
        deviation: Deviation,
        seed: u64,
    ) -> Finding {
        let sign = Sign::of(contract, &deviation);
        let calls = deviation.recording.calls();
        Finding {
            curl: calls.iter().map(|(request, _)| curl(request)).collect(),
            steps: ShownStep::all(contract, &deviation.recording),
            exchanges: calls.into_iter().map(ShownExchange::from).collect(),
            script: script(id, statement, contract, subject, &deviation.recording, &sign),
            expected: deviation.expected,
            actual: deviation.actual,
            differences: deviation.differences,
            seed,
        }
    }
}

impl From<&Exchange> for ShownExchange {
    fn from(exchange: &Exchange) -> ShownExchange {
        ShownExchange::from((&exchange.request, Some(&exchange.response)))
    }
}

impl From<(&RawRequest, Option<&RawResponse>)> for ShownExchange {
    fn from((request, response): (&RawRequest, Option<&RawResponse>)) -> ShownExchange {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        ShownExchange {
            request: ShownRequest {
                method: request.method.clone(),
                url: request.url.clone(),
                headers: request.headers.iter().map(|(name, value)| [name.clone(), value.clone()]).collect(),
                body: request.body.as_deref().map(text),
            },
            response: response.map(|response| {
                let headers = response.headers.iter();
                ShownResponse {
                    status: response.status,
                    headers: headers
                        .map(|(name, value)| [name.to_string(), text(value.as_bytes())])
                        .collect(),
                    body: text(&response.body),
                }
            }),
        }
    }
}
