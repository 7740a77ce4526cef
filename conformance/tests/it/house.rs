//! What the tests share: a sandbox in this process, a run against it, and servers that answer as a test wants.

use std::sync::Arc;

use otp_conformance::{Control, Masking, Options, Report, Subject, Wire, run};
use otp_contract::{Contract, DOCUMENTS};
use otp_sandbox::{Fault, Sandbox, Settings};
use otp_test_support::serve_replica;

pub(crate) fn vendors() -> Vec<&'static str> {
    DOCUMENTS.iter().map(|document| document.vendor).collect()
}

pub(crate) fn contracts(vendors: &[&str]) -> Vec<Contract> {
    vendors.iter().map(|vendor| Contract::of_vendor(vendor).unwrap()).collect()
}

pub(crate) fn options(seed: u64) -> Options {
    Options {
        only: Vec::new(),
        skip: Vec::new(),
        strict: false,
        seed,
        jobs: 8,
        cases: 4,
        shard: None,
        bursts: 8,
        transcript: false,
    }
}

/// Starts a sandbox on a free port; it ends with the test's runtime.
pub(crate) async fn sandbox(settings: Settings) -> String {
    serve_replica(&Sandbox::new(settings).unwrap(), 0).await
}

pub(crate) async fn subject(target: &str, control: &str) -> Subject {
    let wire = Wire::new(false).unwrap();
    let control = Control::connect(&wire, control, None).await.unwrap();
    Subject {
        targets: vec![target.to_owned()],
        control,
        wire: Arc::new(wire),
        fresh: Arc::new(Wire::fresh(false).unwrap()),
        masking: Masking::CredentialsAndCodes,
    }
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
    let contracts = contracts.into_iter().map(Arc::new).collect();
    let mut subject = subject(&urls[0], &urls[0]).await;
    subject.targets = urls;
    run(contracts, Arc::new(subject), options).await.unwrap()
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

/// Whether a check's id is among those that a fault says must find it.
pub(crate) fn is_named(fault: &Fault, id: &str) -> bool {
    let name = id.split_once('/').unwrap().1;
    fault.found_by.iter().any(|pattern| glob::Pattern::new(pattern).unwrap().matches(name))
}
