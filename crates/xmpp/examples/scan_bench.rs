//! What reading and changing a stanza costs: `cargo run --release -p xmpp --example scan_bench`
//!
//! The best of several rounds is printed, so that other work on the machine disturbs little.
//! Allocations are counted, not timed. The crate rxml reads the same bytes in the same run.

use std::hint::black_box;
use std::time::Instant;

use rxml::{Options, Parse, Parser, WithOptions};
use xmpp::edit::Edit;
use xmpp::stanza::Stanza;
use xmpp::xml::{Event, Framing, Limits, Reader};

fn main() {
    let cases = [
        ("OMEMO message", omemo()),
        (
            "chat state",
            "<message to='juliet@example.com/balcony' type='chat' id='d9a1e7'>\
            <active xmlns='http://jabber.org/protocol/chatstates'/>\
            <no-store xmlns='urn:xmpp:hints'/></message>"
                .to_owned(),
        ),
        (
            "text, Cyrillic",
            format!(
                "<message to='juliet@example.com' type='chat' id='d9a1e7'>\
            <body>{}</body></message>",
                "Ты все пела? это дело: так поди же, попляши! ".repeat(12)
            ),
        ),
        ("roster push", roster()),
    ];
    println!(
        "{:<16} {:>6}  {:<22} {:>9} {:>8} {:>7}",
        "stanza", "bytes", "work", "ns", "ns/KB", "allocs"
    );
    for (name, text) in &cases {
        let row = |work: &str, (ns, allocations): (f64, u64)| {
            let per_kb = ns * 1024.0 / text.len() as f64;
            println!(
                "{name:<16} {:>6}  {work:<22} {ns:>9.0} {per_kb:>8.0} {allocations:>7}",
                text.len()
            );
        };
        row("read", read(text, |stanza| drop(black_box(stanza))));
        row("read, change, route", read(text, route));
        row("read in 64 B pieces", read_pieces(text));
        row("rxml events", rxml(text));
    }
    println!("\n{:<34} {:>8} {:>9} {:>8}", "made to be slow", "bytes", "µs", "ns/KB");
    for (name, text) in hostile() {
        let mut reader = open();
        let begin = Instant::now();
        for _ in 0..10 {
            reader.push(black_box(text.as_bytes()));
            while let Some(event) = reader.next().expect("accepted") {
                black_box(event);
            }
        }
        let micros = begin.elapsed().as_micros() as f64 / 10.0;
        let per_kb = micros * 1000.0 * 1024.0 / text.len() as f64;
        println!("{name:<34} {:>8} {micros:>9.0} {per_kb:>8.0}", text.len());
    }
}

