//! One run: selects checks, runs them side by side, and gathers a report.
//!
//! Every check has tenants and randomness of its own, so the order in which checks finish does not change the report.
//! May use `checks`, `harness` and `report`. It must not know what a check tests or how a report is written.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use otp_contract::Contract;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::checks::{self, Check, Tier, checks};
use crate::error::Failure;
use crate::harness::{Abort, Capacity, CheckContext, Effort, Subject};
use crate::report::{
    CellReport, CheckReport, CheckResult, Finding, KnownFinding, OperationReport, Preflight, Report, SCHEMA,
    ShownExchange, StaleWaiver, Stopped, Summary, Untried, VendorReport, Verdict, link_causes,
};
use crate::waiver::{Day, Waiver};

/// What a run does.
#[derive(Debug, Clone)]
pub struct Options {
    /// Runs only the checks whose id matches one of these patterns; all of them if there is none.
    pub only: Vec<glob::Pattern>,
    /// Leaves out the checks whose id matches one of these patterns.
    pub skip: Vec<glob::Pattern>,
    /// Whether baseline checks fail the run.
    pub strict: bool,
    /// After how many checks that fail the run it stops; it never stops for them if there is none.
    pub fail_fast: Option<usize>,
    /// The seed from which every choice follows.
    pub seed: u64,
    /// Runs slice I of N of the checks; the first slice is 1.
    pub shard: Option<(usize, usize)>,
    /// How many checks run at the same time; as many as the subject keeps up with if there is no number.
    pub jobs: Option<usize>,
    /// How many random walks the lifecycle check of each vendor runs.
    pub cases: u32,
    /// How many bursts each concurrency check sends; with fewer than 30, a race may well go unnoticed.
    pub bursts: u32,
    /// The findings that do not fail the run.
    pub waivers: Vec<Waiver>,
    /// Whether the report keeps the exchanges of checks that passed.
    pub transcript: bool,
    /// Where the run reports its progress.
    pub events: Option<UnboundedSender<Event>>,
}

impl Options {
    /// The default options with this seed.
    pub fn with_seed(seed: u64) -> Options {
        Options {
            only: Vec::new(),
            skip: Vec::new(),
            strict: false,
            fail_fast: None,
            seed,
            shard: None,
            jobs: None,
            cases: 16,
            bursts: 30,
            waivers: Vec::new(),
            transcript: false,
            events: None,
        }
    }

    fn effort(&self) -> Effort {
        Effort { seed: self.seed, cases: self.cases, bursts: self.bursts }
    }

    /// Whether `--only` and `--skip` leave this check. Former ids select it as well, and ids without the vendor, as reports
    /// print them.
    pub(crate) fn selects(&self, id: &str) -> bool {
        let matched = |patterns: &[glob::Pattern]| patterns.iter().any(|pattern| checks::names(pattern, id));
        (self.only.is_empty() || matched(&self.only)) && !matched(&self.skip)
    }
}

/// Something that happened during a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The run starts.
    Started {
        /// How many checks it has.
        checks: usize,
    },
    /// A check has ended.
    Finished {
        /// Its id.
        id: String,
        /// Its result.
        result: CheckResult,
        /// Whether it fails the run.
        fails: bool,
        /// How many requests it sent to the subject.
        requests: u64,
        /// How long it took.
        duration_ms: u64,
    },
}

/// Checks `subject` against `contracts`, until all checks have ended or `stop` has. The report has the checks that have ended
/// by then.
pub(crate) async fn run(
    contracts: &[Arc<Contract>],
    subject: &Arc<Subject>,
    options: &Options,
    latency: Duration,
    stop: impl Future<Output = ()>,
) -> Result<Report, Failure> {
    let started = Instant::now();
    let selected = select(contracts, options)?;
    let (finished, stopped) = run_all(selected, subject, options, latency, stop).await?;
    let vendors = vendor_reports(contracts, finished);
    let all = || vendors.iter().flat_map(|vendor| &vendor.checks);
    let mut verdict = Verdict::worst(vendors.iter().map(|vendor| vendor.verdict));
    if stopped.is_some() && verdict == Verdict::Conformant {
        // Without the rest, what passed says only that much.
        verdict = if all().next().is_some() { Verdict::Partial } else { Verdict::Inconclusive };
    }
    let stale_waivers = stale_waivers(contracts, &vendors, &options.waivers);
    if !stale_waivers.is_empty() {
        verdict = Verdict::Nonconformant;
    }
    Ok(Report {
        schema: SCHEMA,
        suite: env!("CARGO_PKG_VERSION"),
        seed: options.seed,
        strict: options.strict,
        duration_ms: millis_since(started),
        requests: subject.requests(),
        targets: subject.targets.clone(),
        setup: None,
        preflight: Preflight { latency_us: u64::try_from(latency.as_micros()).ok(), problem: None },
        partial: stopped.is_some() || verdict == Verdict::Partial,
        verdict,
        stale_waivers,
        stopped,
        summary: Summary::over(all()),
        available: contracts.iter().map(|contract| checks(contract).len()).sum(),
        vendors,
    })
}

