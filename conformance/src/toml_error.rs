//! Says where and how a TOML file is wrong, without repeating a line of it, which may contain a secret.
//!
//! Every module may use this one, and it must not use any of them.

/// The parser's message with line and column, but without its excerpt of the line.
pub(crate) fn one_line(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().replace('\n', " ");
    let message = match closest_key(&message) {
        Some(key) => format!("{message}; did you mean `{key}`?"),
        None => message,
    };
    match error.span() {
        Some(span) => format!("{}: {message}", place(text, span.start)),
        None => message,
    }
}

/// The line and the column of a byte.
pub(crate) fn place(text: &str, byte: usize) -> String {
    let before = text.get(..byte).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}

/// The key that is most similar to an unknown one, among those that the parser's message lists after it.
fn closest_key(message: &str) -> Option<&str> {
    /// Below this, two names have little in common.
    const SIMILAR: f64 = 0.8;
    let mut names = message.strip_prefix("unknown field `")?.split('`').step_by(2);
    let unknown = names.next()?;
    let rank = |name: &&str| strsim::jaro_winkler(unknown, name);
    let best = names.max_by(|one, other| rank(one).total_cmp(&rank(other)))?;
    (rank(&best) > SIMILAR).then_some(best)
}
