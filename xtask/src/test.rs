//! `cargo xtask test`: everything that has to pass before a change is merged, fastest feedback first.
//!
//! Stops at the first step that fails and prints the command that runs it alone. Uses the other commands of this package;
//! it checks nothing itself.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::cargo::cargo;
use crate::{codegen, document, layers, lint, prerequisites};

/// One step: a cargo command or one of ours.
struct Step {
    verb: &'static str,
    object: String,
    work: Work,
}

enum Work {
    Cargo { arguments: Vec<String>, environment: Vec<(&'static str, &'static str)> },
    Lint,
    Codegen,
    Layers,
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
            Work::Layers => "cargo xtask layers".to_owned(),
        }
    }
}

/// Runs all steps; false if one fails, after printing which.
pub(crate) fn run(root: &Path, out: &mut dyn Write) -> anyhow::Result<bool> {
    prerequisites::install(root, out)?;
    let vendors: Vec<String> =
        document::of_repository(root)?.into_iter().map(|document| document.contract.vendor).collect();
    let mut times = Vec::new();
    for step in steps(&vendors) {
        writeln!(out, "{:>12} {}", step.verb, step.object)?;
        let start = Instant::now();
        let passed = passes(&step, root, out)?;
        times.push((format!("{} {}", step.verb, step.object), start.elapsed()));
        if !passed {
            out.write_all(table(&times).as_bytes())?;
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
    out.write_all(table(&times).as_bytes())?;
    writeln!(out, "{:>12} every step", "Passed")?;
    Ok(true)
}

/// How long each step took, and all of them together.
fn table(times: &[(String, Duration)]) -> String {
    let total: Duration = times.iter().map(|(_, time)| *time).sum();
    let row = |label: &str, time: Duration| format!("{:>10.1} s {label}\n", time.as_secs_f64());
    times.iter().map(|(label, time)| row(label, *time)).chain([row("Total", total)]).collect()
}

/// The client's features that are off by default. `native-tls` is not among them: it needs the system's library.
const OPTIONAL: &str = "--features otp-verify/blocking,otp-verify/mock,otp-verify/tracing";

fn steps(vendors: &[String]) -> Vec<Step> {
    let step = |verb, object: &str, arguments: &str, environment: &[(&'static str, &'static str)]| Step {
        verb,
        object: object.to_owned(),
        work: Work::Cargo {
            arguments: arguments.split(' ').map(str::to_owned).collect(),
            environment: environment.to_vec(),
        },
    };
    let mut steps = vec![
        step("Checking", "the format of all code", "fmt --all --check", &[]),
        step(
            "Checking",
            "all code with clippy",
            &format!("clippy --workspace --all-targets {OPTIONAL} -- -D warnings"),
            &[],
        ),
        Step { verb: "Checking", object: "the vendor documents".to_owned(), work: Work::Lint },
        Step { verb: "Checking", object: "the generated clients".to_owned(), work: Work::Codegen },
        Step { verb: "Checking", object: "the modules for cycles".to_owned(), work: Work::Layers },
        // With this value a snapshot that differs fails and leaves no file that could be accepted by mistake.
        step(
            "Testing",
            "all packages, with their examples",
            &format!("test --workspace {OPTIONAL}"),
            &[("INSTA_UPDATE", "no")],
        ),
        // The model checker replaces the locks and tries every order of the threads.
        step(
            "Testing",
            "the store under every schedule",
            "test -p otp-sandbox --features shuttle --test schedules",
            &[],
        ),
        step(
            "Documenting",
            "all packages",
            &format!("doc --workspace --no-deps {OPTIONAL}"),
            &[("RUSTDOCFLAGS", "-D warnings")],
        ),
    ];
    for vendor in vendors {
        let arguments = format!("check -p otp-verify --no-default-features --features {vendor}");
        steps.push(step("Checking", &format!("the client with {vendor} alone"), &arguments, &[]));
    }
    steps
}

fn passes(step: &Step, root: &Path, out: &mut dyn Write) -> anyhow::Result<bool> {
    match &step.work {
        Work::Lint => lint::run(root, &[], out),
        Work::Codegen => codegen::run(root, codegen::Mode::Check, out),
        Work::Layers => layers::run(root, layers::Detail::Errors, out),
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
                "cargo xtask layers",
                "INSTA_UPDATE=no cargo test --workspace --features \
                 otp-verify/blocking,otp-verify/mock,otp-verify/tracing",
                "cargo test -p otp-sandbox --features shuttle --test schedules",
                "RUSTDOCFLAGS=\"-D warnings\" cargo doc --workspace --no-deps --features \
                 otp-verify/blocking,otp-verify/mock,otp-verify/tracing",
                "cargo check -p otp-verify --no-default-features --features d7",
            ]
        );
    }

    #[test]
    fn the_table_has_a_row_for_each_step_and_one_for_all() {
        let times = [
            ("Checking the format of all code".to_owned(), Duration::from_millis(1_240)),
            ("Testing all packages".to_owned(), Duration::from_millis(98_700)),
        ];
        assert_eq!(
            table(&times),
            "       1.2 s Checking the format of all code\n      98.7 s Testing all packages\n      99.9 s Total\n"
        );
    }
}
