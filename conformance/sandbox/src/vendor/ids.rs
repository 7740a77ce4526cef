//! Generates ids and secrets from patterns such as `ver_{hex:32}`.

use ring::rand::{SecureRandom, SystemRandom};

/// Fills a buffer with random bytes; `None` if it has none.
pub(crate) type ByteSource<'a> = &'a mut dyn FnMut(&mut [u8]) -> Option<()>;

/// Replaces each `{uuid}`, `{hex:N}` and `{digits:N}` of a pattern by random characters; `None` if the system provides
/// no randomness. The contract's reader has checked the pattern.
pub(crate) fn generate(pattern: &str) -> Option<String> {
    generate_from(pattern, &mut |bytes| SystemRandom::new().fill(bytes).ok())
}

/// Like [`generate`], with the bytes of `source`.
pub(crate) fn generate_from(pattern: &str, source: ByteSource<'_>) -> Option<String> {
    let mut id = String::with_capacity(pattern.len() + 36);
    let mut rest = pattern;
    while let Some((text, token)) = rest.split_once('{') {
        let (token, after) = token.split_once('}')?;
        id.push_str(text);
        match token.split_once(':') {
            Some(("hex", count)) => {
                push_random(&mut id, count.parse().ok()?, b"0123456789abcdef", source)?;
            }
            Some(("digits", count)) => push_random(&mut id, count.parse().ok()?, b"0123456789", source)?,
            _ => id.push_str(&uuid(source)?),
        }
        rest = after;
    }
    id.push_str(rest);
    Some(id)
}

fn push_random(text: &mut String, count: usize, alphabet: &[u8], source: ByteSource<'_>) -> Option<()> {
    let mut bytes = vec![0; count];
    source(&mut bytes)?;
    // Digits are not quite uniform, as 256 is no multiple of ten. Ids need only be unlikely to repeat.
    text.extend(bytes.iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])));
    Some(())
}

/// A random UUID (RFC 9562, version 4).
fn uuid(source: ByteSource<'_>) -> Option<String> {
    let mut bytes = [0; 16];
    source(&mut bytes)?;
    Some(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_placeholder_becomes_random_characters_of_its_kind() {
        let id = generate("a-{digits:3}-{hex:4}-{uuid}").unwrap();
        let parts: Vec<_> = id.splitn(4, '-').collect();
        assert_eq!(parts[0], "a");
        assert!(parts[1].len() == 3 && parts[1].bytes().all(|byte| byte.is_ascii_digit()));
        assert!(parts[2].len() == 4 && parts[2].bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(parts[3].len(), 36);
    }

    #[test]
    fn two_ids_are_never_the_same() {
        assert_ne!(generate("{uuid}"), generate("{uuid}"));
    }
}
