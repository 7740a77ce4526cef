//! The header fields that carry a client's credentials, as a contract describes them.
//!
//! The functions are pure.

use base64::Engine as _;
use otp_contract::{Contract, KeyPlace, Scheme};
use serde_json::{Value, json};

/// Credentials that no server knows. They have the right form, which is all that a mock server looks at.
pub(super) fn placeholders(contract: &Contract) -> Vec<(String, String)> {
    let value = json!({ "token": "token", "username": "user", "password": "password", "value": "key" });
    contract.verify().security.first().and_then(|scheme| field(&scheme.scheme, &value)).into_iter().collect()
}

/// The credentials of an account, from the response of the control that created it.
pub(super) fn of_account(contract: &Contract, account: &Value) -> Option<(String, String)> {
    let scheme = contract.verify().security.first()?;
    field(&scheme.scheme, &account["credentials"][&scheme.name])
}

/// The header field for a scheme; `None` if the credentials are elsewhere or incomplete.
fn field(scheme: &Scheme, credentials: &Value) -> Option<(String, String)> {
    let part = |name: &str| credentials[name].as_str();
    match scheme {
        Scheme::Bearer => Some(("authorization".to_owned(), format!("Bearer {}", part("token")?))),
        Scheme::Basic => {
            let pair = format!("{}:{}", part("username")?, part("password")?);
            let pair = base64::engine::general_purpose::STANDARD.encode(pair);
            Some(("authorization".to_owned(), format!("Basic {pair}")))
        }
        Scheme::ApiKey { place, name, prefix } => {
            let prefix = prefix.as_ref().map(|prefix| format!("{prefix} ")).unwrap_or_default();
            let key = format!("{prefix}{}", part("value")?);
            match place {
                KeyPlace::Header => Some((name.clone(), key)),
                KeyPlace::Cookie => Some(("cookie".to_owned(), format!("{name}={key}"))),
                KeyPlace::Query => None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scheme_has_its_field() {
        let account = json!({ "credentials": {
            "bearerAuth": { "token": "t" },
            "basicAuth": { "username": "Aladdin", "password": "open sesame" },
            "apiKey": { "value": "k" },
        } });
        for (vendor, name, value) in [
            ("d7", "authorization", "Bearer t"),
            ("exotel", "authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("kaleyra", "api-key", "k"),
        ] {
            let contract = Contract::of_vendor(vendor).unwrap();
            assert_eq!(of_account(&contract, &account), Some((name.to_owned(), value.to_owned())));
            assert_eq!(placeholders(&contract).len(), 1);
            assert_eq!(of_account(&contract, &json!({})), None);
        }
    }
}
