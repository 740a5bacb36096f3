//! A device's transport key is libp2p's identity of it: the same 32 bytes, and a peer id that holds
//! them whole.

use libp2p::identity::{Keypair, PublicKey};
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};
use zeroize::Zeroizing;

use super::event::NetError;

/// Multihash code of "these are the bytes themselves".
const IDENTITY: u64 = 0;

/// The key pair of a seed.
pub(super) fn pair_of(seed: &Zeroizing<[u8; 32]>) -> Result<Keypair, NetError> {
    // The library wipes the copy it is given.
    let mut copy = **seed;
    Keypair::ed25519_from_bytes(&mut copy).map_err(|_| NetError::Key)
}

/// The key in a peer id; `None` for one of another kind, which no device of ours has.
pub(super) fn key_of(peer: &PeerId) -> Option<[u8; 32]> {
    let hash = peer.as_ref();
    if hash.code() != IDENTITY {
        return None;
    }
    let public = PublicKey::try_decode_protobuf(hash.digest()).ok()?;
    Some(public.try_into_ed25519().ok()?.to_bytes())
}

/// The transport key an address names behind its last `/p2p/`.
pub fn peer_key(address: &Multiaddr) -> Option<[u8; 32]> {
    let keys = address.iter().filter_map(|part| {
        let Protocol::P2p(peer) = part else { return None };
        key_of(&peer)
    });
    keys.last()
}

#[cfg(test)]
pub(super) use tests::peer_of;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that panics is a test that fails")]
    use super::*;
    use crdt_schema::entry::SigningSecret;
    use libp2p::identity::ed25519;

    /// The peer id of a key; `None` when the bytes are no key.
    pub(in crate::net) fn peer_of(key: &[u8; 32]) -> Option<PeerId> {
        let public = ed25519::PublicKey::try_from_bytes(key).ok()?;
        Some(PublicKey::from(public).to_peer_id())
    }

    #[test]
    fn the_transport_key_of_a_certificate_is_the_key_of_the_connection() {
        let seed = Zeroizing::new([7; 32]);
        let peer = pair_of(&seed).unwrap().public().to_peer_id();
        let key = SigningSecret::from_seed(&seed).public().0;
        assert_eq!(key_of(&peer), Some(key));
        assert_eq!(peer_of(&key), Some(peer));
    }

    #[test]
    fn an_id_that_hides_its_key_has_none() {
        assert_eq!(
            key_of(&"QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N".parse().unwrap()),
            None
        );
    }
}
