//! A node of a document that remembers the path from the root, so that every error names its place.
//!
//! Uses `error` alone. It never knows what an annotation means.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{ContractError, Problem};

/// The longest chain of references that is followed; real documents have two or three.
const MAX_REFERENCES: usize = 32;

/// A value in a document, and the keys that lead to it.
#[derive(Clone)]
pub(crate) struct DocumentNode<'a> {
    file: &'a str,
    root: &'a Value,
    place: Vec<String>,
    value: &'a Value,
}

impl<'a> DocumentNode<'a> {
    pub(crate) fn new(file: &'a str, root: &'a Value) -> DocumentNode<'a> {
        DocumentNode { file, root, place: Vec::new(), value: root }
    }

    pub(crate) fn value(&self) -> &'a Value {
        self.value
    }

    /// The last key of the path.
    pub(crate) fn key(&self) -> &str {
        self.place.last().map_or("", String::as_str)
    }

    pub(crate) fn error(&self, problem: Problem) -> ContractError {
        ContractError { file: self.file.to_owned(), place: self.place.clone(), problem }
    }

    /// An error: expected `expected`, found this value.
    pub(crate) fn unexpected(&self, expected: impl Into<String>) -> ContractError {
        self.error(Problem::Unexpected { expected: expected.into(), found: describe(self.value) })
    }

    pub(crate) fn object(&self) -> Result<&'a Map<String, Value>, ContractError> {
        self.value.as_object().ok_or_else(|| self.unexpected("an object"))
    }

    pub(crate) fn string(&self) -> Result<&'a str, ContractError> {
        self.value.as_str().ok_or_else(|| self.unexpected("a string"))
    }

    /// The member `name`, after following a `$ref`.
    pub(crate) fn optional(&self, name: &str) -> Result<Option<DocumentNode<'a>>, ContractError> {
        match self.object()?.get(name) {
            Some(value) => self.child(name, value).resolve().map(Some),
            None => Ok(None),
        }
    }

    /// The member `name`, which is required; the error for its absence describes it as `purpose`.
    pub(crate) fn member(&self, name: &str, purpose: &str) -> Result<DocumentNode<'a>, ContractError> {
        self.optional(name)?.ok_or_else(|| {
            self.error(Problem::Missing { member: name.to_owned(), purpose: purpose.to_owned() })
        })
    }

    /// Every member of the object, in order.
    pub(crate) fn members(&self) -> Result<Vec<DocumentNode<'a>>, ContractError> {
        self.object()?.iter().map(|(name, value)| self.child(name, value).resolve()).collect()
    }

    /// Every element of the list, in order.
    pub(crate) fn elements(&self) -> Result<Vec<DocumentNode<'a>>, ContractError> {
        let elements = self.value.as_array().ok_or_else(|| self.unexpected("a list"))?;
        elements
            .iter()
            .enumerate()
            .map(|(index, value)| self.child(&index.to_string(), value).resolve())
            .collect()
    }

    /// Deserializes the value; an error names the place inside the value.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, ContractError> {
        serde_path_to_error::deserialize(self.value).map_err(|error| {
            let mut place = self.place.clone();
            place.extend(error.path().iter().map(ToString::to_string));
            ContractError {
                file: self.file.to_owned(),
                place,
                problem: Problem::Annotation(error.into_inner().to_string()),
            }
        })
    }

    fn child(&self, key: &str, value: &'a Value) -> DocumentNode<'a> {
        let mut place = self.place.clone();
        place.push(key.to_owned());
        DocumentNode { place, value, ..self.clone() }
    }

    /// Follows references until a value that is none.
    fn resolve(self) -> Result<DocumentNode<'a>, ContractError> {
        let mut value = self.value;
        let mut followed: Vec<&str> = Vec::new();
        while let Some(reference) = value.get("$ref") {
            let text = reference.as_str().unwrap_or_default();
            let is_endless = followed.contains(&text) || followed.len() == MAX_REFERENCES;
            followed.push(text);
            let path = || followed.join(" > ");
            if is_endless {
                return Err(self.unexpected(format!("references that end, not {}", path())));
            }
            let Some(target) = text.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer)) else {
                return Err(self.unexpected(format!(
                    "a $ref to a place in this document, such as #/components/parameters/…, not {}",
                    path()
                )));
            };
            value = target;
        }
        Ok(DocumentNode { value, ..self })
    }
}

/// The start of the value as JSON, long enough to recognise it.
fn describe(value: &Value) -> String {
    const MAX_CHARS: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
