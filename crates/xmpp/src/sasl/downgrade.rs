//! XEP-0474 0.5: SASL SCRAM Downgrade Protection, XEP-0515 0.1: TLS Channel-Binding Downgrade Protection
//!
//! The server repeats in its first SCRAM message what it advertised in the clear: a hash over the
//! mechanisms and channel binding types, and the TLS version. SCRAM's proofs cover the message, so
//! nobody without the password can change it unnoticed.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::Hash;

/// What was advertised before a SCRAM exchange, by the server as it sent it or by the client as it
/// arrived. Names are kept as text because a client must also count those it does not know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advertised {
    /// The mechanism names of the profile in use (classic or SASL2), in any order.
    pub mechanisms: Vec<String>,
    /// The channel binding types, in any order; `None` without XEP-0440.
    pub bindings: Option<Vec<String>>,
    /// The protocol version of the TLS connection, see [`TlsInfo`](super::TlsInfo).
    pub tls_version: Option<u16>,
}

impl Advertised {
    /// The value of attribute `h`: base64 of the hash that XEP-0474 defines.
    #[must_use]
    pub fn hash(&self, hash: Hash) -> String {
        let mut text = joined(&self.mechanisms);
        if let Some(bindings) = &self.bindings {
            text.push('\u{1f}');
            text.push_str(&joined(bindings));
        }
        BASE64_STANDARD.encode(hash.digest(text.as_bytes()))
    }

    /// The value of attribute `t`: the TLS version as four lower-case hexadecimal digits.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        self.tls_version.map(|version| format!("{version:04x}"))
    }
}

/// Sorted by octets, joined by the record separator, which XML 1.0 cannot carry.
fn joined(names: &[String]) -> String {
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.join("\u{1e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_xep_0474_holds() {
        let advertised = Advertised {
            mechanisms: vec!["SCRAM-SHA-1-PLUS".into(), "SCRAM-SHA-1".into()],
            bindings: Some(vec!["tls-server-end-point".into(), "tls-exporter".into()]),
            tls_version: Some(0x0304),
        };
        assert_eq!(advertised.hash(Hash::Sha1), "G6k/rBLDqgOhRRaCuuatSDFkJ08=");
        assert_eq!(advertised.version().as_deref(), Some("0304"));
    }

    #[test]
    fn a_missing_list_of_bindings_differs_from_an_empty_one() {
        let none = Advertised { mechanisms: vec!["PLAIN".into()], ..Advertised::default() };
        let empty = Advertised { bindings: Some(Vec::new()), ..none.clone() };
        assert_ne!(none.hash(Hash::Sha256), empty.hash(Hash::Sha256));
    }
}
