//! Bytes that leave no copy behind when they grow.

use std::fmt;
use std::io;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use zeroize::{Zeroize, Zeroizing};

/// Bytes that are wiped when they are dropped, and whose former places are wiped when they grow. In
/// JSON they are a list of numbers.
#[derive(Default, Zeroize)]
pub(crate) struct Wiped(pub(crate) Zeroizing<Vec<u8>>);

impl Wiped {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(bytes)))
    }

    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// Appends; a vector that grows by itself would leave its bytes where they were.
    fn extend(&mut self, bytes: &[u8]) {
        let needed = self.0.len().saturating_add(bytes.len());
        if needed > self.0.capacity() {
            let size = self.0.capacity().saturating_mul(2).max(needed);
            let mut larger = Zeroizing::new(Vec::with_capacity(size));
            larger.extend_from_slice(&self.0);
            // What was there is wiped when it is dropped here.
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }
}

impl Deref for Wiped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl io::Write for Wiped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Serialize for Wiped {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Wiped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Numbers)
    }
}

struct Numbers;

impl<'de> Visitor<'de> for Numbers {
    type Value = Wiped;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of bytes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Wiped, A::Error> {
        let mut bytes = Wiped::with_capacity(64);
        while let Some(byte) = numbers.next_element::<u8>()? {
            bytes.extend(&[byte]);
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_the_same_after_they_grew_and_were_written() {
        let long: Vec<u8> = (0..=u8::MAX).cycle().take(10_000).collect();
        let mut grown = Wiped::with_capacity(1);
        for part in long.chunks(7) {
            grown.extend(part);
        }
        assert_eq!(&grown[..], long);
        let json = serde_json::to_vec(&grown).unwrap();
        // As vectors of bytes were written before.
        assert_eq!(json, serde_json::to_vec(&long).unwrap());
        assert_eq!(&serde_json::from_slice::<Wiped>(&json).unwrap()[..], long);
    }
}
