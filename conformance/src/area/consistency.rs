//! Every answer, not only the first of its kind: walks through the life of sessions and judges each answer whole. Finds
//! what shows now and then, what shows only later, and what one session learns of another.

use otp_contract::{Cell, Matching, Outcome, Situation};

use super::{Probe, always, standard};
use crate::call::{Call, Guess};
use crate::check::{Area, allowed_outcomes};
use crate::control::Wish;
use crate::finding::Finding;
use crate::flow::{Live, attempts};
use crate::judge::{Judgement, judge, signals_agree};
use crate::model::{Input, Kind};
use crate::reading::readings;
use crate::subject::{Bench, Stop};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        area: Area::Consistency,
        name: "walk",
        statement: "every answer of a walk through sessions' lives is a documented one, from the status to the last member",
        says: Some(Situation::Approved),
        standard: standard::CONSISTENT,
        applies: always,
        run: |bench| Box::pin(walk(bench)),
    },
    Probe {
        area: Area::Consistency,
        name: "wording",
        statement: "the wording of every answer is the documented one",
        says: None,
        standard: standard::CONSISTENT,
        applies: |contract| {
            contract
                .verify()
                .cells
                .iter()
                .any(|cell| cell.members.iter().any(|member| member.rule.matching == Matching::Text))
        },
        run: |bench| Box::pin(wording(bench)),
    },
];

/// How many sessions walk, and how often each is asked once it is over: enough that what is wrong with every third
/// answer is seen in all but one of a hundred thousand walks.
const SESSIONS: usize = 5;
const ASKED: usize = 6;

/// How many sessions are approved and no more.
const APPROVED: usize = 24;

async fn walk(bench: &mut Bench<'_>) -> Result<(), Stop> {
    let tenant = bench.tenant().await?;
    for number in 0..SESSIONS {
        bench.forget_sessions();
        let wish = if number % 2 == 0 { attempts(3) } else { Wish::default() };
        let mut used = bench.open_for(&tenant, &wish).await?;
        for _ in 0..used.spare().min(2) {
            step(bench, &mut used, Kind::Wrong).await?;
        }
        for _ in 0..=ASKED {
            step(bench, &mut used, Kind::Right).await?;
        }
        let mut locked = bench.open_for(&tenant, &attempts(2)).await?;
        if let Ok(limit) = locked.limit()
            && limit <= 10
        {
            for _ in 0..limit {
                step(bench, &mut locked, Kind::Wrong).await?;
            }
            for _ in 0..ASKED / 2 {
                step(bench, &mut locked, Kind::Wrong).await?;
                step(bench, &mut locked, Kind::Right).await?;
            }
        }
        // Nearly to the limit, and used after that.
        let mut late = bench.open_for(&tenant, &attempts(6)).await?;
        for _ in 0..late.spare().min(6) {
            step(bench, &mut late, Kind::Wrong).await?;
        }
        step(bench, &mut late, Kind::Right).await?;
        step(bench, &mut late, Kind::Right).await?;
        // What was over before its lifetime was is over in one of the two ways afterwards.
        for over in [&mut used, &mut locked] {
            if let Ok(ttl) = over.ttl() {
                bench.pass(over, ttl + 1).await?;
                for _ in 0..ASKED / 2 {
                    step(bench, over, Kind::Wrong).await?;
                    step(bench, over, Kind::Right).await?;
                }
            }
        }
        let mut expired = bench.open_for(&tenant, &wish).await?;
        if let Ok(ttl) = expired.ttl() {
            bench.pass(&mut expired, ttl + 1).await?;
            for _ in 0..ASKED / 2 {
                step(bench, &mut expired, Kind::Wrong).await?;
                step(bench, &mut expired, Kind::Right).await?;
            }
        }
    }
    for _ in 0..APPROVED {
        bench.forget_sessions();
        let mut live = bench.open_for(&tenant, &Wish::default()).await?;
        step(bench, &mut live, Kind::Right).await?;
    }
    Ok(())
}

