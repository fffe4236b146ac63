//! Files in messages: XEP-0447: Stateless file sharing 0.3.1, XEP-0448: Encryption for stateless
//! file sharing 0.2.0, XEP-0454: OMEMO Media sharing 0.1.0, XEP-0066: Out of Band Data 1.5,
//! XEP-0264: Jingle Content Thumbnails 0.4.2, XEP-0446: File metadata element 0.2.0

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use xmpp::ns;
use xmpp::xml::Element;

use super::{Feature, Spec};
use crate::effect::FileKey;
use crate::incoming::Incoming;
use crate::store::{Content, Encryption, File, FileKind, Preview};

pub(crate) const FEATURE: Feature = Feature {
    name: "file",
    specs: &[
        Spec { number: "XEP-0447", version: "0.3.1" },
        Spec { number: "XEP-0448", version: "0.2.0" },
        Spec { number: "XEP-0454", version: "0.1.0" },
        Spec { number: "XEP-0066", version: "1.5" },
        Spec { number: "XEP-0231", version: "1.1" },
        Spec { number: "XEP-0264", version: "0.4.2" },
        Spec { number: "XEP-0446", version: "0.2.0" },
    ],
    features: &[ns::FILE_SHARING, ns::FILE_SHARING_ENCRYPTED, AES_256_GCM, ns::OOB],
    ..Feature::NOTHING
};

/// The file that a message shares, in whichever form.
pub(crate) fn of(incoming: &Incoming) -> Option<Content> {
    let body = incoming.body();
    if let Some(sharing) = incoming.child("file-sharing", ns::FILE_SHARING)
        && let Some(file) = parse_sharing(sharing, &incoming.content)
    {
        let stand_in = incoming.content.iter().any(|child| {
            child.is("fallback", ns::FALLBACK) && child.attr("for") == Some(ns::FILE_SHARING)
        });
        let caption = body.filter(|_| !stand_in).map(super::message::limited);
        return Some(Content::File(file, caption));
    }
    let body = body?;
    if incoming.encryption != Encryption::None
        && let Some(file) = parse_aesgcm(&body)
    {
        return Some(Content::File(file, None));
    }
    let oob = incoming.child("x", ns::OOB).and_then(|oob| oob.child("url", ns::OOB));
    // Only the address itself: with another text the link is part of what is said.
    let url = oob.map(Element::text).filter(|url| *url == body.trim() && is_url(url))?;
    Some(Content::File(file_at(url), None))
}

fn is_url(url: &str) -> bool {
    let plain = url.bytes().all(|byte| byte.is_ascii_graphic());
    plain && url.len() <= MAX_URL_BYTES && url.starts_with("https://")
}

fn file_at(url: String) -> File {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = safe_name(&decoded(path.rsplit('/').next().unwrap_or_default()));
    File {
        name,
        size: None,
        media_type: None,
        url: Some(url),
        key: None,
        local: None,
        preview: None,
    }
}

/// An address with key and nonce in its fragment; a thumbnail may follow in a second line
/// (XEP-0454 §3).
fn parse_aesgcm(body: &str) -> Option<File> {
    let line = body.split('\n').next()?.trim_end();
    let rest = body.get(line.len()..)?.trim();
    if !rest.is_empty() && !rest.starts_with("data:image/") {
        return None;
    }
    let thumbnail = thumbnail(rest);
    let preview = thumbnail.is_some().then(|| Preview { thumbnail, ..Preview::default() });
    let (address, key) = line.strip_prefix("aesgcm://")?.split_once('#')?;
    let url = format!("https://{address}");
    parse_key(key)?;
    is_url(&url).then(|| File { key: Some(key.to_ascii_lowercase()), preview, ..file_at(url) })
}

/// Nonce (12 bytes, 16 from old programs) and key, in hexadecimal.
pub(crate) fn parse_key(text: &str) -> Option<FileKey> {
    let hex = text.is_ascii() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !hex || !matches!(text.len(), 88 | 96) {
        return None;
    }
    let bytes = (0..text.len())
        .step_by(2)
        .map(|at| text.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()));
    let bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
    let (iv, key) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
    Some(FileKey { key: key.try_into().ok()?, iv: iv.to_vec() })
}

