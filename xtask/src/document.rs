//! Reads the vendor documents in `openapi/`. It must not generate or check anything.

use std::path::Path;

use anyhow::{Context as _, bail};
use otp_contract::{Contract, DOCUMENTS, parse_yaml};
use serde_json::Value;

use crate::repository;

/// A vendor document, raw and typed.
pub(crate) struct Document {
    /// The path relative to the repository.
    pub(crate) file: String,
    /// The whole document.
    pub(crate) value: Value,
    /// The document as a contract.
    pub(crate) contract: Contract,
}

/// All vendor documents of the repository, in the order in which reports list the vendors.
///
/// They come from the disk and not from [`DOCUMENTS`], so that a client can be generated from a document before it is
/// compiled in.
pub(crate) fn of_repository(root: &Path) -> anyhow::Result<Vec<Document>> {
    let mut found = Vec::new();
    for (file, text) in texts(root)? {
        let value = parse_yaml(&file, &text)?;
        if value.get("x-otp-vendor").is_none() {
            continue;
        }
        let contract = Contract::from_yaml(&file, &text)?;
        if Path::new(&file).file_stem().and_then(|stem| stem.to_str()) != Some(&contract.vendor) {
            bail!(
                "{file}: expected the file name to be the vendor id `{}` in x-otp-vendor > id; rename the file or the vendor",
                contract.vendor
            );
        }
        found.push(Document { file, value, contract });
    }
    let rank = |document: &Document| {
        DOCUMENTS.iter().position(|known| known.vendor == document.contract.vendor).unwrap_or(DOCUMENTS.len())
    };
    found.sort_by_key(rank);
    Ok(found)
}

/// The path and the text of every YAML file in `openapi/`, sorted by name.
pub(crate) fn texts(root: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let folder = repository::documents(root);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let name = entry?.file_name();
        if let Some(name) = name.to_str()
            && Path::new(name).extension().is_some_and(|extension| extension == "yaml")
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let path = folder.join(&name);
            let text =
                std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            Ok((format!("openapi/{name}"), text))
        })
        .collect()
}
