//! The options of a call: the values of its request that a call can set.

use std::collections::BTreeSet;

use anyhow::bail;
use otp_contract::Contract;
use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use serde_json::Value;
use syn::Type;

use super::target::Target;
use super::text::identifier;
use super::values::{Kind, Origin, RequestValue};

/// The methods that every call has.
const TAKEN: [&str; 4] = ["timeout", "header", "options_mut", "reject"];

/// The values of a request that a call can set.
pub(super) fn of(values: &[RequestValue]) -> Vec<&RequestValue> {
    values.iter().filter(|value| !matches!(value.origin, Origin::Fixed(_))).collect()
}

/// What a call passes for a value. `kind` is the type of the argument or the member in progenitor's code.
pub(super) fn expression(value: &RequestValue, kind: &Type) -> anyhow::Result<TokenStream> {
    let field = identifier(&value.name);
    let name = &value.name;
    let option = quote!(input.options.#field);
    let expression = match (&value.origin, value.kind) {
        (Origin::Fixed(only), _) => only.expression(),
        (Origin::Default(default), kind) => {
            let default = default.expression();
            match kind {
                Kind::Text => quote!(#option.clone().unwrap_or_else(|| #default)),
                Kind::Boolean => quote!(#option.unwrap_or(#default)),
                Kind::Integer { .. } => quote!(#option.map_or(#default, i64::from)),
            }
        }
        (Origin::Builder, Kind::Text) => quote!(#option.clone().unwrap_or_else(|| input.text(#name))),
        (Origin::Builder, Kind::Boolean) => quote!(#option.unwrap_or_else(|| input.boolean(#name))),
        (Origin::Builder, Kind::Integer { .. }) => {
            quote!(#option.map_or_else(|| input.integer(#name), i64::from))
        }
        (Origin::Option(_), Kind::Text) if value.is_in_body() => quote!(#option.clone()),
        (Origin::Option(_), Kind::Text) => return Ok(quote!(#option.as_ref())),
        (Origin::Option(_), Kind::Boolean) => option,
        (Origin::Option(_), Kind::Integer { .. }) if value.is_in_body() => quote!(#option.map(i64::from)),
        (Origin::Option(_), Kind::Integer { .. }) => return optional_integer(value, &option, kind),
    };
    Ok(if matches!(kind, Type::Reference(_)) { quote!(&#expression) } else { expression })
}

/// An optional integer as progenitor's function takes it.
fn optional_integer(value: &RequestValue, option: &TokenStream, kind: &Type) -> anyhow::Result<TokenStream> {
    let text = kind.to_token_stream().to_string().replace(' ', "");
    let Some(inner) = text.strip_prefix("Option<").and_then(|text| text.strip_suffix('>')) else {
        bail!("the optional parameter {} has the type {text}", value.name)
    };
    if inner == value.kind.field_type().to_string() {
        return Ok(option.clone());
    }
    let target: Type = syn::parse_str(inner)?;
    Ok(if inner.contains("NonZero") {
        quote!(#option.and_then(|value| #target::new(value.into())))
    } else {
        quote!(#option.and_then(|value| #target::try_from(value).ok()))
    })
}

fn setter_name(value: &RequestValue) -> syn::Ident {
    if TAKEN.contains(&value.name.as_str()) {
        format_ident!("{}_parameter", value.name)
    } else {
        identifier(&value.name)
    }
}

/// What the setter does, and what a call without it sends.
fn setter_doc(value: &RequestValue) -> String {
    let what = if value.is_in_body() { "member" } else { "parameter" };
    let described = value.description(&format!("Sets the {what} `{}`.", value.name));
    let otherwise = match &value.origin {
        Origin::Option(Some(Value::String(default))) => format!(" The vendor's default is `{default}`."),
        Origin::Option(Some(default)) => format!(" The vendor's default is `{default}`."),
        Origin::Default(_) => " Without it, the call sends the default of the vendor's document.".to_owned(),
        Origin::Builder => " Without it, the call sends the value that the builder was given.".to_owned(),
        Origin::Option(None) | Origin::Fixed(_) => String::new(),
    };
    format!(" {described}{otherwise}")
}

fn setter(value: &RequestValue) -> TokenStream {
    let (field, name, setter_name) = (identifier(&value.name), &value.name, setter_name(value));
    let argument = value.kind.argument_type();
    let set_to = match value.kind {
        Kind::Text => quote!(crate::http::Secret::new(value.into())),
        Kind::Boolean | Kind::Integer { .. } => quote!(value),
    };
    let set = quote! {
        self.options_mut().#field = Some(#set_to);
        self
    };
    let (range, body) = match value.kind.range(&quote!(value)) {
        None => (String::new(), set),
        Some((allowed, problem)) => (
            format!("\n\n The value {problem}; with any other, nothing is sent and the call fails."),
            quote! {
                if #allowed {
                    #set
                } else {
                    self.reject(crate::InvalidInput::new(#name, #problem))
                }
            },
        ),
    };
    let doc = format!("{}{range}", setter_doc(value));
    quote! {
        #[doc = #doc]
        pub fn #setter_name(mut self, value: #argument) -> VerifyRequest {
            #body
        }
    }
}

/// The struct with the options, and a setter for each.
pub(super) fn items(
    contract: &Contract,
    options: &[&RequestValue],
    target: Target,
) -> anyhow::Result<TokenStream> {
    if options.is_empty() {
        return Ok(TokenStream::new());
    }
    let mut names = BTreeSet::new();
    for option in options {
        if !names.insert(setter_name(option)) {
            bail!("two values of a request would have the setter `{}`", setter_name(option));
        }
    }
    let setters: Vec<_> = options.iter().map(|option| setter(option)).collect();
    let mut doc = format!(" Options that only {} supports.", contract.name);
    if options.iter().all(|option| matches!(option.origin, Origin::Option(_))) {
        doc += " The request contains only the options that are set.";
    }
    let methods = target.methods("VerifyRequestExt", "VerifyRequest", &setters)?;
    let fields = options.iter().map(|option| {
        let (name, kind) = (identifier(&option.name), option.kind.field_type());
        quote!(#name: Option<#kind>)
    });
    let copy = options.iter().all(|option| option.kind != Kind::Text).then(|| quote!(Copy,));
    Ok(quote! {
        #[doc = #doc]
        #methods

        /// The options of a call.
        #[derive(Debug, Clone, #copy Default)]
        pub struct Options { #(#fields),* }
    })
}
