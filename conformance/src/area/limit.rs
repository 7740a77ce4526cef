//! The limit of attempts: its exact boundary, and whose attempts it counts.

use otp_contract::Situation;

use super::{Probe, SESSION, always, body_with, code_in_body, has_limit, standard};
use crate::area::alike;
use crate::call::{Body, Call, Guess, Twist};
use crate::check::Area;
use crate::control::Wish;
use crate::flow::{MOST_ATTEMPTS, attempts};
use crate::model::{Allowed, Kind};
use crate::subject::{Bench, Stop};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Limit,
        name: "boundary",
        statement: "the right code verifies after one wrong code less than the limit, and not after as many",
        says: Some(Situation::AttemptsExhausted),
        standard: standard::LIMIT,
        applies: has_limit,
        run: |bench| Box::pin(boundary(bench)),
    },
    Probe {
        area: Area::Limit,
        name: "alike",
        statement: "a locked session answers the right and a wrong code alike",
        says: Some(Situation::AttemptsExhausted),
        standard: standard::STATE,
        applies: has_limit,
        run: |bench| Box::pin(locked_alike(bench)),
    },
    Probe {
        area: Area::Limit,
        name: "own-counter",
        statement: "wrong codes for one session count for no other, and another's success resets nothing",
        says: Some(Situation::AttemptsExhausted),
        standard: standard::LIMIT,
        applies: has_limit,
        run: |bench| Box::pin(own_counter(bench)),
    },
    Probe {
        area: Area::Limit,
        name: "not-reset",
        statement: "no malformed request, forwarding header, new connection or repeated guess resets or evades the count",
        says: Some(Situation::AttemptsExhausted),
        standard: standard::PROXIES,
        applies: has_limit,
        run: |bench| Box::pin(not_reset(bench)),
    },
    Probe {
        area: Area::Limit,
        name: "not-forgotten",
        statement: "wrong codes are not forgotten while the code is still valid",
        says: Some(Situation::AttemptsExhausted),
        standard: standard::LIMIT,
        applies: has_limit,
        run: |bench| Box::pin(not_forgotten(bench)),
    },
    Probe {
        area: Area::Limit,
        name: "resend",
        statement: "a new code for the same recipient does not reset the count, and ends the old code",
        says: None,
        standard: standard::RESEND,
        applies: always,
        run: |bench| Box::pin(resend(bench)),
    },
];

async fn boundary(bench: &mut Bench<'_>) -> Result<(), Stop> {
    for wish in [attempts(1), attempts(2), attempts(5), Wish::default()] {
        let mut live = bench.open(&wish).await?;
        for _ in 1..live.limit()? {
            bench.wrong(&mut live).await?;
        }
        bench.right(&mut live).await?;
        let mut live = bench.open(&wish).await?;
        for _ in 0..live.limit()? {
            bench.wrong(&mut live).await?;
        }
        bench.right(&mut live).await?;
    }
    Ok(())
}

async fn locked_alike(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut live = bench.open(&attempts(2)).await?;
    for _ in 0..live.limit()? {
        bench.wrong(&mut live).await?;
    }
    let wrong = bench.wrong(&mut live).await?;
    let right = bench.right(&mut live).await?;
    alike::demand(bench, "a wrong code", &wrong, "the right one", &right)?;
    let wrong = bench.wrong(&mut live).await?;
    alike::demand(bench, "the right code", &right, "a wrong one", &wrong)
}

async fn own_counter(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let tenant = bench.tenant().await?;
    let wish = attempts(3);
    let mut locked = bench.open_for(&tenant, &wish).await?;
    let mut other = bench.open_for(&tenant, &wish).await?;
    for _ in 0..locked.limit()? {
        bench.wrong(&mut locked).await?;
    }
    bench.right(&mut other).await?;
    bench.right(&mut locked).await?;

    let mut nearly = bench.open_for(&tenant, &wish).await?;
    let mut other = bench.open_for(&tenant, &wish).await?;
    for _ in 1..nearly.limit()? {
        bench.wrong(&mut nearly).await?;
    }
    bench.wrong(&mut other).await?;
    bench.right(&mut other).await?;
    bench.wrong(&mut nearly).await?;
    bench.right(&mut nearly).await?;
    // A session that is issued later starts afresh, and its tenant is not locked out.
    let mut fresh = bench.open_for(&tenant, &wish).await?;
    bench.right(&mut fresh).await?;
    Ok(())
}

