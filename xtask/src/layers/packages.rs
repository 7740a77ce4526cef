//! The packages of the workspace, and which of them may depend on which.
//!
//! Uses `cargo metadata`. It never looks at source code.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::cargo::cargo;

/// Which packages the package in each folder may depend on, dev-dependencies aside; every folder is named here.
const ALLOWED: [(&str, &[&str]); 6] = [
    ("conformance", &["conformance/sandbox", "openapi"]),
    ("conformance/sandbox", &["openapi"]),
    ("conformance/support", &["conformance/sandbox", "openapi"]),
    ("openapi", &[]),
    ("sdk", &[]),
    ("xtask", &["openapi"]),
];

/// A package of the workspace.
pub(super) struct Package {
    pub(super) name: String,
    /// Relative to the top of the repository, with `/` between the parts.
    pub(super) folder: String,
    /// The root files of the library and of each binary, the library first.
    pub(super) roots: Vec<PathBuf>,
    /// The name by which other crates use the library.
    pub(super) library: Option<String>,
    /// The folders of the packages that it depends on, dev-dependencies aside.
    pub(super) uses: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<PackageMetadata>,
}

#[derive(Deserialize)]
struct PackageMetadata {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<TargetMetadata>,
    dependencies: Vec<DependencyMetadata>,
}

#[derive(Deserialize)]
struct TargetMetadata {
    name: String,
    kind: Vec<String>,
    src_path: PathBuf,
}

#[derive(Deserialize)]
struct DependencyMetadata {
    kind: Option<String>,
    path: Option<PathBuf>,
}

/// The packages of the workspace at `root`, by folder.
pub(super) fn of_workspace(root: &Path) -> anyhow::Result<Vec<Package>> {
    let output = cargo(root)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .output()
        .context("cannot run cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("cannot read cargo metadata")?;
    let mut packages: Vec<Package> =
        metadata.packages.into_iter().map(|package| read(root, package)).collect();
    packages.sort_by(|one, other| one.folder.cmp(&other.folder));
    Ok(packages)
}

fn read(root: &Path, package: PackageMetadata) -> Package {
    let is_library =
        |target: &TargetMetadata| target.kind.iter().any(|kind| kind == "lib" || kind == "proc-macro");
    let is_program = |target: &TargetMetadata| target.kind.iter().any(|kind| kind == "bin");
    let libraries = package.targets.iter().filter(|target| is_library(target));
    let programs = package.targets.iter().filter(|target| is_program(target));
    let mut uses: Vec<String> = package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind.as_deref() != Some("dev"))
        .filter_map(|dependency| Some(relative(root, dependency.path.as_ref()?)))
        .collect();
    uses.sort();
    uses.dedup();
    Package {
        name: package.name,
        folder: relative(root, package.manifest_path.parent().unwrap_or(root)),
        library: package
            .targets
            .iter()
            .find(|target| is_library(target))
            .map(|target| target.name.replace('-', "_")),
        roots: libraries.chain(programs).map(|target| target.src_path.clone()).collect(),
        uses,
    }
}

fn relative(root: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(root).unwrap_or(path).components();
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Each dependency between packages that is not allowed, in words.
pub(super) fn violations(packages: &[Package]) -> Vec<String> {
    let allowed = BTreeMap::from(ALLOWED);
    let mut found = Vec::new();
    for package in packages {
        let Some(allowed) = allowed.get(package.folder.as_str()) else {
            found.push(format!(
                "{} is not in the table of allowed dependencies (xtask/src/layers/packages.rs)",
                package.folder
            ));
            continue;
        };
        for used in package.uses.iter().filter(|used| !allowed.contains(&used.as_str())) {
            let may = if allowed.is_empty() { "no other package".to_owned() } else { allowed.join(" and ") };
            found.push(format!("{} depends on {used}; it may depend on {may}", package.folder));
        }
    }
    found
}
