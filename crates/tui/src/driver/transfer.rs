//! Files on their way: uploads (XEP-0363) and downloads, encrypted in passing (XEP-0454).

use std::io;
use std::path::Path;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use client::effect::{FileKey, LocalFile, Transfer, TransferEvent};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::header::CONTENT_LENGTH;
use hyper::{Method, StatusCode};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::connect::Ways;
use super::files::Partial;
use super::gcm::{self, Gcm, TAG};
use super::http::{self, Home};
use crate::disk;

/// Told how a transfer goes on. Progress may be left out when the reader is slow.
pub type Report<'a> = &'a (dyn Fn(TransferEvent) + Send + Sync);

/// Carries a transfer out; the last event is its end.
pub async fn run(
    ways: &Ways,
    home: Option<&Home>,
    transfer: Transfer,
    report: Report<'_>,
) -> TransferEvent {
    let done = match transfer {
        Transfer::Upload { file, url, headers, cipher } => {
            upload(ways, home, &file, &url, &headers, cipher.as_ref(), report).await
        }
        Transfer::Download { url, cipher, most, into } => {
            download(ways, home, &url, cipher.as_ref(), most, &into, report).await
        }
    };
    match done {
        Ok((size, sha256)) => TransferEvent::Finished { size, sha256 },
        Err(reason) => TransferEvent::Failed(reason),
    }
}

/// Bytes of the file, and SHA-256 of what is on the server.
type Done = Result<(u64, [u8; 32]), String>;

async fn upload(
    ways: &Ways,
    home: Option<&Home>,
    file: &LocalFile,
    url: &str,
    headers: &[(String, String)],
    cipher: Option<&FileKey>,
    report: Report<'_>,
) -> Done {
    let url = http::parse(url)?;
    let words = |error: io::Error| format!("{}: {error}", file.0);
    let source = std::fs::File::open(&file.0).map_err(words)?;
    let size = source.metadata().map_err(words)?.len();
    if size > gcm::MOST_BYTES {
        return Err(format!("{} is too large to be encrypted", file.0));
    }
    let cipher = match cipher {
        Some(key) => Some(Gcm::new(key).ok_or("the key has no nonce")?),
        None => None,
    };
    let on_server = size + if cipher.is_some() { TAG as u64 } else { 0 };
    let mut headers = headers.to_vec();
    headers.retain(|(name, _)| !name.eq_ignore_ascii_case(CONTENT_LENGTH.as_str()));
    headers.push((CONTENT_LENGTH.to_string(), on_server.to_string()));
    let (pieces, mut taken) = mpsc::channel(4);
    let reading = tokio::task::spawn_blocking(move || read(source, size, cipher, &pieces));
    let stream = futures_util::stream::poll_fn(move |context| taken.poll_recv(context));
    let body = StreamBody::new(stream).boxed();
    let sending = http::send(ways, home, Method::PUT, &url, &headers, body);
    let answer = with_patience(sending, on_server).await?;
    match answer.status() {
        StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT => {}
        status => return Err(format!("the server does not take the file: {status}")),
    }
    report(TransferEvent::Progress(size));
    let sha256 = reading.await.map_err(|error| error.to_string())?.map_err(words)?;
    Ok((size, sha256))
}

/// Waits for an upload as long as its size may take at [`SLOWEST`].
async fn with_patience<T>(
    work: impl Future<Output = Result<T, String>>,
    bytes: u64,
) -> Result<T, String> {
    let patience = SILENCE + Duration::from_secs(bytes / SLOWEST);
    timeout(patience, work).await.unwrap_or_else(|_| Err("the server does not answer".to_owned()))
}

type Piece = Result<Frame<Bytes>, io::Error>;

/// Reads a file into pieces; what follows after `size` bytes is left out.
fn read(
    mut source: std::fs::File,
    size: u64,
    mut cipher: Option<Gcm>,
    pieces: &mpsc::Sender<Piece>,
) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut left = size;
    let mut send = |piece: Bytes| {
        hash.update(&piece);
        let sent = pieces.blocking_send(Ok(Frame::data(piece)));
        sent.map_err(|_| io::Error::other("the upload ended before the file"))
    };
    while left > 0 {
        let mut piece = BytesMut::zeroed(PIECE.min(usize::try_from(left).unwrap_or(PIECE)));
        let length = io::Read::read(&mut source, &mut piece)?;
        if length == 0 {
            let error = "the file became shorter while it was read";
            // The server must not take the beginning for the whole.
            let _ = pieces.blocking_send(Err(io::Error::other(error)));
            return Err(io::Error::other(error));
        }
        piece.truncate(length);
        left -= length as u64;
        if let Some(cipher) = &mut cipher {
            cipher.seal(&mut piece);
        }
        send(piece.freeze())?;
    }
    if let Some(cipher) = cipher {
        send(Bytes::copy_from_slice(&cipher.tag()))?;
    }
    Ok(hash.finalize().into())
}

