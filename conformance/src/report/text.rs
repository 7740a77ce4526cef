//! Makes text harmless that a server or a document chose: what it contains can neither start a line of its own nor control
//! a terminal, and a reader sees every character of it.
//!
//! May use nothing of the project. It must not know any format: a format also escapes what is special in its own syntax.

use std::fmt::Write;

/// `text` on one line: control characters and line ends are spelled, as in `\u001b` and `\n`.
pub(super) fn one_line(text: &str) -> String {
    spelled(text, |character| match character {
        '\n' => Some("\\n"),
        '\r' => Some("\\r"),
        '\t' => Some("\\t"),
        _ => None,
    })
}

/// `text` with its line feeds and tabs; other control characters are spelled.
pub(super) fn lines(text: &str) -> String {
    spelled(text, |character| match character {
        '\n' => Some("\n"),
        '\t' => Some("\t"),
        '\r' => Some("\\r"),
        _ => None,
    })
}

/// The first `chars` characters of a longer text, and how many are missing.
pub(super) fn clipped(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => {
            let missing = text[end..].chars().count();
            format!("{}… ({missing} more characters)", &text[..end])
        }
        None => text.to_owned(),
    }
}

/// `text` on lines of at most `width` characters. A line ends after a space or a separator; only a word that is longer than
/// a line is broken.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_inclusive([' ', ',', ';', '&', '?']).flat_map(|word| parts(word, width)) {
        let mut word = word;
        let visible = word.trim_end().chars().count();
        if length > 0 && length + visible > width {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            length = 0;
        }
        while word.trim_end().chars().count() > width {
            let end = word.char_indices().nth(width).map_or(word.len(), |(end, _)| end);
            lines.push(word[..end].to_owned());
            word = &word[end..];
        }
        line.push_str(word);
        length += word.chars().count();
    }
    if !line.trim_end().is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// A word, or the segments of a path that is longer than a line.
fn parts(word: &str, width: usize) -> Vec<&str> {
    match word.trim_end().chars().count() > width {
        true => word.split_inclusive('/').collect(),
        false => vec![word],
    }
}

fn spelled(text: &str, short: impl Fn(char) -> Option<&'static str>) -> String {
    let mut result = String::with_capacity(text.len());
    for character in text.chars() {
        match short(character) {
            Some(spelling) => result.push_str(spelling),
            None if is_invisible(character) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a `String` cannot fail.
                    let _ = write!(result, "\\u{unit:04x}");
                }
            }
            None => result.push(character),
        }
    }
    result
}

/// Control characters, other line ends, what changes the direction of text, and what is no character at all.
fn is_invisible(character: char) -> bool {
    let code = u32::from(character);
    character.is_control()
        || matches!(code, 0x061c | 0x200b | 0x200e | 0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff)
        || matches!(code, 0xfdd0..=0xfdef | 0xe0000..=0xe007f)
        || code & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_would_not_see_is_spelled() {
        let text = "a\u{1b}[31m\r\n\u{0}\u{85}\u{202e}\u{ffff}\u{1fffe}é😀";
        assert_eq!(one_line(text), "a\\u001b[31m\\r\\n\\u0000\\u0085\\u202e\\uffff\\ud83f\\udffeé😀");
        assert_eq!(lines("a\r\n\tb\u{b}"), "a\\r\n\tb\\u000b");
    }

    #[test]
    fn a_line_ends_between_words_and_never_holds_more_than_fits() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("{\"a\":1,\"b\":2}", 8), ["{\"a\":1,", "\"b\":2}"]);
        assert_eq!(wrapped("a 123456789 b", 4), ["a", "1234", "5678", "9 b"]);
        assert_eq!(wrapped("", 4), [""]);
    }

    #[test]
    fn a_long_text_is_clipped_between_characters() {
        assert_eq!(clipped("ééééé", 2), "éé… (3 more characters)");
        assert_eq!(clipped("éé", 2), "éé");
    }
}
