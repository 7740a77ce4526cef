//! The tools, in the versions that are known to work, installed into a folder of the build.
//!
//! Installs nothing that is there already. It never runs a tool.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::process::{command, run_successfully};
use crate::prerequisites::{self, Program};

/// A package of a registry, and its version.
type Pin = (&'static str, &'static str);

// The last is what the clients of openapi-generator import.
const PYTHON: [Pin; 5] = [
    ("openapi-generator-cli", "7.26.0"),
    ("openapi-python-client", "0.29.1"),
    ("openapi-spec-validator", "0.9.0"),
    ("schemathesis", "4.32.5"),
    ("python-dateutil", "2.9.0.post0"),
];

const NODE: [Pin; 5] = [
    ("@redocly/cli", "2.77.0"),
    ("@stoplight/prism-cli", "5.16.0"),
    ("@stoplight/spectral-cli", "6.16.3"),
    ("openapi-typescript", "7.13.0"),
    ("typescript", "5.9.3"),
];

/// What runs the tools.
const PROGRAMS: [Program; 4] = [
    Program { command: "java", debian_package: "default-jre-headless", brew_formula: "openjdk" },
    Program { command: "node", debian_package: "nodejs", brew_formula: "node" },
    Program { command: "npm", debian_package: "npm", brew_formula: "node" },
    Program { command: "python3", debian_package: "python3-venv", brew_formula: "python" },
];

/// Where the programs of the tools are.
pub(super) struct Tools {
    /// The folder with the programs of the packages for Python.
    pub(super) python: PathBuf,
    /// The folder with the programs of the packages for Node.js.
    pub(super) node: PathBuf,
}

/// Installs what is missing, or fails with instructions.
pub(super) fn install(root: &Path, out: &mut dyn Write) -> anyhow::Result<Tools> {
    prerequisites::install_programs(root, "the external tools", &PROGRAMS, out)?;
    let folder = root.join("target").join("external");
    let (python, node) = (folder.join("python"), folder.join("node"));
    install_kind(&python, "==", &PYTHON, out, |pins| {
        run_successfully(command("python3", &folder, &folder).args(["-m", "venv"]).arg(&python))?;
        let pip = python.join("bin").join("pip");
        let arguments = ["install", "--quiet", "--disable-pip-version-check"];
        run_successfully(command(pip, &folder, &folder).args(arguments).args(pins)).map(drop)
    })?;
    install_kind(&node, "@", &NODE, out, |pins| {
        // A lock file would name the registry of this machine, and scripts of packages are not needed.
        let arguments = ["install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"];
        let prefix = [Path::new("--prefix"), &node];
        run_successfully(command("npm", &folder, &node).args(arguments).args(prefix).args(pins)).map(drop)
    })?;
    Ok(Tools { python: python.join("bin"), node: node.join("node_modules").join(".bin") })
}

/// Installs the packages into `folder`, unless exactly these are there.
fn install_kind(
    folder: &Path,
    separator: &str,
    packages: &[Pin],
    out: &mut dyn Write,
    install: impl FnOnce(&[String]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let pins: Vec<String> =
        packages.iter().map(|(name, version)| format!("{name}{separator}{version}")).collect();
    prerequisites::install_once(folder, &pins.join("\n"), &pins.join(" "), out, || install(&pins))
}
