//! A vendor to try the examples on: the sandbox of this repository, started in the same process, with an account and a
//! code that was issued. No example needs it for a real vendor.

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use otp_sandbox::Settings;
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// The code that is issued.
pub(crate) const CODE: &str = "482915";

/// A sandbox that runs until it is dropped.
pub(crate) struct Sandbox {
    /// The address.
    pub(crate) url: String,
    _stop: oneshot::Sender<()>,
}

/// An account of a vendor's.
pub(crate) struct Account {
    vendor: &'static str,
    made: Value,
}

impl Sandbox {
    /// Starts a sandbox that plays all vendors.
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

    /// Makes an account.
    pub(crate) async fn account(&self, vendor: &'static str) -> Result<Account, Box<dyn Error>> {
        Ok(Account { vendor, made: self.control("tenants", &json!({ "vendor": vendor })).await? })
    }

    /// Issues [`CODE`], and returns the session id that the vendor names it by.
    pub(crate) async fn issue(&self, account: &Account) -> Result<String, Box<dyn Error>> {
        let wish = json!({ "vendor": account.vendor, "tenant": account.made["tenant"], "code": CODE });
        let issued = self.control("sessions", &wish).await?;
        Ok(issued["session"].as_str().ok_or("the sandbox issued no session")?.to_owned())
    }

    /// Asks the sandbox's control protocol. By hand, for the clients of this crate speak to vendors only.
    async fn control(&self, what: &str, body: &Value) -> Result<Value, Box<dyn Error>> {
        let address = self.url.trim_start_matches("http://").to_owned();
        let (path, body) = (format!("/_control/v1/{what}"), body.to_string());
        let answer = tokio::task::spawn_blocking(move || post(&address, &path, &body)).await??;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("the sandbox broke off")?;
        if !head.starts_with("HTTP/1.1 201") {
            return Err(format!("the sandbox refused: {body}").into());
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
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

impl Account {
    /// A credential or an account parameter of that name, at any depth of what the sandbox made.
    pub(crate) fn get(&self, name: &str) -> String {
        find(&self.made, name).unwrap_or_default().to_owned()
    }
}

fn find<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    let members = value.as_object()?;
    members.get(name).and_then(Value::as_str).or_else(|| members.values().find_map(|value| find(value, name)))
}
