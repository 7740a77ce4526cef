//! Builds the tree from the parser's events: anchors, merge keys, and the bounds of depth and size.
//!
//! Uses `scalar`. It never reads the text itself.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScanError, Tag};
use serde_json::{Map, Value};

use super::scalar::{core_tag, resolve, unknown_tag};
use super::{MAX_DEPTH, MAX_PROBLEMS, MAX_VALUES, Spot, Tree};
use crate::problem::{Position, Problem, ProblemKind};

pub(super) fn build(text: &str) -> (Option<Tree>, Vec<Problem>) {
    // A byte order mark is no part of a document.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let step = match event {
            Ok((event, span)) => builder.take(event, position(span.start)),
            Err(error) => Err(syntax(&error)),
        };
        if let Err(problem) = step {
            builder.problems.push(problem);
            return (None, builder.problems);
        }
    }
    // An empty text is the empty value.
    let empty = || (Value::Null, Spot::new(Position { line: 1, column: 1 }, Vec::new()));
    let (value, spot) = builder.root.take().unwrap_or_else(empty);
    (Some(Tree { value, spot }), builder.problems)
}

fn syntax(error: &ScanError) -> Problem {
    problem(position(*error.marker()), error.info().to_owned())
}

fn problem(position: Position, text: String) -> Problem {
    Problem { place: Vec::new(), position: Some(position), kind: ProblemKind::NotYaml(text) }
}

fn position(mark: Marker) -> Position {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Position { line: number(mark.line()), column: number(mark.col() + 1) }
}

/// A list or an object whose end has not come yet.
struct Open {
    anchor: usize,
    position: Position,
    /// How many values the document had before this one.
    before: usize,
    content: Content,
    spots: Vec<Spot>,
}

enum Content {
    List(Vec<Value>),
    Object { members: Map<String, Value>, keys: Vec<Position>, key: Option<Key>, merged: Vec<(Value, Spot)> },
}

struct Key {
    text: String,
    position: Position,
    is_merge: bool,
}

