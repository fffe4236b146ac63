//! Which certificates a domain names on its web server for its other servers: POSH (RFC 7711), as
//! a proof between XMPP servers (RFC 7712 §4).
//!
//! It is asked for only when a certificate is not proven otherwise.

use std::{collections::HashMap, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::digest::{Algorithm, SHA256, SHA512, digest};
use rustls::{ClientConfig, pki_types::CertificateDer};
use serde::Deserialize;

use super::documents::{self, Terms};
use crate::server::Server;

/// A digest of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    algorithm: &'static Algorithm,
    digest: Vec<u8>,
}

/// Whether the web server of a domain names the certificate of a peer.
pub async fn vouches(server: &Arc<Server>, domain: &str, chain: &[CertificateDer<'_>]) -> bool {
    let Some(leaf) = chain.first() else { return false };
    let read = async |place: &str, tls: &Arc<ClientConfig>| follow(place, false, tls).await;
    names(&server.s2s.posh.of(server, domain, TERMS, read).await, leaf)
}

fn names(fingerprints: &[Fingerprint], certificate: &CertificateDer<'_>) -> bool {
    fingerprints.iter().any(|one| digest(one.algorithm, certificate).as_ref() == one.digest)
}

/// Reads a document, and the one it refers to: RFC 7711 §3.2 allows one step.
async fn follow(
    place: &str,
    private: bool,
    tls: &Arc<ClientConfig>,
) -> Result<(Vec<Fingerprint>, u64), String> {
    match get(place, private, tls).await? {
        Document::Possession(found, seconds) => Ok((found, seconds)),
        Document::Reference(place, seconds) => match get(&place, private, tls).await? {
            Document::Possession(found, more) => Ok((found, seconds.min(more))),
            Document::Reference(..) => Err("the document refers to one that refers on".to_owned()),
        },
    }
}

async fn get(place: &str, private: bool, tls: &Arc<ClientConfig>) -> Result<Document, String> {
    Document::parse(&documents::get(place, private, tls, MOST_BYTES).await?)
}

/// RFC 7711 §3.
#[derive(Debug, PartialEq, Eq)]
enum Document {
    /// The certificates, and seconds.
    Possession(Vec<Fingerprint>, u64),
    /// Where they are, and seconds.
    Reference(String, u64),
}

impl Document {
    fn parse(text: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Raw {
            fingerprints: Option<Vec<HashMap<String, String>>>,
            url: Option<String>,
            expires: u64,
        }
        let bad = |error: serde_json::Error| format!("the document cannot be read: {error}");
        let raw: Raw = serde_json::from_slice(text).map_err(bad)?;
        // Nought says that it does not hold.
        if raw.expires == 0 {
            return Err("the document does not hold any more".to_owned());
        }
        let seconds = raw.expires.min(MOST_SECONDS);
        match (raw.fingerprints, raw.url) {
            (Some(certificates), None) => {
                let found = certificates.iter().take(MOST_CERTIFICATES).filter_map(strongest);
                Ok(Document::Possession(found.collect(), seconds))
            }
            (None, Some(place)) => Ok(Document::Reference(place, seconds)),
            _ => Err("the document has to have either fingerprints or an address".to_owned()),
        }
    }
}

/// The best digest of one certificate; those of weak algorithms do not count.
fn strongest(certificate: &HashMap<String, String>) -> Option<Fingerprint> {
    [("sha-512", &SHA512), ("sha-256", &SHA256)].into_iter().find_map(|(name, algorithm)| {
        let digest = BASE64.decode(certificate.get(name)?).ok()?;
        (digest.len() == algorithm.output_len()).then_some(Fingerprint { algorithm, digest })
    })
}

const TERMS: Terms = Terms {
    kind: "posh",
    path: "posh/xmpp-server.json",
    patience: Duration::from_secs(10),
    without: 10 * 60,
};
/// Bytes of a document.
const MOST_BYTES: usize = 32 * 1024;
/// Certificates in a document.
const MOST_CERTIFICATES: usize = 32;
/// A document is not believed for longer than a day, whatever it says.
const MOST_SECONDS: u64 = 24 * 60 * 60;

#[cfg(test)]
pub(super) mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use rustls::{RootCertStore, ServerConfig, pki_types::PrivateKeyDer};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };
    use tokio_rustls::TlsAcceptor;

    use super::*;
    use crate::fetch;

    pub(in crate::s2s) fn certificate(name: &str) -> (CertificateDer<'static>, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.self_signed(&key).unwrap().der().clone(), key)
    }

    fn fingerprint(certificate: &CertificateDer<'_>) -> String {
        BASE64.encode(digest(&SHA256, certificate))
    }

    #[test]
    fn a_document_has_certificates_or_refers_to_one_that_has() {
        let (one, _) = certificate("a.example");
        let text = format!(
            r#"{{"fingerprints":[{{"sha-256":"{}","sha-1":"AAAA"}},{{"md5":"AAAA"}}],"expires":604800}}"#,
            fingerprint(&one)
        );
        let Ok(Document::Possession(found, MOST_SECONDS)) = Document::parse(text.as_bytes()) else {
            panic!("{text}");
        };
        assert_eq!(found.len(), 1, "weak digests do not count");
        assert!(names(&found, &one));
        assert!(!names(&found, &certificate("a.example").0));
        let elsewhere = br#"{"url":"https://b.example/posh.json","expires":60}"#;
        let place = "https://b.example/posh.json".to_owned();
        assert_eq!(Document::parse(elsewhere), Ok(Document::Reference(place, 60)));
    }

    #[test]
    fn what_is_no_document_names_nobody() {
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"fingerprints":[],"expires":0}"#,
            r#"{"fingerprints":[]}"#,
            r#"{"fingerprints":[],"expires":-1}"#,
            r#"{"expires":60}"#,
            r#"{"url":"https://b.example/","fingerprints":[],"expires":60}"#,
        ] {
            assert!(Document::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    /// A web server for `localhost` that answers requests with these documents, one after the other.
    pub(in crate::s2s) async fn web(documents: Vec<String>) -> (u16, Arc<ClientConfig>) {
        let (certificate, key) = certificate("localhost");
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            for document in documents {
                let document = document.replace("PORT", &port.to_string());
                let (socket, _) = listener.accept().await.unwrap();
                let mut stream = acceptor.accept(socket).await.unwrap();
                let mut asked = [0; 2048];
                let _ = stream.read(&mut asked).await.unwrap();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", document.len());
                stream.write_all(format!("{head}{document}").as_bytes()).await.unwrap();
                let _ = stream.shutdown().await;
            }
        });
        (port, Arc::new(fetch::tls(roots).unwrap()))
    }

    #[tokio::test]
    async fn one_reference_is_followed_and_a_second_is_not() {
        let (peer, _) = certificate("a.example");
        let here =
            format!(r#"{{"fingerprints":[{{"sha-256":"{}"}}],"expires":600}}"#, fingerprint(&peer));
        let there = r#"{"url":"https://localhost:PORT/there.json","expires":60}"#.to_owned();
        let (port, tls) = web(vec![there.clone(), here]).await;
        let place = format!("https://localhost:{port}/.well-known/posh/xmpp-server.json");
        let (found, seconds) = follow(&place, true, &tls).await.unwrap();
        assert!(names(&found, &peer));
        assert_eq!(seconds, 60, "the shorter time counts");
        let (port, tls) = web(vec![there.clone(), there]).await;
        let place = format!("https://localhost:{port}/.well-known/posh/xmpp-server.json");
        assert!(follow(&place, true, &tls).await.unwrap_err().contains("refers on"));
    }

    #[tokio::test]
    async fn a_web_server_has_to_prove_itself_too() {
        let (port, _) = web(vec![String::new()]).await;
        let nobody = Arc::new(fetch::tls(RootCertStore::empty()).unwrap());
        let place = format!("https://localhost:{port}/.well-known/posh/xmpp-server.json");
        assert!(follow(&place, true, &nobody).await.is_err());
        assert!(follow("http://a.example/", false, &nobody).await.is_err(), "without encryption");
    }
}
