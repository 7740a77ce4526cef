//! The file of `--fixtures`: accounts, and sessions of theirs that somebody has prepared.
//!
//! Messages name the file, the line and the column, and repeat neither codes nor credentials.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use otp_contract::Contract;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::Session;
use super::fixtures::{Fixtures, Prepared, SessionState};
use crate::harness::{Credentials, Tenant};
use crate::toml_error::{one_line, place};

/// An example of the file, with what each of its keys means.
pub(crate) const TEMPLATE: &str = r#"# Accounts and sessions for `otp-conformance check --fixtures`: how a server is checked that has no control, such as a
# staging system. The suite uses each session once. What it cannot try for want of one is reported, and the verdict is
# then `partial`. All documented responses need about ten fresh sessions of one account, an expired one, and a second account.

[[tenants]]
# The vendor, as `otp-conformance matrix` names it
vendor = "VENDOR"
# The path parameters that name the account, if there are any; `otp-conformance matrix VENDOR` shows the path
parameters = { ACCOUNT = "ID" }
# The credentials, by security scheme: { token }, { username, password } or { value }
credentials = { SCHEME = { token = "TOKEN" } }

[[tenants.sessions]]
# The id of the session, and the code that was sent to its recipient
session = "ID"
code = "012345"
# fresh: no code has been submitted. expired: its lifetime has passed. used: the code has been approved.
# locked: as many wrong codes have been submitted as the limit allows. Without it, fresh
state = "fresh"
# The lifetime and the number of wrong codes that are compared, where they differ from the contract's; "none" if there
# is no limit
#ttl_seconds = 600
#max_attempts = 5
# When a fresh session expires, so that it is not used afterwards
#expires_at = 2027-01-31T12:00:00Z

# A second account, whose sessions the first must not be able to verify; it needs none of its own
[[tenants]]
vendor = "VENDOR"
parameters = { ACCOUNT = "ID" }
credentials = { SCHEME = { token = "TOKEN" } }
"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tenants: Vec<FiledTenant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FiledTenant {
    vendor: String,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    credentials: BTreeMap<String, Credentials>,
    #[serde(default)]
    sessions: Vec<FiledSession>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FiledSession {
    session: Spanned<String>,
    code: Spanned<String>,
    #[serde(default)]
    state: SessionState,
    ttl_seconds: Option<Spanned<Limit>>,
    max_attempts: Option<Spanned<Limit>>,
    expires_at: Option<Spanned<Datetime>>,
}

/// A number, or the word `none`.
#[derive(Clone, Deserialize)]
#[serde(untagged, expecting = "expected a number, or \"none\"")]
enum Limit {
    Number(u32),
    Word(String),
}

impl Fixtures {
    /// Reads a file. What it does not say about a session follows from the contract of its vendor; vendors without a contract
    /// are left out.
    ///
    /// # Errors
    /// What is wrong with the file, and where.
    pub(crate) fn read(path: &Path, contracts: &[Contract]) -> Result<Fixtures, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let file: File = toml::from_str(&text).map_err(|error| harmless(&one_line(&text, &error)))?;
        let reader = Reader { text: &text, now: SystemTime::now() };
        reader.fixtures(file, contracts)
    }
}

struct Reader<'t> {
    text: &'t str,
    now: SystemTime,
}

impl Reader<'_> {
    fn fixtures(&self, file: File, contracts: &[Contract]) -> Result<Fixtures, String> {
        let mut fixtures = Fixtures::default();
        let mut known = BTreeMap::new();
        for (index, filed) in file.tenants.into_iter().enumerate() {
            let name = (index + 1).to_string();
            let contract = contracts.iter().find(|contract| contract.vendor == filed.vendor);
            let tenant = Tenant {
                tenant: name.clone(),
                parameters: filed.parameters,
                credentials: filed.credentials,
                number: 0,
            };
            fixtures.add_tenant(filed.vendor.clone(), tenant);
            let Some(contract) = contract else { continue };
            for filed in filed.sessions {
                let id = filed.session.get_ref().clone();
                if let Some(first) = known.insert((contract.vendor.clone(), id), filed.session.span().start) {
                    let first = place(self.text, first);
                    return Err(
                        self.wrong(&filed.session, &format!("the session is listed already in {first}"))
                    );
                }
                fixtures.add_session(self.session(filed, contract, &name)?);
            }
        }
        Ok(fixtures)
    }

    fn session(&self, filed: FiledSession, contract: &Contract, tenant: &str) -> Result<Prepared, String> {
        let shape = &contract.verify().code;
        if !shape.admits(filed.code.get_ref()) {
            let problem = format!(
                "`code` is none of {}, whose codes have {} to {} characters of the alphabet {:?}",
                contract.name, shape.min_length, shape.max_length, shape.alphabet
            );
            return Err(self.wrong(&filed.code, &problem.to_lowercase()));
        }
        if filed.session.get_ref().is_empty() {
            return Err(self.wrong(&filed.session, "`session` is empty"));
        }
        let policy = &contract.policy;
        let documented = Some(policy.lifetime.seconds.try_into().unwrap_or(u32::MAX));
        let ttl = self.limit("ttl_seconds", filed.ttl_seconds.as_ref(), documented)?;
        let documented = policy.attempts.as_ref().map(|limit| limit.limit);
        let max_attempts = self.limit("max_attempts", filed.max_attempts.as_ref(), documented)?;
        let expires_at = filed.expires_at.as_ref().map(|at| self.time(at)).transpose()?;
        if let (Some(time), Some(written), SessionState::Fresh) = (expires_at, &filed.expires_at, filed.state)
            && time <= self.now
        {
            let problem =
                "the session has expired since; prepare another one, or give it the state \"expired\"";
            return Err(self.wrong(written, problem));
        }
        Ok(Prepared {
            vendor: contract.vendor.clone(),
            tenant: tenant.to_owned(),
            session: Session {
                session: filed.session.into_inner(),
                ttl_seconds: ttl.map(u64::from),
                max_attempts,
            },
            code: filed.code.into_inner(),
            state: filed.state,
            expires_at,
            is_used: false,
        })
    }

    /// A limit, or what the contract says if none is given; `None` where there is no limit.
    fn limit(
        &self,
        key: &str,
        limit: Option<&Spanned<Limit>>,
        documented: Option<u32>,
    ) -> Result<Option<u32>, String> {
        let Some(limit) = limit else { return Ok(documented) };
        match limit.get_ref() {
            Limit::Number(number) if *number > 0 => Ok(Some(*number)),
            Limit::Word(word) if word == "none" => Ok(None),
            _ => Err(self.wrong(limit, &format!("`{key}` is neither a number from 1 nor \"none\""))),
        }
    }

    fn time(&self, written: &Spanned<Datetime>) -> Result<SystemTime, String> {
        humantime::parse_rfc3339(&written.get_ref().to_string()).map_err(|_| {
            self.wrong(written, "`expires_at` is not a time in UTC such as 2027-01-31T12:00:00Z")
        })
    }

    fn wrong<T>(&self, value: &Spanned<T>, problem: &str) -> String {
        format!("{}: {problem}", place(self.text, value.span().start))
    }
}

