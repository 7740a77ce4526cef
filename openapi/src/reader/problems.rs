//! Collects problems, so that one mistake does not hide the next.
//!
//! Uses `problem` and the nodes of a document.

use crate::document_node::DocumentNode;
use crate::problem::Problem;

/// What is wrong with the document so far.
#[derive(Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// The value, or `None` after noting the problem.
    pub(super) fn keep<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.add(problem)).ok()
    }

    /// Notes each member of an object that is none of `names`; `None` if the value is no object.
    pub(super) fn only(&mut self, node: &DocumentNode<'_>, names: &[&str]) -> Option<()> {
        let unknown = self.keep(node.unknown_members(names))?;
        self.0.extend(unknown);
        Some(())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}
