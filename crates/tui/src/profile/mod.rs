//! One account on this machine: a folder with its store, its authorities, and its proxy.
//!
//! | file | what |
//! |---|---|
//! | `account.*` | the store, see [`client_sqlite`] |
//! | `connection.toml` | the proxy, if there is one |
//! | `authorities.pem` | who may vouch for the server, in place of the system's authorities |
//! | `control.sock` | where a running program takes requests of another one |
//! | `listen.json` | up to where `listen` has printed |
//! | `files/` | what was downloaded |

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use client::store::Store;
use client_sqlite::{Keyring, OpenError, Protection, SqliteStore, Unlock};
use serde::Deserialize;

use crate::disk;
use crate::driver::Ways;
use crate::driver::socks::Proxy;
use crate::driver::tls::Trust;
use crate::failure::Failure;

mod attempt;

pub use attempt::Attempt;

/// An account on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    folder: PathBuf,
}

/// How an account is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ConnectionFile {
    /// `socks5://HOST:PORT`.
    proxy: Option<String>,
}

impl Profile {
    /// The account in a folder, whether there is one or not.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether there is an account: its key, or its database.
    #[must_use]
    pub fn exists(&self) -> bool {
        SqliteStore::exists(&self.folder)
    }

    /// How its store is protected; `None` when there is no account.
    ///
    /// # Errors
    /// The key file cannot be read, or is missing.
    pub fn protection(&self) -> Result<Option<Protection>, OpenError> {
        SqliteStore::protection(&self.folder)
    }

    /// Something that opens its store, again and again.
    pub fn opener(
        &self,
        unlock: Unlock,
    ) -> Box<dyn FnMut() -> Result<Box<dyn Store + Send>, OpenError> + Send> {
        let folder = self.folder.clone();
        Box::new(move || {
            let store = SqliteStore::open(&folder, &unlock)?;
            Ok(Box::new(store) as Box<dyn Store + Send>)
        })
    }

    /// How its connections are made.
    ///
    /// # Errors
    /// A file of the folder makes no sense; in words.
    pub fn ways(&self) -> Result<Ways, String> {
        let authorities = self.path(AUTHORITIES);
        let trust = match authorities.exists() {
            true => Trust::file(&authorities)?,
            false => Trust::system(),
        };
        let path = self.path(CONNECTION);
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let file: ConnectionFile = match fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map_err(|error| wrong(&error))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => ConnectionFile::default(),
            Err(error) => return Err(wrong(&error)),
        };
        let proxy: Option<Proxy> = file
            .proxy
            .map(|text| text.parse())
            .transpose()
            .map_err(|error: String| wrong(&error))?;
        // Who runs the proxy learns nothing from it; the same account keeps its circuit.
        let isolation = crate::driver::tls::shown(&hash(&self.folder));
        Ok(Ways { trust, proxy, isolation: isolation.chars().take(23).collect() })
    }

    /// From now on everything goes through a proxy, or through none.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set_proxy(&self, proxy: Option<&Proxy>) -> io::Result<()> {
        // Neither a name nor a number has anything that TOML would want escaped.
        let text = proxy.map(|proxy| format!("proxy = \"{proxy}\"\n")).unwrap_or_default();
        self.write(CONNECTION, text.as_bytes())
    }

    /// From now on the authorities of a PEM file vouch for the server, and no others.
    ///
    /// # Errors
    /// There is no certificate in the file, or it cannot be copied.
    pub fn set_authorities(&self, file: &Path) -> Result<(), Failure> {
        Trust::file(file).map_err(Failure::Usage)?;
        let pem = fs::read(file).map_err(|error| Failure::Usage(disk::words(&error, file)))?;
        self.write(AUTHORITIES, &pem)
            .map_err(|error| Failure::Storage(disk::words(&error, &self.folder)))
    }

    /// Where a running program takes requests.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.path(SOCKET)
    }

    /// Where downloads are kept.
    #[must_use]
    pub fn files(&self) -> PathBuf {
        self.path("files")
    }

    /// A path in the folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Replaces a small file as a whole, readable for its user alone.
    ///
    /// # Errors
    /// It cannot be written; the old one is still there then.
    pub fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.make_folder()?;
        let new = self.path(&format!("{name}.new"));
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, self.path(name))
    }

    /// Makes the folder, for its user alone.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn make_folder(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.folder)
    }

    /// Removes everything the account has on this machine, and the folder unless somebody else has
    /// something there. The store was wiped before.
    ///
    /// # Errors
    /// Another program has the account open, or something of it is left.
    pub fn remove(&self) -> Result<(), OpenError> {
        let gone = |path: PathBuf, removed: io::Result<()>| match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(OpenError::Access { path, detail: error.to_string() })
            }
            _ => Ok(()),
        };
        gone(self.files(), fs::remove_dir_all(self.files()))?;
        for name in small_files() {
            gone(self.path(&name), fs::remove_file(self.path(&name)))?;
        }
        SqliteStore::remove(&self.folder, &Keyring::default())?;
        // It stays with what others have in it.
        let _ = fs::remove_dir(&self.folder);
        Ok(())
    }
}

