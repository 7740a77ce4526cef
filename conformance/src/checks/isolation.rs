//! Separation of tenants: another tenant's session looks like one that does not exist, and a stranger's calls do not affect
//! it.

use otp_contract::{Outcome, Situation};

use super::probe::{Authority, Probe, always};
use super::{Area, indistinguishable, standards};
use crate::harness::{
    Abort, CheckContext, IssuedSession, MAX_ATTEMPTS_TRIED, RequestMutation, SubmittedCode, attempts,
};
use crate::oracle::{CodeKind, outcomes};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Isolation,
        name: "uniform-refusal",
        statement: "a session of another tenant gets the same response as one that does not exist, for every code",
        authority: Authority::Standard,
        standard: standards::ENUMERATION,
        applies: always,
        run: |context| Box::pin(uniform_refusal(context)),
    },
    Probe {
        area: Area::Isolation,
        name: "own-code",
        statement: "a code verifies the session for which it was issued, and no other session of the tenant",
        authority: Authority::Safety(Situation::WrongCode),
        standard: standards::BOUND,
        applies: always,
        run: |context| Box::pin(own_code(context)),
    },
    Probe {
        area: Area::Isolation,
        name: "no-cost",
        statement: "codes from a stranger, right or wrong, use up neither the owner's attempts nor the code",
        authority: Authority::Safety(Situation::ForeignSession),
        standard: standards::ISOLATION,
        applies: always,
        run: |context| Box::pin(no_cost(context)),
    },
];

async fn uniform_refusal(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let [owner, stranger] = context.two_tenants().await?;
    let session = context.start_session_for(&owner, &attempts(3)).await?;
    let wrong = context.wrong_code(&session.issued.code);
    let right = context.submit_as(&session, &stranger, session.issued.right()).await?;
    let wrong_code = context.submit_as(&session, &stranger, SubmittedCode::plain(&wrong)).await?;
    indistinguishable::expect(
        context,
        ("the right code for a foreign session", &right),
        ("a wrong one", &wrong_code),
    )?;
    // A document may allow a different response to a foreign session; then there is nothing to compare.
    if !outcomes(context.operation, &right).contains(&Outcome::UnknownSession) {
        return Ok(());
    }
    let mut unknown = IssuedSession { tenant: stranger, ..session.issued.clone() };
    let known = session.issued.session.session.clone();
    unknown.session.session = context.unknown_id(&known);
    let response = context.send(&context.call(&unknown, unknown.right())).await?;
    indistinguishable::expect_for_ids(
        context,
        ("a foreign session", &right, &known),
        ("an unknown one", &response, &unknown.session.session),
    )?;
    // A stranger must not learn what the owner has done with the session, either.
    let stranger = unknown.tenant;
    let mut used = context.start_session_for(&owner, &attempts(3)).await?;
    context.submit_right(&mut used).await?;
    let of_used = context.submit_as(&used, &stranger, used.issued.right()).await?;
    let id = used.issued.session.session.clone();
    indistinguishable::expect_for_ids(
        context,
        ("a foreign session", &right, &known),
        ("a used one", &of_used, &id),
    )?;
    let mut locked = context.start_session_for(&owner, &attempts(1)).await?;
    if let Ok(limit) = locked.limit() {
        for _ in 0..limit {
            context.submit_wrong(&mut locked).await?;
        }
        let of_locked = context.submit_as(&locked, &stranger, locked.issued.right()).await?;
        let id = locked.issued.session.session.clone();
        indistinguishable::expect_for_ids(
            context,
            ("a foreign session", &right, &known),
            ("a locked one", &of_locked, &id),
        )?;
    }
    Ok(())
}

async fn own_code(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let tenant = context.tenant().await?;
    let mut one = context.start_session_for(&tenant, &attempts(3)).await?;
    let mut other = context.start_session_for(&tenant, &attempts(3)).await?;
    if one.issued.code == other.issued.code {
        return Ok(());
    }
    let (code_of_one, code_of_other) = (one.issued.clone(), other.issued.clone());
    context.submit(&mut one, CodeKind::Wrong, code_of_other.right(), RequestMutation::default()).await?;
    context.submit(&mut other, CodeKind::Wrong, code_of_one.right(), RequestMutation::default()).await?;
    context.submit_right(&mut one).await?;
    context.submit_right(&mut other).await?;
    Ok(())
}

async fn no_cost(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let [owner, stranger] = context.two_tenants().await?;
    let mut session = context.start_session_for(&owner, &attempts(2)).await?;
    let submissions = session.rules.limit.unwrap_or(3).min(MAX_ATTEMPTS_TRIED) + 2;
    context.submit_as(&session, &stranger, session.issued.right()).await?;
    for _ in 0..submissions {
        let wrong = context.wrong_code(&session.issued.code);
        context.submit_as(&session, &stranger, SubmittedCode::plain(&wrong)).await?;
    }
    context.submit_as(&session, &stranger, session.issued.right()).await?;
    for _ in 0..session.spare_attempts().min(1) {
        context.submit_wrong(&mut session).await?;
    }
    context.submit_right(&mut session).await?;
    context.submit_as(&session, &stranger, session.issued.right()).await?;
    Ok(())
}
