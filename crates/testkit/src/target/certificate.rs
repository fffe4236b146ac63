//! A certificate for the servers of plays, signed by an authority the test clients trust.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::write;
use crate::client::Identity;

pub(super) struct Certificate {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub(super) authority: CertificateDer<'static>,
    /// The authority in PEM.
    pub(super) authority_pem: String,
    pub(super) chain: String,
    pub(super) key: String,
}

impl Certificate {
    pub(super) fn create(domain: &str) -> io::Result<Self> {
        make(domain).map_err(io::Error::other)
    }

    /// A certificate of the same authority for another domain.
    pub(super) fn issue(&self, domain: &str) -> io::Result<Identity> {
        let issue = || {
            let key = KeyPair::generate()?;
            let params = CertificateParams::new(vec![domain.to_owned()])?;
            let certificate = params.signed_by(&key, &self.issuer)?;
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
            Ok::<_, rcgen::Error>((vec![certificate.der().clone()], key))
        };
        issue().map(Arc::new).map_err(io::Error::other)
    }

    /// Writes `certs/verona.example.crt` and `.key`, names by which prosody finds them.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        write(directory, &format!("certs/{}.crt", super::DOMAIN), &self.chain)?;
        write(directory, &format!("certs/{}.key", super::DOMAIN), &self.key)?;
        write(directory, "certs/authority.crt", &self.authority_pem)
    }
}

fn make(domain: &str) -> Result<Certificate, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(rcgen::DnType::CommonName, "Plays");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    // `localhost` stands for other programs on this machine that the server talks to.
    let names = vec![domain.to_owned(), format!("conference.{domain}"), "localhost".to_owned()];
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(rcgen::DnType::CommonName, domain);
    let certificate = params.signed_by(&key, &authority)?;
    let chain = format!("{}{}", certificate.pem(), authority.pem());
    Ok(Certificate {
        authority: authority.der().clone(),
        authority_pem: authority.pem(),
        issuer: authority,
        chain,
        key: key.serialize_pem(),
    })
}
