//! Whole streams against their expected events, in pieces of every size.
//!
//! `vectors/streams/NAME.xml` is a stream, `NAME.events` what the reader makes of it: one line per
//! event. A case is added by adding the two files. Names that begin with `websocket` are read as
//! WebSocket messages, names that begin with `limits` with the limits before authentication.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use xmpp::xml::{Event, Framing, Limits, Reader};

/// The events of a stream that arrives in pieces of `size` bytes.
fn events(input: &[u8], size: usize, framing: Framing, limits: Limits) -> String {
    let mut reader = Reader::new(limits, framing);
    let mut out = String::new();
    for piece in input.chunks(size) {
        reader.push(piece);
        loop {
            match reader.next() {
                Ok(Some(event)) => describe(&mut out, event),
                Ok(None) => break,
                Err(error) => {
                    let condition = error.stream_condition().name();
                    writeln!(out, "error {condition}: {error}").unwrap();
                    return out;
                }
            }
        }
    }
    if !reader.is_idle() {
        writeln!(out, "incomplete").unwrap();
    }
    out
}

fn describe(out: &mut String, event: Event) {
    let (what, stanza) = match event {
        Event::Open(header) => {
            let part = |name, value: Option<String>| {
                value.map(|value| format!(" {name}={value}")).unwrap_or_default()
            };
            out.push_str("open");
            out.push_str(&part("to", header.to));
            out.push_str(&part("from", header.from));
            out.push_str(&part("id", header.id));
            out.push_str(&part("version", header.version));
            out.push_str(&part("lang", header.lang));
            writeln!(out, " ns={}", header.ns).unwrap();
            return;
        }
        Event::Close => {
            writeln!(out, "close").unwrap();
            return;
        }
        Event::Stanza(stanza) => ("stanza", stanza),
        Event::Oversized(stanza) => ("oversized", stanza),
    };
    let text = String::from_utf8(stanza.bytes().to_vec()).unwrap();
    writeln!(out, "{what} {:?} {{{}}}{}", stanza.kind(), stanza.ns(), stanza.name()).unwrap();
    for child in stanza.children() {
        writeln!(out, "  child {{{}}}{} {:?}", child.ns(), child.name(), child.text()).unwrap();
    }
    writeln!(out, "  bytes {}", text.escape_debug()).unwrap();
}

fn vectors() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/streams");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
    paths.sort();
    paths
}

/// Set `ANEMONE_BLESS=1` to write the expectations anew; then read the difference.
#[test]
fn streams_give_the_expected_events_in_pieces_of_any_size() {
    let bless = std::env::var_os("ANEMONE_BLESS").is_some();
    let vectors = vectors();
    assert!(vectors.len() > 20, "the vectors are where the test looks for them");
    for path in vectors {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let framing = if name.starts_with("websocket") { Framing::WebSocket } else { Framing::Tcp };
        let limits = if name.starts_with("limits") { Limits::BEFORE_AUTH } else { Limits::CLIENT };
        let input = std::fs::read(&path).unwrap();
        let whole = events(&input, input.len().max(1), framing, limits);
        if bless {
            std::fs::write(path.with_extension("events"), &whole).unwrap();
        }
        let expected = std::fs::read_to_string(path.with_extension("events")).unwrap();
        assert_eq!(whole, expected, "{name} in one piece");
        for size in [1, 2, 3, 7, 16, 33, 1000] {
            let pieces = events(&input, size, framing, limits);
            assert_eq!(pieces, expected, "{name} in pieces of {size}");
        }
    }
}
