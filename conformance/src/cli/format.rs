//! The formats of lists and tables.

use clap::ValueEnum;

/// The format of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    /// Lines of text.
    Text,
    /// A list of objects in JSON.
    Json,
}

/// The format of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TableFormat {
    /// Columns of text.
    Text,
    /// A table in Markdown.
    Markdown,
    /// A list of objects in JSON.
    Json,
}

/// JSON as the program prints it.
pub(super) fn pretty(rows: Vec<serde_json::Value>) -> String {
    format!("{:#}\n", serde_json::Value::from(rows))
}
