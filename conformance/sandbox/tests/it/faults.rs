//! Each fault shows, for every vendor it is said to apply to, in an exchange made for it; and a sandbox without faults
//! answers the same exchange the same way every time.

use std::collections::BTreeMap;

use otp_contract::{Contract, Situation};
use otp_sandbox::{Effect, FAULTS, Fault, Settings};

use crate::faults_plays::{Ending, bring_about, play};
use crate::faults_stage::Stage;
use otp_test_support::{TestServer, contracts};

struct Played {
    transcript: Vec<String>,
    ending: Ending,
    is_approved: bool,
    status: u16,
}

impl Played {
    fn last(&self) -> &str {
        self.transcript.last().unwrap()
    }

    /// The number at the start of the last line, where answers were counted.
    fn count(&self) -> u32 {
        self.last().split(' ').next().unwrap().parse().unwrap()
    }
}

async fn played(house: &TestServer, contract: &Contract, fault: &Fault) -> Played {
    let mut stage = Stage::open(house, contract).await;
    let ending = play(&mut stage, fault).await;
    let status = stage.last.as_ref().unwrap().status;
    Played { is_approved: stage.is_approved(), transcript: stage.transcript, ending, status }
}

async fn faulty(contract: &Contract, fault: &'static Fault) -> TestServer {
    let settings = Settings { contracts: vec![contract.clone()], faults: vec![fault], ..Settings::default() };
    TestServer::start(settings).await
}

/// Plays the faults of one kind.
async fn each_shows(is_meant: fn(Effect) -> bool) {
    let clean = TestServer::start_default().await;
    let mut problems = Vec::new();
    for fault in FAULTS.iter().filter(|fault| is_meant(fault.effect)) {
        let applying: Vec<_> = contracts().into_iter().filter(|contract| fault.applies(contract)).collect();
        if applying.is_empty() {
            problems.push(format!("{} applies to nobody", fault.name));
        }
        for contract in applying {
            let name = format!("{} of {}", fault.name, contract.vendor);
            let right = played(&clean, &contract, fault).await;
            let again = played(&clean, &contract, fault).await;
            let wrong = played(&faulty(&contract, fault).await, &contract, fault).await;
            if right.transcript != again.transcript {
                problems.push(format!("{name}: {:#?}\nand {:#?}", right.transcript, again.transcript));
            }
            if right.transcript == wrong.transcript {
                problems.push(format!("{name} does not show in {:#?}", wrong.transcript));
            }
            let is_as_said = match wrong.ending {
                Ending::Approved => wrong.is_approved && !right.is_approved,
                Ending::Refused => !wrong.is_approved && right.is_approved,
                Ending::Failed => wrong.status == 500 && (400..500).contains(&right.status),
                Ending::Tells(words) => wrong.last().contains(words) && !right.last().contains(words),
                Ending::Lacks(words) => !wrong.last().contains(words) && right.last().contains(words),
                Ending::More => wrong.count() > right.count(),
                Ending::Different => true,
            };
            if !is_as_said {
                problems.push(format!(
                    "{name} is not {:?}: {:#?}\ninstead of {:#?}",
                    wrong.ending, wrong.transcript, right.transcript
                ));
            }
        }
    }
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
}

#[tokio::test]
async fn each_fault_in_answers_shows_wherever_it_applies() {
    each_shows(|effect| matches!(effect, Effect::Answer(..) | Effect::Sometimes(..))).await;
}

#[tokio::test]
async fn each_fault_in_decisions_shows_wherever_it_applies() {
    each_shows(|effect| matches!(effect, Effect::Decision(_))).await;
}

#[tokio::test]
async fn each_fault_in_reading_shows_wherever_it_applies() {
    each_shows(|effect| matches!(effect, Effect::Reading(_))).await;
}

#[tokio::test]
async fn each_fault_in_access_and_each_leak_shows_wherever_it_applies() {
    each_shows(|effect| matches!(effect, Effect::Access(_) | Effect::Leak(_))).await;
}

/// Whether one of the checks that may find the fault is that of the matrix for `situation`.
fn is_in_the_matrix(fault: &Fault, situation: Situation) -> bool {
    [format!("matrix/{situation}"), format!("matrix/{situation}.retry")].iter().any(|check| {
        fault.found_by.iter().any(|pattern| match pattern.split_once('*') {
            Some((before, after)) => check.strip_prefix(before).is_some_and(|rest| rest.ends_with(after)),
            None => pattern == check,
        })
    })
}

#[tokio::test]
async fn no_fault_changes_an_answer_of_the_matrix_that_it_does_not_say_it_does() {
    let clean = TestServer::start_default().await;
    let mut problems = Vec::new();
    for contract in contracts() {
        let checked = || {
            Situation::ALL
                .into_iter()
                .filter(|situation| contract.verify().cells.iter().any(|cell| cell.answers(*situation)))
        };
        let mut proper = BTreeMap::new();
        for situation in checked() {
            let mut stage = Stage::open(&clean, &contract).await;
            proper.insert(situation, bring_about(&mut stage, situation).await);
        }
        // A fault in answers names its situations itself, and what a leak adds the matrix does not judge.
        let is_meant = |fault: &&Fault| {
            let reaches_far =
                matches!(fault.effect, Effect::Decision(_) | Effect::Reading(_) | Effect::Access(_));
            reaches_far && fault.applies(&contract)
        };
        for fault in FAULTS.iter().filter(is_meant) {
            let house = faulty(&contract, fault).await;
            for situation in checked() {
                if is_in_the_matrix(fault, situation) {
                    continue;
                }
                let mut stage = Stage::open(&house, &contract).await;
                let given = bring_about(&mut stage, situation).await;
                let pairs = proper[&situation].iter().zip(&given);
                for (proper, given) in pairs.filter(|(proper, given)| proper != given) {
                    problems.push(format!(
                        "{} of {} changes {situation}: {proper}\nto {given}",
                        fault.name, contract.vendor
                    ));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn there_are_as_many_pairs_of_fault_and_vendor_as_were_counted() {
    let pairs: Vec<_> = contracts()
        .iter()
        .map(|contract| {
            let applying = FAULTS.iter().filter(|fault| fault.applies(contract)).count();
            (contract.vendor.clone(), applying)
        })
        .collect();
    // A fault that silently applied to nobody would be found everywhere.
    let counted = [("zeckta", 159), ("kaleyra", 151), ("dailystory", 134), ("exotel", 144), ("d7", 106)];
    let counted: Vec<_> = counted.map(|(vendor, pairs)| (vendor.to_owned(), pairs)).into();
    assert_eq!(pairs, counted);
}