/// One call whose answer must be a whole cell of what the model allows.
async fn step(bench: &mut Bench<'_>, live: &mut Live, kind: Kind) -> Result<(), Stop> {
    let answer_allowed = {
        let retry = bench.retries();
        let (_, allowed) = live.rules.step(&live.state, Input { guess: kind, foreign: false, retry });
        allowed
    };
    let issued = live.issued.clone();
    let wrong = bench.wrong_code(&issued.code);
    let guess = match kind {
        Kind::Right => issued.right(),
        _ => Guess::plain(&wrong),
    };
    let answer = bench.attempt(live, kind, guess, crate::call::Twist::default()).await?;
    let call: Call<'_> = issued.call(bench.contract, guess, bench.retries());
    // Every call here allows further attempts where that can be said.
    let mut outcomes = answer_allowed.outcomes.clone();
    if answer_allowed.any_refusal {
        let refusals = bench.contract.verify().cells.iter().map(|cell| cell.outcome);
        outcomes.extend(refusals.filter(|outcome| *outcome != Outcome::Approved));
    }
    let of_all = allowed_outcomes(bench.contract, &outcomes);
    let has_own =
        |cell: &Cell| of_all.iter().any(|other| other.situations == cell.situations && other.mode.is_some());
    let cells: Vec<_> = of_all.iter().copied().filter(|cell| cell.mode.is_some() || !has_own(cell)).collect();
    // A refusal that the document leaves open has been judged by the model already.
    let documented = cells.iter().any(|cell| cell.status.matches(answer.status));
    if cells.is_empty() || (answer_allowed.any_refusal && !documented) {
        return Ok(());
    }
    let mut expectation = bench.expectation(cells, &call);
    let wrong_so_far = live.state.wrong();
    if answer_allowed.outcomes.contains(&Outcome::WrongCode) {
        expectation.remaining_attempts = live.rules.limit.map(|limit| limit.saturating_sub(wrong_so_far));
    }
    match judge(&expectation, &answer) {
        Some(Judgement::Differs(nearest, mismatches)) => {
            Err(Stop::Found(Box::new(Finding::of_cells(&expectation, nearest, &mismatches, bench))))
        }
        _ => Ok(()),
    }
}

/// The words for people, which a server may be wrong about without misleading a client.
async fn wording(bench: &mut Bench<'_>) -> Result<(), Stop> {
    // Nothing is judged here but words: what an answer decides is for the other checks.
    let retry = bench.retries();
    let mut answers = Vec::new();
    let used = bench.open(&attempts(3)).await?.issued;
    let wrong = bench.wrong_code(&used.code);
    for guess in [Guess::plain(&wrong), used.right(), used.right()] {
        answers.push(bench.send(&used.call(bench.contract, guess, retry)).await?);
    }
    let locked = bench.open(&attempts(2)).await?;
    for _ in 0..=locked.rules.limit.unwrap_or(0).min(10) {
        let wrong = bench.wrong_code(&locked.issued.code);
        answers.push(bench.send(&locked.issued.call(bench.contract, Guess::plain(&wrong), retry)).await?);
    }
    let mut expired = bench.open(&attempts(3)).await?;
    if let Ok(ttl) = expired.ttl() {
        bench.pass(&mut expired, ttl + 1).await?;
        answers.push(bench.send(&expired.issued.call(bench.contract, expired.issued.right(), retry)).await?);
    }
    for answer in answers {
        let told = readings(bench.contract, &answer);
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let fitting: Vec<_> = allowed_outcomes(bench.contract, &told)
            .into_iter()
            .filter(|cell| {
                cell.status.matches(answer.status) && cell.body_specified && signals_agree(cell, &body)
            })
            .collect();
        let differing = |cell: &&otp_contract::Cell| {
            cell.members
                .iter()
                .filter(|member| member.rule.matching == Matching::Text)
                .find(|member| body.pointer(&member.pointer).is_some_and(|text| *text != member.example))
                .cloned()
        };
        let Some(first) = fitting.first() else { continue };
        if fitting.iter().all(|cell| differing(cell).is_some())
            && let Some(member) = differing(first)
        {
            return Err(bench.found(
                format!("{} at {} ({})", member.example, member.pointer, first.name),
                format!("{}", body.pointer(&member.pointer).unwrap_or_default()),
            ));
        }
    }
    Ok(())
}
