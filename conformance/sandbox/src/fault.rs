//! Deliberate faults, which prove that a suite finds defects. Faults wrap the store and the vendor's request
//! handling, so the correct code contains none of them, and each fault keeps its own state. A fault names the rule of
//! the API that it breaks; nothing here may know which checks a suite has, or run in a sandbox that was started
//! without faults.
//!
//! A new fault takes a row in a table of `catalogue`, and a variant with its implementation in the module of its
//! effect.

mod access;
mod catalogue;
mod definition;
mod distortion;
mod faulty_session;
mod faulty_store;
mod layer;
mod leak;
mod lenient_request;
mod reading;
mod request_context;
mod rule;
mod spelling;
mod trigger;

pub use access::Access;
pub use catalogue::{FAULTS, LIBERTIES};
pub use definition::{Effect, Fault};
pub use distortion::{DistortedExample, Distortion};
pub use faulty_session::SessionDefect;
pub use faulty_store::StoreDefect;
pub use leak::Leak;
pub use reading::Reading;
pub use rule::Rule;
pub use spelling::Spelling;
pub use trigger::Trigger;

pub(crate) use layer::FaultLayer;
