//! Requests with a shape that is not documented: none may be approved, make the server fail, or count as an attempt.

use otp_contract::{Contract, Place, Situation, ValueKind};

use crate::checks::probe::{
    Authority, CODE, Probe, SESSION, always, body_with, code_in_body, object_text, session_in_body,
};
use crate::checks::{Area, standards};
use crate::harness::{Abort, Body, CheckContext, RequestMutation, SubmittedCode, VerifyCall, attempts};
use crate::oracle::{CodeKind, approves};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Request,
        name: "code-as-number",
        statement: "a number is not accepted as a code, even with the right digits",
        authority: Authority::Standard,
        standard: standards::TYPES,
        applies: code_in_body,
        run: |context| Box::pin(code_as_number(context)),
    },
    Probe {
        area: Area::Request,
        name: "code-in-a-list",
        statement: "a list is not accepted as a code, even if it contains the right one",
        authority: Authority::Safety(Situation::WrongCode),
        standard: standards::TYPES,
        applies: code_in_body,
        run: |context| {
            Box::pin(misshapen_codes(context, &["[{code}]", "[\"{code}\"]", "[\"000001\",\"{code}\"]", "[]"]))
        },
    },
    Probe {
        area: Area::Request,
        name: "code-as-object",
        statement: "an object is accepted neither as a code nor as a query operator",
        authority: Authority::Safety(Situation::WrongCode),
        standard: standards::INJECTION,
        applies: code_in_body,
        run: |context| {
            let operators = &[
                "{}",
                "{\"$ne\":\"\"}",
                "{\"$gt\":\"\"}",
                "{\"$regex\":\".*\"}",
                "{\"0\":\"{code}\"}",
                "true",
            ];
            Box::pin(misshapen_codes(context, operators))
        },
    },
    Probe {
        area: Area::Request,
        name: "code-null-or-empty",
        statement: "an absent, null or empty code is refused",
        authority: Authority::Safety(Situation::WrongCode),
        standard: standards::FAIL_CLOSED,
        applies: always,
        run: |context| Box::pin(code_null_or_empty(context)),
    },
    Probe {
        area: Area::Request,
        name: "session-types",
        statement: "only a string identifies a session, and a wildcard identifies none",
        authority: Authority::Safety(Situation::UnknownSession),
        standard: standards::INJECTION,
        applies: session_in_body,
        run: |context| Box::pin(session_types(context)),
    },
    Probe {
        area: Area::Request,
        name: "duplicate-members",
        statement: "of a wrong and the right code in one request, the server reads neither, or always the first, or always the last",
        authority: Authority::Standard,
        standard: standards::POLLUTION,
        // A path has only one place for the code.
        applies: |contract| contract.verify().code.location.place != Place::Path,
        run: |context| Box::pin(duplicate_members(context)),
    },
    Probe {
        area: Area::Request,
        name: "unknown-members",
        statement: "undocumented members, such as `verified: true`, have no effect",
        authority: Authority::Safety(Situation::WrongCode),
        standard: standards::ASSIGNMENT,
        applies: code_in_body,
        run: |context| Box::pin(unknown_members(context)),
    },
    Probe {
        area: Area::Request,
        name: "not-an-object",
        statement: "a body that is not a JSON object is refused and does not count as an attempt",
        authority: Authority::Safety(Situation::MalformedBody),
        standard: standards::FAIL_CLOSED,
        applies: code_in_body,
        run: |context| Box::pin(not_an_object(context)),
    },
    Probe {
        area: Area::Request,
        name: "method",
        statement: "no other method verifies a code or consumes it",
        authority: Authority::Standard,
        standard: standards::METHOD,
        applies: always,
        run: |context| Box::pin(method(context)),
    },
    Probe {
        area: Area::Request,
        name: "parameters",
        statement: "query parameters that are out of range or have another type do not make the server fail",
        authority: Authority::Standard,
        standard: standards::FAIL_CLOSED,
        applies: |contract| !contract.verify().parameters.is_empty(),
        run: |context| Box::pin(parameters(context)),
    },
];

async fn code_as_number(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    misshapen_codes(context, &["{code}", "{code}.0", "{code}e0"]).await
}

/// Sends each JSON text in place of the code, and then the right code.
async fn misshapen_codes(context: &mut CheckContext<'_>, codes: &[&str]) -> Result<(), Abort> {
    let bodies: Vec<_> = codes.iter().map(|code| body_with(context.contract, SESSION, code)).collect();
    submit_bodies(context, &bodies).await
}

