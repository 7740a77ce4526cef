//! One run: selects the checks, makes them side by side, each with tenants and randomness of its own, and gathers the
//! report. The order in which checks happen to end changes nothing of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use otp_contract::Contract;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::area::{self, Ending};
use crate::check::{Check, checks};
use crate::error::Failure;
use crate::finding::ShownExchange;
use crate::report::{
    CellReport, CheckReport, CheckResult, Report, SCHEMA, Summary, VendorReport, Verdict, tie,
};
use crate::subject::{Bench, Stop, Subject};

/// What a run does.
#[derive(Debug, Clone)]
pub struct Options {
    /// Checks whose id one of these matches are made; all where there is none.
    pub only: Vec<glob::Pattern>,
    /// Checks whose id one of these matches are left out.
    pub skip: Vec<glob::Pattern>,
    /// Whether baseline checks gate.
    pub strict: bool,
    /// The seed from which every choice follows.
    pub seed: u64,
    /// Which part of the checks is made, of how many; the first is 1.
    pub shard: Option<(usize, usize)>,
    /// How many checks are made at a time.
    pub jobs: usize,
    /// How many random walks each vendor's lifecycle check makes.
    pub cases: u32,
    /// How many sessions each check of concurrency bursts on; below 30 a race may well stay hidden.
    pub bursts: u32,
    /// Whether the exchanges of checks that passed are kept as well.
    pub transcript: bool,
}

/// Checks `subject` against `contracts`.
pub async fn run(
    contracts: Vec<Arc<Contract>>,
    subject: Arc<Subject>,
    options: &Options,
) -> Result<Report, Failure> {
    let started = Instant::now();
    let mut selected = Vec::new();
    for contract in &contracts {
        for check in checks(contract) {
            if options.selects(&check.id) {
                selected.push((Arc::clone(contract), check));
            }
        }
    }
    if let Some((part, whole)) = options.shard {
        let mut index = 0;
        selected.retain(|_| {
            index += 1;
            index % whole == part % whole
        });
    }
    if selected.is_empty() {
        return Err(Failure::NothingSelected(format!(
            "--only, --skip and --shard leave none of those that `checks` lists for {}",
            contracts.iter().map(|contract| contract.vendor.as_str()).collect::<Vec<_>>().join(", ")
        )));
    }

    let places = Arc::new(Semaphore::new(options.jobs.max(1)));
    let mut running = JoinSet::new();
    for (index, (contract, check)) in selected.into_iter().enumerate() {
        let (places, subject) = (Arc::clone(&places), Arc::clone(&subject));
        let options = options.clone();
        running.spawn(async move {
            let _place = places.acquire().await;
            (index, contract.vendor.clone(), make(&contract, &check, &subject, &options).await)
        });
    }
    let mut made = BTreeMap::new();
    while let Some(ended) = running.join_next().await {
        // A check that panicked is a bug of the suite, and must not pass for one that was not selected.
        let (index, vendor, report) = ended.map_err(|error| Failure::Broken(error.to_string()))?;
        made.insert(index, (vendor, report));
    }

    let mut by_vendor = BTreeMap::<String, Vec<CheckReport>>::new();
    for (vendor, report) in made.into_values() {
        by_vendor.entry(vendor).or_default().push(report);
    }
    let vendors: Vec<_> = contracts
        .iter()
        .filter_map(|contract| {
            let mut checks = by_vendor.remove(&contract.vendor)?;
            tie(&mut checks);
            Some(VendorReport {
                vendor: contract.vendor.clone(),
                verdict: Verdict::over(&checks, options.strict),
                cells: coverage(contract, &checks),
                checks,
            })
        })
        .collect();
    let all = || vendors.iter().flat_map(|vendor| &vendor.checks);
    // The worst of the vendors' verdicts; one that was found wanting outweighs one that could not be judged.
    let verdict = [Verdict::Nonconformant, Verdict::Inconclusive]
        .into_iter()
        .find(|worst| vendors.iter().any(|vendor| vendor.verdict == *worst))
        .unwrap_or(Verdict::Conformant);
    Ok(Report {
        schema: SCHEMA,
        suite: env!("CARGO_PKG_VERSION"),
        seed: options.seed,
        strict: options.strict,
        duration_ms: millis(started),
        requests: subject.wire.sent() + subject.fresh.sent(),
        targets: subject.targets.clone(),
        verdict,
        summary: Summary::over(all()),
        vendors,
    })
}

