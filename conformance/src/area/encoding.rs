//! Bodies in other encodings, sizes and media types. A server may be lenient about some of them; it never fails, and
//! never takes what it cannot have read.

use std::time::Duration;

use otp_contract::{Place, Situation};

use super::{CODE, Probe, SESSION, always, body_with, code_in_body, standard};
use crate::call::{Body, Call, Guess, Twist};
use crate::check::Area;
use crate::finding::last_answer;
use crate::flow::attempts;
use crate::reading::approves;
use crate::subject::{Bench, Issued, Stop};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Request,
        name: "encoding",
        statement: "a NUL, octets that are no UTF-8 or another encoding make no server fail, and approve nothing wrong",
        says: Some(Situation::MalformedBody),
        standard: standard::FAIL_CLOSED,
        applies: code_in_body,
        run: |bench| Box::pin(encoding(bench)),
    },
    Probe {
        area: Area::Request,
        name: "size",
        statement: "a code or a body of many times the usual size is refused, and the server goes on",
        says: None,
        standard: standard::SIZE,
        applies: always,
        run: |bench| Box::pin(size(bench)),
    },
    Probe {
        area: Area::Request,
        name: "content-type",
        statement: "JSON with a charset is read, and a body of another media type makes no server fail",
        says: Some(Situation::Approved),
        standard: standard::CONTENT_TYPE,
        applies: code_in_body,
        run: |bench| Box::pin(content_type(bench)),
    },
];

async fn encoding(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut live = bench.open(&attempts(10)).await?;
    let issued = live.issued.clone();
    let text = filled(bench, &issued, CODE);
    let nul = body_with(bench.contract, SESSION, "\"{code}\\u0000\"");
    let surrogate = body_with(bench.contract, SESSION, "\"{code}\\ud800\"");
    let in_body = bench.contract.verify().session.location.place == Place::Body;
    let in_session = in_body.then(|| body_with(bench.contract, "\"\\ud800\"", CODE));
    for body in [&nul, &surrogate].into_iter().chain(&in_session) {
        let answer = send_body(bench, &issued, Body::Text(body)).await?;
        bench.demand_no_approval(&answer)?;
        bench.demand_client_error_or_refusal(&answer)?;
    }
    let invalid = {
        let mut bytes = text.clone().into_bytes();
        let at = bytes.len().saturating_sub(2);
        bytes.insert(at, 0xff);
        bytes
    };
    let answer = send_body(bench, &issued, Body::Bytes(&invalid)).await?;
    bench.demand_no_approval(&answer)?;
    bench.demand_client_error_or_refusal(&answer)?;
    // A byte order mark and UTF-16 are read by some libraries; that is no fault, as long as nothing breaks.
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = format!("\u{feff}{text}").into_bytes();
    let mut used = false;
    for body in [&wide, &marked] {
        let answer = send_body(bench, &issued, Body::Bytes(body)).await?;
        used |= approves(bench.contract, &answer);
        if answer.status >= 500 {
            return Err(bench.found("an answer below 500", last_answer(bench)));
        }
    }
    if !used && live.rules.limit.is_none_or(|limit| limit > 5) {
        bench.right(&mut live).await?;
    }
    Ok(())
}

/// The proper body with `code` as JSON, the session and the code filled in.
fn filled(bench: &Bench<'_>, issued: &Issued, code: &str) -> String {
    body_with(bench.contract, SESSION, code)
        .replace("{session}", &issued.session.session)
        .replace("{code}", &issued.code)
}

async fn send_body(
    bench: &mut Bench<'_>,
    issued: &Issued,
    body: Body<'_>,
) -> Result<crate::wire::RawResponse, Stop> {
    let twist = Twist { body: Some(body), ..Twist::default() };
    let call = Call { twist, ..issued.call(bench.contract, issued.right(), bench.retries()) };
    bench.send(&call).await
}

async fn size(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut live = bench.open(&attempts(10)).await?;
    let issued = live.issued.clone();
    for length in [64, 4_096] {
        let long = issued.code.chars().cycle().take(length).collect::<String>();
        let shown = format!("a code of {length} characters");
        let guess = Guess { text: &long, shown: &shown };
        let answer = bench.send(&issued.call(bench.contract, guess, bench.retries())).await?;
        bench.demand_no_approval(&answer)?;
        bench.demand_client_error_or_refusal(&answer)?;
    }
    if code_in_body(bench.contract) {
        let long = format!("\"{}\"", "1".repeat(1 << 20));
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let many =
            (0..10_000).map(|number| format!("\"member{number}\":{number}")).collect::<Vec<_>>().join(",");
        let members =
            body_with(bench.contract, SESSION, "\"x\"").trim_end_matches('}').to_owned() + "," + &many + "}";
        for body in
            [body_with(bench.contract, SESSION, &long), body_with(bench.contract, SESSION, &deep), members]
        {
            let twist = Twist { body: Some(Body::Text(&body)), ..Twist::default() };
            let call = Call { twist, ..issued.call(bench.contract, issued.right(), bench.retries()) };
            // Hanging up on a body that is too long is an answer of its own kind.
            match bench.try_send(&call).await? {
                Some(answer) => {
                    bench.demand_no_approval(&answer)?;
                    bench.demand_client_error_or_refusal(&answer)?;
                }
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }
    if code_in_body(bench.contract) {
        // The same without a length: nobody can say beforehand that it is too much.
        let long = body_with(bench.contract, SESSION, &format!("\"{}\"", "1".repeat(1 << 20)));
        let twist = Twist { body: Some(Body::Text(&long)), ..Twist::default() };
        let call = Call { twist, ..issued.call(bench.contract, issued.right(), bench.retries()) };
        if let Some(answer) = bench.send_pieces(&call, 4, true).await? {
            bench.demand_no_approval(&answer)?;
            bench.demand_client_error_or_refusal(&answer)?;
        }
    }
    if live.rules.limit.is_none_or(|limit| limit > 5) {
        bench.right(&mut live).await?;
    }
    Ok(())
}

async fn content_type(bench: &mut Bench<'_>) -> Result<(), Stop> {
    for kind in ["application/json; charset=utf-8", "application/json;charset=UTF-8"] {
        let mut live = bench.open(&attempts(3)).await?;
        let twist = Twist { content_type: Some(kind), ..Twist::default() };
        let issued = live.issued.clone();
        bench.attempt(&mut live, crate::model::Kind::Right, issued.right(), twist).await?;
    }
    for kind in
        ["", "text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/form-data", "x"]
    {
        let live = bench.open(&attempts(3)).await?;
        let issued = live.issued.clone();
        let wrong = bench.wrong_code(&issued.code);
        let twist = Twist { content_type: Some(kind), ..Twist::default() };
        let call = Call { twist, ..issued.call(bench.contract, Guess::plain(&wrong), bench.retries()) };
        let answer = bench.send(&call).await?;
        bench.demand_no_approval(&answer)?;
        bench.demand_client_error_or_refusal(&answer)?;
    }
    Ok(())
}
