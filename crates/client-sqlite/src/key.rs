//! The data key and the file it is kept in.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use xmpp::sasl::Secret;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::connect::private;
use crate::error::OpenError;
use crate::keyring::Keyring;
use crate::seal::{self, Key, Place, fill, random_key};

/// How a data key is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Not at all: who can read the user's files can read the account.
    Plain,
    /// By a passphrase, made into a key with Argon2id.
    Passphrase,
    /// By a key in the keyring of the system.
    Keyring,
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protection::Plain => "a key file beside it that only its user may read",
            Protection::Passphrase => "a passphrase",
            Protection::Keyring => "the system keyring",
        })
    }
}

/// What opens a data key, or protects a new one.
#[derive(Clone, Debug)]
pub enum Unlock {
    /// The key lies beside the data, readable for its user alone: what scripts and servers need,
    /// who have nobody to ask. It does not help against who gets at the user's files.
    Plain,
    /// A passphrase.
    Passphrase(Secret),
    /// The keyring of the system.
    Keyring(Keyring),
}

/// The file as it is written.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(tag = "protection", rename_all = "lowercase")]
enum Form {
    Plain { key: String },
    Passphrase { salt: String, memory_kib: u32, passes: u32, lanes: u32, sealed: String },
    Keyring { id: String, sealed: String },
}

/// What is needed to write the file anew.
#[derive(Clone)]
enum Wrapping {
    Plain,
    Passphrase { salt: [u8; 16], key: Key },
    Keyring { keyring: Keyring, id: String, key: Key },
}

/// The key file of an account.
pub(crate) struct KeyFile {
    path: PathBuf,
    wrapping: Wrapping,
}

/// Argon2id's costs today: 19 MiB twice, the first choice of OWASP's list. The second of RFC 9106 §4 takes
/// 64 MiB, more than all the rest of the program.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// What a file may ask for at most: it may come from anybody.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 64;
const MOST_LANES: u32 = 16;
/// Longest key file that is read.
const MOST_BYTES: u64 = 4096;

impl KeyFile {
    /// How it is protected; `None` when there is none.
    pub(crate) fn protection(path: &Path) -> Result<Option<Protection>, OpenError> {
        Ok(Form::read(path)?.map(|form| form.protection()))
    }

    /// Removes what it has in the keyring, if it is protected by that. A file that cannot be read has
    /// nothing that could be found there.
    pub(crate) fn forget(path: &Path, keyring: &Keyring) {
        if let Ok(Some(form)) = Form::read(path)
            && let Form::Keyring { id, .. } = &form
        {
            keyring.remove(id);
        }
    }

    /// Opens it, or makes a new key where there is no database either.
    pub(crate) fn open(
        path: &Path,
        database: bool,
        unlock: &Unlock,
    ) -> Result<(Self, Key), OpenError> {
        discard_unfinished(path).map_err(|error| OpenError::access(path, &error))?;
        if let Some(form) = Form::read(path)? {
            let (wrapping, data_key) = form.open(path, unlock)?;
            let file = Self { path: path.to_owned(), wrapping };
            if form.has_other_costs() {
                // Until it can be written, opening costs what it did.
                let _ = file.replace(&data_key);
            }
            return Ok((file, data_key));
        }
        if database {
            return Err(OpenError::KeyMissing { path: path.to_owned() });
        }
        let data_key = random_key().map_err(|error| OpenError::storage(path, error))?;
        let wrapping = Wrapping::new(path, unlock)?;
        let file = Self { path: path.to_owned(), wrapping };
        file.replace(&data_key)?;
        Ok((file, data_key))
    }

    /// Protects the data key in another way.
    pub(crate) fn protect(&mut self, unlock: &Unlock, data_key: &Key) -> Result<(), OpenError> {
        let wrapping = Wrapping::new(&self.path, unlock)?;
        let file = Self { path: self.path.clone(), wrapping };
        if let Err(error) = file.replace(data_key) {
            file.wrapping.forget();
            return Err(error);
        }
        std::mem::replace(self, file).wrapping.forget();
        Ok(())
    }