/// The same as text.
pub(crate) fn write_key(key: &FileKey) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(88);
    for byte in key.iv.iter().chain(&key.key) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// `content` is what else the message holds: small pictures may stand there (XEP-0231).
fn parse_sharing(sharing: &Element, content: &[Element]) -> Option<File> {
    let metadata = sharing.child("file", ns::FILE_METADATA)?;
    let text = |name| metadata.child(name, ns::FILE_METADATA).map(Element::text);
    let sources = sharing.child("sources", ns::FILE_SHARING)?;
    let (url, key) = match sources.child("encrypted", ns::FILE_SHARING_ENCRYPTED) {
        Some(encrypted) => {
            let inner = encrypted.child("sources", ns::FILE_SHARING)?;
            (url_of(inner)?, Some(key_of(encrypted)?))
        }
        None => (url_of(sources)?, None),
    };
    let named = text("name").map(|name| safe_name(&name)).filter(|name| !name.is_empty());
    let file = file_at(url);
    let mut file = File {
        name: named.unwrap_or(file.name),
        size: text("size").and_then(|size| size.trim().parse().ok()),
        media_type: text("media-type").filter(|kind| kind.len() <= 100 && kind.is_ascii()),
        url: file.url,
        key: key.as_ref().map(write_key),
        local: None,
        preview: preview_of(metadata, content),
    };
    // Nothing else plays.
    let plays = matches!(FileKind::of(&file), FileKind::Film | FileKind::Sound);
    file.preview =
        file.preview.map(|preview| Preview { length: preview.length.filter(|_| plays), ..preview });
    file.preview = file.preview.filter(|preview| *preview != Preview::default());
    Some(file)
}

/// What the metadata tell of a picture, a film or a sound (XEP-0446 §3, XEP-0264 §5).
fn preview_of(metadata: &Element, content: &[Element]) -> Option<Preview> {
    let number = |name| {
        let text = metadata.child(name, ns::FILE_METADATA)?.text();
        text.trim().parse().ok().filter(|pixels| *pixels <= MAX_PIXELS)
    };
    let told = metadata.children().filter(|child| child.is("thumbnail", ns::THUMBNAILS));
    let told = told.filter_map(|one| one.attr("uri")).take(MAX_THUMBNAILS);
    let told: Vec<String> =
        told.filter_map(|uri| thumbnail(uri).or_else(|| beside(content, uri))).collect();
    // A picture says more than a few colours.
    let drawn = told.iter().position(|uri| uri.contains(";base64,") && !is_hash(uri));
    let preview = Preview {
        width: number("width").unwrap_or_default(),
        height: number("height").unwrap_or_default(),
        thumbnail: told.into_iter().nth(drawn.unwrap_or_default()),
        description: metadata
            .child("desc", ns::FILE_METADATA)
            .and_then(|desc| described(&desc.text())),
        length: metadata
            .child("length", ns::FILE_METADATA)
            .and_then(|length| length.text().trim().parse().ok())
            .filter(|length| (1..=MAX_LENGTH).contains(length)),
    };
    (preview != Preview::default()).then_some(preview)
}

/// Words for what is to be seen, without what could disguise them.
fn described(text: &str) -> Option<String> {
    let shown = text.chars().filter(|letter| *letter == '\n' || !letter.is_control());
    let shown = shown.filter(|letter| !super::nick::turns(*letter));
    let shown: String = shown.take(MAX_DESCRIPTION_CHARS).collect();
    Some(shown.trim().to_owned()).filter(|shown| !shown.is_empty())
}

/// A small picture that stands in its own address (RFC 2397), as it is kept: `;base64` may be missing
/// (XEP-0454 §3). Those that would have to be fetched tell who looks, and when.
pub(crate) fn thumbnail(uri: &str) -> Option<String> {
    let (kind, data) = uri.trim().strip_prefix("data:")?.split_once(',')?;
    let kind = kind.strip_suffix(";base64").unwrap_or(kind);
    if let Some(hash) = hash(kind, data.trim()) {
        return Some(hash);
    }
    let drawn = matches!(kind, "image/jpeg" | "image/png" | "image/webp");
    let data = data.trim();
    if !drawn || data.is_empty() || data.len() > MAX_THUMBNAIL_BYTES {
        return None;
    }
    BASE64_STANDARD.decode(data).ok()?;
    Some(format!("data:{kind};base64,{data}"))
}

