//! Where a client is generated to: this repository's package, or a crate of its own.

use anyhow::Context as _;
use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};

/// Where a client is generated to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// A module of `otp-verify`.
    Module,
    /// A crate that depends on `otp-verify`.
    Crate,
}

impl Target {
    /// Public functions of a type of `otp-verify`. Only that package may add them to the type itself, so another crate
    /// gets a trait with the name `extension`.
    pub(super) fn methods(
        self,
        extension: &str,
        owner: &str,
        functions: &[TokenStream],
    ) -> anyhow::Result<TokenStream> {
        let owner = format_ident!("{owner}");
        if self == Target::Module {
            return Ok(quote!(impl #owner { #(#functions)* }));
        }
        let extension = format_ident!("{extension}");
        let (mut declared, mut defined) = (Vec::new(), Vec::new());
        for function in functions {
            let mut function: syn::ImplItemFn =
                syn::parse2(function.clone()).context("the generator wrote an invalid function")?;
            function.vis = syn::Visibility::Inherited;
            let docs = std::mem::take(&mut function.attrs);
            defined.push(function.to_token_stream());
            for input in &mut function.sig.inputs {
                if let syn::FnArg::Receiver(receiver) = input {
                    *receiver = syn::parse_quote!(self);
                }
            }
            let signature = function.sig;
            declared.push(quote!(#(#docs)* #signature;));
        }
        Ok(quote! {
            pub trait #extension: Sized { #(#declared)* }
            impl #extension for #owner { #(#defined)* }
        })
    }

    /// The text of a module that is written for `otp-verify`, as this target compiles it.
    pub(super) fn adapt(self, text: String) -> String {
        match self {
            Target::Module => text,
            Target::Crate => {
                let text = text.replace("](crate::", "](otp_verify::").replace("[`crate::", "[`otp_verify::");
                let text = text.replace("crate::", "otp_verify::__private::");
                // The generated crate has the same version of these as `otp-verify`.
                let text = text.replace("::reqwest::", "reqwest::");
                ["reqwest::", "progenitor_client::"]
                    .into_iter()
                    .fold(text, |text, name| text.replace(name, &format!("otp_verify::__private::{name}")))
            }
        }
    }
}
