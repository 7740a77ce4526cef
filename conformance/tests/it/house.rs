//! What the tests share: a sandbox in this process, a run against it, and servers that answer as a test wants.

use axum::Router;
use otp_conformance::{Options, Report, SubjectOptions, Suite};
use otp_contract::Contract;
use otp_sandbox::{Fault, Sandbox, Settings};
use tokio::net::TcpListener;

/// The ids of the built-in vendors.
pub(crate) fn vendors() -> Vec<String> {
    Contract::all().unwrap().into_iter().map(|contract| contract.vendor).collect()
}

/// All built-in contracts.
pub(crate) fn all_contracts() -> Vec<Contract> {
    Contract::all().unwrap()
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
    replica(&Sandbox::new(settings).unwrap(), 0).await
}

/// Starts a replica of a service on a free port.
pub(crate) async fn replica(service: &Sandbox, number: u32) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(service.replica(number).serve(listener, std::future::pending()));
    format!("http://{address}")
}

/// Starts a server of a test's own on a free port.
pub(crate) async fn server(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
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
        urls.push(replica(&service, number).await);
    }
    suite(contracts, &urls, &urls[0]).await.run(options).await.unwrap()
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
