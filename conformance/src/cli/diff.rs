//! `diff`: what got better, worse, appeared and went between two JSON reports.

use std::io::Write;
use std::path::PathBuf;

use super::format::ListFormat;
use super::read_report;
use crate::error::{Exit, Failure};
use crate::report::Comparison;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The JSON report of the former run
    #[arg(value_name = "OLD.json")]
    old: PathBuf,
    /// The JSON report of the new run
    #[arg(value_name = "NEW.json")]
    new: PathBuf,
    /// The format
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    format: ListFormat,
}

/// Prints the differences. The exit status is that of a failed check if something got worse that decides.
pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    let comparison = Comparison::of(&read_report(&arguments.old)?, &read_report(&arguments.new)?);
    let text = match arguments.format {
        ListFormat::Text => comparison.in_words(),
        ListFormat::Json => comparison.in_json().map_err(|error| Failure::Internal(error.to_string()))?,
    };
    super::print(out, &text);
    Ok(if comparison.worse { Exit::Nonconformant } else { Exit::Conformant })
}
