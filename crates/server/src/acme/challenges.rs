//! What a certificate authority asks us to show, as long as it asks.

use std::{collections::HashMap, sync::Arc};

use parking_lot::RwLock;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::{
    crypto::ring::sign::any_supported_type,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};

use super::AcmeError;

/// Answers to the challenges of an order that is under way. Empty at all other times.
#[derive(Debug, Default)]
pub struct Challenges {
    /// For `http-01`: what is at `/.well-known/acme-challenge/TOKEN` (RFC 8555 §8.3).
    pages: RwLock<HashMap<String, String>>,
    /// For `tls-alpn-01`: the certificate of a name (RFC 8737 §3).
    certificates: RwLock<HashMap<String, Arc<CertifiedKey>>>,
}

impl Challenges {
    /// The answer for a token of `http-01`.
    #[must_use]
    pub fn page(&self, token: &str) -> Option<String> {
        self.pages.read().get(token).cloned()
    }

    /// The certificate for a name that is asked for with the protocol `acme-tls/1`.
    #[must_use]
    pub fn certificate(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        self.certificates.read().get(&name?.to_ascii_lowercase()).cloned()
    }

    pub(super) fn show_page(&self, token: &str, answer: &str) {
        self.pages.write().insert(token.to_owned(), answer.to_owned());
    }

    /// Makes the certificate that shows `digest` for `name`.
    pub(super) fn show_certificate(&self, name: &str, digest: &[u8]) -> Result<(), AcmeError> {
        let made = |error: rcgen::Error| AcmeError::Local(error.to_string());
        let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(made)?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let key = KeyPair::generate().map_err(made)?;
        let certificate = params.self_signed(&key).map_err(made)?;
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signer =
            any_supported_type(&der).map_err(|error| AcmeError::Local(error.to_string()))?;
        let shown = Arc::new(CertifiedKey::new(vec![certificate.der().clone()], signer));
        self.certificates.write().insert(name.to_ascii_lowercase(), shown);
        Ok(())
    }

    pub(super) fn clear(&self) {
        self.pages.write().clear();
        self.certificates.write().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_its_certificate_while_the_order_is_under_way() {
        let challenges = Challenges::default();
        challenges.show_certificate("chat.example", &[7; 32]).unwrap();
        assert!(challenges.certificate(Some("Chat.Example")).is_some());
        assert!(challenges.certificate(Some("other.example")).is_none());
        assert!(challenges.certificate(None).is_none());
        challenges.clear();
        assert!(challenges.certificate(Some("chat.example")).is_none());
    }
}
