//! The seam for output formats: what every format implements.

use std::io::{self, Write};

use super::Report;

/// Writes a report in one format.
pub(crate) trait Reporter: Sync {
    /// Writes the whole report.
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()>;
}

/// A format that `--report NAME=PATH` can ask for.
#[derive(Clone, Copy)]
pub(crate) struct Format {
    /// The name on the command line.
    pub(crate) name: &'static str,
    /// Writes it.
    pub(crate) reporter: &'static dyn Reporter,
}
