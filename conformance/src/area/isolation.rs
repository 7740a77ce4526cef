//! Tenants: another one's session looks like none at all, and whatever a stranger does costs its owner nothing.

use otp_contract::{Outcome, Situation};

use super::{Probe, alike, always, standard};
use crate::call::{Guess, Twist};
use crate::check::Area;
use crate::flow::{MOST_ATTEMPTS, attempts};
use crate::model::Kind;
use crate::reading::readings;
use crate::subject::{Bench, Issued, Stop};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Isolation,
        name: "alike",
        statement: "a session of another tenant is answered like one that does not exist, whatever the code",
        says: None,
        standard: standard::ENUMERATION,
        applies: always,
        run: |bench| Box::pin(foreign_alike(bench)),
    },
    Probe {
        area: Area::Isolation,
        name: "own-code",
        statement: "a code verifies the session that it was issued for, and no other of the same tenant",
        says: Some(Situation::WrongCode),
        standard: standard::BOUND,
        applies: always,
        run: |bench| Box::pin(own_code(bench)),
    },
    Probe {
        area: Area::Isolation,
        name: "no-cost",
        statement: "a stranger's guesses, right or wrong, cost the owner no attempt and do not use the code",
        says: Some(Situation::ForeignSession),
        standard: standard::ISOLATION,
        applies: always,
        run: |bench| Box::pin(no_cost(bench)),
    },
];

async fn foreign_alike(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let [owner, stranger] = bench.two_tenants().await?;
    let live = bench.open_for(&owner, &attempts(3)).await?;
    let wrong = bench.wrong_code(&live.issued.code);
    let right = bench.foreign(&live, &stranger, live.issued.right()).await?;
    let guess = bench.foreign(&live, &stranger, Guess::plain(&wrong)).await?;
    alike::demand(bench, "the right code for a foreign session", &right, "a wrong one", &guess)?;
    // A document may leave room for telling a foreign session from an unknown one; then there is nothing to compare.
    if !readings(bench.contract, &right).contains(&Outcome::UnknownSession) {
        return Ok(());
    }
    let mut unknown = Issued { tenant: stranger, ..live.issued.clone() };
    let known = live.issued.session.session.clone();
    unknown.session.session = bench.unknown_id(&known);
    let retry = bench.retries();
    let answer = bench.send(&unknown.call(bench.contract, unknown.right(), retry)).await?;
    alike::demand_for(
        bench,
        ("a foreign session", &right, &known),
        ("an unknown one", &answer, &unknown.session.session),
    )?;
    // What its owner has done with a session is none of a stranger's business either.
    let stranger = unknown.tenant;
    let mut used = bench.open_for(&owner, &attempts(3)).await?;
    bench.right(&mut used).await?;
    let of_used = bench.foreign(&used, &stranger, used.issued.right()).await?;
    let id = used.issued.session.session.clone();
    alike::demand_for(bench, ("a foreign session", &right, &known), ("a used one", &of_used, &id))?;
    let mut locked = bench.open_for(&owner, &attempts(1)).await?;
    if let Ok(limit) = locked.limit() {
        for _ in 0..limit {
            bench.wrong(&mut locked).await?;
        }
        let of_locked = bench.foreign(&locked, &stranger, locked.issued.right()).await?;
        let id = locked.issued.session.session.clone();
        alike::demand_for(bench, ("a foreign session", &right, &known), ("a locked one", &of_locked, &id))?;
    }
    Ok(())
}

async fn own_code(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let tenant = bench.tenant().await?;
    let mut one = bench.open_for(&tenant, &attempts(3)).await?;
    let mut other = bench.open_for(&tenant, &attempts(3)).await?;
    if one.issued.code == other.issued.code {
        return Ok(());
    }
    let (code_of_one, code_of_other) = (one.issued.clone(), other.issued.clone());
    bench.attempt(&mut one, Kind::Wrong, code_of_other.right(), Twist::default()).await?;
    bench.attempt(&mut other, Kind::Wrong, code_of_one.right(), Twist::default()).await?;
    bench.right(&mut one).await?;
    bench.right(&mut other).await?;
    Ok(())
}

async fn no_cost(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let [owner, stranger] = bench.two_tenants().await?;
    let mut live = bench.open_for(&owner, &attempts(2)).await?;
    let guesses = live.rules.limit.unwrap_or(3).min(MOST_ATTEMPTS) + 2;
    bench.foreign(&live, &stranger, live.issued.right()).await?;
    for _ in 0..guesses {
        let wrong = bench.wrong_code(&live.issued.code);
        bench.foreign(&live, &stranger, Guess::plain(&wrong)).await?;
    }
    bench.foreign(&live, &stranger, live.issued.right()).await?;
    for _ in 0..live.spare().min(1) {
        bench.wrong(&mut live).await?;
    }
    bench.right(&mut live).await?;
    bench.foreign(&live, &stranger, live.issued.right()).await?;
    Ok(())
}
