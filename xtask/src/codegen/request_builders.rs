//! Reduces progenitor's client to the code that builds requests: the types, and a function for each operation.
//!
//! The code that sends is removed, because it adds a header `api-version`, which no vendor documents, and loses the
//! status of a body that it cannot decode; `sdk/src/http/transport.rs` sends the request instead. Any unexpected code
//! is an error, because an overlooked part would be sent or lost.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote};

use super::lowering::same_name;

/// The types in `generated`, and its operations as functions that build a request.
///
/// The operations in `forms` send their body as a form.
pub(super) fn request_builders(
    generated: syn::File,
    forms: &BTreeSet<String>,
) -> anyhow::Result<TokenStream> {
    let (mut types, mut functions) = (None, Vec::new());
    for item in generated.items {
        match item {
            syn::Item::Mod(module) if module.ident == "types" => types = Some(documented(module)),
            syn::Item::Impl(client) if client.trait_.is_none() => {
                for item in client.items {
                    match item {
                        syn::ImplItem::Fn(method) if method.sig.asyncness.is_some() => {
                            let name = method.sig.ident.to_string();
                            let is_form = forms.iter().any(|id| same_name(id, &name));
                            let function = request_builder(method, is_form);
                            functions.push(function.with_context(|| format!("cannot reduce `{name}`"))?);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    let types = types.context("progenitor generated no types")?;
    if functions.is_empty() {
        bail!("progenitor generated no operation");
    }
    Ok(quote! {
        #[allow(unused_imports)]
        use progenitor_client::encode_path;

        #types

        #(#functions)*
    })
}

/// The types with documentation for each member, and non-exhaustive, because a vendor may add a member at any time.
fn documented(mut types: syn::ItemMod) -> syn::ItemMod {
    for item in types.content.iter_mut().flat_map(|(_, items)| items) {
        match item {
            syn::Item::Struct(item) => {
                if let syn::Fields::Named(fields) = &mut item.fields {
                    item.attrs.push(syn::parse_quote!(#[non_exhaustive]));
                    fields.named.iter_mut().for_each(describe);
                }
            }
            syn::Item::Enum(item) => item.attrs.push(syn::parse_quote!(#[non_exhaustive])),
            _ => {}
        }
    }
    types
}

/// Documents a member without a description in the vendor's document.
fn describe(field: &mut syn::Field) {
    let Some(name) = &field.ident else { return };
    if !field.attrs.iter().any(|attribute| attribute.path().is_ident("doc")) {
        let doc = format!(" `{name}`, which the vendor's document does not describe.");
        field.attrs.insert(0, syn::parse_quote!(#[doc = #doc]));
    }
}

/// Turns a method that sends a request into a function that returns it.
fn request_builder(method: syn::ImplItemFn, is_form: bool) -> anyhow::Result<TokenStream> {
    let mut before = Vec::new();
    let mut request = None;
    for statement in method.block.stmts {
        match statement {
            syn::Stmt::Local(local) if is_named(&local.pat, "request") => {
                request = local.init.map(|init| *init.expr);
                break;
            }
            statement if names(&statement).any(|name| name == "header_map") => check_headers(&statement)?,
            statement => before.push(statement),
        }
    }
    let request = match request.context("found no `let request`")? {
        syn::Expr::Try(attempt) => without_headers(*attempt.expr)?,
        _ => bail!("found a `let request` without `?`"),
    };
    let docs = method.attrs;
    let name = method.sig.ident;
    let generics = method.sig.generics;
    let arguments = method.sig.inputs.into_iter().filter(|argument| matches!(argument, syn::FnArg::Typed(_)));
    let api = format_ident!("api");
    let body = quote!(#(#before)* #request);
    let mut body = renamed(body, "self", &api);
    if is_form {
        body = renamed(body, "json", &format_ident!("form"));
    }
    Ok(quote! {
        #(#docs)*
        pub fn #name #generics(
            #api: &'a crate::http::Api,
            #(#arguments),*
        ) -> ::reqwest::Result<::reqwest::Request> {
            #body
        }
    })
}

/// Checks that a statement about the header map only declares it or adds progenitor's own header.
fn check_headers(statement: &syn::Stmt) -> anyhow::Result<()> {
    let declared = matches!(statement, syn::Stmt::Local(local) if is_named(&local.pat, "header_map"));
    let text = statement.to_token_stream().to_string();
    if declared || text.contains("\"api-version\"") {
        Ok(())
    } else {
        bail!("found an unknown header: {text}")
    }
}

/// The chain of calls without the one that sets the header map, which is empty.
fn without_headers(chain: syn::Expr) -> anyhow::Result<syn::Expr> {
    let syn::Expr::MethodCall(mut call) = chain else { bail!("found no call of `headers`") };
    if call.method == "headers" {
        return Ok(*call.receiver);
    }
    *call.receiver = without_headers(*call.receiver)?;
    Ok(syn::Expr::MethodCall(call))
}

fn is_named(pattern: &syn::Pat, name: &str) -> bool {
    matches!(pattern, syn::Pat::Ident(pattern) if pattern.ident == name)
}

/// All identifiers in a statement, including those in macros.
fn names(statement: &syn::Stmt) -> impl Iterator<Item = String> {
    fn collect(tokens: TokenStream, names: &mut Vec<String>) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => collect(group.stream(), names),
                TokenTree::Ident(name) => names.push(name.to_string()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
    let mut names = Vec::new();
    collect(statement.to_token_stream(), &mut names);
    names.into_iter()
}

/// Renames an identifier, also in macros.
fn renamed(tokens: TokenStream, from: &str, to: &proc_macro2::Ident) -> TokenStream {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) => {
                TokenTree::Group(Group::new(group.delimiter(), renamed(group.stream(), from, to)))
            }
            TokenTree::Ident(name) if name == from => TokenTree::Ident(to.clone()),
            token => token,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_non_exhaustive_and_members_without_a_description_are_documented() {
        let types =
            "pub mod types { pub struct A { pub b: u8, #[doc = \" Known.\"] pub c: u8 } pub enum D { E } }";
        let text = quote::ToTokens::to_token_stream(&documented(syn::parse_str(types).unwrap())).to_string();
        assert_eq!(text.matches("non_exhaustive").count(), 2, "{text}");
        assert!(
            text.contains("`b`, which the vendor's document does not describe") && !text.contains("`c`"),
            "{text}"
        );
    }

    fn reduced(body: &str) -> Result<String, String> {
        let text = format!(
            "pub mod types {{}} impl Client {{ pub fn new() {{}} pub async fn verify<'a>(&'a self, id: &'a str) {{ {body} }} }}"
        );
        let file = syn::parse_str(&text).unwrap();
        request_builders(file, &BTreeSet::new())
            .map(|tokens| tokens.to_string())
            .map_err(|error| format!("{error:#}"))
    }

    const OWN_HEADER: &str = r#"let mut header_map = HeaderMap::with_capacity(1);
        header_map.append(HeaderName::from_static("api-version"), value);"#;

    #[test]
    fn code_that_builds_the_request_is_kept_and_code_that_sends_it_is_removed() {
        let text = reduced(&format!(
            r#"let url = format!("{{}}/{{}}", self.baseurl, id);
            {OWN_HEADER}
            let mut request = self.client.get(url).headers(header_map).query(&id).build()?;
            self.pre(&mut request).await?;
            let result = self.exec(request).await;"#
        ))
        .unwrap();
        for kept in
            ["pub fn verify", "api . baseurl , id", "api . client . get (url) . query (& id) . build ()"]
        {
            assert!(text.contains(kept), "{kept} is not in {text}");
        }
        for removed in ["async", "await", "header_map", "api-version", "self", "exec", "fn new"] {
            assert!(!text.contains(removed), "{removed} is in {text}");
        }
    }

    #[test]
    fn unexpected_code_is_an_error() {
        let request = "let mut request = self.client.get(url).headers(header_map).build()?;";
        for (body, reason) in [
            (
                "let result = self.exec(request).await;".to_owned(),
                "cannot reduce `verify`: found no `let request`",
            ),
            (format!("{OWN_HEADER} header_map.append(name, id); {request}"), "found an unknown header: "),
            (
                format!("{OWN_HEADER} let mut request = self.client.get(url).build()?;"),
                "found no call of `headers`",
            ),
            (
                format!("{OWN_HEADER} let request = self.client.get(url);"),
                "found a `let request` without `?`",
            ),
        ] {
            let error = reduced(&body).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }
}
