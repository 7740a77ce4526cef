//! `cargo xtask lint`: checks every document in `openapi/`, the control protocol among them. Prints all problems, one on
//! each line.
//!
//! Uses the lint of the contract crate, which is also the program's. It must not have a rule of its own, and never changes a
//! document.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use otp_contract::{lint, parse_yaml};

use crate::document;

/// Checks `files`, or all documents of the repository if `files` is empty; false if there is a problem.
pub(crate) fn run(root: &Path, files: &[PathBuf], out: &mut dyn Write) -> anyhow::Result<bool> {
    let mut is_clean = true;
    for (file, text) in texts(root, files)? {
        // A document without the annotation at the top is no contract, and only OpenAPI applies to it.
        let is_contract = parse_yaml(&file, &text).map_or(true, |value| value.get("x-otp-vendor").is_some());
        let problems = if is_contract { lint::contract(&text) } else { lint::openapi(&text) };
        if problems.is_empty() {
            // Without this remark a document that has lost its annotations would look like a checked contract.
            let rest = if is_contract { "" } else { " (not a contract: no x-otp-vendor)" };
            writeln!(out, "{:>12} {file}{rest}", "Clean")?;
        }
        for problem in problems {
            is_clean = false;
            writeln!(out, "{}", problem.in_file(&file))?;
        }
    }
    Ok(is_clean)
}

fn texts(root: &Path, files: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    if files.is_empty() {
        return document::texts(root);
    }
    files
        .iter()
        .map(|path| {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            Ok((path.display().to_string(), text))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use otp_contract::DOCUMENTS;

    use super::*;
    use crate::repository;

    fn reported(files: &[PathBuf]) -> (bool, String) {
        let mut out = Vec::new();
        let is_clean = run(&repository::root(), files, &mut out).unwrap();
        (is_clean, String::from_utf8(out).unwrap())
    }

    #[test]
    fn the_documents_of_this_repository_are_clean() {
        let (is_clean, out) = reported(&[]);
        assert!(is_clean, "{out}");
        assert!(out.matches("Clean").count() > DOCUMENTS.len(), "{out}");
    }

    #[test]
    fn the_contracts_of_the_tests_are_clean() {
        let folder = repository::root().join("conformance/tests/contracts");
        let files = ["acme.yaml", "globex.yaml", "relay.yaml", "twilio.yaml", "vonage.yaml"]
            .map(|name| folder.join(name));
        let (is_clean, out) = reported(&files);
        assert!(is_clean, "{out}");
    }

    #[test]
    fn files_on_the_command_line_are_checked_instead() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.yaml");
        let zeckta = DOCUMENTS[0].text;
        std::fs::write(&path, zeckta.replacen("outcome: expired", "outcome: stale", 1)).unwrap();
        let (is_clean, out) = reported(std::slice::from_ref(&path));
        assert!(!is_clean && out.starts_with(&format!("{}:", path.display())), "{out}");
        assert!(out.contains("expired/x-otp/outcome: expected one of"), "{out}");
        let missing = folder.path().join("none.yaml");
        assert!(run(&repository::root(), &[missing], &mut Vec::new()).is_err());
    }

    #[test]
    fn a_document_without_annotations_is_marked_as_not_a_contract() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plain.yaml");
        std::fs::write(&path, "openapi: 3.0.3\ninfo: { title: t, version: \"1\" }\npaths: {}\n").unwrap();
        let (is_clean, out) = reported(&[path]);
        assert!(is_clean && out.ends_with("plain.yaml (not a contract: no x-otp-vendor)\n"), "{out}");
    }
}
