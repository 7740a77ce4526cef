//! Many calls at once on one session, over connections that are open already and, where there are several targets, over
//! all of them. An answer that does not come is "maybe applied", and proves nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use otp_contract::{Outcome, Situation};
use tokio::sync::Barrier;

use super::{Probe, always, has_limit, standard};
use crate::call::{Call, Credential, Guess, Masking};
use crate::check::Area;
use crate::flow::{Live, attempts};
use crate::journal::Entry;
use crate::linear::{Operation, is_linearizable};
use crate::model::{Input, Kind};
use crate::reading::readings;
use crate::subject::{Bench, Stop};
use crate::wire::RawResponse;

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Concurrency,
        name: "single-use",
        statement: "of many calls with the right code at once, exactly one is approved",
        says: Some(Situation::AlreadyUsed),
        standard: standard::RACES,
        applies: always,
        run: |bench| Box::pin(single_use(bench)),
    },
    Probe {
        area: Area::Concurrency,
        name: "limit",
        statement: "of many wrong codes at once, no more than the limit are compared",
        says: Some(Situation::AttemptsExhausted),
        standard: standard::PARALLEL,
        applies: has_limit,
        run: |bench| Box::pin(limit(bench)),
    },
    Probe {
        area: Area::Concurrency,
        name: "mixed",
        statement: "what right and wrong codes at once are told could have happened one after the other",
        says: Some(Situation::AlreadyUsed),
        standard: standard::RACES,
        applies: always,
        run: |bench| Box::pin(mixed(bench)),
    },
];

/// How many calls a burst has.
const WIDTH: usize = 16;

/// How many calls a burst has whose order is searched.
const MIXED_WIDTH: usize = 10;

/// A call of a burst, and what became of it.
struct Told {
    kind: Kind,
    sent: u64,
    answer: Option<(u64, RawResponse)>,
}

/// Sends one call for each code, all at once.
async fn burst(bench: &mut Bench<'_>, live: &Live, codes: &[(Kind, Guess<'_>)]) -> Result<Vec<Told>, Stop> {
    let retry = bench.retries();
    let barrier = Arc::new(Barrier::new(codes.len()));
    let started = Instant::now();
    let targets = bench.subject.targets.len();
    let mut running = Vec::new();
    for (index, (_, guess)) in codes.iter().enumerate() {
        let target = bench.subject.targets[index % targets].as_str();
        let request = live.issued.call(bench.contract, *guess, retry).request(target, Masking::Nothing);
        let (wire, barrier) = (Arc::clone(bench.wire), Arc::clone(&barrier));
        running.push(tokio::spawn(async move {
            barrier.wait().await;
            let sent = nanos(started);
            let answer = wire.send(&request).await.ok();
            (sent, answer.map(|(response, _)| (nanos(started), response)))
        }));
    }
    bench.requests += codes.len() as u64;
    let mut told = Vec::new();
    let mut exchanges = Vec::new();
    for (index, (ended, (kind, guess))) in running.into_iter().zip(codes).enumerate() {
        let (sent, answer) = ended.await.unwrap_or((0, None));
        if let Some((_, response)) = &answer {
            let call = live.issued.call(bench.contract, *guess, retry);
            exchanges.push(bench.shown(&call, &bench.subject.targets[index % targets], response));
        }
        told.push(Told { kind: *kind, sent, answer });
    }
    bench.journal.entries.push(Entry::Burst(exchanges));
    let lost = told.iter().filter(|call| call.answer.is_none()).count();
    match lost * 2 > told.len() {
        true => Err(Stop::Lost(format!("{lost} of {} calls at once were not answered", told.len()))),
        false => Ok(told),
    }
}

