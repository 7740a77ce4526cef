//! `cargo xtask bench sandbox`: the sandbox compared with a minimal axum server and with Prism, with few sessions and with
//! a million, in memory and in Redis.
//!
//! `wrk` generates the load in a separate process.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use otp_contract::{Contract, Outcome};

use super::control_client::ControlClient;
use super::process::{Running, start};
use super::{ROUNDS, build, median};

/// How long one round takes.
const ROUND_SECONDS: u32 = 3;

/// How many connections generate the load.
const CONNECTIONS: &str = "64";

/// How many sessions are open in the first measurement; each allows a hundred wrong codes.
const FEW: usize = 15_000;

/// How many more are open in the second measurement.
const MANY: usize = 1_000_000;

/// How many attempts Redis processes in one round.
const ATTEMPTS: &str = "192000";

/// Runs all measurements.
pub(crate) fn run(root: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    for (program, package) in
        [("wrk", "wrk"), ("redis-server", "redis-server"), ("redis-benchmark", "redis-tools")]
    {
        if Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_err()
        {
            bail!("the benchmark needs {program}; Debian, Ubuntu: apt-get install {package}");
        }
    }
    build(root, &["-p", "otp-conformance", "--bins"])?;
    build(root, &["-p", "otp-sandbox", "--examples"])?;
    let folder = tempfile::tempdir()?;
    let release = root.join("target/release");
    against_axum(&release, folder.path(), out)?;
    collection(&release, out)?;
    redis(&release, folder.path(), out)?;
    prism(root, folder.path(), out)
}

fn against_axum(release: &Path, folder: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let (sandbox, address) = sandbox(release)?;
    let (_bare, bare) = start(Command::new(release.join("examples/bare_axum")))?;
    let mut control = ControlClient::connect(&address)?;
    let before = memory_kib(sandbox.0.id())?;
    let few = control.write_script(folder, "few", FEW)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        theirs.push(load(&bare, &few)?);
        ours.push(load(&address, &few)?);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    writeln!(out, "bare axum handler      {} requests per second, p99 {}", theirs.0, theirs.1)?;
    writeln!(out, "sandbox, {FEW} live  {} requests per second, p99 {}", ours.0, ours.1)?;
    writeln!(out, "ratio                  {} % of the bare handler", percent(ours.0, theirs.0))?;

    control.issue_sessions(MANY)?;
    let after = memory_kib(sandbox.0.id())?;
    let many = control.write_script(folder, "many", FEW)?;
    let (mut with_many, mut bare_again) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare_again.push(load(&bare, &few)?);
        with_many.push(load(&address, &many)?);
    }
    let (with_many, bare_again) = (median(with_many), median(bare_again));
    // Each side relative to the bare handler in the same rounds, because the speed of a machine changes over time.
    let adjusted_percent = percent(with_many.0 * theirs.0 / bare_again.0.max(1), ours.0);
    writeln!(out, "bare axum handler again {} requests per second", bare_again.0)?;
    writeln!(out, "sandbox, {MANY} live {} requests per second, p99 {}", with_many.0, with_many.1)?;
    writeln!(out, "ratio                  {adjusted_percent} % of that with {FEW}")?;
    let bytes = after.saturating_sub(before) * 1024 / (MANY as u64 + 2 * FEW as u64);
    writeln!(out, "memory                 {bytes} bytes per session, with {MANY} sessions")?;
    Ok(())
}

fn collection(release: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let output = Command::new(release.join("examples/stores")).arg("collect").output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.split_whitespace();
    let (Some(longest), Some(typical)) = (words.next(), words.next()) else {
        bail!("unexpected output: {text}")
    };
    writeln!(out, "collection             longest step with a lock {longest} µs, median {typical} µs")?;
    Ok(())
}

