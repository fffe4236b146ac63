//! The certificates of all servers of a run, from one authority.

use std::fs;
use std::path::Path;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    date_time_ymd,
};

/// An authority of our own, which makes P-256 certificates.
#[derive(Debug)]
pub struct Certificates {
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Certificates {
    /// Makes the authority.
    pub fn new() -> Result<Self> {
        let mut authority = named("Bench authority", Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        Ok(Self { authority })
    }

    /// Makes a certificate for `domain` and writes `ca.pem`, `chain.pem`, `key.pem`
    /// and, for servers that want chain and key in one file, `both.pem`.
    pub fn write(&self, directory: &Path, domain: &str) -> Result<()> {
        let key = KeyPair::generate()?;
        let mut server = named(domain, vec![domain.to_owned()])?;
        server.use_authority_key_identifier_extension = true;
        let certificate = server.signed_by(&key, &self.authority)?.pem();
        let (authority, key) = (self.authority.pem(), key.serialize_pem());
        fs::write(directory.join("ca.pem"), &authority)?;
        fs::write(directory.join("chain.pem"), format!("{certificate}{authority}"))?;
        fs::write(directory.join("key.pem"), &key)?;
        fs::write(directory.join("both.pem"), format!("{certificate}{authority}{key}"))?;
        Ok(())
    }
}

/// Parameters with a name of their own, because ejabberd finds issuers by it,
/// and with years that Erlang can read: the default goes to 4096.
fn named(name: &str, domains: Vec<String>) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(domains)?;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 1, 1);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}
