//! One certificate for all servers of a run.

use std::fs;
use std::path::Path;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    date_time_ymd,
};

/// An authority of our own and a P-256 certificate for `localhost`, PEM.
#[derive(Debug)]
pub struct Certificates {
    authority: String,
    certificate: String,
    key: String,
}

impl Certificates {
    /// Makes new ones.
    pub fn new() -> Result<Self> {
        let mut authority = named("Bench authority", Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let mut server = named("localhost", vec!["localhost".to_owned()])?;
        server.use_authority_key_identifier_extension = true;
        let certificate = server.signed_by(&key, &authority)?;
        Ok(Self {
            authority: authority.pem(),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }

    /// Writes `ca.pem`, `chain.pem`, `key.pem` and, for servers that want chain
    /// and key in one file, `both.pem`.
    pub fn write(&self, directory: &Path) -> Result<()> {
        fs::write(directory.join("ca.pem"), &self.authority)?;
        fs::write(directory.join("chain.pem"), format!("{}{}", self.certificate, self.authority))?;
        fs::write(directory.join("key.pem"), &self.key)?;
        fs::write(
            directory.join("both.pem"),
            format!("{}{}{}", self.certificate, self.authority, self.key),
        )?;
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
