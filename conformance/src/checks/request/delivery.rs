//! Calls that arrive in fragments, are truncated or compressed, or whose client disconnects. It is unknown whether the
//! server processed a call whose client is gone, but such a call must not undo what happened before it.

use std::collections::BTreeSet;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use otp_contract::{Outcome, Situation};

use crate::checks::probe::{Authority, Probe, SESSION, always, body_with, code_in_body};
use crate::checks::{Area, standards};
use crate::harness::{
    Abort, Body, CheckContext, DISCONNECT_DELAYS, RequestMutation, SubmittedCode, VerifyCall, attempts,
};
use crate::oracle::{Allowed, CodeKind, Input, approves};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Request,
        name: "fragmented-body",
        statement: "a fragmented body is read completely, and a chunked one does not make the server fail",
        authority: Authority::Safety(Situation::Approved),
        standard: standards::FRAMING,
        applies: code_in_body,
        run: |context| Box::pin(fragmented_body(context)),
    },
    Probe {
        area: Area::Request,
        name: "truncated-body",
        statement: "a truncated request is not approved and does not count as an attempt",
        authority: Authority::Safety(Situation::MalformedBody),
        standard: standards::INCOMPLETE,
        applies: code_in_body,
        run: |context| Box::pin(truncated_body(context)),
    },
    Probe {
        area: Area::Request,
        name: "compressed",
        statement: "a compressed body that expands to many times its size is refused and does not count as an attempt",
        authority: Authority::Standard,
        standard: standards::SIZE,
        applies: code_in_body,
        run: |context| Box::pin(compressed(context)),
    },
    Probe {
        area: Area::Limit,
        name: "client-disconnect",
        statement: "a client that disconnects before the response does not get an attempt back",
        authority: Authority::Safety(Situation::AttemptsExhausted),
        standard: standards::LIMIT,
        applies: always,
        run: |context| Box::pin(disconnect_before_limit(context)),
    },
    Probe {
        area: Area::SingleUse,
        name: "client-disconnect",
        statement: "a client that disconnects before the response cannot use a code twice",
        authority: Authority::Safety(Situation::AlreadyUsed),
        standard: standards::SINGLE_USE,
        applies: always,
        run: |context| Box::pin(disconnect_after_use(context)),
    },
];

async fn fragmented_body(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let session = context.start_session(&attempts(3)).await?;
    let proper = context.call(&session.issued, session.issued.right());
    if let Some(response) = context.send_fragmented(&proper, 3, false).await? {
        context.expect_outcome(&response, &Allowed::only(Outcome::Approved))?;
    }
    // A server may require a length (RFC 9110 §15.5.12), but it must not fail or compare a part of the code.
    let mut session = context.start_session(&attempts(3)).await?;
    let issued = session.issued.clone();
    let proper = context.call(&issued, issued.right());
    match context.send_fragmented(&proper, 2, true).await? {
        None => {}
        Some(response) if approves(context.operation, &response) => return Ok(()),
        Some(response) => context.expect_client_error_or_refusal(&response)?,
    }
    context.submit_right(&mut session).await?;
    Ok(())
}

async fn truncated_body(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    // A server may count a truncated request once.
    let mut session = context.start_session(&attempts(10)).await?;
    let issued = session.issued.clone();
    let wrong = context.wrong_code(&issued.code);
    for code in [SubmittedCode::plain(&wrong), issued.right(), SubmittedCode::plain(&wrong)] {
        let call = context.call(&issued, code);
        // The last two bytes, quotation mark and brace, are missing: the code is complete, but the request is not.
        context.send_truncated(&call, 2).await?;
    }
    context.submit_right(&mut session).await?;
    Ok(())
}

/// The size of the decompressed body: far larger than a verify call, and still small enough for any test.
const DECOMPRESSED_BYTES: usize = 8 << 20;

async fn compressed(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let mut session = context.start_session(&attempts(2)).await?;
    let issued = session.issued.clone();
    let long = format!("\"{}\"", "1".repeat(DECOMPRESSED_BYTES));
    let text = body_with(context.contract, SESSION, &long).replace("{session}", &issued.session.session);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let compressed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    let compressed =
        compressed.map_err(|error| Abort::Error(format!("the body cannot be compressed: {error}")))?;
    let mutation = RequestMutation {
        headers: vec![("content-encoding", "gzip")],
        body: Some(Body::Bytes(&compressed)),
        ..RequestMutation::default()
    };
    let call = VerifyCall { mutation, ..context.call(&issued, issued.right()) };
    if let Some(response) = context.send_allowing_disconnect(&call).await? {
        context.expect_no_approval(&response)?;
        context.expect_client_error_or_refusal(&response)?;
    }
    context.submit_right(&mut session).await?;
    Ok(())
}

async fn disconnect_before_limit(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let mut session = context.start_session(&attempts(3)).await?;
    for _ in 1..session.limit()? {
        context.submit_wrong(&mut session).await?;
    }
    let issued = session.issued.clone();
    for delay in DISCONNECT_DELAYS {
        let wrong = context.wrong_code(&issued.code);
        context.send_and_disconnect(&context.call(&issued, SubmittedCode::plain(&wrong)), delay).await?;
    }
    // It is unknown which of those calls counted. This one reaches the limit in any case.
    let wrong = context.wrong_code(&issued.code);
    let response = context.send(&context.call(&issued, SubmittedCode::plain(&wrong))).await?;
    let allowed = [Outcome::WrongCode, Outcome::AttemptsExhausted].into();
    context.expect_outcome(
        &response,
        &Allowed { outcomes: allowed, any_refusal: !session.rules.lock_is_documented },
    )?;
    let response = context.send(&context.call(&issued, issued.right())).await?;
    context.expect_outcome(&response, &Allowed::refusals())
}

async fn disconnect_after_use(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let mut session = context.start_session(&attempts(3)).await?;
    context.submit_right(&mut session).await?;
    let issued = session.issued.clone();
    for delay in DISCONNECT_DELAYS {
        context.send_and_disconnect(&context.call(&issued, issued.right()), delay).await?;
        let right = Input { code: CodeKind::Right, foreign: false, retry: context.retries() };
        session.states.maybe(&session.rules, right);
    }
    context.submit_right(&mut session).await?;

    let mut session = context.start_session(&attempts(3)).await?;
    let issued = session.issued.clone();
    context.send_and_disconnect(&context.call(&issued, issued.right()), DISCONNECT_DELAYS[2]).await?;
    let response = context.send(&context.call(&issued, issued.right())).await?;
    let allowed = [Outcome::Approved, Outcome::AlreadyUsed].into();
    context.expect_outcome(&response, &Allowed { outcomes: allowed, any_refusal: false })?;
    // The code was approved, now or by the call without a response. From here on it is used.
    let right = Input { code: CodeKind::Right, foreign: false, retry: context.retries() };
    session.states.observe(&session.rules, right, &BTreeSet::from([Outcome::Approved]));
    context.submit_right(&mut session).await?;
    Ok(())
}
