//! The library's entry point: connects to a subject, and runs the checks against it.
//!
//! May use `runner` and everything below it. It must not print, read options, or start a sandbox.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use otp_contract::Contract;
use serde::Deserialize;

use crate::checks::checks;
use crate::error::Failure;
use crate::harness::{ControlClient, ControlError, Credentials, Masking, Subject, Tenant};
use crate::http::HttpClient;
use crate::preflight;
use crate::report::Report;
use crate::runner::{self, Options};

/// Where the server under test is, and how to use it.
#[derive(Debug, Clone, Default)]
pub struct SubjectOptions {
    /// Its addresses, each a scheme and an authority, without a slash at the end. Several are replicas of one service.
    pub targets: Vec<String>,
    /// The address of its control; the first target if `None`.
    pub control: Option<String>,
    /// The token that the control asks for.
    pub control_token: Option<String>,
    /// Existing tenants, for a control that cannot create any: two for each vendor.
    pub tenants: Vec<PreparedTenant>,
    /// Whether it is an error if the subject does not serve all contracts. Otherwise the suite checks those that it serves.
    pub require_all: bool,
    /// Whether reports show codes. They never show credentials.
    pub reveal_codes: bool,
    /// How long to wait for the targets and the control to accept connections; they are tried once if it is zero.
    pub wait: Duration,
}

/// A tenant that exists already.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreparedTenant {
    /// The vendor whose account it is.
    pub vendor: String,
    /// The id by which the control knows it.
    pub tenant: String,
    /// The path parameters that name its account.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Its credentials, by security scheme.
    pub credentials: BTreeMap<String, Credentials>,
}

/// A conformance suite that is connected to a subject.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use otp_conformance::{Options, SubjectOptions, Suite, Verdict};
/// use otp_contract::Contract;
///
/// let subject = SubjectOptions { targets: vec!["http://127.0.0.1:8080".to_owned()], ..SubjectOptions::default() };
/// let suite = Suite::connect(vec![Contract::of_vendor("exotel")?], subject).await?;
/// let report = suite.run(&Options::with_seed(1)).await?;
/// assert_eq!(report.verdict, Verdict::Conformant);
/// # Ok(())
/// # }
/// ```
pub struct Suite {
    pub(crate) contracts: Vec<Arc<Contract>>,
    pub(crate) subject: Arc<Subject>,
}

impl Suite {
    /// Connects to a subject and reads what its control offers.
    ///
    /// # Errors
    /// A target or the control that cannot be reached, a control that refuses, or a contract that the subject does not
    /// serve.
    pub async fn connect(contracts: Vec<Contract>, options: SubjectOptions) -> Result<Suite, Failure> {
        let Some(first) = options.targets.first().cloned() else {
            return Err(Failure::NothingSelected("there is no target".to_owned()));
        };
        let control_url = options.control.clone().unwrap_or_else(|| first.clone());
        let tls = options.targets.iter().chain([&control_url]).any(|url| url.starts_with("https:"));
        let no_tls = |reason| Failure::Unreachable { what: "target", url: first.clone(), reason };
        let pooled = HttpClient::pooled(tls).map_err(no_tls)?;
        let unpooled = HttpClient::unpooled(tls).map_err(no_tls)?;
        let deadline = Instant::now() + options.wait;
        for target in &options.targets {
            reach_until("target", target, deadline).await?;
        }
        reach_until("control", &control_url, deadline).await?;
        let mut control = ControlClient::connect(&pooled, &control_url, options.control_token)
            .await
            .map_err(|error| control_failure(control_url, error))?;
        for tenant in options.tenants {
            control.prepared.entry(tenant.vendor.clone()).or_default().push(tenant.into());
        }
        let contracts = served(contracts, &control.description.vendors, options.require_all)?;
        let masking = match options.reveal_codes {
            true => Masking::Credentials,
            false => Masking::CredentialsAndCodes,
        };
        let subject = Subject {
            targets: options.targets,
            control,
            pooled: Arc::new(pooled),
            unpooled: Arc::new(unpooled),
            masking,
        };
        Ok(Suite { contracts, subject: Arc::new(subject) })
    }

