//! Runs programs: to their end, or as a server that is ended by its own process id.
//!
//! It knows no tool.

use std::ffi::OsStr;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// How long a server may take to accept connections.
const START: Duration = Duration::from_secs(60);

/// What a program printed.
pub(super) struct Output {
    pub(super) success: bool,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Output {
    /// Everything that the program printed.
    pub(super) fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// A command that looks for other programs in `programs` first, and reports nothing to its authors.
pub(super) fn command(program: impl AsRef<OsStr>, programs: &Path, folder: &Path) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [programs.to_path_buf()].into_iter().chain(std::env::split_paths(&path));
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env("PATH", std::env::join_paths(folders).unwrap_or(path))
        .envs([("REDOCLY_TELEMETRY", "off"), ("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true")])
        .envs([("NO_COLOR", "1"), ("PYTHONDONTWRITEBYTECODE", "1")])
        .stdin(Stdio::null());
    command
}

/// Runs a program to its end.
pub(super) fn run(command: &mut Command) -> anyhow::Result<Output> {
    let output = command.output().with_context(|| format!("cannot run {}", name(command)))?;
    Ok(Output {
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Runs a program to its end; fails if the program does.
pub(super) fn run_successfully(command: &mut Command) -> anyhow::Result<Output> {
    let output = run(command)?;
    if !output.success {
        bail!("{} failed:\n{}", name(command), output.text().trim_end());
    }
    Ok(output)
}

fn name(command: &Command) -> String {
    Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A server that ends with this value.
pub(super) struct Server(pub(super) Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port of the loopback interface on which nothing listens.
pub(super) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").context("no free port")?.local_addr()?.port())
}

/// Starts a server and waits until it accepts connections at `port`.
pub(super) fn start(command: &mut Command, port: u16) -> anyhow::Result<Server> {
    let child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run {}", name(command)))?;
    let mut server = Server(child);
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if let Some(status) = server.0.try_wait()? {
            bail!("{} ended before it accepted a connection: {status}", name(command));
        }
        if start.elapsed() > START {
            bail!("{} accepts no connection at port {port}", name(command));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(server)
}
