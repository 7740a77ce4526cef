//! The options of `check` and `timing`, each defined once for the command line, the environment and the file.
//!
//! The environment variable of an option is `OTP_CONFORMANCE_` and its name in upper case. An empty variable counts as
//! unset. The command line takes precedence over the environment, and the environment over the file.
//!
//! To add an option, add a field to the table below.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::BoolishValueParser;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_with::{As, OneOrMany, Same};

use super::color::Color;
use crate::error::Failure;
use crate::suite::PreparedTenant;
use crate::toml_error::one_line;
use crate::waiver::{Day, Waiver};

/// What the environment variables of options start with.
const PREFIX: &str = "OTP_CONFORMANCE_";

/// Reads a file with one value or a list of values.
type List = As<OneOrMany<Same>>;

/// Generates a struct of arguments for each group, and one struct for the file that has the fields of all groups.
macro_rules! options {
    (
        file $file:ident { $($(#[doc = $file_doc:literal])+ $file_field:ident: $file_type:ty,)* }
        $(
            $(#[doc = $group_doc:literal])+
            group $group:ident {
                $(
                    $(#[doc = $doc:literal])+
                    #[arg($($arg:tt)*)]
                    $(#[serde($($serde:tt)*)])?
                    $field:ident: $type:ty,
                )*
            }
        )*
    ) => {
        $(
            $(#[doc = $group_doc])+
            #[derive(Debug, Default, clap::Args)]
            pub(super) struct $group {
                $($(#[doc = $doc])+ #[arg($($arg)*)] pub(super) $field: $type,)*
            }

            impl Layer for $group {
                fn or(self, lower: Self) -> Self {
                    $group { $($field: self.$field.or(lower.$field),)* }
                }
            }
        )*

        /// The configuration file.
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct $file {
            $($(#[doc = $file_doc])+ $file_field: $file_type,)*
            $($($(#[doc = $doc])+ $(#[serde($($serde)*)])? $field: $type,)*)*
        }

        impl $file {
            fn split(self) -> (($($file_type,)*), $($group),*) {
                (($(self.$file_field,)*), $($group { $($field: self.$field,)* }),*)
            }
        }
    };
}

options! {
    file File {
        /// The token that the control asks for.
        control_token: Option<String>,
        /// Existing tenants of a subject whose control cannot create any: two for each vendor.
        tenants: Vec<PreparedTenant>,
        /// Findings that are known and do not fail the run.
        waiver: Vec<FiledWaiver>,
    }

    /// Which server, and how to use it.
    group SubjectArguments {
        /// The vendors; all that the server serves if none is named
        #[arg(value_delimiter = ',')]
        #[serde(with = "List")]
        vendors: Vec<String>,
        /// The URL of the server, or unix: and the path of its socket; the embedded sandbox if there is none. Several are replicas of one service. No proxy is used
        #[arg(long, value_name = "URL", value_delimiter = ',')]
        #[serde(with = "List")]
        target: Vec<String>,
        /// The address of its control, if it is not the first target
        #[arg(long, value_name = "URL")]
        control: Option<String>,
        /// A program that is the control: it reads a request of the control protocol from each line of its input, as {"op": "sessions", ...}, and writes a line for each, as {"ok": {...}} or {"error": {"status": 404, "message": "..."}}
        #[arg(long, value_name = "COMMAND")]
        control_exec: Option<String>,
        /// Accounts and sessions that were prepared beforehand, instead of a control; `init fixtures` prints an example
        #[arg(long, value_name = "FILE.toml")]
        fixtures: Option<PathBuf>,
        /// The annotated document of another API
        #[arg(long, value_name = "FILE.yaml", value_delimiter = ',')]
        #[serde(with = "List")]
        contract: Vec<PathBuf>,
        /// A header field for every request to the targets, such as the key of a gateway; its value stands in no report
        #[arg(long, value_name = "NAME: VALUE", value_delimiter = '\n')]
        #[serde(with = "List")]
        header: Vec<String>,
        /// The host name in requests to the targets, which their certificates must have
        #[arg(long, value_name = "NAME")]
        host: Option<String>,
        /// Connect to an address instead of resolving the name of a host, as curl does
        #[arg(long, value_name = "HOST:PORT:ADDRESS", value_delimiter = '\n')]
        #[serde(with = "List")]
        resolve: Vec<String>,
        /// Accept certificates of the authorities in a PEM file, instead of those that the system trusts
        #[arg(long, value_name = "FILE.pem")]
        cacert: Option<PathBuf>,
        /// The client's certificate, in PEM
        #[arg(long, value_name = "FILE.pem")]
        cert: Option<PathBuf>,
        /// The key of the client's certificate, in PEM, if it is not in the same file
        #[arg(long, value_name = "FILE.pem")]
        key: Option<PathBuf>,
        /// Accept any certificate
        #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_parser = BoolishValueParser::new())]
        insecure: Option<bool>,
        /// How long to wait for the server to accept connections, such as 30s
        #[arg(long, value_name = "DURATION")]
        wait: Option<String>,
        /// How long one call may take, such as 10s, instead of 5s; a call that Retry-After puts off waits within this time
        #[arg(long, value_name = "DURATION")]
        timeout: Option<String>,
        /// Send at most N requests in a second, those to the control included
        #[arg(long, value_name = "N/s")]
        rate: Option<Rate>,
        /// The seed from which every choice follows; a random one if there is none
        #[arg(long, value_name = "N")]
        seed: Option<u64>,
    }

    /// What to check, and how to report it.
    group CheckArguments {
        /// Run only the checks whose id matches
        #[arg(long, value_name = "GLOB", value_delimiter = ',')]
        #[serde(with = "List")]
        only: Vec<String>,
        /// Leave out the checks whose id matches
        #[arg(long, value_name = "GLOB", value_delimiter = ',')]
        #[serde(with = "List")]
        skip: Vec<String>,
        /// Let advisory findings fail the run as well
        #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_parser = BoolishValueParser::new())]
        strict: Option<bool>,
        /// Stop after N checks that fail the run, or after the first
        #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "1", value_parser = clap::value_parser!(u16).range(1..))]
        fail_fast: Option<u16>,
        /// Exit with 0 although a documented response could not be tried
        #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_parser = BoolishValueParser::new())]
        allow_partial: Option<bool>,
        /// Run slice I of N of the checks
        #[arg(long, value_name = "I/N")]
        shard: Option<String>,
        /// How many random walks to run for each vendor
        #[arg(long, value_name = "N")]
        cases: Option<u32>,
        /// How many checks to run at the same time; as many as the server keeps up with if there is no number
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
        jobs: Option<u16>,
        /// Write a report as json, junit, markdown, html or github, such as junit=report.xml; the path - is the standard output
        #[arg(long, value_name = "FORMAT=PATH")]
        #[serde(with = "List")]
        report: Vec<String>,
        /// Print only the verdict
        #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_parser = BoolishValueParser::new())]
        quiet: Option<bool>,
        /// Print a line for each check, and keep the exchanges of those that passed in the JSON report
        #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_parser = BoolishValueParser::new())]
        verbose: Option<bool>,
        /// When to write colours
        #[arg(long, value_name = "WHEN", value_enum)]
        color: Option<Color>,
        /// Show codes in reports; credentials stay hidden
        #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_parser = BoolishValueParser::new())]
        reveal: Option<bool>,
        /// Start the embedded sandbox with a fault
        #[arg(long, value_name = "NAME", value_delimiter = ',')]
        #[serde(with = "List")]
        fault: Vec<String>,
        /// Let the embedded sandbox give this response where the contract allows several
        #[arg(long, value_name = "VENDOR/CELL", value_delimiter = ',')]
        #[serde(with = "List")]
        prefer: Vec<String>,
    }
}

/// A number of requests per second, such as `50/s` or `50`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RateText")]
pub(super) struct Rate(pub(super) u32);

/// A rate as a file may have it.
#[derive(Deserialize)]
#[serde(untagged)]
enum RateText {
    Number(u32),
    Text(String),
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Rate, String> {
        let number = text.strip_suffix("/s").unwrap_or(text).parse::<u32>().ok().filter(|number| *number > 0);
        number
            .map(Rate)
            .ok_or_else(|| format!("`{text}` is not a number of requests per second such as 50/s"))
    }
}

impl TryFrom<RateText> for Rate {
    type Error = String;

    fn try_from(text: RateText) -> Result<Rate, String> {
        match text {
            RateText::Number(number) => number.to_string().parse(),
            RateText::Text(text) => text.parse(),
        }
    }
}

/// The arguments with `--fail-fast 3` as `--fail-fast=3`. The number is optional, and clap would take a vendor for it.
pub(super) fn with_numbers(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    const OPTION: &str = "--fail-fast";
    let mut joined: Vec<OsString> = Vec::new();
    for argument in arguments {
        let is_number = argument.to_str().is_some_and(|text| text.parse::<u16>().is_ok());
        match joined.last_mut() {
            Some(last) if is_number && *last == OPTION => {
                last.push("=");
                last.push(argument);
            }
            _ => joined.push(argument),
        }
    }
    joined
}

/// A waiver as the configuration file has it. Its values are read here, so that a mistake has a line and a column.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FiledWaiver {
    #[serde(deserialize_with = "pattern")]
    check: glob::Pattern,
    answer: Option<WaivedAnswer>,
    #[serde(deserialize_with = "reason")]
    reason: String,
    #[serde(default, deserialize_with = "day")]
    until: Option<Day>,
}

/// The response that a waiver is about.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WaivedAnswer {
    status: u16,
}

impl From<FiledWaiver> for Waiver {
    fn from(filed: FiledWaiver) -> Waiver {
        let FiledWaiver { check, answer, reason, until } = filed;
        Waiver { check, status: answer.map(|answer| answer.status), reason, until }
    }
}

fn pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<glob::Pattern, D::Error> {
    let text = String::deserialize(deserializer)?;
    glob::Pattern::new(&text)
        .map_err(|error| D::Error::custom(format!("`{text}` is not a valid pattern: {error}")))
}

fn reason<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.trim().is_empty() {
        true => Err(D::Error::custom("`reason` is empty")),
        false => Ok(text),
    }
}

fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Day>, D::Error> {
    let until = toml::value::Datetime::deserialize(deserializer)?;
    match until.date {
        Some(date) => Ok(Some(Day { year: date.year, month: date.month, day: date.day })),
        None => Err(D::Error::custom("`until` is not a day such as 2027-03-01")),
    }
}

/// One source of options on top of another.
pub(super) trait Layer {
    /// The value of this layer, or of the lower one if this layer has none.
    #[must_use]
    fn or(self, lower: Self) -> Self;
}

impl<T> Layer for Option<T> {
    fn or(self, lower: Self) -> Self {
        Option::or(self, lower)
    }
}

impl<T> Layer for Vec<T> {
    fn or(self, lower: Self) -> Self {
        if self.is_empty() { lower } else { self }
    }
}

/// The options of a command, from all sources.
#[derive(Debug, Default)]
pub(super) struct Options {
    /// The token that the control asks for; from the environment or the file only.
    pub(super) control_token: Option<String>,
    /// Existing tenants; from the file only.
    pub(super) tenants: Vec<PreparedTenant>,
    /// Findings that do not fail the run; from the file only.
    pub(super) waivers: Vec<Waiver>,
    /// Which server.
    pub(super) subject: SubjectArguments,
    /// What to check.
    pub(super) check: CheckArguments,
}

impl Options {
    /// Fills in from the file what the command line and the environment leave open.
    pub(super) fn merge(
        file: Option<&Path>,
        subject: SubjectArguments,
        check: CheckArguments,
    ) -> Result<Options, Failure> {
        let file = file.map(File::read).transpose()?.unwrap_or_default();
        let ((control_token, tenants, waivers), filed_subject, filed_check) = file.split();
        Ok(Options {
            waivers: waivers.into_iter().map(Waiver::from).collect(),
            control_token: variable("CONTROL_TOKEN").or(control_token),
            tenants,
            subject: subject.or(filed_subject),
            check: check.or(filed_check),
        })
    }
}

impl File {
    fn read(path: &Path) -> Result<File, Failure> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::Config { file: file.clone(), problem: error.to_string() })?;
        toml::from_str(&text).map_err(|error| Failure::Config { problem: one_line(&text, &error), file })
    }
}

/// A configuration file in which every option is a comment, with its description and a value of the right form.
pub(super) fn template() -> String {
    use clap::Args as _;

    let command = SubjectArguments::augment_args(clap::Command::new("check"));
    let command = CheckArguments::augment_args(command);
    let mut text = "# The options of `otp-conformance check` and `timing`, for --config. The environment and the command line take\n\
                    # precedence. Remove the # before an option to set it.\n"
        .to_owned();
    for argument in command.get_arguments() {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let form = argument.get_value_names().and_then(<[_]>::first).map_or("VENDOR", |form| form.as_str());
        let value = match form {
            "BOOL" => "true".to_owned(),
            "N" => "1".to_owned(),
            "N/s" => "\"50/s\"".to_owned(),
            "WHEN" => "\"auto\"".to_owned(),
            form => format!("\"{form}\""),
        };
        text.push_str(&format!("\n# {help}\n#{} = {value}\n", argument.get_id()));
    }
    text.push_str(
        "\n# The token that the control asks for\n#control_token = \"TOKEN\"\n\n\
         # An existing tenant of a server whose control cannot create any: two for each vendor\n\
         #[[tenants]]\n#vendor = \"VENDOR\"\n#tenant = \"ID\"\n#parameters = { ACCOUNT = \"ID\" }\n\
         #credentials = { SCHEME = { token = \"TOKEN\" } }\n\n\
         # A finding that is known and does not fail the run: a check by its id or a pattern, the HTTP status of the response\n\
         # (any, without it), the reason, and the last day on which the waiver holds\n\
         #[[waiver]]\n#check = \"VENDOR/AREA/NAME\"\n#answer = { status = 410 }\n#reason = \"REASON\"\n#until = 2027-03-01\n",
    );
    text
}

/// Gives every option of every command its environment variable.
pub(super) fn with_environment(command: clap::Command) -> clap::Command {
    command.mut_subcommands(|command| {
        let is_replay = command.get_name() == "replay";
        command.mut_args(|argument| {
            let is_option = argument.get_long().is_some();
            // `replay` has ids of checks in the place of vendors.
            let names_vendors = argument.get_id() == "vendors" && !is_replay;
            if !is_option && !names_vendors {
                return argument;
            }
            let name = variable_name(argument.get_id().as_str());
            match std::env::var_os(&name) {
                Some(value) if value.is_empty() => argument,
                // The help text states the rule once instead of repeating it for each option.
                _ => argument.env(name).hide_env(true),
            }
        })
    })
}

/// The variables of the environment that look like options, but are none.
pub(super) fn unknown_variables(command: &clap::Command) -> Vec<String> {
    let options: Vec<_> = command
        .get_subcommands()
        .flat_map(clap::Command::get_arguments)
        .map(|argument| variable_name(argument.get_id().as_str()))
        .chain(["STORE_SECRET", "CONTROL_TOKEN"].map(variable_name))
        .collect();
    let set = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut unknown: Vec<_> =
        set.filter(|name| name.starts_with(PREFIX) && !options.contains(name)).collect();
    unknown.sort();
    unknown
}

/// The value of an option's environment variable, if it is set and not empty.
pub(super) fn variable(option: &str) -> Option<String> {
    std::env::var(variable_name(option)).ok().filter(|value| !value.is_empty())
}

fn variable_name(option: &str) -> String {
    format!("{PREFIX}{}", option.to_ascii_uppercase().replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (SubjectArguments, CheckArguments) {
        let file: File = toml::from_str(text).unwrap();
        let (_, subject, check) = file.split();
        (subject, check)
    }

    #[test]
    fn every_option_of_a_file_is_one_value_or_a_list() {
        let (subject, check) =
            file("target = \"http://a\"\nonly = [\"x\", \"y\"]\nfault = \"reuse\"\nreveal = true");
        assert_eq!(subject.target, ["http://a"]);
        assert_eq!(check.only, ["x", "y"]);
        assert_eq!(check.fault, ["reuse"]);
        assert_eq!(check.reveal, Some(true));
    }

    #[test]
    fn a_higher_layer_wins_and_an_empty_one_leaves_the_lower_as_it_is() {
        let (_, low) = file("only = \"low\"\njobs = 3\nstrict = true");
        let (_, high) = file("only = [\"high\"]\nstrict = false");
        let merged = high.or(low);
        assert_eq!(merged.only, ["high"]);
        assert_eq!((merged.jobs, merged.strict), (Some(3), Some(false)));
    }

    #[test]
    fn a_number_after_fail_fast_belongs_to_it_and_a_vendor_does_not() {
        let joined = |words: &[&str]| with_numbers(words.iter().map(OsString::from));
        assert_eq!(joined(&["check", "--fail-fast", "3", "d7"]), ["check", "--fail-fast=3", "d7"]);
        assert_eq!(joined(&["--fail-fast", "d7", "3"]), ["--fail-fast", "d7", "3"]);
    }

    #[test]
    fn a_rate_is_a_number_with_or_without_its_unit() {
        let (subject, _) = file("rate = 50");
        assert_eq!(subject.rate, Some(Rate(50)));
        assert_eq!(file("rate = \"7/s\"").0.rate, "7".parse().ok());
        for wrong in ["0", "x", "5/m", "-1", ""] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_template_has_every_option_with_a_value_of_the_right_form() {
        let template = template();
        let set: String = template
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(option) if !option.starts_with(' ') => format!("{option}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let read: File = toml::from_str(&set).unwrap_or_else(|error| panic!("{error}\n{set}"));
        let ((token, tenants, waivers), subject, check) = read.split();
        assert!(token.is_some() && tenants.len() == 1 && waivers.len() == 1);
        assert_eq!((subject.vendors.len(), subject.seed, subject.wait.is_some()), (1, Some(1), true));
        assert_eq!((check.strict, check.fail_fast, check.report.len()), (Some(true), Some(1), 1));
        let _: File = toml::from_str(&template).unwrap();
        for line in template.lines().filter(|line| line.starts_with("# ")) {
            assert!(line.len() > 10, "{line}");
        }
    }
}
