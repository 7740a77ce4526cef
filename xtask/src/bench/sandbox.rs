//! The sandbox beside the least that an axum server can do, with few sessions and with a million, in memory and in Redis,
//! and beside Prism where that is installed. The load comes from `wrk` in a process of its own.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use otp_contract::{Contract, Outcome};

use super::{ROUNDS, cargo, median};

/// How long one round takes, in seconds.
const SECONDS: u32 = 3;

/// How many connections the load comes over.
const CONNECTIONS: &str = "64";

/// How many sessions live for the first measurement; each bears a hundred wrong codes.
const FEW: usize = 15_000;

/// How many live for the second.
const MANY: usize = 1_000_000;

/// How many calls Redis decides in one round.
const CALLS: &str = "192000";

/// A process that ends with the measurement.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Measures.
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
            bail!("{program} is needed; to install it on Debian: apt-get install {package}");
        }
    }
    cargo(root, &["build", "--release", "-p", "otp-conformance", "--bins"])?;
    cargo(root, &["build", "--release", "-p", "otp-sandbox", "--examples"])?;
    let folder = tempfile::tempdir()?;
    let release = root.join("target/release");
    against_axum(&release, folder.path(), out)?;
    collection(&release, out)?;
    redis(&release, folder.path(), out)?;
    prism(root, folder.path(), out)
}

fn against_axum(release: &Path, folder: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let (sandbox, address) = sandbox(release)?;
    let (_bare, bare) = first_line(Command::new(release.join("examples/bare_axum")))?;
    let mut caller = Caller::connect(&address)?;
    let before = memory(sandbox.0.id())?;
    let few = caller.script(folder, "few", FEW)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        theirs.push(load(&bare, &few)?);
        ours.push(load(&address, &few)?);
    }
    let (ours, theirs) = (middle(ours), middle(theirs));
    writeln!(out, "bare axum handler      {} requests per second, p99 {}", theirs.0, theirs.1)?;
    writeln!(out, "sandbox, {FEW} live  {} requests per second, p99 {}", ours.0, ours.1)?;
    writeln!(out, "ratio                  {} % of the bare handler", percent(ours.0, theirs.0))?;

    caller.fill(MANY)?;
    let after = memory(sandbox.0.id())?;
    let many = caller.script(folder, "many", FEW)?;
    let (mut with_many, mut bare_again) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare_again.push(load(&bare, &few)?);
        with_many.push(load(&address, &many)?);
    }
    let (with_many, bare_again) = (middle(with_many), middle(bare_again));
    // Both sides beside the bare handler of their own minutes: a machine is not as fast all the time.
    let steadied = percent(with_many.0 * theirs.0 / bare_again.0.max(1), ours.0);
    writeln!(out, "bare handler meanwhile {} requests per second", bare_again.0)?;
    writeln!(out, "sandbox, {MANY} live {} requests per second, p99 {}", with_many.0, with_many.1)?;
    writeln!(out, "ratio                  {steadied} % of that with {FEW}")?;
    let bytes = after.saturating_sub(before) * 1024 / (MANY as u64 + 2 * FEW as u64);
    writeln!(out, "memory                 {bytes} bytes a session ({MANY} of them)")?;
    Ok(())
}

fn collection(release: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let told = Command::new(release.join("examples/stores")).arg("collect").output()?;
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    let mut words = text.split_whitespace();
    let (Some(longest), Some(usual)) = (words.next(), words.next()) else { bail!("no figures: {text}") };
    writeln!(
        out,
        "collection             {longest} µs is the longest step that holds a lock, {usual} µs the median"
    )?;
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
        let told = Command::new("redis-cli").args(["-p", &port]).args(words).output()?;
        Ok(String::from_utf8_lossy(&told.stdout).trim().to_owned())
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let told = Command::new(release.join("examples/stores")).args(["redis", &url, CALLS]).output()?;
        ours.push(String::from_utf8_lossy(&told.stdout).trim().parse()?);
        // The same script on one of the same sessions, over as many connections with as many calls in flight.
        let key = cli(&["--raw", "EVAL", "return redis.call('KEYS', 'otp:{*')[1]", "0"])?;
        let held = cli(&["--raw", "HMGET", &key, "t"])?;
        let text = include_str!("../../../conformance/sandbox/src/store/redis/attempt.lua");
        let script = cli(&["SCRIPT", "LOAD", text])?;
        let digest = "0123456789abcdef0123456789abcdef";
        let policy = Contract::of_vendor("exotel")?.policy;
        let order: Vec<_> = policy.order().map(Outcome::as_str).collect();
        let told = Command::new("redis-benchmark")
            .args([
                "-p", &port, "-c", "1", "-P", "64", "-n", CALLS, "--csv", "EVALSHA", &script, "1", &key,
                &held,
            ])
            .args([digest, "", "", "", "", policy.at_limit().as_str(), &order.join(","), "", ""])
            .output()?;
        let text = String::from_utf8_lossy(&told.stdout).into_owned();
        // The name of the test comes first and has commas and quotation marks of its own, so it is counted from the end.
        let rate = text.lines().last().and_then(|line| line.rsplit("\",\"").nth(6).map(str::to_owned));
        let rate = rate.with_context(|| format!("redis-benchmark: {text}"))?;
        theirs.push(rate.split('.').next().unwrap_or_default().parse()?);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    writeln!(out, "redis-benchmark        {theirs} scripts per second, one connection, 64 in flight")?;
    writeln!(out, "store in Redis         {ours} attempts per second, the same")?;
    writeln!(out, "ratio                  {} %", percent(ours, theirs))?;
    Ok(())
}

