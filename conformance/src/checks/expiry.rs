//! The lifetime of a code: it ends on time, for every code, and nothing extends it.

use otp_contract::Situation;

use super::probe::{Authority, Probe, always};
use super::{Area, indistinguishable, standards};
use crate::harness::{Abort, CheckContext, SessionOptions, attempts};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Expiry,
        name: "boundary",
        statement: "a code verifies shortly before the end of its lifetime, and not a second after it",
        authority: Authority::Safety(Situation::Expired),
        standard: standards::LIFETIME,
        applies: always,
        run: |context| Box::pin(boundary(context)),
    },
    Probe {
        area: Area::Expiry,
        name: "not-extended",
        statement: "wrong codes do not extend a code's lifetime",
        authority: Authority::Safety(Situation::Expired),
        standard: standards::LIFETIME,
        applies: always,
        run: |context| Box::pin(not_extended(context)),
    },
    Probe {
        area: Area::Expiry,
        name: "uniform-refusal",
        statement: "an expired session gives the right and a wrong code the same response",
        authority: Authority::Standard,
        standard: standards::STATE,
        applies: always,
        run: |context| Box::pin(uniform_refusal(context)),
    },
];

/// How many seconds before the end of its lifetime a code is submitted; the calls take less time than that.
const MARGIN_SECONDS: u64 = 5;

async fn boundary(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let mut session = context.start_session(&SessionOptions::default()).await?;
    let ttl = session.ttl()?;
    if ttl > 2 * MARGIN_SECONDS {
        context.advance(&mut session, ttl - MARGIN_SECONDS).await?;
        context.submit_right(&mut session).await?;
    }
    for late in [0, 1, 7, 60, 3_000] {
        let mut session = context.start_session(&SessionOptions::default()).await?;
        let ttl = session.ttl()?;
        context.advance(&mut session, ttl + late).await?;
        context.submit_right(&mut session).await?;
        context.submit_right(&mut session).await?;
    }
    Ok(())
}

async fn not_extended(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let mut session = context.start_session(&attempts(5)).await?;
    let ttl = session.ttl()?;
    let mut left = ttl;
    let steps = u64::from(session.spare_attempts().min(3));
    if steps == 0 || ttl <= 4 * MARGIN_SECONDS {
        return Err(Abort::Skip(
            "the limit or the lifetime in force leaves no room for attempts before the end".to_owned(),
        ));
    }
    for _ in 0..steps {
        let step = (ttl - MARGIN_SECONDS) / steps;
        context.advance(&mut session, step).await?;
        left -= step;
        context.submit_wrong(&mut session).await?;
    }
    // The second after the lifetime belongs to the server.
    context.advance(&mut session, left + 1).await?;
    context.submit_right(&mut session).await?;
    Ok(())
}

async fn uniform_refusal(context: &mut CheckContext<'_>) -> Result<(), Abort> {
    let mut session = context.start_session(&attempts(5)).await?;
    let ttl = session.ttl()?;
    context.advance(&mut session, ttl + 1).await?;
    let wrong = context.submit_wrong(&mut session).await?;
    let right = context.submit_right(&mut session).await?;
    indistinguishable::expect(context, ("a wrong code", &wrong), ("the right one", &right))?;
    let wrong = context.submit_wrong(&mut session).await?;
    indistinguishable::expect(context, ("the right code", &right), ("a wrong one", &wrong))
}
