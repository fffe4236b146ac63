//! Clownfish for the browser: files that are part of this program, served at `/`.
//!
//! A file whose name holds the hash of its content never changes and is kept by browsers for good.
//! The others (the page, the scripts of workers, the manifest) are asked for again each time and mostly
//! answered with "not modified". The script of a worker is among them because it carries the worker's
//! policy.

mod encoding;
pub mod policy;

use std::{borrow::Cow, sync::LazyLock, time::Duration};

use bytes::Bytes;
use hyper::{
    Method, Response, StatusCode,
    header::{self, HeaderValue},
};
use sha2::{Digest as _, Sha256};

use self::encoding::Encoding;
use super::{Answer, Visit, full};
use crate::config::Config;

/// A file of the client.
struct Asset {
    /// Where it is served.
    path: &'static str,
    /// As it is, and compressed where that is worth it.
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

impl Asset {
    /// The content in the best encoding that the visitor understands.
    fn content(&self, accepted: &str) -> (Encoding, &'static [u8]) {
        let forms = [(Encoding::Brotli, self.brotli), (Encoding::Gzip, self.gzip)];
        let packed = forms.into_iter().find_map(|(encoding, bytes)| {
            let bytes = bytes?;
            encoding.is_accepted(accepted).then_some((encoding, bytes))
        });
        packed.unwrap_or((Encoding::Identity, self.plain))
    }
}

/// Every file, sorted by path; none when the server was built without the client.
static ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/web_assets.rs"));

/// Names the content of the files that keep their names, in the order of [`ASSETS`].
static TAGS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let tag = |asset: &Asset| match is_hashed(asset.path) {
        true => String::new(),
        false => short_hash(asset.plain),
    };
    ASSETS.iter().map(tag).collect()
});

/// Whether this program holds the client.
#[must_use]
pub fn is_built_in() -> bool {
    !ASSETS.is_empty()
}

/// Whether the client is served.
#[must_use]
pub fn is_served(config: &Config) -> bool {
    config.web.enabled && is_built_in()
}

/// A file of the client, when the path is that of one.
#[must_use]
pub fn file(visit: &Visit) -> Option<Answer> {
    let config = visit.server.config();
    if !is_served(&config) {
        return None;
    }
    let path = match visit.request.uri().path() {
        "/" => INDEX,
        INDEX => return None,
        path => path,
    };
    let at = ASSETS.binary_search_by(|asset| asset.path.cmp(path)).ok()?;
    let (asset, tag) = (ASSETS.get(at)?, TAGS.get(at)?);
    visit.deadline.extend(allowance(asset.plain.len()));
    let policy = policy::of(visit, &config);
    let tag = (!tag.is_empty()).then(|| format!("{tag}-{}", short_hash(policy.as_bytes())));
    Some(policy::harden(answer(visit, asset, tag), &policy))
}

/// `tag` names the content and the policy of a file that keeps its name: a browser that knows both
/// need not get them again.
fn answer(visit: &Visit, asset: &Asset, tag: Option<String>) -> Answer {
    let headers = visit.request.headers();
    let accepted: Cow<'_, str> = headers
        .get(header::ACCEPT_ENCODING)
        .map_or(Cow::Borrowed(""), |value| String::from_utf8_lossy(value.as_bytes()));
    let (encoding, content) = asset.content(&accepted);
    let tag = tag.map(|tag| format!("\"{tag}{}\"", encoding.suffix()));
    let seen = headers.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        let value = value.to_str().unwrap_or_default();
        tag.as_deref().is_some_and(|tag| value.split(',').any(|one| one.trim() == tag))
    });
    let content = if seen { Bytes::new() } else { Bytes::from_static(content) };
    let mut answer = Response::new(full(content));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media(asset.path)));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let cache = if tag.is_some() { "no-cache" } else { "public, max-age=31536000, immutable" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Some(tag) = tag.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
        headers.insert(header::ETAG, tag);
    }
    if seen {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
    } else if let Some(name) = encoding.name() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    answer
}

/// What is shared with the client from another app (the manifest's `share_target`) is taken by its
/// service worker. A browser that lost it comes here, and is led to the client without what it sent.
#[must_use]
pub fn shared(visit: &Visit) -> Option<Answer> {
    let wanted = visit.request.method() == Method::POST && is_served(&visit.server.config());
    wanted.then(|| {
        let mut answer = Response::new(full(Bytes::new()));
        *answer.status_mut() = StatusCode::SEE_OTHER;
        answer.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/"));
        answer
    })
}

/// What browsers ask for beside every page: the client's icon, or that there is none.
#[must_use]
pub fn icon() -> Answer {
    let Ok(at) = ASSETS.binary_search_by(|asset| asset.path.cmp(ICON)) else {
        let mut nothing = Response::new(full(Bytes::new()));
        *nothing.status_mut() = StatusCode::NO_CONTENT;
        return nothing;
    };
    let bytes = ASSETS.get(at).map_or(&[][..], |asset| asset.plain);
    let mut answer = Response::new(full(Bytes::from_static(bytes)));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media(ICON)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    answer
}

/// The scripts of workers. Their names may change, but they are not among those that are kept for good.
fn workers() -> Vec<&'static str> {
    let script = |path: &&str| path.ends_with(".js") && !is_hashed(path);
    ASSETS.iter().map(|asset| asset.path).filter(script).collect()
}

fn is_hashed(path: &str) -> bool {
    path.starts_with(HASHED)
}

fn media(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// How long a visitor may take for so many bytes.
fn allowance(bytes: usize) -> Duration {
    Duration::from_secs(60 + bytes as u64 / SLOWEST)
}

/// Files with the hash of their content in their names are in this folder.
const HASHED: &str = "/assets/";
const INDEX: &str = "/index.html";
const ICON: &str = "/icons/icon-192.png";
/// Bytes per second below which a visitor is given up.
const SLOWEST: u64 = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_for_an_icon_is_no_mistake() {
        let answer = icon();
        let wanted = if is_built_in() { StatusCode::OK } else { StatusCode::NO_CONTENT };
        assert_eq!(answer.status(), wanted);
        assert_eq!(answer.headers().contains_key(header::CONTENT_TYPE), is_built_in());
    }

    #[test]
    fn the_files_can_be_found_by_their_paths() {
        assert!(ASSETS.is_sorted_by(|one, other| one.path < other.path));
        assert_eq!(is_built_in(), ASSETS.iter().any(|asset| asset.path == INDEX));
        for asset in ASSETS {
            assert!(asset.path.starts_with('/') && !asset.path.contains(".."), "{}", asset.path);
            assert_ne!(media(asset.path), "application/octet-stream", "{}", asset.path);
        }
    }

    #[test]
    fn the_best_form_that_is_understood_is_sent() {
        let asset =
            Asset { path: "/a.js", plain: b"plain", brotli: Some(b"br"), gzip: Some(b"gz") };
        assert_eq!(asset.content("gzip, deflate, br"), (Encoding::Brotli, &b"br"[..]));
        assert_eq!(asset.content("gzip, br;q=0"), (Encoding::Gzip, &b"gz"[..]));
        assert_eq!(asset.content(""), (Encoding::Identity, &b"plain"[..]));
        let bare = Asset { path: "/a.png", plain: b"plain", brotli: None, gzip: None };
        assert_eq!(bare.content("br, gzip"), (Encoding::Identity, &b"plain"[..]));
    }
}
