//! Single use: a code that was approved is never approved again.

use otp_contract::Situation;

use super::probe::{Authority, Probe, always};
use super::{Area, indistinguishable, standards};
use crate::harness::{Abort, CheckContext, SubmittedCode, Witness, attempts};
use crate::oracle::{CodeKind, Input};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::SingleUse,
        name: "uniform-refusal",
        statement: "a used session gives the right and a wrong code the same response",
        authority: Authority::Standard,
        standard: standards::STATE,
        applies: always,
        run: |context| Box::pin(uniform_refusal(context)),
    },
    Probe {
        area: Area::SingleUse,
        name: "stays-used",
        statement: "a used code is never approved again, neither after wrong codes nor after its lifetime",
        authority: Authority::Safety(Situation::AlreadyUsed),
        standard: standards::SINGLE_USE,
        applies: always,
        run: |context| Box::pin(stays_used(context)),
    },
];

async fn uniform_refusal(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let mut session = context.start_session(&attempts(5)).await?;
    context.submit_right(&mut session).await?;
    let wrong = context.submit_wrong(&mut session).await?;
    let right = context.submit_right(&mut session).await?;
    indistinguishable::expect(context, ("a wrong code", &wrong), ("the right one", &right))
}

async fn stays_used(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let mut session = context.start_session(&attempts(3)).await?;
    context.submit_right(&mut session).await?;
    // A server that ignores white space around a code must not take the code for another one.
    let issued = session.issued.clone();
    for (before, after) in [(" ", ""), ("", " ")] {
        let text = format!("{before}{}{after}", issued.code);
        let shown = format!("{before}{}{after}", issued.shown);
        let call = context.call(&issued, SubmittedCode { text: &text, shown: &shown });
        let response = context.send(&call).await?;
        // On a session that is not used, a server may read such a code as the right one.
        context.expect_no_approval(&response).map_err(|abort| abort.shown_by(Witness::Check))?;
        let malformed = Input { code: CodeKind::Malformed, foreign: false, retry: context.retries() };
        session.states.maybe(&session.rules, malformed);
    }
    for _ in 0..5 {
        context.submit_wrong(&mut session).await?;
        context.submit_right(&mut session).await?;
    }
    let ttl = session.rules.ttl.unwrap_or(0);
    for seconds in [2, ttl / 2, ttl / 2 + 1, 3_000] {
        context.advance(&mut session, seconds).await?;
        context.submit_right(&mut session).await?;
    }
    Ok(())
}
