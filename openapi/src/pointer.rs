//! JSON pointers (RFC 6901): `/a~1b/0` leads to the keys `a/b` and `0`.
//!
//! Uses nothing of this crate. It never follows a pointer.

/// The keys of a pointer, outermost first; `None` if the text is no pointer.
pub(crate) fn keys(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let tokens = pointer.strip_prefix('/')?.split('/');
    Some(tokens.map(|token| token.replace("~1", "/").replace("~0", "~")).collect())
}

/// A key as a part of a pointer, with its slash.
pub(crate) fn token(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}
