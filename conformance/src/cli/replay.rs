//! `replay`: judges findings of a JSON report again, with the seed and the set-up of the report, or prints their scripts.
//!
//! Options of the command line and the configuration take precedence over the report's, so that a fix can be tried at another
//! address. Nothing in a report is trusted: it only selects checks and addresses.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::builder::BoolishValueParser;

use super::options::{CheckArguments, Layer as _, Options, SubjectArguments};
use super::{check, read_report};
use crate::error::{Exit, Failure};
use crate::report::{SavedCheck, SavedReport, SavedVendor, Setup};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A report that `check --report json=PATH` wrote
    #[arg(value_name = "REPORT.json")]
    from: PathBuf,
    /// Print the shell scripts of the findings instead of judging them again
    #[arg(long, value_parser = BoolishValueParser::new())]
    script: bool,
    // Its positional arguments are ids of checks here; see `as_check_ids`.
    #[command(flatten)]
    subject: SubjectArguments,
    /// A file with options and secrets
    #[arg(long, value_name = "FILE.toml")]
    config: Option<PathBuf>,
    #[command(flatten)]
    check: CheckArguments,
}

/// Gives the positional arguments of the command their meaning: `check` has vendors in their place.
pub(super) fn as_check_ids(command: clap::Command) -> clap::Command {
    command.mut_arg("vendors", |argument| {
        argument
            .value_name("CHECK-ID")
            .help("The checks, with or without their vendor; those that failed if none is named")
    })
}

pub(super) async fn run(
    mut arguments: Arguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    let recorded = read_report(&arguments.from)?;
    let wanted = std::mem::take(&mut arguments.subject.vendors);
    let checks = selected(&recorded, &wanted, &arguments.from)?;
    if arguments.script {
        return Ok(print_scripts(&checks, out));
    }
    let ids: Vec<String> = checks.iter().map(|check| check.id.clone()).collect();
    let is_used = |vendor: &&SavedVendor| vendor.checks.iter().any(|check| ids.contains(&check.id));
    let vendors = recorded.vendors.iter().filter(is_used).map(|vendor| vendor.vendor.clone()).collect();
    let Setup { embedded, control, contracts, faults, prefer, cases } = recorded.setup;
    let is_elsewhere = !arguments.subject.target.is_empty();
    let has_other_control = arguments.subject.control_exec.is_some() || arguments.subject.fixtures.is_some();
    let from_report = SubjectArguments {
        vendors,
        target: if embedded { Vec::new() } else { recorded.targets },
        // The control of another target is another one.
        control: control.filter(|_| !is_elsewhere && !embedded && !has_other_control),
        contract: contracts,
        seed: Some(recorded.seed),
        ..SubjectArguments::default()
    };
    let check = CheckArguments {
        only: ids,
        strict: Some(recorded.strict),
        cases: (cases > 0).then_some(cases),
        fault: if is_elsewhere { Vec::new() } else { faults },
        prefer: if is_elsewhere { Vec::new() } else { prefer },
        ..CheckArguments::default()
    };
    let options = Options::merge(
        arguments.config.as_deref(),
        arguments.subject.or(from_report),
        arguments.check.or(check),
    )?;
    check::execute(options, out, err).await
}

/// The checks to replay: the named ones, or else all that failed.
fn selected<'r>(
    recorded: &'r SavedReport,
    wanted: &[String],
    path: &Path,
) -> Result<Vec<&'r SavedCheck>, Failure> {
    let all = || recorded.vendors.iter().flat_map(|vendor| &vendor.checks);
    if wanted.is_empty() {
        let failed: Vec<_> = all().filter(|check| check.has_failed()).collect();
        return match failed.is_empty() {
            true => Err(Failure::NothingSelected(format!("no check failed in {}", path.display()))),
            false => Ok(failed),
        };
    }
    let mut found = Vec::new();
    for id in wanted {
        let is_wanted = |check: &&SavedCheck| {
            check.id == *id || check.id.split_once('/').is_some_and(|(_, name)| name == id)
        };
        let matching: Vec<_> = all().filter(is_wanted).collect();
        if matching.is_empty() {
            return Err(Failure::NothingSelected(format!("{} has no check `{id}`", path.display())));
        }
        found.extend(matching);
    }
    Ok(found)
}

fn print_scripts(checks: &[&SavedCheck], out: &mut dyn Write) -> Exit {
    let scripts = checks.iter().filter_map(|check| check.finding.as_ref()?.script.as_deref());
    for script in scripts {
        let _ = out.write_all(script.as_bytes());
    }
    Exit::Conformant
}
