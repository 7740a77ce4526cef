//! The command line: what is wanted, and where it comes from. Everything that is printed goes to the writers that the
//! caller gives; the result to one, progress and trouble to the other.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use otp_sandbox::Fault;

use crate::call::Masking;
use crate::check::checks;
use crate::config::Config;
use crate::connecting::{Wanted, connect, contracts};
use crate::error::{Exit, Failure};
use crate::listing::{self, ListFormat, list_checks, list_faults};
use crate::report::{Report, Verdict};
use crate::run::{Options, run};
use crate::serving::{ControlAt, LogLevel, Serving};
use crate::table::{TableFormat, matrix_table};
use crate::{serving, summary, timing};

/// Checks a server against every documented answer of an OTP verification API.
#[derive(Debug, Parser)]
#[command(name = "otp-conformance", version, about, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Exit status:
  0  conformant
  1  a gating check failed
  2  the command line, the configuration or a document is wrong
  3  the subject could not be judged

Every option of `check` can stand in a file (--config) or in the environment
(OTP_CONFORMANCE_TARGET, ...). The token that a control asks for comes from
OTP_CONFORMANCE_CONTROL_TOKEN or from control_token in the file only.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a server; without --target, the built-in sandbox
    Check(CheckArgs),
    /// Serve the sandbox
    Serve(ServeArgs),
    /// Print every documented answer
    Matrix(MatrixArgs),
    /// Print every check
    Checks(ListArgs),
    /// Tell what a check asserts, who says so, and what it accepts
    Explain(ExplainArgs),
    /// Time the answers that a caller should not be able to tell apart; a report, no verdict
    Timing(TimingArgs),
    /// Print every fault that the sandbox can be started with
    Faults(FaultArgs),
}

/// Which server, and as whose.
#[derive(Debug, Args)]
struct SubjectArgs {
    /// The vendors; all that the subject serves where none is named
    #[arg(env = "OTP_CONFORMANCE_VENDORS", value_delimiter = ',')]
    vendors: Vec<String>,
    /// The address of the subject, or the built-in sandbox; several are replicas of one service
    #[arg(long, value_name = "URL", env = "OTP_CONFORMANCE_TARGET", value_delimiter = ',')]
    target: Vec<String>,
    /// The address of its control, where it is not the first target
    #[arg(long, value_name = "URL", env = "OTP_CONFORMANCE_CONTROL")]
    control: Option<String>,
    /// An annotated document of another API
    #[arg(long, value_name = "FILE.yaml", env = "OTP_CONFORMANCE_CONTRACT", value_delimiter = ',')]
    contract: Vec<PathBuf>,
    /// A file with options and secrets
    #[arg(long, value_name = "FILE.toml", env = "OTP_CONFORMANCE_CONFIG")]
    config: Option<PathBuf>,
}

impl SubjectArgs {
    /// The file that was named, or an empty one.
    fn file(&self) -> Result<Config, Failure> {
        self.config.as_deref().map(Config::from_file).transpose().map(Option::unwrap_or_default)
    }

    /// What is wanted by these and, where they say nothing, by the file; a sandbox without faults.
    fn wanted(self, file: &mut Config) -> Wanted {
        let filed = |given: Vec<String>, filed: &mut Vec<String>| or(given, std::mem::take(filed));
        Wanted {
            vendors: filed(self.vendors, &mut file.vendors),
            contract: or(self.contract, std::mem::take(&mut file.contract)),
            target: filed(self.target, &mut file.target),
            control: self.control.or(file.control.take()),
            token: std::env::var("OTP_CONFORMANCE_CONTROL_TOKEN").ok().or(file.control_token.take()),
            tenants: std::mem::take(&mut file.tenants),
            faults: Vec::new(),
            prefer: Vec::new(),
            masking: Masking::CredentialsAndCodes,
        }
    }
}

/// What was given, or else what stands in the file.
fn or<T>(given: Vec<T>, filed: Vec<T>) -> Vec<T> {
    if given.is_empty() { filed } else { given }
}

