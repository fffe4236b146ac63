//! Where the bytes of uploaded files lie: one file each in a directory of its own, named after its
//! id. A file has its name only once its bytes are on disk; until then it is a `.part`.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use store::{AccountId, uploads::FileId};
use tokio::task::spawn_blocking;

use crate::{config::Home, files};

/// The directory and who is writing to it.
#[derive(Clone, Debug)]
pub struct Disk {
    directory: Arc<Path>,
    busy: Arc<Mutex<HashMap<AccountId, Vec<FileId>>>>,
    /// How many parts there were.
    parts: Arc<AtomicU64>,
}

/// A file that somebody writes: nobody else does as long as this is there.
#[derive(Debug)]
struct Claim {
    disk: Disk,
    account: AccountId,
    id: FileId,
}

/// A file that is being written. Dropped before [`Part::finish`], it leaves nothing behind. As long as it
/// is there, nobody else writes this file.
#[derive(Debug)]
pub struct Part {
    claim: Arc<Claim>,
    path: PathBuf,
    target: PathBuf,
    /// Whether there is a file of this part under `path`.
    begun: bool,
    content: Option<(File, Sha256)>,
}

/// Why a file cannot be written now.
#[derive(Debug)]
pub enum BeginError {
    /// It is being written already.
    Twice,
    /// Too many files are being written.
    Busy,
    /// The disk refused.
    Disk(io::Error),
}

impl Disk {
    /// The files of a data directory. Nothing is made before the first file comes.
    #[must_use]
    pub fn new(home: &Home) -> Self {
        Disk { directory: home.uploads().into(), busy: Arc::default(), parts: Arc::default() }
    }

    /// Begins to write a file.
    ///
    /// # Errors
    /// See [`BeginError`].
    pub async fn begin(&self, account: AccountId, id: FileId) -> Result<Part, BeginError> {
        let claim = Arc::new(self.claim(account, id)?);
        let target = self.path(id);
        let number = self.parts.fetch_add(1, Ordering::Relaxed);
        let path = target.with_extension(format!("{number}.{PART}"));
        let mut part = Part { claim, path, target, begun: false, content: None };
        let (directory, path) = (self.directory.clone(), part.path.clone());
        let opened = blocking(move || {
            files::private_directory(&directory)?;
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
        });
        match opened.await {
            Ok(file) => {
                part.begun = true;
                part.content = Some((file, Sha256::new()));
            }
            Err(error) => return Err(BeginError::Disk(error)),
        }
        Ok(part)
    }

