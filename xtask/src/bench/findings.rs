//! `cargo xtask bench findings`: how many calls the findings of the suite show, over all faults of the sandbox.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use super::{build, median};

/// Runs the suite against the sandbox with each fault, and prints the median and the maximum number of calls in a finding.
pub(crate) fn run(root: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    build(root, &["--package", "otp-conformance", "--bins"])?;
    let program = root.join("target/release/otp-conformance");
    let folder = tempfile::tempdir()?;
    let report = folder.path().join("report.json");
    let faults = Command::new(&program).arg("faults").output().context("cannot list the faults")?;
    let faults = String::from_utf8(faults.stdout)?;
    let names: Vec<_> = faults
        .lines()
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let mut lengths: Vec<u64> = Vec::new();
    let mut longest = (0, String::new());
    for fault in &names {
        // A run with findings has exit status 1, and one with a fault that shows nowhere 0 or 3.
        Command::new(&program)
            .args(["check", "--quiet", "--seed", "1", "--fault", fault, "--report"])
            .arg(format!("json={}", report.display()))
            .output()
            .context("cannot run the suite")?;
        let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&report)?)?;
        for (id, calls) in findings(&report) {
            if calls > longest.0 {
                longest = (calls, format!("{fault} in {id}"));
            }
            lengths.push(calls);
        }
    }
    let count = lengths.len();
    writeln!(
        out,
        "findings               {count} of {} faults: median {} calls, maximum {} ({})",
        names.len(),
        median(lengths),
        longest.0,
        longest.1
    )?;
    Ok(())
}

/// The findings of a report, each with the number of calls that it shows; a burst counts as one.
fn findings(report: &serde_json::Value) -> Vec<(String, u64)> {
    let lists = |value: &serde_json::Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for vendor in lists(report, "vendors") {
        for check in lists(&vendor, "checks") {
            let Some(steps) = check["finding"]["steps"].as_array() else { continue };
            let is_call = |step: &&serde_json::Value| {
                matches!(step["step"].as_str(), Some("call" | "disconnect" | "burst"))
            };
            let calls = steps.iter().filter(is_call).count();
            found.push((check["id"].as_str().unwrap_or_default().to_owned(), calls as u64));
        }
    }
    found
}