/// The parser's message without the value that it is about.
fn harmless(message: &str) -> String {
    if message.contains("untagged enum Credentials") {
        let place = message.split(": ").next().unwrap_or_default();
        return format!("{place}: credentials have a token, or a username and a password, or a value");
    }
    match message.split_once("invalid type: ") {
        Some((before, after)) => {
            let kind = after.split([' ', ',']).next().unwrap_or_default();
            let expected =
                after.rsplit_once(", expected ").map_or("something else", |(_, expected)| expected);
            format!("{before}invalid type: {kind}, expected {expected}")
        }
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str =
        "[[tenants]]\nvendor = \"d7\"\ncredentials = { bearerAuth = { token = \"s3cret\" } }\n";

    fn read(text: &str) -> Result<Fixtures, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fixtures.toml");
        std::fs::write(&path, text).unwrap();
        Fixtures::read(&path, &Contract::all().unwrap())
    }

    fn error(sessions: &str) -> String {
        read(&format!("{TENANT}{sessions}")).err().unwrap_or_default()
    }

    #[test]
    fn an_error_names_the_place_and_no_secret() {
        let session = "[[tenants.sessions]]\nsession = \"a\"\n";
        for (lines, problem) in [
            (format!("{session}code = 123456"), "line 6, column 8: invalid type: integer, expected a string"),
            (format!("{session}code = \"x123456\""), "line 6, column 8: `code` is none of "),
            (
                format!("{session}code = \"123456\"\nstate = \"old\""),
                "line 7, column 9: unknown variant `old`",
            ),
            (format!("{session}code = \"123456\"\nttl = 3"), "line 7, column 1: unknown field `ttl`"),
            (
                format!("{session}code = \"123456\"\nmax_attempts = 0"),
                "line 7, column 16: `max_attempts` is neither",
            ),
            (format!("{session}code = \"123456\"\nexpires_at = 2001-01-01T00:00:00Z"), "expired since"),
            (
                format!("{session}code = \"123456\"\nexpires_at = 07:32:00"),
                "`expires_at` is not a time in UTC",
            ),
            (
                format!("{session}code = \"123456\"\n{session}code = \"123457\""),
                "listed already in line 5, column 11",
            ),
            (
                "[[tenants]]\nvendor = \"d7\"\ncredentials = { bearerAuth = { tokn = \"s3cret\" } }"
                    .to_owned(),
                "a token, or",
            ),
            ("[[tenant]]".to_owned(), "unknown field `tenant`, expected `tenants`; did you mean `tenants`?"),
        ] {
            let error = error(&lines);
            assert!(error.contains(problem), "{lines}: {error}");
            assert!(error.starts_with("line "), "{error}");
            assert!(!error.contains("s3cret") && !error.contains("12345"), "{error}");
        }
    }

    #[test]
    fn what_is_not_said_about_a_session_follows_from_the_contract() {
        let fixtures = read(&format!(
            "{TENANT}[[tenants.sessions]]\nsession = \"a\"\ncode = \"123456\"\n\
             [[tenants.sessions]]\nsession = \"b\"\ncode = \"123456\"\nttl_seconds = \"none\"\nmax_attempts = 2\n"
        ))
        .unwrap_or_default();
        let policy = Contract::of_vendor("d7").unwrap().policy;
        let limits: Vec<_> = fixtures
            .sessions()
            .iter()
            .map(|one| (one.session.ttl_seconds, one.session.max_attempts))
            .collect();
        let documented = policy.attempts.map(|limit| limit.limit);
        assert_eq!(limits, [(Some(policy.lifetime.seconds), documented), (None, Some(2))]);
    }

    #[test]
    fn the_example_is_a_file_of_fixtures() {
        assert_eq!(read(TEMPLATE).err(), None);
        let every: String = TEMPLATE
            .lines()
            .map(|line| {
                format!("{}\n", line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
            })
            .collect();
        assert_eq!(read(&every.replace("VENDOR", "d7")).err(), None, "{every}");
    }
}
