//! Files that belong into a backup because the configuration names them: a certificate, the secret of a relay,
//! a page. Those in the data directory are taken along; of the others the operator is told.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use super::{DATABASE, KEPT, UPLOADS};
use crate::{
    config::{Config, Home},
    files,
};

/// What a configuration names, without what is in every backup.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// Files in the data directory, by their path in it.
    pub(super) inside: Vec<String>,
    /// Files that are not.
    pub(super) elsewhere: Vec<PathBuf>,
}

impl Named {
    pub(super) fn of(home: &Home, config: &Config) -> Self {
        let mut named = Self::default();
        for path in config.files() {
            let path = home.resolve(path);
            let name = path.strip_prefix(home.path()).ok().and_then(Path::to_str);
            match name {
                Some(name) if KEPT.contains(&name) => {}
                Some(name) if is_sober(name) => {
                    if path.is_file() && !named.inside.iter().any(|known| known == name) {
                        named.inside.push(name.to_owned());
                    }
                }
                _ if named.elsewhere.contains(&path) => {}
                _ => named.elsewhere.push(path),
            }
        }
        named
    }
}

/// Whether a path leads to a place below the directory that it starts at, and to none that something else has.
pub(super) fn is_sober(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let first = parts.next().map(Component::as_os_str);
    let is_taken = first.is_none_or(|first| {
        let first = first.to_string_lossy();
        first.starts_with(DATABASE)
            || first == UPLOADS.trim_end_matches('/')
            || first == "anemone.sock"
    });
    !is_taken && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

/// Renames a file, with the directories that it needs; one that is not there is no error.
///
/// # Errors
/// When the system refuses.
pub(super) fn carry(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(directory) = to.parent().filter(|_| from.exists()) {
        files::private_directory(directory)?;
    }
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else() {
        for good in ["fullchain.pem", "certs/a.pem", "manifest.json", "..a"] {
            assert!(is_sober(good), "{good}");
        }
        for bad in [
            "",
            "..",
            "../a",
            "a/../../b",
            "/etc/passwd",
            "uploads/a",
            "anemone.db",
            "anemone.db-wal",
            ".",
        ] {
            assert!(!is_sober(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_in_the_data_directory_is_told_from_what_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path());
        fs::create_dir(directory.path().join("certs")).unwrap();
        for name in ["certs/chain.pem", "ca.pem"] {
            fs::write(directory.path().join(name), "x").unwrap();
        }
        let text = "domain = \"a.example\"\n[tls]\ncertificate = \"certs/chain.pem\"\nkey = \"/etc/key.pem\"\n\
                    [federation]\ntrust = [\"ca.pem\", \"certs/chain.pem\", \"absent.pem\", \"../up.pem\"]\n";
        let named = Named::of(&home, &Config::parse(text).unwrap());
        assert_eq!(named.inside, ["certs/chain.pem"]);
        let up = directory.path().join("../up.pem");
        assert_eq!(named.elsewhere, [PathBuf::from("/etc/key.pem"), up]);
    }
}
