//! An operation of a vendor's API as data. The generated code has one static for each.

use super::ResponseTable;

/// An operation of a vendor's API: its route and its documented responses.
#[derive(Debug)]
pub struct Operation {
    /// The vendor's id, such as `zeckta`.
    pub(crate) vendor: &'static str,
    /// The HTTP method, in upper case.
    #[cfg_attr(
        not(any(feature = "mock", feature = "tracing")),
        allow(dead_code, reason = "for mocks and spans")
    )]
    pub(crate) method: &'static str,
    /// The path, with its parameters in braces.
    #[cfg_attr(
        not(any(feature = "mock", feature = "tracing")),
        allow(dead_code, reason = "for mocks and spans")
    )]
    pub(crate) path: &'static str,
    /// The documented responses.
    pub(crate) responses: ResponseTable,
}