/// Sends each body, which is malformed, and then the right code. A server may count each of them as one attempt, so a new
/// session replaces one that may have none left.
async fn submit_bodies(context: &mut CheckContext<'_>, bodies: &[String]) -> Result<(), Abort> {
    let tenant = context.tenant().await?;
    // A JSON number has no leading zero.
    let code = format!("1{}", &context.code()[1..]);
    let options = attempts(10);
    let issued = context.issue_code(&tenant, code.clone(), &options, None).await?;
    let mut session = context.track(issued);
    for body in bodies {
        if session.spare_attempts() == 0 {
            context.submit_right(&mut session).await?;
            let issued = context.issue_code(&tenant, code.clone(), &options, None).await?;
            session = context.track(issued);
        }
        let mutation = RequestMutation { body: Some(Body::Text(body)), ..RequestMutation::default() };
        context.submit_malformed(&mut session, mutation).await?;
    }
    context.submit_right(&mut session).await?;
    Ok(())
}

async fn code_null_or_empty(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let mut session = context.start_session(&attempts(10)).await?;
    if code_in_body(context.contract) {
        for code in ["null", "\"\"", "", "false", "0"] {
            let body = body_with(context.contract, SESSION, code);
            let mutation = RequestMutation { body: Some(Body::Text(&body)), ..RequestMutation::default() };
            context.submit_malformed(&mut session, mutation).await?;
        }
    } else if context.operation.code.location.place == Place::Query {
        let issued = session.issued.clone();
        for code in [None, Some("")] {
            let code = code.map(SubmittedCode::plain);
            let call = VerifyCall { code, ..context.call(&issued, issued.right()) };
            let response = context.send(&call).await?;
            context.expect_no_approval(&response)?;
            context.expect_client_error(&response)?;
        }
    }
    context.submit_right(&mut session).await?;
    Ok(())
}

async fn session_types(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let names = [
        "null",
        "\"\"",
        "0",
        "1",
        "true",
        "{}",
        "[]",
        "[\"{session}\"]",
        "{\"$ne\":\"\"}",
        "\"*\"",
        "\"%\"",
        "\"' OR '1'='1\"",
        "\"../{session}\"",
    ];
    let bodies = names.map(|name| body_with(context.contract, name, CODE));
    submit_bodies(context, &bodies).await
}

async fn duplicate_members(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let keys = context.operation.code.location.keys();
    let name = &keys.last().copied().unwrap_or_default().to_owned();
    let escaped =
        name.chars().next().map(|first| format!("\\u{:04x}{}", u32::from(first), &name[first.len_utf8()..]));
    let mut approved = Vec::new();
    for last_is_right in [true, false] {
        for spelling in [Some(name.clone()), escaped.clone()].into_iter().flatten() {
            let session = context.start_session(&attempts(3)).await?;
            let issued = session.issued.clone();
            let wrong = context.wrong_code(&issued.code);
            let (first, last) = match last_is_right {
                true => (wrong.as_str(), "{code}"),
                false => ("{code}", wrong.as_str()),
            };
            let text = match context.operation.code.location.place {
                Place::Body => {
                    let id = &context.operation.session.location;
                    let mut members = Vec::new();
                    if id.place == Place::Body {
                        members.push((id.keys(), SESSION.to_owned()));
                    }
                    let mut respelled = keys.clone();
                    if let Some(last) = respelled.last_mut() {
                        *last = &spelling;
                    }
                    members.push((keys.clone(), format!("\"{first}\"")));
                    members.push((respelled, format!("\"{last}\"")));
                    object_text(&members)
                }
                Place::Form => {
                    let id = &context.operation.session.location;
                    let session = if id.place == Place::Form {
                        format!("{}={{session}}&", id.name)
                    } else {
                        String::new()
                    };
                    format!("{session}{name}={first}&{name}={last}")
                }
                _ => format!("{name}={first}&{name}={last}"),
            };
            let (body, query) = match context.operation.code.location.place {
                Place::Body | Place::Form => (Some(Body::Text(text.as_str())), None),
                _ => (None, Some(text.as_str())),
            };
            let proper = context.call(&issued, issued.right());
            let mutation = RequestMutation { query, body, ..RequestMutation::default() };
            let response = context.send(&VerifyCall { mutation, ..proper }).await?;
            if !(200..500).contains(&response.status) {
                return Err(context.deviation("a response below 500", context.recording.last_response()));
            }
            approved.push((last_is_right, approves(context.operation, &response)));
        }
    }
    let approves_either =
        [true, false].map(|order| approved.iter().any(|(last, approved)| *last == order && *approved));
    match approves_either {
        [true, true] => Err(context
            .deviation("the first of two codes, or the last, or neither", "the right one in either place")),
        _ => Ok(()),
    }
}

