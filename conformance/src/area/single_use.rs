//! Single use: what was approved once is not approved again, by whatever way one comes back.

use otp_contract::Situation;

use super::{Probe, alike, always, standard};
use crate::check::Area;
use crate::flow::attempts;
use crate::subject::{Bench, Stop};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::SingleUse,
        name: "alike",
        statement: "a used session answers the right and a wrong code alike",
        says: Some(Situation::AlreadyUsed),
        standard: standard::STATE,
        applies: always,
        run: |bench| Box::pin(used_alike(bench)),
    },
    Probe {
        area: Area::SingleUse,
        name: "stays-used",
        statement: "a used code is never approved again: not after wrong codes, and not when its lifetime is over",
        says: Some(Situation::AlreadyUsed),
        standard: standard::SINGLE_USE,
        applies: always,
        run: |bench| Box::pin(stays_used(bench)),
    },
];

async fn used_alike(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut live = bench.open(&attempts(5)).await?;
    bench.right(&mut live).await?;
    let wrong = bench.wrong(&mut live).await?;
    let right = bench.right(&mut live).await?;
    alike::demand(bench, "a wrong code", &wrong, "the right one", &right)
}

async fn stays_used(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut live = bench.open(&attempts(3)).await?;
    bench.right(&mut live).await?;
    for _ in 0..5 {
        bench.wrong(&mut live).await?;
        bench.right(&mut live).await?;
    }
    let ttl = live.rules.ttl.unwrap_or(0);
    for seconds in [2, ttl / 2, ttl / 2 + 1, 3_000] {
        bench.pass(&mut live, seconds).await?;
        bench.right(&mut live).await?;
    }
    Ok(())
}
