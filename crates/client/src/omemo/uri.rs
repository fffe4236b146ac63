//! Links that carry fingerprints: `xmpp:juliet@example.org?omemo-sid-123=…` as most clients show
//! them in QR codes, and the `?trust-message` links of XEP-0434.

use omemo::{DeviceId, Fingerprint, IdentityKey};
use xmpp::jid::BareJid;
use xmpp::ns;

/// What a link says about the keys of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// Whose keys.
    pub(crate) owner: BareJid,
    /// Fingerprints that are right, with the device if the link names it.
    pub(crate) right: Vec<(Option<u32>, Fingerprint)>,
    /// Fingerprints that are wrong.
    pub(crate) wrong: Vec<Fingerprint>,
}

/// The link for the keys of an account, for people to scan: every device and its fingerprint.
#[must_use]
pub fn fingerprint_link(owner: &BareJid, devices: &[(u32, Fingerprint)]) -> String {
    let mut link = format!("xmpp:{}?message", path(owner.as_str()));
    for (device, fingerprint) in devices {
        link.push_str(&format!(";omemo-sid-{device}={fingerprint}"));
    }
    link
}

/// The link that brings somebody into a room with a secret of it (XEP-0488, "Inviting users").
pub(crate) fn invitation_link(room: &BareJid, token: &str) -> String {
    format!("xmpp:{}?join;password={}", path(room.as_str()), path(token))
}

impl Link {
    /// Reads either kind of link. `None` when it is another one, says nothing about keys, or says
    /// something about them that cannot be read: a link that was cut off must not pass as a whole.
    pub(crate) fn parse(link: &str) -> Option<Link> {
        if link.len() > MAX_BYTES {
            return None;
        }
        let (scheme, rest) = link.trim().split_once(':')?;
        if !scheme.eq_ignore_ascii_case("xmpp") {
            return None;
        }
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (address, query) = rest.split_once('?')?;
        let query = query.split_once('#').map_or(query, |(query, _)| query);
        let owner = BareJid::new(&decode(address)?).ok()?;
        let mut link = Link { owner, right: Vec::new(), wrong: Vec::new() };
        let mut parts = query.split([';', '&']).filter(|part| !part.is_empty()).peekable();
        if parts.next_if(|part| *part == "trust-message").is_some() {
            link.trust_message(parts)?;
        } else {
            link.fingerprints(parts)?;
        }
        (!link.right.is_empty() || !link.wrong.is_empty()).then_some(link)
    }

    fn fingerprints<'a>(&mut self, parts: impl Iterator<Item = &'a str>) -> Option<()> {
        for part in parts {
            let Some(device) = part.strip_prefix("omemo-sid-") else { continue };
            let (device, fingerprint) = device.split_once('=')?;
            let device = device.parse().ok().and_then(DeviceId::new)?.to_u32();
            let fingerprint = hex(fingerprint)?;
            self.right.push((Some(device), Fingerprint::from_bytes(fingerprint)));
        }
        Some(())
    }

    /// XEP-0434 §9.1: the key identifiers of `urn:xmpp:omemo:2` are keys in Ed25519 form.
    fn trust_message<'a>(&mut self, parts: impl Iterator<Item = &'a str>) -> Option<()> {
        let mut encryption = None;
        for part in parts {
            let (name, value) = part.split_once('=')?;
            match name {
                "encryption" => encryption = Some(decode(value)?),
                "trust" => self.right.push((None, key(value)?)),
                "distrust" => self.wrong.push(key(value)?),
                _ => {}
            }
        }
        encryption.filter(|encryption| encryption == ns::OMEMO).map(|_| ())
    }
}

fn key(text: &str) -> Option<Fingerprint> {
    IdentityKey::from_ed25519(&hex(text)?).ok().map(|key| key.fingerprint())
}

/// 64 hexadecimal digits in either case.
fn hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        // The parser of numbers takes a sign as well.
        if pair.starts_with('+') {
            return None;
        }
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}

