//! `matrix`: every documented response of the contracts, operation by operation.

use std::path::PathBuf;

use otp_contract::{
    Backing, Call, Cell, Cited, Contract, Fact, Location, Operation, PathTemplate, Place, ResultPlace, Role,
    Source,
};
use serde_json::json;

use super::format::{TableFormat, pretty};
use super::init::control::credential_parts;
use super::subject::contracts;
use crate::error::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The vendors; all if none is named
    vendors: Vec<String>,
    /// The format
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    format: TableFormat,
    /// The annotated document of another API
    #[arg(long, value_name = "FILE.yaml")]
    contract: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<String, Failure> {
    let contracts = contracts(&arguments.vendors, &arguments.contract)?;
    let sections: Vec<Section<'_>> = contracts.iter().flat_map(Section::all).collect();
    Ok(match arguments.format {
        TableFormat::Text => sections.iter().map(as_text).collect::<Vec<_>>().join("\n"),
        TableFormat::Markdown => sections.iter().map(as_markdown).collect::<Vec<_>>().join("\n"),
        TableFormat::Json => {
            let rows =
                sections.iter().flat_map(|section| section.cells.iter().map(|cell| row(section, cell)));
            pretty(rows.collect())
        }
    })
}

/// One operation of a contract.
struct Section<'c> {
    contract: &'c Contract,
    role: Role,
    method: &'c str,
    path: &'c PathTemplate,
    cells: &'c [Cell],
    /// Everything else that the contract says, with what stands behind it.
    facts: Vec<(String, Option<Backing>)>,
}

impl<'c> Section<'c> {
    /// The operations of a contract, in the order in which a session meets them.
    fn all(contract: &'c Contract) -> Vec<Section<'c>> {
        let mut sections: Vec<_> =
            contract.calls.iter().map(|call| Section::of_call(contract, call)).collect();
        sections
            .extend(contract.operations().iter().map(|operation| Section::of_verify(contract, operation)));
        sections.sort_by_key(|section| section.role);
        if let Some(first) = sections.first_mut() {
            first.facts.extend(sending_facts(contract));
        }
        sections
    }

    fn of_verify(contract: &'c Contract, operation: &'c Operation) -> Section<'c> {
        let policy = &contract.policy;
        let mut facts = request_facts(&operation.facts);
        let lifetime = format!("lifetime of {} seconds", policy.lifetime.seconds);
        facts.push((lifetime, Some(policy.lifetime.backing.clone())));
        facts.extend(
            policy
                .attempts
                .as_ref()
                .map(|limit| (format!("limit of {} wrong codes", limit.limit), Some(limit.backing.clone()))),
        );
        facts.extend(control_names(operation).map(|name| (name, None)));
        Section {
            contract,
            role: operation.role,
            method: &operation.method,
            path: &operation.path,
            cells: &operation.cells,
            facts,
        }
    }

    fn of_call(contract: &'c Contract, call: &'c Call) -> Section<'c> {
        let mut facts = request_facts(&call.facts);
        facts.extend(call.recipients.iter().map(|recipient| {
            (format!("recipient in {} ({})", place(&recipient.location), recipient.form.as_str()), None)
        }));
        facts.extend(call.session.iter().map(|location| (format!("session in {}", place(location)), None)));
        facts.extend(call.result.as_ref().map(|result| {
            let found = match &result.session {
                ResultPlace::Body(pointer) => pointer.clone(),
                ResultPlace::Header(name) => format!("header {name}"),
            };
            let text = format!("session id at {found}, {} on a second send", result.again.as_str());
            (text, Some(result.backing.clone()))
        }));
        Section {
            contract,
            role: call.role,
            method: &call.method,
            path: &call.path,
            cells: &call.cells,
            facts,
        }
    }
}

/// What a control returns for an account.
fn control_names(operation: &Operation) -> impl Iterator<Item = String> {
    let parameters = operation.accounts.iter().map(|account| format!("control: parameter {}", account.name));
    let credentials = operation.security.iter().map(|scheme| {
        let parts = credential_parts(&scheme.scheme).join(", ");
        format!("control: credentials {} {{{parts}}}", scheme.name)
    });
    parameters.chain(credentials)
}

fn place(location: &Location) -> String {
    let part = match location.place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Body => "body",
        Place::Form => "form",
    };
    format!("{part} {}", location.name)
}

fn request_facts(facts: &std::collections::BTreeMap<Fact, Backing>) -> Vec<(String, Option<Backing>)> {
    let named = Fact::ALL.into_iter().filter_map(|fact| {
        let backing = facts.get(&fact)?.clone();
        Some((fact.as_str().replace('_', " "), Some(backing)))
    });
    named.collect()
}

