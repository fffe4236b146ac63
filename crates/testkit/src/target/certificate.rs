//! A certificate for the servers of plays, signed by an authority the test clients trust.

use std::io;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use rustls::pki_types::CertificateDer;

use super::write;

pub(super) struct Certificate {
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
        chain,
        key: key.serialize_pem(),
    })
}
