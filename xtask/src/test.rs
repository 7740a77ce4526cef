//! `cargo xtask test`: everything that has to pass before a change is merged, in the order in which a mistake shows
//! soonest. It stops at the first step that fails, and says how to run that step alone.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail};

use crate::{codegen, document, lint};

/// One step: a command of cargo's or of ours.
struct Step {
    verb: &'static str,
    /// What it is run on, for people.
    object: String,
    work: Work,
}

enum Work {
    Cargo { arguments: Vec<String>, environment: Vec<(&'static str, &'static str)> },
    Lint,
    Codegen,
}

impl Step {
    /// The command that runs this step alone.
    fn command(&self) -> String {
        match &self.work {
            Work::Cargo { arguments, environment } => {
                let mut words: Vec<String> =
                    environment.iter().map(|(name, value)| format!("{name}={}", quoted(value))).collect();
                words.push("cargo".to_owned());
                words.extend(arguments.iter().cloned());
                words.join(" ")
            }
            Work::Lint => "cargo xtask lint".to_owned(),
            Work::Codegen => "cargo xtask codegen --check".to_owned(),
        }
    }
}

/// Runs all steps; false where one fails, which has then been told.
pub(crate) fn run(root: &Path, out: &mut dyn Write) -> anyhow::Result<bool> {
    need_components(root)?;
    let start = Instant::now();
    let vendors: Vec<String> =
        document::of_repository(root)?.into_iter().map(|document| document.contract.vendor).collect();
    for step in steps(&vendors) {
        writeln!(out, "{:>12} {}", step.verb, step.object)?;
        if !passes(&step, root, out)? {
            writeln!(
                out,
                "{:>12} {} {}; to run it alone: {}",
                "Failed",
                step.verb.to_lowercase(),
                step.object,
                step.command()
            )?;
            return Ok(false);
        }
    }
    writeln!(out, "{:>12} everything in {:.0} s", "Passed", start.elapsed().as_secs_f32())?;
    Ok(true)
}

/// The client's features that are off by default. `native-tls` is not among them: it needs the system's library.
const OPTIONAL: &str = "--features otp-verify/blocking,otp-verify/mock,otp-verify/tracing";

fn steps(vendors: &[String]) -> Vec<Step> {
    let cargo = |verb, object: &str, arguments: &str, environment: &[(&'static str, &'static str)]| Step {
        verb,
        object: object.to_owned(),
        work: Work::Cargo {
            arguments: arguments.split(' ').map(str::to_owned).collect(),
            environment: environment.to_vec(),
        },
    };
    let mut steps = vec![
        cargo("Checking", "the format of all code", "fmt --all --check", &[]),
        cargo(
            "Checking",
            "all code with clippy",
            &format!("clippy --workspace --all-targets {OPTIONAL} -- -D warnings"),
            &[],
        ),
        Step { verb: "Checking", object: "the vendor documents".to_owned(), work: Work::Lint },
        Step { verb: "Checking", object: "the generated clients".to_owned(), work: Work::Codegen },
        // A snapshot that differs fails, and leaves no file to accept by mistake.
        cargo(
            "Testing",
            "all packages, with their examples",
            &format!("test --workspace {OPTIONAL}"),
            &[("INSTA_UPDATE", "no")],
        ),
        // Every order of the threads, by a model checker that takes the place of the locks.
        cargo(
            "Testing",
            "the store under every schedule",
            "test -p otp-sandbox --features shuttle --test schedules",
            &[],
        ),
        cargo(
            "Documenting",
            "all packages",
            &format!("doc --workspace --no-deps {OPTIONAL}"),
            &[("RUSTDOCFLAGS", "-D warnings")],
        ),
    ];
    for vendor in vendors {
        let arguments = format!("check -p otp-verify --no-default-features --features {vendor}");
        steps.push(cargo("Checking", &format!("the client with {vendor} alone"), &arguments, &[]));
    }
    steps
}

fn passes(step: &Step, root: &Path, out: &mut dyn Write) -> anyhow::Result<bool> {
    match &step.work {
        Work::Lint => lint::run(root, &[], out),
        Work::Codegen => codegen::run(root, codegen::Mode::Check, out),
        Work::Cargo { arguments, environment } => {
            let status = cargo(root)
                .args(arguments)
                .envs(environment.iter().copied())
                .status()
                .with_context(|| format!("cannot run {}", step.command()))?;
            Ok(status.success())
        }
    }
}

/// Cargo itself, as the user called it.
fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Without these, the first steps fail with a message of cargo's that does not say what to do.
fn need_components(root: &Path) -> anyhow::Result<()> {
    let missing: Vec<&str> = [("fmt", "rustfmt"), ("clippy", "clippy")]
        .into_iter()
        .filter(|(subcommand, _)| !is_there(root, subcommand))
        .map(|(_, component)| component)
        .collect();
    if !missing.is_empty() {
        let missing = missing.join(" ");
        bail!("the toolchain lacks {missing}; to install: rustup component add {missing}");
    }
    // The scripts that findings carry are run as a reader would run them, and replicas share a real Redis.
    let programs = [("curl", "curl"), ("redis-server", "redis-server"), ("redis-cli", "redis-tools")];
    let missing: Vec<&str> =
        programs.into_iter().filter(|(program, _)| !runs(program)).map(|(_, package)| package).collect();
    if !missing.is_empty() {
        let missing = missing.join(" ");
        bail!(
            "the tests need programs that are not here; to install them on Debian: apt-get install {missing}"
        );
    }
    Ok(())
}

fn runs(program: &str) -> bool {
    let status = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn is_there(root: &Path, subcommand: &str) -> bool {
    let status =
        cargo(root).args([subcommand, "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn quoted(value: &str) -> String {
    if value.contains(' ') { format!("\"{value}\"") } else { value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_can_be_run_alone() {
        let commands: Vec<String> = steps(&["d7".to_owned()]).iter().map(Step::command).collect();
        assert_eq!(
            commands,
            [
                "cargo fmt --all --check",
                "cargo clippy --workspace --all-targets --features otp-verify/blocking,otp-verify/mock,otp-verify/tracing \
                 -- -D warnings",
                "cargo xtask lint",
                "cargo xtask codegen --check",
                "INSTA_UPDATE=no cargo test --workspace --features \
                 otp-verify/blocking,otp-verify/mock,otp-verify/tracing",
                "cargo test -p otp-sandbox --features shuttle --test schedules",
                "RUSTDOCFLAGS=\"-D warnings\" cargo doc --workspace --no-deps --features \
                 otp-verify/blocking,otp-verify/mock,otp-verify/tracing",
                "cargo check -p otp-verify --no-default-features --features d7",
            ]
        );
    }
}
