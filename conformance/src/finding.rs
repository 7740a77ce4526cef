//! A failed check, told so that a reader needs nothing else: what was allowed, what came, where they differ, every
//! exchange, and a command line for each that can be run again.

use otp_contract::{Cell, Matching};
use serde::Serialize;
use serde_json::Value;

use crate::judge::{Expectation, Mismatch};
use crate::script::{curl, script};
use crate::subject::Bench;
use crate::wire::{Exchange, RawRequest, RawResponse};

/// A failed check.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What the contract allows, one cell a line.
    pub expected: String,
    /// What came: status and body.
    pub actual: String,
    /// Where the answer differs from the nearest cell.
    pub differences: Vec<Difference>,
    /// What was sent and answered, in order; the last answer is the one that is judged.
    pub exchanges: Vec<ShownExchange>,
    /// The same as command lines; secrets are shell variables.
    pub curl: Vec<String>,
    /// A shell script that provisions by the control and does it all again.
    pub script: String,
    /// The seed of the run.
    pub seed: u64,
}

/// One place where an answer differs.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// `status`, `content-type`, `body`, or a JSON pointer into the body.
    pub place: String,
    /// What the contract has there.
    pub expected: String,
    /// What the answer has there.
    pub actual: String,
}

/// An exchange as reports show it.
#[derive(Debug, Clone, Serialize)]
pub struct ShownExchange {
    /// What was sent.
    pub request: ShownRequest,
    /// What was answered; `None` where no answer came, or none was waited for.
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
    /// The body, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// An answer as reports show it.
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
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.status, self.body)
    }
}

impl Finding {
    /// A finding that an answer is none of the cells that are allowed.
    pub(crate) fn of_cells(
        expectation: &Expectation<'_>,
        nearest: &Cell,
        mismatches: &[Mismatch],
        bench: &Bench<'_>,
    ) -> Finding {
        let mut expected = vec![describe(nearest, expectation)];
        let others = expectation.cells.iter().filter(|cell| cell.name != nearest.name);
        expected.extend(others.map(|cell| format!("or {}", describe(cell, expectation))));
        let differences = mismatches.iter().map(Difference::from).collect();
        Finding { differences, ..Finding::told(expected.join("\n"), last_answer(bench), bench) }
    }

    /// A finding in words.
    pub(crate) fn told(expected: String, actual: String, bench: &Bench<'_>) -> Finding {
        let calls = bench.journal.calls();
        Finding {
            expected,
            actual,
            differences: Vec::new(),
            curl: calls.iter().map(|(request, _)| curl(request)).collect(),
            exchanges: calls.into_iter().map(ShownExchange::from).collect(),
            script: script(bench.id, bench.contract, &bench.subject.targets, &bench.journal),
            seed: bench.seed,
        }
    }
}

/// The last answer, status and body.
pub(crate) fn last_answer(bench: &Bench<'_>) -> String {
    let exchanges = bench.journal.exchanges();
    exchanges.last().map_or_else(String::new, |exchange| {
        let body = String::from_utf8_lossy(&exchange.response.body);
        format!("HTTP {} {body}", exchange.response.status)
    })
}

fn describe(cell: &Cell, expectation: &Expectation<'_>) -> String {
    if !cell.body_specified {
        return format!("HTTP {}, any body that claims no success ({})", cell.status, cell.name);
    }
    let mut body = cell.body.clone();
    for member in &cell.members {
        let value: Option<Value> = match &member.rule.matching {
            // A code stays out of reports; a session id is no secret.
            Matching::Echo(name) if name != "code" => {
                expectation.echoes.get(name).map(|value| value.as_str().into())
            }
            Matching::State(_) => expectation.remaining_attempts.map(Into::into),
            _ => None,
        };
        if let (Some(value), Some(place)) = (value, body.pointer_mut(&member.pointer)) {
            *place = value;
        }
    }
    format!("HTTP {} {body} ({})", cell.status, cell.name)
}

impl From<&Mismatch> for Difference {
    fn from(mismatch: &Mismatch) -> Difference {
        Difference {
            place: mismatch.place.clone(),
            expected: mismatch.expected.clone(),
            actual: mismatch.actual.clone(),
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
