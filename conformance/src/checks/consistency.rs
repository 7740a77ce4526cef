//! Every response in the life of sessions, not only the first of its kind. Finds defects that show only now and then, only
//! later, or only through another session.

use otp_contract::{Cell, Matching, Outcome, Situation};

use super::probe::{Authority, Probe, always};
use super::{Area, standards};
use crate::harness::{
    Abort, CheckContext, RequestMutation, SessionOptions, SubmittedCode, TrackedSession, VerifyCall, Witness,
    attempts,
};
use crate::oracle::{
    CodeKind, Input, Judgement, Observation, basis_of_response, cells_with_outcome, judge, outcomes,
    signals_agree,
};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Consistency,
        name: "walk",
        statement: "every response during the life of a session is a documented one, from the status to the last member",
        authority: Authority::Page(Situation::Approved),
        standard: standards::CONSISTENT,
        applies: always,
        run: |context| Box::pin(walk(context)),
    },
    Probe {
        area: Area::Consistency,
        name: "wording",
        statement: "every response has the documented wording",
        authority: Authority::Standard,
        standard: standards::CONSISTENT,
        applies: |contract| {
            contract
                .verify()
                .cells
                .iter()
                .any(|cell| cell.members.iter().any(|member| member.rule.matching == Matching::Text))
        },
        run: |context| Box::pin(wording(context)),
    },
];

/// How many rounds of sessions there are. With [`CALLS_AFTER_END`], a defect in every third response goes unnoticed in one
/// of a hundred thousand runs.
const ROUNDS: usize = 5;

/// How many calls each session gets after it has ended.
const CALLS_AFTER_END: usize = 6;

/// How many sessions get only the right code.
const APPROVED_SESSIONS: usize = 24;

/// A part of the walk, with sessions of its own.
#[derive(Clone, Copy)]
enum Stretch {
    /// Sessions that end in every way.
    Round(usize),
    /// A session that gets only the right code.
    Approved,
}

async fn walk(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let rounds = (0..ROUNDS).map(Stretch::Round);
    let stretches = rounds.chain([Stretch::Approved; APPROVED_SESSIONS]).collect();
    let walked = context.for_each(stretches, |context, stretch| {
        Box::pin(async move {
            match stretch {
                Stretch::Round(number) => round(context, number).await,
                Stretch::Approved => approved(context).await,
            }
        })
    });
    walked.await?;
    Ok(())
}

async fn approved(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    context.forget_sessions();
    let tenant = context.first_tenant().await?;
    let mut session = context.start_session_for(&tenant, &SessionOptions::default()).await?;
    step(context, &mut session, CodeKind::Right).await
}

async fn round(context: &mut CheckContext<'_>, number: usize) -> Result<(), Abort> {
    context.forget_sessions();
    let tenant = context.first_tenant().await?;
    let options = if number.is_multiple_of(2) { attempts(3) } else { SessionOptions::default() };
    let mut used = context.start_session_for(&tenant, &options).await?;
    for _ in 0..used.spare_attempts().min(2) {
        step(context, &mut used, CodeKind::Wrong).await?;
    }
    for _ in 0..=CALLS_AFTER_END {
        step(context, &mut used, CodeKind::Right).await?;
    }
    let mut locked = context.start_session_for(&tenant, &attempts(2)).await?;
    if let Ok(limit) = locked.limit()
        && limit <= 10
    {
        for _ in 0..limit {
            step(context, &mut locked, CodeKind::Wrong).await?;
        }
        for _ in 0..CALLS_AFTER_END / 2 {
            step(context, &mut locked, CodeKind::Wrong).await?;
            step(context, &mut locked, CodeKind::Right).await?;
        }
    }
    // Almost to the limit, and then the right code.
    let mut late = context.start_session_for(&tenant, &attempts(6)).await?;
    for _ in 0..late.spare_attempts().min(6) {
        step(context, &mut late, CodeKind::Wrong).await?;
    }
    step(context, &mut late, CodeKind::Right).await?;
    step(context, &mut late, CodeKind::Right).await?;
    // A session that ended before its lifetime has two reasons to refuse afterwards.
    for over in [&mut used, &mut locked] {
        if let Ok(ttl) = over.ttl() {
            context.advance(over, ttl + 1).await?;
            for _ in 0..CALLS_AFTER_END / 2 {
                step(context, over, CodeKind::Wrong).await?;
                step(context, over, CodeKind::Right).await?;
            }
        }
    }
    let mut expired = context.start_session_for(&tenant, &options).await?;
    if let Ok(ttl) = expired.ttl() {
        context.advance(&mut expired, ttl + 1).await?;
        for _ in 0..CALLS_AFTER_END / 2 {
            step(context, &mut expired, CodeKind::Wrong).await?;
            step(context, &mut expired, CodeKind::Right).await?;
        }
    }
    Ok(())
}

