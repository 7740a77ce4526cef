//! The lifetime of a code: it ends when it is said to, for every code, and nothing prolongs it.

use otp_contract::Situation;

use super::{Probe, alike, always, standard};
use crate::check::Area;
use crate::control::Wish;
use crate::flow::attempts;
use crate::subject::{Bench, Stop};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Expiry,
        name: "boundary",
        statement: "a code verifies shortly before the end of its lifetime, and not at or after it",
        says: Some(Situation::Expired),
        standard: standard::LIFETIME,
        applies: always,
        run: |bench| Box::pin(boundary(bench)),
    },
    Probe {
        area: Area::Expiry,
        name: "not-extended",
        statement: "wrong codes do not extend a code's lifetime",
        says: Some(Situation::Expired),
        standard: standard::LIFETIME,
        applies: always,
        run: |bench| Box::pin(not_extended(bench)),
    },
    Probe {
        area: Area::Expiry,
        name: "alike",
        statement: "an expired session answers the right and a wrong code alike",
        says: Some(Situation::Expired),
        standard: standard::STATE,
        applies: always,
        run: |bench| Box::pin(expired_alike(bench)),
    },
];

/// How long before the end of a lifetime a code is tried, in seconds: longer than the calls take.
const MARGIN: u64 = 5;

async fn boundary(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut live = bench.open(&Wish::default()).await?;
    let ttl = live.ttl()?;
    if ttl > 2 * MARGIN {
        bench.pass(&mut live, ttl - MARGIN).await?;
        bench.right(&mut live).await?;
    }
    for late in [0, 1, 7, 60, 3_000] {
        let mut live = bench.open(&Wish::default()).await?;
        let ttl = live.ttl()?;
        bench.pass(&mut live, ttl + late).await?;
        bench.right(&mut live).await?;
        bench.right(&mut live).await?;
    }
    Ok(())
}

async fn not_extended(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut live = bench.open(&attempts(5)).await?;
    let ttl = live.ttl()?;
    let mut left = ttl;
    let steps = u64::from(live.spare().min(3));
    if steps == 0 || ttl <= 4 * MARGIN {
        return Err(Stop::Skip(
            "the limit or the lifetime in force leaves no room for attempts in between".to_owned(),
        ));
    }
    for _ in 0..steps {
        let step = (ttl - MARGIN) / steps;
        bench.pass(&mut live, step).await?;
        left -= step;
        bench.wrong(&mut live).await?;
    }
    bench.pass(&mut live, left).await?;
    bench.right(&mut live).await?;
    Ok(())
}

async fn expired_alike(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut live = bench.open(&attempts(5)).await?;
    let ttl = live.ttl()?;
    bench.pass(&mut live, ttl + 1).await?;
    let wrong = bench.wrong(&mut live).await?;
    let right = bench.right(&mut live).await?;
    alike::demand(bench, "a wrong code", &wrong, "the right one", &right)?;
    let wrong = bench.wrong(&mut live).await?;
    alike::demand(bench, "the right code", &right, "a wrong one", &wrong)
}