/// A few colours that stand for a picture: `image/blurhash` (base 83), or `image/thumbhash` (base64), as
/// other programs put them in place of a small picture.
fn hash(kind: &str, data: &str) -> Option<String> {
    match kind {
        BLURHASH => {
            let data = decoded(data);
            let letter =
                |byte: u8| byte.is_ascii_alphanumeric() || b"#$%*+,-.:;=?@[]^_{|}~".contains(&byte);
            let fits = (6..=MAX_BLURHASH).contains(&data.len()) && data.bytes().all(letter);
            fits.then(|| format!("data:{BLURHASH},{data}"))
        }
        THUMBHASH => {
            let bytes = BASE64_STANDARD.decode(data).ok()?;
            let fits = (5..=MAX_THUMBHASH).contains(&bytes.len());
            fits.then(|| format!("data:{THUMBHASH};base64,{data}"))
        }
        _ => None,
    }
}

fn is_hash(uri: &str) -> bool {
    [BLURHASH, THUMBHASH].iter().any(|kind| uri.get(5..).is_some_and(|uri| uri.starts_with(kind)))
}

/// A small picture that stands beside the file in the same message, by its content id (XEP-0231 §2).
fn beside(content: &[Element], uri: &str) -> Option<String> {
    let cid = uri.trim().strip_prefix("cid:")?;
    let data =
        content.iter().find(|child| child.is("data", ns::BOB) && child.attr("cid") == Some(cid))?;
    let text: String = data.text().split_ascii_whitespace().collect();
    thumbnail(&format!("data:{};base64,{text}", data.attr("type")?))
}

fn url_of(sources: &Element) -> Option<String> {
    let data = sources.children().find(|child| child.is("url-data", ns::URL_DATA))?;
    data.attr("target").filter(|url| is_url(url)).map(str::to_owned)
}

fn key_of(encrypted: &Element) -> Option<FileKey> {
    if encrypted.attr("cipher") != Some(AES_256_GCM) {
        return None;
    }
    let bytes = |name| {
        let text = encrypted.child(name, ns::FILE_SHARING_ENCRYPTED)?.text();
        BASE64_STANDARD.decode(text.trim()).ok()
    };
    let iv = bytes("iv").filter(|iv| matches!(iv.len(), 12 | 16))?;
    Some(FileKey { key: bytes("key")?.try_into().ok()?, iv })
}

/// What a message with a file says on the wire, for old and new programs. `None` before it has an
/// address.
pub(crate) fn payload(file: &File) -> Option<Vec<Element>> {
    let url = file.url.as_ref()?;
    let key = match &file.key {
        Some(key) => Some(parse_key(key)?),
        None => None,
    };
    let body = match (&file.key, url.strip_prefix("https://")) {
        (Some(key), Some(address)) => format!("aesgcm://{address}#{key}"),
        _ => url.clone(),
    };
    let data = Element::new("url-data", ns::URL_DATA).with_attr("target", url);
    let source = match key {
        Some(key) => {
            let text = |name: &str, bytes: &[u8]| {
                Element::new(name, ns::FILE_SHARING_ENCRYPTED)
                    .with_text(BASE64_STANDARD.encode(bytes))
            };
            Element::new("encrypted", ns::FILE_SHARING_ENCRYPTED)
                .with_attr("cipher", AES_256_GCM)
                .with_child(text("key", &key.key))
                .with_child(text("iv", &key.iv))
                .with_child(Element::new("sources", ns::FILE_SHARING).with_child(data))
        }
        None => data,
    };
    let about = |name: &str, text: Option<String>| {
        text.map(|text| Element::new(name, ns::FILE_METADATA).with_text(text))
    };
    let metadata = Element::new("file", ns::FILE_METADATA)
        .with_children(about("media-type", file.media_type.clone()))
        .with_children(about("name", Some(file.name.clone())))
        .with_children(about("size", file.size.map(|size| size.to_string())))
        .with_children(file.preview.iter().flat_map(preview_elements));
    let sharing = Element::new("file-sharing", ns::FILE_SHARING)
        .with_attr("disposition", "inline")
        .with_child(metadata)
        .with_child(Element::new("sources", ns::FILE_SHARING).with_child(source));
    let fallback = Element::new("fallback", ns::FALLBACK)
        .with_attr("for", ns::FILE_SHARING)
        .with_child(Element::new("body", ns::FALLBACK));
    let mut payload = vec![Element::new("body", ns::CLIENT).with_text(&body), sharing, fallback];
    if file.key.is_none() {
        let url = Element::new("url", ns::OOB).with_text(url);
        payload.push(Element::new("x", ns::OOB).with_child(url));
    }
    Some(payload)
}

