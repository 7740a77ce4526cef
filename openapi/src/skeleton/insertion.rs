//! Inserts members into the text of a document, before the first member of an object.
//!
//! Uses the positions of document nodes. It never changes what stands in the text.

use serde_json::Value;

use super::Skeleton;
use crate::document_node::DocumentNode;
use crate::problem::Position;

const MODELINE: &str = "# yaml-language-server: $schema=x-otp.schema.json";

/// A member to insert.
pub(super) struct Entry {
    name: String,
    content: Content,
    /// What the member is for; empty if the name says it.
    comment: String,
}

enum Content {
    Value(Value),
    Members(Vec<Entry>),
}

impl Entry {
    pub(super) fn new(name: &str, value: Value, comment: &str) -> Entry {
        Entry { name: name.to_owned(), content: Content::Value(value), comment: comment.to_owned() }
    }

    pub(super) fn nested(name: &str, members: Vec<Entry>) -> Entry {
        Entry { name: name.to_owned(), content: Content::Members(members), comment: String::new() }
    }

    /// The member with one more member inside it.
    pub(super) fn with(mut self, member: Entry) -> Entry {
        if let Content::Members(members) = &mut self.content {
            members.push(member);
        }
        self
    }

    fn value(&self) -> Value {
        match &self.content {
            Content::Value(value) => value.clone(),
            Content::Members(members) => {
                members.iter().map(|member| (member.name.clone(), member.value())).collect()
            }
        }
    }

    /// The lines of the member in block style.
    fn lines(&self, indent: usize, lines: &mut Vec<String>) {
        let pad = " ".repeat(indent);
        match &self.content {
            Content::Value(value) => {
                let comment =
                    if self.comment.is_empty() { String::new() } else { format!("  # {}", self.comment) };
                lines.push(format!("{pad}{}: {}{comment}", plain(&self.name), flow(value)));
            }
            Content::Members(members) => {
                lines.push(format!("{pad}{}:", plain(&self.name)));
                for member in members {
                    member.lines(indent + 2, lines);
                }
            }
        }
    }
}

/// A value in flow style, with quotes where YAML needs them.
fn flow(value: &Value) -> String {
    match value {
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let members: Vec<_> =
                members.iter().map(|(name, value)| format!("{}: {}", plain(name), flow(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::Array(elements) => {
            format!("[{}]", elements.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => plain(text),
        other => other.to_string(),
    }
}

/// A text without quotes if it cannot be mistaken for anything else.
fn plain(text: &str) -> String {
    let is_word = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_- ./".contains(&byte))
        && !text.ends_with(' ');
    let is_reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    match is_word && !is_reserved.contains(&text.to_ascii_lowercase().as_str()) {
        true => text.to_owned(),
        false => Value::from(text).to_string(),
    }
}

/// What is inserted into a text.
pub(super) struct Insertions<'t> {
    text: &'t str,
    has_modeline: bool,
    found: Vec<(Position, Insertion)>,
    remarks: Vec<String>,
}

enum Insertion {
    /// Lines before the line of the position.
    Lines(Vec<String>),
    /// A text at the position.
    Inline(String),
}

impl<'t> Insertions<'t> {
    pub(super) fn new(text: &'t str) -> Insertions<'t> {
        Insertions { text, has_modeline: false, found: Vec::new(), remarks: Vec::new() }
    }

    pub(super) fn remark(&mut self, text: String) {
        self.remarks.push(text);
    }

    /// Tells editors where the schema is. JSON has no comments.
    pub(super) fn add_modeline(&mut self, root: &DocumentNode<'_>) {
        self.has_modeline = !self.is_flow(root.spot().start);
    }

    /// Adds members before the member `name` of `object`.
    pub(super) fn add_before(
        &mut self,
        object: &DocumentNode<'_>,
        member: &DocumentNode<'_>,
        entries: &[Entry],
    ) {
        if let Some(at) = member.spot().key {
            self.insert(at, object.spot().start, entries);
        }
    }

    /// Adds members before the first member of `object`.
    pub(super) fn add(&mut self, object: &DocumentNode<'_>, entries: &[Entry]) {
        match object.spot().children.first().and_then(|child| child.key) {
            Some(at) => self.insert(at, object.spot().start, entries),
            None => self.remark(format!("{} has no members: add x-otp to it", object.place().join(" > "))),
        }
    }

    /// Inserts at `at`, a member of the object that starts at `container`.
    fn insert(&mut self, at: Position, container: Position, entries: &[Entry]) {
        // Two responses that refer to one component share its annotation.
        if self.found.iter().any(|(other, _)| *other == at) {
            return;
        }
        let column = (at.column as usize).saturating_sub(1);
        let is_first = self.line(at).chars().take(column).all(|char| char == ' ');
        let insertion = if is_first && !self.is_flow(container) {
            let mut lines = Vec::new();
            for entry in entries {
                entry.lines(column, &mut lines);
            }
            Insertion::Lines(lines)
        } else {
            let members = entries
                .iter()
                .map(|entry| format!("{}: {}, ", Value::from(entry.name.as_str()), entry.value()));
            Insertion::Inline(members.collect())
        };
        self.found.push((at, insertion));
    }

    fn is_flow(&self, at: Position) -> bool {
        self.line(at).chars().nth((at.column as usize).saturating_sub(1)) == Some('{')
    }

    fn line(&self, at: Position) -> &'t str {
        self.text.lines().nth((at.line as usize).saturating_sub(1)).unwrap_or_default()
    }

    pub(super) fn into_skeleton(mut self) -> Skeleton {
        // From the end, so that what is inserted moves no position that comes later.
        self.found.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let mut lines: Vec<String> = self.text.lines().map(str::to_owned).collect();
        for (at, insertion) in self.found {
            let index = (at.line as usize).saturating_sub(1).min(lines.len());
            match insertion {
                Insertion::Lines(new) => {
                    lines.splice(index..index, new);
                }
                Insertion::Inline(text) => {
                    if let Some(line) = lines.get_mut(index) {
                        let column = (at.column as usize).saturating_sub(1);
                        let byte = line.char_indices().nth(column).map_or(line.len(), |(byte, _)| byte);
                        line.insert_str(byte, &text);
                    }
                }
            }
        }
        if self.has_modeline {
            lines.insert(0, MODELINE.to_owned());
        }
        lines.push(String::new());
        Skeleton { text: lines.join("\n"), remarks: self.remarks }
    }
}
