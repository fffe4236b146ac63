//! Which archive rows point to a log row, as the log row itself remembers it.

use rusqlite::{Connection, params};

use crate::{AccountId, StoreError};

/// Flags of an index row.
pub(super) const OUTGOING: u8 = 1;
/// See [`crate::archive::Append::pending`].
pub(super) const PENDING: u8 = 2;
/// See [`crate::archive::Append::hidden`].
pub(super) const HIDDEN: u8 = 4;
/// [`Ref::origin`] has a meaning.
pub(super) const HAS_ORIGIN: u8 = 8;

/// One row of one archive as the log remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ref {
    pub(super) account: i64,
    pub(super) id: i64,
    pub(super) peer: i64,
    pub(super) resource: i32,
    pub(super) flags: u8,
    pub(super) origin: i64,
}

/// Bytes of an encoded [`Ref`].
const REF_BYTES: usize = 37;

impl Ref {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.account.to_le_bytes());
        out.extend_from_slice(&self.id.to_le_bytes());
        out.extend_from_slice(&self.peer.to_le_bytes());
        out.extend_from_slice(&self.resource.to_le_bytes());
        out.push(self.flags);
        out.extend_from_slice(&self.origin.to_le_bytes());
    }

    fn parse(bytes: &[u8; REF_BYTES]) -> Ref {
        fn part<const N: usize>(bytes: &[u8; REF_BYTES], at: usize) -> [u8; N] {
            let mut part = [0; N];
            part.copy_from_slice(&bytes[at..at + N]);
            part
        }
        Ref {
            account: i64::from_le_bytes(part(bytes, 0)),
            id: i64::from_le_bytes(part(bytes, 8)),
            peer: i64::from_le_bytes(part(bytes, 16)),
            resource: i32::from_le_bytes(part(bytes, 24)),
            flags: bytes[28],
            origin: i64::from_le_bytes(part(bytes, 29)),
        }
    }
}

/// All references of a log row.
pub(super) fn parse_refs(blob: &[u8]) -> Result<Vec<Ref>, StoreError> {
    let (refs, rest) = blob.as_chunks::<REF_BYTES>();
    if !rest.is_empty() {
        return Err(StoreError::Corrupt("a log row has a broken reference".to_owned()));
    }
    Ok(refs.iter().map(Ref::parse).collect())
}

/// Removes the reference of one archive row from a log row, and the log row when it was the last. The
/// stanza stays for the others.
pub(super) fn release(
    db: &Connection,
    seq: i64,
    account: AccountId,
    id: i64,
) -> Result<(), StoreError> {
    let mut select = db.prepare_cached("SELECT refs FROM log WHERE seq = ?1")?;
    let blob: Vec<u8> = select.query_row([seq], |row| row.get(0))?;
    let mut left = Vec::with_capacity(blob.len());
    for entry in parse_refs(&blob)? {
        if (entry.account, entry.id) != (account.0, id) {
            entry.write(&mut left);
        }
    }
    if left.is_empty() {
        db.prepare_cached("DELETE FROM log WHERE seq = ?1")?.execute([seq])?;
    } else {
        db.prepare_cached("UPDATE log SET refs = ?2 WHERE seq = ?1")?
            .execute(params![seq, left])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_survive_encoding() {
        let one =
            Ref { account: 7, id: 1 << 40, peer: -3, resource: -9, flags: 11, origin: i64::MIN };
        let two = Ref { account: 8, id: 1, peer: 0, resource: 0, flags: 0, origin: 0 };
        let mut blob = Vec::new();
        one.write(&mut blob);
        two.write(&mut blob);
        assert_eq!(parse_refs(&blob).unwrap(), [one, two]);
        assert!(parse_refs(&blob[1..]).is_err());
    }
}
