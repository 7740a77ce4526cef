//! Each fault shows in a scenario of its own, for each vendor to which it applies, and a sandbox without faults
//! responds to the same scenario in the same way every time. A fault without a scenario is covered by `faults` alone.

mod access;
mod client;
mod expected;
mod reading;
mod sessions;
mod situations;
mod storage;

use std::collections::BTreeMap;

use otp_conformance::faults::{applies, can_find};
use otp_contract::{Contract, Situation};
use otp_sandbox::{Effect, FAULTS, Fault, Settings};

use client::ScenarioClient;
use expected::Expected;
use otp_test_support::{TestServer, contracts};
use situations::bring_about;

/// The record of a scenario against one sandbox.
struct ScenarioRun {
    transcript: Vec<String>,
    expected: Expected,
    is_approved: bool,
    status: u16,
}

impl ScenarioRun {
    fn last(&self) -> &str {
        self.transcript.last().unwrap()
    }

    /// The number at the start of the last line of a scenario with bursts.
    fn alive(&self) -> u32 {
        self.last().split(' ').next().unwrap().parse().unwrap()
    }
}

/// Plays the scenario of `fault`, if it has one.
async fn play(sandbox: &TestServer, contract: &Contract, fault: &Fault) -> Option<ScenarioRun> {
    let mut client = ScenarioClient::open(sandbox, contract).await;
    let expected = match fault.effect {
        Effect::Response(situations, _) => {
            for situation in situations {
                bring_about(&mut client, *situation).await;
            }
            Expected::Different
        }
        Effect::Intermittent(situations, _) => {
            for _ in 0..3 {
                bring_about(&mut client, situations[0]).await;
            }
            Expected::Different
        }
        Effect::Decision(defect) => sessions::play(&mut client, defect).await?,
        Effect::Storage(defect) => storage::play(&mut client, defect).await?,
        Effect::Reading(reading) => reading::play(&mut client, reading).await?,
        Effect::Access(access) => access::access(&mut client, access).await?,
        Effect::Leak(leak) => access::leak(&mut client, leak).await?,
    };
    let status = client.last.as_ref().unwrap().status;
    Some(ScenarioRun { is_approved: client.is_approved(), transcript: client.transcript, expected, status })
}

async fn faulty(contract: &Contract, fault: &'static Fault) -> TestServer {
    let settings = Settings { contracts: vec![contract.clone()], faults: vec![fault], ..Settings::default() };
    TestServer::start(settings).await
}

/// Plays the scenarios of one kind of faults.
async fn each_shows(is_selected: fn(Effect) -> bool) {
    let clean = TestServer::start_default().await;
    let mut problems = Vec::new();
    for fault in FAULTS.iter().filter(|fault| is_selected(fault.effect)) {
        for contract in contracts().into_iter().filter(|contract| applies(fault, contract)) {
            let name = format!("{} of {}", fault.name, contract.vendor);
            let Some(correct) = play(&clean, &contract, fault).await else { continue };
            let again = play(&clean, &contract, fault).await.unwrap();
            let wrong = play(&faulty(&contract, fault).await, &contract, fault).await.unwrap();
            if correct.transcript != again.transcript {
                problems.push(format!("{name}: {:#?}\nand {:#?}", correct.transcript, again.transcript));
            }
            if correct.transcript == wrong.transcript {
                problems.push(format!("{name} does not show in {:#?}", wrong.transcript));
            }
            let is_as_expected = match wrong.expected {
                Expected::Approved => wrong.is_approved && !correct.is_approved,
                Expected::Refused => !wrong.is_approved && correct.is_approved,
                Expected::ServerError => wrong.status == 500 && (400..500).contains(&correct.status),
                Expected::Contains(text) => wrong.last().contains(text) && !correct.last().contains(text),
                Expected::Lacks(text) => !wrong.last().contains(text) && correct.last().contains(text),
                Expected::MoreAlive => wrong.alive() > correct.alive(),
                Expected::Different => true,
            };
            if !is_as_expected {
                problems.push(format!(
                    "{name} is not {:?}: {:#?}\ninstead of {:#?}",
                    wrong.expected, wrong.transcript, correct.transcript
                ));
            }
        }
    }
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
}

#[tokio::test]
async fn each_fault_in_responses_shows_wherever_it_applies() {
    each_shows(|effect| matches!(effect, Effect::Response(..) | Effect::Intermittent(..))).await;
}

#[tokio::test]
async fn each_fault_in_decisions_shows_wherever_it_applies() {
    each_shows(|effect| matches!(effect, Effect::Decision(_) | Effect::Storage(_))).await;
}

#[tokio::test]
async fn each_fault_in_reading_shows_wherever_it_applies() {
    each_shows(|effect| matches!(effect, Effect::Reading(_))).await;
}

#[tokio::test]
async fn each_fault_in_access_and_each_leak_shows_wherever_it_applies() {
    each_shows(|effect| matches!(effect, Effect::Access(_) | Effect::Leak(_))).await;
}

/// Whether the matrix check of `situation`, in either mode, can find the fault.
fn is_found_by_matrix(fault: &Fault, situation: Situation) -> bool {
    ["", ".retry"].iter().any(|mode| can_find(&format!("any/matrix/{situation}{mode}"), fault))
}

#[tokio::test]
async fn no_fault_changes_a_response_of_the_matrix_that_the_matrix_need_not_find() {
    let clean = TestServer::start_default().await;
    let mut problems = Vec::new();
    for contract in contracts() {
        let documented = || {
            Situation::ALL
                .into_iter()
                .filter(|situation| contract.verify().cells.iter().any(|cell| cell.answers(*situation)))
        };
        let mut correct = BTreeMap::new();
        for situation in documented() {
            let mut client = ScenarioClient::open(&clean, &contract).await;
            correct.insert(situation, bring_about(&mut client, situation).await);
        }
        // Faults in responses name their situations themselves, and the matrix ignores what a leak adds.
        let is_selected = |fault: &&Fault| {
            let is_about_responses =
                matches!(fault.effect, Effect::Response(..) | Effect::Intermittent(..) | Effect::Leak(_));
            !is_about_responses && applies(fault, &contract)
        };
        for fault in FAULTS.iter().filter(is_selected) {
            let sandbox = faulty(&contract, fault).await;
            for situation in documented().filter(|situation| !is_found_by_matrix(fault, *situation)) {
                let mut client = ScenarioClient::open(&sandbox, &contract).await;
                let responses = bring_about(&mut client, situation).await;
                let pairs = correct[&situation].iter().zip(&responses);
                for (correct, response) in pairs.filter(|(correct, response)| correct != response) {
                    problems.push(format!(
                        "{} of {} changes {situation}: {correct}\nto {response}",
                        fault.name, contract.vendor
                    ));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
}
