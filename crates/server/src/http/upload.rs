//! The web side of XEP-0363: `PUT` fills a slot, `GET` and `HEAD` give a file to whoever has its link.
//!
//! A file is given back as it came and is never looked into. Browsers run nothing of it: what they
//! may show in place is a short list of types, everything else is a download.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    body::{Frame, Incoming},
    header::{self, HeaderName, HeaderValue},
};
use store::{
    Millis, StoreError,
    uploads::{File, FileId},
};
use tokio::time::{Instant, timeout, timeout_at};

use super::{Answer, Body, Visit, full, host_meta, text};
use crate::{
    config::Config,
    ext::upload::{
        self,
        disk::{BLOCK, BeginError, Download, Part},
        is_authorized, is_media, percent_encoded,
    },
    server::Server,
};

/// Answers everything below `/upload/`; `path` is what follows.
pub async fn handle(visit: Visit, path: &str) -> Answer {
    let reads = matches!(*visit.request.method(), Method::GET | Method::HEAD);
    if let Some(url) = elsewhere(host_meta::host(&visit), &visit.server.config()).filter(|_| reads)
    {
        let mut answer = empty(StatusCode::PERMANENT_REDIRECT);
        set(&mut answer, header::LOCATION, &format!("{url}{}{path}", upload::PATH));
        return isolate(answer);
    }
    let answer = match (visit.request.method().clone(), upload::id_in(path)) {
        (Method::OPTIONS, _) => empty(StatusCode::NO_CONTENT),
        (Method::PUT, Some(id)) => put(visit, id).await,
        (Method::GET, Some(id)) => get(&visit, id, true).await,
        (Method::HEAD, Some(id)) => get(&visit, id, false).await,
        (Method::GET | Method::HEAD | Method::PUT, None) => nothing(),
        _ => text(StatusCode::METHOD_NOT_ALLOWED, "files are put and got\n"),
    };
    isolate(answer)
}

/// Where files are, for who asks the host of the pages for one although files have a host of their own.
fn elsewhere<'a>(asked: &str, config: &'a Config) -> Option<&'a str> {
    let pages = config.pages_host();
    let apart = config.files_host().is_some_and(|files| files != pages);
    let host = asked.split(':').next().unwrap_or_default();
    let url = config.upload.url.as_deref().filter(|_| apart && host.eq_ignore_ascii_case(&pages));
    url.map(|url| url.trim_end_matches('/'))
}

/// Takes a file. Whatever goes wrong, nothing of it stays.
async fn put(visit: Visit, id: FileId) -> Answer {
    let server = visit.server;
    let (head, body) = visit.request.into_parts();
    let given = head.headers.get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    if !is_authorized(&server.secret, id, given) {
        return text(StatusCode::FORBIDDEN, "the header Authorization of the slot is missing\n");
    }
    let slot = match server.store.uploads.load(id).await {
        Ok(Some(slot)) if slot.sha256.is_some() => return there(),
        Ok(Some(slot)) => slot,
        Ok(None) => return nothing(),
        Err(error) => return store_failed(&server, &error),
    };
    if server.now().0 > slot.created.0 + upload::SLOT {
        return text(StatusCode::GONE, "the slot has ended, ask for another\n");
    }
    let media = match accepts(&slot, &head.headers) {
        Ok(media) => media,
        Err(refused) => return *refused,
    };
    // From here until the row says that the file is there, nobody else writes it.
    let mut part = match server.uploads.begin(slot.account, id).await {
        Ok(part) => part,
        Err(BeginError::Twice) => {
            return text(StatusCode::CONFLICT, "the file is being uploaded already\n");
        }
        Err(BeginError::Busy) => {
            return text(StatusCode::SERVICE_UNAVAILABLE, "too many uploads at a time\n");
        }
        Err(BeginError::Disk(error)) => return disk_failed(&server, &error),
    };
    let ends = Millis(server.now().0 + allowance(slot.size).as_secs() * 1000 + MARGIN);
    match server.store.uploads.prolong(id, ends).await {
        Ok(true) => {}
        Ok(false) => return taken(&server, id).await,
        Err(error) => return store_failed(&server, &error),
    }
    visit.deadline.extend(allowance(slot.size));
    match receive(&mut part, body, slot.size).await {
        Ok(sha256) => keep(&server, id, &media, sha256).await,
        Err(ReceiveError::Disk(error)) => disk_failed(&server, &error),
        Err(ReceiveError::Slow) => text(StatusCode::REQUEST_TIMEOUT, "that was too slow\n"),
        Err(ReceiveError::Length) => {
            text(StatusCode::BAD_REQUEST, "the file is not as long as was said\n")
        }
    }
}

