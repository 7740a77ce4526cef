//! Turns a recording into a shell script that repeats it: the script creates tenants and sessions through the control,
//! captures their ids and credentials, and sends the same calls, bursts included. It contains no secret; its codes are
//! its own.

use otp_contract::{Contract, Scheme};

use super::sign::Sign;
use super::text::one_line;
use crate::harness::{Recording, Step, Subject};
use crate::http::{CurlAddress, RawRequest};

/// The script for the check with this id and statement. The recording's requests went to `subject`. Its exit status says
/// whether the defect shows.
pub(super) fn script(
    id: &str,
    statement: &str,
    contract: &Contract,
    subject: &Subject,
    recording: &Recording,
    sign: &Sign,
) -> String {
    let mut names: Vec<(String, String)> =
        subject.targets.iter().map(|target| (target.clone(), "${TARGET}".to_owned())).collect();
    let head = head(id, statement, contract, subject);
    let mut text = String::new();
    // The number of the last call.
    let mut number = 0;
    // How many calls the last burst had.
    let mut burst = 0;
    for step in &recording.steps {
        match step {
            Step::Tenant { number, is_prepared: true, .. } => text.push_str(&format!(
                "\n# Account {number} was prepared beforehand.\n\
                 CREDENTIALS_{number}=${{CREDENTIALS_{number}:?what a request of account {number} carries: a token, a key, or the \
                 Base64 of USER:PASSWORD}}\n\
                 WRONG_CREDENTIALS_{number}=${{CREDENTIALS_{number}}}x\n"
            )),
            Step::Tenant { number, ids, .. } => text.push_str(&tenant(contract, *number, ids, &mut names)),
            Step::Issued { number, session, prepared: Some(state), .. } => {
                text.push_str(&format!(
                    "\n# Session {number} was prepared beforehand.\n\
                     CODE_{number}=${{CODE_{number}:?the code of session {number}}}\n\
                     SESSION_{number}=${{SESSION_{number}:?the id of a prepared session that is {}}}\n",
                    state.as_str()
                ));
                names.push((session.clone(), format!("${{SESSION_{number}}}")));
            }
            Step::Issued { number, tenant, session, options, leading_zero, recipient_of, .. } => {
                let mut members = String::new();
                if let Some(seconds) = options.ttl_seconds {
                    members.push_str(&format!(",\"ttl_seconds\":{seconds}"));
                }
                if let Some(attempts) = options.max_attempts {
                    members.push_str(&format!(",\"max_attempts\":{attempts}"));
                }
                if let Some(earlier) = recipient_of {
                    members.push_str(&format!(",\"recipient_of\":\"{}\"", renamed(earlier, &names)));
                }
                let code = own_code(contract, *number, *leading_zero);
                text.push_str(&format!(
                    "\n# The control issues a code.\n\
                     CODE_{number}=${{CODE_{number}:-{code}}}\n\
                     ISSUED_{number}=$(control /sessions \"$(cat <<END\n\
                     {{\"vendor\":\"{}\",\"tenant\":\"{}\",\"code\":\"$CODE_{number}\"{members}}}\nEND\n)\")\n\
                     SESSION_{number}=$(field session \"$ISSUED_{number}\")\n",
                    contract.vendor,
                    renamed(tenant, &names),
                ));
                names.push((session.clone(), format!("${{SESSION_{number}}}")));
            }
            Step::Aged { tenant, session, seconds } => text.push_str(&format!(
                "\n# The control makes the session older.\n\
                 control /sessions/age \"$(cat <<END\n\
                 {{\"vendor\":\"{}\",\"tenant\":\"{}\",\"session\":\"{}\",\"seconds\":{seconds}}}\nEND\n)\" > /dev/null\n",
                contract.vendor,
                renamed(tenant, &names),
                renamed(session, &names),
            )),
            Step::Exchange(exchange) => {
                number += 1;
                let line = curl_with(&exchange.request, &names);
                text.push_str(&format!("\n{}\nshow {number}\n", called(&line, number)));
            }
            // curl disconnects when its time is over, and reports that as a failure; here it is intended.
            Step::Disconnected { request, seconds } => {
                let impatient = format!("disconnect {seconds}");
                let line = curl_with(request, &names).replacen("curl -sS -i", &impatient, 1);
                text.push_str(&format!("\n{line} || true\n"));
            }
            Step::Burst(exchanges) => {
                burst = exchanges.len();
                text.push('\n');
                for exchange in exchanges {
                    number += 1;
                    let line = curl_with(&exchange.request, &names);
                    text.push_str(&format!("{} &\n", called(&line, number)));
                }
                text.push_str("wait\n");
                for shown in number - burst + 1..=number {
                    text.push_str(&format!("show {shown}\n"));
                }
            }
        }
    }
    let condition = condition(sign, number, burst);
    // A race does not show in every burst.
    let body = match (&condition, sign) {
        (Some(condition), Sign::MoreThan { .. }) => {
            format!("{RETRIES}{text}\nif {condition}; then shows; fi\ndone\n{DOES_NOT_SHOW}")
        }
        (Some(condition), _) => format!("{text}\nif {condition}\nthen shows; fi\n{DOES_NOT_SHOW}"),
        (None, _) => format!("{text}{UNKNOWN}"),
    };
    with_spellings(&format!("{head}{body}"), recording.sessions())
}

