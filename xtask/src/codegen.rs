//! `cargo xtask codegen`: generates `sdk/src/generated`, and each list of the vendors in `sdk/`, from the vendor documents.
//!
//! The generated code is committed, so that a change to a document shows its effect on the clients, and building a
//! client needs no generator. Writing and checking share all code except [`write_or_compare`].

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use heck::ToUpperCamelCase as _;
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, InterfaceStyle, TagStyle, TypeImpl};
use quote::{format_ident, quote};
use serde_json::Value;
use similar::TextDiff;

use crate::document::Document;
use crate::{document, repository};
use target::Target;

mod body;
mod cells;
mod error;
mod facade;
mod lowering;
mod manifest;
mod media;
mod options;
pub(crate) mod package;
mod parameters;
mod request;
mod request_builders;
mod secrets;
mod target;
mod text;
mod values;
mod verify;

/// The command that fixes whatever [`Mode::Check`] finds.
const FIX: &str = "cargo xtask codegen";

/// Whether to write or to compare the files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Update the files.
    Write,
    /// Report how the files differ, and leave them unchanged.
    Check,
}

/// Runs the command. Returns false if it only checks and files differ.
pub(crate) fn run(root: &Path, mode: Mode, out: &mut dyn Write) -> anyhow::Result<bool> {
    write_or_compare(root, &files(root)?, mode, out)
}

/// All generated files, by path.
fn files(root: &Path) -> anyhow::Result<BTreeMap<PathBuf, String>> {
    let documents = document::of_repository(root)?;
    let folder = repository::generated(root);
    let mut files = BTreeMap::new();
    for document in &documents {
        let text = client(document, Target::Module)
            .with_context(|| format!("cannot generate from {}", document.file))?;
        files.insert(folder.join(format!("{}.rs", document.contract.vendor)), text);
    }
    files.insert(folder.join("mod.rs"), index(&documents)?);
    files.insert(repository::every_client(root), every_client(&documents)?);
    let path = repository::client_manifest(root);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = manifest::with_features(&text, &documents)
        .with_context(|| format!("cannot update {}", path.display()))?;
    files.insert(path, text);
    Ok(files)
}

/// Writes or compares `files`. No other files may be in the folder of the generated clients.
fn write_or_compare(
    root: &Path,
    files: &BTreeMap<PathBuf, String>,
    mode: Mode,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let shown = |path: &Path| path.strip_prefix(root).unwrap_or(path).display().to_string();
    let mut fresh = true;
    for path in unexpected_files(&repository::generated(root), files)? {
        fresh = false;
        if mode == Mode::Check {
            writeln!(out, "{:>12} {} belongs to no document", "Stray", shown(&path))?;
        } else {
            std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            writeln!(out, "{:>12} {}, which belongs to no document", "Removed", shown(&path))?;
        }
    }
    for (path, text) in files {
        let current = std::fs::read_to_string(path).unwrap_or_default();
        if current == *text {
            writeln!(out, "{:>12} {}", "Fresh", shown(path))?;
            continue;
        }
        fresh = false;
        if mode == Mode::Check {
            writeln!(out, "{:>12} {}", "Stale", shown(path))?;
            let diff = TextDiff::from_lines(&current, text);
            write!(out, "{}", diff.unified_diff().header("current", "generated"))?;
        } else {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("cannot create {}", folder.display()))?;
            }
            std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
            writeln!(out, "{:>12} {}", "Wrote", shown(path))?;
        }
    }
    if mode == Mode::Check && !fresh {
        writeln!(out, "the generated clients do not match the documents; to fix this, run: {FIX}")?;
    }
    Ok(fresh || mode == Mode::Write)
}

