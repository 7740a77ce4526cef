//! What every tool works with, and what it returns. Plain data.

use std::path::Path;

use super::install::Tools;
use crate::document::Document;

/// What a tool works with.
pub(super) struct Context<'a> {
    /// The top folder of the repository.
    pub(super) root: &'a Path,
    pub(super) tools: &'a Tools,
    /// A folder that is removed at the end.
    pub(super) scratch: &'a Path,
    pub(super) documents: &'a [Document],
}

/// What a tool reports for one document.
pub(super) struct Verdict {
    /// The document's path relative to the repository.
    pub(super) file: String,
    /// How much was checked, such as `280 requests`.
    pub(super) extent: String,
    pub(super) problems: Vec<String>,
}
