//! Every byte of an upload, as a server sees it: of a file that is encrypted nothing but its size.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aes_gcm::aead::{Aead, KeyInit};
use client::effect::{FileKey, LocalFile, Transfer, TransferEvent};
use clownfish::driver::tls::Trust;
use clownfish::driver::{Ways, transfer};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A bound for what takes a moment.
const PATIENCE: Duration = Duration::from_secs(60);
const CONTENT: &[u8] = b"canary-content-yranac, many times over: canary-content-yranac";

/// A server that takes one file, and says what came for it.
async fn recorder(folder: &std::path::Path) -> (String, Trust, JoinHandle<Vec<u8>>) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let file = folder.join("authority.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    let taking = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = acceptor.accept(stream).await.unwrap();
        let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
        while !is_whole(&bytes) {
            let count = stream.read(&mut piece).await.unwrap();
            assert!(count > 0, "the request ended early");
            bytes.extend_from_slice(&piece[..count]);
        }
        stream.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        stream.shutdown().await.unwrap();
        bytes
    });
    (place, Trust::file(&file).unwrap(), taking)
}

/// The request line with the headers, and the body.
fn parts(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((std::str::from_utf8(&bytes[..end]).unwrap(), &bytes[end + 4..]))
}

fn is_whole(bytes: &[u8]) -> bool {
    parts(bytes).is_some_and(|(head, body)| {
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then(|| value.parse().unwrap())
        });
        body.len() == length.unwrap_or(0)
    })
}

/// Uploads a file of which everything is secret. Says what left.
async fn uploaded(cipher: Option<FileKey>) -> Vec<u8> {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("canary-folder-yranac");
    std::fs::create_dir(&folder).unwrap();
    let file: PathBuf = folder.join("canary-name-yranac.png");
    std::fs::write(&file, CONTENT).unwrap();
    let (place, trust, taking) = recorder(home.path()).await;
    let ways = Ways { trust, proxy: None, isolation: String::new() };
    let upload = Transfer::Upload {
        file: LocalFile(file.to_str().unwrap().to_owned()),
        url: format!("{place}/place/of-it.bin"),
        headers: vec![("Authorization".to_owned(), "Bearer of the slot".to_owned())],
        cipher,
    };
    let run = tokio::time::timeout(PATIENCE, transfer::run(&ways, None, upload, &|_| {}));
    let event = run.await.unwrap();
    let TransferEvent::Finished { size, .. } = event else { panic!("{event:?}") };
    assert_eq!(size, CONTENT.len() as u64);
    tokio::time::timeout(PATIENCE, taking).await.unwrap().unwrap()
}

#[tokio::test]
async fn of_an_encrypted_file_a_server_sees_its_size() {
    let key = FileKey { key: [3; 32], iv: vec![4; 12] };
    let bytes = uploaded(Some(key.clone())).await;
    assert!(!bytes.windows(6).any(|window| window == b"canary"));
    assert!(!bytes.windows(6).any(|window| window == b"yranac"));
    let (head, body) = parts(&bytes).unwrap();
    let mut lines: Vec<String> = head.lines().map(str::to_lowercase).collect();
    assert_eq!(lines.remove(0), "put /place/of-it.bin http/1.1");
    let mut names: Vec<&str> = lines.iter().map(|line| line.split(": ").next().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["authorization", "content-length", "host", "user-agent"]);
    let cipher = aes_gcm::Aes256Gcm::new(&key.key.into());
    let opened = cipher.decrypt(aes_gcm::Nonce::from_slice(&key.iv), body);
    assert_eq!(opened.as_deref(), Ok(CONTENT));
}

#[tokio::test]
async fn a_file_that_is_not_encrypted_would_be_found() {
    let bytes = uploaded(None).await;
    assert_eq!(parts(&bytes).unwrap().1, CONTENT);
}
