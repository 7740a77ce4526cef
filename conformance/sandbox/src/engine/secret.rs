//! The secret of a service, and what is derived from it: digests of codes, storage keys of sessions, and credentials of
//! tenants.
//!
//! Replicas with the same secret form one service. The secret is never printed, and nothing derived from it reveals it.

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;

/// A keyed digest of a code, in 128 bits. Codes are stored and compared in this form only.
pub(crate) type Digest = [u8; 16];

/// The secret of a service.
#[derive(Clone)]
pub struct Secret(hmac::Key);

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Secret")
    }
}

impl Secret {
    /// A random secret; `None` if the system provides no randomness.
    pub fn random() -> Option<Secret> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).ok()?;
        Some(Secret::from_bytes(&bytes))
    }

    /// The secret made of these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Secret {
        Secret(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// A keyed digest of `parts` for one purpose. Each part is prefixed with its length, so that two different lists of
    /// parts never sign the same bytes.
    pub(crate) fn sign(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        // Signed in one piece: updating the digest part by part takes longer than the digest itself.
        let mut text = Vec::with_capacity(64);
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            text.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
            text.extend_from_slice(part);
        }
        let mut signed = [0; 32];
        signed.copy_from_slice(hmac::sign(&self.0, &text).as_ref());
        signed
    }

    /// The digest of a code. It is useless without the secret, which all sessions of a service share.
    pub(crate) fn code(&self, code: &str) -> Digest {
        first(&self.sign("code", &[code.as_bytes()]))
    }

    /// The storage key of a session: of fixed length, and without the id in it.
    pub(crate) fn session(&self, vendor: &str, session: &str) -> [u8; 16] {
        first(&self.sign("session", &[vendor.as_bytes(), session.as_bytes()]))
    }

    /// The digest of the tenant that a session belongs to.
    pub(crate) fn tenant(&self, vendor: &str, tenant: &str) -> [u8; 8] {
        first(&self.sign("tenant", &[vendor.as_bytes(), tenant.as_bytes()]))
    }

    /// An endless stream of bytes derived from `parts`, from which ids and credentials are generated.
    pub(crate) fn stream<'a>(
        &'a self,
        purpose: &'a str,
        parts: &'a [&'a [u8]],
    ) -> impl FnMut(&mut [u8]) + 'a {
        let mut block = 0_u64;
        let mut left: Vec<u8> = Vec::new();
        move |bytes: &mut [u8]| {
            for byte in bytes {
                if left.is_empty() {
                    let number = block.to_le_bytes();
                    let parts: Vec<&[u8]> = parts.iter().copied().chain([number.as_slice()]).collect();
                    left = self.sign(purpose, &parts).to_vec();
                    block += 1;
                }
                *byte = left.pop().unwrap_or_default();
            }
        }
    }
}

/// The first `N` bytes.
fn first<const N: usize>(signed: &[u8; 32]) -> [u8; N] {
    let mut taken = [0; N];
    taken.copy_from_slice(&signed[..N]);
    taken
}

/// Compares two digests in constant time.
pub(crate) fn digests_match<const N: usize>(one: &[u8; N], other: &[u8; N]) -> bool {
    one.ct_eq(other).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_depend_on_the_secret_and_on_how_the_parts_are_split() {
        let (one, same_again, other) =
            (Secret::from_bytes(b"one"), Secret::from_bytes(b"one"), Secret::from_bytes(b"other"));
        assert_eq!(one.code("123456"), same_again.code("123456"));
        assert_ne!(one.code("123456"), other.code("123456"));
        assert_ne!(one.session("d7", "a"), one.session("d", "7a"), "lengths are part of what is signed");
    }

    #[test]
    fn a_stream_does_not_repeat_itself() {
        let secret = Secret::from_bytes(b"one");
        let mut bytes = [0; 96];
        secret.stream("test", &[b"x"])(&mut bytes);
        assert_ne!(bytes[..32], bytes[32..64]);
        assert_ne!(bytes[32..64], bytes[64..]);
    }
}