impl Options {
    /// Everything as usual, from this seed.
    pub fn with_seed(seed: u64) -> Options {
        Options {
            only: Vec::new(),
            skip: Vec::new(),
            strict: false,
            seed,
            shard: None,
            jobs: 16,
            cases: 16,
            bursts: 30,
            transcript: false,
        }
    }

    fn selects(&self, id: &str) -> bool {
        let matched = |patterns: &[glob::Pattern]| patterns.iter().any(|pattern| pattern.matches(id));
        (self.only.is_empty() || matched(&self.only)) && !matched(&self.skip)
    }
}

/// How long is waited before a check whose connection broke is made again.
const AGAIN: [Duration; 2] = [Duration::ZERO, Duration::from_millis(500)];

async fn make(contract: &Contract, check: &Check, subject: &Subject, options: &Options) -> CheckReport {
    let started = Instant::now();
    let mut bench = Bench::new(contract, subject, &check.id, options);
    let mut ending = area::make(check, &mut bench).await;
    let mut found = Vec::new();
    for pause in AGAIN {
        if !matches!(ending, Ending::Stopped(Stop::Lost(_) | Stop::Unanswered(_))) {
            break;
        }
        // Once more with a connection for each request, before a subject is said to have broken one off.
        tokio::time::sleep(pause).await;
        let requests = bench.requests;
        bench = Bench::new(contract, subject, &check.id, options);
        bench.wire = &subject.fresh;
        ending = area::make(check, &mut bench).await;
        bench.requests += requests;
        if let Ending::Stopped(Stop::Unanswered(reason)) = &ending {
            let unanswered = bench.found("an answer", reason.clone());
            if bench.is_alive().await {
                found.push(unanswered);
            }
        }
    }
    // Who never answers one kind of call, time after time, and all others in between, does not conform. Who answers none
    // cannot be judged, nor can one who was away for a moment.
    if found.len() == AGAIN.len()
        && let Some(found) = found.pop()
    {
        ending = Ending::Stopped(found);
    }
    let mut report = CheckReport {
        id: check.id.clone(),
        tier: check.tier,
        result: CheckResult::Passed,
        statement: check.statement.clone(),
        citation: check.citation.clone(),
        requests: bench.requests,
        duration_ms: millis(started),
        given: Vec::new(),
        reason: None,
        note: None,
        finding: None,
        cause: None,
        also: Vec::new(),
        transcript: Vec::new(),
    };
    if options.transcript {
        report.transcript = bench.journal.exchanges().into_iter().map(ShownExchange::from).collect();
    }
    match ending {
        Ending::Passed(given) => {
            report.given = given;
            report.note = bench.note.take();
        }
        Ending::Stopped(Stop::Found(finding)) => {
            report.result = CheckResult::Failed;
            report.finding = Some(*finding);
        }
        Ending::Stopped(Stop::Skip(reason)) => {
            report.result = CheckResult::Skipped;
            report.reason = Some(reason);
        }
        Ending::Stopped(Stop::Error(reason) | Stop::Lost(reason) | Stop::Unanswered(reason)) => {
            report.result = CheckResult::Error;
            report.reason = Some(reason);
        }
    }
    report
}

fn coverage(contract: &Contract, checks: &[CheckReport]) -> Vec<CellReport> {
    contract
        .verify()
        .cells
        .iter()
        .map(|cell| {
            let given = checks.iter().flat_map(|check| &check.given).filter(|name| **name == cell.name);
            CellReport {
                cell: cell.name.clone(),
                outcome: cell.outcome.as_str(),
                status: cell.status.to_string(),
                certainty: cell.certainty.as_str(),
                alternative: cell.alternative,
                seen: given.count() as u64,
            }
        })
        .collect()
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