fn there() -> Answer {
    text(StatusCode::CONFLICT, "the file is there already\n")
}

/// A slot that was there a moment ago is none any more.
async fn taken(server: &Server, id: FileId) -> Answer {
    match server.store.uploads.load(id).await {
        Ok(Some(_)) => there(),
        Ok(None) => nothing(),
        Err(error) => store_failed(server, &error),
    }
}

/// The media type under which the file is kept, when its head fits the slot (§7).
fn accepts(slot: &File, headers: &HeaderMap) -> Result<String, Box<Answer>> {
    let refuse = |status, sentence: &str| Box::new(text(status, sentence.to_owned()));
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let Some(length) = length.and_then(|length| length.parse::<u64>().ok()) else {
        return Err(refuse(StatusCode::LENGTH_REQUIRED, "the header Content-Length is missing\n"));
    };
    if length != slot.size {
        let sentence = format!("the slot is for exactly {} bytes\n", slot.size);
        return Err(refuse(StatusCode::BAD_REQUEST, &sentence));
    }
    let given = headers.get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok());
    match (given.filter(|media| is_media(media)), slot.media.as_deref()) {
        (Some(given), Some(wanted)) if !essence(given).eq_ignore_ascii_case(essence(wanted)) => {
            Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, &format!("the slot is for {wanted}\n")))
        }
        (_, Some(wanted)) => Ok(wanted.to_owned()),
        (Some(given), None) => Ok(given.to_owned()),
        (None, None) => Ok(BYTES.to_owned()),
    }
}

enum ReceiveError {
    Disk(std::io::Error),
    Slow,
    Length,
}

/// Writes the body to disk, at a pace that keeps nobody waiting for ever.
async fn receive(part: &mut Part, mut body: Incoming, size: u64) -> Result<[u8; 32], ReceiveError> {
    let deadline = Instant::now() + allowance(size);
    let mut rest = size;
    let mut buffer = Vec::with_capacity(usize::try_from(size).unwrap_or(BLOCK).min(BLOCK));
    loop {
        let next = timeout_at(deadline, timeout(PATIENCE, body.frame())).await;
        let Ok(Ok(frame)) = next else { return Err(ReceiveError::Slow) };
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|_| ReceiveError::Length)?;
        let Ok(data) = frame.into_data() else { continue };
        rest = rest.checked_sub(data.len() as u64).ok_or(ReceiveError::Length)?;
        buffer.extend_from_slice(&data);
        if buffer.len() >= BLOCK {
            buffer = part.write(buffer).await.map_err(ReceiveError::Disk)?;
        }
    }
    if rest > 0 {
        return Err(ReceiveError::Length);
    }
    part.finish(buffer).await.map_err(ReceiveError::Disk)
}

/// The bytes are on disk; now the row says so.
async fn keep(server: &Server, id: FileId, media: &str, sha256: [u8; 32]) -> Answer {
    let kept = server.store.uploads.complete(id, media, sha256).await;
    if let Ok(true) = kept {
        server.metrics.uploads.increment();
        return empty(StatusCode::CREATED);
    }
    // The slot went away meanwhile, with its account for instance.
    if let Err(error) = server.uploads.remove(vec![id]).await {
        server.metrics.errors_environment.increment();
        tracing::warn!(%error, "a file that nobody has a link to cannot be removed");
    }
    kept.map_or_else(|error| store_failed(server, &error), |_| nothing())
}

