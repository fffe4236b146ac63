//! Elements that are too large: refused before authentication, skipped after it.

use xmpp::xml::{Bound, Event, Framing, Limits, Reader, XmlError};

const HEADER: &str = "<stream:stream xmlns='jabber:client' \
                      xmlns:stream='http://etherx.jabber.org/streams'>";

fn open(limits: Limits) -> Reader {
    let mut reader = Reader::new(limits, Framing::Tcp);
    reader.push(HEADER.as_bytes());
    assert!(matches!(reader.next(), Ok(Some(Event::Open(_)))));
    reader
}

/// Pushes in pieces; returns the events, and the most bytes that were held.
fn feed(reader: &mut Reader, input: &[u8], size: usize) -> (Vec<Event>, usize) {
    let mut events = Vec::new();
    let mut held = 0;
    for piece in input.chunks(size) {
        reader.push(piece);
        while let Some(event) = reader.next().unwrap() {
            events.push(event);
        }
        held = held.max(reader.unread());
    }
    (events, held)
}

#[test]
fn a_large_stanza_is_reported_and_the_next_one_is_read() {
    let large = format!(
        "<iq xmlns='jabber:client' type='set' id='7'><a xmlns:p='urn:p'><p:b>{}</p:b></a></iq>",
        "x &lt; <![CDATA[]]>".repeat(100_000)
    );
    let input = format!("<presence/>{large} <message to='a'/>");
    for size in [1, 5, 1000, 50_000, input.len()] {
        let mut reader = open(Limits::CLIENT);
        let (events, held) = feed(&mut reader, input.as_bytes(), size);
        let [Event::Stanza(_), Event::Oversized(head), Event::Stanza(next)] = &events[..] else {
            panic!("unexpected events: {events:?}");
        };
        assert_eq!(head.bytes(), "<iq type='set' id='7'/>".as_bytes());
        assert_eq!(next.bytes(), "<message to='a'/>".as_bytes());
        assert!(reader.is_idle());
        assert!(held <= Limits::CLIENT.element_bytes + size, "held {held} for pieces of {size}");
    }
}

#[test]
fn too_many_elements_are_skipped_too() {
    let input = format!("<message id='1'>{}</message><presence/>", "<x/>".repeat(5000));
    let (events, _) = feed(&mut open(Limits::CLIENT), input.as_bytes(), 100);
    assert!(matches!(&events[..], [Event::Oversized(_), Event::Stanza(_)]), "{events:?}");
}

#[test]
fn what_is_nested_too_deep_is_skipped_where_that_is_wanted() {
    let skipping = Limits { elements: 100_000, skip_deep: true, ..Limits::CLIENT };
    for (levels, fits) in [(63, true), (64, false), (30_000, false)] {
        let (open_tags, close_tags) = ("<a>".repeat(levels), "</a>".repeat(levels));
        let input = format!("<message id='1'>{open_tags}{close_tags}</message><presence/>");
        for size in [1000, input.len()] {
            let (events, _) = feed(&mut open(skipping), input.as_bytes(), size);
            let [first, Event::Stanza(next)] = &events[..] else { panic!("{events:?}") };
            assert_eq!(next.bytes(), "<presence/>".as_bytes());
            match first {
                Event::Stanza(_) => assert!(fits, "{levels}"),
                Event::Oversized(head) => {
                    assert!(!fits, "{levels}");
                    assert_eq!(head.bytes(), "<message id='1'/>".as_bytes());
                }
                other => panic!("{other:?}"),
            }
        }
        let mut strict = open(Limits { skip_deep: false, ..skipping });
        strict.push(input.as_bytes());
        let error = strict.next().err();
        assert_eq!(error.is_some(), !fits, "{levels}: {error:?}");
    }
}

#[test]
fn what_is_skipped_must_be_well_formed() {
    let large = format!("<message><body>{}</subject></message>", "x".repeat(300_000));
    let mut reader = open(Limits::CLIENT);
    reader.push(large.as_bytes());
    assert!(matches!(reader.next(), Ok(Some(Event::Oversized(_)))));
    assert!(matches!(reader.next(), Err(XmlError::EndTag)));
    assert!(matches!(reader.next(), Err(XmlError::EndTag)));
    reader.push(b"<presence/>");
    assert!(matches!(reader.next(), Err(XmlError::EndTag)));
    assert_eq!(reader.unread(), 0);
}