/// What the metadata tell others of a picture, a film or a sound.
fn preview_elements(preview: &Preview) -> Vec<Element> {
    let about = |name: &str, number: u32| {
        let element = Element::new(name, ns::FILE_METADATA).with_text(number.to_string());
        (number > 0).then_some(element)
    };
    let thumbnail = preview.thumbnail.as_ref().and_then(|uri| {
        let rest = uri.strip_prefix("data:")?;
        let (kind, data) = rest.split_at_checked(rest.find([';', ','])?)?;
        let data = if kind == BLURHASH { encoded(data) } else { data.to_owned() };
        let uri = format!("data:{kind}{data}");
        let element = Element::new("thumbnail", ns::THUMBNAILS);
        Some(element.with_attr("uri", uri).with_attr("media-type", kind))
    });
    let words = preview.description.as_deref().and_then(described);
    let words = words.map(|text| Element::new("desc", ns::FILE_METADATA).with_text(text));
    let sides = [about("width", preview.width), about("height", preview.height)];
    let length = about("length", preview.length.unwrap_or_default());
    sides.into_iter().flatten().chain(thumbnail).chain(words).chain(length).collect()
}

/// A name without folders and without what file systems or terminals could be fooled by.
pub(crate) fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean = last.chars().filter(|letter| !letter.is_control() && !is_direction(*letter));
    let clean: String = clean.take(MAX_NAME_CHARS).collect();
    let clean = clean.trim().trim_start_matches('.');
    if clean.is_empty() { "file".to_owned() } else { clean.to_owned() }
}