/// Gives a file, or part of it.
async fn get(visit: &Visit, id: FileId, whole: bool) -> Answer {
    let server = &visit.server;
    let now = server.now().0;
    let file = match server.store.uploads.load(id).await {
        Ok(file) => file,
        Err(error) => return store_failed(server, &error),
    };
    let Some(file) = file.filter(|file| file.expires.is_none_or(|end| now < end.0)) else {
        return nothing();
    };
    let Some(sha256) = file.sha256 else { return nothing() };
    let tag = format!("\"{}\"", hex(&sha256));
    let headers = visit.request.headers();
    if matches_tag(headers, &header::IF_NONE_MATCH, &tag) {
        return describe(empty(StatusCode::NOT_MODIFIED), &file, &tag, now);
    }
    let wanted = match headers.contains_key(header::IF_RANGE)
        && !matches_tag(headers, &header::IF_RANGE, &tag)
    {
        true => Wanted::Whole,
        false => Wanted::of(headers, file.size),
    };
    let (status, start, length) = match wanted {
        Wanted::Whole => (StatusCode::OK, 0, file.size),
        Wanted::Part { start, length } => (StatusCode::PARTIAL_CONTENT, start, length),
        Wanted::Impossible => {
            let mut answer = text(StatusCode::RANGE_NOT_SATISFIABLE, "the file is shorter\n");
            set(&mut answer, header::CONTENT_RANGE, &format!("bytes */{}", file.size));
            return answer;
        }
    };
    visit.deadline.extend(allowance(length));
    let body = match whole {
        true => match open(server, id, start, length).await {
            Ok(body) => body,
            Err(answer) => return answer,
        },
        false => full(Bytes::new()),
    };
    let mut answer = describe(with_body(status, body), &file, &tag, now);
    set(&mut answer, header::CONTENT_LENGTH, &length.to_string());
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {start}-{}/{}", start + length - 1, file.size);
        set(&mut answer, header::CONTENT_RANGE, &range);
    }
    answer
}

async fn open(server: &Server, id: FileId, start: u64, length: u64) -> Result<Body, Answer> {
    let missing = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => nothing(),
        _ => disk_failed(server, &error),
    };
    let mut download = server.uploads.open(id).await.map_err(missing)?;
    download.seek(start).await.map_err(missing)?;
    let chunks = stream::unfold(Some((download, length)), |state| async {
        let (download, rest): (Download, u64) = state.filter(|(_, rest)| *rest > 0)?;
        match download.read(rest).await {
            Ok((bytes, download)) => {
                let rest = rest - bytes.len() as u64;
                Some((Ok(Frame::data(bytes)), Some((download, rest))))
            }
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(StreamBody::new(chunks).boxed_unsync())
}

/// What part of a file is asked for (RFC 9110 §14.2).
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Part { start: u64, length: u64 },
    Impossible,
}

impl Wanted {
    /// One range of bytes is understood. Several, and what is no range, are answered with the whole
    /// file, as the RFC allows.
    fn of(headers: &HeaderMap, size: u64) -> Self {
        let value = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
        let range = value.and_then(|value| value.strip_prefix("bytes=")).map(str::trim);
        let Some((first, last)) = range.and_then(|range| range.split_once('-')) else {
            return Wanted::Whole;
        };
        let number = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok())
        };
        let (start, end) = match (number(first), number(last)) {
            (Some(Some(first)), Some(None)) if last.is_empty() => (first, size),
            (Some(Some(first)), Some(Some(last))) if first <= last => {
                (first, last.saturating_add(1).min(size))
            }
            (Some(None), Some(Some(last))) if first.is_empty() => (size.saturating_sub(last), size),
            _ => return Wanted::Whole,
        };
        match start < end {
            true => Wanted::Part { start, length: end - start },
            false => Wanted::Impossible,
        }
    }
}

/// What is said about a file whichever way it is asked for.
fn describe(mut answer: Answer, file: &File, tag: &str, now: u64) -> Answer {
    let media = file.media.as_deref().unwrap_or(BYTES);
    // A script or a style sheet is none under another type, whatever page names it (`nosniff`).
    let (place, media) = match SHOWN.contains(&essence(media).to_ascii_lowercase().as_str()) {
        true => ("inline", media),
        false => ("attachment", BYTES),
    };
    set(&mut answer, header::CONTENT_TYPE, media);
    let disposition = format!("{place}; filename*=UTF-8''{}", percent_encoded(&file.name));
    set(&mut answer, header::CONTENT_DISPOSITION, &disposition);
    set(&mut answer, header::ETAG, tag);
    set(&mut answer, header::ACCEPT_RANGES, "bytes");
    // Nobody may have it from a cache when it is gone here.
    let left = file.expires.map_or(u64::MAX, |end| end.0.saturating_sub(now) / 1000);
    let cache = format!("private, max-age={}", left.min(LONGEST_CACHE));
    set(&mut answer, header::CACHE_CONTROL, &cache);
    answer
}