#[test]
fn a_large_tag_ends_the_stream_even_while_skipping() {
    let mut reader = open(Limits::CLIENT);
    reader.push(format!("<message><body>{}<x a='", "x".repeat(300_000)).as_bytes());
    assert!(matches!(reader.next(), Ok(Some(Event::Oversized(_)))));
    let mut outcome = Ok(None);
    for _ in 0..400 {
        reader.push(&[b'y'; 1000]);
        outcome = reader.next();
        if outcome.is_err() {
            break;
        }
    }
    assert_eq!(outcome.err(), Some(XmlError::Limit(Bound::ElementBytes)));
}

#[test]
fn before_authentication_a_large_element_is_an_error() {
    let mut reader = open(Limits::BEFORE_AUTH);
    reader.push(&[b"<auth xmlns='x'>".as_slice(), &[b'y'; 9000]].concat());
    assert_eq!(reader.next().err(), Some(XmlError::Limit(Bound::ElementBytes)));
}

#[test]
fn an_element_of_exactly_the_limit_is_accepted() {
    let limits = Limits { element_bytes: 1000, ..Limits::CLIENT };
    for (length, fits) in [(999, true), (1000, true), (1001, false)] {
        let input = format!("<message>{}</message>", "x".repeat(length - 19));
        assert_eq!(input.len(), length);
        for size in [1, 7, 2000] {
            let (events, _) = feed(&mut open(limits), input.as_bytes(), size);
            let accepted = matches!(&events[..], [Event::Stanza(_)]);
            assert_eq!(accepted, fits, "{length} bytes in pieces of {size}");
        }
    }
}

#[test]
fn rewriting_cannot_make_a_stanza_larger_than_the_limit() {
    let namespace = "u".repeat(1000);
    let header = format!(
        "<stream:stream xmlns='jabber:client' xmlns:p='{namespace}' \
         xmlns:stream='http://etherx.jabber.org/streams'>"
    );
    let mut reader = Reader::new(Limits::CLIENT, Framing::Tcp);
    reader.push(header.as_bytes());
    reader.push(format!("<message id='1'>{}</message>", "<p:x/>".repeat(4000)).as_bytes());
    assert!(matches!(reader.next(), Ok(Some(Event::Open(_)))));
    let Ok(Some(Event::Oversized(head))) = reader.next() else { panic!("it fits") };
    assert_eq!(head.bytes(), "<message id='1'/>".as_bytes());
    reader.push(b"<presence/>");
    assert!(matches!(reader.next(), Ok(Some(Event::Stanza(_)))));
}

#[test]
fn a_large_stanza_byte_by_byte_costs_no_more_than_its_length() {
    // 256 KiB of bytes that could each end the attribute: a reader that began the tag again every
    // time would need half an hour, and the test would not end.
    let input = format!("<message a='{}' b=\"{}\"/>", ">".repeat(120_000), "/>'".repeat(40_000));
    let (events, _) = feed(&mut open(Limits::CLIENT), input.as_bytes(), 1);
    assert!(matches!(&events[..], [Event::Stanza(_)]));
}

#[test]
fn keepalives_are_not_kept() {
    let mut reader = open(Limits::CLIENT);
    for _ in 0..1000 {
        reader.push(b" \n\t");
        assert!(reader.next().unwrap().is_none());
        assert_eq!(reader.unread(), 0);
        assert!(reader.is_idle());
    }
}

#[test]
fn a_restart_keeps_unread_bytes_and_expects_a_header() {
    let mut reader = open(Limits::BEFORE_AUTH);
    reader.push(format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>\n{HEADER}").as_bytes());
    assert!(matches!(reader.next(), Ok(Some(Event::Stanza(_)))));
    reader.restart();
    reader.set_limits(Limits::CLIENT);
    assert!(matches!(reader.next(), Ok(Some(Event::Open(_)))));
    reader.push(b"<iq");
    assert!(reader.next().unwrap().is_none());
    assert!(!reader.is_idle());
    reader.discard_unread();
    reader.restart();
    assert!(reader.is_idle());
    reader.push(HEADER.as_bytes());
    assert!(matches!(reader.next(), Ok(Some(Event::Open(_)))));
}

#[test]
fn a_websocket_message_holds_whole_elements() {
    let mut reader = Reader::new(Limits::CLIENT, Framing::WebSocket);
    reader.push(b"<presence xmlns='jabber:client'/>");
    assert!(matches!(reader.next(), Ok(Some(Event::Stanza(_)))));
    assert_eq!(reader.end_message(), Ok(()));
    reader.push(b"<presence xmlns='jabber:client'>");
    assert!(matches!(reader.next(), Ok(None)));
    let error = reader.end_message().unwrap_err();
    assert_eq!(reader.next().err(), Some(error));
}
