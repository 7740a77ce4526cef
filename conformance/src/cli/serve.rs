//! `serve`: runs the sandbox as a server of its own.
//!
//! The output says where it listens and how to try it, and nothing after that. The log is lines of JSON, without codes,
//! credentials or ids.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;

use clap::ValueEnum;
use clap::builder::BoolishValueParser;
use otp_contract::Contract;
use otp_sandbox::{Backend, Fault, RedisStore, Sandbox, Secret, Settings, StoreError};
use tokio::net::TcpListener;
use tracing::Level;

use super::options::variable;
use super::sandbox::{faults, listen};
use super::signal;
use super::subject::contracts;
use crate::error::{Exit, Failure};
use crate::harness::{Credential, Masking, RequestMutation, SubmittedCode, Tenant, VerifyCall};
use crate::http::RawRequest;
use crate::report::{curl, quote};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The vendors to serve; all if none is named
    vendors: Vec<String>,
    /// Where to listen; several addresses are replicas of one service
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_delimiter = ',')]
    listen: Vec<String>,
    /// Where to keep sessions: memory, or the redis:// address of a server that replicas share
    #[arg(long, value_name = "STORE", default_value = "memory")]
    store: String,
    /// Serve control, health and metrics at a separate address
    #[arg(long, value_name = "ADDR", conflicts_with = "no_control")]
    control_listen: Option<String>,
    /// Serve no control, so that nobody can issue codes
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_parser = BoolishValueParser::new())]
    no_control: Option<bool>,
    /// What to log, as lines of JSON
    #[arg(long, value_enum, default_value_t = LogLevel::Error)]
    log: LogLevel,
    /// The token that control calls must carry; required if the address is not loopback
    #[arg(long, value_name = "T")]
    control_token: Option<String>,
    /// The annotated document of another API
    #[arg(long, value_name = "FILE.yaml", value_delimiter = ',')]
    contract: Vec<PathBuf>,
    /// Serve with a deliberate fault
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    fault: Vec<String>,
    /// Give this response where the contract allows several
    #[arg(long, value_name = "VENDOR/CELL", value_delimiter = ',')]
    prefer: Vec<String>,
}

/// Where the control is served.
enum ControlAddress {
    /// At the vendors' addresses.
    Shared,
    /// At an address of its own, with health and metrics.
    Separate(String),
    /// Nowhere.
    None,
}

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    /// Nothing.
    Off,
    /// Problems that a maintainer has to solve.
    Error,
    /// Each response as well.
    Info,
}

/// Serves until the process is asked to stop.
pub(super) async fn run(arguments: Arguments, out: &mut dyn Write) -> Result<Exit, Failure> {
    raise_file_limit();
    let contracts = contracts(&arguments.vendors, &arguments.contract)?;
    let faults = faults(&arguments.fault)?;
    let control = match (arguments.no_control, arguments.control_listen) {
        (Some(true), _) => ControlAddress::None,
        (_, Some(address)) => ControlAddress::Separate(address),
        (_, None) => ControlAddress::Shared,
    };
    let backend = backend(&arguments.store, &faults).await?;
    check_token(arguments.control_token.as_deref())?;
    let needs_token = arguments.control_token.is_some();
    let sandbox = Sandbox::new(Settings {
        contracts: contracts.clone(),
        prefer: arguments.prefer,
        faults,
        control_token: arguments.control_token,
        backend: Some(backend),
        ..Settings::default()
    })?;
    start_log(arguments.log);

    let mut listeners = Vec::new();
    for address in &arguments.listen {
        listeners.push(listen(address).await?);
    }
    let separate = match &control {
        ControlAddress::Separate(address) => Some(listen(address).await?),
        ControlAddress::Shared | ControlAddress::None => None,
    };
    if !needs_token {
        refuse_public_control(&control, separate.as_ref(), &listeners)?;
    }
    let control_address = match (&control, &separate) {
        (ControlAddress::None, _) => None,
        (_, Some((_, address))) => Some(*address),
        (_, None) => listeners.first().map(|(_, address)| *address),
    };
    announce(&contracts, &sandbox, &listeners, control_address, needs_token, out);
    serve(sandbox, listeners, separate, &control).await;
    Ok(Exit::Conformant)
}

type Bound = (TcpListener, SocketAddr);

/// Refuses a token that no header field can carry.
fn check_token(token: Option<&str>) -> Result<(), Failure> {
    let is_unusable =
        |token: &str| token.is_empty() || token.trim() != token || token.chars().any(char::is_control);
    match token.is_some_and(is_unusable) {
        true => Err(Failure::Option {
            option: "--control-token",
            problem: "it is empty, or a header field cannot carry it".to_owned(),
        }),
        false => Ok(()),
    }
}

/// Refuses to serve a control without a token beyond loopback, because anybody who reaches it can issue codes.
fn refuse_public_control(
    control: &ControlAddress,
    separate: Option<&Bound>,
    listeners: &[Bound],
) -> Result<(), Failure> {
    let reachable: Vec<_> = match (separate, control) {
        (Some((_, address)), _) => vec![*address],
        (None, ControlAddress::Shared) => listeners.iter().map(|(_, address)| *address).collect(),
        (None, _) => Vec::new(),
    };
    match reachable.into_iter().find(|address| !address.ip().is_loopback()) {
        Some(address) => Err(Failure::Option {
            option: if separate.is_some() { "--control-listen" } else { "--listen" },
            problem: format!(
                "{address} is not loopback, so anybody could issue codes; use --control-token, \
                 --control-listen with a loopback address, or --no-control"
            ),
        }),
        None => Ok(()),
    }
}