fn redis(release: &Path, folder: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
    let server = Command::new("redis-server")
        .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
        .arg(folder)
        .stdout(Stdio::null())
        .spawn()?;
    let _server = Running(server);
    std::thread::sleep(Duration::from_millis(500));
    let url = format!("redis://127.0.0.1:{port}");
    let cli = |words: &[&str]| -> anyhow::Result<String> {
        let output = Command::new("redis-cli").args(["-p", &port]).args(words).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let output =
            Command::new(release.join("examples/stores")).args(["redis", &url, ATTEMPTS]).output()?;
        ours.push(String::from_utf8_lossy(&output.stdout).trim().parse()?);
        // The same script on one of the same sessions, with the same number of connections and of requests in flight.
        let key = cli(&["--raw", "EVAL", "return redis.call('KEYS', 'otp:{*')[1]", "0"])?;
        let held = cli(&["--raw", "HMGET", &key, "t"])?;
        let text = include_str!("../../../conformance/sandbox/src/store/redis/attempt.lua");
        let script = cli(&["SCRIPT", "LOAD", text])?;
        let digest = "0123456789abcdef0123456789abcdef";
        let policy = Contract::of_vendor("exotel")?.policy;
        let order: Vec<_> = policy.order().map(Outcome::as_str).collect();
        let output = Command::new("redis-benchmark")
            .args([
                "-p", &port, "-c", "1", "-P", "64", "-n", ATTEMPTS, "--csv", "EVALSHA", &script, "1", &key,
                &held,
            ])
            .args([digest, "", "", "", "", policy.at_limit().as_str(), &order.join(","), "", ""])
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // The first field, the name of the test, can contain commas and quotation marks, so fields count from the end.
        let rate = text.lines().last().and_then(|line| line.rsplit("\",\"").nth(6).map(str::to_owned));
        let rate = rate.with_context(|| format!("redis-benchmark: {text}"))?;
        theirs.push(rate.split('.').next().unwrap_or_default().parse()?);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    writeln!(out, "redis-benchmark        {theirs} scripts per second, one connection, 64 in flight")?;
    writeln!(out, "store in Redis         {ours} attempts per second, one connection, 64 in flight")?;
    writeln!(out, "ratio                  {} %", percent(ours, theirs))?;
    Ok(())
}

/// Measures Prism if it is on the path or `PRISM` names it.
fn prism(root: &Path, folder: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let program = std::env::var("PRISM").unwrap_or_else(|_| "prism".to_owned());
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
    let spawned = Command::new(&program)
        .args(["mock", "--port", &port, "--host", "127.0.0.1"])
        .arg(root.join("openapi/exotel.yaml"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(child) = spawned else {
        writeln!(
            out,
            "prism                  not installed; npm install @stoplight/prism-cli, then set PRISM to its path"
        )?;
        return Ok(());
    };
    let _prism = Running(child);
    let address = format!("127.0.0.1:{port}");
    for _ in 0..100 {
        if TcpStream::connect(&address).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let (_sandbox, ours) = sandbox(&root.join("target/release"))?;
    let script = ControlClient::connect(&ours)?.write_script(folder, "prism", FEW)?;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        with.push(load(&address, &script)?);
        without.push(load(&ours, &script)?);
    }
    let (with, without) = (median(with), median(without));
    writeln!(out, "prism                  {} requests per second, p99 {}", with.0, with.1)?;
    writeln!(out, "sandbox                {} requests per second, p99 {}", without.0, without.1)?;
    writeln!(out, "ratio                  {} times prism's", without.0 / with.0.max(1))?;
    Ok(())
}

/// Starts the sandbox and returns its address.
fn sandbox(release: &Path) -> anyhow::Result<(Running, String)> {
    let mut command = Command::new(release.join("otp-conformance"));
    command.args(["serve", "exotel", "--listen", "127.0.0.1:0"]);
    let (running, line) = start(command)?;
    let url = line.split("http://").nth(1).and_then(|rest| rest.split(',').next()).context("no address")?;
    Ok((running, url.to_owned()))
}

/// Resident memory in KiB.
fn memory_kib(process: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).context("no number")?.parse()?)
}

/// Requests per second and the 99th percentile of the latency, as reported by wrk.
fn load(address: &str, script: &Path) -> anyhow::Result<(u64, String)> {
    let output = Command::new("wrk")
        .args(["-t", "1", "-c", CONNECTIONS, "-d", &format!("{ROUND_SECONDS}s"), "--latency", "-s"])
        .arg(script)
        .arg(format!("http://{address}"))
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let value = |name: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(name))?;
        line.split_whitespace().nth(1).map(str::to_owned)
    };
    let (Some(rate), Some(slowest)) = (value("Requests/sec:"), value("99%")) else { bail!("wrk: {text}") };
    let rate = rate.split('.').next().unwrap_or_default().parse()?;
    Ok((rate, slowest))
}

fn percent(ours: u64, theirs: u64) -> u64 {
    ours * 100 / theirs.max(1)
}
