//! Every check of a contract, derived from its operations: nothing runs that is not listed here.

use otp_contract::{Cell, Contract, Mode, Operation, Situation, Source};

use super::probe::{Authority, Probe};
use super::request::{delivery, encoding, shape, spelling};
use super::{
    Area, Check, CheckKind, auth, concurrency, consistency, disclosure, expiry, isolation, lifecycle, limit,
    matrix, policy, single_use,
};
use crate::harness::{Abort, CheckContext};
use crate::oracle::{Basis, main_cell};

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

/// The checks of one operation: its matrix, and the probes.
fn checks_of(contract: &Contract, operation: &Operation) -> Vec<Check> {
    let mut found = Vec::new();
    for situation in Situation::ALL {
        for mode in [None, Some(Mode::Retry)] {
            if let Some(cell) = main_cell(operation, situation, mode) {
                found.push(matrix_check(contract, operation, situation, mode, cell));
            }
        }
    }
    let applicable = probes().filter(|probe| (probe.applies)(contract));
    found.extend(applicable.map(|probe| probe_check(contract, operation, probe)));
    found
}

/// The probes of the verify operation, area by area.
fn probes() -> impl Iterator<Item = &'static Probe> {
    let tables: [&[Probe]; 14] = [
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
    ];
    tables.into_iter().flatten()
}

fn id(contract: &Contract, area: Area, name: &str) -> String {
    format!("{}/{}/{name}", contract.vendor, area.as_str())
}

fn matrix_check(
    contract: &Contract,
    operation: &Operation,
    situation: Situation,
    mode: Option<Mode>,
    cell: &Cell,
) -> Check {
    let suffix = mode.map(|mode| format!(".{}", mode.as_str())).unwrap_or_default();
    let is_documented = cell.is_documented_for(situation);
    Check {
        id: id(contract, Area::Matrix, &format!("{situation}{suffix}")),
        role: operation.role,
        area: Area::Matrix,
        basis: if is_documented { Basis::Documented } else { Basis::Inferred },
        statement: statement(situation, mode),
        citation: cell
            .facts
            .situations
            .get(&situation)
            .map_or(&cell.source, |backing| &backing.source)
            .clone(),
        kind: CheckKind::Matrix { situation, mode },
    }
}

fn probe_check(contract: &Contract, operation: &Operation, probe: &'static Probe) -> Check {
    let (document, section) = probe.standard;
    let standard = || Source { document: document.to_owned(), section: section.to_owned() };
    let cell = probe.authority.situation().and_then(|situation| {
        most_certain_cell(operation, situation).filter(|cell| cell.is_documented_for(situation))
    });
    // A limit that only the subject states is held to as well, but no page asks for it.
    let has_limit = contract.policy.attempts.is_some();
    let is_without_limit = probe.authority.situation() == Some(Situation::AttemptsExhausted) && !has_limit;
    let (basis, citation) = match probe.authority {
        Authority::Standard => (Basis::Standard, None),
        _ if is_without_limit => (Basis::Standard, None),
        Authority::Safety(_) => (Basis::Safety, cell.map(|cell| cell.source.clone())),
        Authority::Page(_) => match cell {
            Some(cell) => (Basis::Documented, Some(cell.source.clone())),
            None => (Basis::Inferred, None),
        },
        Authority::Number(number) => match number.backing(&contract.policy) {
            Some(backing) if backing.is_documented() => (Basis::Documented, Some(backing.source.clone())),
            _ => (Basis::Inferred, None),
        },
    };
    Check {
        id: id(contract, probe.area, probe.name),
        role: operation.role,
        area: probe.area,
        basis,
        statement: probe.statement.to_owned(),
        citation: citation.unwrap_or_else(standard),
        kind: CheckKind::Probe(probe),
    }
}

/// The cell of a situation that is backed best, for any way of calling.
fn most_certain_cell(operation: &Operation, situation: Situation) -> Option<&Cell> {
    [None, Some(Mode::Retry)]
        .into_iter()
        .filter_map(|mode| main_cell(operation, situation, mode))
        .min_by_key(|cell| !cell.is_documented_for(situation))
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
