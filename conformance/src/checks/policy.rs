//! The parts of the policy that a verify call may set: a request may tighten the server's limits, but never loosen them.

use otp_contract::{Contract, Situation, ValueKind};

use super::probe::{Authority, PolicyNumber, Probe};
use super::{Area, standards};
use crate::harness::{
    Abort, CheckContext, IssuedSession, RequestMutation, SessionOptions, SubmittedCode, TrackedSession,
    VerifyCall, attempts,
};
use crate::oracle::Allowed;

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Policy,
        name: "default-lifetime",
        statement: "a session without wishes has the documented lifetime",
        authority: Authority::Number(PolicyNumber::Lifetime),
        standard: standards::LIFETIME,
        applies: |contract| contract.policy.lifetime.backing.is_documented(),
        run: |context| Box::pin(default_lifetime(context)),
    },
    Probe {
        area: Area::Policy,
        name: "default-limit",
        statement: "a session without wishes has the documented limit of attempts",
        authority: Authority::Number(PolicyNumber::Attempts),
        standard: standards::LIMIT,
        applies: |contract| {
            contract.policy.attempts.as_ref().is_some_and(|limit| limit.backing.is_documented())
        },
        run: |context| Box::pin(default_limit(context)),
    },
    Probe {
        area: Area::Policy,
        name: "retry",
        statement: "a code that one wrong code invalidated stays invalid if a later call allows further attempts",
        authority: Authority::Safety(Situation::AttemptsExhausted),
        standard: standards::POLICY,
        applies: |contract| contract.policy.overrides.retry.is_some(),
        run: |context| Box::pin(retry(context)),
    },
    Probe {
        area: Area::Policy,
        name: "limit",
        statement: "a locked session stays locked if a call asks for more attempts",
        authority: Authority::Safety(Situation::AttemptsExhausted),
        standard: standards::POLICY,
        applies: |contract| contract.policy.overrides.limit.is_some(),
        run: |context| Box::pin(limit(context)),
    },
    Probe {
        area: Area::Policy,
        name: "lifetime",
        statement: "an expired code stays expired if a call asks for a longer lifetime",
        authority: Authority::Safety(Situation::Expired),
        standard: standards::POLICY,
        applies: |contract| contract.policy.overrides.lifetime_minutes.is_some(),
        run: |context| Box::pin(lifetime(context)),
    },
    Probe {
        area: Area::Policy,
        name: "lockout",
        statement: "a call during a lockout does not extend it, the reported seconds count down, and Retry-After agrees",
        authority: Authority::Standard,
        standard: standards::LIMIT,
        applies: |contract| contract.policy.lockout_seconds.is_some(),
        run: |context| Box::pin(lockout(context)),
    },
];

/// The maximum of an integer parameter.
fn maximum(contract: &Contract, name: &str) -> Option<i64> {
    let parameter = contract.verify().parameter(name)?;
    match parameter.kind {
        ValueKind::Integer { max, .. } => Some(max),
        _ => None,
    }
}

/// The call with the right code and an additional part of the query.
fn call_with_query<'c, 'a: 'c>(
    context: &CheckContext<'a>,
    issued: &'c IssuedSession,
    query: &'c str,
) -> VerifyCall<'c> {
    VerifyCall {
        mutation: RequestMutation { query: Some(query), ..RequestMutation::default() },
        lifetime_minutes: None,
        ..context.call_with_retry(issued, issued.right(), true)
    }
}

/// The numbers that hold without wishes. Other checks show that a session keeps to the numbers that the control states.
async fn default_lifetime(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    context.require_control("what a session without wishes is like")?;
    let documented = context.contract.policy.lifetime.seconds;
    let issued = context.issue(&SessionOptions::default()).await?;
    match issued.session.ttl_seconds {
        Some(stated) if stated == documented => Ok(()),
        stated => Err(context.deviation(
            format!("a lifetime of {documented} seconds"),
            stated.map_or_else(|| "no end of the lifetime".to_owned(), |stated| format!("{stated} seconds")),
        )),
    }
}

async fn default_limit(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let Some(documented) = context.contract.policy.attempts.as_ref().map(|limit| limit.limit) else {
        return Ok(());
    };
    context.require_control("what a session without wishes is like")?;
    let issued = context.issue(&SessionOptions::default()).await?;
    match issued.session.max_attempts {
        Some(stated) if stated == documented => Ok(()),
        stated => Err(context.deviation(
            format!("a limit of {documented} wrong codes"),
            stated.map_or_else(|| "no limit".to_owned(), |stated| format!("{stated} wrong codes")),
        )),
    }
}

async fn retry(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let session = context.start_session(&attempts(5)).await?;
    let wrong = context.wrong_code(&session.issued.code);
    let issued = session.issued.clone();
    let response =
        context.send(&context.call_with_retry(&issued, SubmittedCode::plain(&wrong), false)).await?;
    context.expect_outcome(&response, &Allowed::refusals())?;
    for retry in [true, false, true] {
        let response = context.send(&context.call_with_retry(&issued, issued.right(), retry)).await?;
        context.expect_outcome(&response, &Allowed::refusals())?;
    }
    // An explicit refusal of further attempts, a number of attempts without that permission, and an earlier call's
    // permission must not make a difference.
    let overrides = &context.contract.policy.overrides;
    let forbidden = overrides.retry.as_ref().map(|name| (false, format!("{name}=false")));
    let most = |name: &String| maximum(context.contract, name).unwrap_or(10);
    let counted = overrides.limit.as_ref().map(|name| (false, format!("{name}={}", most(name))));
    let earlier = Some((true, String::new()));
    for (before, query) in [forbidden, counted, earlier].into_iter().flatten() {
        let issued = context.start_session(&attempts(5)).await?.issued;
        for retry in [before.then_some(true), Some(false)].into_iter().flatten() {
            let wrong = context.wrong_code(&issued.code);
            let mutation = RequestMutation {
                query: (!query.is_empty()).then_some(&query),
                ..RequestMutation::default()
            };
            let call = VerifyCall {
                mutation,
                ..context.call_with_retry(&issued, SubmittedCode::plain(&wrong), retry)
            };
            context.send(&call).await?;
        }
        let response = context.send(&context.call_with_retry(&issued, issued.right(), true)).await?;
        context.expect_outcome(&response, &Allowed::refusals())?;
    }
    Ok(())
}

