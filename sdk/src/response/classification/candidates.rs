//! The cells that a refusal may be, and what they agree on.

use std::cmp::Reverse;

use crate::response::cell::Cell;
use crate::response::json::JsonValue;
use crate::response::path;

/// The cells that a refusal may be.
#[derive(Debug)]
pub(crate) struct Candidates {
    /// At least one cell; documented cells come first.
    pub(crate) cells: Vec<&'static Cell>,
    /// Whether only the status matches and the document specifies another body for some of the cells. Documented cells
    /// are then no more likely than inferred ones.
    body_differs: bool,
    /// The cell closest to the body, of those with the outcome on which the decisive cells agree; `None` if they
    /// disagree.
    pub(crate) closest: Option<&'static Cell>,
}

impl Candidates {
    pub(super) fn new(
        mut cells: Vec<&'static Cell>,
        body_differs: bool,
        body: Option<&JsonValue<'_>>,
    ) -> Candidates {
        cells.sort_by_key(|cell| !cell.documented);
        let mut candidates = Candidates { cells, body_differs, closest: None };
        candidates.closest = candidates.agreed(|cell| cell.outcome).and_then(|outcome| {
            let mut agreeing = candidates.cells.iter().copied().filter(|cell| cell.outcome == outcome);
            match body {
                Some(body) => agreeing.min_by_key(|cell| distance(cell, body)),
                None => agreeing.next(),
            }
        });
        candidates
    }

    /// The cells that decide the meaning: the documented ones, or all if there are none or the body differs.
    pub(crate) fn decisive(&self) -> impl Iterator<Item = &'static Cell> + '_ {
        let all = self.body_differs || !self.cells.iter().any(|cell| cell.documented);
        self.cells.iter().copied().filter(move |cell| all || cell.documented)
    }

    /// The value of `property` if it is the same in all decisive cells.
    pub(crate) fn agreed<T: PartialEq>(&self, property: impl Fn(&Cell) -> T) -> Option<T> {
        let mut values = self.decisive().map(property);
        let first = values.next()?;
        values.all(|value| value == first).then_some(first)
    }
}

/// How much the body differs from the cell's: first by the number of missing members, then by how many members are
/// present and how deep they are.
fn distance(cell: &Cell, body: &JsonValue<'_>) -> (usize, Reverse<usize>) {
    let (mut missing, mut depth) = (0, 0);
    for member in cell.members {
        if path::first(body, member.path).is_some() {
            depth += member.path.len();
        } else if !member.optional {
            missing += 1;
        }
    }
    (missing, Reverse(depth))
}
