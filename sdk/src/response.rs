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
pub use cell::{Literal, Member, MockResponse, Remedy, RequestPart, Rule, StateValue, StatusPattern};
pub use classification::ResponseTable;
pub(crate) use classification::{Candidates, Classification, RequestValues};
pub use operation::Operation;
pub use outcome::{Consumption, Outcome};
pub use raw::RawResponse;
