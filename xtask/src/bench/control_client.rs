//! A client of the sandbox's control protocol that can issue a million sessions quickly.
//!
//! It sends many requests before it reads their responses. It measures nothing.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use base64::Engine as _;

/// A connection to the control, and the tenant of all its sessions.
pub(super) struct ControlClient {
    address: String,
    connection: BufReader<TcpStream>,
    tenant: serde_json::Value,
}

/// How many requests are sent before their responses are read.
const IN_FLIGHT: usize = 64;

impl ControlClient {
    /// Connects and creates a tenant.
    pub(super) fn connect(address: &str) -> anyhow::Result<ControlClient> {
        let connection = BufReader::new(TcpStream::connect(address)?);
        let address = address.to_owned();
        let mut client = ControlClient { address, connection, tenant: serde_json::Value::Null };
        client.send("/tenants", r#"{"vendor":"exotel"}"#)?;
        client.tenant = serde_json::from_slice(&client.receive()?)?;
        Ok(client)
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

    /// Issues `count` sessions and returns their ids.
    pub(super) fn issue_sessions(&mut self, count: usize) -> anyhow::Result<Vec<String>> {
        let tenant = self.tenant["tenant"].as_str().context("no tenant")?.to_owned();
        let body = format!(
            r#"{{"vendor":"exotel","tenant":"{tenant}","code":"123456","ttl_seconds":86400,"max_attempts":100}}"#
        );
        let mut ids = Vec::with_capacity(count);
        // The server may have closed the last connection, which was idle while the load ran.
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

    /// Writes a script for wrk that sends wrong codes to open sessions.
    pub(super) fn write_script(
        &mut self,
        folder: &Path,
        name: &str,
        sessions: usize,
    ) -> anyhow::Result<PathBuf> {
        let ids = self.issue_sessions(sessions)?;
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