    /// Puts a data key in place of the one in the file, whose bytes are overwritten.
    pub(crate) fn replace(&self, data_key: &Key) -> Result<(), OpenError> {
        let form =
            self.wrapping.form(data_key).map_err(|error| OpenError::storage(&self.path, error))?;
        let text = serde_json::to_vec(&form).map(Zeroizing::new);
        let text = text.map_err(|error| OpenError::access(&self.path, &error.into()))?;
        write(&self.path, &text).map_err(|error| OpenError::access(&self.path, &error))
    }
}

/// Where a new key file is written before it takes its place.
fn unfinished(path: &Path) -> PathBuf {
    path.with_extension("key.new")
}

/// Removes what a crash left of a new key file: it may hold the data key in another form.
fn discard_unfinished(path: &Path) -> std::io::Result<()> {
    let new = unfinished(path);
    match OpenOptions::new().write(true).open(&new) {
        Ok(file) => overwrite(file)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    std::fs::remove_file(&new)
}

fn overwrite(mut file: File) -> std::io::Result<()> {
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    file.write_all(&vec![0; length])?;
    file.sync_all()
}

/// Beside it, synced, then in its place; so there is a whole file at every moment.
fn write(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let new = unfinished(path);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    private(&mut options);
    let mut file = options.open(&new)?;
    file.write_all(text)?;
    file.sync_all()?;
    let old = OpenOptions::new().write(true).open(path).ok();
    std::fs::rename(&new, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    old.map_or(Ok(()), overwrite)
}

impl Form {
    fn read(path: &Path) -> Result<Option<Self>, OpenError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(OpenError::access(path, &error)),
        };
        let mut text = Zeroizing::new(Vec::with_capacity(1024));
        file.take(MOST_BYTES)
            .read_to_end(&mut text)
            .map_err(|error| OpenError::access(path, &error))?;
        let form = serde_json::from_slice(&text).map_err(|_| damaged(path))?;
        Ok(Some(form))
    }

    fn protection(&self) -> Protection {
        match self {
            Form::Plain { .. } => Protection::Plain,
            Form::Passphrase { .. } => Protection::Passphrase,
            Form::Keyring { .. } => Protection::Keyring,
        }
    }

    /// It was written when a passphrase took another effort.
    fn has_other_costs(&self) -> bool {
        let today = (MEMORY_KIB, PASSES, LANES);
        matches!(self, Form::Passphrase { memory_kib, passes, lanes, .. }
            if (*memory_kib, *passes, *lanes) != today)
    }

    fn open(&self, path: &Path, unlock: &Unlock) -> Result<(Wrapping, Key), OpenError> {
        match (self, unlock) {
            (Form::Plain { key }, Unlock::Plain) => {
                let key = decode(key).and_then(|bytes| key_of(&bytes));
                Ok((Wrapping::Plain, key.ok_or_else(|| damaged(path))?))
            }
            (
                Form::Passphrase { salt, memory_kib, passes, lanes, sealed },
                Unlock::Passphrase(passphrase),
            ) => {
                let salt = decode(salt).and_then(|bytes| <[u8; 16]>::try_from(&bytes[..]).ok());
                let salt = salt.ok_or_else(|| damaged(path))?;
                let key = stretch(path, passphrase, &salt, [*memory_kib, *passes, *lanes])?;
                let data_key = unwrap(&key, sealed).ok_or(OpenError::WrongPassphrase)?;
                // Written anew, it has today's costs.
                let today = [MEMORY_KIB, PASSES, LANES];
                let key = match self.has_other_costs() {
                    true => stretch(path, passphrase, &salt, today)?,
                    false => key,
                };
                Ok((Wrapping::Passphrase { salt, key }, data_key))
            }
            (Form::Keyring { id, sealed }, Unlock::Keyring(keyring)) => {
                let key = keyring.load(id)?;
                let data_key = unwrap(&key, sealed).ok_or_else(|| damaged(path))?;
                Ok((Wrapping::Keyring { keyring: keyring.clone(), id: id.clone(), key }, data_key))
            }
            (form, _) => Err(OpenError::OtherProtection(form.protection())),
        }
    }
}

