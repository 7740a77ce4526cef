//! What the sandbox does where a contract leaves a choice.

use std::collections::{BTreeMap, BTreeSet};

use otp_contract::Contract;

/// The preferred cells of each vendor.
#[derive(Default)]
pub(crate) struct Preferences {
    cells: BTreeMap<String, BTreeSet<String>>,
}

static NO_CELLS: BTreeSet<String> = BTreeSet::new();

impl Preferences {
    /// Parses preferences such as `exotel/approved_wrapped`, and applies those such as
    /// `exotel/boundary=attempts_exhausted` to the policies of `contracts`. The error is a preference that no contract
    /// allows.
    pub(crate) fn apply(preferences: Vec<String>, contracts: &mut [Contract]) -> Result<Preferences, String> {
        let mut cells = BTreeMap::<String, BTreeSet<String>>::new();
        for preference in preferences {
            if prefer_outcome(contracts, &preference) {
                continue;
            }
            let known = preference.split_once('/').filter(|(vendor, cell)| {
                contracts.iter().any(|contract| contract.vendor == *vendor && has_cell(contract, cell))
            });
            let Some((vendor, cell)) = known else { return Err(preference) };
            cells.entry(vendor.to_owned()).or_default().insert(cell.to_owned());
        }
        Ok(Preferences { cells })
    }

    /// The names of a vendor's preferred cells.
    pub(super) fn cells_of(&self, contract: &Contract) -> &BTreeSet<String> {
        self.cells.get(&contract.vendor).unwrap_or(&NO_CELLS)
    }
}

fn has_cell(contract: &Contract, name: &str) -> bool {
    contract.operations().iter().any(|operation| operation.cell(name).is_some())
}

/// Applies a preference such as `exotel/boundary=attempts_exhausted` or `exotel/precedence=expired`: the outcome moves
/// to the front of the policy's list. Returns whether it is such a preference and the contract allows it.
fn prefer_outcome(contracts: &mut [Contract], preference: &str) -> bool {
    let Some((vendor, (list, outcome))) =
        preference.split_once('/').and_then(|(vendor, rest)| Some((vendor, rest.split_once('=')?)))
    else {
        return false;
    };
    let Some(contract) = contracts.iter_mut().find(|contract| contract.vendor == vendor) else {
        return false;
    };
    let policy = &mut contract.policy;
    let index = match list {
        "boundary" => policy.boundary.iter().position(|boundary| boundary.outcome().as_str() == outcome),
        "precedence" => policy.precedence.iter().position(|other| other.as_str() == outcome),
        _ => None,
    };
    match (list, index) {
        ("boundary", Some(index)) => policy.boundary.swap(0, index),
        ("precedence", Some(index)) => policy.precedence.swap(0, index),
        _ => return false,
    }
    true
}
