//! Spellings of a session id that a careless server accepts as the id. This module compares text; it must know
//! nothing of sessions.

/// What a careless lookup ignores in a session id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Spelling {
    /// White space around it.
    Space,
    /// The case of its letters.
    Case,
    /// Hyphens and braces.
    Hyphens,
    /// Everything after a NUL.
    AfterNul,
    /// All of it, if it is `*` or `%`.
    Wildcard,
}

impl Spelling {
    /// Whether the lookup accepts `given` as `id`.
    pub(super) fn accepts(self, given: &str, id: &str) -> bool {
        let bare = |text: &str| text.replace(['-', '{', '}'], "");
        match self {
            Spelling::Space => given.trim() == id,
            Spelling::Case => given.eq_ignore_ascii_case(id),
            Spelling::Hyphens => bare(given) == bare(id),
            Spelling::AfterNul => given.split('\0').next() == Some(id),
            Spelling::Wildcard => given == "*" || given == "%",
        }
    }
}
