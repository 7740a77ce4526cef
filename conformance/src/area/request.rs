//! Requests of another shape than the documented one. None of them approves, none makes the server fail, and none costs
//! the session anything.

use otp_contract::{Contract, Place, Situation, ValueKind};

use super::{CODE, Probe, SESSION, always, body_with, code_in_body, has_limit, session_in_body, standard};
use crate::call::{Body, Call, Guess, Twist};
use crate::check::Area;
use crate::finding::last_answer;
use crate::flow::{Live, attempts};
use crate::model::Kind;
use crate::reading::approves;
use crate::subject::{Bench, Stop};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Request,
        name: "code-as-number",
        statement: "a number is not taken for a code, though it has the right digits",
        says: None,
        standard: standard::TYPES,
        applies: code_in_body,
        run: |bench| Box::pin(code_as_number(bench)),
    },
    Probe {
        area: Area::Request,
        name: "code-in-a-list",
        statement: "a list is not taken for a code, though the right one is in it",
        says: Some(Situation::WrongCode),
        standard: standard::TYPES,
        applies: code_in_body,
        run: |bench| {
            Box::pin(misshapen_codes(bench, &["[{code}]", "[\"{code}\"]", "[\"000001\",\"{code}\"]", "[]"]))
        },
    },
    Probe {
        area: Area::Request,
        name: "code-as-object",
        statement: "an object is not taken for a code, nor for an operator of a query",
        says: Some(Situation::WrongCode),
        standard: standard::INJECTION,
        applies: code_in_body,
        run: |bench| {
            let operators = &[
                "{}",
                "{\"$ne\":\"\"}",
                "{\"$gt\":\"\"}",
                "{\"$regex\":\".*\"}",
                "{\"0\":\"{code}\"}",
                "true",
            ];
            Box::pin(misshapen_codes(bench, operators))
        },
    },
    Probe {
        area: Area::Request,
        name: "code-null-or-empty",
        statement: "an absent, null or empty code verifies nothing",
        says: Some(Situation::WrongCode),
        standard: standard::FAIL_CLOSED,
        applies: always,
        run: |bench| Box::pin(code_null_or_empty(bench)),
    },
    Probe {
        area: Area::Request,
        name: "session-types",
        statement: "what is no text names no session, and a wildcard names none either",
        says: Some(Situation::UnknownSession),
        standard: standard::INJECTION,
        applies: session_in_body,
        run: |bench| Box::pin(session_types(bench)),
    },
    Probe {
        area: Area::Request,
        name: "duplicate-members",
        statement: "of a wrong and the right code in one request at most one is read, always the same one",
        says: Some(Situation::WrongCode),
        standard: standard::POLLUTION,
        // A path has one place for it.
        applies: |contract| contract.verify().code.location.place != Place::Path,
        run: |bench| Box::pin(duplicate_members(bench)),
    },
    Probe {
        area: Area::Request,
        name: "unknown-members",
        statement: "members that are not documented, such as `verified: true`, have no effect",
        says: Some(Situation::WrongCode),
        standard: standard::ASSIGNMENT,
        applies: code_in_body,
        run: |bench| Box::pin(unknown_members(bench)),
    },
    Probe {
        area: Area::Request,
        name: "not-an-object",
        statement: "a body that is not one JSON object is refused and costs nothing",
        says: Some(Situation::MalformedBody),
        standard: standard::FAIL_CLOSED,
        applies: code_in_body,
        run: |bench| Box::pin(not_an_object(bench)),
    },
    Probe {
        area: Area::Request,
        name: "method",
        statement: "no other method verifies a code or uses it up",
        says: None,
        standard: standard::METHOD,
        applies: always,
        run: |bench| Box::pin(method(bench)),
    },
    Probe {
        area: Area::Request,
        name: "parameters",
        statement: "query parameters that are out of bounds or of another type never make the server fail",
        says: None,
        standard: standard::FAIL_CLOSED,
        applies: |contract| !contract.verify().parameters.is_empty(),
        run: |bench| Box::pin(parameters(bench)),
    },
];

