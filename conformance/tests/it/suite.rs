//! What the tests share: runs of the suite against a sandbox in the same process.

use otp_conformance::{CheckReport, Options, Report, SubjectOptions, Suite};
use otp_contract::Contract;
use otp_sandbox::{Fault, Sandbox, Settings};
use otp_test_support::serve_replica;

/// The ids of the built-in vendors.
pub(crate) fn vendors() -> Vec<String> {
    Contract::all().unwrap().into_iter().map(|contract| contract.vendor).collect()
}

/// The contracts of these vendors.
pub(crate) fn contracts(vendors: &[&str]) -> Vec<Contract> {
    vendors.iter().map(|vendor| Contract::of_vendor(vendor).unwrap()).collect()
}

/// Options for short runs.
pub(crate) fn options(seed: u64) -> Options {
    Options { jobs: Some(8), cases: 4, bursts: 8, ..Options::with_seed(seed) }
}

/// Starts a sandbox on a free port; it ends with the test's runtime.
pub(crate) async fn sandbox(settings: Settings) -> String {
    serve_replica(&Sandbox::new(settings).unwrap(), 0).await
}

/// A suite that is connected to these targets, with the control at `control`.
pub(crate) async fn suite(contracts: Vec<Contract>, targets: &[String], control: &str) -> Suite {
    let subject = SubjectOptions {
        targets: targets.to_vec(),
        control: Some(control.to_owned()),
        ..SubjectOptions::default()
    };
    Suite::connect(contracts, subject).await.unwrap()
}

/// Runs the suite against a sandbox that is started for it.
pub(crate) async fn check(
    contracts: Vec<Contract>,
    faults: Vec<&'static Fault>,
    prefer: Vec<String>,
    options: &Options,
) -> Report {
    let replicas = faults.iter().map(|fault| fault.replicas()).max().unwrap_or(1);
    let settings = Settings { contracts: contracts.clone(), faults, prefer, ..Settings::default() };
    let service = Sandbox::new(settings).unwrap();
    let mut urls = Vec::new();
    for number in 0..replicas {
        urls.push(serve_replica(&service, number).await);
    }
    suite(contracts, &urls, &urls[0]).await.run(options).await.unwrap()
}

/// Runs the suite with the contract of `vendor` against a sandbox that serves another document.
pub(crate) async fn check_other(vendor: &str, served: &str, options: &Options) -> Report {
    check_served(Contract::of_vendor(vendor).unwrap(), served, options).await
}

/// Runs the suite with this contract against a sandbox that serves another document.
pub(crate) async fn check_served(contract: Contract, served: &str, options: &Options) -> Report {
    let other = Contract::from_yaml("served.yaml", served).unwrap();
    let settings = Settings { contracts: vec![other], ..Settings::default() };
    let url = sandbox(settings).await;
    suite(vec![contract], std::slice::from_ref(&url), &url).await.run(options).await.unwrap()
}

/// The checks whose findings fail the run.
pub(crate) fn gating(report: &Report) -> Vec<&CheckReport> {
    let checks = report.vendors.iter().flat_map(|vendor| &vendor.checks);
    checks.filter(|check| check.finding.is_some() && check.basis.gates()).collect()
}

/// The ids of the checks that failed.
pub(crate) fn failed(report: &Report) -> Vec<&str> {
    report
        .vendors
        .iter()
        .flat_map(|vendor| &vendor.checks)
        .filter(|check| check.finding.is_some())
        .map(|check| check.id.as_str())
        .collect()
}