async fn download(
    ways: &Ways,
    home: Option<&Home>,
    url: &str,
    key: Option<&FileKey>,
    most: u64,
    into: &LocalFile,
    report: Report<'_>,
) -> Done {
    let cipher = match key {
        Some(key) => Some(Gcm::new(key).ok_or("the key has no nonce")?),
        None => None,
    };
    let tag = if cipher.is_some() { TAG as u64 } else { 0 };
    let asking = http::get(ways, home, url);
    let answer = timeout(SILENCE, asking).await.map_err(|_| "the server does not answer")??;
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            return Err("the file is no longer on the server".to_owned());
        }
        status => return Err(format!("the server does not give the file: {status}")),
    }
    let told = answer.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if told.and_then(|text| text.parse::<u64>().ok()).is_some_and(|told| told > most + tag) {
        return Err(too_large(most));
    }
    let (partial, file) =
        Partial::create(Path::new(&into.0)).map_err(|error| words(&error, into))?;
    let mut sink = Sink { file, cipher, held: Vec::new(), size: 0, hash: Sha256::new() };
    let mut body = answer.into_body();
    loop {
        let frame = timeout(SILENCE, body.frame()).await;
        let Some(frame) = frame.map_err(|_| "the server stopped sending".to_owned())? else {
            break;
        };
        // A body that is shorter than it was told to be ends in an error here.
        let frame = frame.map_err(|error| format!("the connection broke: {error}"))?;
        let Ok(piece) = frame.into_data() else { continue };
        sink.take(&piece).map_err(|error| words(&error, into))?;
        if sink.size > most {
            return Err(too_large(most));
        }
        report(TransferEvent::Progress(sink.size));
    }
    sink.finish(partial, into)
}

/// A file being written.
struct Sink {
    file: std::fs::File,
    cipher: Option<Gcm>,
    /// The last bytes so far: they may be the tag.
    held: Vec<u8>,
    size: u64,
    hash: Sha256,
}

impl Sink {
    fn take(&mut self, piece: &[u8]) -> io::Result<()> {
        self.hash.update(piece);
        let Some(cipher) = &mut self.cipher else {
            self.size += piece.len() as u64;
            return io::Write::write_all(&mut self.file, piece);
        };
        self.held.extend_from_slice(piece);
        let mut text = std::mem::take(&mut self.held);
        self.held = text.split_off(text.len().saturating_sub(TAG));
        cipher.open(&mut text);
        self.size += text.len() as u64;
        io::Write::write_all(&mut self.file, &text)
    }

    /// The file gets its name only when it is whole and genuine.
    fn finish(self, partial: Partial, into: &LocalFile) -> Done {
        if let Some(cipher) = self.cipher
            && !cipher.is_genuine(&self.held)
        {
            return Err("the file is damaged, or was exchanged: it does not fit its key".to_owned());
        }
        partial.finish(&self.file).map_err(|error| words(&error, into))?;
        Ok((self.size, self.hash.finalize().into()))
    }
}

fn words(error: &io::Error, into: &LocalFile) -> String {
    format!("the file cannot be kept: {}", disk::words(error, Path::new(&into.0)))
}

fn too_large(most: u64) -> String {
    format!("the file is larger than {} MiB", most / (1 << 20))
}

/// Bytes that are read from a file at once.
const PIECE: usize = 64 * 1024;
/// How long a server may say nothing.
const SILENCE: Duration = Duration::from_secs(60);
/// Bytes a second below which an upload is given up.
const SLOWEST: u64 = 1024;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn key() -> FileKey {
        FileKey { key: [3; 32], iv: vec![4; 12] }
    }

    fn sealed(text: &[u8]) -> Vec<u8> {
        let mut gcm = Gcm::new(&key()).unwrap();
        let mut bytes = text.to_vec();
        gcm.seal(&mut bytes);
        bytes.extend(gcm.tag());
        bytes
    }

    fn keep(path: &Path, pieces: &[&[u8]]) -> Done {
        let (partial, file) = Partial::create(path).unwrap();
        let cipher = Gcm::new(&key());
        let mut sink = Sink { file, cipher, held: Vec::new(), size: 0, hash: Sha256::new() };
        for piece in pieces {
            sink.take(piece).unwrap();
        }
        sink.finish(partial, &LocalFile(path.to_string_lossy().into_owned()))
    }

    #[test]
    fn a_file_comes_out_as_it_went_in() {
        let folder = tempfile::tempdir().unwrap();
        let text: Vec<u8> = (0..100_000_u32).map(|number| number as u8).collect();
        let bytes = sealed(&text);
        for (number, cut) in [1, 15, 17, 99_990, 100_001].into_iter().enumerate() {
            let path = folder.path().join(number.to_string());
            let (first, second) = bytes.split_at(cut);
            let (size, sha256) = keep(&path, &[first, second]).unwrap();
            assert_eq!((size, sha256), (100_000, Sha256::digest(&bytes).into()));
            assert_eq!(std::fs::read(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_file_that_does_not_fit_its_key_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = sealed(b"the text");
        let mut changed = bytes.clone();
        changed[2] ^= 1;
        for wrong in [&changed[..], &bytes[..20], b"short", b""] {
            let path = folder.path().join("a");
            keep(&path, &[wrong]).unwrap_err();
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }

    #[tokio::test]
    async fn a_file_is_read_encrypted() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"the text, and more").unwrap();
        let source = std::fs::File::open(file.path()).unwrap();
        let (pieces, mut taken) = mpsc::channel(4);
        let reading =
            tokio::task::spawn_blocking(move || read(source, 8, Gcm::new(&key()), &pieces));
        let mut bytes = Vec::new();
        while let Some(piece) = taken.recv().await {
            bytes.extend_from_slice(&piece.unwrap().into_data().unwrap());
        }
        assert_eq!(bytes, sealed(b"the text"));
        assert_eq!(reading.await.unwrap().unwrap(), <[u8; 32]>::from(Sha256::digest(&bytes)));
    }

    #[tokio::test]
    async fn a_file_that_becomes_shorter_ends_the_upload() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let source = std::fs::File::open(file.path()).unwrap();
        let (pieces, mut taken) = mpsc::channel(4);
        let reading = tokio::task::spawn_blocking(move || read(source, 8, None, &pieces));
        assert!(taken.recv().await.unwrap().is_err());
        assert!(reading.await.unwrap().is_err());
    }
}
