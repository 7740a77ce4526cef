//! `cargo xtask bench sdk`: the overhead of the client compared with a hand-written call, at run time and in build time.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::median;
use crate::cargo::cargo;

/// How often each app is built; the median is printed.
const ROUNDS: usize = 3;

/// A program that verifies one code, with its dependencies.
struct App {
    name: &'static str,
    dependencies: &'static str,
    source: &'static str,
}

/// What both programs need: a runtime, and nothing that the client depends on anyway.
const RUNTIME: &str = r#"tokio = { version = "1.54", features = ["macros", "rt"] }"#;

const BY_HAND: App = App {
    name: "by-hand",
    dependencies: r#"
reqwest = { version = "0.13.5", default-features = false, features = ["json", "rustls-no-provider", "system-proxy"] }
rustls = { version = "0.23", default-features = false, features = ["ring", "std", "tls12"] }
serde = { version = "1.0", features = ["derive"] }
"#,
    source: r#"
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    session_id: &'a str,
    code: &'a str,
}

#[derive(Deserialize)]
struct Response {
    success: bool,
    data: Verification,
}

#[derive(Deserialize)]
struct Verification {
    status: String,
    verified: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let request = Request { session_id: "s", code: "1" };
    let call = http.post("https://api.zeckta.com/v1/messaging/otp/verify").bearer_auth("key").json(&request);
    let response = call.send().await.unwrap();
    let ok = response.status() == 200;
    let body: Response = response.json().await.unwrap();
    println!("{}", ok && body.success && body.data.verified && body.data.status == "APPROVED");
}
"#,
};

const BY_CLIENT: App = App {
    name: "by-client",
    dependencies: r#"
otp-verify = { path = "{sdk}", default-features = false, features = ["zeckta", "rustls"] }
"#,
    source: r#"
use otp_verify::{Code, zeckta};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let client = zeckta::Client::builder("key").build().unwrap();
    println!("{}", client.verify("s", Code::new("1")).await.is_ok());
}
"#,
};

/// Runs the benchmark of the client and measures both builds.
pub(crate) fn run(root: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let arguments = ["bench", "--quiet", "--package", "otp-verify", "--bench", "overhead"];
    let output = cargo(root).args(arguments).stderr(Stdio::inherit()).output().context("cannot run cargo")?;
    if !output.status.success() {
        bail!("cargo {} failed", arguments.join(" "));
    }
    out.write_all(&output.stdout)?;

    let folder = std::env::temp_dir().join(format!("otp-bench-build-{}", std::process::id()));
    let result = builds(root, &folder, out);
    // A failure to remove it must not hide the result.
    let _ = std::fs::remove_dir_all(&folder);
    result
}

/// Builds both apps from scratch, alternating which one is first.
fn builds(root: &Path, folder: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let (mut hand, mut client) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        for app in if round % 2 == 0 { [&BY_HAND, &BY_CLIENT] } else { [&BY_CLIENT, &BY_HAND] } {
            let took = build(root, &folder.join(app.name), app)?;
            writeln!(
                out,
                "build        {}: {:.1} s, {:.1} s of CPU",
                app.name,
                took.0.as_secs_f64(),
                took.1.as_secs_f64()
            )?;
            if app.name == BY_HAND.name { hand.push(took) } else { client.push(took) }
        }
    }
    let seconds = |costs: &[(Duration, Duration)], which: fn(&(Duration, Duration)) -> Duration| {
        median(costs.iter().map(which).collect()).as_secs_f64()
    };
    for (what, which) in
        [("time", (|cost| cost.0) as fn(&(Duration, Duration)) -> Duration), ("CPU time", |cost| cost.1)]
    {
        let (hand, client) = (seconds(&hand, which), seconds(&client, which));
        writeln!(
            out,
            "clean build  {what}: {hand:.1} s by hand, {client:.1} s with the client: {:.3} times (median of {ROUNDS})",
            client / hand
        )?;
    }
    Ok(())
}

/// Builds an app from scratch with the dependency versions of this repository; returns the elapsed and the CPU time.
fn build(root: &Path, folder: &Path, app: &App) -> anyhow::Result<(Duration, Duration)> {
    let source = folder.join("src");
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(&source).with_context(|| format!("cannot create {}", source.display()))?;
    let sdk = root.join("sdk").display().to_string().replace('\\', "/");
    let manifest = format!(
        "[package]\nname = \"app\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{RUNTIME}\n{}",
        app.dependencies.replace("{sdk}", &sdk)
    );
    std::fs::write(folder.join("Cargo.toml"), manifest)?;
    std::fs::write(source.join("main.rs"), app.source)?;
    std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;

    // Resolving and downloading is not measured.
    run_command(cargo(folder).args(["fetch", "--quiet"]))?;
    let (start, cpu) = (Instant::now(), children_cpu_time());
    run_command(
        cargo(folder).args(["build", "--quiet", "--release"]).env("CARGO_TARGET_DIR", folder.join("target")),
    )?;
    Ok((start.elapsed(), children_cpu_time().saturating_sub(cpu)))
}

fn run_command(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().context("cannot run cargo")?;
    if status.success() { Ok(()) } else { bail!("{command:?} failed") }
}

/// The CPU time of all child processes that have ended; zero if the system does not report it.
#[cfg(unix)]
fn children_cpu_time() -> Duration {
    use nix::sys::resource::{UsageWho, getrusage};
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else { return Duration::ZERO };
    let spent = |time: nix::sys::time::TimeVal| {
        let micros = time.tv_sec() * 1_000_000 + time.tv_usec();
        Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    };
    spent(usage.user_time()) + spent(usage.system_time())
}

#[cfg(not(unix))]
fn children_cpu_time() -> Duration {
    Duration::ZERO
}
