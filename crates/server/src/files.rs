//! Writing files that others must not read and that a crash must not leave half written, and their
//! sizes for people.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

/// Makes a directory that only its owner may enter, if it does not exist.
///
/// # Errors
/// When the system refuses.
pub fn private_directory(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file that only its owner may read (0600). Readers see the old content or the new one,
/// never a part: the content goes to a temporary file that takes the name when it is on disk.
///
/// # Errors
/// When the system refuses; the old file is then untouched.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    write(path, content, 0o600)
}

/// As [`write_private`], for a file that everybody may read (0644).
///
/// # Errors
/// When the system refuses; the old file is then untouched.
pub fn write_public(path: &Path, content: &[u8]) -> io::Result<()> {
    write(path, content, 0o644)
}

/// Bytes that are free for this program on the disk with a directory.
///
/// # Errors
/// When the system does not say.
pub async fn free(directory: &Path) -> io::Result<u64> {
    let directory = directory.to_owned();
    let told = tokio::task::spawn_blocking(move || rustix::fs::statvfs(&*directory));
    let told = told.await.map_err(io::Error::other)??;
    Ok(told.f_bavail.saturating_mul(told.f_frsize))
}

/// A new file that only its owner may read (0600).
///
/// # Errors
/// When it exists, or the system refuses.
pub fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn write(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let temporary = beside(path);
    let result = write_new(&temporary, content, mode).and_then(|()| fs::rename(&temporary, path));
    match result {
        Ok(()) => sync_directory(path),
        Err(error) => {
            // The error that matters is the first one.
            let _ = fs::remove_file(&temporary);
            Err(error)
        }
    }
}

fn write_new(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    // A leftover of a crash may have been made with another mode.
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// A name is on disk when its directory is.
fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

/// What a file of JSON says; nothing when it is not there.
///
/// # Errors
/// When it cannot be read, or says something else.
pub fn load<T: DeserializeOwned + Default>(path: &Path) -> io::Result<T> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(error),
    }
}

/// What [`load`] reads, for people to read as well.
///
/// # Errors
/// When it cannot be said in JSON.
pub fn json(value: &impl Serialize) -> io::Result<String> {
    let text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
    Ok(format!("{text}\n"))
}

/// Whether others than the owner and the owner's group may read the file.
///
/// # Errors
/// When the file cannot be examined.
pub fn readable_by_all(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o004 != 0)
}

/// A number of bytes for people.
#[must_use]
pub fn size(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut whole = bytes;
    let mut rest = 0;
    while whole >= 1024 && unit + 1 < units.len() {
        rest = whole % 1024;
        whole /= 1024;
        unit += 1;
    }
    match unit {
        0 => format!("{whole} {}", units[unit]),
        _ => format!("{whole}.{} {}", rest * 10 / 1024, units[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(512), "512 bytes");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(3 << 30), "3.0 GiB");
    }

    #[test]
    fn a_private_file_is_for_its_owner_alone_even_when_it_was_not_before() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret.key");
        fs::write(&path, "old").unwrap();
        assert!(readable_by_all(&path).unwrap());
        write_private(&path, b"new").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
