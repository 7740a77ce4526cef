//! Which credentials a call carries: the tenant's own, altered ones, or none.

use base64::Engine;
use otp_contract::{KeyPlace, Scheme, SecurityScheme};

use super::{Credentials, Tenant};

/// Which credentials a call carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credential<'a> {
    /// The tenant's own, by the first scheme that the contract lists.
    Own,
    /// Well-formed ones that no tenant has.
    Wrong,
    /// The tenant's own, with the case of every letter swapped.
    OtherCase,
    /// The tenant's own, with another character after the secret.
    Extended,
    /// The tenant's own, without the last character of the secret.
    Truncated,
    /// The tenant's own user name with an empty password; none if the scheme has no user name.
    EmptyPassword,
    /// The tenant's own password with another user name; none if the scheme has no user name.
    OtherUser,
    /// None.
    Missing,
    /// This text, in which `{secret}` stands for the tenant's own secret.
    Raw(&'a str),
    /// The tenant's own, by the scheme with this name.
    Scheme(&'a str),
}

/// What is hidden when a request is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Masking {
    /// Nothing, because the request is about to be sent.
    Nothing,
    /// Credentials.
    Credentials,
    /// Credentials and codes.
    CredentialsAndCodes,
}

/// The part of a call that carries the credentials.
#[derive(Debug)]
pub(super) enum Carried {
    /// A header field.
    Header(String, String),
    /// A query parameter.
    Query(String, String),
}

/// The part of a call that carries the credentials; `placeholder` stands for the secret if it must be hidden. `None` if
/// the call carries no credentials.
pub(super) fn carried(
    credential: Credential<'_>,
    schemes: &[SecurityScheme],
    tenant: &Tenant,
    placeholder: Option<&str>,
) -> Option<Carried> {
    let (scheme, own) = chosen(credential, schemes, tenant)?;
    let credentials = altered(credential, own)?;
    let secret = match (placeholder, credentials) {
        (Some(placeholder), _) => placeholder.to_owned(),
        (None, Credentials::Token { token }) => token,
        (None, Credentials::Basic { username, password }) => {
            base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"))
        }
        (None, Credentials::Value { value }) => value,
    };
    let (name, prefix) = match scheme {
        Scheme::Bearer => ("authorization", "Bearer ".to_owned()),
        Scheme::Basic => ("authorization", "Basic ".to_owned()),
        Scheme::ApiKey { name, prefix, .. } => {
            (name.as_str(), prefix.as_ref().map(|word| format!("{word} ")).unwrap_or_default())
        }
    };
    let value = match credential {
        Credential::Raw(text) => text.replace("{secret}", &secret),
        _ => format!("{prefix}{secret}"),
    };
    Some(match scheme {
        Scheme::ApiKey { place: KeyPlace::Query, .. } => Carried::Query(name.to_owned(), value),
        Scheme::ApiKey { place: KeyPlace::Cookie, .. } => {
            Carried::Header("cookie".to_owned(), format!("{name}={value}"))
        }
        _ => Carried::Header(name.to_owned(), value),
    })
}

/// The first scheme for which the tenant has credentials, or the one that the call asks for.
fn chosen<'s>(
    credential: Credential<'_>,
    schemes: &'s [SecurityScheme],
    tenant: &'s Tenant,
) -> Option<(&'s Scheme, &'s Credentials)> {
    let is_wanted = |name: &str| match credential {
        Credential::Scheme(scheme) => scheme == name,
        _ => true,
    };
    schemes.iter().filter(|scheme| is_wanted(&scheme.name)).find_map(|scheme| {
        let credentials = tenant.credentials.get(&scheme.name)?;
        Some((&scheme.scheme, credentials))
    })
}

fn altered(credential: Credential<'_>, own: &Credentials) -> Option<Credentials> {
    Some(match credential {
        Credential::Missing => return None,
        Credential::Own | Credential::Raw(_) | Credential::Scheme(_) => own.clone(),
        Credential::Wrong => own.with_secret(|secret| format!("{secret}-wrong")),
        Credential::Extended => own.with_secret(|secret| format!("{secret}x")),
        Credential::OtherCase => own.with_secret(|secret| secret.chars().map(swap_case).collect()),
        Credential::Truncated => own.with_secret(|secret| {
            let kept = secret.chars().count().saturating_sub(1);
            secret.chars().take(kept).collect()
        }),
        Credential::EmptyPassword => match own {
            Credentials::Basic { .. } => own.with_secret(|_| String::new()),
            _ => return None,
        },
        Credential::OtherUser => match own {
            Credentials::Basic { username, password } => {
                Credentials::Basic { username: format!("{username}x"), password: password.clone() }
            }
            _ => return None,
        },
    })
}

fn swap_case(letter: char) -> char {
    match letter.is_ascii_lowercase() {
        true => letter.to_ascii_uppercase(),
        false => letter.to_ascii_lowercase(),
    }
}
