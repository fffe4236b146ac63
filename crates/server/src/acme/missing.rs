//! Names that an authority could not check lately. It counts failures by name, so that nobody asks for
//! these before a day is over, not even after a restart.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::{config::Acme, files};

/// The names, with when each of them failed, in seconds since 1970.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Missing {
    /// Where and how they were checked: another way is another chance.
    directory: String,
    challenge: String,
    names: BTreeMap<String, u64>,
}

impl Missing {
    /// What is kept in the file. One that is not there or cannot be read keeps nobody from asking.
    pub(super) fn load(path: &Path, config: &Acme, now: SystemTime) -> Missing {
        let kept = std::fs::read(path).ok();
        let kept = kept.and_then(|text| serde_json::from_slice::<Missing>(&text).ok());
        let mut missing = kept.unwrap_or_default();
        if missing.directory != config.directory || missing.challenge != config.challenge.name() {
            missing = Missing {
                directory: config.directory.clone(),
                challenge: config.challenge.name().to_owned(),
                names: BTreeMap::new(),
            };
        }
        // A time that is still to come is none.
        missing.names.retain(|_, failed| seconds(now).checked_sub(*failed).is_some_and(is_lately));
        missing
    }

    /// Whether a name failed lately.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// Adds names that failed now, and writes the file.
    ///
    /// # Errors
    /// When the file could not be written.
    pub(super) fn add<'a>(
        &mut self,
        path: &Path,
        names: impl Iterator<Item = &'a String>,
        now: SystemTime,
    ) -> std::io::Result<()> {
        self.names.extend(names.map(|name| (name.clone(), seconds(now))));
        files::write_private(path, &serde_json::to_vec(self)?)
    }
}

fn is_lately(age: u64) -> bool {
    age < AGAIN_AFTER.as_secs()
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// When a name is asked for again.
const AGAIN_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn config(more: &str) -> Acme {
        Config::parse(&format!("domain = \"a.example\"\n[acme]\n{more}")).unwrap().acme
    }

    #[test]
    fn a_name_that_failed_is_left_alone_for_a_day_even_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("missing.json");
        let now = SystemTime::now();
        let name = "conference.a.example".to_owned();
        let mut missing = Missing::load(&path, &config(""), now);
        assert!(!missing.has(&name));
        missing.add(&path, std::iter::once(&name), now).unwrap();
        let has = |more: &str, now| Missing::load(&path, &config(more), now).has(&name);
        assert!(has("", now + AGAIN_AFTER / 2));
        assert!(!has("", now + AGAIN_AFTER));
        assert!(!has("", now - AGAIN_AFTER), "a clock that was wrong");
        assert!(!has("challenge = \"dns-01\"\nhook = \"x\"", now), "checked in another way");
        std::fs::write(&path, "{").unwrap();
        assert!(!has("", now), "a file that is damaged");
    }
}
