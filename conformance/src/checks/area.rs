//! The areas of checks, and how much weight a check has.

use serde::Serialize;

use crate::oracle::Basis;

/// A group of checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Area {
    /// Every documented response.
    Matrix,
    /// Requests with unusual types, spellings, sizes and delivery.
    Request,
    /// Random walks over several sessions.
    Lifecycle,
    /// The limit of attempts.
    Limit,
    /// The lifetime of a code.
    Expiry,
    /// Single use of a code.
    SingleUse,
    /// Separation of tenants.
    Isolation,
    /// Many calls at the same time.
    Concurrency,
    /// The parts of the policy that a request may set.
    Policy,
    /// Every response in a session's life, not only the first of its kind.
    Consistency,
    /// What a response must not reveal.
    Disclosure,
    /// Authentication.
    Auth,
}

impl Area {
    /// Every area, in the order in which reports list them.
    pub const ALL: [Area; 12] = [
        Area::Matrix,
        Area::Request,
        Area::Lifecycle,
        Area::Limit,
        Area::Expiry,
        Area::SingleUse,
        Area::Isolation,
        Area::Concurrency,
        Area::Policy,
        Area::Consistency,
        Area::Disclosure,
        Area::Auth,
    ];

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

/// How much weight a check has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// The vendor's document states it, or the safety core requires it. A failure fails the run.
    Contract,
    /// The document does not state it, or only a standard asks for it. A failure is advisory, unless the run is strict.
    Baseline,
}

impl Tier {
    /// The weight of what a check or a finding rests on.
    pub(crate) fn of(basis: Basis) -> Tier {
        match basis.gates() {
            true => Tier::Contract,
            false => Tier::Baseline,
        }
    }

    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Tier::Contract => "contract",
            Tier::Baseline => "baseline",
        }
    }
}
