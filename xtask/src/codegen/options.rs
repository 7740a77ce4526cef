//! The options of a call, from the optional query parameters of the document.
//!
//! A parameter of a type that no setter can take, such as an array, is left out and never sent.

use anyhow::bail;
use otp_contract::{Contract, Operation};
use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use serde_json::Value;
use syn::Type;

use super::target::Target;
use super::text::identifier;

/// The setters that every call has.
const TAKEN: [&str; 2] = ["timeout", "header"];

/// An optional query parameter that a call can set.
pub(super) struct CallOption {
    /// The name in the document.
    pub(super) parameter: String,
    kind: Kind,
    doc: String,
}

/// What a setter takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Text,
    /// An integer between the bounds of the document.
    Integer {
        min: Option<i64>,
        max: Option<i64>,
    },
}

impl Kind {
    fn of(schema: &Value) -> Option<Kind> {
        match schema["type"].as_str()? {
            "boolean" => Some(Kind::Bool),
            "string" if schema.get("enum").is_none() && schema.get("format").is_none() => Some(Kind::Text),
            "integer" => {
                Some(Kind::Integer { min: schema["minimum"].as_i64(), max: schema["maximum"].as_i64() })
            }
            _ => None,
        }
    }

    /// The smallest type that has every allowed value.
    fn rust_type(self) -> TokenStream {
        match self {
            Kind::Bool => quote!(bool),
            Kind::Text => quote!(String),
            Kind::Integer { min: Some(0..), max: Some(..=0xff) } => quote!(u8),
            Kind::Integer { min: Some(0..), max: Some(..=0xffff_ffff) } => quote!(u32),
            Kind::Integer { .. } => quote!(i64),
        }
    }
}

/// The options of an operation, in the order of the document.
pub(super) fn of(operation: &Operation, document: &Value) -> Vec<CallOption> {
    let item = &document["paths"][operation.path.to_string()];
    let of_operation = &item[operation.method.to_ascii_lowercase()]["parameters"];
    let all = [&item["parameters"], of_operation].into_iter().filter_map(Value::as_array).flatten();
    let resolved = all.map(|parameter| {
        let target = parameter["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        target.and_then(|pointer| document.pointer(pointer)).unwrap_or(parameter)
    });
    let [session, code] = [&operation.session.location.name, &operation.code.location.name];
    resolved
        .filter(|parameter| parameter["in"] == "query" && parameter["required"] != true)
        .filter_map(|parameter| {
            let name = parameter["name"].as_str().filter(|name| name != session && name != code)?;
            let schema = &parameter["schema"];
            let described = parameter["description"].as_str().map(super::text::one_line);
            let described = described.unwrap_or_else(|| format!("Sets the parameter `{name}`."));
            let default = schema
                .get("default")
                .map_or_else(String::new, |default| format!(" The vendor's default is `{default}`."));
            let doc = format!(" {described}{default}");
            Some(CallOption { parameter: name.to_owned(), kind: Kind::of(schema)?, doc })
        })
        .collect()
}

impl CallOption {
    fn field(&self) -> syn::Ident {
        identifier(&self.parameter)
    }

    /// The value of the option as progenitor's function takes it.
    pub(super) fn argument(&self, kind: &Type) -> anyhow::Result<TokenStream> {
        let field = self.field();
        let value = quote!(input.options.#field);
        let text = kind.to_token_stream().to_string().replace(' ', "");
        let Some(inner) = text.strip_prefix("Option<").and_then(|text| text.strip_suffix('>')) else {
            bail!("the optional parameter {} has the type {text}", self.parameter)
        };
        let own = self.kind.rust_type().to_string();
        Ok(match (self.kind, inner) {
            (Kind::Text, _) => quote!(#value.as_deref()),
            (_, inner) if inner == own => value,
            (_, inner) if inner.contains("NonZero") => {
                let target: Type = syn::parse_str(inner)?;
                quote!(#value.and_then(|value| #target::new(value.into())))
            }
            (_, inner) => {
                let target: Type = syn::parse_str(inner)?;
                quote!(#value.and_then(|value| #target::try_from(value).ok()))
            }
        })
    }

    fn setter(&self) -> TokenStream {
        let (field, parameter, doc) = (self.field(), &self.parameter, &self.doc);
        let name = if TAKEN.contains(&parameter.as_str()) {
            format_ident!("{parameter}_parameter")
        } else {
            field.clone()
        };
        let kind = self.kind.rust_type();
        let (argument, value) = match self.kind {
            Kind::Text => (quote!(impl Into<String>), quote!(value.into())),
            Kind::Bool | Kind::Integer { .. } => (quote!(#kind), quote!(value)),
        };
        let set = quote! {
            self.options_mut().#field = Some(#value);
            self
        };
        let (range, body) = match self.kind.range() {
            None => (String::new(), set),
            Some((allowed, problem)) => (
                format!("\n\n The value {problem}; with any other, nothing is sent and the call fails."),
                quote! {
                    if #allowed {
                        #set
                    } else {
                        self.reject(crate::InvalidInput::new(#parameter, #problem))
                    }
                },
            ),
        };
        let doc = format!("{doc}{range}");
        quote! {
            #[doc = #doc]
            pub fn #name(mut self, value: #argument) -> VerifyRequest {
                #body
            }
        }
    }
}

impl Kind {
    /// The condition for an allowed value, and the condition in words.
    fn range(self) -> Option<(TokenStream, String)> {
        let literal = proc_macro2::Literal::i64_unsuffixed;
        match self {
            Kind::Bool | Kind::Text | Kind::Integer { min: None, max: None } => None,
            Kind::Integer { min: Some(min), max: Some(max) } => {
                let (first, last) = (literal(min), literal(max));
                Some((quote!((#first..=#last).contains(&value)), format!("must be from {min} to {max}")))
            }
            Kind::Integer { min: Some(min), max: None } => {
                let first = literal(min);
                Some((quote!(value >= #first), format!("must be at least {min}")))
            }
            Kind::Integer { min: None, max: Some(max) } => {
                let last = literal(max);
                Some((quote!(value <= #last), format!("must be at most {max}")))
            }
        }
    }
}

/// The struct with the options, and a setter for each.
pub(super) fn items(
    contract: &Contract,
    options: &[CallOption],
    target: Target,
) -> anyhow::Result<TokenStream> {
    if options.is_empty() {
        return Ok(TokenStream::new());
    }
    let setters: Vec<_> = options.iter().map(CallOption::setter).collect();
    let doc = format!(
        " Options that only {} supports. The request contains only the options that are set.",
        contract.name
    );
    let methods = target.methods("VerifyRequestExt", "VerifyRequest", &setters)?;
    let fields = options.iter().map(|option| {
        let (name, kind) = (option.field(), option.kind.rust_type());
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