/// Names of what is kept beside the store, also half-written.
fn small_files() -> impl Iterator<Item = String> {
    let new = |name: &str| format!("{name}.new");
    SMALL.into_iter().flat_map(move |name| [name.to_owned(), new(name)]).chain([SOCKET.to_owned()])
}

/// Where accounts are kept that nobody named a folder for: `$XDG_DATA_HOME/clownfish`, which is
/// usually `~/.local/share/clownfish`. `None` without a home.
#[must_use]
pub fn root() -> Option<PathBuf> {
    let absolute =
        |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
    data.map(|data| data.join("clownfish"))
}

/// The accounts of a root, in the order of their names.
#[must_use]
pub fn list(root: &Path) -> Vec<Profile> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let mut profiles: Vec<Profile> =
        entries.map(|entry| Profile::at(entry.path())).filter(Profile::exists).collect();
    profiles.sort_by(|a, b| a.folder.cmp(&b.folder));
    profiles
}

/// The place of a new account among others.
#[must_use]
pub fn place(root: &Path, address: &xmpp::jid::BareJid) -> Profile {
    // An address has no folders in it: RFC 7622 leaves `/` to resources.
    Profile::at(root.join(address.as_str()))
}

fn hash(folder: &Path) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(folder.as_os_str().as_encoded_bytes()).into()
}

const AUTHORITIES: &str = "authorities.pem";
const CONNECTION: &str = "connection.toml";
const SOCKET: &str = "control.sock";
/// Up to where `listen` has printed.
pub(crate) const LISTENED: &str = "listen.json";
const SMALL: [&str; 3] = [AUTHORITIES, CONNECTION, LISTENED];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_their_keys_or_databases() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(list(root.path()), []);
        let address = xmpp::jid::BareJid::new("juliet@example.org").unwrap();
        let profile = place(root.path(), &address);
        assert!(!profile.exists());
        assert_eq!(profile.protection().unwrap(), None);
        drop(profile.opener(Unlock::Plain)().unwrap());
        assert_eq!(list(root.path()), std::slice::from_ref(&profile));
        assert_eq!(profile.protection().unwrap(), Some(Protection::Plain));
        // Whoever only lost the key still has an account, and is told what is the matter.
        fs::remove_file(profile.path("account.key")).unwrap();
        assert_eq!(list(root.path()), std::slice::from_ref(&profile));
        assert!(matches!(profile.protection(), Err(OpenError::KeyMissing { .. })));
        profile.remove().unwrap();
        assert_eq!(list(root.path()), []);
        assert!(!profile.folder().exists());
    }

    #[test]
    fn removing_an_account_leaves_what_others_have_in_its_folder() {
        let root = tempfile::tempdir().unwrap();
        let profile = Profile::at(root.path().join("account"));
        drop(profile.opener(Unlock::Plain)().unwrap());
        profile.write(LISTENED, b"{}").unwrap();
        profile.set_proxy(None).unwrap();
        fs::create_dir(profile.files()).unwrap();
        fs::write(profile.files().join("1-rose.png"), "a picture").unwrap();
        fs::write(profile.path("thesis.txt"), "years of work").unwrap();
        fs::create_dir(profile.path("photos")).unwrap();
        profile.remove().unwrap();
        let mut left: Vec<_> =
            fs::read_dir(profile.folder()).unwrap().map(|file| file.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["photos", "thesis.txt"]);
    }

    #[test]
    fn a_proxy_and_authorities_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::at(folder.path());
        assert!(profile.ways().unwrap().proxy.is_none());
        let proxy: Proxy = "socks5://127.0.0.1:9050".parse().unwrap();
        profile.set_proxy(Some(&proxy)).unwrap();
        assert_eq!(profile.ways().unwrap().proxy, Some(proxy));
        profile.set_proxy(None).unwrap();
        assert!(profile.ways().unwrap().proxy.is_none());
        let file = folder.path().join("empty.pem");
        std::fs::write(&file, "").unwrap();
        profile.set_authorities(&file).unwrap_err();
        std::fs::write(folder.path().join("connection.toml"), "proxi = 1").unwrap();
        profile.ways().unwrap_err();
    }
}
