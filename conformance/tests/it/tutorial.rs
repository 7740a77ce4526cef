//! The tutorial of contracts (`openapi/README.md`) shows what the program prints, and its reference lists every member.

use std::collections::BTreeSet;
use std::path::Path;

use otp_contract::{Role, Situation, lint};
use serde_json::Value;

use crate::served::program;

const TUTORIAL: &str = include_str!("../../../openapi/README.md");

/// The blocks of this language, without their fences.
fn blocks(language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = TUTORIAL.lines();
    while let Some(line) = lines.next() {
        if line == format!("```{language}") {
            let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            found.push(block.join("\n") + "\n");
        }
    }
    found
}

/// Runs the program in `folder`.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = program(arguments).current_dir(folder).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_tutorial_leads_from_a_plain_document_to_a_green_check() {
    let [plain, finished]: [String; 2] = blocks("yaml").try_into().unwrap();
    let [annotating, checking]: [String; 2] = blocks("console").try_into().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();

    write("login.yaml", &plain);
    let verify = "POST /challenges/{challenge_id}/verify";
    let (status, skeleton) = run(folder.path(), &["init", "contract", "login.yaml", "--verify", verify]);
    assert_eq!(status, Some(0));
    write("acme.yaml", &skeleton);
    let (status, left) = run(folder.path(), &["lint", "acme.yaml"]);
    assert_eq!(status, Some(2));
    let shown = annotating.split_once("$ otp-conformance lint acme.yaml\n").unwrap().1;
    assert_eq!(shown, left);

    write("acme.yaml", &finished);
    let (shown_lint, shown_check) =
        checking.split_once("$ otp-conformance check --contract acme.yaml --seed 1\n").unwrap();
    let (status, linted) = run(folder.path(), &["lint", "acme.yaml"]);
    assert_eq!(status, Some(0));
    assert_eq!(shown_lint, format!("$ otp-conformance lint acme.yaml\n{linted}"));
    let (status, checked) =
        run(folder.path(), &["check", "--contract", "acme.yaml", "--seed", "1", "--strict"]);
    assert_eq!(status, Some(0), "{checked}");
    assert!(
        checked.starts_with(shown_check),
        "the tutorial shows\n{shown_check}\nbut check prints\n{checked}"
    );
}

/// Every name of a member in the schema, with the words that a value may be.
fn names(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("properties", Value::Object(properties)) => {
                        found.extend(properties.keys().cloned());
                        properties.values().for_each(|property| names(property, found));
                    }
                    ("enum", Value::Array(words)) => {
                        found.extend(words.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    _ => names(member, found),
                }
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| names(element, found)),
        _ => {}
    }
}

#[test]
fn the_reference_lists_every_member_and_every_word() {
    let schema: Value = serde_json::from_str(lint::SCHEMA).unwrap();
    let mut found = BTreeSet::new();
    names(&schema["$defs"], &mut found);
    // Parts of OpenAPI, which the schema passes through.
    for openapi in ["x-otp", "content", "examples", "responses"] {
        found.remove(openapi);
    }
    let reference = &TUTORIAL[TUTORIAL.find("## Reference").unwrap()..];
    // `{echo: session}` and `{volatile: now}` name a member and one of its words.
    let is_listed = |name: &String| {
        reference.contains(&format!("`{name}`"))
            || reference.contains(&format!("`{{{name}: "))
            || reference.contains(&format!(": {name}}}`"))
    };
    let missing: Vec<_> = found.iter().filter(|name| !is_listed(name)).collect();
    assert!(missing.is_empty(), "the reference does not list {missing:?}");
    assert!(found.len() > 100, "{}", found.len());
}

#[test]
fn the_reference_lists_the_outcomes_of_each_role() {
    for role in Role::ALL {
        let start = format!("| {role} | ");
        let row = TUTORIAL.lines().find(|line| line.starts_with(&start)).unwrap();
        let listed: BTreeSet<_> = row.split('`').skip(1).step_by(2).collect();
        let expected: BTreeSet<_> = role.outcomes().iter().map(|outcome| outcome.as_str()).collect();
        assert_eq!(listed, expected, "{role}");
    }
    for situation in Situation::ALL {
        assert!(TUTORIAL.contains(&format!("`{situation}`")), "{situation}");
    }
}
