//! Policy that a request may tighten and never loosen: a server's limits are its own (where an API puts some of them
//! into the verify call, as DailyStory does).

use otp_contract::{Contract, Situation, ValueKind};

use super::{Probe, standard};
use crate::call::{Call, Guess, Twist};
use crate::check::Area;
use crate::control::Wish;
use crate::flow::attempts;
use crate::model::Allowed;
use crate::subject::{Bench, Issued, Stop};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Policy,
        name: "retry",
        statement: "a code that a wrong guess ended is not brought back by allowing further attempts",
        says: Some(Situation::AttemptsExhausted),
        standard: standard::POLICY,
        applies: |contract| contract.policy.overrides.retry.is_some(),
        run: |bench| Box::pin(retry(bench)),
    },
    Probe {
        area: Area::Policy,
        name: "limit",
        statement: "a locked session is not opened by asking for more attempts",
        says: Some(Situation::AttemptsExhausted),
        standard: standard::POLICY,
        applies: |contract| contract.policy.overrides.limit.is_some(),
        run: |bench| Box::pin(limit(bench)),
    },
    Probe {
        area: Area::Policy,
        name: "lifetime",
        statement: "an expired code is not revived by asking for a longer lifetime",
        says: Some(Situation::Expired),
        standard: standard::POLICY,
        applies: |contract| contract.policy.overrides.lifetime_minutes.is_some(),
        run: |bench| Box::pin(lifetime(bench)),
    },
    Probe {
        area: Area::Policy,
        name: "lockout",
        statement: "a try during a lockout does not extend it, the seconds that are told count down, and Retry-After agrees",
        says: None,
        standard: standard::LIMIT,
        applies: |contract| contract.policy.lockout_seconds.is_some(),
        run: |bench| Box::pin(lockout(bench)),
    },
];

/// The greatest value of an integer parameter.
fn greatest(contract: &Contract, name: &str) -> Option<i64> {
    let parameter = contract.verify().parameters.iter().find(|parameter| parameter.name == name)?;
    match parameter.kind {
        ValueKind::Integer { max, .. } => Some(max),
        _ => None,
    }
}

fn twisted<'c>(contract: &'c Contract, issued: &'c Issued, retry: bool, query: Option<&'c str>) -> Call<'c> {
    Call {
        twist: Twist { query, ..Twist::default() },
        lifetime_minutes: None,
        ..issued.call(contract, issued.right(), retry)
    }
}

async fn retry(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let live = bench.open(&attempts(5)).await?;
    let wrong = bench.wrong_code(&live.issued.code);
    let issued = live.issued.clone();
    let answer = bench.send(&issued.call(bench.contract, Guess::plain(&wrong), false)).await?;
    bench.demand(&answer, &Allowed::refusals())?;
    for retry in [true, false, true] {
        let answer = bench.send(&issued.call(bench.contract, issued.right(), retry)).await?;
        bench.demand(&answer, &Allowed::refusals())?;
    }
    // Neither an explicit no, nor a number of attempts without the permission, nor a permission that an earlier call had.
    let overrides = &bench.contract.policy.overrides;
    let refused = overrides.retry.as_ref().map(|name| (false, format!("{name}=false")));
    let most = |name: &String| greatest(bench.contract, name).unwrap_or(10);
    let counted = overrides.limit.as_ref().map(|name| (false, format!("{name}={}", most(name))));
    let earlier = Some((true, String::new()));
    for (before, query) in [refused, counted, earlier].into_iter().flatten() {
        let issued = bench.open(&attempts(5)).await?.issued;
        for retry in [before.then_some(true), Some(false)].into_iter().flatten() {
            let wrong = bench.wrong_code(&issued.code);
            let twist = Twist { query: (!query.is_empty()).then_some(&query), ..Twist::default() };
            let call = Call { twist, ..issued.call(bench.contract, Guess::plain(&wrong), retry) };
            bench.send(&call).await?;
        }
        let answer = bench.send(&issued.call(bench.contract, issued.right(), true)).await?;
        bench.demand(&answer, &Allowed::refusals())?;
    }
    Ok(())
}

