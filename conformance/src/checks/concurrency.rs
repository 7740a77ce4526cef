//! Many calls at the same time on one session, over open connections and, if there are several targets, over all of them.
//! A call without a response may or may not have been applied, and proves nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use otp_contract::{Outcome, Role, Situation};
use tokio::sync::Barrier;

use super::probe::{Authority, Probe, always};
use super::{Area, standards};
use crate::harness::{
    Abort, CheckContext, Credential, Masking, Planned, Step, SubmittedCode, TrackedSession, VerifyCall,
    attempts,
};
use crate::http::{HttpError, RawResponse};
use crate::oracle::{
    Allowed, Basis, CodeKind, Found, Input, Observation, ObservedCall, in_words, is_linearizable, limited,
    outcomes,
};

pub(super) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Concurrency,
        name: "single-use",
        statement: "of many calls with the right code at the same time, exactly one is approved",
        authority: Authority::Safety(Situation::AlreadyUsed),
        standard: standards::RACES,
        applies: always,
        run: |context| Box::pin(single_use(context)),
    },
    Probe {
        area: Area::Concurrency,
        name: "limit",
        statement: "of many wrong codes at the same time, no more than the limit are compared",
        authority: Authority::Safety(Situation::AttemptsExhausted),
        standard: standards::PARALLEL,
        applies: always,
        run: |context| Box::pin(limit(context)),
    },
    Probe {
        area: Area::Concurrency,
        name: "mixed",
        statement: "right and wrong codes at the same time get responses that some sequential order explains",
        authority: Authority::Safety(Situation::AlreadyUsed),
        standard: standards::RACES,
        applies: always,
        run: |context| Box::pin(mixed(context)),
    },
];

/// How many calls a burst has.
const BURST_SIZE: usize = 16;

/// How many calls a burst has if its order is searched.
const MIXED_BURST_SIZE: usize = 10;

/// A call of a burst, when it was sent, and its response with the time of its arrival. Times are in nanoseconds.
struct BurstCall {
    kind: CodeKind,
    sent: u64,
    response: Option<(u64, RawResponse)>,
}

