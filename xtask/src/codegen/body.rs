//! `enum Body`: one variant for each documented status, with the type that the document gives its body. progenitor's
//! own type of an operation forgets the status; this one is chosen by it.

use anyhow::{Context as _, bail};
use otp_contract::Contract;
use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use serde_json::Value;
use syn::Item;

use super::lowering;

/// `enum Body`, `fn decode`, and `mod body` with every type that a body consists of.
///
/// `named` is the document as [`lowering::named`] leaves it, and `client` the code that progenitor made of it.
pub(super) fn bodies(contract: &Contract, named: &Value, client: &syn::File) -> anyhow::Result<TokenStream> {
    let types = Types::of(client);
    let path = contract.verify().path.to_string();
    let method = contract.verify().method.to_ascii_lowercase();
    let responses =
        named["paths"][&path][&method]["responses"].as_object().context("the operation has responses")?;

    let mut answers = responses
        .iter()
        .map(|(key, answer)| Answer::of(key, answer, &types))
        .collect::<Result<Vec<_>, _>>()?;
    // The exact status before its range, and both before the default: the order of the arms is OpenAPI's precedence.
    answers.sort_by_key(|answer| answer.rank);

    let variants = answers.iter().map(|Answer { variant, doc, body, .. }| {
        let payload = body.as_ref().map(|body| quote!((types::#body)));
        quote!(#[doc = #doc] #variant #payload)
    });
    let names = answers.iter().map(|Answer { variant, body, .. }| {
        let (rest, text) = match body {
            Some(_) => (quote!((_)), format!("{variant}(..)")),
            None => (quote!(), variant.to_string()),
        };
        quote!(Body::#variant #rest => #text)
    });
    let arms = answers.iter().map(|Answer { variant, pattern, body, .. }| {
        let decoded = body.as_ref().map_or_else(
            || quote!(Some(Body::#variant)),
            |_| quote!(serde_json::from_slice(body).ok().map(Body::#variant)),
        );
        quote!(#pattern => #decoded)
    });
    let rest = (!answers.iter().any(|answer| answer.rank == Rank::Default)).then(|| quote!(_ => None,));

    let roots = answers.iter().filter_map(|answer| answer.body.clone()).collect();
    let reachable = types.reachable(roots);
    Ok(quote! {
        /// The body of an answer, by the documented status that it came with.
        ///
        /// `Debug` prints the variant alone. That of the types within prints what the vendor sent, session ids included: keep
        /// it out of logs.
        #[derive(Clone, PartialEq)]
        #[non_exhaustive]
        pub enum Body { #(#variants),* }

        impl std::fmt::Debug for Body {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { #(#names),* })
            }
        }

        /// Reads a body as the type documented for its status; `None` where none is, or it is not of that type.
        pub(crate) fn decode(status: u16, body: &[u8]) -> Option<Body> {
            match status { #(#arms,)* #rest }
        }

        /// The types that the documented bodies consist of.
        pub mod body {
            pub use super::types::{#(#reachable),*};
        }
    })
}

struct Answer {
    rank: Rank,
    variant: syn::Ident,
    pattern: TokenStream,
    doc: String,
    /// The Rust type, where the answer has a JSON body.
    body: Option<syn::Ident>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Exact(u16),
    Class(u16),
    Default,
}

impl Answer {
    fn of(key: &str, answer: &Value, types: &Types) -> anyhow::Result<Answer> {
        let description = answer["description"].as_str().unwrap_or_default().trim();
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
        let body = match lowering::json_media(&mut answer.clone()).map(|media| media["schema"].clone()) {
            Some(schema) => Some(types.named_by(&schema).with_context(|| format!("status {key}"))?),
            None => None,
        };
        Ok(Answer { rank, variant, pattern, doc: format!(" {meaning}: {description}"), body })
    }
}

/// The types that progenitor generated.
struct Types {
    items: Vec<(syn::Ident, TokenStream)>,
}

impl Types {
    fn of(client: &syn::File) -> Types {
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

    /// The type that a reference to a schema has become.
    fn named_by(&self, schema: &Value) -> anyhow::Result<syn::Ident> {
        let name = schema["$ref"]
            .as_str()
            .and_then(|reference| reference.strip_prefix("#/components/schemas/"))
            .with_context(|| format!("expected a reference to a schema of this document, found {schema}"))?;
        let mut found = self.items.iter().filter(|(ident, _)| lowering::same_name(&ident.to_string(), name));
        match (found.next(), found.next()) {
            (Some((ident, _)), None) => Ok(ident.clone()),
            (None, _) => bail!("progenitor generated no type for the schema {name}"),
            (Some(_), Some(_)) => bail!("progenitor generated two types that the schema {name} could be"),
        }
    }

    /// The types in the fields of `roots`, and in theirs, by name.
    fn reachable(&self, roots: Vec<syn::Ident>) -> Vec<syn::Ident> {
        let mut found: Vec<syn::Ident> = Vec::new();
        let mut open = roots;
        while let Some(ident) = open.pop() {
            if found.contains(&ident) {
                continue;
            }
            for (_, fields) in self.items.iter().filter(|(known, _)| *known == ident) {
                let mut names = Vec::new();
                identifiers(fields.clone(), &mut names);
                open.extend(
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