async fn serve(sandbox: Sandbox, listeners: Vec<Bound>, separate: Option<Bound>, control: &ControlAddress) {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let until = || {
        let mut stopped = stopped.clone();
        async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        }
    };
    let mut running = tokio::task::JoinSet::new();
    for (number, (listener, _)) in (0..).zip(listeners) {
        let replica = sandbox.replica(number);
        match control {
            ControlAddress::Shared => running.spawn(replica.serve(listener, until())),
            ControlAddress::Separate(_) => running.spawn(replica.serve_vendors(listener, until())),
            ControlAddress::None => running.spawn(replica.serve_without_control(listener, until())),
        };
    }
    if let Some((listener, _)) = separate {
        running.spawn(sandbox.clone().serve_control(listener, until()));
    }
    tokio::select! {
        _ = signal::stop() => {}
        () = sandbox.sweep() => {}
    }
    let _ = stop.send(true);
    while running.join_next().await.is_some() {}
}

/// Raises the limit of open files to what the system allows; many systems start programs with a limit of 1024.
fn raise_file_limit() {
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, getrlimit, setrlimit};
        // If that fails, the existing limit applies.
        let _ = getrlimit(Resource::RLIMIT_NOFILE)
            .and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most));
    }
}

async fn backend(store: &str, faults: &[&'static Fault]) -> Result<Backend, Failure> {
    let randomness = || Failure::Sandbox(otp_sandbox::SandboxError::Randomness);
    if store == "memory" {
        return Backend::memory().ok_or_else(randomness);
    }
    let secret = variable("STORE_SECRET").map(|secret| Secret::from_bytes(secret.as_bytes()));
    let store = RedisStore::connect(store, secret).await.map_err(|error| match error {
        StoreError::Unreachable(reason) => {
            Failure::Unreachable { what: "store", url: "given by --store".to_owned(), reason }
        }
        other => Failure::Option { option: "--store", problem: other.to_string() },
    })?;
    Backend::redis(store, faults).ok_or_else(randomness)
}

fn start_log(level: LogLevel) {
    let level = match level {
        LogLevel::Off => return,
        LogLevel::Error => Level::ERROR,
        LogLevel::Info => Level::INFO,
    };
    let stderr = Mutex::new(std::io::stderr());
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(level)
        .with_writer(stderr)
        .finish();
    // If a second server in the same process finds a subscriber already set, it uses that one.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Prints where everything is, and how to issue and verify a first code.
fn announce(
    contracts: &[Contract],
    sandbox: &Sandbox,
    listeners: &[Bound],
    control: Option<SocketAddr>,
    needs_token: bool,
    out: &mut dyn Write,
) {
    let names: Vec<_> = contracts.iter().map(|contract| contract.vendor.as_str()).collect();
    let urls: Vec<_> = listeners.iter().map(|(_, address)| format!("http://{address}")).collect();
    let control = control.map(|address| format!("http://{address}/_control/v1"));
    let control_at =
        control.as_ref().map_or_else(|| "no control".to_owned(), |url| format!("control at {url}"));
    // A closed output is no reason not to serve.
    let _ = writeln!(out, "serving {} at {}, {control_at}", names.join(", "), urls.join(" and "));
    for contract in contracts {
        let tenant =
            sandbox.tenant(&contract.vendor).and_then(|created| serde_json::from_value(created).ok());
        if let Some(tenant) = tenant {
            let call = first_call(contract, &tenant, &urls[0]);
            let issue = control.as_ref().map(|url| issue(contract, &tenant, url, needs_token));
            let _ = writeln!(out, "{}: {}{call}", contract.vendor, issue.unwrap_or_default());
        }
    }
    let _ = out.flush();
}

/// The code of the first call.
const CODE: &str = "123456";

/// A placeholder that percent-encoding leaves unchanged, and that becomes a shell variable.
const SESSION: &str = "__SESSION__";

/// The command that issues a code and keeps the session's id in a variable.
fn issue(contract: &Contract, tenant: &Tenant, control: &str, needs_token: bool) -> String {
    let body = format!(
        "{{\"vendor\":\"{}\",\"tenant\":\"{}\",\"code\":\"{CODE}\"}}",
        contract.vendor, tenant.tenant
    );
    let token = if needs_token { " -H \"authorization: Bearer $CONTROL_TOKEN\"" } else { "" };
    format!(
        "SESSION=$(curl -s {}{token} -H 'content-type: application/json' -d {} | \
         sed 's/.*\"session\":\"\\([^\"]*\\)\".*/\\1/') && ",
        quote(&format!("{control}/sessions")),
        quote(&body),
    )
}

/// The command that verifies it.
fn first_call(contract: &Contract, tenant: &Tenant, url: &str) -> String {
    let call = VerifyCall {
        contract,
        operation: contract.verify(),
        tenant,
        session: Some(SESSION),
        code: Some(SubmittedCode::plain(CODE)),
        retry: false,
        lifetime_minutes: None,
        credential: Credential::Own,
        mutation: RequestMutation::default(),
    };
    let request: RawRequest = call.request(url, Masking::Nothing);
    curl(&request).replace(SESSION, "'\"$SESSION\"'")
}
