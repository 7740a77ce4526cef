//! How the arguments and the options of a verify call become a request.
//!
//! Connects the contract with the function that progenitor generated, whose parameters are in an order of its own.

use anyhow::{Context as _, bail};
use heck::ToUpperCamelCase as _;
use otp_contract::{Contract, Operation, Place};
use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use syn::{FnArg, Item, Pat, Type};

use super::lowering::same_name;
use super::options;
use super::target::Target;
use super::values::RequestValue;

/// The call's options, and the implementation of `VerifyOperation`.
///
/// `values` are those of [`values::of`](super::values::of), and `generated` is the code that progenitor generated.
pub(super) fn request(
    contract: &Contract,
    operation: &Operation,
    values: &[RequestValue],
    generated: &syn::File,
    target: Target,
) -> anyhow::Result<TokenStream> {
    let marker = format_ident!("{}", contract.vendor.to_upper_camel_case());
    let options = options::of(values);
    let function = function(operation, generated)?;
    let function_name = &function.sig.ident;
    let (mut body, mut arguments) = (None, Vec::new());
    for argument in &function.sig.inputs {
        let FnArg::Typed(argument) = argument else { continue };
        let Pat::Ident(name) = &*argument.pat else { bail!("`{function_name}` has an unnamed argument") };
        let name = name.ident.to_string();
        if name == "body" && operation.body.is_some() {
            body = Some(members(operation, values, &argument.ty, generated)?);
            arguments.push(quote!(&body));
        } else {
            arguments.push(argument_of(operation, values, &name, &argument.ty)?);
        }
    }
    let body = body.map(|body| quote!(let body = #body;));
    let items = options::items(contract, &options, target)?;
    let options_type = if options.is_empty() { quote!(()) } else { quote!(Options) };
    Ok(quote! {
        #items

        impl crate::vendor::VerifyOperation for #marker {
            type Options = #options_type;

            fn request(
                api: &crate::http::Api,
                input: &crate::vendor::VerifyInput<Self::Options>,
            ) -> reqwest::Result<reqwest::Request> {
                #body
                api::#function_name(api, #(#arguments),*)
            }
        }
    })
}

/// The function of the operation in progenitor's client.
fn function<'g>(operation: &Operation, generated: &'g syn::File) -> anyhow::Result<&'g syn::ImplItemFn> {
    let methods = generated.items.iter().filter_map(|item| match item {
        Item::Impl(client) if client.trait_.is_none() => Some(&client.items),
        _ => None,
    });
    methods
        .flatten()
        .find_map(|item| match item {
            syn::ImplItem::Fn(method)
                if method.sig.asyncness.is_some()
                    && same_name(&method.sig.ident.to_string(), &operation.id) =>
            {
                Some(method)
            }
            _ => None,
        })
        .with_context(|| format!("progenitor generated no function for {}", operation.id))
}