fn select(contracts: &[Arc<Contract>], options: &Options) -> Result<Vec<(Arc<Contract>, Check)>, Failure> {
    let mut selected = Vec::new();
    for contract in contracts {
        for check in checks(contract) {
            if options.selects(&check.id) {
                selected.push((Arc::clone(contract), check));
            }
        }
    }
    if let Some((slice, of)) = options.shard {
        let mut index = 0;
        selected.retain(|_| {
            index += 1;
            index % of == slice % of
        });
    }
    if selected.is_empty() {
        let vendors: Vec<_> = contracts.iter().map(|contract| contract.vendor.as_str()).collect();
        let mut text = format!(
            "--only, --skip and --shard exclude every check that `checks` lists for {}",
            vendors.join(", ")
        );
        if let [pattern] = options.only.as_slice() {
            let close = close_to(pattern.as_str(), contracts);
            if !close.is_empty() {
                text.push_str(&format!("; close to `{pattern}` are {}", close.join(", ")));
            }
        }
        return Err(Failure::NothingSelected(text));
    }
    Ok(selected)
}

/// The ids, without their vendors, that are most similar to `pattern`.
fn close_to(pattern: &str, contracts: &[Arc<Contract>]) -> Vec<String> {
    const MOST: usize = 3;
    /// Below this, two names have little in common.
    const SIMILAR: f64 = 0.75;
    let asked = match pattern.split_once('/') {
        Some((vendor, name)) if contracts.iter().any(|contract| contract.vendor == vendor) => name,
        _ => pattern,
    };
    let mut names: Vec<String> = contracts
        .iter()
        .flat_map(|contract| checks(contract))
        .filter_map(|check| check.id.split_once('/').map(|(_, name)| name.to_owned()))
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut ranked: Vec<(f64, String)> =
        names.into_iter().map(|name| (strsim::jaro_winkler(asked, &name), name)).collect();
    ranked.retain(|(similarity, _)| *similarity > SIMILAR);
    ranked.sort_by(|one, other| other.0.total_cmp(&one.0));
    ranked.into_iter().take(MOST).map(|(_, name)| name).collect()
}

/// The checks that have ended, each with its vendor.
type Finished = Vec<(String, CheckReport)>;