/// A command line of curl as a call of the script's function, which keeps the response under this number.
fn called(line: &str, number: usize) -> String {
    line.replacen("curl -sS -i", &format!("call {number}"), 1)
}

/// How often a burst is repeated until the defect shows.
const RETRIES: &str = "\nTRIES=20\nwhile [ \"$TRIES\" -gt 0 ]; do\nTRIES=$((TRIES - 1))\n";

/// The ends of scripts.
const DOES_NOT_SHOW: &str = "echo 'the defect does not show' >&2\n";
const UNKNOWN: &str = "\necho 'compare the responses with the finding: a script cannot tell whether the defect shows' >&2\n\
                       exit 3\n";

/// The shell condition under which the defect shows, if a script can tell.
fn condition(sign: &Sign, number: usize, burst: usize) -> Option<String> {
    match sign {
        Sign::Last(conditions) => {
            let conditions: Vec<_> =
                conditions.iter().map(|condition| condition.replace("{n}", &number.to_string())).collect();
            Some(conditions.join(" \\\n  && "))
        }
        Sign::MoreThan { status, most } => {
            let files: Vec<_> =
                (number + 1 - burst..=number).map(|call| format!("\"$DIR/status.{call}\"")).collect();
            Some(format!("[ \"$(cat {} | grep -c -x {status})\" -gt {most} ]", files.join(" ")))
        }
        Sign::Unknown => None,
    }
}

/// Other spellings of a code: the suffix of the script's variable, and the command that derives it from the code.
const SPELLINGS: [(&str, &str); 6] = [
    ("REVERSED", "sed '/\\n/!G; s/\\(.\\)\\(.*\\n\\)/&\\2\\1/; //D; s/.//'"),
    ("SPACED", "sed 's/./& /g; s/ $//'"),
    ("WIDE", "sed 'y/0123456789/０１２３４５６７８９/'"),
    ("INDIC", "sed 'y/0123456789/٠١٢٣٤٥٦٧٨٩/'"),
    ("LOWER", "tr '[:upper:]' '[:lower:]'"),
    ("UPPER", "tr '[:lower:]' '[:upper:]'"),
];

/// Defines the spellings that the script uses, each after its code.
fn with_spellings(text: &str, sessions: usize) -> String {
    let mut text = text.to_owned();
    for number in 1..=sessions {
        let mut defined = String::new();
        for (name, command) in SPELLINGS {
            let variable = format!("CODE_{number}_{name}");
            if text.contains(&variable) {
                defined.push_str(&format!("{variable}=$(printf '%s\\n' \"$CODE_{number}\" | {command})\n"));
            }
        }
        text = text.replace(&format!("\nSESSION_{number}=$"), &format!("\n{defined}SESSION_{number}=$"));
    }
    text
}

