//! A tenant as the control protocol returns it, and what its calls need.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use otp_contract::{Contract, Scheme};
use serde_json::Value;

/// A tenant of a vendor.
#[derive(Debug, Clone)]
pub struct Tenant {
    vendor: String,
    json: Value,
}

impl Tenant {
    /// A tenant from its representation in the control protocol.
    pub fn new(vendor: impl Into<String>, json: Value) -> Tenant {
        Tenant { vendor: vendor.into(), json }
    }

    /// The vendor's id.
    pub fn vendor(&self) -> &str {
        &self.vendor
    }

    /// The tenant's representation in the control protocol.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The tenant's id.
    pub fn id(&self) -> &str {
        self.json["tenant"].as_str().unwrap()
    }

    /// The path of a verify call for a session.
    pub fn path(&self, contract: &Contract, session: &str) -> String {
        contract.verify().path.fill(|name| match self.json["parameters"][name].as_str() {
            Some(account) => account.to_owned(),
            None => session.to_owned(),
        })
    }

    /// The header field that authenticates a verify call of this tenant, by the contract's first security scheme.
    pub fn credential(&self, contract: &Contract) -> (String, String) {
        let scheme = &contract.verify().security[0];
        let credentials = &self.json["credentials"][&scheme.name];
        let text = |name: &str| credentials[name].as_str().unwrap();
        match &scheme.scheme {
            Scheme::Bearer => ("authorization".to_owned(), format!("Bearer {}", text("token"))),
            Scheme::Basic => {
                let pair = STANDARD.encode(format!("{}:{}", text("username"), text("password")));
                ("authorization".to_owned(), format!("Basic {pair}"))
            }
            Scheme::ApiKey { name, .. } => (name.to_ascii_lowercase(), text("value").to_owned()),
        }
    }
}
