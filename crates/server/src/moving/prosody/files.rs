//! `storage = "internal"`: a directory for each host and in it one for each store, with a file for each
//! account. Names are percent-encoded.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{Entry, Storage};
use crate::moving::{
    Trouble,
    table::{self, Table},
};

pub(super) struct Files {
    root: PathBuf,
}

impl Files {
    pub(super) fn open(root: &Path) -> Result<Files, Trouble> {
        let files = Files { root: root.to_owned() };
        match files.hosts()?.is_empty() {
            false => Ok(files),
            true => Err(Trouble::unreadable(format!(
                "{} is not Prosody's data directory, which has a directory for each host with \
                 `accounts` in it; on Debian it is /var/lib/prosody",
                root.display()
            ))),
        }
    }

    fn file(&self, host: &str, user: &str, store: &str, end: &str) -> PathBuf {
        let store: String = store.chars().map(|c| encode_char(c, c == '_')).collect();
        if user.is_empty() {
            return self.host(host).join(format!("{store}.{end}"));
        }
        let user: String = user.chars().map(|c| encode_char(c, false)).collect();
        self.host(host).join(store).join(format!("{user}.{end}"))
    }

    fn host(&self, host: &str) -> PathBuf {
        self.root.join(host.chars().map(|c| encode_char(c, false)).collect::<String>())
    }
}

impl Storage for Files {
    fn hosts(&self) -> Result<Vec<String>, Trouble> {
        let has = |host: &str, store: &str| self.host(host).join(store).is_dir();
        let mut hosts = names(&self.root, "")?;
        hosts.retain(|host| {
            ["accounts", "config", "persistent", "uploads", "pubsub_nodes"]
                .iter()
                .any(|store| has(host, store))
        });
        Ok(hosts)
    }

    fn users(&self, host: &str, store: &str) -> Result<Vec<String>, Trouble> {
        let directory = self.host(host).join(store);
        let mut users = names(&directory, ".dat")?;
        users.extend(names(&directory, ".list")?);
        users.sort_unstable();
        users.dedup();
        Ok(users)
    }

    fn stores(&self, host: &str, user: &str) -> Result<Vec<String>, Trouble> {
        let mut stores = names(&self.host(host), "")?;
        let has = |store: &str, end: &str| self.file(host, user, store, end).is_file();
        stores.retain(|store| has(store, "dat") || has(store, "list"));
        Ok(stores)
    }

    fn load(&self, host: &str, user: &str, store: &str) -> Result<Option<Table>, Trouble> {
        let path = self.file(host, user, store, "dat");
        let Some(file) = open(&path)? else { return Ok(None) };
        table::read_value(file).map(Some).map_err(|error| Trouble::file(&path, &error))
    }

    fn archive(
        &self,
        host: &str,
        user: &str,
        store: &str,
        take: &mut dyn FnMut(Entry) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let path = self.file(host, user, store, "list");
        let Some(file) = open(&path)? else { return Ok(()) };
        let read = table::read_list(file, |item: Table| {
            let Some(mut value) = item.element() else { return Ok(()) };
            // Added by the storage.
            value.remove_attr("stamp");
            take(Entry {
                key: item.text("key").unwrap_or_default().to_owned(),
                when: item.number("when"),
                with: item.text("with").unwrap_or_default().to_owned(),
                value,
            })
        });
        read.map_err(|trouble| match trouble {
            Trouble::Unreadable(words) if !words.contains(" in ") => {
                Trouble::Unreadable(format!("{words} in {}", path.display()))
            }
            other => other,
        })
    }
}

fn open(path: &Path) -> Result<Option<File>, Trouble> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Trouble::file(path, &error)),
    }
}

/// The decoded names in a directory that end so, in order; directories when the end is empty.
fn names(directory: &Path, end: &str) -> Result<Vec<String>, Trouble> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Trouble::file(directory, &error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Trouble::file(directory, &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().map_err(|error| Trouble::file(directory, &error))?;
        if kind.is_dir() == end.is_empty()
            && let Some(name) = name.strip_suffix(end).and_then(decode)
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Everything but ASCII letters and digits is written as the hexadecimal values of its bytes.
fn encode_char(letter: char, keep: bool) -> String {
    if letter.is_ascii_alphanumeric() || keep {
        return letter.to_string();
    }
    let mut bytes = [0; 4];
    letter.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn decode(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        bytes.push(match byte {
            b'%' => u8::try_from(digit(rest.next())? * 16 + digit(rest.next())?).ok()?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_the_file_system() {
        for name in ["count.paris", "jürgen", "a_b-c", "../../etc/passwd", "pep_urn:xmpp:mds"] {
            let encoded: String = name.chars().map(|c| encode_char(c, false)).collect();
            assert!(!encoded.contains(['/', '.']), "{encoded}");
            assert_eq!(decode(&encoded).as_deref(), Some(name));
        }
        assert_eq!(decode("a%zz"), None);
        assert_eq!(decode("count%2eparis").as_deref(), Some("count.paris"));
    }
}
