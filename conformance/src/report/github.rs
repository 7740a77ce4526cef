//! The report as GitHub's workflow commands, which a job prints to annotate its run: an error for each finding that fails
//! the run and for each check without a result, a warning for each advisory finding, and a notice for the verdict.
//!
//! GitHub shows ten annotations of each kind for a step, so a finding whose cause another one shows is named there and has
//! no line of its own.
//!
//! May use `facts` and `text`. It must never let a text from a server start a line: the runner would obey it.

use std::io::{self, Write};

use super::facts::{counts, difference, findings, in_words, is_consequence, run_in_words, shown, stale};
use super::{CheckResult, Report, Reporter};

/// The format for GitHub Actions.
pub(super) struct Github;

impl Reporter for Github {
    fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        for (check, finding) in findings(report) {
            if is_consequence(report, check) {
                continue;
            }
            let first = format!("{}: {}", shown(&check.statement), difference(finding));
            let mut text = format!("{first}\n{}", in_words(check, finding));
            let also: Vec<_> = check.also.iter().map(|id| shown(id)).collect();
            if !also.is_empty() {
                text.push_str(&format!("also      {}\n", also.join(", ")));
            }
            let kind = if check.gates { "error" } else { "warning" };
            write_command(kind, &shown(&check.id), text.trim_end(), out)?;
        }
        if let Some(problem) = &report.preflight.problem {
            write_command("error", "otp-conformance", &format!("no check ran: {}", shown(problem)), out)?;
        }
        for waiver in &report.stale_waivers {
            write_command("error", &shown(&waiver.check), &stale(waiver), out)?;
        }
        let checks = || report.vendors.iter().flat_map(|vendor| &vendor.checks);
        for check in checks().filter(|check| check.result == CheckResult::Error) {
            let reason = shown(check.reason.as_deref().unwrap_or_default());
            write_command("error", &shown(&check.id), &format!("no result: {reason}"), out)?;
        }
        let counts = counts(checks());
        let text = format!("{}: {counts}; {}", report.verdict.as_str(), run_in_words(report));
        write_command("notice", "otp-conformance", &text, out)
    }
}

fn write_command(kind: &str, title: &str, message: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "::{kind} title={}::{}", property(title), data(message))
}

/// Escapes the message of a command as GitHub's toolkit does.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaping_is_the_one_of_the_toolkit() {
        assert_eq!(data("100%, a:b\r\n::error::x"), "100%25, a:b%0D%0A::error::x");
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
    }
}