async fn limit(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let Some(name) = &context.contract.policy.overrides.limit else { return Ok(()) };
    let query = format!("{name}={}", maximum(context.contract, name).unwrap_or(10));
    let mut session = context.start_session(&attempts(2)).await?;
    for _ in 0..session.limit()? {
        context.submit_wrong(&mut session).await?;
    }
    let issued = session.issued.clone();
    let response = context.send(&call_with_query(context, &issued, &query)).await?;
    context.expect_outcome(&response, &Allowed::refusals())?;
    // A lock applies to every way of calling.
    let response = context.send(&context.call_with_retry(&issued, issued.right(), false)).await?;
    context.expect_outcome(&response, &Allowed::refusals())?;
    context.submit_right(&mut session).await?;

    // A server may refuse, clamp or ignore a value above the maximum, but must not allow more attempts than the maximum.
    let most = maximum(context.contract, name).unwrap_or(10);
    let query = format!("{name}={}", most.saturating_mul(10));
    let issued = context.start_session(&attempts(2)).await?.issued;
    for _ in 0..=most {
        let wrong = context.wrong_code(&issued.code);
        let mutation = RequestMutation { query: Some(&query), ..RequestMutation::default() };
        let call =
            VerifyCall { mutation, ..context.call_with_retry(&issued, SubmittedCode::plain(&wrong), true) };
        context.send(&call).await?;
    }
    let response = context.send(&call_with_query(context, &issued, &query)).await?;
    context.expect_outcome(&response, &Allowed::refusals())
}

async fn lifetime(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let Some(name) = &context.contract.policy.overrides.lifetime_minutes else { return Ok(()) };
    let query = format!("{name}={}", maximum(context.contract, name).unwrap_or(60));
    let mut session =
        context.start_session(&SessionOptions { ttl_seconds: Some(180), ..attempts(5) }).await?;
    let ttl = session.ttl()?;
    context.advance(&mut session, ttl + 1).await?;
    let issued = session.issued.clone();
    let response = context.send(&call_with_query(context, &issued, &query)).await?;
    context.expect_outcome(&response, &Allowed::refusals())?;

    // The same if an earlier call asked for it.
    let mut session =
        context.start_session(&SessionOptions { ttl_seconds: Some(180), ..attempts(5) }).await?;
    let issued = session.issued.clone();
    let wrong = context.wrong_code(&issued.code);
    let asking = call_with_query(context, &issued, &query);
    let code = asking.code.map(|_| SubmittedCode::plain(&wrong));
    context.send(&VerifyCall { code, ..asking }).await?;
    let ttl = session.ttl()?;
    context.advance(&mut session, ttl + 1).await?;
    let response = context.send(&context.call_with_retry(&issued, issued.right(), true)).await?;
    context.expect_outcome(&response, &Allowed::refusals())
}

async fn lockout(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let Some(seconds) = context.contract.policy.lockout_seconds else { return Ok(()) };
    let mut session = context.start_session(&attempts(1)).await?;
    for _ in 0..session.limit()? {
        context.submit_wrong(&mut session).await?;
    }
    let first = reported_seconds(context, &mut session).await?;
    let step = seconds / 4;
    context.advance(&mut session, step).await?;
    let second = reported_seconds(context, &mut session).await?;
    context.advance(&mut session, step).await?;
    let third = reported_seconds(context, &mut session).await?;
    // A server may lock for another time than the document's example, but the reported seconds must count down.
    for (before, after) in [(first, second), (second, third)] {
        if let (Some(before), Some(after)) = (before, after)
            && before > step
            && after + step > before + 5
        {
            return Err(context.deviation(
                format!("at most {} seconds of lockout left", before - step),
                format!("{after} seconds"),
            ));
        }
    }
    Ok(())
}

/// The remaining seconds of lockout that a call reports, if it reports any.
async fn reported_seconds(
    context: &mut CheckContext<'_>,
    session: &mut TrackedSession,
) -> Result<Option<u64>, Abort> {
    let response = context.submit_right(session).await?;
    let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let members = context.operation.cells.iter().flat_map(|cell| &cell.members);
    let pointer = members
        .filter(|member| {
            member.rule.matching == otp_contract::Matching::State(otp_contract::StateValue::LockoutSeconds)
        })
        .map(|member| member.pointer.as_str())
        .next();
    let reported = pointer.and_then(|pointer| body.pointer(pointer)).and_then(serde_json::Value::as_u64);
    // Retry-After is a number of seconds or a date (RFC 9110 §10.2.3). A date is not compared with any clock.
    let header = response.headers.get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    if let Some(header) = header {
        let is_date = header.ends_with(" GMT");
        let agrees = header
            .parse::<u64>()
            .is_ok_and(|seconds| reported.is_none_or(|reported| seconds.abs_diff(reported) <= 2));
        if !is_date && !agrees {
            let expected = reported
                .map_or_else(|| "a number of seconds".to_owned(), |reported| format!("{reported} seconds"));
            return Err(
                context.deviation(format!("Retry-After of {expected}"), format!("Retry-After: {header}"))
            );
        }
    }
    Ok(reported)
}
