//! Fresh ids and secrets, in the forms that contracts ask for.

use ring::rand::{SecureRandom, SystemRandom};

/// Fills bytes; `None` where it has none.
pub(crate) type Source<'a> = &'a mut dyn FnMut(&mut [u8]) -> Option<()>;

/// `pattern` with each `{uuid}`, `{hex:N}` and `{digits:N}` replaced by random characters; `None` where the system
/// gives no randomness. The contract's reader has checked the pattern.
pub(crate) fn mint(pattern: &str) -> Option<String> {
    mint_from(pattern, &mut |bytes| SystemRandom::new().fill(bytes).ok())
}

/// The same, from the bytes of `source`.
pub(crate) fn mint_from(pattern: &str, source: Source<'_>) -> Option<String> {
    let mut minted = String::with_capacity(pattern.len() + 36);
    let mut rest = pattern;
    while let Some((text, token)) = rest.split_once('{') {
        let (token, after) = token.split_once('}')?;
        minted.push_str(text);
        match token.split_once(':') {
            Some(("hex", count)) => {
                push_random(&mut minted, count.parse().ok()?, b"0123456789abcdef", source)?;
            }
            Some(("digits", count)) => push_random(&mut minted, count.parse().ok()?, b"0123456789", source)?,
            _ => minted.push_str(&uuid(source)?),
        }
        rest = after;
    }
    minted.push_str(rest);
    Some(minted)
}

fn push_random(text: &mut String, count: usize, alphabet: &[u8], source: Source<'_>) -> Option<()> {
    let mut bytes = vec![0; count];
    source(&mut bytes)?;
    // 256 is not a multiple of ten; ids need to be unlikely to repeat, not uniform.
    text.extend(bytes.iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])));
    Some(())
}

/// A random UUID (RFC 9562, version 4).
fn uuid(source: Source<'_>) -> Option<String> {
    let mut bytes = [0_u8; 16];
    source(&mut bytes)?;
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if [4, 6, 8, 10].contains(&index) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_placeholder_becomes_characters_of_its_kind() {
        let minted = mint("a-{digits:3}-{hex:4}-{uuid}").unwrap();
        let parts: Vec<_> = minted.splitn(4, '-').collect();
        assert_eq!(parts[0], "a");
        assert!(parts[1].len() == 3 && parts[1].bytes().all(|byte| byte.is_ascii_digit()));
        assert!(parts[2].len() == 4 && parts[2].bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(parts[3].len(), 36);
    }

    #[test]
    fn two_ids_are_never_the_same() {
        assert_ne!(mint("{uuid}"), mint("{uuid}"));
    }
}
