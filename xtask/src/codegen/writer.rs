//! progenitor's client, cut down to what writes a request: types, and a function for each operation.
//!
//! progenitor's own way on from there is left out. It sends a header of its own, `api-version`, which no vendor knows of,
//! and forgets the status of a body that it cannot decode; so the request is sent by `sdk/src/transport.rs`. Whatever
//! does not look as expected stops the generator, for a part that was overlooked would be sent or lost.

use anyhow::{Context as _, bail};
use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote};

/// What `generated` has of types, and its operations as functions that write a request.
pub(super) fn writers(generated: syn::File) -> anyhow::Result<TokenStream> {
    let (mut types, mut functions) = (None, Vec::new());
    for item in generated.items {
        match item {
            syn::Item::Mod(module) if module.ident == "types" => types = Some(shown(module)),
            syn::Item::Impl(client) if client.trait_.is_none() => {
                for item in client.items {
                    match item {
                        syn::ImplItem::Fn(method) if method.sig.asyncness.is_some() => {
                            let name = method.sig.ident.to_string();
                            let function = writer(method);
                            functions.push(function.with_context(|| format!("cannot cut `{name}`"))?);
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

/// The types, as a program may see them: a vendor may add a member at any time, and each member says what it is.
fn shown(mut types: syn::ItemMod) -> syn::ItemMod {
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

/// Documents a member that the vendor's document does not describe.
fn describe(field: &mut syn::Field) {
    let Some(name) = &field.ident else { return };
    if !field.attrs.iter().any(|attribute| attribute.path().is_ident("doc")) {
        let doc = format!(" `{name}` as the vendor sends it; its document says no more of it.");
        field.attrs.insert(0, syn::parse_quote!(#[doc = #doc]));
    }
}

/// A method that sends a request as a function that returns it.
fn writer(method: syn::ImplItemFn) -> anyhow::Result<TokenStream> {
    let mut before = Vec::new();
    let mut request = None;
    for statement in method.block.stmts {
        match statement {
            syn::Stmt::Local(local) if is_named(&local.pat, "request") => {
                request = local.init.map(|init| *init.expr);
                break;
            }
            statement if names(&statement).any(|name| name == "header_map") => headers(&statement)?,
            statement => before.push(statement),
        }
    }
    let request = match request.context("it has no `let request`")? {
        syn::Expr::Try(attempt) => without_headers(*attempt.expr)?,
        _ => bail!("its request cannot fail"),
    };
    let docs = method.attrs;
    let name = method.sig.ident;
    let generics = method.sig.generics;
    let arguments = method.sig.inputs.into_iter().filter(|argument| matches!(argument, syn::FnArg::Typed(_)));
    let api = format_ident!("api");
    let body = quote!(#(#before)* #request);
    let body = renamed(body, "self", &api);
    Ok(quote! {
        #(#docs)*
        pub fn #name #generics(
            #api: &'a crate::transport::Api,
            #(#arguments),*
        ) -> ::reqwest::Result<::reqwest::Request> {
            #body
        }
    })
}

/// A statement about the map of headers is either the map itself, or progenitor's own header.
fn headers(statement: &syn::Stmt) -> anyhow::Result<()> {
    let declared = matches!(statement, syn::Stmt::Local(local) if is_named(&local.pat, "header_map"));
    let text = statement.to_token_stream().to_string();
    if declared || text.contains("\"api-version\"") { Ok(()) } else { bail!("it sends a header: {text}") }
}

/// The chain of calls without the one that takes the map of headers, which is empty.
fn without_headers(chain: syn::Expr) -> anyhow::Result<syn::Expr> {
    let syn::Expr::MethodCall(mut call) = chain else { bail!("its request takes no headers") };
    if call.method == "headers" {
        return Ok(*call.receiver);
    }
    *call.receiver = without_headers(*call.receiver)?;
    Ok(syn::Expr::MethodCall(call))
}

fn is_named(pattern: &syn::Pat, name: &str) -> bool {
    matches!(pattern, syn::Pat::Ident(pattern) if pattern.ident == name)
}

/// Every name in a statement, those in macros included.
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

/// The same code with another name in place of `from`, in macros too.
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
    fn a_member_that_the_document_does_not_describe_says_so_and_a_type_may_grow() {
        let types =
            "pub mod types { pub struct A { pub b: u8, #[doc = \" Known.\"] pub c: u8 } pub enum D { E } }";
        let text = quote::ToTokens::to_token_stream(&shown(syn::parse_str(types).unwrap())).to_string();
        assert_eq!(text.matches("non_exhaustive").count(), 2, "{text}");
        assert!(text.contains("`b` as the vendor sends it") && !text.contains("`c`"), "{text}");
    }

    fn cut(body: &str) -> Result<String, String> {
        let text = format!(
            "pub mod types {{}} impl Client {{ pub fn new() {{}} pub async fn verify<'a>(&'a self, id: &'a str) {{ {body} }} }}"
        );
        let file = syn::parse_str(&text).unwrap();
        writers(file).map(|tokens| tokens.to_string()).map_err(|error| format!("{error:#}"))
    }

    const OWN: &str = r#"let mut header_map = HeaderMap::with_capacity(1);
        header_map.append(HeaderName::from_static("api-version"), value);"#;

    #[test]
    fn what_writes_the_request_is_kept_and_what_sends_it_is_not() {
        let text = cut(&format!(
            r#"let url = format!("{{}}/{{}}", self.baseurl, id);
            {OWN}
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
        for left in ["async", "await", "header_map", "api-version", "self", "exec", "fn new"] {
            assert!(!text.contains(left), "{left} is in {text}");
        }
    }

    #[test]
    fn what_looks_otherwise_stops_the_generator() {
        let request = "let mut request = self.client.get(url).headers(header_map).build()?;";
        for (body, reason) in [
            (
                "let result = self.exec(request).await;".to_owned(),
                "cannot cut `verify`: it has no `let request`",
            ),
            (format!("{OWN} header_map.append(name, id); {request}"), "it sends a header: "),
            (
                format!("{OWN} let mut request = self.client.get(url).build()?;"),
                "its request takes no headers",
            ),
            (format!("{OWN} let request = self.client.get(url);"), "its request cannot fail"),
        ] {
            let told = cut(&body).unwrap_err();
            assert!(told.contains(reason), "{told}");
        }
    }
}