    fn claim(&self, account: AccountId, id: FileId) -> Result<Claim, BeginError> {
        let mut busy = self.busy.lock();
        let all: usize = busy.values().map(Vec::len).sum();
        let own = busy.get(&account).map_or(&[][..], Vec::as_slice);
        if own.contains(&id) {
            return Err(BeginError::Twice);
        }
        if own.len() >= MOST_OF_ONE || all >= MOST_AT_ONCE {
            return Err(BeginError::Busy);
        }
        busy.entry(account).or_default().push(id);
        Ok(Claim { disk: self.clone(), account, id })
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    pub async fn open(&self, id: FileId) -> io::Result<Download> {
        let path = self.path(id);
        blocking(move || File::open(path)).await.map(|file| Download { file })
    }

    /// Removes files; those that are not there are no error.
    ///
    /// # Errors
    /// When the system refuses; some may then be left.
    pub async fn remove(&self, ids: Vec<FileId>) -> io::Result<()> {
        let paths: Vec<PathBuf> = ids.into_iter().map(|id| self.path(id)).collect();
        let directory = self.directory.clone();
        blocking(move || {
            for path in paths {
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            match sync(&directory) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Every file that is there. What a crash left half written is removed: only for the start of
    /// the server, when nothing is being written.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub async fn take_stock(&self) -> io::Result<Vec<FileId>> {
        let directory = self.directory.clone();
        blocking(move || {
            let entries = match fs::read_dir(&directory) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                entries => entries?,
            };
            let mut ids = Vec::new();
            for entry in entries {
                let path = entry?.path();
                if path.extension().is_some_and(|extension| extension == PART) {
                    fs::remove_file(&path)?;
                }
                let name = path.file_name().and_then(|name| name.to_str());
                ids.extend(name.and_then(id_of));
            }
            Ok(ids)
        })
        .await
    }

    /// Bytes that are free for this program.
    ///
    /// # Errors
    /// When the system does not say.
    pub async fn free(&self) -> io::Result<u64> {
        let directory = self.directory.clone();
        blocking(move || {
            files::private_directory(&directory)?;
            let told = rustix::fs::statvfs(&*directory)?;
            Ok(told.f_bavail.saturating_mul(told.f_frsize))
        })
        .await
    }

    fn path(&self, id: FileId) -> PathBuf {
        self.directory.join(file_name(id))
    }
}

impl Part {
    /// Appends bytes, and gives their buffer back to be filled again.
    ///
    /// # Errors
    /// When the disk refuses. The part is then good for nothing but to be dropped.
    pub async fn write(&mut self, mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let Some((mut file, mut hash)) = self.content.take() else { return Err(broken()) };
        let written = blocking(move || {
            file.write_all(&bytes)?;
            hash.update(&bytes);
            bytes.clear();
            Ok((file, hash, bytes))
        });
        let (file, hash, bytes) = written.await?;
        self.content = Some((file, hash));
        Ok(bytes)
    }

    /// Appends the last bytes and brings all to disk under its name. Gives the SHA-256. The part is still
    /// there, so that nobody else writes the file before whoever wrote it has said so.
    ///
    /// # Errors
    /// When the disk refuses; nothing is left of it then.
    pub async fn finish(&mut self, last: Vec<u8>) -> io::Result<[u8; 32]> {
        let Some((mut file, mut hash)) = self.content.take() else { return Err(broken()) };
        let (path, target) = (self.path.clone(), self.target.clone());
        // Whoever stops waiting for this does not stop it.
        let claim = self.claim.clone();
        let hash = blocking(move || {
            let directory = &claim.disk.directory;
            file.write_all(&last)?;
            hash.update(&last);
            file.sync_all()?;
            fs::rename(&path, &target)?;
            sync(directory).inspect_err(|_| drop(fs::remove_file(&target)))?;
            Ok(hash.finalize().into())
        })
        .await?;
        self.begun = false;
        Ok(hash)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut busy = self.disk.busy.lock();
        if let Some(own) = busy.get_mut(&self.account) {
            own.retain(|id| *id != self.id);
            if own.is_empty() {
                busy.remove(&self.account);
            }
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.begun {
            // What cannot be removed now is removed at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A file that is being read.
#[derive(Debug)]
pub struct Download {
    file: File,
}

impl Download {
    /// Goes to a place.
    ///
    /// # Errors
    /// When the system refuses.
    pub async fn seek(&mut self, to: u64) -> io::Result<()> {
        // No file is read for it: the kernel notes a number.
        self.file.seek(SeekFrom::Start(to)).map(drop)
    }

    /// Reads on, at most `most` bytes and at most a chunk.
    ///
    /// # Errors
    /// When the file cannot be read, or is shorter than expected.
    pub async fn read(mut self, most: u64) -> io::Result<(Bytes, Self)> {
        let length = usize::try_from(most).unwrap_or(usize::MAX).min(CHUNK);
        blocking(move || {
            let mut buffer = vec![0; length];
            self.file.read_exact(&mut buffer)?;
            Ok((buffer.into(), self))
        })
        .await
    }
}

/// The name of a file in the directory, and in backups.
#[must_use]
pub fn file_name(id: FileId) -> String {
    id.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The id that a name in the directory stands for.
#[must_use]
pub fn id_of(name: &str) -> Option<FileId> {
    let mut id = [0; 16];
    if name.len() != 32 || !name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    for (byte, at) in id.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(name.get(at..at + 2)?, 16).ok()?;
    }
    Some(FileId(id))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn broken() -> io::Error {
    io::Error::other("an earlier write failed")
}

/// Bytes written at a time: each time another thread takes a turn, however few they are.
pub const BLOCK: usize = 256 * 1024;
/// Bytes read at a time. There may be more readers than writers, and each holds what it has read.
const CHUNK: usize = 64 * 1024;
/// Files that one account may be uploading at a time, and all accounts together.
const MOST_OF_ONE: usize = 8;
const MOST_AT_ONCE: usize = 64;
const PART: &str = "part";

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
    }

    fn names(home: &Home) -> Vec<String> {
        let entries = fs::read_dir(home.uploads()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_has_its_name_when_it_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path());
        let disk = Disk::new(&home);
        let id = FileId(*b"0123456789abcdef");
        run(async {
            let mut part = disk.begin(AccountId(1), id).await.unwrap();
            part.write(b"What light ".to_vec()).await.unwrap();
            assert!(disk.open(id).await.is_err());
            let again = disk.begin(AccountId(1), id).await;
            assert!(matches!(again, Err(BeginError::Twice)));
            part.write(b"is ".to_vec()).await.unwrap();
            let hash = part.finish(b"this".to_vec()).await.unwrap();
            assert_eq!(hash, <[u8; 32]>::from(Sha256::digest(b"What light is this")));
            // The store does not know of it yet.
            let again = disk.begin(AccountId(1), id).await;
            assert!(matches!(again, Err(BeginError::Twice)));
            drop(part);
            assert!(disk.begin(AccountId(1), id).await.is_ok());
            let mut download = disk.open(id).await.unwrap();
            download.seek(5).await.unwrap();
            let (bytes, _) = download.read(5).await.unwrap();
            assert_eq!(bytes, "light");
            assert_eq!(names(&home), [file_name(id)]);
            assert_eq!(disk.take_stock().await.unwrap(), [id]);
            disk.remove(vec![id, FileId([0; 16])]).await.unwrap();
            assert_eq!(names(&home), [""; 0]);
        });
    }

    #[test]
    fn what_is_given_up_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path());
        let disk = Disk::new(&home);
        run(async {
            let mut part = disk.begin(AccountId(1), FileId([1; 16])).await.unwrap();
            part.write(vec![1; 1000]).await.unwrap();
            assert_eq!(names(&home).len(), 1);
            drop(part);
            assert_eq!(names(&home), [""; 0]);
            let crashed = home.uploads().join(format!("{}.part", file_name(FileId([2; 16]))));
            fs::write(&crashed, "half").unwrap();
            fs::write(home.uploads().join("README"), "not ours").unwrap();
            assert_eq!(disk.take_stock().await.unwrap(), []);
            assert_eq!(names(&home), ["README"]);
        });
    }

    #[test]
    fn one_account_cannot_take_every_place() {
        let directory = tempfile::tempdir().unwrap();
        let disk = Disk::new(&Home::new(directory.path()));
        run(async {
            let mut parts = Vec::new();
            for number in 0..MOST_OF_ONE as u8 {
                parts.push(disk.begin(AccountId(1), FileId([number; 16])).await.unwrap());
            }
            let more = disk.begin(AccountId(1), FileId([99; 16])).await;
            assert!(matches!(more, Err(BeginError::Busy)));
            assert!(disk.begin(AccountId(2), FileId([98; 16])).await.is_ok());
            parts.pop();
            assert!(disk.begin(AccountId(1), FileId([99; 16])).await.is_ok());
        });
    }

    #[test]
    fn only_our_own_names_are_ids() {
        let id = FileId([0xab; 16]);
        assert_eq!(id_of(&file_name(id)), Some(id));
        for name in
            ["", "..", "AB".repeat(16).as_str(), "+1".repeat(16).as_str(), "é".repeat(16).as_str()]
        {
            assert_eq!(id_of(name), None, "{name}");
        }
    }
}
