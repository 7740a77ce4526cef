//! `cargo xtask codegen`: vendor documents → `sdk/src/generated`.
//!
//! What is generated lies in the tree, so that a change of a document shows what it does to the clients, and building
//! the client needs no generator. Writing and checking go the same way up to the last step: [`settle`] is the only
//! place that knows the difference.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::Context as _;
use progenitor::{GenerationSettings, Generator, InterfaceStyle, TagStyle, TypeImpl};
use quote::{format_ident, quote};
use similar::TextDiff;

use crate::document::Document;
use crate::{document, repository};

mod body;
mod cells;
mod failure;
mod lowering;
mod secrets;
mod writer;

/// The command that mends whatever [`Mode::Check`] finds.
pub(crate) const MEND: &str = "cargo xtask codegen";

/// Whether files are written or compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Bring the files up to date.
    Write,
    /// Leave the files alone, and say how they differ.
    Check,
}

/// Runs the command; false where files differ that were only to be checked.
pub(crate) fn run(root: &Path, mode: Mode, out: &mut dyn Write) -> anyhow::Result<bool> {
    settle(root, &files(root)?, mode, out)
}

/// Every generated file: its name and its text.
fn files(root: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let documents = document::of_repository(root)?;
    let mut files = BTreeMap::new();
    for document in &documents {
        let text = client(document).with_context(|| format!("cannot generate from {}", document.file))?;
        files.insert(format!("{}.rs", document.contract.vendor), text);
    }
    files.insert("mod.rs".to_owned(), index(&documents)?);
    Ok(files)
}

/// Writes or compares `files`, which are to be all that lies in the folder of the generated clients.
fn settle(
    root: &Path,
    files: &BTreeMap<String, String>,
    mode: Mode,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let folder = &repository::generated(root);
    let shown = |path: &Path| path.strip_prefix(root).unwrap_or(path).display().to_string();
    let mut fresh = true;
    for name in strays(folder, files)? {
        fresh = false;
        let path = folder.join(&name);
        if mode == Mode::Check {
            writeln!(out, "{:>12} {} comes from no document", "Stray", shown(&path))?;
        } else {
            std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            writeln!(out, "{:>12} {}, which comes from no document", "Removed", shown(&path))?;
        }
    }
    for (name, text) in files {
        let path = folder.join(name);
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        if there == *text {
            writeln!(out, "{:>12} {}", "Fresh", shown(&path))?;
            continue;
        }
        fresh = false;
        if mode == Mode::Check {
            writeln!(out, "{:>12} {}", "Stale", shown(&path))?;
            let diff = TextDiff::from_lines(&there, text);
            write!(out, "{}", diff.unified_diff().header("as it is", "as generated"))?;
        } else {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            writeln!(out, "{:>12} {}", "Wrote", shown(&path))?;
        }
    }
    if mode == Mode::Check && !fresh {
        writeln!(out, "the generated clients are not those of the documents; to mend this: {MEND}")?;
    }
    Ok(fresh || mode == Mode::Write)
}

fn strays(folder: &Path, files: &BTreeMap<String, String>) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    // A folder that is not there yet has no strays.
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !files.contains_key(&name) {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

/// The client of one vendor.
fn client(document: &Document) -> anyhow::Result<String> {
    let named = lowering::named(&document.value);
    let lowered = secrets::hidden(&lowering::answerless(&named), &document.contract)?;
    let spec: openapiv3::OpenAPI = serde_json::from_value(lowered).context("not an OpenAPI 3.0 document")?;
    let generated =
        syn::parse2(generator().generate_tokens(&spec)?).context("progenitor generated no Rust")?;

    let contract = &document.contract;
    let base_url = &contract.base_url;
    let vendor = &contract.vendor;
    let method = &contract.verify().method;
    let path = contract.verify().path.to_string();
    let version = document.value["info"]["version"].as_str().unwrap_or_default();
    let suffix = format!(" ({vendor} api/{version})");
    let cells = cells::table(contract)?;
    let error = failure::error(contract)?;
    let bodies = body::bodies(contract, &named, &generated)?;
    let ours = quote! {
        use crate::cell::{Cell, Literal, Member, Remedy, Rule, State, Status};
        use crate::error::Variant;
        use crate::outcome::{Consumption, Outcome};
        use crate::verdict::Table;

        pub(crate) use api::types;

        /// The address that the vendor's document gives for this API.
        pub const DEFAULT_BASE_URL: &str = #base_url;

        #cells

        #error

        #bodies

        impl crate::vendor::Wire for Body {
            const ID: &'static str = #vendor;
            const DEFAULT_BASE_URL: &'static str = DEFAULT_BASE_URL;
            const USER_AGENT: &'static str =
                concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"), #suffix);
            const METHOD: &'static str = #method;
            const PATH: &'static str = #path;

            fn table() -> &'static Table {
                &TABLE
            }

            fn decode(status: u16, body: &[u8]) -> Option<Body> {
                decode(status, body)
            }
        }
    };
    let ours: syn::File = syn::parse2(ours)?;
    // In a module of its own, for its names are progenitor's choice.
    let writers = writer::writers(generated)?;
    let theirs: syn::File = syn::parse2(quote!(pub(crate) mod api { #writers }))?;
    Ok(format!(
        "//! Generated by `cargo xtask codegen` from {}. Do not edit.\n\n{}\n// As progenitor wrote it, up to where it would send.\n{}",
        document.file,
        spaced(ours),
        prettyplease::unparse(&theirs)
    ))
}

/// The file as text, with an empty line between items: the formatter sets none.
fn spaced(mut file: syn::File) -> String {
    let mut text = String::new();
    let mut after_import = true;
    for item in std::mem::take(&mut file.items) {
        let import = matches!(item, syn::Item::Use(_));
        if !(import && after_import) {
            text.push('\n');
        }
        after_import = import;
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
        .with_replacement(secrets::SCHEMA, "crate::secret::Secret", [TypeImpl::Display].into_iter())
        .with_derive("PartialEq");
    Generator::new(&settings)
}

/// `mod.rs`: one module a vendor, each behind the feature of its name.
fn index(documents: &[Document]) -> anyhow::Result<String> {
    let modules = documents.iter().map(|document| {
        let vendor = &document.contract.vendor;
        let module = format_ident!("{vendor}");
        quote! {
            #[cfg(feature = #vendor)]
            pub(crate) mod #module;
        }
    });
    let file: syn::File = syn::parse2(quote!(#(#modules)*))?;
    Ok(format!(
        "//! Generated by `cargo xtask codegen` from the documents in openapi/. Do not edit.\n\n{}",
        prettyplease::unparse(&file)
    ))
}

#[cfg(test)]
mod tests;
