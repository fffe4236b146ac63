//! A login that may fail. What it made goes again then, and nothing else: the folder may be one that
//! somebody has other things in.

use std::ffi::OsString;
use std::fs;
use std::io;

use client_sqlite::{Keyring, SqliteStore};

use super::{AUTHORITIES, CONNECTION, Profile, small_files};
use crate::disk;
use crate::failure::Failure;

/// A login that was begun.
#[derive(Debug)]
#[must_use]
pub struct Attempt {
    profile: Profile,
    /// There was no account before.
    new: bool,
    /// Nor a folder.
    made_folder: bool,
    /// What was chosen before about the way to the server.
    before: Vec<(&'static str, Option<Vec<u8>>)>,
}

impl Profile {
    /// Whether an account may be made in the folder, or is there already.
    ///
    /// # Errors
    /// There is something else in it, or it cannot be read.
    pub fn check_place(&self) -> Result<(), Failure> {
        if self.exists() {
            return Ok(());
        }
        let folder = self.folder.display();
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Failure::Usage(format!("{folder}: {error}"))),
        };
        // A login that was cut short leaves its lock, and perhaps more.
        let cut_short = fs::symlink_metadata(self.path(LOCK)).is_ok();
        let is_ours = |name: &OsString| {
            client_sqlite::files().any(|ours| name == ours)
                || small_files().any(|ours| *name == *ours)
        };
        let foreign = entries
            .map(|entry| entry.map_or_else(|_| "?".into(), |entry| entry.file_name()))
            .find(|name| !cut_short || !is_ours(name));
        match foreign {
            None => Ok(()),
            Some(name) => Err(Failure::Usage(format!(
                "there is no account in {folder}, but something else: {}. An account needs a folder \
                 of its own; name an empty one, or one that is not there yet",
                name.to_string_lossy()
            ))),
        }
    }

    /// Begins a login: the folder is there afterwards.
    ///
    /// # Errors
    /// The folder is no place for an account, or cannot be made.
    pub fn attempt(&self) -> Result<Attempt, Failure> {
        self.check_place()?;
        let storage = |error: io::Error| Failure::Storage(disk::words(&error, &self.folder));
        let mut before = Vec::new();
        for name in [AUTHORITIES, CONNECTION] {
            match fs::read(self.path(name)) {
                Ok(bytes) => before.push((name, Some(bytes))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => before.push((name, None)),
                Err(error) => return Err(storage(error)),
            }
        }
        let made_folder = !self.folder.exists();
        self.make_folder().map_err(storage)?;
        let attempt = Attempt { profile: self.clone(), new: !self.exists(), made_folder, before };
        // Whatever happens from now on, the folder can be recognised as ours.
        let marked = fs::OpenOptions::new().append(true).create(true).open(self.path(LOCK));
        match marked.map_err(storage) {
            Ok(_) => Ok(attempt),
            Err(failure) => {
                attempt.undo();
                Err(failure)
            }
        }
    }
}

impl Attempt {
    /// Whether there was no account before.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.new
    }

    /// The login worked.
    pub fn keep(self) {}

    /// The login failed. The same as [`undo`](Self::undo), unless another program has the account: then
    /// it is that one's.
    pub fn failed(self, failure: &Failure) {
        if !matches!(failure, Failure::InUse(_)) {
            self.undo();
        }
    }

    /// What the login made goes, and what it changed is as it was. Whoever has the account open has to
    /// close it first.
    pub fn undo(self) {
        for (name, bytes) in &self.before {
            // What cannot be put back stays as it is; the next login chooses anew.
            let _ = match bytes {
                Some(bytes) => self.profile.write(name, bytes),
                None => fs::remove_file(self.profile.path(name)),
            };
        }
        if !self.new {
            return;
        }
        let kept =
            |name: &str| self.before.iter().any(|(kept, bytes)| name == *kept && bytes.is_some());
        for name in small_files().filter(|name| !kept(name)) {
            let _ = fs::remove_file(self.profile.path(&name));
        }
        let _ = SqliteStore::remove(self.profile.folder(), &Keyring::default());
        if self.made_folder {
            // Somebody may have put something into it meanwhile.
            let _ = fs::remove_dir(self.profile.folder());
        }
    }
}

const LOCK: &str = "account.lock";

#[cfg(test)]
mod tests {
    use client_sqlite::Unlock;

