//! From what is wanted to what is there: the contracts that are named, the subject that serves them, or the built-in
//! sandbox where no address is given. Nothing is checked here, and no code is issued.

use std::path::PathBuf;
use std::sync::Arc;

use otp_contract::{Contract, DOCUMENTS};
use otp_sandbox::{Fault, Sandbox, Settings};
use tokio::net::{TcpListener, TcpSocket};

use crate::call::Masking;
use crate::config::PreparedTenant;
use crate::control::{Control, ControlError};
use crate::error::Failure;
use crate::subject::Subject;
use crate::wire::Wire;

/// A subject, as it was asked for.
pub(crate) struct Wanted {
    /// Vendors by name; all that it serves where there is none.
    pub(crate) vendors: Vec<String>,
    /// Documents of other APIs.
    pub(crate) contract: Vec<PathBuf>,
    /// Its addresses; none for the built-in sandbox.
    pub(crate) target: Vec<String>,
    /// The address of its control, where that is another.
    pub(crate) control: Option<String>,
    /// What the control asks for.
    pub(crate) token: Option<String>,
    /// Tenants that exist already.
    pub(crate) tenants: Vec<PreparedTenant>,
    /// What the built-in sandbox does wrong.
    pub(crate) faults: Vec<&'static Fault>,
    /// What the built-in sandbox answers where it may choose.
    pub(crate) prefer: Vec<String>,
    /// What reports hide.
    pub(crate) masking: Masking,
}

/// Finds the subject, and those contracts that it serves.
pub(crate) async fn connect(wanted: Wanted) -> Result<(Vec<Arc<Contract>>, Subject), Failure> {
    let Wanted { vendors, contract: files, faults, prefer, masking, .. } = wanted;
    let targets = wanted.target.iter().map(|url| read_url("--target", url)).collect::<Result<Vec<_>, _>>()?;
    let control = wanted.control.map(|url| read_url("--control", &url)).transpose()?;
    let contracts = contracts(&vendors, &files)?;
    let (targets, control_url, token) = if targets.is_empty() {
        if control.is_some() {
            return Err(Failure::Option {
                option: "--control",
                problem: "needs a --target; without one the built-in sandbox is checked".to_owned(),
            });
        }
        let urls = start_sandbox(contracts.clone(), faults, prefer).await?;
        (urls.clone(), urls[0].clone(), None)
    } else {
        let control = control.unwrap_or_else(|| targets[0].clone());
        (targets, control, wanted.token)
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
    for tenant in wanted.tenants {
        control.prepared.entry(tenant.vendor.clone()).or_default().push(tenant.into());
    }
    // Vendors are chosen once it is known which ones the subject serves.
    let contracts = served(contracts, &control, !vendors.is_empty() || !files.is_empty())?;
    let subject = Subject { targets, control, wire: Arc::new(wire), fresh: Arc::new(fresh), masking };
    Ok((contracts, subject))
}

/// The contracts named: those of `vendors`, or all that are built in, and those in `files`.
pub(crate) fn contracts(vendors: &[String], files: &[PathBuf]) -> Result<Vec<Contract>, Failure> {
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
    let sandbox = Sandbox::new(Settings { contracts, prefer, faults, ..Settings::default() })?;
    let mut urls = Vec::new();
    for number in 0..replicas {
        let (listener, address) = listen("127.0.0.1:0").await?;
        tokio::spawn(sandbox.replica(number).serve(listener, std::future::pending()));
        urls.push(format!("http://{address}"));
    }
    Ok(urls)
}

/// How many connections may wait to be accepted: as many as Linux allows by default. Whoever comes when there is no room
/// tries again after a second, which a burst of callers should not have to.
const WAITING: u32 = 4_096;

/// Listens on an address; what was bound is told.
pub(crate) async fn listen(address: &str) -> Result<(TcpListener, std::net::SocketAddr), Failure> {
    let refused =
        |error: std::io::Error| Failure::Listen { address: address.to_owned(), reason: error.to_string() };
    let found = tokio::net::lookup_host(address).await.map_err(refused)?.next();
    let Some(found) = found else {
        return Err(refused(std::io::Error::other("the name has no address")));
    };
    let socket = if found.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }.map_err(refused)?;
    // A server that is started again finds its port as it left it.
    #[cfg(unix)]
    socket.set_reuseaddr(true).map_err(refused)?;
    socket.bind(found).map_err(refused)?;
    let listener = socket.listen(WAITING).map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    Ok((listener, bound))
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
