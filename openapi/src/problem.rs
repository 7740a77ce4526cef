//! What is wrong with a document. Each problem names its place, the line and column of it, and what is expected there.
//!
//! Uses `pointer` alone.

use std::fmt;

use serde::Serialize;

use crate::pointer::token;

/// A document that cannot be read as a contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ContractError {
    /// The file, as the caller named it.
    pub file: String,
    /// What is wrong with it, in the order of the text; at least one problem.
    pub problems: Vec<Problem>,
}

/// The first problem in one line, and how many more there are.
impl fmt::Display for ContractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.problems.first() else { return f.write_str(&self.file) };
        write!(f, "{}", first.in_file(&self.file))?;
        match self.problems.len() - 1 {
            0 => Ok(()),
            1 => f.write_str(" (`lint` lists one more problem)"),
            more => write!(f, " (`lint` lists {more} more problems)"),
        }
    }
}

impl ContractError {
    /// An error about the file as a whole.
    pub(crate) fn whole(file: &str, kind: ProblemKind) -> ContractError {
        let problem = Problem { place: Vec::new(), position: None, kind };
        ContractError { file: file.to_owned(), problems: vec![problem] }
    }
}

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The keys that lead to the place, outermost first; empty for the whole document.
    pub place: Vec<String>,
    /// Where the place is in the text, if the problem is in the text.
    pub position: Option<Position>,
    /// What is wrong there.
    pub kind: ProblemKind,
}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
}

/// What is wrong at one place of a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// The file could not be opened or read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The text is longer than any contract.
    #[error("expected at most {limit} bytes, found {found}")]
    TooLong {
        /// The largest number of bytes that is read.
        limit: usize,
        /// The number of bytes of the text.
        found: usize,
    },
    /// The text is not YAML, or has no meaning in JSON.
    #[error("not valid YAML: {0}")]
    NotYaml(String),
    /// The document is not valid OpenAPI.
    #[error("not valid OpenAPI 3.0: {0}")]
    NotOpenApi(String),
    /// A required member is absent.
    #[error("expected a member `{member}`: {purpose}")]
    Missing {
        /// The missing member.
        member: String,
        /// What the member describes.
        purpose: String,
    },
    /// A member has another value than expected.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What is allowed there.
        expected: String,
        /// The value in the document.
        found: String,
    },
    /// An annotation does not have the documented form; the message is the deserializer's.
    #[error("{0}")]
    Annotation(String),
    /// A value is not as its schema says: that of the annotations, or the document's own for an example.
    #[error("{0}")]
    Schema(String),
    /// No contract of this vendor is built in.
    #[error("no vendor `{asked}` is known; known are {known}")]
    UnknownVendor {
        /// The requested name.
        asked: String,
        /// The built-in names.
        known: String,
    },
}

impl Problem {
    /// The place as a JSON pointer, such as `/paths/~1verify/post/x-otp`; empty for the whole document.
    pub fn pointer(&self) -> String {
        self.place.iter().map(|key| token(key)).collect()
    }

    /// The problem in one line that starts with `file`, as compilers write it: `mine.yaml:12:5: …`. Control characters of the
    /// document are escaped.
    pub fn in_file<'a>(&'a self, file: &'a str) -> impl fmt::Display + 'a {
        InFile { problem: self, file }
    }
}

/// The problems in the order of the text. A mistake in a value that aliases repeat is one problem.
pub(crate) fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| problem.position);
    let mut found: Vec<Problem> = Vec::new();
    for problem in problems {
        let is_same = |other: &Problem| other.position == problem.position && other.kind == problem.kind;
        if problem.position.is_none()
            || !found.iter().rev().take_while(|other| other.position == problem.position).any(is_same)
        {
            found.push(problem);
        }
    }
    found
}

struct InFile<'a> {
    problem: &'a Problem,
    file: &'a str,
}

impl fmt::Display for InFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = |text: String| -> String {
            text.chars()
                .map(|char| if char.is_control() { char.escape_default().to_string() } else { char.into() })
                .collect()
        };
        f.write_str(&escaped(self.file.to_owned()))?;
        if let Some(Position { line, column }) = self.problem.position {
            write!(f, ":{line}:{column}")?;
        }
        f.write_str(": ")?;
        if !self.problem.place.is_empty() {
            write!(f, "at {}: ", escaped(self.problem.pointer()))?;
        }
        f.write_str(&escaped(self.problem.kind.to_string()))
    }
}