/// What a call passes for a path or query parameter.
fn argument_of(
    operation: &Operation,
    values: &[RequestValue],
    name: &str,
    kind: &Type,
) -> anyhow::Result<TokenStream> {
    let is_optional = kind.to_token_stream().to_string().starts_with("Option");
    let present = |value: TokenStream| if is_optional { quote!(Some(#value)) } else { value };
    for (location, value) in [
        (&operation.session.location, quote!(&input.session)),
        (&operation.code.location, quote!(&input.code)),
    ] {
        if !is_in_body(location.place) && same_name(&location.name, name) {
            return Ok(present(value));
        }
    }
    if let Some(account) = operation.accounts.iter().find(|account| same_name(&account.name, name)) {
        let account = &account.name;
        return Ok(quote!(&input.account(#account)));
    }
    if let Some(value) = values.iter().find(|value| !value.is_in_body() && is_argument(&value.name, name)) {
        return options::expression(value, kind);
    }
    if is_optional {
        return Ok(quote!(None));
    }
    bail!("the required parameter {name} is neither session, code nor account; a client cannot set it")
}

/// Whether progenitor gives the argument for a parameter this name. It puts an `x` before a digit.
fn is_argument(parameter: &str, name: &str) -> bool {
    same_name(parameter, name)
        || parameter.starts_with(|first: char| first.is_ascii_digit())
            && same_name(parameter, name.trim_start_matches('x'))
}

/// The name of a member in the body, which is not always a name that Rust allows.
fn json_name(field: &syn::Field, member: &syn::Ident) -> anyhow::Result<String> {
    let mut name = member.to_string();
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                name = meta.value()?.parse::<syn::LitStr>()?.value();
            } else if meta.input.peek(syn::Token![=]) {
                meta.value()?.parse::<syn::Expr>()?;
            }
            Ok(())
        })?;
    }
    Ok(name)
}

fn is_in_body(place: Place) -> bool {
    matches!(place, Place::Body | Place::Form)
}

/// The body of a request, from the members that hold session and code, and the other values.
fn members(
    operation: &Operation,
    values: &[RequestValue],
    kind: &Type,
    generated: &syn::File,
) -> anyhow::Result<TokenStream> {
    let Type::Reference(reference) = kind else { bail!("the body is no reference") };
    let body = BodyWriter { operation, values, generated };
    body.object(&reference.elem, &[])
}

/// Writes the expression for a body.
struct BodyWriter<'g> {
    operation: &'g Operation,
    values: &'g [RequestValue],
    generated: &'g syn::File,
}

impl BodyWriter<'_> {
    /// The object of the generated type `kind`, which `keys` lead to.
    fn object(&self, kind: &Type, keys: &[String]) -> anyhow::Result<TokenStream> {
        let name = type_name(kind).context("the body has no named type")?;
        let types = self.generated.items.iter().find_map(|item| match item {
            Item::Mod(module) if module.ident == "types" => module.content.as_ref(),
            _ => None,
        });
        let body = types.into_iter().flat_map(|(_, items)| items).find_map(|item| match item {
            Item::Struct(item) if item.ident == *name => Some(item),
            _ => None,
        });
        let body = body.with_context(|| format!("the body {name} is no object with named members"))?;
        let members = body.fields.iter().map(|field| {
            let member = field.ident.as_ref().context("a member of the body has no name")?;
            let mut place = keys.to_vec();
            place.push(json_name(field, member)?);
            let value = self.value(field, &place)?;
            Ok(quote!(#member: #value))
        });
        let members = members.collect::<anyhow::Result<Vec<_>>>()?;
        Ok(quote!(types::#name { #(#members),* }))
    }

    /// The value of the member that `place` leads to.
    fn value(&self, field: &syn::Field, place: &[String]) -> anyhow::Result<TokenStream> {
        let is_optional = field.ty.to_token_stream().to_string().contains("Option <");
        let present = |value: TokenStream| if is_optional { quote!(Some(#value)) } else { value };
        let mut contains_one = false;
        for (location, value) in [
            (&self.operation.session.location, quote!(input.session.clone())),
            (&self.operation.code.location, quote!(input.code.clone())),
        ] {
            let keys = location.keys();
            if !is_in_body(location.place) || !keys.iter().zip(place).all(|(key, given)| key == given) {
                continue;
            }
            if keys.len() == place.len() {
                return Ok(present(value));
            }
            contains_one |= keys.len() > place.len();
        }
        if contains_one {
            return Ok(present(self.object(&field.ty, place)?));
        }
        let name = place.join(" > ");
        let value = match place {
            [name] => self.values.iter().find(|value| value.is_in_body() && value.name == *name),
            _ if is_optional => return Ok(quote!(None)),
            _ => None,
        };
        let value = value.with_context(|| {
            format!("the member {name} of the body is neither session nor code; a client cannot set it")
        })?;
        options::expression(value, &field.ty)
    }
}

/// The name of a generated type, which may be optional.
fn type_name(kind: &Type) -> Option<&syn::Ident> {
    let Type::Path(path) = kind else { return None };
    let last = path.path.segments.last()?;
    match &last.arguments {
        syn::PathArguments::AngleBracketed(arguments) if last.ident == "Option" => {
            arguments.args.iter().find_map(|argument| match argument {
                syn::GenericArgument::Type(inner) => type_name(inner),
                _ => None,
            })
        }
        _ => Some(&last.ident),
    }
}