async fn limit(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let Some(name) = &bench.contract.policy.overrides.limit else { return Ok(()) };
    let query = format!("{name}={}", greatest(bench.contract, name).unwrap_or(10));
    let mut live = bench.open(&attempts(2)).await?;
    for _ in 0..live.limit()? {
        bench.wrong(&mut live).await?;
    }
    let issued = live.issued.clone();
    let answer = bench.send(&twisted(bench.contract, &issued, true, Some(&query))).await?;
    bench.demand(&answer, &Allowed::refusals())?;
    // A lock is one for every way of calling.
    let answer = bench.send(&issued.call(bench.contract, issued.right(), false)).await?;
    bench.demand(&answer, &Allowed::refusals())?;
    bench.right(&mut live).await?;

    // Out of its bounds the wish may be refused, cut or passed over, and gives no more attempts than the greatest.
    let most = greatest(bench.contract, name).unwrap_or(10);
    let query = format!("{name}={}", most.saturating_mul(10));
    let issued = bench.open(&attempts(2)).await?.issued;
    for _ in 0..=most {
        let wrong = bench.wrong_code(&issued.code);
        let twist = Twist { query: Some(&query), ..Twist::default() };
        let call = Call { twist, ..issued.call(bench.contract, Guess::plain(&wrong), true) };
        bench.send(&call).await?;
    }
    let answer = bench.send(&twisted(bench.contract, &issued, true, Some(&query))).await?;
    bench.demand(&answer, &Allowed::refusals())
}

async fn lifetime(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let Some(name) = &bench.contract.policy.overrides.lifetime_minutes else { return Ok(()) };
    let query = format!("{name}={}", greatest(bench.contract, name).unwrap_or(60));
    let mut live = bench.open(&Wish { ttl_seconds: Some(180), ..attempts(5) }).await?;
    let ttl = live.ttl()?;
    bench.pass(&mut live, ttl + 1).await?;
    let issued = live.issued.clone();
    let answer = bench.send(&twisted(bench.contract, &issued, true, Some(&query))).await?;
    bench.demand(&answer, &Allowed::refusals())?;

    // Nor is it by having asked for one before.
    let mut live = bench.open(&Wish { ttl_seconds: Some(180), ..attempts(5) }).await?;
    let issued = live.issued.clone();
    let wrong = bench.wrong_code(&issued.code);
    let asking = twisted(bench.contract, &issued, true, Some(&query));
    let code = asking.code.map(|_| Guess::plain(&wrong));
    bench.send(&Call { code, ..asking }).await?;
    let ttl = live.ttl()?;
    bench.pass(&mut live, ttl + 1).await?;
    let answer = bench.send(&issued.call(bench.contract, issued.right(), true)).await?;
    bench.demand(&answer, &Allowed::refusals())
}

async fn lockout(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let Some(seconds) = bench.contract.policy.lockout_seconds else { return Ok(()) };
    let mut live = bench.open(&attempts(1)).await?;
    for _ in 0..live.limit()? {
        bench.wrong(&mut live).await?;
    }
    let first = told_seconds(bench, &mut live).await?;
    let step = seconds / 4;
    bench.pass(&mut live, step).await?;
    let second = told_seconds(bench, &mut live).await?;
    bench.pass(&mut live, step).await?;
    let third = told_seconds(bench, &mut live).await?;
    // A server may lock for another time than the document's example; what it tells must run down with the time.
    for (before, after) in [(first, second), (second, third)] {
        if let (Some(before), Some(after)) = (before, after)
            && before > step
            && after + step > before + 5
        {
            return Err(bench.found(
                format!("at most {} seconds of lockout left", before - step),
                format!("{after} seconds"),
            ));
        }
    }
    Ok(())
}

/// The seconds of lockout that a try is told, where it is told any.
async fn told_seconds(bench: &mut Bench<'_>, live: &mut crate::flow::Live) -> Result<Option<u64>, Stop> {
    let answer = bench.right(live).await?;
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let members = bench.contract.verify().cells.iter().flat_map(|cell| &cell.members);
    let pointer = members
        .filter(|member| {
            member.rule.matching == otp_contract::Matching::State(otp_contract::StateValue::LockoutSeconds)
        })
        .map(|member| member.pointer.as_str())
        .next();
    let told = pointer.and_then(|pointer| body.pointer(pointer)).and_then(serde_json::Value::as_u64);
    // A date is compared with nobody's clock here, and what is neither is no Retry-After (RFC 9110 §10.2.3).
    let header = answer.headers.get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    if let Some(header) = header {
        let is_date = header.ends_with(" GMT");
        let agrees =
            header.parse::<u64>().is_ok_and(|seconds| told.is_none_or(|told| seconds.abs_diff(told) <= 2));
        if !is_date && !agrees {
            let expected =
                told.map_or_else(|| "a number of seconds".to_owned(), |told| format!("{told} seconds"));
            return Err(bench.found(format!("Retry-After of {expected}"), format!("Retry-After: {header}")));
        }
    }
    Ok(told)
}