/// Runs the checks side by side, and returns those that have ended, in the order of the selection, and why the others have
/// not.
async fn run_all(
    selected: Vec<(Arc<Contract>, Check)>,
    subject: &Arc<Subject>,
    options: &Options,
    latency: Duration,
    stop: impl Future<Output = ()>,
) -> Result<(Finished, Option<Stopped>), Failure> {
    let send = |event| {
        // Nobody has to listen.
        let _ = options.events.as_ref().map(|events| events.send(event));
    };
    send(Event::Started { checks: selected.len() });
    let capacity = Arc::new(Capacity::new(options.jobs, latency));
    let mut running = JoinSet::new();
    // With prepared sessions, a check waits for the end of the one before it, so that each gets the same ones in every run.
    let is_in_order = subject.control.fixtures().is_some();
    let mut previous: Option<oneshot::Receiver<()>> = None;
    for (index, (contract, check)) in selected.into_iter().enumerate() {
        let (done, next) = oneshot::channel();
        let turn = previous.replace(next).filter(|_| is_in_order);
        let (capacity, subject) = (Arc::clone(&capacity), Arc::clone(subject));
        let (effort, transcript) = (options.effort(), options.transcript);
        running.spawn(async move {
            let _done: oneshot::Sender<()> = done;
            if let Some(turn) = turn {
                // The sender is dropped, which is an error, when that check has ended.
                let _ = turn.await;
            }
            let _permit = capacity.permits().acquire().await;
            let report = run_check(&contract, &check, &subject, &capacity, effort, transcript).await;
            (index, contract.vendor.clone(), report)
        });
    }
    let mut finished = BTreeMap::new();
    let mut failed = 0;
    let mut stopped = None;
    let mut stop = std::pin::pin!(stop);
    let mut adapting = std::pin::pin!(capacity.adapt(|| subject.responses()));
    while stopped.is_none() {
        let joined = tokio::select! {
            // What has ended counts, even if both happen at once.
            biased;
            joined = running.join_next() => joined,
            () = &mut stop => {
                stopped = Some(Stopped::Signal);
                break;
            }
            () = &mut adapting => break,
        };
        let Some(joined) = joined else { break };
        // A panic in a check is a bug of the suite, and must not look like a check that was not selected.
        let (index, vendor, mut report) = joined.map_err(|error| Failure::Internal(error.to_string()))?;
        report.gates = options.strict || report.tier == Tier::Contract;
        waive(&mut report, &options.waivers);
        let fails = report.result == CheckResult::Failed && report.gates;
        failed += usize::from(fails);
        send(Event::Finished {
            id: report.id.clone(),
            result: report.result,
            fails,
            requests: report.requests,
            duration_ms: report.duration_ms,
        });
        finished.insert(index, (vendor, report));
        if options.fail_fast.is_some_and(|limit| failed >= limit) && !running.is_empty() {
            stopped = Some(Stopped::FailFast);
        }
    }
    running.shutdown().await;
    Ok((finished.into_values().collect(), stopped))
}

fn vendor_reports(contracts: &[Arc<Contract>], finished: Vec<(String, CheckReport)>) -> Vec<VendorReport> {
    let mut by_vendor = BTreeMap::<String, Vec<CheckReport>>::new();
    for (vendor, report) in finished {
        by_vendor.entry(vendor).or_default().push(report);
    }
    contracts
        .iter()
        .filter_map(|contract| {
            let mut checks = by_vendor.remove(&contract.vendor)?;
            link_causes(&mut checks);
            Some(VendorReport {
                vendor: contract.vendor.clone(),
                name: contract.name.clone(),
                operations: OperationReport::all(contract),
                verdict: Verdict::over(&checks),
                untried: Untried::all(&checks),
                cells: CellReport::all(contract, &checks),
                checks,
            })
        })
        .collect()
}

/// Marks a failed check as known if a waiver that still holds covers it.
fn waive(check: &mut CheckReport, waivers: &[Waiver]) {
    if check.result != CheckResult::Failed {
        return;
    }
    let today = Day::today();
    let status = check.last_status();
    let waiver = waivers
        .iter()
        .find(|waiver| waiver.is_about(&check.id) && waiver.covers(status) && !waiver.has_run_out(today));
    if let Some(waiver) = waiver {
        check.result = CheckResult::Known;
        check.gates = false;
        check.waiver = Some(KnownFinding {
            reason: waiver.reason.clone(),
            until: waiver.until.map(|until| until.to_string()),
        });
    }
}

/// The waivers that have run out, name no check, or name checks that ran without a finding that they cover. One whose checks
/// have not run is left alone.
fn stale_waivers(
    contracts: &[Arc<Contract>],
    vendors: &[VendorReport],
    waivers: &[Waiver],
) -> Vec<StaleWaiver> {
    let today = Day::today();
    let ran: Vec<_> = vendors.iter().flat_map(|vendor| &vendor.checks).collect();
    let problem = |waiver: &Waiver| {
        if let (true, Some(until)) = (waiver.has_run_out(today), waiver.until) {
            return Some(format!("it ran out on {until}"));
        }
        let exists =
            || contracts.iter().flat_map(|contract| checks(contract)).any(|check| waiver.is_about(&check.id));
        let mut about = ran.iter().filter(|check| waiver.is_about(&check.id)).peekable();
        let is_undecided = |check: &&&CheckReport| {
            matches!(check.result, CheckResult::Skipped | CheckResult::Error)
                || check.waiver.is_some() && waiver.covers(check.last_status())
        };
        match about.peek().is_some() {
            false if exists() => None,
            false => Some("no check has this id".to_owned()),
            true if about.any(|check| is_undecided(&check)) => None,
            true => Some("no finding is covered by it any more".to_owned()),
        }
    };
    waivers
        .iter()
        .filter_map(|waiver| {
            Some(StaleWaiver {
                check: waiver.check.as_str().to_owned(),
                reason: waiver.reason.clone(),
                problem: problem(waiver)?,
            })
        })
        .collect()
}

