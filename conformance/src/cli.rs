//! The command line: what is wanted, and where it comes from. Everything that is printed goes to the writers that the
//! caller gives; the result to one, progress and trouble to the other.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use otp_contract::{Contract, DOCUMENTS};
use otp_sandbox::{Fault, Sandbox, Settings};
use tokio::net::TcpListener;

use crate::call::Masking;
use crate::check::checks;
use crate::config::Config;
use crate::control::{Control, ControlError};
use crate::error::{Exit, Failure};
use crate::listing::{self, ListFormat, list_checks, list_faults};
use crate::report::{Report, Verdict};
use crate::run::{Options, run};
use crate::subject::Subject;
use crate::summary;
use crate::table::{TableFormat, matrix_table};
use crate::wire::Wire;

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
    /// Print every fault that the sandbox can be started with
    Faults(FaultArgs),
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// The vendors to be checked; all that the subject serves where none is named
    #[arg(env = "OTP_CONFORMANCE_VENDORS", value_delimiter = ',')]
    vendors: Vec<String>,
    /// The address of the subject; several are replicas of one service
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
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", env = "OTP_CONFORMANCE_LISTEN")]
    listen: String,
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
        Command::Faults(args) => Ok(print(out, &list_faults(args.format))),
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

/// The contracts named: those of `vendors`, or all that are built in, and those in `files`.
fn contracts(vendors: &[String], files: &[PathBuf]) -> Result<Vec<Contract>, Failure> {
    let own = files.iter().map(|file| Contract::from_file(file)).collect::<Result<Vec<_>, _>>()?;
    if vendors.is_empty() {
        // A document of one's own is what one wants to look at; the built-in ones have to be asked for beside it.
        if !own.is_empty() {
            return Ok(own);
        }
        return Ok(DOCUMENTS
            .iter()
            .map(|document| Contract::of_vendor(document.vendor))
            .collect::<Result<Vec<_>, _>>()?);
    }
    let mut found: Vec<Contract> = Vec::new();
    for vendor in vendors {
        if found.iter().any(|contract| contract.vendor == *vendor) {
            continue;
        }
        match own.iter().find(|contract| contract.vendor == *vendor) {
            Some(contract) => found.push(contract.clone()),
            None => found.push(Contract::of_vendor(vendor)?),
        }
    }
    Ok(found)
}

async fn check(args: CheckArgs, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    let file = match &args.config {
        Some(path) => Config::from_file(path)?,
        None => Config::default(),
    };
    let or = |given: Vec<String>, filed: Vec<String>| if given.is_empty() { filed } else { given };
    let vendors = or(args.vendors, file.vendors);
    let files = if args.contract.is_empty() { file.contract } else { args.contract };
    let reports = read_reports(&or(args.report, file.report))?;
    let options = Options {
        only: patterns("--only", &or(args.only, file.only))?,
        skip: patterns("--skip", &or(args.skip, file.skip))?,
        strict: args.strict || file.strict.unwrap_or(false),
        seed: args.seed.or(file.seed).unwrap_or_else(|| fastrand::u32(..).into()),
        jobs: args.jobs.or(file.jobs).unwrap_or(16).into(),
        cases: args.cases.or(file.cases).unwrap_or(16),
        bursts: 30,
        shard: args.shard.or(file.shard).map(|text| read_shard(&text)).transpose()?,
        transcript: false,
    };
    let masking = if args.reveal { Masking::Credentials } else { Masking::CredentialsAndCodes };
    let token = std::env::var("OTP_CONFORMANCE_CONTROL_TOKEN").ok().or(file.control_token);
    let targets = or(args.target, file.target);
    let targets = targets.iter().map(|url| read_url("--target", url)).collect::<Result<Vec<_>, _>>()?;
    let control = args.control.or(file.control).map(|url| read_url("--control", &url)).transpose()?;
    let faults = faults(&args.fault)?;

    let (contracts, targets, control_url, token) = if targets.is_empty() {
        if control.is_some() {
            return Err(Failure::Option {
                option: "--control",
                problem: "needs a --target; without one the built-in sandbox is checked".to_owned(),
            });
        }
        let contracts = contracts(&vendors, &files)?;
        let urls = start_sandbox(contracts.clone(), faults, args.prefer).await?;
        (contracts, urls.clone(), urls[0].clone(), None)
    } else {
        let control = control.unwrap_or_else(|| targets[0].clone());
        // Vendors are chosen once it is known which ones the subject serves.
        (contracts(&vendors, &files)?, targets, control, token)
    };

    let tls = targets.iter().chain([&control_url]).any(|url| url.starts_with("https:"));
    let no_tls = |reason| Failure::Unreachable { what: "target", url: targets[0].clone(), reason };
    let (wire, fresh) = (Wire::new(tls).map_err(no_tls)?, Wire::fresh(tls).map_err(no_tls)?);
    for target in &targets {
        reach(target).await?;
    }
    let mut control = Control::connect(&wire, &control_url, token).await.map_err(|error| match error {
        ControlError::Lost { reason, .. } => {
            Failure::Unreachable { what: "control", url: control_url.clone(), reason }
        }
        other => Failure::Control { url: control_url.clone(), reason: other.to_string() },
    })?;
    for tenant in file.tenants {
        control.prepared.entry(tenant.vendor.clone()).or_default().push(tenant.into());
    }
    let contracts = served(contracts, &control, !vendors.is_empty() || !files.is_empty())?;
    if !args.quiet {
        let names: Vec<_> = contracts.iter().map(|contract| contract.vendor.as_str()).collect();
        let _ = writeln!(err, "checking {} at {}", names.join(", "), targets.join(", "));
    }
    let subject =
        Arc::new(Subject { targets, control, wire: Arc::new(wire), fresh: Arc::new(fresh), masking });
    let report = run(contracts.clone(), subject, &options).await?;
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

/// Those of `contracts` that the control serves; all of them where they were asked for by name.
fn served(contracts: Vec<Contract>, control: &Control, named: bool) -> Result<Vec<Arc<Contract>>, Failure> {
    let there = &control.description.vendors;
    let mut found = Vec::new();
    for contract in contracts {
        if there.contains(&contract.vendor) {
            found.push(Arc::new(contract));
        } else if named {
            return Err(Failure::NotServed { vendor: contract.vendor, served: there.join(", ") });
        }
    }
    if found.is_empty() {
        return Err(Failure::NothingSelected(format!(
            "the control serves {}, and no contract of these is known; name one with --contract",
            there.join(", ")
        )));
    }
    Ok(found)
}

/// Whether anything listens there. Nothing is sent: what a server says to a bare path is nobody's contract.
async fn reach(target: &str) -> Result<(), Failure> {
    let uri = target.parse::<http::Uri>().ok();
    let host = uri.as_ref().and_then(http::Uri::host).unwrap_or_default().trim_matches(['[', ']']);
    let usual = if target.starts_with("https:") { 443 } else { 80 };
    let port = uri.as_ref().and_then(http::Uri::port_u16).unwrap_or(usual);
    let connecting = tokio::net::TcpStream::connect((host, port));
    let reason = match tokio::time::timeout(REACH, connecting).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", REACH.as_secs()),
    };
    Err(Failure::Unreachable { what: "target", url: target.to_owned(), reason })
}

