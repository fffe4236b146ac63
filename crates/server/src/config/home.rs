//! The data directory: which file lies where.

use std::path::{Path, PathBuf};

/// A data directory, `DIR` in `anemone serve --data DIR`. Everything the server keeps is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    path: PathBuf,
}

impl Home {
    /// The directory at `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Home {
        Home { path: path.into() }
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The configuration.
    pub fn config_file(&self) -> PathBuf {
        self.path.join("anemone.toml")
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.path.join("anemone.db")
    }

    /// The directory of uploaded files.
    pub fn uploads(&self) -> PathBuf {
        self.path.join("uploads")
    }

    /// The socket on which a running server takes commands.
    pub fn socket(&self) -> PathBuf {
        self.path.join("anemone.sock")
    }

    /// The server's own secret, from which the keys of its other secrets are derived.
    pub fn secret(&self) -> PathBuf {
        self.path.join("secret.key")
    }

    /// What is announced of outages.
    pub fn outage(&self) -> PathBuf {
        self.path.join("outage.json")
    }

    /// What everybody is told by the server.
    pub fn notices(&self) -> PathBuf {
        self.path.join("notices.json")
    }

    /// Other domains that administrators chose to talk to or not.
    pub fn domains(&self) -> PathBuf {
        self.path.join("domains.json")
    }

    /// The last time that the wall clock was believed.
    pub fn clock(&self) -> PathBuf {
        self.path.join("clock.json")
    }

    /// The key that push services know the server by (RFC 8292).
    pub fn push_key(&self) -> PathBuf {
        self.path.join("push.key")
    }

    /// The certificate of the server's own authority, which clients may trust.
    pub fn authority(&self) -> PathBuf {
        self.path.join("ca.pem")
    }

    /// The private key of that authority.
    pub fn authority_key(&self) -> PathBuf {
        self.path.join("ca.key")
    }

    /// The certificate that authority signed for the server.
    pub fn certificate(&self) -> PathBuf {
        self.path.join("server.pem")
    }

    /// The private key of that certificate.
    pub fn certificate_key(&self) -> PathBuf {
        self.path.join("server.key")
    }

    /// The certificate that an authority gave the server (ACME), with its key in the same file.
    pub fn acme_certificate(&self) -> PathBuf {
        self.path.join("acme.pem")
    }

    /// The server's account at that authority.
    pub fn acme_account(&self) -> PathBuf {
        self.path.join("acme.json")
    }

    /// Names that the authority could not check lately.
    pub fn acme_missing(&self) -> PathBuf {
        self.path.join("acme-missing.json")
    }

    /// A path from the configuration: relative ones start here.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.path.join(path)
    }
}
