//! `init control`: the control operations of a server, to be completed, with the names that its contract uses.
//!
//! Everything that a contract says is data: its words stand only in comments, on one line, and in no other place.

use std::path::PathBuf;

use otp_contract::{Alphabet, Contract, Scheme};

use super::super::subject::contracts;
use crate::error::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The framework of the server
    #[arg(long, value_enum)]
    framework: Framework,
    /// The vendor whose API the server has
    vendor: Option<String>,
    /// The annotated document of another API
    #[arg(long, value_name = "FILE.yaml")]
    contract: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Framework {
    /// Python, `FastAPI`
    Fastapi,
    /// Node.js, Express
    Express,
    /// Go, net/http
    Nethttp,
    /// Rust, axum
    Axum,
}

impl Framework {
    fn template(self) -> &'static str {
        match self {
            Framework::Fastapi => include_str!("templates/fastapi.py"),
            Framework::Express => include_str!("templates/express.mjs"),
            Framework::Nethttp => include_str!("templates/nethttp.go"),
            Framework::Axum => include_str!("templates/axum.rs"),
        }
    }

    /// The name of the file that the example in the stub imports.
    fn file(self) -> &'static str {
        match self {
            Framework::Fastapi => "control.py",
            Framework::Express => "control.mjs",
            Framework::Nethttp => "control.go",
            Framework::Axum => "control.rs",
        }
    }
}

/// The stub, and what the user has to do with it.
pub(super) fn run(arguments: &Arguments) -> Result<(String, Vec<String>), Failure> {
    let contract = contract(arguments)?;
    let remarks = vec![
        format!("save it as {}, and complete its three functions", arguments.framework.file()),
        "an operation that is not implemented responds 501, and the checks that need it are skipped"
            .to_owned(),
    ];
    Ok((stub(arguments.framework, &contract), remarks))
}

fn contract(arguments: &Arguments) -> Result<Contract, Failure> {
    let vendors: Vec<String> = arguments.vendor.iter().cloned().collect();
    let files: Vec<PathBuf> = arguments.contract.iter().cloned().collect();
    let mut found = contracts(&vendors, &files)?;
    if found.len() == 1 {
        return Ok(found.remove(0));
    }
    let ids: Vec<_> = found.iter().map(|contract| contract.vendor.as_str()).collect();
    let problem = format!("name one of {}, or pass --contract FILE.yaml", ids.join(", "));
    Err(Failure::Option { option: "VENDOR", problem })
}

fn stub(framework: Framework, contract: &Contract) -> String {
    let operation = contract.verify();
    let code = &operation.code;
    let (alphabet, characters, kind) = match code.alphabet {
        Alphabet::Digits => ("0-9", "0123456789", "digits"),
        Alphabet::Alphanumeric => (
            "0-9A-Za-z",
            "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            "letters and digits",
        ),
    };
    let parameters: Vec<_> =
        operation.accounts.iter().map(|account| format!("{}: \"…\"", quoted(&account.name))).collect();
    let credentials: Vec<_> = operation
        .security
        .iter()
        .map(|scheme| {
            let parts: Vec<_> =
                credential_parts(&scheme.scheme).iter().map(|part| format!("\"{part}\": \"…\"")).collect();
            format!("{}: {{{}}}", quoted(&scheme.name), parts.join(", "))
        })
        .collect();
    let attempts = match &contract.policy.attempts {
        Some(limit) => format!("{} wrong codes", limit.limit),
        None => "no limit of wrong codes".to_owned(),
    };
    let values = [
        ("NAME", one_line(&contract.name)),
        ("VENDOR", contract.vendor.clone()),
        ("PARAMETERS", parameters.join(", ")),
        ("CREDENTIALS", credentials.join(", ")),
        ("LIMITS", format!("{} seconds, {attempts}", contract.policy.lifetime.seconds)),
        ("ALPHABET", alphabet.to_owned()),
        ("CHARACTERS", characters.to_owned()),
        ("MIN", code.min_length.to_string()),
        ("MAX", code.max_length.to_string()),
        ("CODES", format!("{} {kind}", span(code.min_length, code.max_length))),
    ];
    fill_in(framework.template(), &values)
}

fn span(least: usize, most: usize) -> String {
    if least == most { least.to_string() } else { format!("{least} to {most}") }
}

/// The template with a value for each `__NAME__`. What is inserted is not searched for more of them.
fn fill_in(template: &str, values: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (index, part) in template.split("__").enumerate() {
        match values.iter().find(|(name, _)| *name == part) {
            _ if index % 2 == 0 => text.push_str(part),
            Some((_, value)) => text.push_str(value),
            None => text.push_str(&format!("__{part}__")),
        }
    }
    text
}

/// The members with which a control returns the credentials of a scheme.
pub(in crate::cli) fn credential_parts(scheme: &Scheme) -> &'static [&'static str] {
    match scheme {
        Scheme::Bearer => &["token"],
        Scheme::Basic => &["username", "password"],
        Scheme::ApiKey { .. } => &["value"],
    }
}

/// A string literal of all four languages, on one line.
fn quoted(text: &str) -> String {
    one_line(&serde_json::Value::from(text).to_string())
}

/// The text without anything that ends a line in some language.
fn one_line(text: &str) -> String {
    let ends_line = |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    text.chars().map(|character| if ends_line(character) { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAMEWORKS: [Framework; 4] =
        [Framework::Fastapi, Framework::Express, Framework::Nethttp, Framework::Axum];

    #[test]
    fn a_contract_cannot_leave_the_comments_of_a_stub() {
        let mut contract = Contract::of_vendor("exotel").unwrap();
        contract.name = "Evil\nimport os\u{2028}os.exit()\r__CREDENTIALS__ \"\"\" */".to_owned();
        let expected = Contract::of_vendor("exotel").unwrap();
        for framework in FRAMEWORKS {
            let code = |contract: &Contract| -> Vec<String> {
                let stub = stub(framework, contract);
                let is_comment = |line: &&str| line.trim_start().starts_with(['#', '/']);
                stub.lines().filter(|line| !is_comment(line)).map(str::to_owned).collect()
            };
            assert_eq!(code(&contract), code(&expected), "{framework:?}");
        }
    }

    #[test]
    fn every_placeholder_has_a_value_and_values_are_not_searched() {
        let values = [("A", "__B__".to_owned()), ("B", "x".to_owned())];
        assert_eq!(fill_in("1 __A__ 2 __B__ __C__", &values), "1 __B__ 2 x __C__");
        for framework in FRAMEWORKS {
            let stub = stub(framework, &Contract::of_vendor("d7").unwrap());
            assert!(!stub.contains("__"), "{framework:?}:\n{stub}");
        }
    }
}