/// Headers of every answer here: web clients live anywhere and may load it, and nothing runs.
fn isolate(mut answer: Answer) -> Answer {
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "OPTIONS, HEAD, GET, PUT"),
        ("access-control-allow-headers", "Authorization, Content-Type, Range"),
        ("access-control-expose-headers", "Content-Length, Content-Range, ETag"),
        ("access-control-max-age", "7200"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("x-robots-tag", "noindex"),
    ] {
        let headers = answer.headers_mut();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    answer
}

fn matches_tag(headers: &HeaderMap, name: &HeaderName, tag: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|one| one.trim().trim_start_matches("W/") == tag || one.trim() == "*")
}

fn essence(media: &str) -> &str {
    media.split(';').next().unwrap_or_default().trim()
}

fn set(answer: &mut Answer, name: HeaderName, value: &str) {
    // Everything that is set here is visible ASCII.
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

fn with_body(status: StatusCode, body: Body) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}

fn empty(status: StatusCode) -> Answer {
    with_body(status, full(Bytes::new()))
}

/// Unknown, not yet there and gone all look the same.
fn nothing() -> Answer {
    text(StatusCode::NOT_FOUND, "there is no such file\n")
}

fn store_failed(server: &Server, error: &StoreError) -> Answer {
    server.store_failed("files", error);
    match error {
        StoreError::Full => text(StatusCode::INSUFFICIENT_STORAGE, "the disk is full\n"),
        _ => text(StatusCode::SERVICE_UNAVAILABLE, "try again later\n"),
    }
}

