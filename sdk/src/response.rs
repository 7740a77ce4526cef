//! Responses and their meaning: raw responses, the documented responses, and the classification of
//! one by the other.
//!
//! Uses nothing else of this crate. Performs no I/O and knows no vendor by name.

mod cell;
mod classification;
mod json;
mod operation;
mod outcome;
mod path;
mod raw;

pub use cell::{Cell, Certainty};
#[allow(
    unused_imports,
    reason = "only the generated tables use all of them, and a build may have no vendor"
)]
pub(crate) use cell::{Literal, Member, Remedy, Rule, StateValue, StatusPattern};
#[cfg(feature = "mock")]
pub(crate) use cell::{MockResponse, RequestPart};
pub(crate) use classification::{Candidates, Classification, RequestValues, ResponseTable};
pub(crate) use operation::Operation;
pub use outcome::{Consumption, Outcome};
pub use raw::RawResponse;