/// Stanzas of the size that clients may send, each of the kind that costs a reader most.
fn hostile() -> [(&'static str, String); 6] {
    let attributes: String = (0..64).map(|n| format!(" {}='x'", name(n))).collect();
    let bindings: String =
        (0..31).map(|n| format!(" xmlns:{}='u{}{n}'", name(n), "&#65;".repeat(200))).collect();
    let same: String = (0..31).map(|n| format!(" {}:a=''", name(n))).collect();
    let tags = |tag: &str, bytes: usize| tag.repeat((250_000 / tag.len()).min(bytes / tag.len()));
    [
        (
            "64 attributes in every tag",
            format!("<message>{}</message>", tags(&format!("<a{attributes}/>"), 250_000)),
        ),
        (
            "31 prefixes in every tag",
            format!(
                "<message><x{bindings}>{}</x></message>",
                tags(&format!("<a{same}/>"), 200_000)
            ),
        ),
        (
            "31 prefixes, to be written anew",
            format!("<message{bindings}>{}</message>", tags(&format!("<a{same}/>"), 200_000)),
        ),
        ("4095 elements", format!("<message>{}</message>", "<a></a>".repeat(4095))),
        ("references", format!("<message><body>{}</body></message>", tags("&lt;", 250_000))),
        (
            "brackets and line ends",
            format!("<message><body>{}</body></message>", tags("]\r]\n", 250_000)),
        ),
    ]
}

/// Names of the same length that differ in the middle.
fn name(n: usize) -> String {
    format!("aaa{}{}aaa", (b'a' + (n % 8) as u8) as char, (b'a' + (n / 8) as u8) as char)
}

/// What a server does to a message on its way: whom it is for, what is in it, a fresh `from`, an
/// archive id in place of forged ones.
fn route(stanza: Stanza) {
    black_box((stanza.kind(), stanza.to(), stanza.id(), stanza.type_()));
    let stored = stanza.child("store", xmpp::ns::HINTS).is_some();
    let out = Edit::new(&stanza)
        .from("romeo@example.net/orchard")
        .drop_if(|child| child.is("stanza-id", xmpp::ns::STANZA_ID))
        .append("<stanza-id xmlns='urn:xmpp:sid:0' by='juliet@example.com' id='1234567'/>")
        .finish();
    black_box((stored, out));
}

fn read(text: &str, mut handle: impl FnMut(Stanza)) -> (f64, u64) {
    let mut reader = open();
    best(move || {
        reader.push(black_box(text.as_bytes()));
        while let Ok(Some(Event::Stanza(stanza))) = reader.next() {
            handle(stanza);
        }
    })
}

fn read_pieces(text: &str) -> (f64, u64) {
    let mut reader = open();
    best(move || {
        for piece in text.as_bytes().chunks(64) {
            reader.push(black_box(piece));
            while let Ok(Some(event)) = reader.next() {
                black_box(event);
            }
        }
    })
}

fn rxml(text: &str) -> (f64, u64) {
    let options = Options { max_token_length: 1 << 18, ..Options::default() };
    let mut parser = Parser::with_options(options);
    let mut header = HEADER.as_bytes();
    while !header.is_empty() {
        black_box(parser.parse(&mut header, false).is_ok());
    }
    best(move || {
        let mut input = black_box(text.as_bytes());
        while let Ok(Some(event)) = parser.parse(&mut input, false) {
            black_box(event);
        }
    })
}

fn open() -> Reader {
    let mut reader = Reader::new(Limits::CLIENT, Framing::Tcp);
    reader.push(HEADER.as_bytes());
    assert!(matches!(reader.next(), Ok(Some(Event::Open(_)))));
    reader
}

/// Nanoseconds of one run, the best of many rounds, and its allocations.
fn best(mut work: impl FnMut()) -> (f64, u64) {
    const RUNS: u32 = 2000;
    let mut best = f64::INFINITY;
    for _ in 0..100 {
        let begin = Instant::now();
        for _ in 0..RUNS {
            work();
        }
        best = best.min(begin.elapsed().as_nanos() as f64 / f64::from(RUNS));
    }
    (best, allocation_counter::measure(work).count_total)
}

/// As clients send it: three devices, a text of a line or two.
fn omemo() -> String {
    let key = |rid, prekey| {
        format!(
            "<key rid='{rid}'{prekey}>{}</key>",
            "MwohBVbQ1pO4s0rX3tq8nE5y7ZkFhJmUaLwRcTxB2dVgHiP9".repeat(3)
        )
    };
    format!(
        "<message to='juliet@example.com' type='chat' id='8a1f6c2e-90b4-4e7d-a3c5-1d2e3f4a5b6c'>\
         <encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1586233401'>{}{}{}\
         <iv>q3vT0xJ1bKmR8w2L</iv></header><payload>{}</payload></encrypted>\
         <encryption xmlns='urn:xmpp:eme:0' name='OMEMO' \
         namespace='eu.siacs.conversations.axolotl'/>\
         <body>I sent you an OMEMO encrypted message but your client doesn't seem to support \
         that.</body><request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/>\
         <origin-id xmlns='urn:xmpp:sid:0' id='8a1f6c2e-90b4-4e7d-a3c5-1d2e3f4a5b6c'/>\
         <store xmlns='urn:xmpp:hints'/></message>",
        key(1_190_374_611, ""),
        key(388_297_025, " prekey='true'"),
        key(2_054_811_993, ""),
        "Zk8uYQ5x7Rm2".repeat(12),
    )
}

fn roster() -> String {
    let items: String = (0..40)
        .map(|n| {
            format!(
                "<item jid='friend{n}@example.com' name='Friend &amp; {n}' subscription='both'>\
                 <group>Friends</group></item>"
            )
        })
        .collect();
    format!(
        "<iq type='result' id='r1'><query xmlns='jabber:iq:roster' ver='7'>{items}</query></iq>"
    )
}

const HEADER: &str = "<stream:stream xmlns='jabber:client' \
                      xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";