impl Wrapping {
    /// A new protection; a key for it is in the keyring when this returns.
    fn new(path: &Path, unlock: &Unlock) -> Result<Self, OpenError> {
        let mut salt = [0; 16];
        fill(&mut salt).map_err(|error| OpenError::storage(path, error))?;
        match unlock {
            Unlock::Plain => Ok(Wrapping::Plain),
            Unlock::Passphrase(passphrase) => {
                let key = stretch(path, passphrase, &salt, [MEMORY_KIB, PASSES, LANES])?;
                Ok(Wrapping::Passphrase { salt, key })
            }
            Unlock::Keyring(keyring) => {
                let key = random_key().map_err(|error| OpenError::storage(path, error))?;
                let id = STANDARD.encode(salt);
                keyring.store(&id, &key)?;
                Ok(Wrapping::Keyring { keyring: keyring.clone(), id, key })
            }
        }
    }

    /// Removes what it left outside of the key file. A keyring that refuses keeps a key that opens
    /// nothing any more.
    fn forget(&self) {
        if let Wrapping::Keyring { keyring, id, .. } = self {
            keyring.remove(id);
        }
    }

    fn form(&self, data_key: &Key) -> client::store::Result<Form> {
        let wrap = |key: &Key| Ok(STANDARD.encode(seal::wrap(key, &place(), &data_key[..])?));
        Ok(match self {
            Wrapping::Plain => Form::Plain { key: STANDARD.encode(&data_key[..]) },
            Wrapping::Passphrase { salt, key } => Form::Passphrase {
                salt: STANDARD.encode(salt),
                memory_kib: MEMORY_KIB,
                passes: PASSES,
                lanes: LANES,
                sealed: wrap(key)?,
            },
            Wrapping::Keyring { id, key, .. } => {
                Form::Keyring { id: id.clone(), sealed: wrap(key)? }
            }
        })
    }
}

fn place() -> Place {
    Place::of("data key", &[])
}

fn unwrap(key: &Key, sealed: &str) -> Option<Key> {
    key_of(&seal::unwrap(key, &place(), &decode(sealed)?)?)
}

fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    STANDARD.decode(text).ok().map(Zeroizing::new)
}

fn key_of(bytes: &[u8]) -> Option<Key> {
    <[u8; 32]>::try_from(bytes).ok().map(Zeroizing::new)
}

fn damaged(path: &Path) -> OpenError {
    let detail = "the key in it cannot be read".into();
    OpenError::Damaged { path: path.to_owned(), detail }
}

/// Argon2id (RFC 9106).
fn stretch(
    path: &Path,
    passphrase: &Secret,
    salt: &[u8],
    [memory_kib, passes, lanes]: [u32; 3],
) -> Result<Key, OpenError> {
    if memory_kib > MOST_MEMORY_KIB || passes > MOST_PASSES || lanes > MOST_LANES {
        return Err(damaged(path));
    }
    let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(|_| damaged(path))?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.expose(), salt, &mut *key)
        .map_err(|_| damaged(path))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_other_costs_opens_and_has_those_of_today_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("account.key");
        let (salt, data_key) = ([7; 16], random_key().unwrap());
        let passphrase = Secret::from("open sesame");
        let (memory_kib, passes, lanes) = (64, 3, 4);
        let key = stretch(&path, &passphrase, &salt, [memory_kib, passes, lanes]).unwrap();
        let sealed = STANDARD.encode(seal::wrap(&key, &place(), &data_key[..]).unwrap());
        let salt = STANDARD.encode(salt);
        let form = Form::Passphrase { salt, memory_kib, passes, lanes, sealed };
        std::fs::write(&path, serde_json::to_vec(&form).unwrap()).unwrap();
        let costs = || {
            let text = std::fs::read(&path).unwrap();
            let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
            [&value["memory_kib"], &value["passes"], &value["lanes"]].map(|n| n.as_u64().unwrap())
        };
        assert_eq!(costs(), [64, 3, 4]);
        let wrong = Unlock::Passphrase(Secret::from("open barley"));
        assert!(matches!(KeyFile::open(&path, true, &wrong), Err(OpenError::WrongPassphrase)));
        assert_eq!(costs(), [64, 3, 4]);
        for _ in 0..2 {
            let unlock = Unlock::Passphrase(passphrase.clone());
            let (_, opened) = KeyFile::open(&path, true, &unlock).unwrap();
            assert_eq!(opened, data_key);
            assert_eq!(costs(), [MEMORY_KIB, PASSES, LANES].map(u64::from));
        }
    }
}
