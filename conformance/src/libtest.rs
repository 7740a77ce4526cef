//! The checks as tests of a Rust server: each has its own name in `cargo test`, and `--list`, filters, `--skip` and `--exact`
//! work as they do for other tests.
//!
//! A server's `Cargo.toml` has a test without the built-in harness:
//!
//! ```toml
//! [[test]]
//! name = "conformance"
//! harness = false
//! ```
//!
//! and its `tests/conformance.rs` starts the server on a free port:
//!
//! ```no_run
//! use std::error::Error;
//! use std::process::ExitCode;
//!
//! use otp_conformance::{SubjectOptions, libtest};
//! use otp_contract::{Contract, ContractError};
//!
//! fn main() -> Result<ExitCode, ContractError> {
//!     Ok(libtest::main(vec![Contract::of_vendor("exotel")?], start))
//! }
//!
//! async fn start() -> Result<SubjectOptions, Box<dyn Error + Send + Sync>> {
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//!     let url = format!("http://{}", listener.local_addr()?);
//!     // Serve it in a task, such as `tokio::spawn(axum::serve(listener, app).into_future())`.
//!     Ok(SubjectOptions { targets: vec![url], ..SubjectOptions::default() })
//! }
//! ```
//!
//! A check that fails the run is a failed test. A check that cannot run against the server, an advisory finding and a known one
//! are ignored tests that say why. A documented response that could not be tried is a failed test: skip it if that is intended.
//!
//! May use `suite` and everything below it. It must not print: the harness does.

use std::error::Error;
use std::future::Future;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use glob::Pattern;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use otp_contract::Contract;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::OnceCell;

use crate::checks::checks;
use crate::report::{CheckResult, Report, in_brief, in_full};
use crate::runner::Options;
use crate::suite::{SubjectOptions, Suite};

/// Why a server does not start.
pub type StartError = Box<dyn Error + Send + Sync>;

/// Runs the checks of these contracts against the server that `start` starts, with default options and the arguments of the
/// program. The server starts before the first check; `--list` starts none. It may spawn tasks, which end with the tests.
pub fn main<S, F>(contracts: Vec<Contract>, start: S) -> ExitCode
where
    S: FnOnce() -> F + Send + 'static,
    F: Future<Output = Result<SubjectOptions, StartError>> + Send + 'static,
{
    main_with(&Options::with_seed(1), contracts, start)
}

/// As [`main`], with other options. Those that concern a run as a whole, which are `shard`, `jobs` and `fail_fast`, have no
/// effect: `cargo test` selects the tests and runs them. A waiver that matches nothing is not reported.
pub fn main_with<S, F>(options: &Options, contracts: Vec<Contract>, start: S) -> ExitCode
where
    S: FnOnce() -> F + Send + 'static,
    F: Future<Output = Result<SubjectOptions, StartError>> + Send + 'static,
{
    let arguments = Arguments::from_args();
    let harness = Arc::new(Harness {
        runtime: Builder::new_multi_thread().enable_all().build().map_err(|error| error.to_string()),
        contracts,
        start: Mutex::new(Some(Box::new(move || Box::pin(start())))),
        suite: OnceCell::new(),
        troubles: Mutex::default(),
    });
    let ids = harness.contracts.iter().flat_map(checks).map(|check| check.id);
    let trials = ids
        .filter(|id| options.selects(id))
        .map(|id| {
            let (harness, options) = (Arc::clone(&harness), only(options, &id));
            Trial::ignorable_test(id, move || harness.run(&options))
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The options for the check with this id alone.
fn only(options: &Options, id: &str) -> Options {
    let pattern = Pattern::new(&Pattern::escape(id)).unwrap_or_default();
    Options { only: vec![pattern], skip: Vec::new(), shard: None, fail_fast: None, ..options.clone() }
}

type Start = Box<
    dyn FnOnce() -> std::pin::Pin<Box<dyn Future<Output = Result<SubjectOptions, StartError>> + Send>> + Send,
>;

/// What the tests of one program share.
struct Harness {
    runtime: Result<Runtime, String>,
    contracts: Vec<Contract>,
    start: Mutex<Option<Start>>,
    suite: OnceCell<Result<Suite, String>>,
    /// What has already failed a test because of the set-up. It would fail every other test as well.
    troubles: Mutex<Vec<String>>,
}

impl Harness {
    fn run(&self, options: &Options) -> Result<Completion, Failed> {
        let ran = match &self.runtime {
            Ok(runtime) => runtime.block_on(self.run_check(options)),
            Err(problem) => Err(format!("cannot start the threads: {problem}")),
        };
        match ran {
            Ok(report) => outcome(&report),
            Err(trouble) => {
                let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
                if troubles.contains(&trouble) {
                    return Ok(Completion::ignored_with("the set-up failed another test"));
                }
                troubles.push(trouble.clone());
                Err(trouble.into())
            }
        }
    }

    async fn run_check(&self, options: &Options) -> Result<Report, String> {
        match self.suite.get_or_init(|| self.connect()).await {
            Ok(suite) => suite.run(options).await.map_err(|failure| failure.to_string()),
            Err(problem) => Err(problem.clone()),
        }
    }

    /// Starts the server and connects to it.
    async fn connect(&self) -> Result<Suite, String> {
        let start = self.start.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(start) = start else { return Err("the server was started before".to_owned()) };
        let subject = start().await.map_err(|error| format!("the server does not start: {error}"))?;
        let subject = SubjectOptions { require_all: true, ..subject };
        Suite::connect(self.contracts.clone(), subject).await.map_err(|failure| failure.to_string())
    }
}

/// What the report of a single check means for its test.
fn outcome(report: &Report) -> Result<Completion, Failed> {
    let Some((vendor, check)) =
        report.vendors.iter().find_map(|vendor| Some((vendor, vendor.checks.first()?)))
    else {
        return Err("the check has not run".into());
    };
    let is_untried = vendor.untried.iter().any(|untried| untried.check == check.id);
    match (check.result, &check.finding) {
        (CheckResult::Passed, _) => Ok(Completion::Completed),
        (CheckResult::Failed, Some(finding)) if check.gates => Err(in_full(check, finding).into()),
        // A failed check has a finding. If it ever had none, it must still fail.
        (CheckResult::Failed, None) => Err(check.statement.as_str().into()),
        (CheckResult::Error, _) => Err(in_brief(check).into()),
        (CheckResult::Skipped, _) if is_untried => {
            Err(format!("a documented response could not be tried: {}", in_brief(check)).into())
        }
        (CheckResult::Failed, _) => {
            Ok(Completion::ignored_with(format!("advisory finding: {}", in_brief(check))))
        }
        (CheckResult::Known, _) => {
            Ok(Completion::ignored_with(format!("known finding: {}", in_brief(check))))
        }
        (CheckResult::Skipped, _) => Ok(Completion::ignored_with(in_brief(check))),
    }
}