/// Prism is not installed for this; where it is on the path, or named by `PRISM`, it is measured.
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
            "prism                  not installed; npm install @stoplight/prism-cli, and PRISM=its path"
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
    let script = Caller::connect(&ours)?.script(folder, "prism", FEW)?;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        with.push(load(&address, &script)?);
        without.push(load(&ours, &script)?);
    }
    let (with, without) = (middle(with), middle(without));
    writeln!(out, "prism                  {} requests per second, p99 {}", with.0, with.1)?;
    writeln!(out, "sandbox                {} requests per second, p99 {}", without.0, without.1)?;
    writeln!(out, "ratio                  {} times prism's", without.0 / with.0.max(1))?;
    Ok(())
}

fn sandbox(release: &Path) -> anyhow::Result<(Running, String)> {
    let mut command = Command::new(release.join("otp-conformance"));
    command.args(["serve", "exotel", "--listen", "127.0.0.1:0"]);
    let (running, line) = first_line(command)?;
    let url = line.split("http://").nth(1).and_then(|rest| rest.split(',').next()).context("no address")?;
    Ok((running, url.to_owned()))
}

fn first_line(mut command: Command) -> anyhow::Result<(Running, String)> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().context("no output")?;
    let running = Running(child);
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    Ok((running, line.trim().to_owned()))
}

/// Resident memory in KiB.
fn memory(process: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).context("no number")?.parse()?)
}

/// Requests per second and the 99th percentile, as wrk tells it.
fn load(address: &str, script: &Path) -> anyhow::Result<(u64, String)> {
    let told = Command::new("wrk")
        .args(["-t", "1", "-c", CONNECTIONS, "-d", &format!("{SECONDS}s"), "--latency", "-s"])
        .arg(script)
        .arg(format!("http://{address}"))
        .output()?;
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    let value = |name: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(name))?;
        line.split_whitespace().nth(1).map(str::to_owned)
    };
    let (Some(rate), Some(slowest)) = (value("Requests/sec:"), value("99%")) else { bail!("wrk: {text}") };
    let rate = rate.split('.').next().unwrap_or_default().parse()?;
    Ok((rate, slowest))
}

/// The round with the median rate.
fn middle(mut rounds: Vec<(u64, String)>) -> (u64, String) {
    rounds.sort();
    let at = rounds.len() / 2;
    rounds.into_iter().nth(at).unwrap_or_default()
}

fn percent(ours: u64, theirs: u64) -> u64 {
    ours * 100 / theirs.max(1)
}

/// A caller of the control, over one connection on which it does not wait for each answer.
struct Caller {
    address: String,
    connection: BufReader<TcpStream>,
    tenant: serde_json::Value,
}

/// How many calls are sent before their answers are read.
const IN_FLIGHT: usize = 64;

impl Caller {
    fn connect(address: &str) -> anyhow::Result<Caller> {
        let connection = BufReader::new(TcpStream::connect(address)?);
        let address = address.to_owned();
        let mut caller = Caller { address, connection, tenant: serde_json::Value::Null };
        caller.send("/tenants", r#"{"vendor":"exotel"}"#)?;
        caller.tenant = serde_json::from_slice(&caller.receive()?)?;
        Ok(caller)
    }

    fn send(&mut self, path: &str, body: &str) -> anyhow::Result<()> {
        let head = format!(
            "POST /_control/v1{path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.connection.get_mut().write_all((head + body).as_bytes())?;
        Ok(())
    }

    fn receive(&mut self) -> anyhow::Result<Vec<u8>> {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.connection.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.connection.read_exact(&mut body)?;
        Ok(body)
    }

    /// Issues `count` sessions; their ids.
    fn fill(&mut self, count: usize) -> anyhow::Result<Vec<String>> {
        let tenant = self.tenant["tenant"].as_str().context("no tenant")?.to_owned();
        let body = format!(
            r#"{{"vendor":"exotel","tenant":"{tenant}","code":"123456","ttl_seconds":86400,"max_attempts":100}}"#
        );
        let mut ids = Vec::with_capacity(count);
        // The last connection has been idle while the load ran, and may be closed.
        self.connection = BufReader::new(TcpStream::connect(&self.address)?);
        while ids.len() < count {
            let batch = IN_FLIGHT.min(count - ids.len());
            for _ in 0..batch {
                self.send("/sessions", &body)?;
            }
            for _ in 0..batch {
                let issued: serde_json::Value = serde_json::from_slice(&self.receive()?)?;
                ids.push(issued["session"].as_str().context("no session")?.to_owned());
            }
        }
        Ok(ids)
    }

    /// What wrk runs: wrong codes for sessions that live.
    fn script(&mut self, folder: &Path, name: &str, sessions: usize) -> anyhow::Result<PathBuf> {
        let ids = self.fill(sessions)?;
        let account = self.tenant["parameters"]["account_sid"].as_str().context("no account")?;
        let basic = &self.tenant["credentials"]["basicAuth"];
        let (username, password) = (basic["username"].as_str(), basic["password"].as_str());
        let (Some(username), Some(password)) = (username, password) else { bail!("no credentials") };
        let secret = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"));
        let mut text = String::from("local ids = {\n");
        for id in ids {
            writeln!(text, "\"{id}\",")?;
        }
        write!(
            text,
            "}}\nlocal headers = {{ [\"authorization\"] = \"Basic {secret}\", [\"content-type\"] = \"application/json\" }}\n\
             local at = 0\n\
             function request()\n  at = at % #ids + 1\n  \
             return wrk.format(\"POST\", \"/v2/accounts/{account}/verifications/sms/\" .. ids[at], headers, '{{\"OTP\":\"654321\"}}')\n\
             end\n"
        )?;
        let path = folder.join(format!("{name}.lua"));
        std::fs::write(&path, text)?;
        Ok(path)
    }
}
