//! `cargo xtask bench …`: measures performance and compares it with a baseline in the same run.
//!
//! It asserts nothing: a test with a time limit would fail on a busy machine.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::cargo::cargo;

mod control_client;
pub(crate) mod findings;
mod latency;
mod process;
pub(crate) mod sandbox;
pub(crate) mod sdk;

/// How often each side is measured; the median is printed.
const ROUNDS: usize = 9;

/// Measures the suite's check of all vendors, compared with a client that only sends requests.
pub(crate) fn suite(root: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    build(root, &["--package", "otp-conformance", "--bins", "--examples"])?;
    let release = root.join("target/release");
    let report = std::env::temp_dir().join(format!("otp-bench-{}.json", std::process::id()));
    let (mut durations_ms, mut rates, mut bare, mut requests) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for round in 0..ROUNDS {
        let output = Command::new(release.join("otp-conformance"))
            .args(["check", "--quiet", "--seed", &round.to_string(), "--report"])
            .arg(format!("json={}", report.display()))
            .output()
            .context("cannot run the suite")?;
        if !output.status.success() {
            bail!("the suite reports failures of the sandbox: {}", String::from_utf8_lossy(&output.stdout));
        }
        let report_value: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&report)?)?;
        let duration_ms = report_value["duration_ms"].as_u64().unwrap_or(0).max(1);
        requests = report_value["requests"].as_u64().unwrap_or(0);
        durations_ms.push(duration_ms);
        rates.push(requests * 1_000 / duration_ms);
        let output =
            Command::new(release.join("examples/bare")).output().context("cannot run the baseline")?;
        bare.push(String::from_utf8_lossy(&output.stdout).trim().parse::<u64>()?);
    }
    let _ = std::fs::remove_file(&report);
    let (duration_ms, rate, bare) = (median(durations_ms), median(rates), median(bare));
    writeln!(
        out,
        "check of all vendors   {duration_ms} ms for {requests} requests, {rate} requests per second"
    )?;
    writeln!(out, "bare client loop       {bare} requests per second on one endpoint")?;
    writeln!(
        out,
        "ratio                  {} % of the bare loop; medians of {ROUNDS}",
        rate * 100 / bare.max(1)
    )?;
    slow_servers(&release, out)
}

/// The latencies of the slow servers.
const LATENCIES_MS: [u64; 3] = [20, 100, 1_000];

/// How long the check of one vendor takes, and that of all, if each response takes longer.
fn slow_servers(release: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let program = release.join("otp-conformance");
    let mut command = Command::new(&program);
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    let (_sandbox, line) = process::start(command)?;
    let address =
        line.split("http://").nth(1).and_then(|rest| rest.split(',').next()).context("no address")?;
    for latency in LATENCIES_MS {
        let slow = latency::listen(address.parse()?, Duration::from_millis(latency))?;
        let mut times = Vec::new();
        for vendors in [&["exotel"][..], &[]] {
            let started = Instant::now();
            let output = Command::new(&program)
                .args(["check", "--quiet", "--seed", "1", "--target", &format!("http://{slow}")])
                .args(vendors)
                .output()
                .context("cannot run the suite")?;
            times.push(started.elapsed().as_secs_f64());
            if !output.status.success() {
                bail!("at {latency} ms: {}", String::from_utf8_lossy(&output.stdout));
            }
        }
        writeln!(
            out,
            "{:<23}one vendor {:.1} s, all vendors {:.1} s",
            format!("at {latency} ms latency"),
            times[0],
            times[1]
        )?;
    }
    Ok(())
}

/// The median, or the default of an empty list.
fn median<T: Ord + Default>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    let middle = values.len() / 2;
    values.into_iter().nth(middle).unwrap_or_default()
}

fn build(root: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let status =
        cargo(root).args(["build", "--release"]).args(arguments).status().context("cannot run cargo")?;
    if status.success() { Ok(()) } else { bail!("cargo build --release {} failed", arguments.join(" ")) }
}
