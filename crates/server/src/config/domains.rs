//! Other domains that administrators chose while the server runs, beside those in the configuration.

use std::{io, path::Path};

use serde::{Deserialize, Serialize};

use crate::files;

/// Lists of domains, as in `[federation]`: names, or `*.` and one of their parents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Domains {
    /// Those that are not talked to.
    pub deny: Vec<String>,
    /// Those to talk to. Unless it is empty, all others are left out.
    pub allow: Vec<String>,
}

impl Domains {
    /// Domains on one list.
    pub const MOST: usize = 10_000;

    /// What was chosen; nothing when the file is not there.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn load(path: &Path) -> io::Result<Self> {
        files::load(path)
    }

    /// Keeps it for the next start.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        files::write_private(path, files::json(self)?.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_survive_a_start() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("domains.json");
        assert_eq!(Domains::load(&path).unwrap(), Domains::default());
        let domains = Domains { deny: vec!["spam.example".into()], allow: Vec::new() };
        domains.save(&path).unwrap();
        assert_eq!(Domains::load(&path).unwrap(), domains);
        std::fs::write(&path, "{\"refuse\":[]}").unwrap();
        assert!(Domains::load(&path).is_err());
    }
}
