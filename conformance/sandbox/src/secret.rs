//! The one secret of a service, and what follows from it: the digests by which codes are compared, the names under which
//! sessions are kept, and the credentials of tenants. Replicas that share the secret are one service. It is never
//! printed, and nothing that it signs can be turned back.

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;

/// A code, as it is kept and compared: a keyed digest of it, of 128 bits.
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
    /// A secret that nobody knows; `None` where the system gives no randomness.
    pub fn random() -> Option<Secret> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).ok()?;
        Some(Secret::from_bytes(&bytes))
    }

    /// The secret that was kept as these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Secret {
        Secret(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// A keyed digest of `parts`, for one purpose. Each part goes in with its length, so that no two lists of parts are
    /// signed as the same bytes.
    pub(crate) fn sign(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        // At one go: feeding the digest piece by piece takes longer than the digest itself.
        let mut text = Vec::with_capacity(64);
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            text.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
            text.extend_from_slice(part);
        }
        let mut signed = [0; 32];
        signed.copy_from_slice(hmac::sign(&self.0, &text).as_ref());
        signed
    }

    /// The digest of a code. Every session of a service has the same key: what is kept is of no use without it.
    pub(crate) fn code(&self, code: &str) -> Digest {
        first(&self.sign("code", &[code.as_bytes()]))
    }

    /// The name under which a session is kept: of one length, whatever the id, and without the id in it.
    pub(crate) fn session(&self, vendor: &str, session: &str) -> [u8; 16] {
        first(&self.sign("session", &[vendor.as_bytes(), session.as_bytes()]))
    }

    /// What a session keeps of its tenant.
    pub(crate) fn tenant(&self, vendor: &str, tenant: &str) -> [u8; 8] {
        first(&self.sign("tenant", &[vendor.as_bytes(), tenant.as_bytes()]))
    }

    /// Bytes without end that follow from `parts`, for what is minted.
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

/// Whether two digests are the same, in a time that tells nothing of where they differ.
pub(crate) fn same<const N: usize>(one: &[u8; N], other: &[u8; N]) -> bool {
    one.ct_eq(other).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_from_a_secret_is_the_same_in_every_replica_and_with_no_other_secret() {
        let (one, same_again, other) =
            (Secret::from_bytes(b"one"), Secret::from_bytes(b"one"), Secret::from_bytes(b"other"));
        assert_eq!(one.code("123456"), same_again.code("123456"));
        assert_ne!(one.code("123456"), other.code("123456"));
        assert_ne!(one.session("d7", "a"), one.session("d", "7a"), "lengths are signed as well");
    }

    #[test]
    fn a_stream_goes_on_and_does_not_repeat_itself() {
        let secret = Secret::from_bytes(b"one");
        let mut bytes = [0; 96];
        secret.stream("test", &[b"x"])(&mut bytes);
        assert_ne!(bytes[..32], bytes[32..64]);
        assert_ne!(bytes[32..64], bytes[64..]);
    }
}