#[derive(Debug, Args)]
struct CheckArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// Make only the checks whose id matches
    #[arg(long, value_name = "GLOB", env = "OTP_CONFORMANCE_ONLY", value_delimiter = ',')]
    only: Vec<String>,
    /// Leave out the checks whose id matches
    #[arg(long, value_name = "GLOB", env = "OTP_CONFORMANCE_SKIP", value_delimiter = ',')]
    skip: Vec<String>,
    /// Let baseline checks gate as well
    #[arg(long, env = "OTP_CONFORMANCE_STRICT")]
    strict: bool,
    /// The seed from which every choice follows; a random one where none is given
    #[arg(long, value_name = "N", env = "OTP_CONFORMANCE_SEED")]
    seed: Option<u64>,
    /// Make the I-th of N parts of the checks; the parts add up to the whole
    #[arg(long, value_name = "I/N", env = "OTP_CONFORMANCE_SHARD")]
    shard: Option<String>,
    /// How many random walks are made for each vendor
    #[arg(long, value_name = "N", env = "OTP_CONFORMANCE_CASES")]
    cases: Option<u32>,
    /// How many checks are made at a time
    #[arg(long, value_name = "N", env = "OTP_CONFORMANCE_JOBS", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Write a report; the format is json
    #[arg(long, value_name = "FORMAT=PATH", env = "OTP_CONFORMANCE_REPORT", value_delimiter = ',')]
    report: Vec<String>,
    /// Print the verdict only
    #[arg(long, env = "OTP_CONFORMANCE_QUIET")]
    quiet: bool,
    /// Show codes in reports; credentials stay hidden
    #[arg(long, env = "OTP_CONFORMANCE_REVEAL")]
    reveal: bool,
    /// Start the built-in sandbox with a fault
    #[arg(long, value_name = "NAME", conflicts_with = "target")]
    fault: Vec<String>,
    /// Let the built-in sandbox give this answer where the contract allows it
    #[arg(long, value_name = "VENDOR/CELL", conflicts_with = "target")]
    prefer: Vec<String>,
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// The vendors to be served; all where none is named
    vendors: Vec<String>,
    /// Where to listen; several addresses are replicas of one service
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:8080",
        env = "OTP_CONFORMANCE_LISTEN",
        value_delimiter = ','
    )]
    listen: Vec<String>,
    /// Where sessions are kept: memory, or the redis:// address of a server that replicas share
    #[arg(
        long,
        value_name = "STORE",
        default_value = "memory",
        env = "OTP_CONFORMANCE_STORE",
        hide_env_values = true
    )]
    store: String,
    /// Serve the control, health and metrics at an address of their own
    #[arg(long, value_name = "ADDR", env = "OTP_CONFORMANCE_CONTROL_LISTEN", conflicts_with = "no_control")]
    control_listen: Option<String>,
    /// Serve no control: nobody can issue codes here
    #[arg(long)]
    no_control: bool,
    /// What is logged, as lines of JSON
    #[arg(long, value_enum, default_value_t = LogLevel::Error, env = "OTP_CONFORMANCE_LOG")]
    log: LogLevel,
    /// The token that control calls must carry; needed where the address is not loopback
    #[arg(long, value_name = "T", env = "OTP_CONFORMANCE_CONTROL_TOKEN", hide_env_values = true)]
    control_token: Option<String>,
    /// An annotated document of another API
    #[arg(long, value_name = "FILE.yaml")]
    contract: Vec<PathBuf>,
    /// Serve with a deliberate fault
    #[arg(long, value_name = "NAME")]
    fault: Vec<String>,
    /// Give this answer where the contract allows it
    #[arg(long, value_name = "VENDOR/CELL")]
    prefer: Vec<String>,
}

