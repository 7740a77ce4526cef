//! Where things lie in this repository. Nothing else in this package spells a path.

use std::path::{Path, PathBuf};

/// The repository's top folder.
pub(crate) fn root() -> PathBuf {
    // Cargo sets the variable at run time too; it is right even after the folder has been moved, which the value of
    // compile time is not.
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    match package.parent() {
        Some(root) => root.to_path_buf(),
        None => package,
    }
}

/// The folder of the vendor documents.
pub(crate) fn documents(root: &Path) -> PathBuf {
    root.join("openapi")
}

/// The folder of the generated clients.
pub(crate) fn generated(root: &Path) -> PathBuf {
    root.join("sdk").join("src").join("generated")
}

/// The JSON Schema of the annotations.
pub(crate) fn annotation_schema(root: &Path) -> PathBuf {
    documents(root).join("x-otp.schema.json")
}