/// The pauses before a check whose connection broke runs again.
const RETRY_PAUSES: [Duration; 2] = [Duration::ZERO, Duration::from_millis(500)];

async fn run_check(
    contract: &Contract,
    check: &Check,
    subject: &Subject,
    capacity: &Arc<Capacity>,
    effort: Effort,
    transcript: bool,
) -> CheckReport {
    let started = Instant::now();
    let context = |client| {
        let mut context =
            CheckContext::new(contract, check.role, subject, client, &check.id, effort, check.basis);
        context.capacity = Some(Arc::clone(capacity));
        context
    };
    let mut current = context(&subject.pooled);
    let mut result = checks::run(check, &mut current).await;
    let mut unanswered = Vec::new();
    for pause in RETRY_PAUSES {
        if !matches!(result, Err(Abort::ConnectionLost(_) | Abort::NoResponse(_))) {
            break;
        }
        // A pooled connection may have been closed for good reasons, so the check runs again over new connections.
        tokio::time::sleep(pause).await;
        let requests = current.requests;
        current = context(&subject.unpooled);
        result = checks::run(check, &mut current).await;
        current.requests += requests;
        if let Err(Abort::NoResponse(reason)) = &result {
            let deviation = current.deviation("a response", reason.clone());
            if current.every_target_responds().await {
                unanswered.push(deviation);
            }
        }
    }
    // A subject that never responds to one kind of call, but to all others in between, does not conform. One that does not
    // respond at all, or was away for a moment, cannot be judged.
    if unanswered.len() == RETRY_PAUSES.len()
        && let Some(deviation) = unanswered.pop()
    {
        result = Err(deviation);
    }
    if let Err(Abort::Deviation(deviation)) = result {
        result = Err(Abort::Deviation(Box::new(current.shrunk(*deviation).await)));
    }
    let mut report = check_report(check, result, &mut current, effort.seed);
    report.duration_ms = millis_since(started);
    if transcript {
        report.transcript = current.recording.exchanges().into_iter().map(ShownExchange::from).collect();
    }
    report
}

fn check_report(
    check: &Check,
    result: Result<Vec<String>, Abort>,
    context: &mut CheckContext<'_>,
    seed: u64,
) -> CheckReport {
    let mut report = CheckReport {
        id: check.id.clone(),
        area: check.area,
        tier: check.tier(),
        basis: check.basis,
        // Known once the finding is.
        gates: false,
        result: CheckResult::Passed,
        statement: check.statement.clone(),
        citation: check.citation.clone(),
        requests: context.requests,
        duration_ms: 0,
        given: Vec::new(),
        reason: None,
        note: None,
        waiver: None,
        finding: None,
        observation: None,
        cause: None,
        also: Vec::new(),
        transcript: Vec::new(),
    };
    match result {
        Ok(given) => {
            report.given = given;
            report.note = context.note.take();
        }
        Err(Abort::Deviation(deviation)) => {
            report.result = CheckResult::Failed;
            report.basis = check.basis_of_finding(deviation.basis);
            report.tier = Tier::of(report.basis);
            if let Some(source) = &deviation.source {
                report.citation = source.clone();
            }
            report.observation = Some(deviation.observation.clone());
            report.finding = Some(Finding::new(
                (&check.id, &check.statement),
                context.contract,
                context.subject,
                *deviation,
                seed,
            ));
        }
        Err(Abort::Skip(reason)) => {
            report.result = CheckResult::Skipped;
            report.reason = Some(reason);
        }
        Err(Abort::Error(reason) | Abort::ConnectionLost(reason) | Abort::NoResponse(reason)) => {
            report.result = CheckResult::Error;
            report.reason = Some(reason);
        }
    }
    report
}

fn millis_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}