async fn code_as_number(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let tenant = bench.tenant().await?;
    // A number has no leading zero.
    let code = format!("1{}", &bench.code()[1..]);
    let issued = bench.issue_code(&tenant, code, &attempts(1), None).await?;
    let mut live = bench.watch(issued);
    misshape(bench, &mut live, &["{code}", "{code}.0", "{code}e0"]).await
}

async fn misshapen_codes(bench: &mut Bench<'_>, codes: &[&str]) -> Result<(), Stop> {
    let tenant = bench.tenant().await?;
    let code = format!("1{}", &bench.code()[1..]);
    let issued = bench.issue_code(&tenant, code, &attempts(1), None).await?;
    let mut live = bench.watch(issued);
    misshape(bench, &mut live, codes).await
}

/// Sends each JSON in the place of the code, and then sees that the session has lost nothing.
async fn misshape(bench: &mut Bench<'_>, live: &mut Live, codes: &[&str]) -> Result<(), Stop> {
    for code in codes {
        let body = body_with(bench.contract, SESSION, code);
        bench.misshapen(live, Twist { body: Some(Body::Text(&body)), ..Twist::default() }).await?;
    }
    bench.right(live).await?;
    Ok(())
}

async fn code_null_or_empty(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut live = bench.open(&attempts(3)).await?;
    if code_in_body(bench.contract) {
        for code in ["null", "\"\"", "", "false", "0"] {
            let body = body_with(bench.contract, SESSION, code);
            let twist = Twist { body: Some(Body::Text(&body)), ..Twist::default() };
            bench.misshapen(&mut live, twist).await?;
        }
    } else if bench.contract.verify().code.location.place == Place::Query {
        let issued = live.issued.clone();
        for code in [None, Some("")] {
            let guess = code.map(Guess::plain);
            let call = Call { code: guess, ..issued.call(bench.contract, issued.right(), bench.retries()) };
            let answer = bench.send(&call).await?;
            bench.demand_no_approval(&answer)?;
            bench.demand_client_error(&answer)?;
        }
    }
    bench.right(&mut live).await?;
    Ok(())
}

async fn session_types(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut live = bench.open(&attempts(1)).await?;
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
    for name in names {
        let body = body_with(bench.contract, name, CODE);
        bench.misshapen(&mut live, Twist { body: Some(Body::Text(&body)), ..Twist::default() }).await?;
    }
    bench.right(&mut live).await?;
    Ok(())
}

async fn duplicate_members(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let name = &bench.contract.verify().code.location.name;
    let escaped =
        name.chars().next().map(|first| format!("\\u{:04x}{}", u32::from(first), &name[first.len_utf8()..]));
    let mut approved = Vec::new();
    for last_is_right in [true, false] {
        for spelling in [Some(name.clone()), escaped.clone()].into_iter().flatten() {
            let live = bench.open(&attempts(3)).await?;
            let issued = live.issued.clone();
            let wrong = bench.wrong_code(&issued.code);
            let (first, last) = match last_is_right {
                true => (wrong.as_str(), "{code}"),
                false => ("{code}", wrong.as_str()),
            };
            let text = match bench.contract.verify().code.location.place {
                Place::Body => {
                    let rest = body_with(bench.contract, SESSION, &format!("\"{first}\""));
                    rest.trim_end_matches('}').to_owned() + &format!(",\"{spelling}\":\"{last}\"}}")
                }
                _ => format!("{name}={first}&{name}={last}"),
            };
            let (body, query) = match bench.contract.verify().code.location.place {
                Place::Body => (Some(Body::Text(text.as_str())), None),
                _ => (None, Some(text.as_str())),
            };
            let proper = issued.call(bench.contract, issued.right(), bench.retries());
            let twist = Twist { query, body, ..Twist::default() };
            let answer = bench.send(&Call { twist, ..proper }).await?;
            if !(200..500).contains(&answer.status) {
                return Err(bench.found("an answer below 500", last_answer(bench)));
            }
            approved.push((last_is_right, approves(bench.contract, &answer)));
        }
    }
    let approves_either =
        [true, false].map(|order| approved.iter().any(|(last, approved)| *last == order && *approved));
    match approves_either {
        [true, true] => Err(bench
            .found("the first of two codes, or the last, or neither", "the right one wherever it stands")),
        _ => Ok(()),
    }
}

