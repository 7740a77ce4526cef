//! `serve`: the sandbox as a server of its own. It says where it listens and how to try it, and then nothing more on the
//! result; what it logs are lines of JSON, without codes, credentials or ids.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Mutex;

use clap::ValueEnum;
use otp_contract::Contract;
use otp_sandbox::{Backend, Fault, RedisStore, Sandbox, Secret, Settings, StoreError};
use tokio::net::TcpListener;
use tracing::Level;

use crate::call::{Call, Credential, Guess, Masking, Twist};
use crate::connecting::listen;
use crate::control::Tenant;
use crate::error::{Exit, Failure};
use crate::script::{curl, quote};
use crate::wire::RawRequest;

/// What is served, and where.
pub(crate) struct Serving {
    pub(crate) contracts: Vec<Contract>,
    pub(crate) faults: Vec<&'static Fault>,
    pub(crate) prefer: Vec<String>,
    /// Where the vendors are served; several are replicas of one service.
    pub(crate) listen: Vec<String>,
    /// `memory`, or the address of a Redis server.
    pub(crate) store: String,
    /// What the digests in Redis are made with, where they are not to be made with what is kept there.
    pub(crate) store_secret: Option<String>,
    pub(crate) control: ControlAt,
    pub(crate) control_token: Option<String>,
    pub(crate) log: LogLevel,
}

/// Where the control is served.
pub(crate) enum ControlAt {
    /// Beside the vendors.
    Beside,
    /// At an address of its own, with health and metrics.
    Apart(String),
    /// Nowhere.
    Nowhere,
}

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    /// Nothing.
    Off,
    /// What a maintainer has to see to.
    Error,
    /// And each answer.
    Info,
}

/// Serves until the process is asked to stop.
pub(crate) async fn serve(serving: Serving, out: &mut dyn Write) -> Result<Exit, Failure> {
    open_many_files();
    let contracts = serving.contracts.clone();
    let faults = serving.faults.clone();
    let backend = backend(&serving).await?;
    let is_open = serving.control_token.is_none();
    let cannot_be_sent = |token: &String| token.trim() != token || token.chars().any(char::is_control);
    if serving.control_token.as_ref().is_some_and(|token| token.is_empty() || cannot_be_sent(token)) {
        let problem = "it is empty, or no header can carry it".to_owned();
        return Err(Failure::Option { option: "--control-token", problem });
    }
    let sandbox = Sandbox::new(Settings {
        contracts: serving.contracts,
        prefer: serving.prefer,
        faults,
        control_token: serving.control_token,
        backend: Some(backend),
        ..Settings::default()
    })?;
    start_log(serving.log);

    let mut bound = Vec::new();
    for address in &serving.listen {
        bound.push(listen(address).await?);
    }
    let apart = match &serving.control {
        ControlAt::Apart(address) => Some(listen(address).await?),
        ControlAt::Beside | ControlAt::Nowhere => None,
    };
    let control = match (&serving.control, &apart) {
        (ControlAt::Nowhere, _) => None,
        (_, Some((_, address))) => Some(*address),
        (_, None) => bound.first().map(|(_, address)| *address),
    };
    // Whoever reaches the control can issue codes.
    let reachable = match (&apart, &serving.control) {
        (Some((_, address)), _) => vec![*address],
        (None, ControlAt::Beside) => bound.iter().map(|(_, address)| *address).collect(),
        (None, _) => Vec::new(),
    };
    if let Some(address) = reachable.into_iter().find(|address| is_open && !address.ip().is_loopback()) {
        return Err(Failure::Option {
            option: if apart.is_some() { "--control-listen" } else { "--listen" },
            problem: format!(
                "{address} is not loopback, and anybody could issue codes there; give a --control-token, \
                 --control-listen on loopback, or --no-control"
            ),
        });
    }
    announce(&contracts, &sandbox, &bound, control, is_open, out);
    run(sandbox, bound, apart, &serving.control).await;
    Ok(Exit::Conformant)
}

