//! Every check of a contract, derived from its operations: nothing runs that is not listed here.

use otp_contract::{Cell, Certainty, Contract, Mode, Operation, Role, Situation, Source};

use super::probe::Probe;
use super::request::{delivery, encoding, shape, spelling};
use super::{
    Area, Check, CheckKind, Tier, auth, concurrency, consistency, disclosure, expiry, isolation, lifecycle,
    limit, matrix, policy, single_use,
};
use crate::harness::{Abort, CheckContext};
use crate::oracle::main_cell;

/// Every check of a contract, in the order in which reports list them.
pub(crate) fn checks(contract: &Contract) -> Vec<Check> {
    contract.operations().iter().flat_map(|operation| checks_of(contract, operation)).collect()
}

/// Runs one check. Returns the names of the cells that the subject gave.
pub(crate) async fn run(check: &Check, context: &mut CheckContext<'_>) -> Result<Vec<String>, Abort> {
    match check.kind {
        CheckKind::Matrix { situation, mode } => matrix::run(situation, mode, context).await,
        CheckKind::Probe(probe) => (probe.run)(context).await.map(|()| Vec::new()),
    }
}

/// The checks of one operation: its matrix, and the probes of its role.
fn checks_of(contract: &Contract, operation: &Operation) -> Vec<Check> {
    let mut found = Vec::new();
    for situation in Situation::ALL {
        for mode in [None, Some(Mode::Retry)] {
            if let Some(cell) = main_cell(operation, situation, mode) {
                found.push(matrix_check(contract, operation, situation, mode, cell));
            }
        }
    }
    let applicable = probes(operation.role).filter(|probe| (probe.applies)(contract));
    found.extend(applicable.map(|probe| probe_check(contract, operation, probe)));
    found
}

/// The probes for operations with this role, area by area.
fn probes(role: Role) -> impl Iterator<Item = &'static Probe> {
    let tables: &[&[Probe]] = match role {
        Role::Verify => &[
            shape::PROBES,
            spelling::PROBES,
            encoding::PROBES,
            delivery::PROBES,
            lifecycle::PROBES,
            limit::PROBES,
            expiry::PROBES,
            single_use::PROBES,
            isolation::PROBES,
            concurrency::PROBES,
            policy::PROBES,
            consistency::PROBES,
            disclosure::PROBES,
            auth::PROBES,
        ],
    };
    tables.iter().copied().flatten()
}

/// `vendor/area/name` for the verify call; other roles stand before the area.
fn id(contract: &Contract, operation: &Operation, area: Area, name: &str) -> String {
    match operation.role {
        Role::Verify => format!("{}/{}/{name}", contract.vendor, area.as_str()),
    }
}

fn matrix_check(
    contract: &Contract,
    operation: &Operation,
    situation: Situation,
    mode: Option<Mode>,
    cell: &Cell,
) -> Check {
    let suffix = mode.map(|mode| format!(".{}", mode.as_str())).unwrap_or_default();
    Check {
        id: id(contract, operation, Area::Matrix, &format!("{situation}{suffix}")),
        role: operation.role,
        area: Area::Matrix,
        tier: Tier::Contract,
        statement: statement(situation, mode),
        citation: cell.source.clone(),
        certainty: cell.certainty,
        kind: CheckKind::Matrix { situation, mode },
    }
}

fn probe_check(contract: &Contract, operation: &Operation, probe: &'static Probe) -> Check {
    let cell = probe.source.and_then(|situation| most_certain_cell(operation, situation));
    let (document, section) = probe.standard;
    let standard = || Source { document: document.to_owned(), section: section.to_owned() };
    Check {
        id: id(contract, operation, probe.area, probe.name),
        role: operation.role,
        area: probe.area,
        tier: if cell.is_some() { Tier::Contract } else { Tier::Baseline },
        statement: probe.statement.to_owned(),
        citation: cell.map_or_else(standard, |cell| cell.source.clone()),
        certainty: cell.map_or(Certainty::Documented, |cell| cell.certainty),
        kind: CheckKind::Probe(probe),
    }
}

/// The cell of a situation that is backed best, for any way of calling.
fn most_certain_cell(operation: &Operation, situation: Situation) -> Option<&Cell> {
    [None, Some(Mode::Retry)]
        .into_iter()
        .filter_map(|mode| main_cell(operation, situation, mode))
        .min_by_key(|cell| cell.certainty != Certainty::Documented)
}

fn statement(situation: Situation, mode: Option<Mode>) -> String {
    let sentence = match situation {
        Situation::Approved => "the right code for a live session is approved",
        Situation::WrongCode => "a wrong code is refused",
        Situation::Expired => "every code is refused after its lifetime, even the right one",
        Situation::AttemptsExhausted => {
            "after the limit of wrong codes, every code is refused, even the right one"
        }
        Situation::AlreadyUsed => "a code that was approved is not approved again",
        Situation::UnknownSession => "a session that does not exist is refused",
        Situation::ForeignSession => "a session of another tenant cannot be verified",
        Situation::MissingSession => "a request without a session is refused",
        Situation::MissingCode => "a request without a code is refused",
        Situation::MalformedCode => "a code with a character outside the documented alphabet is refused",
        Situation::MalformedBody => "a body that cannot be parsed is refused",
        Situation::MissingCredentials => "a request without credentials is refused",
        Situation::WrongCredentials => "a request with wrong credentials is refused",
    };
    match mode {
        None => sentence.to_owned(),
        Some(Mode::Retry) => format!("{sentence}, if the request allows further attempts"),
    }
}
