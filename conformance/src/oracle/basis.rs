//! Why a deviation fails the run, or why it does not.
//!
//! A deviation gates only if it contradicts something that the vendor's page states, or breaks the safety core. Uses the
//! contract and the comparison with its cells. It never knows which check found the deviation.

use otp_contract::{Cell, Outcome, Situation, Source};
use serde::Serialize;
use serde_json::Value;

use super::interpretation::signals_agree;
use super::matcher::{Difference, Expectation, compare_with};
use crate::http::RawResponse;

/// What a deviation contradicts, the weightiest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The safety core: what must not be approved is approved, what must be is not, a used code works again, a limit does
    /// not hold, or one tenant reaches another's session.
    Safety,
    /// A sentence, table or example of the vendor's documentation.
    Documented,
    /// What we inferred where the vendor's documentation is silent or contradicts itself.
    Inferred,
    /// A standard alone.
    Standard,
}

impl Basis {
    /// Whether such a deviation fails the run unless the run is strict, in which case every deviation does.
    pub fn gates(self) -> bool {
        matches!(self, Basis::Safety | Basis::Documented)
    }

    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Basis::Safety => "safety",
            Basis::Documented => "documented",
            Basis::Inferred => "inferred",
            Basis::Standard => "standard",
        }
    }

    /// Why a deviation with this basis fails the run or not, for people.
    pub fn in_words(self) -> &'static str {
        match self {
            Basis::Safety => "the safety core requires it, so a failure fails the run",
            Basis::Documented => "the vendor's documentation states it, so a failure fails the run",
            Basis::Inferred => {
                "the vendor's documentation does not state it, so a failure is advisory unless the run is strict"
            }
            Basis::Standard => {
                "only a standard asks for it, so a failure is advisory unless the run is strict"
            }
        }
    }
}

/// What a response that is none of the expected cells contradicts, and the place that states it.
///
/// `situations` are those that may hold. A response that departs only from the inferred parts of one documented cell
/// contradicts nothing that a page states.
pub(crate) fn basis_of_response(
    expectation: &Expectation<'_>,
    situations: &[Situation],
    response: &RawResponse,
) -> (Basis, Option<Source>) {
    // If one of the situations has no documented response, the server may be in that one.
    let is_open = |situation: &Situation| {
        let mut cells = expectation.cells.iter().filter(|cell| cell.answers(*situation)).peekable();
        cells.peek().is_some() && !cells.any(|cell| cell.is_documented_for(*situation))
    };
    if situations.iter().any(is_open) {
        return (Basis::Inferred, None);
    }
    let documented: Vec<&Cell> = expectation
        .cells
        .iter()
        .copied()
        .filter(|cell| situations.iter().any(|situation| cell.is_documented_for(*situation)))
        .collect();
    let contradictions: Vec<_> = documented
        .iter()
        .map(|cell| {
            let differences = compare_with(expectation, cell, response);
            (cell, differences.iter().filter(|difference| is_documented(cell, difference)).count())
        })
        .collect();
    let closest = contradictions.iter().min_by_key(|(_, differences)| *differences);
    match closest {
        Some((cell, differences)) if *differences > 0 => {
            (Basis::Documented, Some(cited_source(cell).clone()))
        }
        _ => (Basis::Inferred, None),
    }
}

/// What a response with another outcome than the allowed ones contradicts, and the place that states it: something
/// documented only if the document states a response for every allowed outcome, and this response departs from what is
/// stated.
pub(crate) fn basis_of_outcome<'a>(
    cells: impl Fn(Outcome) -> Vec<&'a Cell>,
    allowed: impl IntoIterator<Item = Outcome>,
    response: &RawResponse,
) -> (Basis, Option<Source>) {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let departs = |cell: &Cell| {
        (cell.facts.status.is_documented() && !cell.status.matches(response.status))
            || (cell.facts.body.is_documented() && !signals_agree(cell, &body))
    };
    let mut source = None;
    for outcome in allowed {
        let mut stated = cells(outcome);
        let situations = outcome.usual_situations();
        stated.retain(|cell| situations.iter().any(|situation| cell.is_documented_for(*situation)));
        match stated.first() {
            Some(cell) if stated.iter().all(|cell| departs(cell)) => {
                source = source.or_else(|| Some(cited_source(cell).clone()));
            }
            _ => return (Basis::Inferred, None),
        }
    }
    match source {
        Some(source) => (Basis::Documented, Some(source)),
        None => (Basis::Standard, None),
    }
}

/// Whether the page states what the response departs from.
fn is_documented(cell: &Cell, difference: &Difference) -> bool {
    match difference.place.as_str() {
        "status" => cell.facts.status.is_documented(),
        // No vendor's page speaks of content encodings.
        "content-encoding" => false,
        place => match cell.headers.iter().find(|field| field.name == place) {
            Some(field) => field.backing.is_documented(),
            None => cell.facts.body.is_documented(),
        },
    }
}

fn cited_source(cell: &Cell) -> &Source {
    match cell.facts.status.is_documented() {
        true => &cell.facts.status.source,
        false => &cell.facts.body.source,
    }
}