/// Sends one call for each code, all at the same time.
async fn burst(
    context: &mut CheckContext<'_>,
    session: &TrackedSession,
    codes: &[(CodeKind, SubmittedCode<'_>)],
) -> Result<Vec<BurstCall>, Abort> {
    let barrier = Arc::new(Barrier::new(codes.len()));
    let started = Instant::now();
    let targets = context.subject.targets.len();
    let mut running = Vec::new();
    for (index, (_, code)) in codes.iter().enumerate() {
        let target = context.subject.targets[index % targets].as_str();
        let request = context.call(&session.issued, *code).request(target, Masking::Nothing);
        let (client, barrier) = (Arc::clone(context.client), Arc::clone(&barrier));
        running.push(tokio::spawn(async move {
            barrier.wait().await;
            let sent = nanos_since(started);
            let response = client.send(&request).await.ok();
            (sent, response.map(|(response, _)| (nanos_since(started), response)))
        }));
    }
    context.requests += codes.len() as u64;
    let mut calls = Vec::new();
    let mut exchanges = Vec::new();
    for (index, (finished, (kind, code))) in running.into_iter().zip(codes).enumerate() {
        let (sent, response) = finished.await.unwrap_or((0, None));
        if let Some((_, response)) = &response {
            let call = context.call(&session.issued, *code);
            exchanges.push(context.masked(&call, &context.subject.targets[index % targets], response));
        }
        calls.push(BurstCall { kind: *kind, sent, response });
    }
    context.plan.push(Planned::Opaque);
    context.recording.steps.push(Step::Burst(exchanges));
    let mut responses = calls.iter().filter_map(|call| call.response.as_ref());
    if let Some(reason) = responses.find_map(|(_, response)| limited(context.operation, response)) {
        let target = context.subject.targets.first().map_or("", String::as_str);
        return Err(Abort::Error(format!("{target}: {}", HttpError::Limited(reason))));
    }
    let lost = calls.iter().filter(|call| call.response.is_none()).count();
    match lost * 2 > calls.len() {
        true => Err(Abort::ConnectionLost(format!(
            "{lost} of {} calls at the same time got no response",
            calls.len()
        ))),
        false => Ok(calls),
    }
}

fn nanos_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Opens as many connections as a burst needs, with calls on a session that is not used otherwise.
async fn open_connections(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    if context.client.pace().is_spaced() {
        return Err(Abort::Skip(
            "--rate spaces requests, and this check needs many at the same time".to_owned(),
        ));
    }
    let session = context.start_session(&attempts(3)).await?;
    let targets = context.subject.targets.clone();
    let mut running = Vec::new();
    for target in &targets {
        for _ in 0..BURST_SIZE.div_ceil(targets.len()) {
            let call = VerifyCall {
                credential: Credential::Missing,
                ..context.call(&session.issued, session.issued.right())
            };
            let request = call.request(target, Masking::Nothing);
            let client = Arc::clone(context.client);
            running.push(tokio::spawn(async move { client.send(&request).await.is_ok() }));
        }
    }
    context.requests += running.len() as u64;
    for finished in running {
        let _ = finished.await;
    }
    context.reset_recording();
    Ok(())
}

async fn single_use(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    open_connections(context).await?;
    let bursts = context.effort.bursts;
    let numbers = (1..=bursts).collect();
    context.for_each(numbers, |context, number| Box::pin(single_use_burst(context, number))).await?;
    context.note = Some(format!("no race was observed in {bursts} bursts of {BURST_SIZE}"));
    Ok(())
}

async fn single_use_burst(context: &mut CheckContext<'_>, number: u32) -> Result<(), Abort> {
    let tenant = context.first_tenant().await?;
    let bursts = context.effort.bursts;
    let session = context.start_session_for(&tenant, &attempts(10)).await?;
    let codes = vec![(CodeKind::Right, session.issued.right()); BURST_SIZE];
    let calls = burst(context, &session, &codes).await?;
    let mut approved = 0;
    let mut lost = 0;
    for call in &calls {
        match &call.response {
            None => lost += 1,
            Some((_, response)) if response.status >= 500 => {
                let actual = format!("HTTP {}", response.status);
                let deviation = context.deviation("a status below 500 for each call", actual);
                return Err(deviation.because_of(Basis::Standard, None));
            }
            Some((_, response)) => {
                let meanings = outcomes(context.operation, response);
                approved += usize::from(meanings.len() == 1 && meanings.contains(&Outcome::Approved));
            }
        }
    }
    if approved > 1 || (approved == 0 && lost == 0) {
        let deviation = context.deviation(
            format!("1 approval for {BURST_SIZE} calls at the same time"),
            format!("{approved} approvals in burst {number} of {bursts}"),
        );
        if approved > 1 {
            let again = Observation::instead_of(Outcome::AlreadyUsed, Outcome::Approved);
            return Err(deviation.exceeding(1).observing(again));
        }
        let first = calls.iter().find_map(|call| call.response.as_ref());
        return Err(match first {
            Some((_, response)) => deviation.observing(Observation::Meaning {
                allowed: BTreeSet::from([Outcome::Approved]),
                found: Found::new(&outcomes(context.operation, response), response.status),
            }),
            None => deviation,
        });
    }
    context.forget_sessions();
    Ok(())
}

async fn limit(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    open_connections(context).await?;
    let bursts = context.effort.bursts;
    let numbers = (1..=bursts).collect();
    context.for_each(numbers, |context, number| Box::pin(limit_burst(context, number))).await?;
    context.note = Some(format!("no race was observed in {bursts} bursts of {BURST_SIZE}"));
    Ok(())
}

async fn limit_burst(context: &mut CheckContext<'_>, number: u32) -> Result<(), Abort> {
    let tenant = context.first_tenant().await?;
    let bursts = context.effort.bursts;
    let session = context.start_session_for(&tenant, &attempts(5)).await?;
    let limit = session.limit()? as usize;
    if limit >= BURST_SIZE {
        return Err(Abort::Skip(format!(
            "the limit in force, {limit}, is not below the {BURST_SIZE} calls of a burst"
        )));
    }
    let wrong = context.wrong_codes(&session.issued.code, BURST_SIZE);
    let codes: Vec<_> = wrong.iter().map(|code| (CodeKind::Wrong, SubmittedCode::plain(code))).collect();
    let calls = burst(context, &session, &codes).await?;
    let responses: Vec<_> = calls.iter().filter_map(|call| call.response.as_ref()).collect();
    let compared = responses
        .iter()
        .filter(|(_, response)| {
            let meanings = outcomes(context.operation, response);
            meanings.contains(&Outcome::WrongCode) && !meanings.contains(&Outcome::AttemptsExhausted)
        })
        .count();
    if compared > limit {
        let deviation = context.deviation(
            format!("at most {limit} of {BURST_SIZE} wrong codes at the same time compared"),
            format!("{compared} compared in burst {number} of {bursts}"),
        );
        let compared = Observation::instead_of(Outcome::AttemptsExhausted, Outcome::WrongCode);
        return Err(deviation.exceeding(limit).observing(compared));
    }
    if responses.len() >= limit {
        let response = context.send(&context.call(&session.issued, session.issued.right())).await?;
        context.expect_outcome(&response, &Allowed::refusals())?;
    }
    context.forget_sessions();
    Ok(())
}

/// What a response may mean; an undocumented 4xx is a refusal like any other.
fn meanings(context: &CheckContext<'_>, response: &RawResponse) -> BTreeSet<Outcome> {
    let documented = outcomes(context.operation, response);
    if documented.is_empty() && (400..500).contains(&response.status) {
        return BTreeSet::from([Outcome::InvalidRequest]);
    }
    documented
}

/// The same call with every kind of refusal, if it was refused without a comparison of the code. A compared code keeps its
/// meaning, because it counts against the limit.
fn with_any_refusal(call: ObservedCall) -> ObservedCall {
    let widened = |(at, outcomes): (u64, BTreeSet<Outcome>)| {
        if outcomes.contains(&Outcome::Approved) || outcomes == BTreeSet::from([Outcome::WrongCode]) {
            return (at, outcomes);
        }
        let refusals =
            Role::Verify.outcomes().iter().copied().filter(|outcome| *outcome != Outcome::Approved);
        (at, refusals.collect())
    };
    let response = call.response.map(widened);
    ObservedCall { response, ..call }
}

async fn mixed(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    open_connections(context).await?;
    let bursts = context.effort.bursts;
    let numbers = (1..=bursts).collect();
    context.for_each(numbers, |context, _| Box::pin(mixed_burst(context))).await?;
    let bursts = context.effort.bursts;
    context.note = Some(format!("no race was observed in {bursts} bursts of {MIXED_BURST_SIZE}"));
    Ok(())
}

/// What a burst shows that a sequence of calls would show too: a code that is approved twice, or more wrong codes compared than
/// the limit allows.
fn more_than_allowed(session: &TrackedSession, observed: &[ObservedCall]) -> Option<Observation> {
    let count = |outcome: Outcome| {
        let only = BTreeSet::from([outcome]);
        observed.iter().filter(|call| call.response.as_ref().is_some_and(|(_, found)| *found == only)).count()
    };
    if count(Outcome::Approved) > 1 {
        return Some(Observation::instead_of(Outcome::AlreadyUsed, Outcome::Approved));
    }
    let limit = session.rules.limit.and_then(|limit| usize::try_from(limit).ok());
    let exceeded = limit.is_some_and(|limit| count(Outcome::WrongCode) > limit);
    exceeded.then(|| Observation::instead_of(Outcome::AttemptsExhausted, Outcome::WrongCode))
}

async fn mixed_burst(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let tenant = context.first_tenant().await?;
    let session = context.start_session_for(&tenant, &attempts(3)).await?;
    let wrong = context.wrong_codes(&session.issued.code, MIXED_BURST_SIZE);
    let mut codes: Vec<_> = wrong.iter().map(|code| (CodeKind::Wrong, SubmittedCode::plain(code))).collect();
    for _ in 0..2 {
        let place = context.random.usize(0..codes.len());
        codes[place] = (CodeKind::Right, session.issued.right());
    }
    let observed: Vec<_> = burst(context, &session, &codes)
        .await?
        .iter()
        .map(|call| ObservedCall {
            input: Input { code: call.kind, foreign: false, retry: context.retries() },
            sent: call.sent,
            response: call.response.as_ref().map(|(at, response)| (*at, meanings(context, response))),
        })
        .collect();
    if !is_linearizable(&session.rules, &session.states, &observed) {
        let calls: Vec<_> = observed
            .iter()
            .map(|call| {
                let meaning = call.response.as_ref().map(|(_, outcomes)| in_words(outcomes));
                let meaning = meaning.unwrap_or_else(|| "no response".to_owned());
                format!("{:?}: {meaning}", call.input.code).to_lowercase()
            })
            .fold(BTreeMap::<String, usize>::new(), |mut counts, call| {
                *counts.entry(call).or_default() += 1;
                counts
            })
            .into_iter()
            .map(|(call, count)| format!("{count} × {call}"))
            .collect();
        let deviation = context.deviation(
            "responses that some order of the calls explains",
            format!("no order explains {}", calls.join("; ")),
        );
        let deviation = match more_than_allowed(&session, &observed) {
            Some(observation) => deviation.observing(observation),
            None => deviation,
        };
        // If some order explains which codes were approved and which were compared, only the kinds of refusals are
        // wrong.
        let relaxed: Vec<_> = observed.into_iter().map(with_any_refusal).collect();
        return Err(match is_linearizable(&session.rules, &session.states, &relaxed) {
            true => deviation.because_of(Basis::Inferred, None),
            false => deviation,
        });
    }
    context.forget_sessions();
    Ok(())
}
