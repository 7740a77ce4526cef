//! Other spellings of a session id that a sloppy server takes for the same. Knows text, and nothing of sessions.

use otp_contract::Contract;

/// What of a spelling is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// White space around it.
    Space,
    /// The case of its letters.
    Case,
    /// Hyphens and braces.
    Hyphens,
    /// What follows a NUL.
    AfterNul,
    /// All of it, where it is `*` or `%`.
    Wildcard,
}

impl Spelling {
    pub(super) fn shows(self, contract: &Contract) -> bool {
        let mint = &contract.verify().session.id_pattern;
        match self {
            Spelling::Case => mint.contains("{uuid}") || mint.contains("{hex:"),
            Spelling::Hyphens => mint.contains("{uuid}"),
            Spelling::Space | Spelling::AfterNul | Spelling::Wildcard => true,
        }
    }

    /// Whether `given` is taken for `id`.
    pub(super) fn is_taken_for(self, given: &str, id: &str) -> bool {
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