/// One call whose response must be a complete cell that the model allows.
async fn step(
    context: &mut CheckContext<'_>,
    session: &mut TrackedSession,
    kind: CodeKind,
) -> Result<(), Abort> {
    let input = Input { code: kind, foreign: false, retry: context.retries() };
    let allowed = session.states.allowed(&session.rules, input);
    let issued = session.issued.clone();
    let wrong = context.wrong_code(&issued.code);
    let code = match kind {
        CodeKind::Right => issued.right(),
        _ => SubmittedCode::plain(&wrong),
    };
    let response = context.submit(session, kind, code, RequestMutation::default()).await?;
    let call: VerifyCall<'_> = context.call(&issued, code);
    let mut outcomes = allowed.outcomes.clone();
    if allowed.any_refusal {
        let refusals = context.operation.cells.iter().map(|cell| cell.outcome);
        outcomes.extend(refusals.filter(|outcome| *outcome != Outcome::Approved));
    }
    let all = cells_with_outcome(context.operation, &outcomes);
    let has_own =
        |cell: &Cell| all.iter().any(|other| other.situations == cell.situations && other.mode.is_some());
    let cells: Vec<_> = all.iter().copied().filter(|cell| cell.mode.is_some() || !has_own(cell)).collect();
    // The model has already compared a refusal that the document leaves open.
    let documented = cells.iter().any(|cell| cell.status.matches(response.status));
    if cells.is_empty() || (allowed.any_refusal && !documented) {
        return Ok(());
    }
    let mut expectation = context.expectation(cells, &call);
    let wrong = session.states.wrong();
    if allowed.outcomes.contains(&Outcome::WrongCode) {
        expectation.remaining_attempts =
            session.rules.limit.zip(wrong).map(|(limit, wrong)| limit.saturating_sub(wrong));
    }
    match judge(&expectation, &response) {
        Some(Judgement::Differs(closest, differences)) => {
            let situations: Vec<_> =
                outcomes.iter().flat_map(|outcome| outcome.usual_situations()).copied().collect();
            let (basis, source) = basis_of_response(&expectation, &situations, &response);
            let deviation = context.deviation_with(
                expectation.describe(closest),
                context.recording.last_response(),
                differences.clone(),
            );
            let deviation = deviation.because_of(basis, source);
            if response.status >= 500 {
                return Err(deviation);
            }
            let observation = Observation::of_differences(outcomes, &differences);
            Err(deviation.observing(observation).shown_by(Witness::Places(differences)))
        }
        _ => Ok(()),
    }
}

/// The texts for people. A server may deviate from them without misleading a client.
async fn wording(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    // Only the wording matters here; other checks compare the outcomes.
    let mut responses = Vec::new();
    let used = context.start_session(&attempts(3)).await?.issued;
    let wrong = context.wrong_code(&used.code);
    for code in [SubmittedCode::plain(&wrong), used.right(), used.right()] {
        responses.push(context.send(&context.call(&used, code)).await?);
    }
    let locked = context.start_session(&attempts(2)).await?;
    for _ in 0..=locked.rules.limit.unwrap_or(0).min(10) {
        let wrong = context.wrong_code(&locked.issued.code);
        responses.push(context.send(&context.call(&locked.issued, SubmittedCode::plain(&wrong))).await?);
    }
    let mut expired = context.start_session(&attempts(3)).await?;
    if let Ok(ttl) = expired.ttl() {
        context.advance(&mut expired, ttl + 1).await?;
        responses.push(context.send(&context.call(&expired.issued, expired.issued.right())).await?);
    }
    for response in responses {
        let meanings = outcomes(context.operation, &response);
        let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let matching: Vec<_> = cells_with_outcome(context.operation, &meanings)
            .into_iter()
            .filter(|cell| {
                cell.status.matches(response.status) && cell.body_specified && signals_agree(cell, &body)
            })
            .collect();
        let deviating = |cell: &&Cell| {
            cell.members
                .iter()
                .filter(|member| member.rule.matching == Matching::Text)
                .find(|member| body.pointer(&member.pointer).is_some_and(|text| *text != member.example))
                .cloned()
        };
        let Some(first) = matching.first() else { continue };
        if matching.iter().all(|cell| deviating(cell).is_some())
            && let Some(member) = deviating(first)
        {
            return Err(context.deviation(
                format!("{} at {} ({})", member.example, member.pointer, first.name),
                format!("{}", body.pointer(&member.pointer).unwrap_or_default()),
            ));
        }
    }
    Ok(())
}
