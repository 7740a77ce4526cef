//! The command line: one file per command, the options, and the embedded sandbox.
//!
//! May use everything else in this crate, and nothing else may use it. All output goes to the writers that the caller
//! passes, results to one, progress and errors to the other; it must never print on its own.

mod check;
mod checks;
mod color;
mod diff;
mod explain;
mod faults;
mod format;
mod init;
mod lint;
mod matrix;
mod options;
mod progress;
mod replay;
mod sandbox;
mod serve;
mod signal;
mod subject;
mod timing;

use std::io::Write;
use std::path::Path;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::error::{Exit, Failure};
use crate::report::SavedReport;

/// Checks a server against every documented response of an OTP verification API.
#[derive(Debug, Parser)]
#[command(name = "otp-conformance", version, about, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Exit status:
  0  conformant
  1  a check failed the run, or `diff` found something worse
  2  the command line, the configuration or a document is wrong
  3  the server could not be judged, or only in part (see --allow-partial)
  130, 143  Ctrl-C or SIGTERM stopped the run; its results so far are printed

Every option can also be set in the environment (OTP_CONFORMANCE_TARGET, ...),
and the options of `check` and `timing` in a file (--config). The command line
takes precedence over the environment, and the environment over the file. The
token that a control asks for comes from OTP_CONFORMANCE_CONTROL_TOKEN or from
control_token in the file, never from the command line of `check`.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a server, or the embedded sandbox if there is no --target
    Check(check::Arguments),
    /// Judge findings of a JSON report again, with the same seed and set-up
    Replay(replay::Arguments),
    /// Serve the sandbox
    Serve(serve::Arguments),
    /// Compare two JSON reports: what got better, worse, appeared and went
    Diff(diff::Arguments),
    /// Print every documented response
    Matrix(matrix::Arguments),
    /// Print every problem of a contract, with its line and column
    Lint(lint::Arguments),
    /// Print the skeleton of a contract, of a control or of a configuration file
    Init(init::Arguments),
    /// Print every check
    Checks(checks::Arguments),
    /// Explain what a check asserts, what backs it, and what it accepts
    Explain(explain::Arguments),
    /// Compare response times that a caller must not be able to distinguish; a measurement, not a verdict
    Timing(timing::Arguments),
    /// Print every fault that the sandbox can be started with
    Faults(faults::Arguments),
}

/// Runs the program with these arguments, the first of which is its name. Results go to `out`, progress and errors to
/// `err`. clap prints usage errors itself, and exits with the status of [`Exit::Usage`].
///
/// It starts the threads itself: an async function would be compiled into the program that awaits it, in one piece,
/// instead of into this library.
pub fn main(arguments: std::env::ArgsOs, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(arguments, out, err)),
        Err(error) => {
            let _ = writeln!(err, "error: cannot start the threads: {error}");
            Exit::Unjudged
        }
    }
}

async fn run(arguments: std::env::ArgsOs, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let command = Cli::command().mut_subcommand("replay", replay::as_check_ids);
    let command = options::with_environment(command);
    for name in options::unknown_variables(&command) {
        let _ = writeln!(err, "warning: no option is called {name}");
    }
    let matches = command.get_matches_from(options::with_numbers(arguments));
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let finished = match cli.command {
        Command::Check(arguments) => check::run(arguments, out, err).await,
        Command::Replay(arguments) => replay::run(arguments, out, err).await,
        Command::Serve(arguments) => serve::run(arguments, out).await,
        Command::Diff(arguments) => diff::run(&arguments, out),
        Command::Matrix(arguments) => matrix::run(&arguments).map(|text| print(out, &text)),
        Command::Init(arguments) => init::run(&arguments, out, err),
        Command::Lint(arguments) => Ok(lint::run(&arguments, out, err)),
        Command::Checks(arguments) => checks::run(&arguments).map(|text| print(out, &text)),
        Command::Explain(arguments) => explain::run(&arguments, err).map(|text| print(out, &text)),
        Command::Timing(arguments) => timing::run(arguments, err).await.map(|text| print(out, &text)),
        Command::Faults(arguments) => faults::run(&arguments).map(|text| print(out, &text)),
    };
    finished.unwrap_or_else(|failure: Failure| {
        let _ = writeln!(err, "error: {failure}");
        failure.exit()
    })
}

/// Prints a result. If the reader is gone, as `head` may be, that is not an error.
fn print(out: &mut dyn Write, text: &str) -> Exit {
    let _ = out.write_all(text.as_bytes());
    Exit::Conformant
}

/// Reads a JSON report of an earlier run.
fn read_report(path: &Path) -> Result<SavedReport, Failure> {
    let unusable = |problem: String| Failure::Config { file: path.display().to_string(), problem };
    let text = std::fs::read_to_string(path).map_err(|error| unusable(format!("cannot be read: {error}")))?;
    SavedReport::read(&text).map_err(unusable)
}
