//! The builders of a client: their arguments and the environment variables, from the security schemes and the accounts.
//!
//! May use the contract and the document, and never code that progenitor generated.

use anyhow::Context as _;
use heck::{ToShoutySnakeCase as _, ToSnakeCase as _};
use otp_contract::{KeyPlace, Operation, Scheme, SecurityScheme};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;

use super::target::Target;
use crate::document::Document;

/// An argument of a builder.
struct Argument {
    name: String,
    /// What it is, for the table of environment variables.
    meaning: String,
}

impl Argument {
    fn account(name: &str) -> Argument {
        Argument { name: name.to_snake_case(), meaning: format!("the account, `{name}`") }
    }

    fn credential(name: String) -> Argument {
        let words: Vec<_> = name.split('_').map(|word| if word == "api" { "API" } else { word }).collect();
        Argument { meaning: format!("the {}", words.join(" ")), name }
    }
}

/// The functions that create a builder, as inherent ones or, in another crate, as traits.
pub(super) fn builders(
    document: &Document,
    operation: &Operation,
    target: Target,
) -> anyhow::Result<TokenStream> {
    let vendor = &document.contract.vendor;
    let accounts: Vec<Argument> =
        operation.accounts.iter().map(|account| Argument::account(&account.name)).collect();
    let mut functions = Vec::new();
    for (index, scheme) in operation.security.iter().enumerate() {
        functions.push(builder(document, operation, &accounts, scheme, index == 0)?);
    }
    let first = operation.security.first().context("the verify call has no security scheme")?;
    let arguments: Vec<_> = accounts.into_iter().chain(credentials(first)).collect();
    let base_url = format!("{}_BASE_URL", vendor.to_shouty_snake_case());
    let variables: Vec<_> = arguments
        .iter()
        .map(|argument| format!("{}_{}", vendor.to_shouty_snake_case(), argument.name.to_shouty_snake_case()))
        .collect();
    let rows = variables.iter().zip(&arguments).map(|(variable, argument)| {
        let row = format!(" | `{variable}` | {} |", argument.meaning);
        quote!(#[doc = #row])
    });
    let last_row = format!(" | `{base_url}` | the base URL, if it is not [`DEFAULT_BASE_URL`] |");
    let from_env = quote! {
        /// Creates a builder from environment variables.
        ///
        /// | variable | value |
        /// |---|---|
        #(#rows)*
        #[doc = #last_row]
        ///
        /// # Errors
        /// [`BuildError::Environment`](crate::BuildError::Environment) if a required variable is not set, or any is not
        /// valid Unicode.
        pub fn from_env() -> Result<ClientBuilder, crate::BuildError> {
            Client::builder(#(crate::http::environment::required(#variables)?),*).base_url_from(#base_url)
        }
    };
    let of_client = target.methods("ClientExt", "Client", &functions)?;
    let of_builder = target.methods("ClientBuilderExt", "ClientBuilder", &[from_env])?;
    Ok(quote!(#of_client #of_builder))
}

/// `builder` for the first scheme, and `builder_with_…` for any other.
fn builder(
    document: &Document,
    operation: &Operation,
    accounts: &[Argument],
    scheme: &SecurityScheme,
    is_first: bool,
) -> anyhow::Result<TokenStream> {
    let credentials = credentials(scheme);
    let name = if is_first {
        format_ident!("builder")
    } else {
        let scheme = scheme.name.to_snake_case();
        format_ident!("builder_with_{}", scheme.strip_suffix("_auth").unwrap_or(&scheme))
    };
    let identifiers = |arguments: &[Argument]| -> Vec<_> {
        arguments.iter().map(|argument| format_ident!("{}", argument.name)).collect()
    };
    let (account_arguments, secrets) = (identifiers(accounts), identifiers(&credentials));
    let keys = operation.accounts.iter().map(|account| &account.name);
    let value = match &scheme.scheme {
        Scheme::Bearer => quote!(Bearer(#(#secrets.into()),*)),
        Scheme::Basic => quote!(Basic(#(#secrets.into()),*)),
        Scheme::ApiKey { place: KeyPlace::Header, name, prefix: None } => {
            let header = name.to_ascii_lowercase();
            quote!(Header(#header, #(#secrets.into()),*))
        }
        Scheme::ApiKey { .. } => anyhow::bail!(
            "the scheme {} has its key in a query, a cookie or behind a prefix; a client can only send it in a header of its own",
            scheme.name
        ),
    };
    let quoted = |arguments: &[Argument]| -> String {
        let names: Vec<_> = arguments.iter().map(|argument| format!("`{}`", argument.name)).collect();
        names.join(" and ")
    };
    let mut docs = vec![if accounts.is_empty() {
        format!(" Creates a builder for a client that authenticates with {}.", quoted(&credentials))
    } else {
        format!(
            " Creates a builder for a client of the account {}, which authenticates with {}.",
            quoted(accounts),
            quoted(&credentials)
        )
    }];
    let definition = &document.value["components"]["securitySchemes"][&scheme.name];
    docs.extend(
        definition["description"].as_str().map(|text| format!("\n\n {}", super::text::one_line(text))),
    );
    docs.extend(server(&document.value).filter(|_| is_first));
    let doc = docs.concat();
    Ok(quote! {
        #[doc = #doc]
        pub fn #name(
            #(#account_arguments: impl Into<String>,)*
            #(#secrets: impl Into<crate::SecretString>,)*
        ) -> ClientBuilder {
            ClientBuilder::new(
                crate::http::credentials::Credentials::#value,
                vec![#((#keys, #account_arguments.into())),*],
            )
        }
    })
}

/// The arguments of a scheme, with the names that the document chooses, or the usual ones.
fn credentials(scheme: &SecurityScheme) -> Vec<Argument> {
    let named = |name: &Option<String>, usual: &str| {
        Argument::credential(name.as_deref().unwrap_or(usual).to_snake_case())
    };
    let names = &scheme.arguments;
    match &scheme.scheme {
        Scheme::Bearer => vec![named(&names.secret, "access_token")],
        Scheme::Basic => vec![named(&names.user, "user"), named(&names.password, "password")],
        Scheme::ApiKey { .. } => vec![named(&names.secret, "api_key")],
    }
}

/// What a caller must know about a server with variables.
fn server(document: &Value) -> Option<String> {
    let server = document["servers"].get(0)?;
    let variables = server["variables"].as_object().filter(|variables| !variables.is_empty())?;
    let mut text = format!(
        "\n\n The vendor's base URL is `{}`; the default is [`DEFAULT_BASE_URL`]. For another one, set \
         [`base_url`](crate::ClientBuilder::base_url).",
        server["url"].as_str()?
    );
    for (name, variable) in variables {
        if let Some(description) = variable["description"].as_str() {
            text += &format!(" `{name}`: {}", super::text::one_line(description));
        }
    }
    Some(text)
}
