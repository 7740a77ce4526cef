//! The sandbox of this repository, started in the process of an example, with an account and a code. Real vendors do
//! not need it.

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use otp_sandbox::Settings;
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// The code of every session.
pub(crate) const CODE: &str = "482915";

/// A sandbox that runs until it is dropped.
pub(crate) struct Sandbox {
    /// The base URL.
    pub(crate) url: String,
    _stop: oneshot::Sender<()>,
}

/// An account with a vendor.
pub(crate) struct Account {
    vendor: &'static str,
    created: Value,
}

impl Sandbox {
    /// Starts a sandbox for all vendors.
    pub(crate) async fn start() -> Result<Sandbox, Box<dyn Error>> {
        let contracts =
            otp_contract::DOCUMENTS.iter().map(|document| otp_contract::Contract::of_vendor(document.vendor));
        let contracts = contracts.collect::<Result<_, _>>()?;
        let sandbox = otp_sandbox::Sandbox::new(Settings { contracts, ..Settings::default() })?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(sandbox.serve(listener, async {
            // An error means that the sandbox was dropped, which is its end too.
            let _ = stopped.await;
        }));
        Ok(Sandbox { url, _stop: stop })
    }

    /// Creates an account.
    pub(crate) async fn account(&self, vendor: &'static str) -> Result<Account, Box<dyn Error>> {
        Ok(Account { vendor, created: self.control("tenants", &json!({ "vendor": vendor })).await? })
    }

    /// Starts a session with [`CODE`], and returns its id.
    pub(crate) async fn issue(&self, account: &Account) -> Result<String, Box<dyn Error>> {
        let options = json!({ "vendor": account.vendor, "tenant": account.created["tenant"], "code": CODE });
        let issued = self.control("sessions", &options).await?;
        Ok(issued["session"].as_str().ok_or("the sandbox returned no session")?.to_owned())
    }

    /// Sends a request of the control protocol. It is hand-written because the clients of this crate only call vendors.
    async fn control(&self, what: &str, body: &Value) -> Result<Value, Box<dyn Error>> {
        let address = self.url.trim_start_matches("http://").to_owned();
        let (path, body) = (format!("/_control/v1/{what}"), body.to_string());
        let response = tokio::task::spawn_blocking(move || post(&address, &path, &body)).await??;
        let (head, body) = response.split_once("\r\n\r\n").ok_or("truncated response from the sandbox")?;
        if !head.starts_with("HTTP/1.1 201") {
            return Err(format!("the sandbox rejected the request: {body}").into());
        }
        Ok(serde_json::from_str(body)?)
    }
}

fn post(address: &str, path: &str, body: &str) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(address)?;
    write!(
        connection,
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut response = String::new();
    connection.read_to_string(&mut response)?;
    Ok(response)
}

impl Account {
    /// A credential or an account parameter by name.
    pub(crate) fn get(&self, name: &str) -> String {
        find(&self.created, name).unwrap_or_default().to_owned()
    }
}

fn find<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    let members = value.as_object()?;
    members.get(name).and_then(Value::as_str).or_else(|| members.values().find_map(|value| find(value, name)))
}
