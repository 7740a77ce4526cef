//! A check as data: what it asserts, what backs it, and how it runs.

use otp_contract::{Certainty, Mode, Role, Situation, Source};

use super::probe::Probe;
use super::{Area, Tier};
use crate::oracle::Basis;

/// One assertion about a subject.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    /// `vendor/area/name`. An id never changes its meaning.
    pub(crate) id: String,
    /// The role of the operation that the check calls.
    pub(crate) role: Role,
    /// The area.
    pub(crate) area: Area,
    /// What backs the check, and thereby whether a failure fails the run.
    pub(crate) basis: Basis,
    /// One sentence.
    pub(crate) statement: String,
    /// Where the vendor, or else a standard, says so.
    pub(crate) citation: Source,
    /// How the check runs.
    pub(crate) kind: CheckKind,
}

/// How a check runs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CheckKind {
    /// It creates a situation and compares the whole response with the cells of that situation.
    Matrix {
        /// The situation.
        situation: Situation,
        /// The way of calling, if the API has two.
        mode: Option<Mode>,
    },
    /// It runs the steps of a probe.
    Probe(&'static Probe),
}

impl Check {
    /// How much weight the check has.
    pub(crate) fn tier(&self) -> Tier {
        Tier::of(self.basis)
    }

    /// How certain it is that the cited place says so.
    pub(crate) fn certainty(&self) -> Certainty {
        match self.basis {
            Basis::Inferred => Certainty::Inferred,
            Basis::Safety | Basis::Documented | Basis::Standard => Certainty::Documented,
        }
    }

    /// The basis of a finding of this check. A check that rests on a standard alone never fails the run; any other may find
    /// something weightier than what backs it, such as an approval where there must be none.
    pub(crate) fn basis_of_finding(&self, contradicted: Basis) -> Basis {
        match self.basis {
            Basis::Standard => Basis::Standard,
            Basis::Safety | Basis::Documented | Basis::Inferred => contradicted,
        }
    }

    /// The situation that the check is about, if it is about one.
    pub(crate) fn situation(&self) -> Option<Situation> {
        match self.kind {
            CheckKind::Matrix { situation, .. } => Some(situation),
            CheckKind::Probe(probe) => probe.authority.situation(),
        }
    }

    /// The standard that backs the check, whether or not the vendor's document does: document and section.
    pub(crate) fn standard(&self) -> Option<(&'static str, &'static str)> {
        match self.kind {
            CheckKind::Matrix { .. } => None,
            CheckKind::Probe(probe) => Some(probe.standard),
        }
    }
}