fn nanos(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Opens as many connections as a burst needs, with calls on a session that is not used otherwise.
async fn warm(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let live = bench.open(&attempts(3)).await?;
    let targets = bench.subject.targets.clone();
    let mut running = Vec::new();
    for target in &targets {
        for _ in 0..WIDTH.div_ceil(targets.len()) {
            let call = Call {
                credential: Credential::Missing,
                ..live.issued.call(bench.contract, live.issued.right(), bench.retries())
            };
            let request = call.request(target, Masking::Nothing);
            let wire = Arc::clone(bench.wire);
            running.push(tokio::spawn(async move { wire.send(&request).await.is_ok() }));
        }
    }
    bench.requests += running.len() as u64;
    for ended in running {
        let _ = ended.await;
    }
    bench.forget_sessions();
    Ok(())
}

async fn single_use(bench: &mut Bench<'_>) -> Result<(), Stop> {
    warm(bench).await?;
    let tenant = bench.tenant().await?;
    for number in 0..bench.bursts {
        let live = bench.open_for(&tenant, &attempts(10)).await?;
        let codes = vec![(Kind::Right, live.issued.right()); WIDTH];
        let told = burst(bench, &live, &codes).await?;
        let mut approved = 0;
        let mut lost = 0;
        for call in &told {
            match &call.answer {
                None => lost += 1,
                Some((_, answer)) if answer.status >= 500 => {
                    return Err(
                        bench.found("an answer below 500 to each call", format!("HTTP {}", answer.status))
                    );
                }
                Some((_, answer)) => {
                    let only = readings(bench.contract, answer);
                    approved += usize::from(only.len() == 1 && only.contains(&Outcome::Approved));
                }
            }
        }
        if approved > 1 || (approved == 0 && lost == 0) {
            return Err(bench.found(
                format!("1 approval of {WIDTH} calls at once"),
                format!("{approved} approvals in burst {} of {}", number + 1, bench.bursts),
            ));
        }
        bench.forget_sessions();
    }
    bench.note = Some(format!("no race was observed in {} bursts of {WIDTH}", bench.bursts));
    Ok(())
}

async fn limit(bench: &mut Bench<'_>) -> Result<(), Stop> {
    warm(bench).await?;
    let tenant = bench.tenant().await?;
    for number in 0..bench.bursts {
        let live = bench.open_for(&tenant, &attempts(5)).await?;
        let limit = live.limit()? as usize;
        if limit >= WIDTH {
            return Err(Stop::Skip(format!(
                "the limit in force, {limit}, is not below the {WIDTH} calls of a burst"
            )));
        }
        let wrong = bench.wrong_codes(&live.issued.code, WIDTH);
        let codes: Vec<_> = wrong.iter().map(|code| (Kind::Wrong, Guess::plain(code))).collect();
        let told = burst(bench, &live, &codes).await?;
        let answers: Vec<_> = told.iter().filter_map(|call| call.answer.as_ref()).collect();
        let compared = answers
            .iter()
            .filter(|(_, answer)| {
                let readings = readings(bench.contract, answer);
                readings.contains(&Outcome::WrongCode) && !readings.contains(&Outcome::AttemptsExhausted)
            })
            .count();
        if compared > limit {
            return Err(bench.found(
                format!("at most {limit} of {WIDTH} wrong codes at once compared"),
                format!("{compared} compared in burst {} of {}", number + 1, bench.bursts),
            ));
        }
        if answers.len() >= limit {
            let answer =
                bench.send(&live.issued.call(bench.contract, live.issued.right(), bench.retries())).await?;
            bench.demand(&answer, &crate::model::Allowed::refusals())?;
        }
        bench.forget_sessions();
    }
    bench.note = Some(format!("no race was observed in {} bursts of {WIDTH}", bench.bursts));
    Ok(())
}

/// What an answer may mean; one that no document knows, and that refuses, is a refusal like any other.
fn told_or_refused(bench: &Bench<'_>, answer: &RawResponse) -> BTreeSet<Outcome> {
    let told = readings(bench.contract, answer);
    if told.is_empty() && (400..500).contains(&answer.status) {
        return BTreeSet::from([Outcome::InvalidRequest]);
    }
    told
}

async fn mixed(bench: &mut Bench<'_>) -> Result<(), Stop> {
    warm(bench).await?;
    let tenant = bench.tenant().await?;
    for _ in 0..bench.bursts {
        let live = bench.open_for(&tenant, &attempts(3)).await?;
        let wrong = bench.wrong_codes(&live.issued.code, MIXED_WIDTH);
        let mut codes: Vec<_> = wrong.iter().map(|code| (Kind::Wrong, Guess::plain(code))).collect();
        for _ in 0..2 {
            let place = bench.random.usize(0..codes.len());
            codes[place] = (Kind::Right, live.issued.right());
        }
        let told = burst(bench, &live, &codes).await?;
        let operations: Vec<_> = told
            .iter()
            .map(|call| Operation {
                input: Input { guess: call.kind, foreign: false, retry: bench.retries() },
                sent: call.sent,
                answered: call.answer.as_ref().map(|(at, answer)| (*at, told_or_refused(bench, answer))),
            })
            .collect();
        if !is_linearizable(&live.rules, live.state, &operations) {
            let told: Vec<_> = operations
                .iter()
                .map(|operation| match &operation.answered {
                    Some((_, readings)) => {
                        let words: Vec<_> = readings.iter().map(|outcome| outcome.as_str()).collect();
                        format!("{:?}: {}", operation.input.guess, words.join(" or ")).to_lowercase()
                    }
                    None => format!("{:?}: no answer", operation.input.guess).to_lowercase(),
                })
                .collect();
            return Err(bench.found(
                "answers that some order of the calls explains",
                format!("no order explains {}", told.join(", ")),
            ));
        }
        bench.forget_sessions();
    }
    bench.note = Some(format!("no race was observed in {} bursts of {MIXED_WIDTH}", bench.bursts));
    Ok(())
}
