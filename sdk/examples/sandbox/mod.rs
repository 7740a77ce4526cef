//! A vendor to try the examples on: the sandbox of this repository, started in the same process, with a tenant and an
//! issued code. With a real vendor, no example needs it.

use std::error::Error;

use otp_test_support::{Tenant, TestServer};
use serde_json::{Value, json};

/// The code that is issued.
pub(crate) const CODE: &str = "482915";

/// A sandbox of all vendors, which runs as long as the program.
pub(crate) struct Sandbox {
    /// The address.
    pub(crate) url: String,
    server: TestServer,
}

/// An account of a vendor.
pub(crate) struct Account(Tenant);

impl Sandbox {
    /// Starts a sandbox.
    pub(crate) async fn start() -> Result<Sandbox, Box<dyn Error>> {
        let server = TestServer::start_default().await;
        Ok(Sandbox { url: server.url().to_owned(), server })
    }

    /// Creates an account.
    pub(crate) async fn account(&self, vendor: &str) -> Result<Account, Box<dyn Error>> {
        Ok(Account(self.server.tenant(vendor).await))
    }

    /// Issues [`CODE`], and returns the session id that the vendor names it by.
    pub(crate) async fn issue(&self, account: &Account) -> Result<String, Box<dyn Error>> {
        Ok(self.server.session(&account.0, CODE, json!({})).await)
    }
}

impl Account {
    /// The credential or account parameter with this name, wherever it is in the tenant's JSON.
    pub(crate) fn get(&self, name: &str) -> String {
        find(self.0.json(), name).unwrap_or_default().to_owned()
    }
}

fn find<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    let members = value.as_object()?;
    members.get(name).and_then(Value::as_str).or_else(|| members.values().find_map(|value| find(value, name)))
}