/// RFC 5122 §2.7: percent-encoded UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (pair, tail) = rest.split_at_checked(2)?;
        let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+'))?;
        bytes.push(u8::from_str_radix(pair, 16).ok()?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

/// RFC 5122 §2.2: what may not stand in a path is percent-encoded.
fn path(address: &str) -> String {
    let mut path = String::with_capacity(address.len());
    for byte in address.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => path.push(char::from(byte)),
            b'@' | b'.' | b'-' | b'_' | b'~' | b'!' | b'$' | b'*' | b'+' | b',' | b':' => {
                path.push(char::from(byte));
            }
            byte => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

/// Longer links are no links: a QR code holds less than half of that.
const MAX_BYTES: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> BareJid {
        BareJid::new("juliet@example.org").unwrap()
    }

    fn print(byte: u8) -> Fingerprint {
        Fingerprint::from_bytes([byte; 32])
    }

    #[test]
    fn a_link_that_was_made_is_read() {
        let link = fingerprint_link(&owner(), &[(7, print(0xab)), (2_147_483_647, print(1))]);
        assert!(link.starts_with("xmpp:juliet@example.org?message;omemo-sid-7=abab"), "{link}");
        let right = vec![(Some(7), print(0xab)), (Some(2_147_483_647), print(1))];
        assert_eq!(Link::parse(&link), Some(Link { owner: owner(), right, wrong: vec![] }));
    }

    #[test]
    fn addresses_of_any_kind_survive() {
        let owner = BareJid::new("jürgen#1?;=@exämple.org").unwrap();
        let link = fingerprint_link(&owner, &[(7, print(0xab))]);
        assert!(link.is_ascii());
        assert_eq!(Link::parse(&link).unwrap().owner, owner);
    }

    #[test]
    fn links_of_other_clients_are_read() {
        let print_text = "AB".repeat(32);
        for query in [
            format!("omemo-sid-7={print_text}"),
            format!("message;omemo-sid-7={print_text}"),
            format!("roster&omemo-sid-7={print_text}&body=x"),
        ] {
            let link = Link::parse(&format!("XMPP:juliet@example.org?{query}")).unwrap();
            assert_eq!(link.right, [(Some(7), print(0xab))], "{query}");
        }
    }

    #[test]
    fn the_example_of_the_xep_is_read() {
        let link = Link::parse(
            "xmpp:bob@example.com?trust-message;encryption=urn:xmpp:omemo:2;\
             trust=5d214877c813e5db643d2b19eb0aa1ceeaff9e37c3a709147d6b6ee8e6905666;\
             distrust=3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29",
        )
        .unwrap();
        assert_eq!(
            link.right[0].1.to_string(),
            "a4e09292b651c278b9772c569f5fa9bb13d906b46ab68c9df9dc2b4409f8a209"
        );
        assert_eq!(link.wrong.len(), 1);
    }

    #[test]
    fn what_is_no_such_link_is_refused() {
        let print_text = "ab".repeat(32);
        for link in [
            String::new(),
            "xmpp:juliet@example.org".into(),
            "xmpp:juliet@example.org?message".into(),
            format!("https://juliet@example.org?omemo-sid-7={print_text}"),
            format!("xmpp:@?omemo-sid-7={print_text}"),
            format!("xmpp:juliet@example.org?omemo-sid-0={print_text}"),
            format!("xmpp:juliet@example.org?omemo-sid-7={}", &print_text[2..]),
            format!("xmpp:juliet@example.org?omemo-sid-7={print_text};omemo-sid-8=+1"),
            format!("xmpp:juliet@example.org?trust-message;trust={print_text}"),
            format!("xmpp:juliet@example.org?trust-message;encryption=urn:x;trust={print_text}"),
            format!("xmpp:juliet%@example.org?omemo-sid-7={print_text}"),
        ] {
            assert_eq!(Link::parse(&link), None, "{link}");
        }
    }
}