/// Marks that turn the direction of writing, so that `gpj.exe` looks like a picture.
fn is_direction(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What cannot stand in an address by itself, percent-encoded (RFC 3986 §2.1).
fn encoded(data: &str) -> String {
    let mut text = String::with_capacity(data.len());
    for letter in data.chars() {
        match letter {
            '%' => text.push_str("%25"),
            '#' => text.push_str("%23"),
            '[' => text.push_str("%5B"),
            ']' => text.push_str("%5D"),
            '^' => text.push_str("%5E"),
            '{' => text.push_str("%7B"),
            '|' => text.push_str("%7C"),
            '}' => text.push_str("%7D"),
            letter => text.push(letter),
        }
    }
    text
}

/// Percent-encoding resolved (RFC 3986 §2.1), where that gives UTF-8.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) if byte == b'%' => {
                bytes.push(value);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// The cipher of XEP-0448 that is spoken here.
const AES_256_GCM: &str = "urn:xmpp:ciphers:aes-256-gcm-nopadding:0";
/// Longest address and name.
const MAX_URL_BYTES: usize = 2048;
const MAX_NAME_CHARS: usize = 120;
/// Longest words for what is to be seen.
const MAX_DESCRIPTION_CHARS: usize = 1000;
/// Largest small picture, as text, and longest side of a large one that is believed.
const MAX_THUMBNAIL_BYTES: usize = 16 * 1024;
const MAX_PIXELS: u32 = 100_000;
/// Most milliseconds that are believed: a week.
const MAX_LENGTH: u32 = 7 * 24 * 60 * 60 * 1000;
/// Small pictures of one file that are looked at.
const MAX_THUMBNAILS: usize = 8;
/// Colours that stand for a picture, and the longest forms of them: letters, and bytes.
const BLURHASH: &str = "image/blurhash";
const THUMBHASH: &str = "image/thumbhash";
const MAX_BLURHASH: usize = 166;
const MAX_THUMBHASH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incoming::find;

    const KEY: &str =
        "8c3d050e9386ec173861778f68e9af38a97aaf82faa4063b4d0878a61261534410c8a84331eaac851759f587";

    #[test]
    fn an_encrypted_address_gives_name_and_key() {
        let body = format!("aesgcm://download.example/a/tr%C3%A8s%20cool.jpg#{KEY}");
        let file = parse_aesgcm(&body).unwrap();
        assert_eq!(file.name, "très cool.jpg");
        assert_eq!(file.url.as_deref(), Some("https://download.example/a/tr%C3%A8s%20cool.jpg"));
        let key = parse_key(file.key.as_deref().unwrap()).unwrap();
        assert_eq!(key.iv.len(), 12);
        assert_eq!(write_key(&key), KEY);
        let file = parse_aesgcm(&format!("{body}\ndata:image/jpeg,AAAA")).unwrap();
        let thumbnail = file.preview.and_then(|preview| preview.thumbnail);
        assert_eq!(thumbnail.as_deref(), Some("data:image/jpeg;base64,AAAA"));
    }

    #[test]
    fn other_texts_are_no_encrypted_files() {
        for body in [
            format!("see aesgcm://download.example/a#{KEY}"),
            format!("aesgcm://download.example/a#{KEY}\nwhat do you think?"),
            format!("aesgcm://download.example/a#{}", &KEY[2..]),
            format!("https://download.example/a#{KEY}"),
            format!("aesgcm://download.example/a b#{KEY}"),
        ] {
            assert_eq!(parse_aesgcm(&body), None, "{body}");
        }
    }

    #[test]
    fn names_of_files_are_harmless() {
        for (given, safe) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\boot.ini", "boot.ini"),
            (".bashrc", "bashrc"),
            ("a\u{1b}[2Jb", "a[2Jb"),
            ("photo\u{202e}gpj.exe", "photogpj.exe"),
            ("..", "file"),
            ("", "file"),
        ] {
            assert_eq!(safe_name(given), safe);
        }
    }

    #[test]
    fn thumbnails_are_small_pictures_that_need_not_be_fetched() {
        let long = format!("data:image/png;base64,{}", "A".repeat(MAX_THUMBNAIL_BYTES + 4));
        for uri in [
            "https://download.example/thumbnail.png",
            "cid:sha1+ffd7c8d28e9c5e82afea41f97108c6b4@bob.xmpp.org",
            "data:image/svg+xml;base64,AAAA",
            "data:text/html,AAAA",
            "data:image/png;base64,no base64",
            "data:image/png;base64,",
            "data:",
            &long,
        ] {
            assert_eq!(thumbnail(uri), None, "{uri}");
        }
        assert!(thumbnail("data:image/webp;base64,AAAA").is_some());
    }

    #[test]
    fn a_few_colours_stand_for_a_picture() {
        let blur = "data:image/blurhash,LEHV6nWB2yk8pyo0adR*.7kCMdnj";
        for (given, kept) in [
            (blur, Some(blur)),
            ("data:image/blurhash,LEHV6nWB2yk8pyo0adR%2A.7kCMdnj", Some(blur)),
            (
                "data:image/thumbhash;base64,1QcSHQRnh493V4dIh4eXh1h4kJUI",
                Some("data:image/thumbhash;base64,1QcSHQRnh493V4dIh4eXh1h4kJUI"),
            ),
            ("data:image/blurhash,L<HV6n", None),
            ("data:image/blurhash,LEH", None),
            ("data:image/thumbhash;base64,AAAA", None),
            ("data:image/thumbhash;base64,<script>", None),
        ] {
            assert_eq!(thumbnail(given).as_deref(), kept, "{given}");
        }
        assert_eq!(thumbnail(&format!("data:image/blurhash,{}", "A".repeat(167))), None);
    }

    #[test]
    fn a_small_picture_may_stand_beside_and_goes_before_colours() {
        let cid = "sha1+8f35fef110ffc5df08d579a50083ff9308fb6242@bob.xmpp.org";
        let thumb = |uri: &str| Element::new("thumbnail", ns::THUMBNAILS).with_attr("uri", uri);
        let metadata = Element::new("file", ns::FILE_METADATA)
            .with_child(thumb("data:image/blurhash,LEHV6nWB2yk8pyo0adR*.7kCMdnj"))
            .with_child(thumb(&format!("cid:{cid}")));
        let data = |kind: &str| {
            Element::new("data", ns::BOB)
                .with_attr("cid", cid)
                .with_attr("type", kind)
                .with_text("AAAA\n AAAA")
        };
        let seen = |content: &[Element]| preview_of(&metadata, content).unwrap().thumbnail;
        assert_eq!(seen(&[data("image/png")]).as_deref(), Some("data:image/png;base64,AAAAAAAA"));
        let blur = Some("data:image/blurhash,LEHV6nWB2yk8pyo0adR*.7kCMdnj");
        for content in [vec![], vec![data("image/svg+xml")]] {
            assert_eq!(seen(&content).as_deref(), blur);
        }
    }

    #[test]
    fn words_for_a_picture_turn_nothing_round() {
        assert_eq!(described("a hut\n\u{202e}\u{2066}below ").as_deref(), Some("a hut\nbelow"));
        assert_eq!(described("\u{202e}\u{7}"), None);
    }

    #[test]
    fn how_long_something_plays_is_believed_within_reason() {
        let seen = |length: &str| {
            let length = Element::new("length", ns::FILE_METADATA).with_text(length);
            let metadata = Element::new("file", ns::FILE_METADATA).with_child(length);
            preview_of(&metadata, &[]).and_then(|preview| preview.length)
        };
        assert_eq!(seen(" 63000 "), Some(63_000));
        for length in ["0", "-1", "1:03", "", "604800001", "99999999999999999999"] {
            assert_eq!(seen(length), None, "{length}");
        }
    }

    #[test]
    fn what_is_sent_is_what_is_read() {
        let pictures = [
            "data:image/jpeg;base64,AAAA",
            "data:image/blurhash,LEHV6nWB2yk8pyo0adR*.7kCMdnj",
            "data:image/blurhash,L%2A;#,^{|}[]?:$",
            "data:image/thumbhash;base64,1QcSHQRnh493V4dIh4eXh1h4kJUI",
        ];
        let keys = [None, Some(KEY.to_owned())].into_iter().cycle();
        for (picture, key) in pictures.into_iter().flat_map(|one| [one, one]).zip(keys) {
            let file = File {
                name: "summit.mp4".into(),
                size: Some(42),
                media_type: Some("video/mp4".into()),
                url: Some("https://download.example/x/summit.mp4".into()),
                key,
                local: None,
                preview: Some(Preview {
                    width: 1200,
                    height: 800,
                    thumbnail: Some(picture.into()),
                    description: Some("A hut\nbelow the summit".into()),
                    length: Some(63_000),
                }),
            };
            let payload = payload(&file).unwrap();
            let sharing = find(&payload, "file-sharing", ns::FILE_SHARING).unwrap();
            let metadata = sharing.child("file", ns::FILE_METADATA).unwrap();
            let thumbnail = metadata.child("thumbnail", ns::THUMBNAILS).unwrap();
            let kind = thumbnail.attr("media-type").unwrap();
            assert!(picture[5..].starts_with(kind) && !kind.contains(','), "{kind}");
            assert!(!thumbnail.attr("uri").unwrap().contains('#'));
            assert_eq!(parse_sharing(sharing, &[]).as_ref(), Some(&file));
            // A paper plays nothing, whatever its sender says.
            let mut paper = File { media_type: Some("application/pdf".into()), ..file };
            let said = super::payload(&paper).unwrap();
            let sharing = find(&said, "file-sharing", ns::FILE_SHARING).unwrap();
            paper.preview.as_mut().unwrap().length = None;
            assert_eq!(parse_sharing(sharing, &[]), Some(paper));
        }
    }
}
