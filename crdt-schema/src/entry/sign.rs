//! Heads: a feed's newest entry, and a device's signature over it.
//!
//! Through the chain one signature vouches for every entry before it. Keys are held here only as
//! long as something is signed; where they lie at rest is the node's business.

use std::fmt;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use thiserror::Error;

use super::vouched;
use crate::codec::{DecodeError, Reader, Writer};
use crate::id::{EntryId, FeedId};

/// A place in a feed: `seq` 0 with [`EntryId::NONE`] is the place before the first entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainPoint {
    /// Entries up to and with this one.
    pub seq: u64,
    /// The entry at `seq`.
    pub id: EntryId,
}

impl ChainPoint {
    /// Before the first entry.
    pub const START: Self = Self { seq: 0, id: EntryId::NONE };
}

/// A signature that does not hold, or a key that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the signature does not hold")]
pub struct SignatureError;

/// The public half of a signing key: 32 bytes of Ed25519, checked when used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SigningPublic(pub [u8; 32]);

impl SigningPublic {
    /// Checks a signature strictly: small-order keys and malleable signatures are refused, so that
    /// every node comes to the same answer.
    ///
    /// # Errors
    /// [`SignatureError`] when the key is none or the signature does not hold.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), SignatureError> {
        vouched::unless_known(&self.0, message, signature, || {
            let key = VerifyingKey::from_bytes(&self.0).map_err(|_| SignatureError)?;
            let signature = Signature::from_bytes(signature);
            key.verify_strict(message, &signature).map_err(|_| SignatureError)
        })
    }
}

/// A device's signing key. `Debug` shows nothing; the bytes are wiped when it is dropped.
pub struct SigningSecret(SigningKey);

impl SigningSecret {
    /// The key with this seed of 32 random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The public half.
    pub fn public(&self) -> SigningPublic {
        SigningPublic(self.0.verifying_key().to_bytes())
    }

    /// Signs `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// Signs the head of a feed.
    pub fn sign_head(&self, feed: FeedId, point: ChainPoint) -> SignedHead {
        let signature = self.sign(&head_message(feed, point));
        SignedHead { feed, point, signature }
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(..)")
    }
}

/// A feed's newest entry and its device's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedHead {
    /// The feed.
    pub feed: FeedId,
    /// The entry that is vouched for, and with it all before.
    pub point: ChainPoint,
    /// Ed25519 over the feed, the sequence and the entry id.
    pub signature: [u8; 64],
}

impl SignedHead {
    /// Length in bytes.
    pub const SIZE_BYTES: usize = 136;

    /// Checks the signature.
    ///
    /// # Errors
    /// [`SignatureError`] when it does not hold.
    pub fn verify(&self, key: &SigningPublic) -> Result<(), SignatureError> {
        key.verify(&head_message(self.feed, self.point), &self.signature)
    }

    /// Appends the 136 bytes: feed, sequence, entry id, signature.
    pub fn write(&self, writer: &mut Writer) {
        writer.raw(&self.feed.0).u64(self.point.seq).raw(&self.point.id.0).raw(&self.signature);
    }

    /// Reads the 136 bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let feed = FeedId::read(reader)?;
        let point = ChainPoint { seq: reader.u64()?, id: EntryId::read(reader)? };
        Ok(Self { feed, point, signature: reader.array()? })
    }
}

fn head_message(feed: FeedId, point: ChainPoint) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.raw(b"wksbm 2026 head v1").raw(&feed.0).u64(point.seq).raw(&point.id.0);
    writer.finish()
}
