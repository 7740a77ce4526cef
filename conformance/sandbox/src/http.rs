//! HTTP, and nothing above it: accepting connections, reading bodies, query strings and JSON, and building responses.
//!
//! The lowest layer of the sandbox. It uses no other module of this crate and knows no contract, session or fault: what
//! the listener serves is a [`Service`].

pub(crate) mod json;
pub(crate) mod query;

mod body;
mod connection;
mod idle;
mod limits;
mod listener;
mod response;

pub(crate) use self::body::{MAX_BODY_BYTES, RequestBody, read_body};
pub use self::limits::Limits;
pub(crate) use self::listener::{Service, serve};
pub(crate) use self::query::PathParameters;
pub(crate) use self::response::{NO_BODY, ResponseBody, VendorResponse};
