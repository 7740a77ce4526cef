//! `check`: runs the suite, prints the result, and writes reports.

use std::io::Write;
use std::path::PathBuf;

use super::options::{CheckArguments, Options, SubjectArguments};
use super::{sandbox, signal, subject};
use crate::checks::current_id;
use crate::error::{Exit, Failure};
use crate::report::{FORMATS, Format, Report, Reporter, Terminal, Verdict};
use crate::runner;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    subject: SubjectArguments,
    /// A file with options and secrets
    #[arg(long, value_name = "FILE.toml")]
    config: Option<PathBuf>,
    #[command(flatten)]
    check: CheckArguments,
}

pub(super) async fn run(
    arguments: Arguments,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    let options = Options::merge(arguments.config.as_deref(), arguments.subject, arguments.check)?;
    let check = &options.check;
    let reports = report_files(&check.report)?;
    let (strict, quiet) = (check.strict.unwrap_or(false), check.quiet.unwrap_or(false));
    let allows_partial = check.allow_partial.unwrap_or(false);
    let defaults = runner::Options::with_seed(options.subject.seed.unwrap_or_else(subject::random_seed));
    let run = runner::Options {
        only: patterns("--only", &check.only)?,
        skip: patterns("--skip", &check.skip)?,
        strict,
        fail_fast: check.fail_fast.map(usize::from),
        jobs: check.jobs.map_or(defaults.jobs, usize::from),
        cases: check.cases.unwrap_or(defaults.cases),
        shard: check.shard.as_deref().map(shard).transpose()?,
        ..defaults
    };
    for pattern in check.only.iter().chain(&check.skip) {
        if let Some(current) = current_id(pattern) {
            let _ = writeln!(err, "note: `{pattern}` is now called `{current}`");
        }
    }
    let faults = sandbox::faults(&check.fault)?;
    let suite = subject::connect(options, faults, err).await?;
    if !quiet {
        let vendors: Vec<_> = suite.vendors().collect();
        let _ = writeln!(err, "checking {} at {}", vendors.join(", "), suite.targets().join(", "));
    }
    let mut signalled = None;
    let report = suite.run_until(&run, async { signalled = Some(signal::stop().await) }).await?;
    let _ = Terminal { quiet }.write(&report, out);
    for (format, path) in reports {
        write_report(&report, format, &path, out)?;
    }
    if let Some(exit) = signalled {
        return Ok(exit);
    }
    Ok(match report.verdict {
        Verdict::Conformant => Exit::Conformant,
        Verdict::Nonconformant => Exit::Nonconformant,
        Verdict::Partial if allows_partial => Exit::Conformant,
        Verdict::Inconclusive | Verdict::Partial => Exit::Unjudged,
    })
}

fn patterns(option: &'static str, globs: &[String]) -> Result<Vec<glob::Pattern>, Failure> {
    globs
        .iter()
        .map(|text| {
            glob::Pattern::new(text).map_err(|error| Failure::Option {
                option,
                problem: format!("`{text}` is not a valid pattern: {error}"),
            })
        })
        .collect()
}

/// A slice of the form `I/N`, with I from 1 to N.
fn shard(text: &str) -> Result<(usize, usize), Failure> {
    let parsed = text.split_once('/').and_then(|(slice, of)| Some((slice.parse().ok()?, of.parse().ok()?)));
    match parsed {
        Some((slice, of)) if 1 <= slice && slice <= of => Ok((slice, of)),
        _ => Err(Failure::Option {
            option: "--shard",
            problem: format!("`{text}` does not have the form I/N, with I from 1 to N"),
        }),
    }
}

/// The reports that `FORMAT=PATH` asks for.
fn report_files(reports: &[String]) -> Result<Vec<(Format, PathBuf)>, Failure> {
    reports
        .iter()
        .map(|report| {
            let requested = report.split_once('=').filter(|(_, path)| !path.is_empty());
            let format = |name| FORMATS.iter().copied().find(|format| format.name == name);
            requested.and_then(|(name, path)| Some((format(name)?, PathBuf::from(path)))).ok_or_else(|| {
                let forms: Vec<_> = FORMATS.iter().map(|format| format!("{}=PATH", format.name)).collect();
                Failure::Option {
                    option: "--report",
                    problem: format!("`{report}` does not have the form {}", forms.join(" or ")),
                }
            })
        })
        .collect()
}

/// Writes a report to a file, or to the result if the path is `-`.
fn write_report(
    report: &Report,
    format: Format,
    path: &std::path::Path,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Write {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    if path.as_os_str() == "-" {
        return format.reporter.write(report, out).map_err(failed);
    }
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).map_err(failed)?);
    format.reporter.write(report, &mut file).and_then(|()| file.flush()).map_err(failed)
}
