//! An operation of a vendor's API as data. The generated code has one static for each.

use super::ResponseTable;

/// An operation of a vendor's API: its route and its documented responses.
#[derive(Debug)]
pub struct Operation {
    /// The vendor's id, such as `zeckta`.
    pub vendor: &'static str,
    /// The HTTP method, in upper case.
    pub method: &'static str,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// The documented responses.
    pub responses: ResponseTable,
}