async fn unknown_members(bench: &mut Bench<'_>) -> Result<(), Stop> {
    const EXTRA: &str = ",\"verified\":true,\"success\":true,\"status\":\"APPROVED\",\"attempts\":0,\"max_attempts\":99,\
                         \"expires_at\":\"2099-01-01T00:00:00Z\",\"__proto__\":{\"verified\":true}}";
    let with_extra =
        |contract: &Contract| body_with(contract, SESSION, CODE).trim_end_matches('}').to_owned() + EXTRA;
    let body = with_extra(bench.contract);
    let twist = || Twist { body: Some(Body::Text(&body)), ..Twist::default() };
    let live = bench.open(&attempts(3)).await?;
    let issued = live.issued.clone();
    let call = Call { twist: twist(), ..issued.call(bench.contract, issued.right(), bench.retries()) };
    let answer = bench.send(&call).await?;
    // A server may refuse what it does not know. One that takes it must take it for what it is.
    let ignores = approves(bench.contract, &answer);
    let mut live = bench.open(&attempts(3)).await?;
    let rounds = if has_limit(bench.contract) { live.limit()? } else { 3 };
    for _ in 0..rounds {
        let wrong = bench.wrong_code(&live.issued.code);
        let kind = if ignores { Kind::Wrong } else { Kind::Shapeless };
        bench.attempt(&mut live, kind, Guess::plain(&wrong), twist()).await?;
    }
    bench.right(&mut live).await?;
    Ok(())
}

async fn not_an_object(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut live = bench.open(&attempts(1)).await?;
    let proper = body_with(bench.contract, SESSION, CODE);
    let positional = match session_in_body(bench.contract) {
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
    for body in bodies {
        bench.misshapen(&mut live, Twist { body: Some(Body::Text(body)), ..Twist::default() }).await?;
    }
    bench.right(&mut live).await?;
    Ok(())
}

async fn method(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut live = bench.open(&attempts(1)).await?;
    let own = bench.contract.verify().method.clone();
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "BREW"] {
        if method == own {
            continue;
        }
        let issued = live.issued.clone();
        let twist = Twist {
            method: Some(method),
            headers: vec![("x-http-method-override", own.as_str())],
            ..Twist::default()
        };
        let call = Call { twist, ..issued.call(bench.contract, issued.right(), bench.retries()) };
        let answer = bench.send(&call).await?;
        bench.demand_no_approval(&answer)?;
        if answer.status >= 500 && answer.status != 501 {
            return Err(bench.found("HTTP 405, or another refusal", last_answer(bench)));
        }
        if answer.status == 405 && !answer.headers.contains_key(http::header::ALLOW) {
            return Err(bench.found("HTTP 405 with Allow", "HTTP 405 without it"));
        }
    }
    bench.right(&mut live).await?;
    Ok(())
}

async fn parameters(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let contract = bench.contract;
    let name = &contract.verify().code.location.name;
    for query in [format!("{name}=%00"), format!("{name}=%ff"), format!("{name}=12%003456"), name.clone()] {
        let live = bench.open(&attempts(3)).await?;
        let issued = live.issued.clone();
        let twist = Twist { query: Some(&query), ..Twist::default() };
        let proper = issued.call(contract, issued.right(), bench.retries());
        let answer = bench.send(&Call { code: None, twist, ..proper }).await?;
        bench.demand_no_approval(&answer)?;
        bench.demand_client_error(&answer)?;
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
            let live = bench.open(&attempts(3)).await?;
            let issued = live.issued.clone();
            let wrong = bench.wrong_code(&issued.code);
            let query = format!("{}={value}", parameter.name);
            let call = Call {
                twist: Twist { query: Some(&query), ..Twist::default() },
                lifetime_minutes: None,
                ..issued.call(contract, Guess::plain(&wrong), false)
            };
            let answer = bench.send(&call).await?;
            bench.demand_no_approval(&answer)?;
            bench.demand_client_error(&answer)?;
        }
    }
    Ok(())
}