fn head(id: &str, statement: &str, contract: &Contract, subject: &Subject) -> String {
    let target = subject.curl_targets.first().cloned().unwrap_or_default();
    let control = &subject.curl_control;
    let arguments = |curl: &CurlAddress| {
        curl.arguments.iter().map(|argument| format!(" {}", quote(argument))).collect::<String>()
    };
    let mut variables = target.variables.clone();
    variables.extend(control.variables.iter().filter(|name| !target.variables.contains(name)).cloned());
    let described = variables
        .iter()
        .map(|name| format!("#   {name:<14} the value of a header field that the suite sent\n"));
    let required = variables.iter().map(|name| format!(": \"${{{name}:?the value of a header field}}\"\n"));
    let control_url = if control.url == target.url { "$TARGET".to_owned() } else { quote(&control.url) };
    // A script cannot use the program of --control-exec.
    let head = match control.url.is_empty() && subject.control.fixtures().is_none() {
        true => HEAD.replace("${CONTROL:-{control}}", "${CONTROL:?the address of a control over HTTP}"),
        false => HEAD.to_owned(),
    };
    head.replace("{id}", &one_line(id))
        .replace("{name}", &one_line(&contract.name))
        .replace("{statement}", &one_line(statement))
        .replace("{variables}", &described.collect::<String>())
        .replace("{required}", &required.collect::<String>())
        .replace("{target-curl}", &arguments(&target))
        .replace("{control-curl}", &arguments(control))
        .replace("{control}", &control_url)
        .replace("{target}", &quote(&target.url))
}

/// The beginning of every script.
const HEAD: &str = r#"#!/bin/sh
# {id} ({name}): {statement}
#
# Usage: [TARGET=URL] [CONTROL=URL] [CONTROL_TOKEN=TOKEN] sh FILE
#   TARGET         the address of the server
#   CONTROL        the address of its control, if it is another one
#   CONTROL_TOKEN  the token that the control asks for, if it does
{variables}# Exit status: 0 the defect does not show, 1 it shows, 2 the set-up failed,
# 3 the script cannot tell. It needs curl.
set -eu
if [ "${1:-}" = -h ] || [ "${1:-}" = --help ]; then sed -n '2,/^set/{/^#/p;}' "$0"; exit 0; fi
TARGET=${TARGET:-{target}}
CONTROL=${CONTROL:-{control}}
{required}DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
fail() { echo "$1" >&2; exit 2; }
control() {
  curl{control-curl} -sS -f -X POST "$CONTROL/_control/v1$1" ${CONTROL_TOKEN:+-H "authorization: Bearer $CONTROL_TOKEN"} \
    -H 'content-type: application/json' --data-binary "$2" || fail "the control at $CONTROL refused $1"
}
field() {
  printf '%s' "$2" | tr -d '\n' | sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p" | grep . \
    || fail "the control returned no $1: $2"
}
call() {
  NUMBER=$1
  shift
  curl{target-curl} -sS -D "$DIR/head.$NUMBER" -o "$DIR/body.$NUMBER" -w '%{http_code}\n' "$@" > "$DIR/status.$NUMBER" \
    || echo 000 > "$DIR/status.$NUMBER"
  touch "$DIR/head.$NUMBER" "$DIR/body.$NUMBER"
}
disconnect() {
  SECONDS_LEFT=$1
  shift
  curl{target-curl} -s -o /dev/null --max-time "$SECONDS_LEFT" "$@"
}
show() { cat "$DIR/head.$1" "$DIR/body.$1"; echo; }
shows() { echo 'the defect shows' >&2; exit 1; }
"#;

fn tenant(
    contract: &Contract,
    number: usize,
    ids: &[(String, String)],
    names: &mut Vec<(String, String)>,
) -> String {
    let created = format!("CREATED_{number}");
    let mut text = format!(
        "\n# The control creates an account.\n{created}=$(control /tenants '{{\"vendor\":\"{}\"}}')\n",
        contract.vendor
    );
    let captured = |name: &str| format!("$(field {name} \"${created}\")");
    for (name, value) in ids {
        let variable = format!("{}_{number}", name.to_ascii_uppercase());
        text.push_str(&format!("{variable}={}\n", captured(name)));
        names.push((value.clone(), format!("${{{variable}}}")));
    }
    let credentials = match contract.verify().security.first().map(|scheme| &scheme.scheme) {
        Some(Scheme::Basic) => format!(
            "$(printf '%s:%s' \"{}\" \"{}\" | base64 | tr -d '\\n')",
            captured("username"),
            captured("password")
        ),
        Some(Scheme::ApiKey { .. }) => captured("value"),
        _ => captured("token"),
    };
    text.push_str(&format!("CREDENTIALS_{number}={credentials}\n"));
    text.push_str(&format!("WRONG_CREDENTIALS_{number}=${{CREDENTIALS_{number}}}x\n"));
    text
}

