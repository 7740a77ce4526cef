//! A node of a document that knows its place, so that every problem names it.
//!
//! Uses `yaml`, `pointer` and `problem`. It never knows what an annotation means.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::pointer;
use crate::problem::{Problem, ProblemKind};
use crate::yaml::{self, Spot, Tree};

/// The longest chain of references that is followed; real documents have two or three.
const MAX_REFERENCES: usize = 32;

/// A value in a document, and the keys that lead to it.
#[derive(Clone)]
pub(crate) struct DocumentNode<'a> {
    tree: &'a Tree,
    /// The keys from the top of the document. Behind a reference they are those of the value that it leads to.
    place: Vec<String>,
    /// The key under which the node was reached.
    key: String,
    value: &'a Value,
    spot: &'a Spot,
}

impl<'a> DocumentNode<'a> {
    pub(crate) fn new(tree: &'a Tree) -> DocumentNode<'a> {
        DocumentNode { tree, place: Vec::new(), key: String::new(), value: &tree.value, spot: &tree.spot }
    }

    pub(crate) fn value(&self) -> &'a Value {
        self.value
    }

    pub(crate) fn place(&self) -> &[String] {
        &self.place
    }

    /// The keys that lead to the object around this value.
    pub(crate) fn parent(&self) -> &[String] {
        self.place.split_last().map_or(&[], |(_, parent)| parent)
    }

    pub(crate) fn spot(&self) -> &'a Spot {
        self.spot
    }

    /// The last key of the path.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn error(&self, kind: ProblemKind) -> Problem {
        Problem { place: self.place.clone(), position: Some(self.spot.position), kind }
    }

    /// A problem: expected `expected`, found this value.
    pub(crate) fn unexpected(&self, expected: impl Into<String>) -> Problem {
        self.error(ProblemKind::Unexpected { expected: expected.into(), found: describe(self.value) })
    }

    /// A problem: expected `expected` for the key of this value, found the key.
    pub(crate) fn unexpected_key(&self, expected: impl Into<String>) -> Problem {
        self.error(ProblemKind::Unexpected { expected: expected.into(), found: format!("`{}`", self.key) })
    }

    /// A problem: a member `name` is absent, which describes `purpose`.
    pub(crate) fn missing(&self, name: impl Into<String>, purpose: impl Into<String>) -> Problem {
        self.error(ProblemKind::Missing { member: name.into(), purpose: purpose.into() })
    }

    pub(crate) fn object(&self) -> Result<&'a Map<String, Value>, Problem> {
        self.value.as_object().ok_or_else(|| self.unexpected("an object"))
    }

    pub(crate) fn string(&self) -> Result<&'a str, Problem> {
        self.value.as_str().ok_or_else(|| self.unexpected("a string"))
    }

    /// The member `name`, after following a `$ref`.
    pub(crate) fn optional(&self, name: &str) -> Result<Option<DocumentNode<'a>>, Problem> {
        self.object()?;
        match yaml::child((self.value, self.spot), name) {
            Some((value, spot)) => self.child(name, value, spot).resolve().map(Some),
            None => Ok(None),
        }
    }

    /// The member `name`, which is required; the error for its absence describes it as `purpose`.
    pub(crate) fn member(&self, name: &str, purpose: &str) -> Result<DocumentNode<'a>, Problem> {
        self.optional(name)?.ok_or_else(|| self.missing(name, purpose))
    }

    /// A problem for each member that is none of `names`.
    pub(crate) fn unknown_members(&self, names: &[&str]) -> Result<Vec<Problem>, Problem> {
        let unknown = self.object()?.keys().filter(|name| !names.contains(&name.as_str()));
        let problem = |name: &String| {
            let expected = format!("one of the members {}", names.join(", "));
            Problem {
                place: self.place.iter().chain([name]).cloned().collect(),
                position: Some(yaml::position_below((self.value, self.spot), [name.as_str()])),
                kind: ProblemKind::Unexpected { expected, found: format!("`{name}`") },
            }
        };
        Ok(unknown.map(problem).collect())
    }

    /// Deserializes the member `name`; its default if it is absent.
    pub(crate) fn read_or_default<T: DeserializeOwned + Default>(&self, name: &str) -> Result<T, Problem> {
        self.optional(name)?.map_or_else(|| Ok(T::default()), |member| member.read())
    }

    /// Every member of the object, in order.
    pub(crate) fn members(&self) -> Result<Vec<DocumentNode<'a>>, Problem> {
        let members = self.object()?.iter().zip(&self.spot.children);
        members.map(|((name, value), spot)| self.child(name, value, spot).resolve()).collect()
    }

    /// Every element of the list, in order.
    pub(crate) fn elements(&self) -> Result<Vec<DocumentNode<'a>>, Problem> {
        let elements = self.value.as_array().ok_or_else(|| self.unexpected("a list"))?;
        let elements = elements.iter().zip(&self.spot.children).enumerate();
        elements.map(|(index, (value, spot))| self.child(&index.to_string(), value, spot).resolve()).collect()
    }

    /// The member of this object, or the value below it, to which a problem inside it belongs; this node if there is none.
    pub(crate) fn inner(&self, name: &str) -> DocumentNode<'a> {
        self.optional(name).ok().flatten().unwrap_or_else(|| self.clone())
    }

    /// Deserializes the value; a problem names the place inside the value.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_path_to_error::deserialize(self.value).map_err(|error| {
            let inner: Vec<String> = error.path().iter().map(ToString::to_string).collect();
            let start = (self.value, self.spot);
            let position = yaml::position_below(start, inner.iter().map(String::as_str));
            let place = self.place.iter().cloned().chain(inner).collect();
            let kind = ProblemKind::Annotation(error.into_inner().to_string());
            Problem { place, position: Some(position), kind }
        })
    }

    fn child(&self, key: &str, value: &'a Value, spot: &'a Spot) -> DocumentNode<'a> {
        let mut place = self.place.clone();
        place.push(key.to_owned());
        DocumentNode { tree: self.tree, place, key: key.to_owned(), value, spot }
    }

    /// Follows references until a value that is none.
    fn resolve(self) -> Result<DocumentNode<'a>, Problem> {
        let mut node = self.clone();
        let mut followed: Vec<&str> = Vec::new();
        while let Some(reference) = node.value.get("$ref") {
            let text = reference.as_str().unwrap_or_default();
            let is_endless = followed.contains(&text) || followed.len() == MAX_REFERENCES;
            followed.push(text);
            let path = || followed.join(" > ");
            if is_endless {
                return Err(self.unexpected(format!("references that end, not {}", path())));
            }
            let place: Option<Vec<String>> = text.strip_prefix('#').and_then(pointer::keys);
            let target = place.and_then(|place| {
                let found = self.tree.at(place.iter().map(String::as_str));
                found.map(|(value, spot)| (place, value, spot))
            });
            let Some((place, value, spot)) = target else {
                return Err(self.unexpected(format!(
                    "a $ref to a place in this document, such as #/components/parameters/…, not {}",
                    path()
                )));
            };
            node = DocumentNode { place, value, spot, ..node };
        }
        Ok(node)
    }
}

/// The start of the value as JSON, long enough to recognise it.
pub(crate) fn describe(value: &Value) -> String {
    const MAX_CHARS: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
