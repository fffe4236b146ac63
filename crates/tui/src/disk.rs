//! What is said when a disk is full: which one, and what helps.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What went wrong with a file, in words.
#[must_use]
pub fn words(error: &io::Error, path: &Path) -> String {
    match is_full(error) {
        true => full(path),
        false => format!("{}: {error}", path.display()),
    }
}

/// There was no space, or none left for this user.
#[must_use]
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The disk that has this path is full.
#[must_use]
pub fn full(path: &Path) -> String {
    format!("the disk is full: free some space on {}", volume(path).display())
}

/// Where the disk begins that a path is on, or would be.
fn volume(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut there = whole.ancestors().filter_map(|place| Some((place, device(place)?)));
    let Some((mut start, own)) = there.next() else { return whole };
    while let Some((above, _)) = there.next().filter(|(_, device)| *device == own) {
        start = above;
    }
    start.to_owned()
}

fn device(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|found| found.dev())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named_by_where_it_begins() {
        assert_eq!(volume(Path::new("/proc/self/no/such/file")), Path::new("/proc"));
        assert_eq!(volume(Path::new("/")), Path::new("/"));
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let said = words(&full, Path::new("/proc/self/status"));
        assert_eq!(said, "the disk is full: free some space on /proc");
        let other = words(&io::ErrorKind::NotFound.into(), Path::new("/proc/x"));
        assert!(other.starts_with("/proc/x: "), "{other}");
    }
}