/// A code for the script, of the same kind as the issued one.
fn own_code(contract: &Contract, number: usize, leading_zero: bool) -> String {
    let length = contract.verify().code.length;
    let digits = "7391846205".chars().cycle().skip(number);
    let first = if leading_zero { '0' } else { '8' };
    std::iter::once(first).chain(digits).take(length).collect()
}

fn renamed(text: &str, names: &[(String, String)]) -> String {
    names.iter().fold(text.to_owned(), |text, (value, variable)| match value.is_empty() {
        true => text,
        false => text.replace(value.as_str(), variable),
    })
}

fn curl_with(request: &RawRequest, names: &[(String, String)]) -> String {
    let renamed = RawRequest {
        method: request.method.clone(),
        url: renamed(&request.url, names),
        headers: request.headers.iter().map(|(name, value)| (name.clone(), renamed(value, names))).collect(),
        body: request.body.as_deref().map(|body| match std::str::from_utf8(body) {
            Ok(text) => renamed(text, names).into_bytes(),
            Err(_) => body.to_vec(),
        }),
    };
    curl(&renamed)
}

/// The request as a command line. The shell expands variables; everything else is quoted.
pub(crate) fn curl(request: &RawRequest) -> String {
    let mut line = format!("curl -sS -i -X {} {}", request.method, quote(&request.url));
    for (name, value) in &request.headers {
        line.push_str(&format!(" -H {}", quote(&format!("{name}: {value}"))));
    }
    match request.body.as_deref().map(std::str::from_utf8) {
        None => line,
        Some(Ok(text)) if text.len() <= MAX_SHOWN_BODY_BYTES && !text.contains('\0') => {
            format!("{line} --data-binary {}", quote(text))
        }
        // printf produces the bytes that an argument cannot contain.
        Some(_) => {
            let body = request.body.as_deref().unwrap_or_default();
            let octal: String =
                body.iter().take(MAX_SHOWN_BODY_BYTES).map(|byte| format!("\\{byte:03o}")).collect();
            format!("printf '{octal}' | {line} --data-binary @-")
        }
    }
}

/// The longest part of a body that a command line shows.
const MAX_SHOWN_BODY_BYTES: usize = 4_096;

/// `text` in single quotes, except `$NAME` and `${NAME…}`, which the shell expands.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::from("'");
    let mut rest = text;
    while let Some(start) = rest.find('$') {
        let (before, from) = rest.split_at(start);
        quoted.push_str(&before.replace('\'', "'\\''"));
        let end = variable_end(from);
        match end {
            Some(end) => quoted.push_str(&format!("'\"{}\"'", &from[..end])),
            None => quoted.push('$'),
        }
        rest = &from[end.unwrap_or(1)..];
    }
    quoted.push_str(&rest.replace('\'', "'\\''"));
    quoted.push('\'');
    quoted
}

/// The end of the variable at the start of `text`, if there is one. The names of a script's variables are in upper case.
fn variable_end(text: &str) -> Option<usize> {
    let name = |text: &str| {
        text.bytes()
            .take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
            .count()
    };
    if let Some(braced) = text.strip_prefix("${") {
        let length = name(braced);
        return (length > 0).then(|| braced.find('}').map(|end| end + 3)).flatten();
    }
    let length = name(&text[1..]);
    (length > 1).then_some(length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_quotes_everything_but_its_variables() {
        let request = RawRequest {
            method: "POST".to_owned(),
            url: "http://127.0.0.1:1/it's?otp=$CODE_1".to_owned(),
            headers: vec![("authorization".to_owned(), "Bearer $CREDENTIALS_1".to_owned())],
            body: Some(b"{\"a\": \"${CODE_1%?}; `rm` $x $ne\"}".to_vec()),
        };
        assert_eq!(
            curl(&request),
            "curl -sS -i -X POST 'http://127.0.0.1:1/it'\\''s?otp='\"$CODE_1\"'' \
             -H 'authorization: Bearer '\"$CREDENTIALS_1\"'' \
             --data-binary '{\"a\": \"'\"${CODE_1%?}\"'; `rm` $x $ne\"}'"
        );
    }

    #[test]
    fn printf_produces_the_bytes_that_an_argument_cannot_contain() {
        let request = RawRequest {
            method: "POST".to_owned(),
            url: "http://127.0.0.1:1/".to_owned(),
            headers: Vec::new(),
            body: Some(vec![0, 255]),
        };
        assert!(curl(&request).starts_with("printf '\\000\\377' | curl "));
    }
}
