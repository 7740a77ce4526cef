//! What is checked: every check with its stable id, tier, one sentence, and the place that says so. Derived from a
//! contract; nothing is checked that is not listed here.

use std::collections::BTreeSet;

use otp_contract::{Cell, Certainty, Contract, Mode, Outcome, Situation, Source};
use serde::Serialize;

use crate::area::{Probe, probes};

/// One assertion about a subject.
#[derive(Debug, Clone)]
pub struct Check {
    /// `vendor/area/name`; it never changes its meaning.
    pub id: String,
    /// The area.
    pub area: Area,
    /// Whether it gates.
    pub tier: Tier,
    /// One sentence.
    pub statement: String,
    /// Where the vendor says so.
    pub citation: Source,
    /// How sure it is that the vendor says so.
    pub certainty: Certainty,
    /// How it is made.
    pub making: Making,
}

/// How a check is made.
#[derive(Debug, Clone, Copy)]
pub enum Making {
    /// A situation is brought about, and the answer judged whole.
    Answer {
        /// The situation.
        situation: Situation,
        /// The way of calling, where the API has two.
        mode: Option<Mode>,
    },
    /// A probe of an area is run.
    Probe(&'static Probe),
}

/// A group of checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Area {
    /// Every documented answer.
    Matrix,
    /// Requests of other shapes, spellings and sizes.
    Request,
    /// Random walks over several sessions.
    Lifecycle,
    /// The limit of attempts.
    Limit,
    /// The lifetime of a code.
    Expiry,
    /// Single use.
    SingleUse,
    /// Tenants.
    Isolation,
    /// Many calls at once.
    Concurrency,
    /// What a request may set of the policy.
    Policy,
    /// Every answer, not only the first of its kind.
    Consistency,
    /// What an answer must not tell.
    Disclosure,
    /// Who calls.
    Auth,
}

impl Area {
    /// The name in check ids.
    pub fn as_str(self) -> &'static str {
        match self {
            Area::Matrix => "matrix",
            Area::Request => "request",
            Area::Lifecycle => "lifecycle",
            Area::Limit => "limit",
            Area::Expiry => "expiry",
            Area::SingleUse => "single-use",
            Area::Isolation => "isolation",
            Area::Concurrency => "concurrency",
            Area::Policy => "policy",
            Area::Consistency => "consistency",
            Area::Disclosure => "disclosure",
            Area::Auth => "auth",
        }
    }
}

/// How much a check weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// The vendor's document says so; a failure gates.
    Contract,
    /// A standard says so; advisory unless the run is strict.
    Baseline,
}

impl Tier {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Tier::Contract => "contract",
            Tier::Baseline => "baseline",
        }
    }
}

/// Every check of a contract, in the order in which they are reported.
pub fn checks(contract: &Contract) -> Vec<Check> {
    let mut found = Vec::new();
    for situation in Situation::ALL {
        for mode in [None, Some(Mode::Retry)] {
            if let Some(main) = main_cell(contract, situation, mode) {
                let suffix = mode.map(|mode| format!(".{}", mode.as_str())).unwrap_or_default();
                found.push(Check {
                    id: format!("{}/{}/{situation}{suffix}", contract.vendor, Area::Matrix.as_str()),
                    area: Area::Matrix,
                    tier: Tier::Contract,
                    statement: statement(situation, mode),
                    citation: main.source.clone(),
                    certainty: main.certainty,
                    making: Making::Answer { situation, mode },
                });
            }
        }
    }
    found.extend(probes().filter(|probe| (probe.applies)(contract)).map(|probe| of_probe(contract, probe)));
    found
}

fn of_probe(contract: &Contract, probe: &'static Probe) -> Check {
    let cell = probe.says.and_then(|situation| any_cell(contract, situation));
    let (document, section) = probe.standard;
    let standard = || Source { document: document.to_owned(), section: section.to_owned() };
    Check {
        id: format!("{}/{}/{}", contract.vendor, probe.area.as_str(), probe.name),
        area: probe.area,
        tier: if cell.is_some() { Tier::Contract } else { Tier::Baseline },
        statement: probe.statement.to_owned(),
        citation: cell.map_or_else(standard, |cell| cell.source.clone()),
        certainty: cell.map_or(Certainty::Documented, |cell| cell.certainty),
        making: Making::Probe(probe),
    }
}

/// The surest cell of a situation, in whatever way it is called.
fn any_cell(contract: &Contract, situation: Situation) -> Option<&Cell> {
    [None, Some(Mode::Retry)]
        .into_iter()
        .filter_map(|mode| main_cell(contract, situation, mode))
        .min_by_key(|cell| cell.certainty != Certainty::Documented)
}

/// The cells of any of these outcomes.
pub(crate) fn allowed_outcomes<'c>(contract: &'c Contract, outcomes: &BTreeSet<Outcome>) -> Vec<&'c Cell> {
    contract.verify().cells.iter().filter(|cell| outcomes.contains(&cell.outcome)).collect()
}

/// The cells that conform in a situation, when called in `mode`.
pub(crate) fn allowed(contract: &Contract, situation: Situation, mode: Option<Mode>) -> Vec<&Cell> {
    let fitting = |mode| {
        contract
            .verify()
            .cells
            .iter()
            .filter(move |cell| cell.answers(situation) && cell.mode == mode)
            .collect::<Vec<_>>()
    };
    let own = fitting(mode);
    if own.is_empty() { fitting(None) } else { own }
}

/// The cell that a check is cited by: the surest of those that conform.
fn main_cell(contract: &Contract, situation: Situation, mode: Option<Mode>) -> Option<&Cell> {
    let own = || contract.verify().cells.iter().filter(|cell| cell.answers(situation) && cell.mode == mode);
    own()
        .find(|cell| cell.certainty == Certainty::Documented && !cell.alternative)
        .or_else(|| own().find(|cell| !cell.alternative))
        .or_else(|| own().next())
}

fn statement(situation: Situation, mode: Option<Mode>) -> String {
    let sentence = match situation {
        Situation::Approved => "the right code for a live session is approved",
        Situation::WrongCode => "a wrong code is refused",
        Situation::Expired => "a code past its lifetime is refused, the right one too",
        Situation::AttemptsExhausted => {
            "once the limit of wrong codes is reached, every further code is refused, the right one too"
        }
        Situation::AlreadyUsed => "a code that was approved is not approved again",
        Situation::UnknownSession => "a session that does not exist is refused",
        Situation::ForeignSession => "a session of another tenant is not verifiable",
        Situation::MissingSession => "a request that names no session is refused",
        Situation::MissingCode => "a request without a code is refused",
        Situation::MalformedCode => "a code with a character outside the documented alphabet is refused",
        Situation::MalformedBody => "a body that cannot be read is refused",
        Situation::MissingCredentials => "a request without credentials is refused",
        Situation::WrongCredentials => "a request with wrong credentials is refused",
    };
    match mode {
        None => sentence.to_owned(),
        Some(Mode::Retry) => format!("{sentence}, when the request allows further attempts"),
    }
}
