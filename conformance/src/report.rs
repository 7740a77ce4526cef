//! The result of a run: plain data, and one file for each output format behind the [`Reporter`] trait.
//!
//! May use `checks` and `harness` for the types of its data. It must not run anything or contact a subject.
//!
//! To add a format, add a file with a `Reporter` and list it in [`FORMATS`] below.

mod data;
mod finding;
mod json;
mod reporter;
mod script;
mod terminal;

pub(crate) use data::link_causes;
pub use data::{
    CellReport, CheckReport, CheckResult, OperationReport, Report, SCHEMA, Stopped, Summary, Untried,
    VendorReport, Verdict,
};
pub use finding::{Finding, ShownExchange, ShownRequest, ShownResponse};
pub(crate) use reporter::{Format, Reporter};
pub(crate) use script::{curl, quote};
pub(crate) use terminal::Terminal;

/// Every format that `--report` knows. The terminal's is not among them: it always goes to the standard output.
pub(crate) const FORMATS: &[Format] = &[Format { name: "json", reporter: &json::Json }];
