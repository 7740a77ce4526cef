//! Bodies in other encodings, sizes and media types. A server may be lenient about some of them; it never fails, and
//! never takes what it cannot have read.

use std::time::Duration;

use otp_contract::{Place, Situation};

use crate::checks::probe::{Authority, CODE, Probe, SESSION, always, body_with, code_in_body};
use crate::checks::{Area, standards};
use crate::harness::{
    Abort, Body, CheckContext, IssuedSession, RequestMutation, SubmittedCode, VerifyCall, attempts,
};
use crate::http::RawResponse;
use crate::oracle::{Basis, CodeKind, approves};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Request,
        name: "encoding",
        statement: "a NUL, invalid UTF-8 or another encoding does not make the server fail or approve a wrong code",
        authority: Authority::Safety(Situation::MalformedBody),
        standard: standards::FAIL_CLOSED,
        applies: code_in_body,
        run: |context| Box::pin(encoding(context)),
    },
    Probe {
        area: Area::Request,
        name: "size",
        statement: "an oversized code or body is refused, and the server keeps working",
        authority: Authority::Standard,
        standard: standards::SIZE,
        applies: always,
        run: |context| Box::pin(size(context)),
    },
    Probe {
        area: Area::Request,
        name: "content-type",
        statement: "JSON with a charset is accepted, and another media type does not make the server fail",
        authority: Authority::Standard,
        standard: standards::CONTENT_TYPE,
        applies: code_in_body,
        run: |context| Box::pin(content_type(context)),
    },
];

async fn encoding(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let mut session = context.start_session(&attempts(10)).await?;
    let issued = session.issued.clone();
    let text = filled(context, &issued, CODE);
    let nul = body_with(context.contract, SESSION, "\"{code}\\u0000\"");
    let surrogate = body_with(context.contract, SESSION, "\"{code}\\ud800\"");
    let in_body = context.operation.session.location.place == Place::Body;
    let in_session = in_body.then(|| body_with(context.contract, "\"\\ud800\"", CODE));
    for body in [&nul, &surrogate].into_iter().chain(&in_session) {
        let response = send_body(context, &issued, Body::Text(body)).await?;
        context.expect_no_approval(&response)?;
        context.expect_client_error_or_refusal(&response)?;
    }
    let invalid = {
        let mut bytes = text.clone().into_bytes();
        let at = bytes.len().saturating_sub(2);
        bytes.insert(at, 0xff);
        bytes
    };
    let response = send_body(context, &issued, Body::Bytes(&invalid)).await?;
    context.expect_no_approval(&response)?;
    context.expect_client_error_or_refusal(&response)?;
    // Some libraries accept a byte order mark or UTF-16, which is fine as long as the server does not fail.
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = format!("\u{feff}{text}").into_bytes();
    let mut used = false;
    for body in [&utf16, &marked] {
        let response = send_body(context, &issued, Body::Bytes(body)).await?;
        used |= approves(context.operation, &response);
        if response.status >= 500 {
            return Err(context
                .deviation("a response below 500", context.recording.last_response())
                .because_of(Basis::Standard, None));
        }
    }
    if !used && session.rules.limit.is_none_or(|limit| limit > 8) {
        context.submit_right(&mut session).await?;
    }
    Ok(())
}

/// The well-formed body with `code` as JSON, and with session and code filled in.
fn filled(context: &CheckContext<'_>, issued: &IssuedSession, code: &str) -> String {
    body_with(context.contract, SESSION, code)
        .replace("{session}", &issued.session.session)
        .replace("{code}", &issued.code)
}

async fn send_body(
    context: &mut CheckContext<'_>,
    issued: &IssuedSession,
    body: Body<'_>,
) -> Result<RawResponse, Abort> {
    let mutation = RequestMutation { body: Some(body), ..RequestMutation::default() };
    let call = VerifyCall { mutation, ..context.call(issued, issued.right()) };
    context.send(&call).await
}

async fn size(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let mut session = context.start_session(&attempts(10)).await?;
    let issued = session.issued.clone();
    for length in [64, 4_096] {
        let long = issued.code.chars().cycle().take(length).collect::<String>();
        let shown = format!("a code of {length} characters");
        let code = SubmittedCode { text: &long, shown: &shown };
        let response = context.send(&context.call(&issued, code)).await?;
        context.expect_no_approval(&response)?;
        context.expect_client_error_or_refusal(&response)?;
    }
    if code_in_body(context.contract) {
        let long = format!("\"{}\"", "1".repeat(1 << 20));
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let many =
            (0..10_000).map(|number| format!("\"member{number}\":{number}")).collect::<Vec<_>>().join(",");
        let members = body_with(context.contract, SESSION, "\"x\"").trim_end_matches('}').to_owned()
            + ","
            + &many
            + "}";
        for body in [
            body_with(context.contract, SESSION, &long),
            body_with(context.contract, SESSION, &deep),
            members,
        ] {
            let mutation = RequestMutation { body: Some(Body::Text(&body)), ..RequestMutation::default() };
            let call = VerifyCall { mutation, ..context.call(&issued, issued.right()) };
            // A server may also refuse a body that is too long by closing the connection.
            match context.send_allowing_disconnect(&call).await? {
                Some(response) => {
                    context.expect_no_approval(&response)?;
                    context.expect_client_error_or_refusal(&response)?;
                }
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }
    if code_in_body(context.contract) {
        // The same without an announced length, so that the server cannot refuse it in advance.
        let long = body_with(context.contract, SESSION, &format!("\"{}\"", "1".repeat(1 << 20)));
        let mutation = RequestMutation { body: Some(Body::Text(&long)), ..RequestMutation::default() };
        let call = VerifyCall { mutation, ..context.call(&issued, issued.right()) };
        if let Some(response) = context.send_fragmented(&call, 4, true).await? {
            context.expect_no_approval(&response)?;
            context.expect_client_error_or_refusal(&response)?;
        }
    }
    if session.rules.limit.is_none_or(|limit| limit > 8) {
        context.submit_right(&mut session).await?;
    }
    Ok(())
}

async fn content_type(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    for kind in ["application/json; charset=utf-8", "application/json;charset=UTF-8"] {
        let mut session = context.start_session(&attempts(3)).await?;
        let mutation = RequestMutation { content_type: Some(kind), ..RequestMutation::default() };
        let issued = session.issued.clone();
        context.submit(&mut session, CodeKind::Right, issued.right(), mutation).await?;
    }
    for kind in
        ["", "text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/form-data", "x"]
    {
        let session = context.start_session(&attempts(3)).await?;
        let issued = session.issued.clone();
        let wrong = context.wrong_code(&issued.code);
        let mutation = RequestMutation { content_type: Some(kind), ..RequestMutation::default() };
        let call = VerifyCall { mutation, ..context.call(&issued, SubmittedCode::plain(&wrong)) };
        let response = context.send(&call).await?;
        context.expect_no_approval(&response)?;
        context.expect_client_error_or_refusal(&response)?;
    }
    Ok(())
}
