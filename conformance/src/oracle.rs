//! What is right: which outcomes a session allows, which documented response a response is, and whether calls at the same
//! time could have happened one after the other.
//!
//! May use the contract and the raw messages of `http`. It must not send anything, and it must never be derived from
//! the sandbox, nor the sandbox from it: a mistake that both shared would go unnoticed.

mod basis;
mod interpretation;
mod linearizability;
mod matcher;
mod model;
mod observation;

pub use basis::Basis;
pub(crate) use basis::{basis_of_outcome, basis_of_response};
pub(crate) use interpretation::{approves, in_words, limited, outcomes, retry_after, signals_agree};
pub(crate) use linearizability::{ObservedCall, is_linearizable};
pub use matcher::Difference;
pub(crate) use matcher::{
    Expectation, Judgement, cells_with_outcome, expected_cells, has_differences, judge, main_cell,
};
pub(crate) use model::{Allowed, CodeKind, Input, Rules, States};
pub(crate) use observation::{Found, Observation};
