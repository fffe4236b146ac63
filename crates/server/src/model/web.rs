//! What comes over HTTP: requests of all kinds to everything the server answers, and WebSockets.

use std::{
    cell::RefCell,
    fmt::Write as _,
    net::{Ipv4Addr, SocketAddr},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use store::{
    Millis,
    endpoints::{Endpoint, EndpointId},
    uploads::{Budget, File, FileId, Purpose},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use xmpp::{
    stream::TlsInfo,
    xml::{Framing, Limits, Reader},
};

use super::{Stage, Tape};
use crate::{
    ext::{unified_push, upload},
    http,
    net::conn::Peer,
};

/// Sends requests over one connection: made up by the tape, or its bytes as they are.
///
/// # Panics
/// When an answer is none, lacks what protects whoever reads it, or says that the server failed.
pub fn requests(input: &[u8]) {
    on_stage(|stage| {
        let mut tape = Tape::new(input);
        let mut text = Vec::new();
        match tape.chance(4) {
            true => text.extend_from_slice(tape.rest()),
            false => {
                let link = match tape.chance(3) {
                    true => endpoint(stage, &mut tape),
                    false => slot(stage, &mut tape),
                };
                for _ in 0..=tape.below(4) {
                    request(&mut tape, &link, &mut text);
                }
            }
        }
        let answers = talk(stage, &text);
        check_answers(&answers);
    });
}

/// Opens a WebSocket and sends frames made up by the tape.
///
/// # Panics
/// When a message from the server is not exactly one element (RFC 7395 §3.3.3).
pub fn websocket(input: &[u8]) {
    on_stage(|stage| {
        let mut tape = Tape::new(input);
        let mut text = UPGRADE.to_vec();
        while !tape.is_over() {
            frame(&mut tape, &mut text);
        }
        let answers = talk(stage, &text);
        let head = answers.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
        assert!(answers.starts_with(b"HTTP/1.1 101 "), "no WebSocket");
        check_frames(&answers[head..]);
    });
}

fn on_stage(play: impl FnOnce(&Stage)) {
    thread_local! {
        static STAGE: RefCell<Option<(Stage, u32)>> = const { RefCell::new(None) };
    }
    let (stage, played) = STAGE.take().unwrap_or_else(|| (Stage::new(), 0));
    play(&stage);
    // What waits for its time to be over ends with the server.
    if played < PLAYS {
        STAGE.set(Some((stage, played + 1)));
    }
}

/// Everything that the server says to these bytes, until it or the client has ended the connection.
fn talk(stage: &Stage, input: &[u8]) -> Vec<u8> {
    let (mut near, far) = duplex(input.len() + 1024 * 1024);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
    let info = TlsInfo { version: Some(0x0304), exporter: None, end_point: None };
    stage.run(async {
        let admission = stage.server.gate.admit(address.ip()).expect("a place");
        let peer = Peer { address, admission, transport: "https", info: Some(info) };
        let serving = tokio::spawn(http::serve(stage.server.clone(), far, peer));
        near.write_all(input).await.expect("there is room");
        // Those that may take long, such as BOSH, are cut off by a client that goes away.
        let answers = listen(&mut near).await;
        drop(near);
        serving.await.expect("no panic");
        answers
    })
}

/// What comes until nothing more does.
async fn listen(near: &mut DuplexStream) -> Vec<u8> {
    let mut answers = Vec::new();
    let mut idle = 0;
    while idle < PATIENCE && answers.len() < MOST_BYTES {
        let mut piece = [0; 4096];
        tokio::select! {
            biased;
            read = near.read(&mut piece) => match read {
                Ok(0) | Err(_) => break,
                Ok(count) => {
                    answers.extend_from_slice(&piece[..count]);
                    idle = 0;
                }
            },
            // The store answers from another thread.
            () = tokio::time::sleep(std::time::Duration::from_millis(1)) => idle += 1,
        }
    }
    answers
}

/// A file of four bytes, or a slot for one, and the path it is under.
fn slot(stage: &Stage, tape: &mut Tape<'_>) -> Link {
    let id = FileId([tape.byte(); 16]);
    let slot = File {
        id,
        account: stage.juliet().id,
        name: "a b.png".into(),
        media: None,
        size: 4,
        purpose: Purpose::Message,
        created: Millis(stage.server.now().0),
        slot_ends: Millis(stage.server.now().0 + 100_000),
        expires: None,
        sha256: None,
    };
    let budget = Budget { bytes: 1 << 30, files: 1 << 20, slots: 1 << 20 };
    // One that is there already is as good.
    let _ = stage.run(stage.server.store.uploads.reserve(slot, budget, Millis(0)));
    Link {
        path: format!("{}{}/a%20b.png", upload::PATH, URL_SAFE_NO_PAD.encode(id.0)),
        authorization: upload::authorization(&stage.server.secret, id),
    }
}

/// The address of an application.
fn endpoint(stage: &Stage, tape: &mut Tape<'_>) -> Link {
    let endpoint = Endpoint {
        id: EndpointId([tape.byte(); 16]),
        account: stage.juliet().id,
        application: [tape.byte() & 7; 32],
        instance: [0; 32],
        resource: "phone".into(),
        expires: Millis(stage.server.now().0 + 100_000),
    };
    let id = endpoint.id;
    let now = Millis(stage.server.now().0);
    // An application has one address: another one is as good as none.
    let _ = stage.run(stage.server.store.endpoints.register(endpoint, now, 8));
    Link {
        path: format!("{}{}", unified_push::PATH, unified_push::token(&stage.server.secret, id)),
        authorization: String::new(),
    }
}

struct Link {
    path: String,
    authorization: String,
}

fn request(tape: &mut Tape<'_>, link: &Link, text: &mut Vec<u8>) {
    let method = tape.one_of(&["GET", "GET", "PUT", "HEAD", "POST", "OPTIONS", "DELETE"]);
    let path = match tape.below(4) {
        0 | 1 => link.path.clone(),
        2 => tape.one_of(PATHS).to_owned(),
        _ => {
            // Bytes that end a path would be another request.
            let piece = tape.piece().iter().filter(|byte| byte.is_ascii_graphic());
            let piece: String = piece.map(|byte| char::from(*byte)).collect();
            format!("{}{piece}", tape.one_of(PATHS))
        }
    };
    let body = match tape.below(4) {
        0 => b"four".to_vec(),
        1 => tape.one_of(BODIES).as_bytes().to_vec(),
        2 => tape.piece().to_vec(),
        _ => Vec::new(),
    };
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: a.example\r\n");
    for _ in 0..tape.below(4) {
        let (name, values) = HEADERS[tape.below(HEADERS.len())];
        let _ = write!(head, "{name}: {}\r\n", tape.one_of(values));
    }
    if tape.chance(2) {
        let _ = write!(head, "authorization: {}\r\n", link.authorization);
    }
    let length = if tape.chance(16) { body.len() + 1 } else { body.len() };
    let _ = write!(head, "content-length: {length}\r\n\r\n");
    text.extend_from_slice(head.as_bytes());
    text.extend_from_slice(&body);
}

/// Each answer is one, and says to browsers what they may do with it.
fn check_answers(answers: &[u8]) {
    if answers.is_empty() {
        return;
    }
    let text = String::from_utf8_lossy(answers);
    assert!(text.starts_with("HTTP/1."), "{text}");
    for (at, _) in text.match_indices("HTTP/1.1 ") {
        // It may also stand in what is given back.
        let Some(head) = text[at..].split("\r\n\r\n").next() else { continue };
        let Some(status) = head.get(9..12).and_then(|status| status.parse::<u16>().ok()) else {
            continue;
        };
        assert_ne!(status, 500, "{head}");
        assert!((100..600).contains(&status), "{head}");
        // What hyper itself refuses never comes to the server's pages.
        let refused = matches!(status, 100 | 400 | 408 | 414 | 431) && !head.contains("csp");
        if !refused && head.contains("content-type") {
            let head = head.to_ascii_lowercase();
            assert!(head.contains("x-content-type-options: nosniff"), "{head}");
            assert!(head.contains("content-security-policy: "), "{head}");
        }
    }
}

/// A frame of a client: whole or in parts, masked or not, of any kind and length.
fn frame(tape: &mut Tape<'_>, text: &mut Vec<u8>) {
    let first = match tape.below(8) {
        0 => tape.byte(),
        1 => 0x01,
        2 => 0x80,
        3 => 0x89,
        4 => 0x88,
        _ => 0x81,
    };
    let payload = match tape.below(3) {
        0 => tape.piece().to_vec(),
        _ => tape.one_of(ELEMENTS).as_bytes().to_vec(),
    };
    let masked = if tape.chance(16) { 0 } else { 0x80 };
    text.push(first);
    match (payload.len(), tape.chance(32)) {
        (_, true) => {
            text.push(masked | 127);
            text.extend((u64::from(tape.byte()) << 56).to_be_bytes());
        }
        (short @ 0..=125, false) => text.push(masked | u8::try_from(short).unwrap_or(0)),
        (long, false) => {
            text.push(masked | 126);
            text.extend(u16::try_from(long).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    if masked != 0 {
        // A mask of nothing is one.
        text.extend([0; 4]);
    }
    text.extend_from_slice(&payload);
}

/// What the server says: whole text frames with one element each, and control frames.
fn check_frames(mut bytes: &[u8]) {
    let mut reader = Reader::new(Limits::TRUSTED, Framing::WebSocket);
    while let [first, second, rest @ ..] = bytes {
        assert_eq!(first & 0x80, 0x80, "a part of a message");
        assert_eq!(second & 0x80, 0, "a server that masks");
        let (length, rest) = match second & 0x7f {
            126 => {
                let Some((length, rest)) = rest.split_first_chunk() else { return };
                (usize::from(u16::from_be_bytes(*length)), rest)
            }
            127 => panic!("the server says too much"),
            short => (usize::from(short), rest),
        };
        let Some((payload, rest)) = rest.split_at_checked(length) else { return };
        match first & 0x0f {
            1 => {
                if payload.starts_with(b"<open") {
                    reader = Reader::new(Limits::TRUSTED, Framing::WebSocket);
                }
                reader.push(payload);
                let mut events = 0;
                while reader.next().expect("readable").is_some() {
                    events += 1;
                }
                reader.end_message().expect("whole elements");
                assert_eq!(events, 1, "{}", String::from_utf8_lossy(payload));
            }
            8..=10 => {}
            other => panic!("a frame of kind {other}"),
        }
        bytes = rest;
    }
}

const UPGRADE: &[u8] = b"GET /xmpp-websocket HTTP/1.1\r\nhost: a.example\r\nupgrade: websocket\r\n\
connection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-protocol: xmpp\r\n\
sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const ELEMENTS: &[&str] = &[
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a.example' version='1.0'/>",
    "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>biwsbj1qdWxpZXQscj1h</auth>",
    "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>Yz1iaXdzLHI9YSxwPWE=</response>",
    "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
    "<message/>",
    "<iq type='get' id='a'><query xmlns='jabber:iq:register'/></iq>",
    " ",
    "<a",
];
const PATHS: &[&str] = &[
    "/",
    "/about",
    "/admin",
    "/admin/sign-in",
    "/reset/abcdefghjkmnpqrstuvwxyz123",
    "/http-bind",
    "/xmpp-websocket",
    "/.well-known/host-meta",
    "/.well-known/host-meta.json",
    "/.well-known/acme-challenge/",
    "/outage.json",
    "/healthz",
    "/request",
    "/invite/",
    "/upload/",
    "/push/",
    "/share",
    "/style.css",
    "/favicon.ico",
    "/assets/",
    "/../../etc/passwd",
    "/%2e%2e/%00",
];
const BODIES: &[&str] = &[
    "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' to='a.example' wait='60' hold='1' \
     ver='1.6' content='text/xml; charset=utf-8' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'/>",
    "<body xmlns='http://jabber.org/protocol/httpbind' rid='2' sid='x' type='terminate'/>",
    "<body xmlns='http://jabber.org/protocol/httpbind' rid='18446744073709551615'/>",
    "name=juliet&password=password&repeat=password&token=x",
    "name=%00%ff&text=%F0%9F%98%80&contact=a",
];
const HEADERS: &[(&str, &[&str])] = &[
    ("ttl", &["0", "60", "-1", "18446744073709551616", "soon"]),
    ("topic", &["a", "a b", "0123456789012345678901234567890123"]),
    ("urgency", &["very-low", "high", "\u{e9}"]),
    (
        "range",
        &[
            "bytes=0-1",
            "bytes=-1",
            "bytes=2-",
            "bytes=9-",
            "bytes=1-0",
            "bytes=0-0,2-3",
            "bytes=18446744073709551615-",
            "bytes=-18446744073709551616",
            "lines=1-2",
            "bytes=",
        ],
    ),
    ("if-range", &["\"a\"", "Sun, 06 Nov 1994 08:49:37 GMT"]),
    ("if-none-match", &["*", "\"a\"", "W/\"a\", \"b\""]),
    (
        "content-type",
        &["image/png", "text/html; charset=x", "/", "application/x-www-form-urlencoded"],
    ),
    ("accept-encoding", &["br", "gzip;q=0, br;q=0.1", "*", "identity"]),
    ("accept", &["text/html", "application/json", "*/*;q=x"]),
    ("origin", &["https://a.example", "null", "https://b.example"]),
    ("cookie", &["session=x", "a=b; ; =", "__Host-admin=x"]),
    ("expect", &["100-continue"]),
    ("connection", &["close", "upgrade"]),
    ("upgrade", &["websocket"]),
    ("sec-websocket-version", &["13", "12"]),
    ("sec-websocket-protocol", &["xmpp", "chat, xmpp"]),
    ("sec-websocket-key", &["dGhlIHNhbXBsZSBub25jZQ==", ""]),
    ("x-forwarded-for", &["192.0.2.1", "::1, x"]),
    ("transfer-encoding", &["chunked"]),
];
/// With one server.
const PLAYS: u32 = 400;
/// Milliseconds without an answer.
const PATIENCE: u32 = 4;
const MOST_BYTES: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use crate::model;

    #[test]
    fn every_request_is_answered_safely() {
        for seed in 0..60 {
            super::requests(&model::bytes(seed, 200));
        }
    }

    #[test]
    fn whatever_comes_over_a_websocket_each_message_back_is_one_element() {
        for seed in 0..60 {
            super::websocket(&model::bytes(seed, 200));
        }
    }
}
