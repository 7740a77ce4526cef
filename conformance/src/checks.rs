//! The checks: one assertion each, with a stable id, a citation, and the steps that test it. One file per area.
//!
//! May use `harness` to work with a subject and `oracle` to know what is right. It must not know how checks are selected,
//! run side by side, or reported.
//!
//! To add a check, add a row to the table of its area and the function that the row names.

mod area;
mod auth;
mod catalogue;
mod check;
mod concurrency;
mod consistency;
mod disclosure;
mod expiry;
mod indistinguishable;
mod isolation;
mod lifecycle;
mod limit;
mod matrix;
mod policy;
mod probe;
mod renamed;
mod request;
mod single_use;
mod standards;

pub use area::{Area, Tier};
pub(crate) use catalogue::{checks, run};
pub(crate) use check::{Check, CheckKind};
pub(crate) use renamed::{current_id, names};
