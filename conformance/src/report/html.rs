//! The report as one HTML page, for people: the documented matrix of each vendor first, then the findings with all their
//! steps. The page needs no network and no script; a script adds filters.
//!
//! The page forbids itself everything but its own style sheet and script, which it names by their hashes. What a server or
//! a document said is text: the templates escape it, and `plain` spells what a reader would not see.
//!
//! May use `facts`, `text` and the data of a report. It must never write markup that is not in its templates, anything that
//! loads, or anything that differs between two writings of one report.

use std::io::{self, Write};

use super::{Report, Reporter};

mod badge;
mod exchange;
mod filter;
mod finding;
mod matrix;
mod page;
mod plain;
mod verdict;

/// The HTML format.
pub(super) struct Html;

impl Reporter for Html {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(page::page(report).into_string().as_bytes())?;
        writeln!(out)
    }
}