    /// The vendors that the suite checks.
    pub fn vendors(&self) -> impl Iterator<Item = &str> {
        self.contracts.iter().map(|contract| contract.vendor.as_str())
    }

    /// The addresses of the subject.
    pub fn targets(&self) -> &[String] {
        &self.subject.targets
    }

    /// How many requests the suite has sent, those to the control included.
    pub fn requests(&self) -> u64 {
        self.subject.requests()
    }

    /// Runs the checks.
    ///
    /// # Errors
    /// A selection that excludes every check, and a set-up through which nothing can be judged, such as credentials that the
    /// target refuses everywhere. A subject that does not conform is not an error, but a verdict.
    pub async fn run(&self, options: &Options) -> Result<Report, Failure> {
        self.run_until(options, std::future::pending()).await
    }

    /// Runs the checks until all have ended or `stop` has. The report has the checks that have ended by then, and says why
    /// there are no more.
    ///
    /// # Errors
    /// As [`Suite::run`].
    pub async fn run_until(
        &self,
        options: &Options,
        stop: impl Future<Output = ()>,
    ) -> Result<Report, Failure> {
        let is_selected =
            |contract: &&Arc<Contract>| checks(contract).iter().any(|check| options.selects(&check.id));
        let mut latency = Duration::ZERO;
        for contract in self.contracts.iter().filter(is_selected) {
            latency = latency.max(preflight::check(contract, &self.subject).await?);
        }
        runner::run(&self.contracts, &self.subject, options, latency, stop).await
    }
}

impl From<PreparedTenant> for Tenant {
    fn from(prepared: PreparedTenant) -> Tenant {
        Tenant {
            tenant: prepared.tenant,
            parameters: prepared.parameters,
            credentials: prepared.credentials,
            number: 0,
        }
    }
}

fn control_failure(url: String, error: ControlError) -> Failure {
    match error {
        ControlError::ConnectionLost { reason, .. } => Failure::Unreachable { what: "control", url, reason },
        other => Failure::Control { url, reason: other.to_string() },
    }
}

/// The contracts that the control serves.
fn served(
    contracts: Vec<Contract>,
    vendors: &[String],
    require_all: bool,
) -> Result<Vec<Arc<Contract>>, Failure> {
    let mut found = Vec::new();
    for contract in contracts {
        if vendors.contains(&contract.vendor) {
            found.push(Arc::new(contract));
        } else if require_all {
            return Err(Failure::NotServed { vendor: contract.vendor, served: vendors.join(", ") });
        }
    }
    if found.is_empty() {
        return Err(Failure::NothingSelected(format!(
            "the control serves {}, for which there is no contract; name one with --contract",
            vendors.join(", ")
        )));
    }
    Ok(found)
}

/// How long a target may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait before an address that refused a connection is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// Waits until a server accepts connections, at most until the deadline.
async fn reach_until(what: &'static str, address: &str, deadline: Instant) -> Result<(), Failure> {
    loop {
        match reach(what, address).await {
            Err(_) if Instant::now() < deadline => tokio::time::sleep(RETRY_PAUSE).await,
            reached => return reached,
        }
    }
}

/// Checks that a target accepts connections. It sends nothing: no contract says how a server responds to a bare path.
async fn reach(what: &'static str, target: &str) -> Result<(), Failure> {
    let uri = target.parse::<http::Uri>().ok();
    let host = uri.as_ref().and_then(http::Uri::host).unwrap_or_default().trim_matches(['[', ']']);
    let default_port = if target.starts_with("https:") { 443 } else { 80 };
    let port = uri.as_ref().and_then(http::Uri::port_u16).unwrap_or(default_port);
    let connecting = tokio::net::TcpStream::connect((host, port));
    let reason = match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no connection within {} s", CONNECT_TIMEOUT.as_secs()),
    };
    Err(Failure::Unreachable { what, url: target.to_owned(), reason })
}