async fn not_reset(bench: &mut Bench<'_>) -> Result<(), Stop> {
    // Malformed calls that name the session. Some servers count a code of another shape as wrong, which is their right;
    // that it makes them forget is not.
    let live = bench.open(&attempts(3)).await?;
    let issued = live.issued.clone();
    let retry = bench.retries();
    let listed = body_with(bench.contract, SESSION, "[]");
    for _ in 0..live.limit()? {
        let wrong = bench.wrong_code(&issued.code);
        bench.send(&issued.call(bench.contract, Guess::plain(&wrong), retry)).await?;
        let malformed = issued.call(bench.contract, Guess::plain("!"), retry);
        bench.send(&malformed).await?;
        if code_in_body(bench.contract) {
            for body in [listed.as_str(), "{\"cut short\": \""] {
                let twist = Twist { body: Some(Body::Text(body)), ..Twist::default() };
                bench.send(&Call { twist, ..issued.call(bench.contract, issued.right(), retry) }).await?;
            }
        }
    }
    let answer = bench.send(&issued.call(bench.contract, issued.right(), retry)).await?;
    bench.demand(&answer, &Allowed::refusals())?;

    let mut live = bench.open(&attempts(3)).await?;
    for number in 0..live.limit()? {
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
        let code = bench.wrong_code(&live.issued.code);
        let twist = Twist { headers, ..Twist::default() };
        bench.attempt(&mut live, Kind::Wrong, Guess::plain(&code), twist).await?;
    }
    let fresh = Twist { headers: vec![("x-forwarded-for", "10.0.1.1")], ..Twist::default() };
    let issued = live.issued.clone();
    bench.attempt(&mut live, Kind::Right, issued.right(), fresh).await?;

    let mut live = bench.open(&attempts(3)).await?;
    let code = bench.wrong_code(&live.issued.code);
    let closing = || Twist { headers: vec![("connection", "close")], ..Twist::default() };
    for _ in 0..live.limit()? {
        bench.attempt(&mut live, Kind::Wrong, Guess::plain(&code), closing()).await?;
    }
    let issued = live.issued.clone();
    bench.attempt(&mut live, Kind::Right, issued.right(), closing()).await?;
    Ok(())
}

async fn not_forgotten(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let mut live = bench.open(&attempts(3)).await?;
    let (ttl, limit) = (live.ttl()?, live.limit()?);
    if ttl < 4 {
        return Err(Stop::Skip("the lifetime in force leaves no time to pass".to_owned()));
    }
    for _ in 1..limit {
        bench.wrong(&mut live).await?;
    }
    bench.pass(&mut live, ttl / 2).await?;
    bench.wrong(&mut live).await?;
    bench.pass(&mut live, ttl / 4).await?;
    bench.right(&mut live).await?;
    Ok(())
}

async fn resend(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let wish = attempts(3);
    let mut first = bench.open(&wish).await?;
    let limit = first.rules.limit.filter(|limit| *limit <= MOST_ATTEMPTS);
    for _ in 1..limit.unwrap_or(1) {
        bench.wrong(&mut first).await?;
    }
    let issued = bench.resend(&first.issued, &wish).await?;
    let second = bench.watch(issued);
    // The code that the recipient had before is dead, whether or not the session's id is a new one.
    let retry = bench.retries();
    let old = first.issued.call(bench.contract, first.issued.right(), retry);
    let answer = bench.send(&old).await?;
    bench.demand_no_approval(&answer)?;
    if limit.is_none() {
        return Ok(());
    }
    let code = bench.wrong_code(&second.issued.code);
    let issued = second.issued.clone();
    bench.send(&issued.call(bench.contract, Guess::plain(&code), retry)).await?;
    let answer = bench.send(&issued.call(bench.contract, issued.right(), retry)).await?;
    bench.demand(&answer, &Allowed::refusals())
}
