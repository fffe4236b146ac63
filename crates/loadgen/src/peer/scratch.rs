//! Private directories that disappear with their owner.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use anyhow::{Context, Result};

/// Where a server keeps its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// tmpfs, where an fsync costs nothing.
    Memory,
    /// The disk that the build directory is on.
    Disk,
}

impl Medium {
    fn root(self) -> Result<PathBuf> {
        match self {
            Self::Memory => Ok(PathBuf::from("/dev/shm")),
            Self::Disk => {
                let here = std::env::current_dir()?.join("target/bench");
                fs::create_dir_all(&here)?;
                Ok(here)
            }
        }
    }

    /// The file system behind it, as the kernel calls it.
    pub fn file_system(self) -> Result<String> {
        let root = self.root()?.canonicalize()?;
        let mounts = fs::read_to_string("/proc/self/mounts")?;
        Ok(file_system_of(&root, &mounts).unwrap_or_else(|| "unknown".to_owned()))
    }
}

/// A directory that only this process uses; removed with everything in it when
/// dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes an empty one.
    pub fn new(medium: Medium) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("loadgen-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
        let path = medium.root()?.join(name);
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("loadgen: {} is left behind: {error}", self.0.display());
        }
    }
}

/// Copies the files and folders in `from` into the existing folder `to`.
pub fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            copy_tree(&entry.path(), &target)?;
        } else if entry.file_type()?.is_file() {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn file_system_of(path: &Path, mounts: &str) -> Option<String> {
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    fields
        .filter(|fields| fields.len() > 2 && path.starts_with(fields[1]))
        .max_by_key(|fields| fields[1].len())
        .map(|fields| fields[2].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_mount_point_wins() {
        let mounts =
            "/dev/vda / ext4 rw 0 0\ntmpfs /dev/shm tmpfs rw 0 0\nproc /proc proc rw 0 0\n";
        assert_eq!(file_system_of(Path::new("/dev/shm"), mounts).as_deref(), Some("tmpfs"));
        assert_eq!(file_system_of(Path::new("/dev/shmoo"), mounts).as_deref(), Some("ext4"));
    }

    #[test]
    fn a_scratch_directory_is_gone_when_dropped() {
        let scratch = Scratch::new(Medium::Memory).unwrap();
        let path = scratch.path().to_owned();
        fs::write(path.join("file"), "x").unwrap();
        drop(scratch);
        assert!(!path.exists());
    }
}
