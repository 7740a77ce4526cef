//! The result of a run: plain data, and one file for each output format behind the [`Reporter`] trait.
//!
//! May use `checks` and `harness` for the types of its data. It must not run anything or contact a subject.
//!
//! To add a format, add a file with a `Reporter` and list it in [`FORMATS`] below.

use std::io::{self, Write};

mod comparison;
mod data;
mod facts;
mod finding;
mod github;
mod html;
mod json;
mod junit;
mod markdown;
mod narrative;
mod reporter;
mod saved;
mod script;
mod sign;
mod steps;
mod terminal;
mod text;

pub(crate) use comparison::Comparison;
pub(crate) use data::link_causes;
pub use data::{
    CellReport, CheckReport, CheckResult, KnownFinding, OperationReport, Preflight, Report, SCHEMA, Setup,
    StaleWaiver, Stopped, Summary, Untried, VendorReport, Verdict,
};
pub use finding::{Finding, ShownExchange, ShownRequest, ShownResponse};
pub(crate) use reporter::{Format, Reporter};
pub(crate) use saved::{SavedCheck, SavedReport, SavedVendor};
pub(crate) use script::{curl, quote};
pub use steps::{CountedResponse, ShownStep};
pub(crate) use terminal::Terminal;

/// Every format that `--report` knows. The terminal's is not among them: it always goes to the standard output.
pub(crate) const FORMATS: &[Format] = &[
    Format { name: "json", reporter: &json::Json },
    Format { name: "junit", reporter: &junit::Junit },
    Format { name: "markdown", reporter: &markdown::Markdown },
    Format { name: "html", reporter: &html::Html },
    Format { name: "github", reporter: &github::Github },
];

impl Report {
    /// The names of the formats that [`write_as`](Self::write_as) and `--report` know.
    pub fn formats() -> impl Iterator<Item = &'static str> {
        FORMATS.iter().map(|format| format.name)
    }

    /// Writes the report in the format with this name.
    pub fn write_as(&self, format: &str, out: &mut dyn Write) -> io::Result<()> {
        let known = FORMATS.iter().find(|known| known.name == format).ok_or_else(|| {
            let names: Vec<_> = Report::formats().collect();
            let problem = format!("`{format}` is none of the formats {}", names.join(", "));
            io::Error::new(io::ErrorKind::InvalidInput, problem)
        })?;
        known.reporter.write(self, out)
    }
}

/// A finding in full, as text.
pub(crate) fn in_full(check: &CheckReport, finding: &Finding) -> String {
    format!("{}{}", facts::in_words(check, finding), facts::steps(finding))
}

/// On one line: why a finding is known, the reason of a check that did not run, or else the heart of the finding.
pub(crate) fn in_brief(check: &CheckReport) -> String {
    match (facts::waived(check), &check.reason, &check.finding) {
        (Some(reason), ..) => facts::brief(&reason),
        (None, Some(reason), _) => facts::brief(reason),
        (None, None, Some(finding)) => facts::brief(&facts::difference(finding)),
        (None, None, None) => String::new(),
    }
}
