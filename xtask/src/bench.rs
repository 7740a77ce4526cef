//! `cargo xtask bench …`: how fast something is, beside a baseline in the same run. It measures and asserts nothing: a
//! timed test would fail on whoever's machine is busy.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

pub(crate) use build::sdk;

mod build;
pub(crate) mod sandbox;

/// How often each side is measured; the median is told.
const ROUNDS: usize = 9;

/// Measures the suite's main job against a client that does nothing but send.
pub(crate) fn suite(root: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    cargo(root, &["build", "--release", "--package", "otp-conformance", "--bins", "--examples"])?;
    let release = root.join("target/release");
    let report = std::env::temp_dir().join(format!("otp-bench-{}.json", std::process::id()));
    let (mut seconds, mut rates, mut bare, mut requests) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for round in 0..ROUNDS {
        let told = Command::new(release.join("otp-conformance"))
            .args(["check", "--quiet", "--seed", &round.to_string(), "--report"])
            .arg(format!("json={}", report.display()))
            .output()
            .context("the suite could not be run")?;
        if !told.status.success() {
            bail!("the suite found the sandbox wanting: {}", String::from_utf8_lossy(&told.stdout));
        }
        let read: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&report)?)?;
        let millis = read["duration_ms"].as_u64().unwrap_or(0).max(1);
        requests = read["requests"].as_u64().unwrap_or(0);
        seconds.push(millis);
        rates.push(requests * 1_000 / millis);
        let told =
            Command::new(release.join("examples/bare")).output().context("the baseline could not be run")?;
        bare.push(String::from_utf8_lossy(&told.stdout).trim().parse::<u64>()?);
    }
    let _ = std::fs::remove_file(&report);
    let (took, rate, bare) = (median(seconds), median(rates), median(bare));
    writeln!(out, "check of all vendors   {took} ms for {requests} requests, {rate} requests per second")?;
    writeln!(out, "bare client loop       {bare} requests per second on one endpoint")?;
    writeln!(
        out,
        "ratio                  {} % of the bare loop; medians of {ROUNDS}",
        rate * 100 / bare.max(1)
    )?;
    Ok(())
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

fn cargo(root: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(arguments)
        .status()
        .context("cargo could not be run")?;
    if status.success() { Ok(()) } else { bail!("cargo {} failed", arguments.join(" ")) }
}
