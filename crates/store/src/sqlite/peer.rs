//! Addresses in the index.

use sha2::{Digest, Sha256};

/// Turns addresses into the numbers the index has. The key is made with the database, so that nobody
/// can look for an address that collides with another.
#[derive(Clone)]
pub(super) struct PeerHash {
    keyed: Sha256,
}

impl PeerHash {
    pub(super) fn new(key: &[u8]) -> Self {
        PeerHash { keyed: Sha256::new().chain_update(key) }
    }

    pub(super) fn bare(&self, bare: &str) -> i64 {
        let digest = self.keyed.clone().chain_update(bare).finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        i64::from_le_bytes(first)
    }

    /// 0 stands for no resource. Two resources of one address may share a number, rarely enough for a
    /// filter of one's own messages.
    pub(super) fn resource(&self, resource: Option<&str>) -> i32 {
        let Some(resource) = resource else { return 0 };
        let digest = self.keyed.clone().chain_update("/").chain_update(resource).finalize();
        let mut first = [0; 4];
        first.copy_from_slice(&digest[..4]);
        i32::from_le_bytes(first) | 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_changes_every_hash() {
        let (one, two) = (PeerHash::new(b"one"), PeerHash::new(b"two"));
        assert_ne!(one.bare("juliet@capulet.example"), two.bare("juliet@capulet.example"));
        assert_eq!(one.resource(None), 0);
        assert_ne!(one.resource(Some("")), 0);
    }
}