/// How long a target may take to accept a connection.
const REACH: std::time::Duration = std::time::Duration::from_secs(5);

/// Starts the built-in sandbox; more than one replica only for a fault that does not show with less.
async fn start_sandbox(
    contracts: Vec<Contract>,
    faults: Vec<&'static Fault>,
    prefer: Vec<String>,
) -> Result<Vec<String>, Failure> {
    let replicas = faults.iter().map(|fault| fault.replicas()).max().unwrap_or(1);
    let sandbox = Sandbox::new(Settings { contracts, prefer, faults, control_token: None })?;
    let mut urls = Vec::new();
    for number in 0..replicas {
        let (listener, address) = listen("127.0.0.1:0").await?;
        tokio::spawn(sandbox.replica(number).serve(listener, std::future::pending()));
        urls.push(format!("http://{address}"));
    }
    Ok(urls)
}

async fn listen(address: &str) -> Result<(TcpListener, std::net::SocketAddr), Failure> {
    let refused =
        |error: std::io::Error| Failure::Listen { address: address.to_owned(), reason: error.to_string() };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    Ok((listener, bound))
}

async fn serve(args: ServeArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    let contracts = contracts(&args.vendors, &args.contract)?;
    let names: Vec<_> = contracts.iter().map(|contract| contract.vendor.clone()).collect();
    let faults = faults(&args.fault)?;
    let open = args.control_token.is_none();
    let sandbox =
        Sandbox::new(Settings { contracts, prefer: args.prefer, faults, control_token: args.control_token })?;
    let (listener, address) = listen(&args.listen).await?;
    if open && !address.ip().is_loopback() {
        return Err(Failure::Option {
            option: "--listen",
            problem: format!(
                "{address} is not loopback, and anybody could issue codes there; give a --control-token"
            ),
        });
    }
    let _ = writeln!(
        out,
        "serving {} at http://{address}, control at http://{address}/_control/v1",
        names.join(", ")
    );
    let _ = out.flush();
    sandbox.serve(listener, stopped()).await?;
    Ok(Exit::Conformant)
}

/// Done when the process is asked to stop.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
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

/// An address: scheme and authority, and a path where the API hangs below one.
fn read_url(option: &'static str, text: &str) -> Result<String, Failure> {
    let refused = |problem: &str| Err(Failure::Option { option, problem: problem.to_owned() });
    let Ok(uri) = text.parse::<http::Uri>() else {
        return refused("not a URL such as http://127.0.0.1:8080");
    };
    match uri.authority() {
        Some(authority) if authority.as_str().contains('@') => {
            return refused(
                "credentials do not belong into a URL; they come from the control or the config file",
            );
        }
        Some(_) if matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none() => {}
        _ => return refused("not a URL such as http://127.0.0.1:8080"),
    }
    Ok(text.trim_end_matches('/').to_owned())
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
