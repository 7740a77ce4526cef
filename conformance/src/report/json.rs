//! The report as JSON, in the shape that `report.schema.json` publishes.

use std::io::{self, Write};

use super::{Report, Reporter};

/// The JSON format.
pub(super) struct Json;

impl Reporter for Json {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, report)?;
        writeln!(out)
    }
}
