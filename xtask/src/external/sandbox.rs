//! Our sandbox, and accounts on it.
//!
//! It knows the control protocol and nothing about a vendor.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::http::{self, Request};
use super::process::Server;
use crate::cargo::cargo;

/// A sandbox that serves all vendors until this value is dropped.
pub(super) struct Sandbox {
    port: u16,
    _server: Server,
}

impl Sandbox {
    /// Builds the sandbox and starts it on a free port.
    pub(super) fn start(root: &Path) -> anyhow::Result<Sandbox> {
        let package = ["-p", "otp-conformance", "--bin", "otp-conformance"];
        // Cargo replaces itself by the program only after the build, so the build has a step of its own.
        let status =
            cargo(root).args(["build", "--quiet"]).args(package).status().context("cannot run cargo")?;
        if !status.success() {
            bail!("cannot build the sandbox");
        }
        let mut child = cargo(root)
            .args(["run", "--quiet"])
            .args(package)
            .args(["--", "serve", "--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the sandbox")?;
        let stdout = child.stdout.take();
        let server = Server(child);
        let mut line = String::new();
        BufReader::new(stdout.context("the sandbox has no output")?).read_line(&mut line)?;
        let port = port(&line).with_context(|| format!("the sandbox prints no address: {line}"))?;
        Ok(Sandbox { port, _server: server })
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Creates an account of `vendor`: its `parameters` and `credentials`.
    pub(super) fn create_account(&self, vendor: &str) -> anyhow::Result<Value> {
        let request = Request {
            method: "POST",
            target: "/_control/v1/tenants",
            headers: Vec::new(),
            body: Some(json!({ "vendor": vendor }).to_string()),
        };
        let (status, body) = http::send(self.port, &request)?;
        if status != 201 {
            bail!("cannot create an account of {vendor}: {status} {}", String::from_utf8_lossy(&body));
        }
        Ok(serde_json::from_slice(&body)?)
    }
}

/// The port in the first line that the sandbox prints.
fn port(line: &str) -> Option<u16> {
    let address = line.split("http://").nth(1)?;
    let address = address.split([',', '/', ' ', '\n']).next()?;
    address.rsplit(':').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_the_sandbox_has_its_port() {
        let line = "serving d7 at http://127.0.0.1:43653, control at http://127.0.0.1:43653/_control/v1\n";
        assert_eq!(port(line), Some(43653));
        assert_eq!(port("error: no such vendor\n"), None);
    }
}
