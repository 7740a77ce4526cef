//! The builders of a client: their arguments and the environment variables, from the security schemes, the accounts and
//! the values that every request must contain.
//!
//! May use the contract and the document, and never code that progenitor generated.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use heck::{ToShoutySnakeCase as _, ToSnakeCase as _};
use otp_contract::{KeyPlace, Operation, Scheme, SecurityScheme};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;

use super::target::Target;
use super::text::identifier;
use super::values::{Kind, Origin, RequestValue};
use crate::document::Document;

/// An argument of a builder.
struct Argument<'v> {
    name: syn::Ident,
    /// What it is, for the table of environment variables.
    meaning: String,
    kind: ArgumentKind<'v>,
}

enum ArgumentKind<'v> {
    /// A path parameter, with its name in the document.
    Account(&'v str),
    /// A value that every request must contain.
    Value(&'v RequestValue),
    /// A part of the credentials.
    Secret,
}

impl<'v> Argument<'v> {
    fn account(name: &'v str) -> Argument<'v> {
        Argument {
            name: identifier(name),
            meaning: format!("the account, `{name}`"),
            kind: ArgumentKind::Account(name),
        }
    }

    fn value(value: &'v RequestValue) -> Argument<'v> {
        let what = if value.is_in_body() { "member" } else { "parameter" };
        Argument {
            name: identifier(&value.name),
            meaning: format!("the {what} `{}` of every request", value.name),
            kind: ArgumentKind::Value(value),
        }
    }

    fn credential(name: &str) -> Argument<'v> {
        let name = name.to_snake_case();
        let words: Vec<_> = name.split('_').map(|word| if word == "api" { "API" } else { word }).collect();
        Argument {
            meaning: format!("the {}", words.join(" ")),
            name: identifier(&name),
            kind: ArgumentKind::Secret,
        }
    }

    fn value_kind(&self) -> Kind {
        match self.kind {
            ArgumentKind::Value(value) => value.kind,
            ArgumentKind::Account(_) | ArgumentKind::Secret => Kind::Text,
        }
    }

    fn argument_type(&self) -> TokenStream {
        match self.kind {
            ArgumentKind::Account(_) => quote!(impl Into<String>),
            ArgumentKind::Value(value) => value.kind.argument_type(),
            ArgumentKind::Secret => quote!(impl Into<crate::SecretString>),
        }
    }

    fn variable(&self, vendor: &str) -> String {
        let name = self.name.to_string();
        format!("{}_{}", vendor.to_shouty_snake_case(), name.to_shouty_snake_case())
    }

    /// The expression that reads the argument from an environment variable.
    fn read_variable(&self, variable: &str) -> TokenStream {
        let kind = self.value_kind();
        let problem = match kind {
            Kind::Text => return quote!(crate::http::environment::required(#variable)?),
            Kind::Boolean => "must be true or false".to_owned(),
            Kind::Integer { .. } => {
                kind.range(&quote!(value)).map_or("must be an integer".to_owned(), |(_, problem)| problem)
            }
        };
        quote!(crate::http::environment::parsed(#variable, #problem)?)
    }

    /// An allowed value as a literal, for examples.
    fn example(&self) -> String {
        match self.kind {
            ArgumentKind::Account(_) => "\"account-1\"".to_owned(),
            ArgumentKind::Value(value) => value.example(),
            ArgumentKind::Secret => {
                let words = self.meaning.trim_start_matches("the ");
                let article = if words.starts_with(['a', 'e', 'i', 'o', 'A']) { "an" } else { "a" };
                format!("\"{article} {words}\"")
            }
        }
    }
}

/// The arguments of the builder of a scheme, in order.
fn arguments<'v>(
    operation: &'v Operation,
    values: &'v [RequestValue],
    scheme: &SecurityScheme,
) -> anyhow::Result<Vec<Argument<'v>>> {
    let accounts = operation.accounts.iter().map(|account| Argument::account(&account.name));
    let required = values.iter().filter(|value| value.origin == Origin::Builder).map(Argument::value);
    let arguments: Vec<_> = accounts.chain(required).chain(credentials(scheme)).collect();
    let mut names = BTreeSet::from(["base_url".to_owned()]);
    for argument in &arguments {
        if !names.insert(argument.name.to_string()) {
            bail!(
                "two settings of a client would be called `{}`; x-otp in the security scheme {} can give its credentials another name",
                argument.name,
                scheme.name
            );
        }
    }
    Ok(arguments)
}

/// The arguments of the first builder as literals, for examples.
pub(super) fn example_arguments(operation: &Operation, values: &[RequestValue]) -> anyhow::Result<String> {
    let arguments = arguments(operation, values, first_scheme(operation)?)?;
    Ok(arguments.iter().map(Argument::example).collect::<Vec<_>>().join(", "))
}

/// The arguments of the first builder as the constants of the client's tests that no output may contain.
pub(super) fn canary_arguments(
    operation: &Operation,
    values: &[RequestValue],
) -> anyhow::Result<Vec<String>> {
    let scheme = first_scheme(operation)?;
    // The first part of basic credentials is the user.
    let mut secrets = if scheme.scheme == Scheme::Basic { vec!["USER", "SECRET"] } else { vec!["SECRET"] };
    let constants = arguments(operation, values, scheme)?.into_iter().map(|argument| match argument.kind {
        ArgumentKind::Account(_) => "$crate::vendor_call::ACCOUNT".to_owned(),
        ArgumentKind::Secret => format!("$crate::vendor_call::{}", secrets.remove(0)),
        ArgumentKind::Value(value) if value.kind == Kind::Text => "$crate::vendor_call::ACCOUNT".to_owned(),
        ArgumentKind::Value(value) => value.example(),
    });
    Ok(constants.collect())
}

fn first_scheme(operation: &Operation) -> anyhow::Result<&SecurityScheme> {
    operation.security.first().context("the verify call has no security scheme")
}

/// The functions that create a builder, as inherent ones or, in another crate, as traits.
pub(super) fn builders(
    document: &Document,
    operation: &Operation,
    values: &[RequestValue],
    target: Target,
) -> anyhow::Result<TokenStream> {
    let vendor = &document.contract.vendor;
    let mut functions = Vec::new();
    for (index, scheme) in operation.security.iter().enumerate() {
        functions.push(builder(document, &arguments(operation, values, scheme)?, scheme, index == 0)?);
    }
    let arguments = arguments(operation, values, first_scheme(operation)?)?;
    let base_url = format!("{}_BASE_URL", vendor.to_shouty_snake_case());
    let rows = arguments.iter().map(|argument| {
        let row = format!(" | `{}` | {} |", argument.variable(vendor), argument.meaning);
        quote!(#[doc = #row])
    });
    let read_variables = arguments.iter().map(|argument| argument.read_variable(&argument.variable(vendor)));
    let last_row = format!(" | `{base_url}` | the base URL, if it is not [`DEFAULT_BASE_URL`] |");
    let is_text = |argument: &Argument<'_>| argument.value_kind() == Kind::Text;
    let another_error = (!arguments.iter().all(is_text)).then(|| {
        quote! {
            /// [`BuildError::InvalidInput`](crate::BuildError::InvalidInput) if one has a value of another type.
        }
    });
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
        #another_error
        pub fn from_env() -> Result<ClientBuilder, crate::BuildError> {
            Client::builder(#(#read_variables),*).base_url_from(#base_url)
        }
    };
    let of_client = target.methods("ClientExt", "Client", &functions)?;
    let of_builder = target.methods("ClientBuilderExt", "ClientBuilder", &[from_env])?;
    Ok(quote!(#of_client #of_builder))
}

/// `builder` for the first scheme, and `builder_with_…` for any other.
fn builder(
    document: &Document,
    arguments: &[Argument<'_>],
    scheme: &SecurityScheme,
    is_first: bool,
) -> anyhow::Result<TokenStream> {
    let name = if is_first {
        format_ident!("builder")
    } else {
        let scheme = scheme.name.to_snake_case();
        format_ident!("builder_with_{}", scheme.strip_suffix("_auth").unwrap_or(&scheme))
    };
    let (mut accounts, mut secrets, mut setters) = (Vec::new(), Vec::new(), Vec::new());
    for Argument { name, kind, .. } in arguments {
        match kind {
            ArgumentKind::Account(key) => accounts.push(quote!((#key, #name.into()))),
            ArgumentKind::Value(value) => setters.push(value_setter(value, name)),
            ArgumentKind::Secret => secrets.push(quote!(#name.into())),
        }
    }
    let credentials = credentials_expression(scheme, &secrets)?;
    let doc = builder_doc(document, arguments, scheme, is_first);
    let names = arguments.iter().map(|argument| &argument.name);
    let types = arguments.iter().map(Argument::argument_type);
    Ok(quote! {
        #[doc = #doc]
        pub fn #name(#(#names: #types,)*) -> ClientBuilder {
            ClientBuilder::new(
                crate::http::credentials::Credentials::#credentials,
                vec![#(#accounts),*],
            ) #(#setters)*
        }
    })
}

/// The call that gives the builder a required value.
fn value_setter(value: &RequestValue, argument: &syn::Ident) -> TokenStream {
    let name = &value.name;
    let converted = match value.kind {
        Kind::Text => quote!(Into::<String>::into(#argument)),
        Kind::Boolean => quote!(#argument),
        Kind::Integer { .. } => quote!(i64::from(#argument)),
    };
    let condition = value.kind.range(&quote!(#argument));
    let check = condition.map(|(allowed, problem)| quote!(.require(#allowed, #name, #problem)));
    quote!(#check.value(#name, #converted))
}

fn credentials_expression(scheme: &SecurityScheme, secrets: &[TokenStream]) -> anyhow::Result<TokenStream> {
    Ok(match &scheme.scheme {
        Scheme::Bearer => quote!(Bearer(#(#secrets),*)),
        Scheme::Basic => quote!(Basic(#(#secrets),*)),
        Scheme::ApiKey { place, name, prefix } => {
            if *place != KeyPlace::Query && !is_token(name) {
                bail!("the scheme {} has the name {name:?}, which no header or cookie can have", scheme.name);
            }
            let (place, name) = match place {
                KeyPlace::Header => (quote!(Header), name.to_ascii_lowercase()),
                KeyPlace::Query => (quote!(Query), name.clone()),
                KeyPlace::Cookie => (quote!(Cookie), name.clone()),
            };
            let prefix = prefix.as_ref().map_or_else(|| quote!(None), |word| quote!(Some(#word)));
            quote! {
                ApiKey {
                    place: crate::http::credentials::KeyPlace::#place,
                    name: #name,
                    prefix: #prefix,
                    key: #(#secrets),*
                }
            }
        }
    })
}

/// Whether a header or a cookie can have the name (RFC 9110, section 5.6.2).
fn is_token(name: &str) -> bool {
    let is_token_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token_byte)
}

fn builder_doc(
    document: &Document,
    arguments: &[Argument<'_>],
    scheme: &SecurityScheme,
    is_first: bool,
) -> String {
    let quoted = |wanted: fn(&ArgumentKind<'_>) -> bool| -> String {
        let wanted = arguments.iter().filter(|argument| wanted(&argument.kind));
        wanted.map(|argument| format!("`{}`", argument.name)).collect::<Vec<_>>().join(" and ")
    };
    let accounts = quoted(|kind| matches!(kind, ArgumentKind::Account(_)));
    let secrets = quoted(|kind| matches!(kind, ArgumentKind::Secret));
    let mut doc = if accounts.is_empty() {
        format!(" Creates a builder for a client that authenticates with {secrets}.")
    } else {
        format!(
            " Creates a builder for a client of the account {accounts}, which authenticates with {secrets}."
        )
    };
    let definition = &document.value["components"]["securitySchemes"][&scheme.name];
    if let Some(text) = definition["description"].as_str() {
        doc += &format!("\n\n {}", super::text::one_line(text));
    }
    for argument in arguments {
        let ArgumentKind::Value(value) = argument.kind else { continue };
        let described = value.description("Every request must contain it.");
        doc += &format!("\n\n `{}`: {described} A call can replace it.", argument.name);
        if let Some((_, problem)) = value.kind.range(&quote!(value)) {
            doc += &format!(" The value {problem}; with any other, the client cannot be built.");
        }
    }
    doc + &server(&document.value).filter(|_| is_first).unwrap_or_default()
}

/// The arguments of a scheme, with the names that the document chooses, or the usual ones.
fn credentials<'v>(scheme: &SecurityScheme) -> Vec<Argument<'v>> {
    let named = |name: &Option<String>, usual: &str| Argument::credential(name.as_deref().unwrap_or(usual));
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
