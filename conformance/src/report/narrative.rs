//! The steps of a finding in words: what the control did, each call, and its response. A burst is one call and a summary.
//!
//! May use `text` and the data of a report. What it returns is escaped for one line, and not for any format.

use super::facts::shown;
use super::steps::CountedResponse;
use super::{Finding, ShownExchange, ShownResponse, ShownStep};

/// One line of a narrative.
pub(super) enum Line {
    /// Something that the control did.
    Control(String),
    /// A call: its index, and the request.
    Request(usize, String),
    /// What came back.
    Response(String),
}

/// How many steps are shown. A longer finding is shown from its end, where it fails.
const MAX_STEPS: usize = 40;

/// The steps, in order.
pub(super) fn narrative(finding: &Finding) -> Vec<Line> {
    let mut lines = Vec::new();
    let earlier = finding.steps.len().saturating_sub(MAX_STEPS);
    if earlier > 0 {
        lines.push(Line::Control(format!("{earlier} earlier steps; the JSON report has them")));
    }
    for step in &finding.steps[earlier..] {
        match step {
            ShownStep::Tenant { tenant, is_prepared: true } => {
                lines.push(Line::Control(format!("account {tenant} was prepared beforehand")));
            }
            ShownStep::Tenant { tenant, .. } => {
                lines.push(Line::Control(format!("creates account {tenant}")));
            }
            ShownStep::Session { session, tenant, prepared: Some(state), .. } => {
                lines.push(Line::Control(format!(
                    "session {session} of account {tenant}, with $CODE_{session}, was prepared beforehand: it is {state}"
                )));
            }
            ShownStep::Session { session, tenant, ttl_seconds, max_attempts, recipient_of, .. } => {
                let mut text = format!("issues $CODE_{session} for account {tenant}: session {session}");
                if let Some(seconds) = ttl_seconds {
                    text.push_str(&format!(", valid for {seconds} s"));
                }
                if let Some(attempts) = max_attempts {
                    let noun = if *attempts == 1 { "attempt" } else { "attempts" };
                    text.push_str(&format!(", {attempts} {noun}"));
                }
                if let Some(earlier) = recipient_of {
                    text.push_str(&format!(", to the recipient of session {earlier}"));
                }
                lines.push(Line::Control(text));
            }
            ShownStep::Age { session, seconds } => {
                lines.push(Line::Control(format!("makes session {session} older by {seconds} s")));
            }
            ShownStep::Call { exchange } => {
                let Some(shown) = finding.exchanges.get(*exchange) else { continue };
                lines.push(Line::Request(*exchange, request(shown)));
                lines.push(Line::Response(response(shown)));
            }
            ShownStep::Disconnect { exchange, seconds } => {
                let Some(shown) = finding.exchanges.get(*exchange) else { continue };
                lines.push(Line::Request(*exchange, request(shown)));
                lines.push(Line::Response(format!("no response; the client disconnects after {seconds} s")));
            }
            ShownStep::Burst { exchange, calls, responses } => {
                let Some(shown) = finding.exchanges.get(*exchange) else { continue };
                lines.push(Line::Request(*exchange, request(shown)));
                let summary = CountedResponse::in_words(responses);
                lines.push(Line::Response(format!("{calls} such calls at once: {summary}")));
            }
        }
    }
    lines
}

/// The request on one line: method, path, the header fields that matter, and the body.
fn request(exchange: &ShownExchange) -> String {
    let request = &exchange.request;
    let mut text = format!("{} {}", request.method, without_authority(&request.url));
    for [name, value] in &request.headers {
        // What every request has says nothing.
        let is_usual = name == "accept" || (name == "content-type" && value == "application/json");
        if !is_usual {
            text.push_str(&format!(" {name}: {value},"));
        }
    }
    if text.ends_with(',') {
        text.pop();
    }
    if let Some(body) = &request.body {
        text.push_str(&format!(" {body}"));
    }
    shown(&text)
}

/// Path and query, which tell the calls of a finding apart.
pub(super) fn without_authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find(['/', '?']).map_or(url, |start| &rest[start..])
}

fn response(exchange: &ShownExchange) -> String {
    let text = exchange.response.as_ref().map_or_else(|| "no response".to_owned(), ShownResponse::line);
    shown(&text)
}
