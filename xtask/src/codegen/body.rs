//! `enum Body`: one variant for each documented status, with the type that the document gives its body.
//!
//! progenitor's own type for the responses of an operation does not depend on the status; this one does.

use anyhow::{Context as _, bail};
use otp_contract::Operation;
use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use serde_json::Value;
use syn::Item;

use super::lowering;

/// `enum Body`, with its decoder, and `mod body` with the types of all bodies.
///
/// `document` is the output of [`lowering::with_named_bodies`], and `client` the code that progenitor generated from
/// it.
pub(super) fn bodies(
    operation: &Operation,
    document: &Value,
    client: &syn::File,
) -> anyhow::Result<TokenStream> {
    let types = Types::new(client);
    let path = operation.path.to_string();
    let method = operation.method.to_ascii_lowercase();
    let responses = document["paths"][&path][&method]["responses"]
        .as_object()
        .with_context(|| format!("expected responses of {} {path}", operation.method))?;

    let mut responses = responses
        .iter()
        .map(|(key, response)| ResponseVariant::new(key, response, &types))
        .collect::<Result<Vec<_>, _>>()?;
    // The arms follow OpenAPI's precedence: an exact status, then its range, then the default.
    responses.sort_by_key(|response| response.rank);

    let variants = responses.iter().map(|ResponseVariant { variant, doc, body, .. }| {
        let payload = body.as_ref().map(|body| quote!((types::#body)));
        quote!(#[doc = #doc] #variant #payload)
    });
    let names = responses.iter().map(|ResponseVariant { variant, body, .. }| {
        let (rest, text) = match body {
            Some(_) => (quote!((_)), format!("{variant}(..)")),
            None => (quote!(), variant.to_string()),
        };
        quote!(Body::#variant #rest => #text)
    });
    let arms = responses.iter().map(|ResponseVariant { variant, pattern, body, .. }| {
        let decoded = body.as_ref().map_or_else(
            || quote!(Some(Body::#variant)),
            |_| quote!(serde_json::from_slice(body).ok().map(Body::#variant)),
        );
        quote!(#pattern => #decoded)
    });
    let rest = (!responses.iter().any(|response| response.rank == Rank::Default)).then(|| quote!(_ => None,));

    let roots = responses.iter().filter_map(|response| response.body.clone()).collect();
    let reachable = types.reachable(roots);
    Ok(quote! {
        /// The body of a response, by its documented status.
        ///
        /// `Debug` prints only the variant. The `Debug` output of the types inside shows what the vendor sent,
        /// including session ids; keep it out of logs.
        #[derive(Clone, PartialEq)]
        #[non_exhaustive]
        pub enum Body { #(#variants),* }

        impl std::fmt::Debug for Body {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { #(#names),* })
            }
        }

        impl Body {
            /// Decodes a body as the type documented for its status. `None` if the status is not documented or the body
            /// has another type.
            pub(crate) fn decode(status: u16, body: &[u8]) -> Option<Body> {
                match status { #(#arms,)* #rest }
            }
        }

        /// The types of the documented bodies.
        pub mod body {
            pub use super::types::{#(#reachable),*};
        }
    })
}

struct ResponseVariant {
    rank: Rank,
    variant: syn::Ident,
    pattern: TokenStream,
    doc: String,
    /// The Rust type, if the response has a JSON body.
    body: Option<syn::Ident>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Exact(u16),
    Class(u16),
    Default,
}

impl ResponseVariant {
    fn new(key: &str, response: &Value, types: &Types) -> anyhow::Result<ResponseVariant> {
        let description = response["description"].as_str().unwrap_or_default().trim();
        let rank = match (key, key.strip_suffix("XX")) {
            ("default", _) => Rank::Default,
            (_, Some(class)) => Rank::Class(class.parse().with_context(|| format!("status {key}"))?),
            (_, None) => Rank::Exact(key.parse().with_context(|| format!("status {key}"))?),
        };
        let (variant, pattern, meaning) = match rank {
            Rank::Exact(status) => (format_ident!("Http{status}"), quote!(#status), format!("HTTP {status}")),
            Rank::Class(class) => {
                let (first, last) = (class * 100, class * 100 + 99);
                let meaning = format!("Any other HTTP {first} to {last}");
                (format_ident!("Http{class}xx"), quote!(#first..=#last), meaning)
            }
            Rank::Default => (format_ident!("HttpDefault"), quote!(_), "Any other status".to_owned()),
        };
        let body = match lowering::json_media(&mut response.clone()).map(|media| media["schema"].clone()) {
            Some(schema) => Some(types.named_by(&schema).with_context(|| format!("status {key}"))?),
            None => None,
        };
        Ok(ResponseVariant { rank, variant, pattern, doc: format!(" {meaning}: {description}"), body })
    }
}

/// The types that progenitor generated.
struct Types {
    items: Vec<(syn::Ident, TokenStream)>,
}

impl Types {
    fn new(client: &syn::File) -> Types {
        let module = client.items.iter().find_map(|item| match item {
            Item::Mod(module) if module.ident == "types" => module.content.as_ref(),
            _ => None,
        });
        let items = module.into_iter().flat_map(|(_, items)| items);
        Types {
            items: items
                .filter_map(|item| match item {
                    Item::Struct(item) => Some((item.ident.clone(), item.fields.to_token_stream())),
                    Item::Enum(item) => Some((item.ident.clone(), item.variants.to_token_stream())),
                    _ => None,
                })
                .collect(),
        }
    }

    /// The generated type of a referenced schema.
    fn named_by(&self, schema: &Value) -> anyhow::Result<syn::Ident> {
        let name = schema["$ref"]
            .as_str()
            .and_then(|reference| reference.strip_prefix("#/components/schemas/"))
            .with_context(|| format!("expected a reference to a schema of this document, found {schema}"))?;
        let mut found = self.items.iter().filter(|(ident, _)| lowering::same_name(&ident.to_string(), name));
        match (found.next(), found.next()) {
            (Some((ident, _)), None) => Ok(ident.clone()),
            (None, _) => bail!("progenitor generated no type for the schema {name}"),
            (Some(_), Some(_)) => bail!("progenitor generated two types with the name of the schema {name}"),
        }
    }

    /// `roots` and all types in their fields, recursively, sorted by name.
    fn reachable(&self, roots: Vec<syn::Ident>) -> Vec<syn::Ident> {
        let mut found: Vec<syn::Ident> = Vec::new();
        let mut pending = roots;
        while let Some(ident) = pending.pop() {
            if found.contains(&ident) {
                continue;
            }
            for (_, fields) in self.items.iter().filter(|(known, _)| *known == ident) {
                let mut names = Vec::new();
                identifiers(fields.clone(), &mut names);
                pending.extend(
                    self.items.iter().map(|(known, _)| known).filter(|known| names.contains(known)).cloned(),
                );
            }
            found.push(ident);
        }
        found.sort();
        found
    }
}

fn identifiers(tokens: TokenStream, found: &mut Vec<syn::Ident>) {
    for token in tokens {
        match token {
            proc_macro2::TokenTree::Ident(ident) => found.push(ident),
            proc_macro2::TokenTree::Group(group) => identifiers(group.stream(), found),
            proc_macro2::TokenTree::Punct(_) | proc_macro2::TokenTree::Literal(_) => {}
        }
    }
}