async fn unknown_members(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    const EXTRA: &str = ",\"verified\":true,\"success\":true,\"status\":\"APPROVED\",\"attempts\":0,\"max_attempts\":99,\
                         \"expires_at\":\"2099-01-01T00:00:00Z\",\"__proto__\":{\"verified\":true}}";
    let with_extra =
        |contract: &Contract| body_with(contract, SESSION, CODE).trim_end_matches('}').to_owned() + EXTRA;
    let body = with_extra(context.contract);
    let mutation = || RequestMutation { body: Some(Body::Text(&body)), ..RequestMutation::default() };
    let session = context.start_session(&attempts(3)).await?;
    let issued = session.issued.clone();
    let call = VerifyCall { mutation: mutation(), ..context.call(&issued, issued.right()) };
    let response = context.send(&call).await?;
    // A server may refuse undocumented members. If it accepts them, they must not have an effect.
    let accepts_members = approves(context.operation, &response);
    let mut session = context.start_session(&attempts(3)).await?;
    let rounds = session.limit().unwrap_or(3);
    for _ in 0..rounds {
        let wrong = context.wrong_code(&session.issued.code);
        let kind = if accepts_members { CodeKind::Wrong } else { CodeKind::Malformed };
        context.submit(&mut session, kind, SubmittedCode::plain(&wrong), mutation()).await?;
    }
    context.submit_right(&mut session).await?;
    Ok(())
}

async fn not_an_object(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let proper = body_with(context.contract, SESSION, CODE);
    let positional = match session_in_body(context.contract) {
        true => "[\"{session}\",\"{code}\"]",
        false => "[\"{code}\"]",
    };
    let in_a_list = format!("[{proper}]");
    let as_text = "\"{code}\"";
    let bodies = [
        "",
        "null",
        "[]",
        "{}",
        "0",
        as_text,
        positional,
        in_a_list.as_str(),
        "{\"cut short\": \"",
        "{code}",
        "<code/>",
    ];
    submit_bodies(context, &bodies.map(str::to_owned)).await
}

async fn method(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let mut session = context.start_session(&attempts(10)).await?;
    let own = context.operation.method.clone();
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "BREW"] {
        if method == own {
            continue;
        }
        let issued = session.issued.clone();
        let mutation = RequestMutation {
            method: Some(method),
            headers: vec![("x-http-method-override", own.as_str())],
            ..RequestMutation::default()
        };
        let call = VerifyCall { mutation, ..context.call(&issued, issued.right()) };
        let response = context.send(&call).await?;
        context.expect_no_approval(&response)?;
        if response.status >= 500 && response.status != 501 {
            return Err(context.deviation("HTTP 405, or another refusal", context.recording.last_response()));
        }
        if response.status == 405 && !response.headers.contains_key(http::header::ALLOW) {
            return Err(context.deviation("HTTP 405 with Allow", "HTTP 405 without it"));
        }
    }
    context.submit_right(&mut session).await?;
    Ok(())
}

async fn parameters(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let contract = context.contract;
    let name = &contract.verify().code.location.name;
    for query in [format!("{name}=%00"), format!("{name}=%ff"), format!("{name}=12%003456"), name.clone()] {
        let session = context.start_session(&attempts(3)).await?;
        let issued = session.issued.clone();
        let mutation = RequestMutation { query: Some(&query), ..RequestMutation::default() };
        let proper = context.call(&issued, issued.right());
        let response = context.send(&VerifyCall { code: None, mutation, ..proper }).await?;
        context.expect_no_approval(&response)?;
        context.expect_client_error(&response)?;
    }
    for parameter in &contract.verify().parameters {
        let values: Vec<String> = match parameter.kind {
            ValueKind::Integer { min, max } => {
                vec![
                    (min - 1).to_string(),
                    (max + 1).to_string(),
                    "5.0".to_owned(),
                    "x".to_owned(),
                    "-1".to_owned(),
                ]
            }
            ValueKind::Boolean => vec!["yes".to_owned(), "2".to_owned(), "[]".to_owned()],
            ValueKind::Text => vec!["%00".to_owned()],
        };
        for value in values {
            let session = context.start_session(&attempts(3)).await?;
            let issued = session.issued.clone();
            let wrong = context.wrong_code(&issued.code);
            let query = format!("{}={value}", parameter.name);
            let call = VerifyCall {
                mutation: RequestMutation { query: Some(&query), ..RequestMutation::default() },
                lifetime_minutes: None,
                ..context.call_with_retry(&issued, SubmittedCode::plain(&wrong), false)
            };
            let response = context.send(&call).await?;
            context.expect_no_approval(&response)?;
            context.expect_client_error(&response)?;
        }
    }
    Ok(())
}