/// A value that an alias may repeat.
struct Anchored {
    value: Value,
    spot: Spot,
    size: usize,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    root: Option<(Value, Spot)>,
    values: usize,
    problems: Vec<Problem>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, at: Position) -> Result<(), Problem> {
        if self.problems.len() >= MAX_PROBLEMS {
            return Err(problem(at, "too many problems; the rest of the text was not read".to_owned()));
        }
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(problem(at, "expected one document, found a second one".to_owned()))
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
            Event::Alias(anchor) => self.repeat(anchor, at),
            Event::Scalar(text, style, anchor, tag) => {
                if self.expects_key() {
                    let is_merge = text == "<<" && style == saphyr_parser::ScalarStyle::Plain;
                    if anchor > 0 {
                        let spot = Spot::new(at, Vec::new());
                        let value = Value::String(text.clone().into_owned());
                        self.anchors.insert(anchor, Anchored { value, spot, size: 1 });
                    }
                    self.key(Key { text: text.into_owned(), position: at, is_merge });
                    return Ok(());
                }
                let value = resolve(&text, style, tag.as_deref()).unwrap_or_else(|text| {
                    self.problems.push(problem(at, text));
                    Value::Null
                });
                self.count(1, at)?;
                let spot = Spot::new(at, Vec::new());
                self.finish(value, spot, anchor, 1);
                Ok(())
            }
            Event::SequenceStart(anchor, tag) => {
                self.start(Content::List(Vec::new()), anchor, tag.as_deref(), "seq", at)
            }
            Event::MappingStart(anchor, tag) => {
                let content =
                    Content::Object { members: Map::new(), keys: Vec::new(), key: None, merged: Vec::new() };
                self.start(content, anchor, tag.as_deref(), "map", at)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.end();
                Ok(())
            }
        }
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Object { key: None, .. }, .. }))
    }

    fn key(&mut self, found: Key) {
        if let Some(Open { content: Content::Object { key, .. }, .. }) = self.open.last_mut() {
            *key = Some(found);
        }
    }

    fn count(&mut self, more: usize, at: Position) -> Result<(), Problem> {
        self.values = self.values.saturating_add(more);
        if self.values <= MAX_VALUES {
            return Ok(());
        }
        Err(problem(at, format!("expected at most {MAX_VALUES} values, with each alias as what it repeats")))
    }

    fn start(
        &mut self,
        content: Content,
        anchor: usize,
        tag: Option<&Tag>,
        kind: &str,
        at: Position,
    ) -> Result<(), Problem> {
        if self.expects_key() {
            return Err(problem(at, "expected a key that is a text, found a list or an object".to_owned()));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(problem(at, format!("expected at most {MAX_DEPTH} levels of lists and objects")));
        }
        if let Some(tag) = tag
            && core_tag(tag) != Some(kind)
        {
            self.problems.push(problem(at, unknown_tag(tag)));
        }
        let before = self.values;
        self.count(1, at)?;
        self.open.push(Open { anchor, position: at, before, content, spots: Vec::new() });
        Ok(())
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let mut spot = Spot::new(open.position, open.spots);
        let value = match open.content {
            Content::List(elements) => Value::Array(elements),
            Content::Object { mut members, merged, .. } => {
                for (source, spots) in merged {
                    self.merge(&mut members, &mut spot.children, source, &spots);
                }
                Value::Object(members)
            }
        };
        self.finish(value, spot, open.anchor, self.values - open.before);
    }

    /// Adds the members of `source`, or of each of its elements, that the object does not have.
    fn merge(
        &mut self,
        members: &mut Map<String, Value>,
        children: &mut Vec<Spot>,
        source: Value,
        spot: &Spot,
    ) {
        match source {
            Value::Object(more) => {
                for ((name, value), place) in more.into_iter().zip(&spot.children) {
                    if !members.contains_key(&name) {
                        members.insert(name, value);
                        children.push(place.clone());
                    }
                }
            }
            Value::Array(sources) if sources.iter().all(Value::is_object) => {
                for (source, place) in sources.into_iter().zip(&spot.children) {
                    self.merge(members, children, source, place);
                }
            }
            _ => {
                let text = "expected an object, or a list of objects, for the merge key `<<`";
                self.problems.push(problem(spot.position, text.to_owned()));
            }
        }
    }

    fn repeat(&mut self, anchor: usize, at: Position) -> Result<(), Problem> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(problem(at, "an alias stands inside the value that it repeats".to_owned()));
        };
        if self.expects_key() {
            let Value::String(text) = &anchored.value else {
                return Err(problem(at, "expected an alias of a text for a key".to_owned()));
            };
            let key = Key { text: text.clone(), position: at, is_merge: false };
            self.key(key);
            return Ok(());
        }
        let size = anchored.size;
        // Before the copy is made, so that nothing is built that is too large.
        self.count(size, at)?;
        let Some(anchored) = self.anchors.get(&anchor) else { return Ok(()) };
        let (value, spot) = (anchored.value.clone(), anchored.spot.clone());
        self.finish(value, spot, 0, size);
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn finish(&mut self, value: Value, mut spot: Spot, anchor: usize, size: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, Anchored { value: value.clone(), spot: spot.clone(), size });
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some((value, spot));
            return;
        };
        match &mut open.content {
            Content::List(elements) => {
                elements.push(value);
                open.spots.push(spot);
            }
            Content::Object { members, keys, key, merged } => {
                let Some(key) = key.take() else { return };
                if key.is_merge && merged.is_empty() {
                    merged.push((value, spot));
                    return;
                }
                if key.is_merge || members.contains_key(&key.text) {
                    let index = members.keys().position(|name| *name == key.text);
                    let first = index.and_then(|index| keys.get(index)).unwrap_or(&open.position);
                    let text = format!("the key `{}` stands twice, first in line {}", key.text, first.line);
                    self.problems.push(problem(key.position, text));
                    return;
                }
                spot.key = Some(key.position);
                if value.is_object() || value.is_array() {
                    spot.position = key.position;
                }
                keys.push(key.position);
                members.insert(key.text, value);
                open.spots.push(spot);
            }
        }
    }
}
