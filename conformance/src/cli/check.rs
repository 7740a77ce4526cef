//! `check`: runs the suite, prints the result, and writes reports.

use std::fs::File;
use std::future::Future;
use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;

use super::color::{Color, Colored};
use super::options::{CheckArguments, Options, SubjectArguments};
use super::progress::{Mode, Progress};
use super::subject::ControlLog;
use super::{sandbox, signal, subject};
use crate::checks::current_id;
use crate::error::{Exit, Failure};
use crate::report::{FORMATS, Format, Report, Reporter, Setup, Terminal, Verdict};
use crate::runner;
use crate::suite::Suite;
use otp_sandbox::Fault;

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
    execute(options, out, err).await
}

/// Checks the server that the options name, prints the result and writes the reports.
pub(super) async fn execute(
    options: Options,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    let check = &options.check;
    let out: &mut dyn Write = &mut Colored::new(out, check.color.unwrap_or(Color::Auto));
    let reports = report_files(&check.report)?;
    let (strict, quiet) = (check.strict.unwrap_or(false), check.quiet.unwrap_or(false));
    let verbose = check.verbose.unwrap_or(false);
    let allows_partial = check.allow_partial.unwrap_or(false);
    let defaults = runner::Options::with_seed(options.subject.seed.unwrap_or_else(subject::random_seed));
    let run = runner::Options {
        only: patterns("--only", &check.only)?,
        skip: patterns("--skip", &check.skip)?,
        strict,
        fail_fast: check.fail_fast.map(usize::from),
        jobs: check.jobs.map(usize::from),
        cases: check.cases.unwrap_or(defaults.cases),
        shard: check.shard.as_deref().map(shard).transpose()?,
        waivers: options.waivers.clone(),
        transcript: verbose,
        ..defaults
    };
    for pattern in check.only.iter().chain(&check.skip) {
        if let Some(current) = current_id(pattern) {
            let _ = writeln!(err, "note: `{pattern}` is now called `{current}`");
        }
    }
    let faults = sandbox::faults(&check.fault)?;
    let setup = Setup {
        embedded: options.subject.target.is_empty(),
        control: options.subject.control.clone(),
        contracts: options.subject.contract.clone(),
        faults: check.fault.clone(),
        prefer: check.prefer.clone(),
        cases: run.cases,
    };
    let (seed, targets) = (run.seed, options.subject.target.clone());
    let judged = judge(options, faults, run, Volume { quiet, verbose }, err).await;
    let (mut report, signalled) = match judged {
        Ok(judged) => judged,
        Err(failure) => {
            write_failure(&failure, reports, (seed, strict, targets), out);
            return Err(failure);
        }
    };
    report.setup = Some(setup);
    let _ = Terminal { quiet, verbose }.write(&report, out);
    for file in reports {
        write_report(&report, file, out)?;
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

/// How much of a run is shown.
#[derive(Clone, Copy)]
struct Volume {
    quiet: bool,
    verbose: bool,
}

/// Connects to the server and runs the checks. The exit status is that of the signal that ended the run, if one did.
async fn judge(
    options: Options,
    faults: Vec<&'static Fault>,
    run: runner::Options,
    volume: Volume,
    err: &mut dyn Write,
) -> Result<(Report, Option<Exit>), Failure> {
    let (suite, mut log) = subject::connect(options, faults, err).await?;
    if !volume.quiet {
        let vendors: Vec<_> = suite.vendors().collect();
        let _ = writeln!(err, "checking {} at {}", vendors.join(", "), suite.targets().join(", "));
    }
    let mut signalled = None;
    let stop = async { signalled = Some(signal::stop().await) };
    let mode = match volume {
        Volume { quiet: true, .. } => Mode::Silent,
        Volume { verbose: true, .. } => Mode::EachCheck,
        _ if is_interactive() => Mode::Terminal,
        _ => Mode::Lines,
    };
    let finished = run_with_progress(&suite, run, stop, mode, &mut log, err).await;
    suite.close().await;
    log.write_all(err);
    Ok((finished?, signalled))
}

/// Writes to the reports why there is no result. A CI system that reads an empty or an old report would draw the wrong
/// conclusion. After a mistake in the options there is nothing to report, so files that are still empty are removed.
fn write_failure(
    failure: &Failure,
    reports: Vec<ReportFile>,
    (seed, strict, targets): (u64, bool, Vec<String>),
    out: &mut dyn Write,
) {
    if failure.exit() == Exit::Usage {
        for ReportFile { path, file, .. } in reports {
            let is_empty =
                |file: File| file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0);
            if file.is_some_and(is_empty) {
                let _ = std::fs::remove_file(path);
            }
        }
        return;
    }
    let report = Report::without_checks(seed, strict, targets, failure.to_string());
    for file in reports {
        // The failure itself is what the user has to know.
        let _ = write_report(&report, file, out);
    }
}

/// Whether a line on the standard error can be replaced.
fn is_interactive() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

async fn run_with_progress(
    suite: &Suite,
    mut run: runner::Options,
    stop: impl Future<Output = ()>,
    mode: Mode,
    log: &mut ControlLog,
    err: &mut dyn Write,
) -> Result<Report, Failure> {
    let (events, mut happened) = tokio::sync::mpsc::unbounded_channel();
    run.events = Some(events);
    let mut progress = Progress::new(mode);
    let mut ticks = tokio::time::interval(progress.interval());
    // The first tick is immediate, and nothing has happened by then.
    ticks.tick().await;
    let mut running = std::pin::pin!(suite.run_until(&run, stop));
    let report = loop {
        tokio::select! {
            biased;
            Some(event) = happened.recv() => progress.note(&event, err),
            Some(line) = log.next() => {
                progress.end(err);
                let _ = writeln!(err, "{line}");
            }
            report = &mut running => break report,
            _ = ticks.tick() => progress.tick(suite.requests(), err),
        }
    };
    while let Ok(event) = happened.try_recv() {
        progress.note(&event, err);
    }
    progress.end(err);
    report
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

/// The reports that `FORMAT=PATH` asks for, each with its file. They are opened before the first request: a run whose
/// report cannot be written is not worth its time.
fn report_files(reports: &[String]) -> Result<Vec<ReportFile>, Failure> {
    let separate = reports.iter().flat_map(|list| split_reports(list));
    separate
        .map(|report| {
            let requested = report.split_once('=').filter(|(_, path)| !path.is_empty());
            let format = |name| FORMATS.iter().copied().find(|format| format.name == name);
            let Some((format, path)) = requested.and_then(|(name, path)| Some((format(name)?, path))) else {
                let forms: Vec<_> = FORMATS.iter().map(|format| format!("{}=PATH", format.name)).collect();
                return Err(Failure::Option {
                    option: "--report",
                    problem: format!("`{report}` does not have the form {}", forms.join(" or ")),
                });
            };
            let file = match path {
                "-" => None,
                // What an earlier run wrote stays until there is a new report.
                path => Some(
                    File::options()
                        .create(true)
                        .write(true)
                        .truncate(false)
                        .open(path)
                        .map_err(|error| unwritable(path, &error))?,
                ),
            };
            Ok(ReportFile { format, path: path.to_owned(), file })
        })
        .collect()
}

/// A report to write.
struct ReportFile {
    format: Format,
    path: String,
    /// The file; none for the standard output.
    file: Option<File>,
}

/// Separates reports at the commas after which a format follows, because a path may hold commas.
fn split_reports(list: &str) -> Vec<&str> {
    let starts_report = |text: &str| {
        FORMATS.iter().any(|format| text.strip_prefix(format.name).is_some_and(|rest| rest.starts_with('=')))
    };
    let mut reports = Vec::new();
    let mut start = 0;
    for (comma, _) in list.match_indices(',') {
        if starts_report(&list[comma + 1..]) {
            reports.push(&list[start..comma]);
            start = comma + 1;
        }
    }
    reports.push(&list[start..]);
    reports
}

fn unwritable(path: &str, error: &std::io::Error) -> Failure {
    Failure::Write { path: path.to_owned(), reason: error.to_string() }
}

/// Writes a report to its file, or to the result.
fn write_report(report: &Report, to: ReportFile, out: &mut dyn Write) -> Result<(), Failure> {
    let ReportFile { format, path, file } = to;
    let written = match file {
        None => format.reporter.write(report, out),
        Some(file) => {
            // A device such as /dev/stdout has no length.
            let _ = file.set_len(0);
            let mut file = std::io::BufWriter::new(file);
            format.reporter.write(report, &mut file).and_then(|()| file.flush())
        }
    };
    written.map_err(|error| unwritable(&path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_hold_commas() {
        assert_eq!(split_reports("json=a,b.json,junit=c"), ["json=a,b.json", "junit=c"]);
        assert_eq!(split_reports("json=a"), ["json=a"]);
        assert_eq!(split_reports("json=a,jsonl=b"), ["json=a,jsonl=b"]);
    }
}