#[derive(Debug, Args)]
struct MatrixArgs {
    /// The vendors; all where none is named
    vendors: Vec<String>,
    /// The format
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    format: TableFormat,
    /// An annotated document of another API
    #[arg(long, value_name = "FILE.yaml")]
    contract: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// The vendors; all where none is named
    vendors: Vec<String>,
    /// The format
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    format: ListFormat,
    /// An annotated document of another API
    #[arg(long, value_name = "FILE.yaml")]
    contract: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct ExplainArgs {
    /// The check's id, such as exotel/matrix/expired
    id: String,
    /// An annotated document of another API
    #[arg(long, value_name = "FILE.yaml")]
    contract: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct TimingArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    /// How many answers of each kind are timed
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    samples: u32,
    /// The seed from which the order follows; a random one where none is given
    #[arg(long, value_name = "N", env = "OTP_CONFORMANCE_SEED")]
    seed: Option<u64>,
    /// The format
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    format: ListFormat,
}

#[derive(Debug, Args)]
struct FaultArgs {
    /// The format
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    format: TableFormat,
}

/// Does what the command line asks for. `out` gets the result, `err` progress and trouble.
pub async fn main(cli: Cli, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let done = match cli.command {
        Command::Check(args) => check(args, out, err).await,
        Command::Serve(args) => serve(args, out).await,
        Command::Matrix(args) => contracts(&args.vendors, &args.contract)
            .map(|contracts| print(out, &matrix_table(&contracts, args.format))),
        Command::Checks(args) => contracts(&args.vendors, &args.contract)
            .map(|contracts| print(out, &list_checks(&contracts, args.format))),
        Command::Explain(args) => explain(&args.id, &args.contract).map(|text| print(out, &text)),
        Command::Timing(args) => time(args, out).await,
        Command::Faults(args) => {
            contracts(&[], &[]).map(|contracts| print(out, &list_faults(&contracts, args.format)))
        }
    };
    done.unwrap_or_else(|failure| {
        let _ = writeln!(err, "error: {failure}");
        failure.exit()
    })
}

/// Prints a result. A reader that has gone away, such as `head`, is no failure of ours.
fn print(out: &mut dyn Write, text: &str) -> Exit {
    let _ = out.write_all(text.as_bytes());
    Exit::Conformant
}

async fn check(args: CheckArgs, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    let mut file = args.subject.file()?;
    let wanted = Wanted {
        faults: faults(&args.fault)?,
        prefer: args.prefer,
        masking: if args.reveal { Masking::Credentials } else { Masking::CredentialsAndCodes },
        ..args.subject.wanted(&mut file)
    };
    let reports = read_reports(&or(args.report, file.report))?;
    let seed = args.seed.or(file.seed).unwrap_or_else(|| fastrand::u32(..).into());
    let usual = Options::with_seed(seed);
    let options = Options {
        only: patterns("--only", &or(args.only, file.only))?,
        skip: patterns("--skip", &or(args.skip, file.skip))?,
        strict: args.strict || file.strict.unwrap_or(false),
        jobs: args.jobs.or(file.jobs).map_or(usual.jobs, usize::from),
        cases: args.cases.or(file.cases).unwrap_or(usual.cases),
        shard: args.shard.or(file.shard).map(|text| read_shard(&text)).transpose()?,
        ..usual
    };
    let (contracts, subject) = connect(wanted).await?;
    if !args.quiet {
        let names: Vec<_> = contracts.iter().map(|contract| contract.vendor.as_str()).collect();
        let _ = writeln!(err, "checking {} at {}", names.join(", "), subject.targets.join(", "));
    }
    let report = run(contracts.clone(), Arc::new(subject), &options).await?;
    let quiet = args.quiet || file.quiet.unwrap_or(false);
    let whole: usize = contracts.iter().map(|contract| checks(contract).len()).sum();
    let _ = summary::render(&report, &contracts, whole, quiet, out);
    for path in reports {
        write_report(&report, &path, out)?;
    }
    Ok(match report.verdict {
        Verdict::Conformant => Exit::Conformant,
        Verdict::Nonconformant => Exit::Nonconformant,
        Verdict::Inconclusive => Exit::Unjudged,
    })
}

async fn time(args: TimingArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let mut file = args.subject.file()?;
    let wanted = args.subject.wanted(&mut file);
    if wanted.target.len() > 1 {
        let problem = "the answers of one server are timed; name one".to_owned();
        return Err(Failure::Option { option: "--target", problem });
    }
    let (contracts, subject) = connect(wanted).await?;
    let seed = args.seed.or(file.seed).unwrap_or_else(|| fastrand::u32(..).into());
    let mut timings = Vec::new();
    for contract in &contracts {
        timings.push(timing::measure(contract, &subject, args.samples as usize, seed).await?);
    }
    Ok(print(
        out,
        &match args.format {
            ListFormat::Text => timing::as_text(&timings),
            ListFormat::Json => timing::as_json(&timings),
        },
    ))
}

async fn serve(args: ServeArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let control = match (args.no_control, args.control_listen) {
        (true, _) => ControlAt::Nowhere,
        (false, Some(address)) => ControlAt::Apart(address),
        (false, None) => ControlAt::Beside,
    };
    let serving = Serving {
        contracts: contracts(&args.vendors, &args.contract)?,
        faults: faults(&args.fault)?,
        prefer: args.prefer,
        listen: args.listen,
        store: args.store,
        store_secret: std::env::var("OTP_CONFORMANCE_STORE_SECRET").ok(),
        control,
        control_token: args.control_token,
        log: args.log,
    };
    serving::serve(serving, out).await
}

fn faults(names: &[String]) -> Result<Vec<&'static Fault>, Failure> {
    names
        .iter()
        .map(|name| {
            Fault::named(name).ok_or_else(|| Failure::Option {
                option: "--fault",
                problem: format!("there is no fault `{name}`; `otp-conformance faults` lists them"),
            })
        })
        .collect()
}