    use super::*;

    fn names(profile: &Profile) -> Vec<String> {
        let entries = fs::read_dir(profile.folder()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn refused() -> Failure {
        Failure::Login("the password is wrong".to_owned())
    }

    #[test]
    fn nothing_is_left_of_a_login_that_failed() {
        let root = tempfile::tempdir().unwrap();
        let profile = Profile::at(root.path().join("account"));
        let attempt = profile.attempt().unwrap();
        assert!(attempt.is_new());
        profile.set_proxy(None).unwrap();
        drop(profile.opener(Unlock::Plain)().unwrap());
        attempt.failed(&refused());
        assert!(!profile.folder().exists());
        assert!(root.path().exists());
    }

    #[test]
    fn an_empty_folder_that_was_there_stays() {
        let root = tempfile::tempdir().unwrap();
        let profile = Profile::at(root.path());
        let attempt = profile.attempt().unwrap();
        drop(profile.opener(Unlock::Plain)().unwrap());
        attempt.failed(&refused());
        assert_eq!(names(&profile), [""; 0]);
    }

    #[test]
    fn a_folder_with_other_things_is_refused_and_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let profile = Profile::at(root.path());
        for name in ["thesis.txt", "authorities.pem", "files"] {
            fs::write(profile.path(name), "years of work").unwrap();
            let failure = profile.attempt().unwrap_err();
            assert!(matches!(&failure, Failure::Usage(words) if words.contains(name)), "{failure}");
            assert_eq!(names(&profile), [name]);
            fs::remove_file(profile.path(name)).unwrap();
        }
        let file = Profile::at(root.path().join("file"));
        fs::write(file.folder(), "").unwrap();
        assert!(matches!(file.attempt(), Err(Failure::Usage(_))));
        assert!(file.folder().exists());
    }

    #[test]
    fn what_a_login_that_was_cut_short_left_is_no_obstacle() {
        let root = tempfile::tempdir().unwrap();
        let profile = Profile::at(root.path().join("account"));
        // Killed while the keyring asked for its password.
        drop(profile.attempt().unwrap());
        profile.set_proxy(None).unwrap();
        assert_eq!(names(&profile), ["account.lock", "connection.toml"]);
        profile.attempt().unwrap().keep();
        fs::write(profile.path("thesis.txt"), "years of work").unwrap();
        profile.attempt().unwrap_err();
    }

    #[test]
    fn an_account_that_is_there_keeps_everything() {
        let root = tempfile::tempdir().unwrap();
        let profile = Profile::at(root.path());
        drop(profile.opener(Unlock::Plain)().unwrap());
        let proxy = "socks5://127.0.0.1:9050".parse().unwrap();
        profile.set_proxy(Some(&proxy)).unwrap();
        fs::write(profile.path("thesis.txt"), "years of work").unwrap();
        let before = names(&profile);
        let attempt = profile.attempt().unwrap();
        assert!(!attempt.is_new());
        profile.set_proxy(None).unwrap();
        fs::write(profile.path(AUTHORITIES), "of another server").unwrap();
        attempt.failed(&refused());
        assert_eq!(names(&profile), before);
        assert_eq!(profile.ways().unwrap().proxy, Some(proxy));
    }

    #[test]
    fn an_account_without_its_key_keeps_its_database() {
        let root = tempfile::tempdir().unwrap();
        let profile = Profile::at(root.path());
        drop(profile.opener(Unlock::Plain)().unwrap());
        fs::remove_file(profile.path("account.key")).unwrap();
        let attempt = profile.attempt().unwrap();
        assert!(!attempt.is_new());
        let failure = profile.opener(Unlock::Plain)().err().map(Failure::from).unwrap();
        assert!(matches!(failure, Failure::Storage(_)), "{failure}");
        attempt.failed(&failure);
        assert!(profile.path("account.db").exists());
    }

    #[test]
    fn the_account_of_a_program_that_was_faster_stays() {
        let root = tempfile::tempdir().unwrap();
        let profile = Profile::at(root.path().join("account"));
        let attempt = profile.attempt().unwrap();
        let other = profile.opener(Unlock::Plain)().unwrap();
        let failure = profile.opener(Unlock::Plain)().err().map(Failure::from).unwrap();
        attempt.failed(&failure);
        assert!(profile.exists());
        drop(other);
    }
}
