//! The limit of attempts: its exact boundary, and which attempts it counts.

use otp_contract::Situation;

use super::probe::{Authority, Probe, SESSION, always, body_with, code_in_body};
use super::{Area, indistinguishable, standards};
use crate::harness::{
    Abort, Body, CheckContext, MAX_ATTEMPTS_TRIED, RequestMutation, SessionOptions, SubmittedCode,
    VerifyCall, Witness, attempts,
};
use crate::oracle::{Allowed, CodeKind};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Limit,
        name: "boundary",
        statement: "with a limit of n, the right code verifies after n − 1 wrong codes and not after n",
        authority: Authority::Safety(Situation::AttemptsExhausted),
        standard: standards::LIMIT,
        applies: always,
        run: |context| Box::pin(boundary(context)),
    },
    Probe {
        area: Area::Limit,
        name: "uniform-refusal",
        statement: "a locked session gives the right and a wrong code the same response",
        authority: Authority::Standard,
        standard: standards::STATE,
        applies: always,
        run: |context| Box::pin(uniform_refusal(context)),
    },
    Probe {
        area: Area::Limit,
        name: "own-counter",
        statement: "every session has a counter of its own, which the success of another session does not reset",
        authority: Authority::Safety(Situation::AttemptsExhausted),
        standard: standards::LIMIT,
        applies: always,
        run: |context| Box::pin(own_counter(context)),
    },
    Probe {
        area: Area::Limit,
        name: "not-reset",
        statement: "no malformed request, forwarding header, new connection or repeated code resets or evades the counter",
        authority: Authority::Safety(Situation::AttemptsExhausted),
        standard: standards::PROXIES,
        applies: always,
        run: |context| Box::pin(not_reset(context)),
    },
    Probe {
        area: Area::Limit,
        name: "not-forgotten",
        statement: "the counter is not reset while the code is still valid",
        authority: Authority::Safety(Situation::AttemptsExhausted),
        standard: standards::LIMIT,
        applies: always,
        run: |context| Box::pin(not_forgotten(context)),
    },
    Probe {
        area: Area::Limit,
        name: "resend",
        statement: "a new code for the same recipient does not reset the counter, and invalidates the old code",
        authority: Authority::Standard,
        standard: standards::RESEND,
        applies: always,
        run: |context| Box::pin(resend(context)),
    },
];

async fn boundary(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    for options in [attempts(1), attempts(2), attempts(5), SessionOptions::default()] {
        let mut session = context.start_session(&options).await?;
        for _ in 1..session.limit()? {
            context.submit_wrong(&mut session).await?;
        }
        context.submit_right(&mut session).await?;
        let mut session = context.start_session(&options).await?;
        for _ in 0..session.limit()? {
            context.submit_wrong(&mut session).await?;
        }
        context.submit_right(&mut session).await?;
    }
    Ok(())
}

async fn uniform_refusal(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let mut session = context.start_session(&attempts(2)).await?;
    for _ in 0..session.limit()? {
        context.submit_wrong(&mut session).await?;
    }
    let wrong = context.submit_wrong(&mut session).await?;
    let right = context.submit_right(&mut session).await?;
    indistinguishable::expect(context, ("a wrong code", &wrong), ("the right one", &right))?;
    let wrong = context.submit_wrong(&mut session).await?;
    indistinguishable::expect(context, ("the right code", &right), ("a wrong one", &wrong))
}

async fn own_counter(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let tenant = context.tenant().await?;
    let options = attempts(3);
    let mut locked = context.start_session_for(&tenant, &options).await?;
    let mut other = context.start_session_for(&tenant, &options).await?;
    for _ in 0..locked.limit()? {
        context.submit_wrong(&mut locked).await?;
    }
    context.submit_right(&mut other).await?;
    context.submit_right(&mut locked).await?;

    let mut nearly = context.start_session_for(&tenant, &options).await?;
    let mut other = context.start_session_for(&tenant, &options).await?;
    for _ in 1..nearly.limit()? {
        context.submit_wrong(&mut nearly).await?;
    }
    context.submit_wrong(&mut other).await?;
    context.submit_right(&mut other).await?;
    context.submit_wrong(&mut nearly).await?;
    context.submit_right(&mut nearly).await?;
    // A later session starts with a new counter, and its tenant is not locked out.
    let mut fresh = context.start_session_for(&tenant, &options).await?;
    context.submit_right(&mut fresh).await?;
    Ok(())
}