/// The files in the folder that are not generated, sorted.
fn unexpected_files(folder: &Path, files: &BTreeMap<PathBuf, String>) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    // A folder that does not exist yet has no files.
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry?.path();
        if !files.contains_key(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The client of one vendor.
fn client(document: &Document, target: Target) -> anyhow::Result<String> {
    let contract = &document.contract;
    let (readable, forms) = readable(document);
    let named = lowering::with_named_bodies(&readable);
    let mut lowered = secrets::with_secret_types(&lowering::without_responses(&named), contract)?;
    let mut operations = Vec::new();
    for operation in contract.operations() {
        let values = values::of(operation, &readable)?;
        lowered = values::with_plain_types(&lowered, operation, &values)?;
        operations.push((operation, values));
    }
    let spec: openapiv3::OpenAPI = serde_json::from_value(lowered).context("not an OpenAPI 3.0 document")?;
    let generated =
        syn::parse2(generator().generate_tokens(&spec)?).context("progenitor generated invalid Rust")?;

    let vendor = vendor(document);
    let operations = operations
        .iter()
        .map(|(operation, values)| {
            let items = verify::items(contract, operation, &named, &generated)?;
            let builders = facade::builders(document, operation, values, target)?;
            let request = request::request(contract, operation, values, &generated, target)?;
            Ok(quote!(#builders #items #request))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let client: syn::File = syn::parse2(quote! {
        use crate::error::Variant;
        use crate::response::{
            Cell, Consumption, Literal, Member, Operation, Outcome, Remedy, ResponseTable, Rule, StateValue,
            StatusPattern,
        };
        use crate::vendor::{Vendor, VerifyResponses};

        use api::types;

        #vendor

        #(#operations)*
    })?;
    // A module of its own, because progenitor chooses its names.
    let request_builders = request_builders::request_builders(generated, &forms)?;
    let api: syn::File = syn::parse2(quote!(mod api { #request_builders }))?;
    let code = format!(
        "{}\n// Generated by progenitor, without the code that sends requests.\n{}",
        with_blank_lines(client),
        prettyplease::unparse(&api)
    );
    Ok(format!(
        "{}\n// Generated by `cargo xtask codegen` from {}. Do not edit.\n\n{}",
        module_doc(document),
        document.file,
        target.adapt(code)
    ))
}

/// The document in the form in which the generator reads requests, and the ids of the operations with a form.
fn readable(document: &Document) -> (Value, BTreeSet<String>) {
    lowering::without_forms(&parameters::with_own_parameters(&document.value, &document.contract))
}

/// What the module is for: the vendor's call, and the description in its document.
fn module_doc(document: &Document) -> String {
    let (contract, verify) = (&document.contract, document.contract.verify());
    let mut doc = format!("//! {}: `{} {}`.\n", contract.name, verify.method, verify.path);
    if let Some(description) = document.value["info"]["description"].as_str() {
        doc += &format!("//!\n//! {}\n", text::one_line(description));
    }
    doc
}

/// What all operations of a vendor have in common: the type that stands for the vendor, and the aliases of its client.
fn vendor(document: &Document) -> TokenStream {
    let contract = &document.contract;
    let marker = format_ident!("{}", contract.vendor.to_upper_camel_case());
    let (id, name, base_url) = (&contract.vendor, &contract.name, &contract.base_url);
    let version = document.value["info"]["version"].as_str().unwrap_or_default();
    let suffix = format!(" ({id} api/{version})");
    let marker_doc = format!(" {name}, as the type parameter of a client. It has no values.");
    let client_doc = format!(" A client of {name}.");
    let builder_doc = format!(" Builds a client of {name}.");
    quote! {
        /// The base URL in the vendor's document.
        pub const DEFAULT_BASE_URL: &str = #base_url;

        #[doc = #marker_doc]
        #[derive(Debug)]
        pub enum #marker {}

        impl Vendor for #marker {
            const ID: &'static str = #id;
            const DEFAULT_BASE_URL: &'static str = DEFAULT_BASE_URL;
            const USER_AGENT: &'static str =
                concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"), #suffix);
        }

        impl crate::vendor::sealed::Sealed for #marker {}

        #[doc = #client_doc]
        pub type Client = crate::Client<#marker>;

        #[doc = #builder_doc]
        pub type ClientBuilder = crate::ClientBuilder<#marker>;
    }
}

/// Formats the file with blank lines between items, which the formatter does not add.
fn with_blank_lines(mut file: syn::File) -> String {
    let mut text = String::new();
    let mut follows_import = true;
    for item in std::mem::take(&mut file.items) {
        let is_import = matches!(item, syn::Item::Use(_));
        if !(is_import && follows_import) {
            text.push('\n');
        }
        follows_import = is_import;
        file.items = vec![item];
        text.push_str(&prettyplease::unparse(&file));
    }
    text
}

fn generator() -> Generator {
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Positional)
        .with_tag(TagStyle::Merged)
        .with_replacement(secrets::SCHEMA, "crate::http::Secret", [TypeImpl::Display].into_iter())
        .with_derive("PartialEq");
    Generator::new(&settings)
}

/// `mod.rs`: one module for each vendor behind the feature with its name, and the list of their verify calls.
fn index(documents: &[Document]) -> anyhow::Result<String> {
    let vendors: Vec<_> = documents.iter().map(|document| document.contract.vendor.as_str()).collect();
    let modules: Vec<_> = vendors.iter().map(|vendor| format_ident!("{vendor}")).collect();
    let file = syn::parse2(quote! {
        #(
            #[cfg(feature = #vendors)]
            pub mod #modules;
        )*

        /// The verify calls of all vendors whose features are enabled.
        pub(crate) static VERIFY_OPERATIONS: &[&crate::response::Operation] = &[
            #(
                #[cfg(feature = #vendors)]
                &#modules::VERIFY,
            )*
        ];
    })?;
    Ok(format!(
        "//! One module for each vendor.\n\n// Generated by `cargo xtask codegen` from the documents in openapi/. Do not edit.\n{}",
        with_blank_lines(file)
    ))
}

/// A macro for the client's tests that has a builder for each vendor, with the arguments that the tests look for.
fn every_client(documents: &[Document]) -> anyhow::Result<String> {
    let mut arms = String::new();
    for document in documents {
        let operation = document.contract.verify();
        let values = values::of(operation, &readable(document).0)?;
        let arguments = facade::canary_arguments(operation, &values)?.join(", ");
        let vendor = &document.contract.vendor;
        arms += &format!(
            "            {vendor:?} => $call!(otp_verify::{vendor}::Client::builder({arguments})),\n"
        );
    }
    Ok(format!(
        r#"//! The client of each vendor.

// Generated by `cargo xtask codegen` from the documents in openapi/. Do not edit.

/// Expands the macro `$call` with a builder of the vendor's client.
macro_rules! with_builder {{
    ($vendor:expr, $call:ident) => {{
        match $vendor {{
{arms}            other => panic!("no client of {{other}}"),
        }}
    }};
}}

pub(crate) use with_builder;
"#
    ))
}

#[cfg(test)]
mod tests;
