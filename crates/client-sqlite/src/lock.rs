//! Only one program has an account open.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::connect::private;
use crate::error::OpenError;

/// The lock, held until it is dropped; the system gives it back when the program is killed.
#[derive(Debug)]
pub(crate) struct Lock(
    #[allow(dead_code, reason = "the lock lives as long as the file is open")] File,
);

impl Lock {
    /// Takes it, or says who has it. It is not the database itself: closing a second descriptor of
    /// that would drop SQLite's own locks.
    pub(crate) fn take(path: &Path) -> Result<Self, OpenError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        private(&mut options);
        let mut file = options.open(path).map_err(|error| OpenError::access(path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(in_use(&mut file)),
            Err(fs::TryLockError::Error(error)) => return Err(OpenError::access(path, &error)),
        }
        let noted = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{} {}", std::process::id(), own_name()));
        match noted.map_err(|error| OpenError::access(path, &error)) {
            // An account on a full disk can still be read.
            Err(OpenError::Full { .. }) | Ok(()) => Ok(Self(file)),
            Err(error) => Err(error),
        }
    }
}

fn own_name() -> String {
    let name = std::env::current_exe().ok();
    let name = name.as_deref().and_then(Path::file_name);
    name.map_or_else(|| "a program".into(), |name| name.to_string_lossy().into_owned())
}

fn in_use(file: &mut File) -> OpenError {
    let mut text = String::new();
    // Without the note there is still an answer.
    let _ = file.take(200).read_to_string(&mut text);
    let (pid, name) = text.trim().split_once(' ').unwrap_or_default();
    let program = if name.is_empty() { "its name is not known" } else { name };
    OpenError::InUse { program: program.into(), pid: pid.parse().ok() }
}
