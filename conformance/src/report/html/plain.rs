//! Text from a server or a document, and how much of it a page shows.
//!
//! May use `text`. It must not produce markup.

use crate::report::text::{clipped, lines, one_line};

/// The longest text of one line, in characters. The JSON report has all of it.
const MAX_INLINE_CHARS: usize = 2_000;

/// The longest text in a list or a heading.
const MAX_BRIEF_CHARS: usize = 200;

/// The longest body, in characters.
const MAX_BLOCK_CHARS: usize = 20_000;

/// The longest command line or script. One that ends inside its quotes would run what follows, so that it is shown whole or
/// not at all.
const MAX_COMMAND_BYTES: usize = 64 * 1_024;

/// A text on one line.
pub(super) fn inline(text: &str) -> String {
    clipped(&one_line(text), MAX_INLINE_CHARS)
}

/// A text on one line of a list.
pub(super) fn brief(text: &str) -> String {
    clipped(&one_line(text), MAX_BRIEF_CHARS)
}

/// A text with its lines.
pub(super) fn block(text: &str) -> String {
    clipped(&lines(text), MAX_BLOCK_CHARS)
}

/// A command line or a script.
pub(super) fn command(text: &str) -> String {
    match text.len() {
        ..=MAX_COMMAND_BYTES => lines(text.trim_end()),
        length => format!("# {length} bytes; the JSON report has them"),
    }
}

/// A number with its noun.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The texts in order, each once.
pub(super) fn distinct(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut distinct = Vec::new();
    for text in texts {
        if !distinct.contains(&text) {
            distinct.push(text);
        }
    }
    distinct
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_whole_or_absent() {
        assert_eq!(command("a\r\n\u{1b}b\n"), "a\\r\n\\u001bb");
        assert_eq!(command(&"a".repeat(MAX_COMMAND_BYTES + 1)), "# 65537 bytes; the JSON report has them");
    }

    #[test]
    fn a_long_text_says_how_much_is_missing() {
        assert!(block(&"a".repeat(MAX_BLOCK_CHARS + 7)).ends_with("a… (7 more characters)"));
        assert_eq!(brief("a\nb"), "a\\nb");
    }

    #[test]
    fn a_number_has_its_noun() {
        assert_eq!([count(0, "call", "calls"), count(1, "call", "calls")], ["0 calls", "1 call"]);
    }
}
