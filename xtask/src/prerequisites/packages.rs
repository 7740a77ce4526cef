//! Packages of other languages, which are installed into a folder of the build.
//!
//! Installs nothing that is there already, and nothing into the work tree. It knows no package.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// Where the tests of the example servers look for what these need.
const FOLDER: &str = "target/conformance-examples";

/// Installs what the example servers import: see `conformance/tests/examples/`.
pub(super) fn install_for_examples(root: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let folder = root.join(FOLDER);
    let examples = root.join("conformance").join("examples");
    let read = |path: PathBuf| {
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let fastapi = examples.join("fastapi");
    let requirements = fastapi.join("requirements-test.txt");
    let list = read(fastapi.join("requirements.txt"))? + &read(requirements.clone())?;
    let python = folder.join("python");
    install_once(&python, &list, "the packages of the FastAPI example", out, || {
        run(Command::new("python3").args(["-m", "venv"]).arg(&python))?;
        let arguments = ["install", "--quiet", "--disable-pip-version-check", "--requirement"];
        run(Command::new(python.join("bin").join("pip")).args(arguments).arg(&requirements))
    })?;
    let package = read(examples.join("express").join("package.json"))?;
    let node = folder.join("node");
    install_once(&node, &package, "the packages of the Express example", out, || {
        std::fs::write(node.join("package.json"), &package)?;
        // A lock file would name the registry of this machine, and scripts of packages are not needed.
        let arguments =
            ["install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"];
        run(Command::new("npm").args(arguments).current_dir(&node))
    })
}

/// Installs packages into `folder`, unless exactly those of this list are there. `what` they are is announced.
pub(crate) fn install_once(
    folder: &Path,
    list: &str,
    what: &str,
    out: &mut dyn Write,
    install: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    // Written last, so that an installation that was interrupted is not taken for a complete one.
    let stamp = folder.join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == list) {
        return Ok(());
    }
    writeln!(out, "{:>12} {what} into {}", "Installing", folder.display())?;
    out.flush()?;
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    install().with_context(|| format!("cannot install {what}"))?;
    std::fs::write(&stamp, list).with_context(|| format!("cannot write {}", stamp.display()))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {name}"))?;
    if !output.status.success() {
        let printed = [output.stdout, output.stderr].concat();
        bail!("{name} failed:\n{}", String::from_utf8_lossy(&printed).trim_end());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_installed_once_and_again_after_a_failure_or_another_version() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("node");
        let mut count = 0;
        let mut install = |list: &str, works: bool| {
            install_once(&folder, list, "a tool", &mut Vec::new(), || {
                count += 1;
                anyhow::ensure!(works, "no network");
                std::fs::write(folder.join("tool"), list).map_err(Into::into)
            })
            .is_ok()
        };
        assert!(!install("tool@1", false));
        assert!(install("tool@1", true) && install("tool@1", true));
        assert!(install("tool@2", true));
        assert_eq!(count, 3);
        assert_eq!(std::fs::read_to_string(folder.join("tool")).unwrap(), "tool@2");
    }

    #[test]
    fn a_program_that_fails_or_is_missing_is_named_with_what_it_printed() {
        let failed = run(Command::new("sh").args(["-c", "echo no network >&2; exit 1"])).unwrap_err();
        assert_eq!(failed.to_string(), "sh failed:\nno network");
        let missing = run(&mut Command::new("no-such-program")).unwrap_err();
        assert_eq!(missing.to_string(), "cannot run no-such-program");
    }
}
