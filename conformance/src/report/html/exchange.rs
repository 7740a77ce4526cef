//! The exchanges of a finding: each call and its response, with header fields, bodies and the command line.
//!
//! May use `plain`. It must show every exchange as long as the page has room, and say where it has none.

use maud::{Markup, html};

use super::plain::{block, brief, command, count, distinct, inline};
use crate::report::narrative::{Line, narrative, without_authority};
use crate::report::{Finding, ShownExchange, ShownResponse};

/// How many exchanges of one finding are shown: the first ones lead to the situation, and the last ones show the defect.
const FIRST: usize = 50;
const LAST: usize = 150;

/// How many bytes of exchanges a page has. A browser on a phone cannot show much more.
const MAX_BYTES: usize = 16 * 1_024 * 1_024;

/// The room that is left for exchanges.
pub(super) struct Room(usize);

impl Room {
    /// The room of an empty page.
    pub(super) fn new() -> Room {
        Room(MAX_BYTES)
    }

    /// The markup, if there is room for it.
    fn take(&mut self, markup: Markup) -> Option<Markup> {
        self.0 = self.0.checked_sub(markup.0.len())?;
        Some(markup)
    }
}

/// What the control did, the calls and the responses, in order and in words. A burst is one step.
pub(super) fn steps(finding: &Finding) -> Markup {
    let mut steps: Vec<(bool, String, Vec<String>)> = Vec::new();
    for line in narrative(finding) {
        match (line, steps.last_mut()) {
            (Line::Control(text), _) => steps.push((true, text, Vec::new())),
            (Line::Request(_, text), _) => steps.push((false, text, Vec::new())),
            (Line::Response(text), Some((_, _, responses))) => responses.push(text),
            (Line::Response(_), None) => {}
        }
    }
    html! {
        @if !steps.is_empty() {
            h4 { "Steps" }
            ol.steps {
                @for (is_control, text, responses) in steps {
                    @if is_control {
                        li.control { "The control " (text) }
                    } @else {
                        li {
                            code { (text) }
                            @for response in responses { span.answer { "→ " code { (response) } } }
                        }
                    }
                }
            }
        }
    }
}

/// The exchanges of a finding in order.
pub(super) fn exchanges(finding: &Finding, room: &mut Room) -> Markup {
    let number = finding.exchanges.len();
    if number == 0 {
        return Markup::default();
    }
    let left_out = number.saturating_sub(FIRST + LAST);
    let is_shown = |index: &usize| *index < FIRST || *index >= FIRST + left_out;
    let shown = html! {
        ol.exchanges {
            @for (index, exchange) in finding.exchanges.iter().enumerate().filter(|(index, _)| is_shown(index)) {
                li value=(index + 1) { (one(exchange, finding.curl.get(index).map(String::as_str))) }
            }
        }
    };
    html! {
        h4 { "Exchanges" }
        @if number > 1 { p { (count(number, "call", "calls")) ": " (responses(&finding.exchanges)) } }
        @match room.take(shown) {
            Some(shown) => {
                (shown)
                @if left_out > 0 {
                    p { (count(left_out, "exchange", "exchanges")) " in the middle left out; the JSON report has all" }
                }
            },
            None => p { "The page has no room left for them; the JSON report has all exchanges." },
        }
    }
}

/// How often each status came, in the order in which it first came: `12 × 200, 4 × 409`.
fn responses(exchanges: &[ShownExchange]) -> String {
    let status = |exchange: &ShownExchange| match &exchange.response {
        Some(response) => response.status.to_string(),
        None => "no response".to_owned(),
    };
    let all: Vec<_> = exchanges.iter().map(status).collect();
    let counted = distinct(all.clone()).into_iter().map(|status| {
        let times = all.iter().filter(|other| **other == status).count();
        format!("{times} × {status}")
    });
    counted.collect::<Vec<_>>().join(", ")
}

fn one(exchange: &ShownExchange, curl: Option<&str>) -> Markup {
    let ShownExchange { request, response } = exchange;
    let line = response.as_ref().map_or_else(|| "no response".to_owned(), ShownResponse::line);
    html! {
        details {
            summary {
                code { (inline(&format!("{} {}", request.method, without_authority(&request.url)))) }
                span.answer { "→ " code { (brief(&line)) } }
            }
            h5 { "Request" }
            p { code { (inline(&format!("{} {}", request.method, request.url))) } }
            (fields(&request.headers))
            @if let Some(body) = &request.body { (body_block(body)) }
            h5 { "Response" }
            @match response {
                Some(response) => {
                    p { code { "HTTP " (response.status) } }
                    (fields(&response.headers))
                    (body_block(&response.body))
                },
                None => p { "None arrived, or the client did not wait for it." },
            }
            @if let Some(curl) = curl {
                h5 { "Command line" }
                pre { code { (command(curl)) } }
            }
        }
    }
}

fn fields(headers: &[[String; 2]]) -> Markup {
    html! {
        @if !headers.is_empty() {
            ul.fields {
                @for [name, value] in headers {
                    li { code { (inline(name)) ": " (inline(value)) } }
                }
            }
        }
    }
}

fn body_block(body: &str) -> Markup {
    html! {
        @if body.is_empty() { p { "No body." } }
        @else { pre { code { (block(body)) } } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ShownRequest;

    fn call(status: Option<u16>) -> ShownExchange {
        let url = "http://127.0.0.1:1/a?b".to_owned();
        ShownExchange {
            request: ShownRequest { method: "POST".to_owned(), url, headers: Vec::new(), body: None },
            response: status.map(|status| ShownResponse { status, headers: Vec::new(), body: String::new() }),
        }
    }

    fn finding(calls: usize) -> Finding {
        Finding {
            expected: String::new(),
            actual: String::new(),
            differences: Vec::new(),
            steps: Vec::new(),
            exchanges: vec![call(Some(200)); calls],
            curl: vec!["curl".to_owned(); calls],
            script: String::new(),
            seed: 1,
        }
    }

    #[test]
    fn a_burst_is_summarised() {
        let calls = [call(Some(409)), call(Some(200)), call(None), call(Some(409))];
        assert_eq!(responses(&calls), "2 × 409, 1 × 200, 1 × no response");
    }

    #[test]
    fn a_call_is_named_by_path_and_query() {
        assert_eq!(without_authority("http://127.0.0.1:1/a?b=://"), "/a?b=://");
        assert_eq!(without_authority("http://127.0.0.1:1"), "http://127.0.0.1:1");
        assert_eq!(without_authority("?"), "?");
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let all = exchanges(&finding(FIRST + LAST), &mut Room::new()).into_string();
        assert_eq!(all.matches("<li value=").count(), FIRST + LAST);
        assert!(!all.contains("left out"));
        let more = exchanges(&finding(FIRST + LAST + 1), &mut Room::new()).into_string();
        assert_eq!(more.matches("<li value=").count(), FIRST + LAST);
        assert!(more.contains("1 exchange in the middle left out") && more.contains("<li value=\"201\">"));
        let none = exchanges(&finding(1), &mut Room(10)).into_string();
        assert!(none.contains("no room left"), "{none}");
    }
}