/// The rules for sending codes that the contract states.
fn sending_facts(contract: &Contract) -> Vec<(String, Option<Backing>)> {
    fn fact<T>(rule: Option<&Cited<T>>, text: impl Fn(&T) -> String) -> Option<(String, Option<Backing>)> {
        rule.map(|rule| (text(&rule.value), Some(rule.backing.clone())))
    }
    let sending = &contract.policy.sending;
    [
        fact(sending.cooldown.as_ref(), |seconds| format!("{seconds} seconds between two sends")),
        fact(sending.send_limit.as_ref(), |limit| {
            format!("{} sends in {} seconds", limit.count, limit.window_seconds)
        }),
        fact(sending.resend_limit.as_ref(), |count| format!("{count} resends")),
        fact(sending.code_on_resend.as_ref(), |code| format!("code on resend: {}", code.as_str())),
        fact(sending.lifetime_on_resend.as_ref(), |lifetime| {
            format!("lifetime on resend: {}", lifetime.as_str())
        }),
        fact(sending.older_code.as_ref(), |code| format!("older code after a send: {}", code.as_str())),
        fact(sending.check_interval.as_ref(), |seconds| format!("{seconds} seconds between two checks")),
        fact(sending.reuse.as_ref(), |reuse| format!("reuse of an open session: {reuse}")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn as_text(section: &Section<'_>) -> String {
    let Section { contract, role, method, path, .. } = section;
    let mut table = format!("{}  {role}  {method} {path}\n", contract.vendor);
    for cell in section.cells {
        table.push_str(&format!(
            "  {:<28}{:<20}{:<5}{:<12}{:<6}{}\n",
            cell.name,
            cell.outcome,
            cell.status,
            cell.certainty_in_words(),
            if cell.alternative { "or" } else { "" },
            cell.source.section,
        ));
    }
    for (name, backing) in &section.facts {
        let (certainty, source) = match backing {
            Some(backing) => (backing.certainty.as_str(), backing.source.section.as_str()),
            None => ("", ""),
        };
        // Names that are longer than the column still end before the certainty.
        table.push_str(format!("  {name:<51}  {certainty:<18}{source}").trim_end());
        table.push('\n');
    }
    table
}

fn as_markdown(section: &Section<'_>) -> String {
    let Section { contract, role, method, path, .. } = section;
    let mut table = format!(
        "### {}: {role}\n\n`{method} {path}`\n\n| cell | outcome | HTTP | body | certainty | source |\n|---|---|---|---|---|---|\n",
        contract.name
    );
    for cell in section.cells {
        let body = match (&cell.media_type, cell.body_specified) {
            (None, _) => "none".to_owned(),
            (Some(_), false) => "any".to_owned(),
            (Some(_), true) => format!("`{}`", cell.body),
        };
        table.push_str(&format!(
            "| `{}`{} | {} | {} | {} | {} | {} |\n",
            cell.name,
            if cell.alternative { " (or)" } else { "" },
            cell.outcome,
            cell.status,
            body.replace('|', "\\|"),
            cell.certainty_in_words(),
            cited(&cell.source),
        ));
    }
    table.push_str("\n| fact | certainty | source |\n|---|---|---|\n");
    for (name, backing) in &section.facts {
        let (certainty, source) = match backing {
            Some(backing) => (backing.certainty.as_str(), cited(&backing.source)),
            None => ("", String::new()),
        };
        table.push_str(&format!("| {name} | {certainty} | {source} |\n"));
    }
    table
}

/// The document and the section, as a table cell.
fn cited(source: &Source) -> String {
    format!("{}: {}", source.document, source.section).replace('|', "\\|")
}

fn row(section: &Section<'_>, cell: &Cell) -> serde_json::Value {
    let situations: Vec<_> = cell.situations.iter().map(|situation| situation.as_str()).collect();
    let headers = cell.headers.iter().map(|field| {
        let fact = json!({ "value": field.example, "certainty": field.backing.certainty });
        (field.name.clone(), fact)
    });
    json!({
        "vendor": section.contract.vendor,
        "role": section.role,
        "cell": cell.name,
        "outcome": cell.outcome,
        "status": cell.status.to_string(),
        "body": cell.body_specified.then_some(&cell.body),
        "headers": headers.collect::<serde_json::Map<_, _>>(),
        "situations": situations,
        "mode": cell.mode,
        "alternative": cell.alternative,
        "certainty": cell.certainty,
        "facts": {
            "status": cell.facts.status.certainty,
            "body": cell.facts.body.certainty,
            "situations": cell
                .facts
                .situations
                .iter()
                .map(|(situation, backing)| (situation.to_string(), json!(backing.certainty)))
                .collect::<serde_json::Map<_, _>>(),
        },
        "source": cell.source,
        "note": cell.note,
    })
}
