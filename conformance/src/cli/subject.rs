//! From options to a connected suite: which contracts, which server, or else the embedded sandbox.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use otp_contract::Contract;
use otp_sandbox::Fault;
use tokio::sync::mpsc;

use super::options::{Options, SubjectArguments};
use super::sandbox;
use crate::error::Failure;
use crate::http::ConnectionOptions;
use crate::suite::{SubjectOptions, Suite};

/// Connects to the server that the options name, or starts the embedded sandbox and connects to it. The program that is the
/// control, if there is one, writes to the log.
pub(super) async fn connect(
    options: Options,
    faults: Vec<&'static Fault>,
    err: &mut dyn Write,
) -> Result<(Suite, ControlLog), Failure> {
    let Options { subject, check, control_token, tenants, .. } = options;
    let require_all = !subject.vendors.is_empty() || !subject.contract.is_empty();
    let contracts = contracts(&subject.vendors, &subject.contract)?;
    let embedded = subject.target.is_empty();
    let misplaced = [
        (embedded && subject.control.is_some(), "--control", "needs a --target"),
        (embedded && subject.control_exec.is_some(), "--control-exec", "needs a --target"),
        (embedded && subject.fixtures.is_some(), "--fixtures", "needs a --target"),
        (embedded && !subject.header.is_empty(), "--header", "needs a --target"),
        (embedded && subject.host.is_some(), "--host", "needs a --target"),
        (embedded && !subject.resolve.is_empty(), "--resolve", "needs a --target"),
        (embedded && subject.cacert.is_some(), "--cacert", "needs a --target"),
        (embedded && subject.cert.is_some(), "--cert", "needs a --target"),
        (embedded && subject.key.is_some(), "--key", "needs a --target"),
        (embedded && subject.insecure == Some(true), "--insecure", "needs a --target"),
        (!embedded && !faults.is_empty(), "--fault", "applies to the embedded sandbox, not to a --target"),
        (
            !embedded && !check.prefer.is_empty(),
            "--prefer",
            "applies to the embedded sandbox, not to a --target",
        ),
    ];
    if let Some((_, option, problem)) = misplaced.into_iter().find(|(applies, ..)| *applies) {
        return Err(Failure::Option { option, problem: problem.to_owned() });
    }
    one_control(&subject)?;
    let (targets, control_token) = match embedded {
        true => (sandbox::start(contracts.clone(), faults, check.prefer).await?, None),
        false => (subject.target, control_token),
    };
    let wait = subject.wait.as_deref().map_or(Ok(Duration::ZERO), |text| duration("--wait", text))?;
    let timeout = subject.timeout.as_deref().map(|text| duration("--timeout", text)).transpose()?;
    let reveal_codes = check.reveal.unwrap_or(false);
    let connection = ConnectionOptions {
        headers: subject.header,
        host: subject.host,
        resolve: subject.resolve,
        ca_file: subject.cacert,
        certificate_file: subject.cert,
        key_file: subject.key,
        insecure: subject.insecure.unwrap_or(false),
        timeout,
        rate: subject.rate.map(|rate| rate.0),
    };
    if connection.insecure {
        let _ = writeln!(err, "warning: with --insecure, any server can answer in the target's place");
    }
    let (control_log, written) = mpsc::unbounded_channel();
    let options = SubjectOptions {
        targets,
        control: subject.control,
        control_program: subject.control_exec,
        control_log: Some(control_log),
        fixtures: subject.fixtures,
        control_token,
        tenants,
        require_all,
        reveal_codes,
        connection,
        wait,
    };
    let mut log = ControlLog(written);
    match Suite::connect(contracts, options).await {
        Ok(suite) => Ok((suite, log)),
        Err(failure) => {
            log.write_all(err);
            Err(failure)
        }
    }
}

/// What the program behind `--control-exec` writes to its standard error.
pub(super) struct ControlLog(mpsc::UnboundedReceiver<String>);

impl ControlLog {
    /// The next line; `None` once there are no more.
    pub(super) async fn next(&mut self) -> Option<String> {
        self.0.recv().await
    }

    /// Writes the lines that have come by now.
    pub(super) fn write_all(&mut self, err: &mut dyn Write) {
        while let Ok(line) = self.0.try_recv() {
            let _ = writeln!(err, "{line}");
        }
    }
}

/// An error if there are several controls. Each option may come from the environment or the configuration as well.
fn one_control(subject: &SubjectArguments) -> Result<(), Failure> {
    let named = [
        ("--control", subject.control.is_some()),
        ("--control-exec", subject.control_exec.is_some()),
        ("--fixtures", subject.fixtures.is_some()),
    ];
    let named: Vec<_> =
        named.into_iter().filter(|(_, is_named)| *is_named).map(|(option, _)| option).collect();
    match named.as_slice() {
        [] | [_] => Ok(()),
        [option, rest @ ..] => Err(Failure::Option {
            option,
            problem: format!(
                "excludes {}; look at the environment and the configuration as well",
                rest.join(" and ")
            ),
        }),
    }
}

/// The contracts of `vendors`, or all built-in ones, and those in `files`.
pub(super) fn contracts(vendors: &[String], files: &[PathBuf]) -> Result<Vec<Contract>, Failure> {
    let own = files.iter().map(|file| Contract::from_file(file)).collect::<Result<Vec<_>, _>>()?;
    if vendors.is_empty() {
        // With a document of their own, users are interested in that one; they can name built-in vendors beside it.
        return Ok(if own.is_empty() { Contract::all()? } else { own });
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

/// A duration such as `30s` or `2m`.
fn duration(option: &'static str, text: &str) -> Result<Duration, Failure> {
    humantime::parse_duration(text).map_err(|error| Failure::Option {
        option,
        problem: format!("`{text}` is not a duration such as 30s: {error}"),
    })
}

/// A seed that is short enough to type.
pub(super) fn random_seed() -> u64 {
    fastrand::u32(..).into()
}