async fn not_reset(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    // Malformed calls for the session. A server may count a malformed code as a wrong one, but must not reset the counter.
    let session = context.start_session(&attempts(3)).await?;
    let issued = session.issued.clone();
    let listed = body_with(context.contract, SESSION, "[]");
    for _ in 0..session.limit()? {
        let wrong = context.wrong_code(&issued.code);
        context.send(&context.call(&issued, SubmittedCode::plain(&wrong))).await?;
        let malformed = context.call(&issued, SubmittedCode::plain("!"));
        context.send(&malformed).await?;
        if code_in_body(context.contract) {
            for body in [listed.as_str(), "{\"cut short\": \""] {
                let mutation = RequestMutation { body: Some(Body::Text(body)), ..RequestMutation::default() };
                context.send(&VerifyCall { mutation, ..context.call(&issued, issued.right()) }).await?;
            }
        }
    }
    let response = context.send(&context.call(&issued, issued.right())).await?;
    context.expect_outcome(&response, &Allowed::refusals())?;

    let mut session = context.start_session(&attempts(3)).await?;
    for number in 0..session.limit()? {
        let address = format!("10.0.0.{}", number % 250 + 1);
        let agent = format!("agent/{number}");
        let forwarded = format!("for={address}");
        let headers = vec![
            ("x-forwarded-for", address.as_str()),
            ("x-real-ip", address.as_str()),
            ("client-ip", address.as_str()),
            ("true-client-ip", address.as_str()),
            ("forwarded", forwarded.as_str()),
            ("user-agent", agent.as_str()),
        ];
        let code = context.wrong_code(&session.issued.code);
        let mutation = RequestMutation { headers, ..RequestMutation::default() };
        context.submit(&mut session, CodeKind::Wrong, SubmittedCode::plain(&code), mutation).await?;
    }
    let fresh =
        RequestMutation { headers: vec![("x-forwarded-for", "10.0.1.1")], ..RequestMutation::default() };
    let issued = session.issued.clone();
    context.submit(&mut session, CodeKind::Right, issued.right(), fresh).await?;

    let mut session = context.start_session(&attempts(3)).await?;
    let code = context.wrong_code(&session.issued.code);
    let closing = || RequestMutation { headers: vec![("connection", "close")], ..RequestMutation::default() };
    for _ in 0..session.limit()? {
        context.submit(&mut session, CodeKind::Wrong, SubmittedCode::plain(&code), closing()).await?;
    }
    let issued = session.issued.clone();
    context.submit(&mut session, CodeKind::Right, issued.right(), closing()).await?;
    Ok(())
}

async fn not_forgotten(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let mut session = context.start_session(&attempts(3)).await?;
    let (ttl, limit) = (session.ttl()?, session.limit()?);
    if ttl < 4 {
        return Err(Abort::Skip("the lifetime in force is too short".to_owned()));
    }
    for _ in 1..limit {
        context.submit_wrong(&mut session).await?;
    }
    context.advance(&mut session, ttl / 2).await?;
    context.submit_wrong(&mut session).await?;
    context.advance(&mut session, ttl / 4).await?;
    context.submit_right(&mut session).await?;
    Ok(())
}

async fn resend(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let options = attempts(3);
    let mut first = context.start_session(&options).await?;
    let limit = first.rules.limit.filter(|limit| *limit <= MAX_ATTEMPTS_TRIED);
    for _ in 1..limit.unwrap_or(1) {
        context.submit_wrong(&mut first).await?;
    }
    let issued = context.resend(&first.issued, &options).await?;
    let second = context.track(issued);
    // The recipient's earlier code no longer works, whether or not the session has a new id.
    let old = context.call(&first.issued, first.issued.right());
    let response = context.send(&old).await?;
    context.expect_no_approval(&response).map_err(|abort| abort.shown_by(Witness::Check))?;
    if limit.is_none() {
        return Ok(());
    }
    let code = context.wrong_code(&second.issued.code);
    let issued = second.issued.clone();
    context.send(&context.call(&issued, SubmittedCode::plain(&code))).await?;
    let response = context.send(&context.call(&issued, issued.right())).await?;
    context.expect_outcome(&response, &Allowed::refusals())
}
