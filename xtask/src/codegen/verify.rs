//! The verify call: what a client needs to know about it, and its types.

use heck::ToUpperCamelCase as _;
use otp_contract::{Contract, Operation};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;

use super::{body, cells, error, media};

/// The static with the documented responses, the types for errors and bodies, and the trait that ties them together.
///
/// `document` is the output of [`lowering::with_named_bodies`](super::lowering::with_named_bodies), and `client` the
/// code that progenitor generated from it.
pub(super) fn items(
    contract: &Contract,
    operation: &Operation,
    document: &Value,
    client: &syn::File,
) -> anyhow::Result<TokenStream> {
    let marker = format_ident!("{}", contract.vendor.to_upper_camel_case());
    let method = &operation.method;
    let path = operation.path.to_string();
    let call_doc = format!(" A verify call of {}.", contract.name);
    let approved_doc = format!(" An approval by {}.", contract.name);
    let cells::Table { items: cells, expression: table } = cells::table(contract, operation)?;
    let error = error::error(contract, operation)?;
    let accept = media::accept(document, &path, method);
    let bodies = body::bodies(operation, document, client)?;
    Ok(quote! {
        #[doc = #call_doc]
        pub type VerifyRequest = crate::VerifyRequest<#marker>;

        #[doc = #approved_doc]
        pub type Approved = crate::Approved<#marker>;

        /// The route and the documented responses of the verify call.
        pub(crate) static VERIFY: Operation = Operation {
            vendor: #marker::ID,
            method: #method,
            path: #path,
            responses: #table,
        };

        #cells

        #error

        #bodies

        impl VerifyResponses for #marker {
            type Body = Body;
            type Error = Error;

            const ACCEPT: &'static str = #accept;

            fn operation() -> &'static Operation {
                &VERIFY
            }

            fn decode(status: u16, body: &[u8]) -> Option<Body> {
                Body::decode(status, body)
            }

            fn error(error: crate::Error) -> Error {
                Error::new(error)
            }
        }
    })
}
