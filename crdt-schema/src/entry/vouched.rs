//! Signatures that held lately: a run that was just taken goes on to thirty peers, and what is read
//! from disk for each of them is held against its signature by a hash, not by a curve.
//!
//! Whether a signature holds never changes, so what is remembered cannot be wrong; one that did not hold
//! is not remembered. Each thread has its own memory of [`SLOTS`] of them, 128 KiB.

use std::cell::RefCell;

use super::sign::SignatureError;

/// Signatures a thread remembers; one displaces another that falls into its place.
const SLOTS: usize = 4_096;

thread_local! {
    static VOUCHED: RefCell<Vec<[u8; 32]>> = const { RefCell::new(Vec::new()) };
}

/// What `check` says of a signature, which is asked unless the same one held lately.
///
/// # Errors
/// [`SignatureError`] of `check`.
pub(super) fn unless_known(
    key: &[u8; 32],
    message: &[u8],
    signature: &[u8; 64],
    check: impl FnOnce() -> Result<(), SignatureError>,
) -> Result<(), SignatureError> {
    // Two of fixed length before the one that has any.
    let name = blake3::Hasher::new().update(key).update(signature).update(message).finalize();
    let name = *name.as_bytes();
    let slot = usize::from(u16::from_le_bytes([name[0], name[1]])) % SLOTS;
    if VOUCHED.with_borrow(|known| known.get(slot) == Some(&name)) {
        return Ok(());
    }
    check()?;
    VOUCHED.with_borrow_mut(|known| {
        known.resize(SLOTS, [0; 32]);
        if let Some(place) = known.get_mut(slot) {
            *place = name;
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use crate::entry::SigningSecret;

    #[test]
    fn a_signature_that_held_is_not_checked_again_and_vouches_for_no_other() {
        let secret = SigningSecret::from_seed(&[7; 32]);
        let (key, message) = (secret.public(), b"a head".to_vec());
        let signature = secret.sign(&message);
        key.verify(&message, &signature).unwrap();
        let unasked = || -> Result<(), SignatureError> { panic!("checked again") };
        unless_known(&key.0, &message, &signature, unasked).unwrap();
        let asked = || Err(SignatureError);
        for at in 0..signature.len() {
            let mut other = signature;
            *other.get_mut(at).unwrap() ^= 1 << (at % 8);
            assert!(unless_known(&key.0, &message, &other, asked).is_err());
            assert!(key.verify(&message, &other).is_err());
        }
        assert!(unless_known(&key.0, b"a heaD", &signature, asked).is_err());
        assert!(unless_known(&[8; 32], &message, &signature, asked).is_err());
    }

    #[test]
    fn a_signature_that_did_not_hold_is_checked_each_time() {
        let (key, signature) = ([1; 32], [2; 64]);
        let mut asked = 0;
        for _ in 0..2 {
            let check = || {
                asked += 1;
                Err(SignatureError)
            };
            assert!(unless_known(&key, b"", &signature, check).is_err());
        }
        assert_eq!(asked, 2);
    }
}
