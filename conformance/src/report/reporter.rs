//! The seam for output formats.

use std::io::{self, Write};

use super::Report;
use super::json::Json;

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

/// Every format that `--report` knows. The terminal's is not among them: it always goes to the standard output.
pub(crate) const FORMATS: &[Format] = &[Format { name: "json", reporter: &Json }];

impl Format {
    /// The format with this name.
    pub(crate) fn named(name: &str) -> Option<Format> {
        FORMATS.iter().copied().find(|format| format.name == name)
    }
}
