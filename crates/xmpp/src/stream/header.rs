//! RFC 6120 §4.7, RFC 7395 §3.4: how a stream is opened and closed.

use super::Out;
use crate::ns;
use crate::xml::{Element, Framing, StreamHeader, escape_attribute_into};

/// Writes what opens a stream.
pub(super) fn open(out: &mut Out, framing: Framing, header: &StreamHeader) {
    let attributes = [
        ("from", &header.from),
        ("to", &header.to),
        ("id", &header.id),
        ("version", &header.version),
        ("xml:lang", &header.lang),
    ];
    let mut bytes = match framing {
        Framing::Tcp => b"<?xml version='1.0'?><stream:stream".to_vec(),
        Framing::WebSocket => b"<open".to_vec(),
    };
    for (name, value) in attributes {
        if let Some(value) = value {
            attribute(&mut bytes, name, value);
        }
    }
    match framing {
        Framing::Tcp => {
            attribute(&mut bytes, "xmlns", &header.ns);
            attribute(&mut bytes, "xmlns:stream", ns::STREAM);
            if header.ns == ns::SERVER {
                // XEP-0220 §2.1.1: some servers look for the prefix before they talk of dialback.
                attribute(&mut bytes, "xmlns:db", ns::DIALBACK);
            }
            bytes.extend_from_slice(b">");
        }
        Framing::WebSocket => {
            attribute(&mut bytes, "xmlns", ns::FRAMING);
            bytes.extend_from_slice(b"/>");
        }
    }
    out.frame(&bytes);
}

/// Writes what closes a stream.
pub(super) fn close(out: &mut Out, framing: Framing) {
    match framing {
        Framing::Tcp => out.frame(b"</stream:stream>"),
        Framing::WebSocket => {
            out.frame(b"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
        }
    }
}

/// Writes `<stream:features/>`. The prefix is the one every client expects; over WebSocket it is
/// declared here because no header did.
pub(super) fn features(out: &mut Out, framing: Framing, features: &[Element]) {
    let (start, parent_ns) = match framing {
        Framing::Tcp => (&b"<stream:features>"[..], ns::CLIENT),
        Framing::WebSocket => {
            (&b"<stream:features xmlns:stream='http://etherx.jabber.org/streams'>"[..], "")
        }
    };
    let mut bytes = start.to_vec();
    for feature in features {
        feature.write(&mut bytes, parent_ns);
    }
    bytes.extend_from_slice(b"</stream:features>");
    out.frame(&bytes);
}

fn attribute(bytes: &mut Vec<u8>, name: &str, value: &str) {
    bytes.push(b' ');
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(b"='");
    escape_attribute_into(bytes, value);
    bytes.push(b'\'');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> StreamHeader {
        StreamHeader {
            to: Some("juliet@im.example.com".into()),
            from: Some("im.example.com".into()),
            id: Some("t7AMCin9zjMNwQKDnplntZPIDEI=".into()),
            version: Some("1.0".into()),
            lang: Some("en".into()),
            ns: ns::CLIENT.into(),
        }
    }

    #[test]
    fn a_stream_over_tcp_begins_with_an_xml_declaration() {
        let mut out = Out::new();
        open(&mut out, Framing::Tcp, &header());
        close(&mut out, Framing::Tcp);
        assert_eq!(
            String::from_utf8_lossy(out.bytes()),
            "<?xml version='1.0'?><stream:stream from='im.example.com' \
             to='juliet@im.example.com' id='t7AMCin9zjMNwQKDnplntZPIDEI=' version='1.0' \
             xml:lang='en' xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams'></stream:stream>"
        );
    }

    #[test]
    fn websocket_messages_stand_alone() {
        let mut out = Out::new();
        open(&mut out, Framing::WebSocket, &StreamHeader { to: None, ..header() });
        features(&mut out, Framing::WebSocket, &[Element::new("bind", ns::BIND)]);
        close(&mut out, Framing::WebSocket);
        let frames: Vec<_> = out.frames().map(String::from_utf8_lossy).collect();
        assert_eq!(
            frames,
            [
                "<open from='im.example.com' id='t7AMCin9zjMNwQKDnplntZPIDEI=' version='1.0' \
                 xml:lang='en' xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
                "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>\
                 <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>",
                "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
            ]
        );
    }
}