fn patterns(option: &'static str, globs: &[String]) -> Result<Vec<glob::Pattern>, Failure> {
    globs
        .iter()
        .map(|text| {
            glob::Pattern::new(text).map_err(|error| Failure::Option {
                option,
                problem: format!("`{text}` is no pattern: {error}"),
            })
        })
        .collect()
}

/// A shard of the form `I/N`, I from 1 to N.
fn read_shard(text: &str) -> Result<(usize, usize), Failure> {
    let parsed =
        text.split_once('/').and_then(|(part, whole)| Some((part.parse().ok()?, whole.parse().ok()?)));
    match parsed {
        Some((part, whole)) if 1 <= part && part <= whole => Ok((part, whole)),
        _ => Err(Failure::Option {
            option: "--shard",
            problem: format!("`{text}` is not of the form I/N with I from 1 to N"),
        }),
    }
}

/// What a check is about, by its id.
fn explain(id: &str, files: &[PathBuf]) -> Result<String, Failure> {
    let vendor = id.split('/').next().unwrap_or_default();
    let contracts = contracts(&[vendor.to_owned()], files)?;
    contracts.iter().find_map(|contract| listing::explain(contract, id)).ok_or_else(|| Failure::Option {
        option: "explain",
        problem: format!("there is no check `{id}`; `otp-conformance checks {vendor}` lists those there are"),
    })
}

/// The paths of `json=PATH`.
fn read_reports(reports: &[String]) -> Result<Vec<PathBuf>, Failure> {
    reports
        .iter()
        .map(|report| match report.split_once('=') {
            Some(("json", path)) if !path.is_empty() => Ok(PathBuf::from(path)),
            _ => Err(Failure::Option {
                option: "--report",
                problem: format!("`{report}` is not of the form json=PATH"),
            }),
        })
        .collect()
}

/// Writes a report to a file, or to the result where the path is `-`.
fn write_report(report: &Report, path: &std::path::Path, out: &mut dyn Write) -> Result<(), Failure> {
    let failed = |reason: String| Failure::Write { path: path.display().to_string(), reason };
    let mut text = serde_json::to_string_pretty(report).map_err(|error| failed(error.to_string()))?;
    text.push('\n');
    if path.as_os_str() == "-" {
        return out.write_all(text.as_bytes()).map_err(|error| failed(error.to_string()));
    }
    std::fs::write(path, text).map_err(|error| failed(error.to_string()))
}