fn disk_failed(server: &Server, error: &std::io::Error) -> Answer {
    server.metrics.errors_environment.increment();
    tracing::warn!(%error, "a file cannot be written or read");
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            text(StatusCode::INSUFFICIENT_STORAGE, "the disk is full\n")
        }
        _ => text(StatusCode::INTERNAL_SERVER_ERROR, "the disk failed\n"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How long a file of this size may take.
fn allowance(size: u64) -> Duration {
    Duration::from_secs(60 + size / SLOWEST)
}

/// The type of what is nothing but a download.
const BYTES: &str = "application/octet-stream";
/// Types that browsers show in place and that cannot carry code. No SVG, no HTML, no PDF.
const SHOWN: [&str; 21] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/avif",
    "image/heic",
    "image/bmp",
    "audio/aac",
    "audio/flac",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "audio/opus",
    "audio/wav",
    "audio/webm",
    "audio/x-wav",
    "video/mp4",
    "video/ogg",
    "video/quicktime",
    "video/webm",
    "text/plain",
];
/// Bytes per second below which an upload is given up: half of what the slowest phones have, 64 kbit/s.
const SLOWEST: u64 = 4 * 1024;
/// How long nothing may come.
const PATIENCE: Duration = Duration::from_secs(30);
/// Milliseconds that a slot lasts longer than its upload may take.
const MARGIN: u64 = 60_000;
/// Seconds that a browser may keep a file.
const LONGEST_CACHE: u64 = 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(range: &str, size: u64) -> Wanted {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_str(range).unwrap());
        Wanted::of(&headers, size)
    }

    #[test]
    fn one_range_is_understood_and_nonsense_is_the_whole_file() {
        let part = |start, length| Wanted::Part { start, length };
        assert_eq!(wanted("bytes=0-0", 10), part(0, 1));
        assert_eq!(wanted("bytes=2-", 10), part(2, 8));
        assert_eq!(wanted("bytes=-3", 10), part(7, 3));
        assert_eq!(wanted("bytes=-30", 10), part(0, 10));
        assert_eq!(wanted("bytes=5-99", 10), part(5, 5));
        assert_eq!(wanted("bytes=0-18446744073709551615", 10), part(0, 10));
        for impossible in ["bytes=10-", "bytes=11-12", "bytes=-0"] {
            assert_eq!(wanted(impossible, 10), Wanted::Impossible, "{impossible}");
        }
        for whole in
            ["bytes=1-2,4-5", "bytes=5-2", "bytes=-", "bytes=a-", "lines=1-2", "bytes=+1-2"]
        {
            assert_eq!(wanted(whole, 10), Wanted::Whole, "{whole}");
        }
    }

    fn slot(media: Option<&str>) -> File {
        File {
            id: FileId([0; 16]),
            account: store::AccountId(1),
            name: "a".into(),
            media: media.map(Into::into),
            size: 10,
            purpose: store::uploads::Purpose::Message,
            created: Millis(0),
            slot_ends: Millis(1),
            expires: None,
            sha256: None,
        }
    }

    #[test]
    fn the_host_of_the_pages_gives_no_files_where_they_have_their_own() {
        let config =
            |text: &str| Config::parse(&format!("domain = \"a.example\"\n{text}")).unwrap();
        let apart = config("[upload]\nurl = \"https://files.a.example/\"\n");
        for asked in ["a.example", "A.example:443"] {
            assert_eq!(elsewhere(asked, &apart), Some("https://files.a.example"));
        }
        for asked in ["files.a.example", "127.0.0.1:5280", "[::1]", ""] {
            assert_eq!(elsewhere(asked, &apart), None, "{asked}");
        }
        assert_eq!(elsewhere("a.example", &config("")), None);
        let pages = "[front_door]\nurl = \"https://files.a.example\"\n[upload]\nurl = \"https://files.a.example\"\n";
        assert_eq!(elsewhere("files.a.example", &config(pages)), None, "pages are there as well");
    }

    #[test]
    fn a_slow_phone_gets_its_pictures_through() {
        let bytes_per_second = 64_000 / 8 / 4 * 3;
        for size in [10_000, 1_000_000, 100_000_000] {
            assert!(allowance(size).as_secs() > size / bytes_per_second, "{size}");
        }
    }

    fn head(length: &'static str, media: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static(length));
        headers.extend(media.map(|media| (header::CONTENT_TYPE, HeaderValue::from_static(media))));
        headers
    }

    #[test]
    fn length_and_type_are_those_of_the_slot() {
        let status = |refused: Result<String, Box<Answer>>| refused.unwrap_err().status();
        let jpeg = slot(Some("image/jpeg"));
        assert_eq!(accepts(&jpeg, &head("10", Some("Image/JPEG; q=1"))).unwrap(), "image/jpeg");
        assert_eq!(accepts(&jpeg, &head("10", None)).unwrap(), "image/jpeg");
        assert_eq!(accepts(&slot(None), &head("10", Some("a/b"))).unwrap(), "a/b");
        assert_eq!(status(accepts(&jpeg, &head("11", None))), StatusCode::BAD_REQUEST);
        let html = accepts(&jpeg, &head("10", Some("text/html")));
        assert_eq!(status(html), StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(status(accepts(&jpeg, &HeaderMap::new())), StatusCode::LENGTH_REQUIRED);
    }

    #[test]
    fn only_harmless_types_are_shown_in_place() {
        let shown = |media: &str| {
            let file = File { media: Some(media.into()), ..slot(None) };
            let answer = describe(empty(StatusCode::OK), &file, "\"t\"", 0);
            let place = answer.headers()[header::CONTENT_DISPOSITION].to_str().unwrap();
            let given = answer.headers()[header::CONTENT_TYPE].to_str().unwrap();
            let shown = place.starts_with("inline");
            assert_eq!(given, if shown { media } else { BYTES });
            shown
        };
        assert!(shown("image/png") && shown("VIDEO/MP4") && shown("text/plain; charset=utf-8"));
        for hidden in [
            "text/html",
            "image/svg+xml",
            "application/pdf",
            "text/xml",
            "text/javascript",
            "text/css",
        ] {
            assert!(!shown(hidden), "{hidden}");
        }
    }
}