async fn run(
    sandbox: Sandbox,
    bound: Vec<(TcpListener, SocketAddr)>,
    apart: Option<(TcpListener, SocketAddr)>,
    control: &ControlAt,
) {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let until = || {
        let mut stopped = stopped.clone();
        async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        }
    };
    let mut running = tokio::task::JoinSet::new();
    for (number, (listener, _)) in (0..).zip(bound) {
        let replica = sandbox.replica(number);
        match control {
            ControlAt::Beside => running.spawn(replica.serve(listener, until())),
            ControlAt::Apart(_) => running.spawn(replica.serve_vendors(listener, until())),
            ControlAt::Nowhere => running.spawn(replica.serve_without_control(listener, until())),
        };
    }
    if let Some((listener, _)) = apart {
        running.spawn(sandbox.clone().serve_control(listener, until()));
    }
    tokio::select! {
        () = asked_to_stop() => {}
        () = sandbox.sweep() => {}
    }
    let _ = stop.send(true);
    while running.join_next().await.is_some() {}
}

/// Lets the process have as many connections as the system allows it; many systems start programs with a thousand.
fn open_many_files() {
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, getrlimit, setrlimit};
        // Where it may not, it has what it has.
        let _ = getrlimit(Resource::RLIMIT_NOFILE)
            .and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most));
    }
}

async fn backend(serving: &Serving) -> Result<Backend, Failure> {
    let randomness = || Failure::Sandbox(otp_sandbox::SandboxError::Randomness);
    if serving.store == "memory" {
        return Backend::memory().ok_or_else(randomness);
    }
    let secret = serving.store_secret.as_ref().map(|secret| Secret::from_bytes(secret.as_bytes()));
    let store = RedisStore::connect(&serving.store, secret).await.map_err(|error| match error {
        StoreError::Unreachable(reason) => {
            Failure::Unreachable { what: "store", url: "given by --store".to_owned(), reason }
        }
        other => Failure::Option { option: "--store", problem: other.to_string() },
    })?;
    Backend::redis(store, &serving.faults).ok_or_else(randomness)
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
    // Only a second server in one process finds a log started already, and that one will do.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Says where everything is, and how to issue and verify a first code.
fn announce(
    contracts: &[Contract],
    sandbox: &Sandbox,
    bound: &[(TcpListener, SocketAddr)],
    control: Option<SocketAddr>,
    is_open: bool,
    out: &mut dyn Write,
) {
    let names: Vec<_> = contracts.iter().map(|contract| contract.vendor.as_str()).collect();
    let urls: Vec<_> = bound.iter().map(|(_, address)| format!("http://{address}")).collect();
    let control = control.map(|address| format!("http://{address}/_control/v1"));
    let there = control.as_ref().map_or_else(|| "no control".to_owned(), |url| format!("control at {url}"));
    // Nobody to tell is no reason not to serve.
    let _ = writeln!(out, "serving {} at {}, {there}", names.join(", "), urls.join(" and "));
    for contract in contracts {
        let tenant = sandbox.tenant(&contract.vendor).and_then(|made| serde_json::from_value(made).ok());
        if let Some(tenant) = tenant {
            let call = first_call(contract, &tenant, &urls[0]);
            let issue = control.as_ref().map(|url| issue(contract, &tenant, url, is_open));
            let _ = writeln!(out, "{}: {}{call}", contract.vendor, issue.unwrap_or_default());
        }
    }
    let _ = out.flush();
}

/// The code of the first call: any will do.
const CODE: &str = "123456";

/// A name that survives percent-encoding, and becomes the shell's variable.
const SESSION: &str = "__SESSION__";

/// The shell's words that issue a code and keep the session's id.
fn issue(contract: &Contract, tenant: &Tenant, control: &str, is_open: bool) -> String {
    let body = format!(
        "{{\"vendor\":\"{}\",\"tenant\":\"{}\",\"code\":\"{CODE}\"}}",
        contract.vendor, tenant.tenant
    );
    let token = if is_open { "" } else { " -H \"authorization: Bearer $CONTROL_TOKEN\"" };
    format!(
        "SESSION=$(curl -s {}{token} -H 'content-type: application/json' -d {} | \
         sed 's/.*\"session\":\"\\([^\"]*\\)\".*/\\1/') && ",
        quote(&format!("{control}/sessions")),
        quote(&body),
    )
}

/// The shell's words that verify it.
fn first_call(contract: &Contract, tenant: &Tenant, url: &str) -> String {
    let call = Call {
        contract,
        tenant,
        session: Some(SESSION),
        code: Some(Guess::plain(CODE)),
        retry: false,
        lifetime_minutes: None,
        credential: Credential::Own,
        twist: Twist::default(),
    };
    let request: RawRequest = call.request(url, Masking::Nothing);
    curl(&request).replace(SESSION, "'\"$SESSION\"'")
}

/// Done when the process is asked to stop.
async fn asked_to_stop() {
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
