//! The library's entry point: connects to a subject, and runs the checks against it.
//!
//! May use `runner` and everything below it. It must not print, read options, or start a sandbox.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use otp_contract::{Contract, KeyPlace, Scheme};
use serde::Deserialize;
use tokio::sync::mpsc::UnboundedSender;

use crate::checks::checks;
use crate::error::Failure;
use crate::harness::{
    ControlClient, ControlError, ControlProgram, Credentials, Fixtures, Masking, Subject, Tenant,
};
use crate::http::{
    Address, ConnectionOptions, CurlAddress, Environment, HttpClient, OptionError, ProbeError, Tls,
    expects_tls, probe,
};
use crate::preflight;
use crate::report::{CheckReport, CheckResult, Report, Verdict};
use crate::runner::{self, Options};

/// Where the server under test is, and how to use it.
#[derive(Debug, Clone, Default)]
pub struct SubjectOptions {
    /// Its addresses, each a scheme and an authority, without a slash at the end. Several are replicas of one service.
    pub targets: Vec<String>,
    /// The address of its control; the first target if `None`, and if there is neither a program nor a file in its place.
    pub control: Option<String>,
    /// A program that is the control: it reads requests of the control protocol line by line, and answers each with a line.
    pub control_program: Option<String>,
    /// Where the lines go that the program writes to its standard error.
    pub control_log: Option<UnboundedSender<String>>,
    /// A file with accounts and sessions that were prepared beforehand, instead of a control.
    pub fixtures: Option<PathBuf>,
    /// The token that the control asks for.
    pub control_token: Option<String>,
    /// Existing tenants, for a control that cannot create any: two for each vendor.
    pub tenants: Vec<PreparedTenant>,
    /// Whether it is an error if the subject does not serve all contracts. Otherwise the suite checks those that it serves.
    pub require_all: bool,
    /// Whether reports show codes. They never show credentials.
    pub reveal_codes: bool,
    /// How to connect, and what to add to every request.
    pub connection: ConnectionOptions,
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
/// use otp_contract::{Contract, KeyPlace, Scheme};
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
        let connections = Connections::new(&options)?;
        let deadline = Instant::now() + options.wait;
        connections.reach(deadline).await?;
        let pooled = HttpClient::pooled(&connections.environment, &connections.tls);
        let unpooled = HttpClient::unpooled(&connections.environment, &connections.tls);
        let mut control = connect_control(&connections, &pooled, &contracts, &options).await?;
        let Connections { environment, targets, control: control_address, .. } = connections;
        for tenant in options.tenants {
            control.prepared.entry(tenant.vendor.clone()).or_default().push(tenant.into());
        }
        let contracts = served(contracts, &control.description.vendors, options.require_all)?;
        refuse_credentials(&environment, &contracts)?;
        let curl = |address: &Address| CurlAddress::new(&environment, &options.connection, address);
        let masking = match options.reveal_codes {
            true => Masking::Credentials,
            false => Masking::CredentialsAndCodes,
        };
        let subject = Subject {
            curl_targets: targets.iter().map(curl).collect(),
            curl_control: control_address.as_ref().map(curl).unwrap_or_default(),
            targets: targets.iter().map(|target| target.text().to_owned()).collect(),
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

    /// Ends the program that is the control, if there is one: it reads the end of its input and has two seconds to end by
    /// itself. Without this call it is killed when the suite is dropped.
    pub async fn close(&self) {
        self.subject.control.close().await;
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
        // Which check gets which prepared session must not be a matter of chance.
        let one_by_one =
            self.subject.control.fixtures().map(|_| Options { jobs: Some(1), ..options.clone() });
        let options = one_by_one.as_ref().unwrap_or(options);
        for contract in self.contracts.iter().filter(is_selected) {
            latency = latency.max(preflight::check(contract, &self.subject).await?);
        }
        let mut report = runner::run(&self.contracts, &self.subject, options, latency, stop).await?;
        if self.subject.control.fixtures().is_some() {
            judge_only_what_ran(&mut report);
        }
        Ok(report)
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

/// Connects to the control, starts it, or reads what is prepared in its place.
async fn connect_control(
    connections: &Connections,
    client: &HttpClient,
    contracts: &[Contract],
    options: &SubjectOptions,
) -> Result<ControlClient, Failure> {
    if let Some(path) = &options.fixtures {
        let wrong = |problem| Failure::Config { file: path.display().to_string(), problem };
        return Fixtures::read(path, contracts).map(ControlClient::from_fixtures).map_err(wrong);
    }
    if let Some(command) = &options.control_program {
        let program = ControlProgram::start(command, options.control_log.clone())
            .map_err(|problem| Failure::Option { option: "--control-exec", problem })?;
        return ControlClient::from_program(client, program).await.map_err(|error| match error {
            ControlError::ProgramEnded(problem) => Failure::ControlProgram(problem),
            other => Failure::ControlProgram(format!("the control program refused: {other}")),
        });
    }
    let Some(address) = &connections.control else {
        return Err(Failure::NothingSelected("there is no control".to_owned()));
    };
    let url = address.text();
    match ControlClient::connect(client, url, options.control_token.clone()).await {
        Ok(control) => Ok(control),
        Err(error) => {
            // A server that speaks TLS does not understand a request without.
            expects_tls(&connections.environment, address).await.map_err(failure("control", url))?;
            Err(match error {
                ControlError::ConnectionLost { reason, .. } => {
                    Failure::Unreachable { what: "control", url: url.to_owned(), reason }
                }
                other => Failure::Control { url: url.to_owned(), reason: other.to_string() },
            })
        }
    }
}

/// With fixtures, a check is skipped because nobody has prepared what it needs: the server is judged in part, even if all its
/// documented responses were tried.
fn judge_only_what_ran(report: &mut Report) {
    let is_partial = |check: &CheckReport| check.result == CheckResult::Skipped && check.gates;
    for vendor in &mut report.vendors {
        if vendor.verdict == Verdict::Conformant && vendor.checks.iter().any(is_partial) {
            vendor.verdict = Verdict::Partial;
            if report.verdict == Verdict::Conformant {
                report.verdict = Verdict::Partial;
                report.partial = true;
            }
        }
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

/// How long to wait before an address that refused a connection is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// The addresses of a subject, and how to connect to them.
struct Connections {
    environment: Arc<Environment>,
    tls: Tls,
    targets: Vec<Address>,
    /// The control, if it has an address.
    control: Option<Address>,
}

impl Connections {
    fn new(options: &SubjectOptions) -> Result<Connections, Failure> {
        let wrong = |OptionError { option, problem }| Failure::Option { option, problem };
        let parse = |option: &'static str, text: &str| {
            Address::parse(text).map_err(|problem| Failure::Option { option, problem })
        };
        let targets: Result<Vec<_>, _> = options.targets.iter().map(|text| parse("--target", text)).collect();
        let targets = targets?;
        let Some(first) = targets.first() else {
            return Err(Failure::NothingSelected("there is no target".to_owned()));
        };
        let control = options.control.as_deref().map(|text| parse("--control", text)).transpose()?;
        let has_address = options.control_program.is_none() && options.fixtures.is_none();
        let control = control.or_else(|| Some(first.clone())).filter(|_| has_address);
        let connection = &options.connection;
        let environment = Environment::new(&targets, control.as_ref(), connection).map_err(wrong)?;
        let uses_tls = targets.iter().chain(&control).any(Address::has_tls);
        let tls = Tls::new(connection, uses_tls).map_err(wrong)?;
        Ok(Connections { environment: Arc::new(environment), tls, targets, control })
    }

    /// Waits until the servers accept connections, at most until the deadline.
    async fn reach(&self, deadline: Instant) -> Result<(), Failure> {
        for target in &self.targets {
            // The control is called at once.
            let is_called =
                self.control.as_ref().is_some_and(|control| control.endpoint() == target.endpoint());
            self.reach_one("target", target, is_called, deadline).await?;
        }
        match &self.control {
            Some(control) => self.reach_one("control", control, true, deadline).await,
            None => Ok(()),
        }
    }

    async fn reach_one(
        &self,
        what: &'static str,
        address: &Address,
        is_called: bool,
        deadline: Instant,
    ) -> Result<(), Failure> {
        loop {
            match probe(&self.environment, &self.tls, address, is_called).await {
                Ok(()) => return Ok(()),
                Err(ProbeError::NotConnected(_)) if Instant::now() < deadline => {
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
                Err(error) => return Err(failure(what, address.text())(error)),
            }
        }
    }
}

fn failure(what: &'static str, url: &str) -> impl Fn(ProbeError) -> Failure {
    move |error| match error {
        ProbeError::NotConnected(reason) => Failure::Unreachable { what, url: url.to_owned(), reason },
        ProbeError::Tls(reason) => Failure::Tls { what, url: url.to_owned(), reason },
    }
}

/// An additional header field must not be one that carries the credentials of an API: calls without credentials would have
/// some.
fn refuse_credentials(environment: &Environment, contracts: &[Arc<Contract>]) -> Result<(), Failure> {
    for contract in contracts {
        for scheme in contract.verify().security.iter().map(|scheme| &scheme.scheme) {
            let carrier = match scheme {
                Scheme::Bearer | Scheme::Basic => "authorization",
                Scheme::ApiKey { place: KeyPlace::Cookie, .. } => "cookie",
                Scheme::ApiKey { place: KeyPlace::Query, .. } => continue,
                Scheme::ApiKey { name, .. } => name,
            };
            if let Some(name) =
                environment.header_names().find(|name| carrier.eq_ignore_ascii_case(name.as_str()))
            {
                let problem = format!(
                    "`{name}` carries the credentials of {}, which the control or the config file has to provide",
                    contract.vendor
                );
                return Err(Failure::Option { option: "--header", problem });
            }
        }
    }
    Ok(())
}
