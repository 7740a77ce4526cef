//! The paths of this repository that several commands use.
//!
//! It never reads or writes a file.

use std::path::{Path, PathBuf};

/// The top folder of the repository.
pub(crate) fn root() -> PathBuf {
    // Cargo also sets the variable at run time. That value is right even if the folder has moved since this program was
    // compiled.
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

/// The folder of the package `otp-verify`.
pub(crate) fn client(root: &Path) -> PathBuf {
    root.join("sdk")
}

/// The folder of the generated clients.
pub(crate) fn generated(root: &Path) -> PathBuf {
    client(root).join("src").join("generated")
}

/// The manifest of the package `otp-verify`.
pub(crate) fn client_manifest(root: &Path) -> PathBuf {
    client(root).join("Cargo.toml")
}

/// The list of all clients for the tests of `otp-verify`.
pub(crate) fn every_client(root: &Path) -> PathBuf {
    client(root).join("tests").join("it").join("every_client.rs")
}
