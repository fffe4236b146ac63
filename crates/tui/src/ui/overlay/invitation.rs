//! Links that invite to a server or to a person: XEP-0379, XEP-0401, XEP-0445.

use xmpp::jid::BareJid;

use crate::ui::event::Invitation;
use crate::ui::room_link;

/// Reads a link: `xmpp:…?register;preauth=…`, `xmpp:…?roster;preauth=…;ibr=y`, or the page that
/// shows one, `https://DOMAIN/invite/TOKEN`, and where that leads in a browser,
/// `https://DOMAIN/#/invite/TOKEN/INVITER/NAME`. The page of a server on this machine may be one of
/// `http://`.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse(link: &str) -> Result<Invitation, String> {
    read(link)
        .ok_or_else(|| match room_link::parse(link) {
            Ok(_) => {
                "this link leads into a room: log in first, then /join or `clownfish join` takes it"
            }
            Err(_) => "this link does not invite anybody to an account",
        })
        .map_err(str::to_owned)
}

/// The same, without what is wrong.
pub(crate) fn read(link: &str) -> Option<Invitation> {
    match link.strip_prefix("xmpp:") {
        Some(rest) => address_link(rest),
        None => page_link(link),
    }
}

fn address_link(rest: &str) -> Option<Invitation> {
    let (address, query) = rest.split_once('?')?;
    let address: BareJid = decoded(address).parse().ok()?;
    let mut parts = query.split([';', '&']);
    let action = parts.next()?;
    let values: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
    let value =
        |name: &str| values.iter().find(|(n, _)| *n == name).map(|(_, value)| decoded(value));
    let token = value("preauth").filter(|token| !token.is_empty())?;
    let domain: BareJid = address.domain().as_str().parse().ok()?;
    match action {
        "register" => {
            let name = address.node().map(|node| node.as_str().to_owned());
            Some(Invitation { inviter: None, domain, name, token })
        }
        // Only such links make accounts; the others are for people who have one.
        "roster" if value("ibr").as_deref() == Some("y") => {
            Some(Invitation { inviter: Some(address), domain, name: None, token })
        }
        _ => None,
    }
}

fn page_link(link: &str) -> Option<Invitation> {
    let (rest, secure) = match link.strip_prefix("http://") {
        Some(rest) => (rest, false),
        None => (link.strip_prefix("https://")?, true),
    };
    if !secure && !is_loopback(rest) {
        return None;
    }
    if let Some(at) = rest.find("xmpp:") {
        return address_link(rest.get(at + 5..)?);
    }
    let (host, path) = rest.split_once('/')?;
    let domain: BareJid = host.split(':').next()?.parse().ok()?;
    let (path, fragment) = path.split_once('#').unwrap_or((path, ""));
    if let Some(invitation) = in_the_browser(&domain, fragment) {
        return Some(invitation);
    }
    let (folder, token) = path.rsplit_once('/')?;
    let invites = folder.split('/').any(|part| part == "invite");
    let token = token.split('?').next().filter(|token| !token.is_empty())?;
    invites.then(|| Invitation { inviter: None, domain, name: None, token: decoded(token) })
}

/// `#/invite/TOKEN/INVITER/NAME`: who invites is an address or the name of the server; that and the name of
/// the account may be missing.
fn in_the_browser(host: &BareJid, fragment: &str) -> Option<Invitation> {
    let mut parts = fragment.trim_start_matches('/').split('/').map(decoded);
    if parts.next()? != "invite" {
        return None;
    }
    let token = parts.next().filter(|token| !token.is_empty())?;
    let from: Option<BareJid> = parts.next().and_then(|from| from.parse().ok());
    let domain = from.as_ref().unwrap_or(host).domain().as_str().parse().ok()?;
    let inviter = from.filter(|from| from.node().is_some());
    let name = parts.next().filter(|name| !name.is_empty());
    Some(Invitation { inviter, domain, name, token })
}

/// Whether the host that an address without its scheme begins with is this machine: what a server
/// that is tried out prints. Nothing is fetched from there, but nobody should get used to such links.
pub(crate) fn is_loopback(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let name = host == "localhost" || host.ends_with(".localhost");
    name || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// Percent-decoding (RFC 3986 §2.1); what is not a valid sequence stays.
pub(crate) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.filter(|_| *byte == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_every_kind_are_understood() {
        let to_server = parse("xmpp:example.com?register;preauth=abc").unwrap();
        assert_eq!((to_server.name, to_server.token.as_str()), (None, "abc"));
        let named = parse("xmpp:juliet@example.com?register;preauth=abc").unwrap();
        assert_eq!(named.name.as_deref(), Some("juliet"));
        let by_person =
            parse("xmpp:d%C3%A9sir%C3%A9e@example.com?roster;preauth=abc;ibr=y").unwrap();
        assert_eq!(by_person.inviter.unwrap().to_string(), "désirée@example.com");
        let page = parse("https://example.com:5443/invite/abc123").unwrap();
        assert_eq!((page.domain.to_string(), page.token), ("example.com".into(), "abc123".into()));
        for host in ["localhost:5280", "chat.localhost", "127.0.0.1:5280"] {
            let page = parse(&format!("http://{host}/invite/abc123")).unwrap();
            assert_eq!(page.token, "abc123", "{host}");
        }
        let trial = parse("http://localhost:5280/invite/abc123").unwrap();
        assert_eq!(trial.domain.to_string(), "localhost");
    }

    #[test]
    fn where_the_page_of_an_invitation_leads_in_a_browser_is_understood() {
        let found = |rest: &str| {
            let page = parse(&format!("https://chat.example.com/#/invite/{rest}")).unwrap();
            let inviter = page.inviter.map(|inviter| inviter.to_string());
            (page.token, page.domain.to_string(), inviter, page.name)
        };
        let romeo = Some("romeo@example.com".to_owned());
        let token = || "a+b".to_owned();
        let server = "example.com".to_owned();
        let named = found("a%2Bb/romeo%40example.com/juliet");
        assert_eq!(named, (token(), server.clone(), romeo.clone(), Some("juliet".to_owned())));
        assert_eq!(found("a%2Bb/romeo%40example.com/"), (token(), server.clone(), romeo, None));
        assert_eq!(found("a%2Bb/example.com/"), (token(), server, None, None));
        assert_eq!(found("a%2Bb"), (token(), "chat.example.com".to_owned(), None, None));
    }

    #[test]
    fn a_link_into_a_room_is_sent_on() {
        for link in [
            "xmpp:square@conference.example.com?join",
            "https://example.com/#/enter/square%40conference.example.com/rose/The%20square",
        ] {
            let problem = parse(link).unwrap_err();
            assert!(problem.contains("log in first"), "{problem}");
        }
    }

    #[test]
    fn links_that_make_no_account_are_refused() {
        for link in [
            "xmpp:juliet@example.com",
            "xmpp:juliet@example.com?message",
            "xmpp:juliet@example.com?roster;preauth=abc",
            "xmpp:example.com?register",
            "https://example.com/",
            "http://example.com/invite/abc",
            "http://localhost.example.com/invite/abc",
            "http://localhost@example.com/invite/abc",
            "http://127.0.0.1.example.com/invite/abc",
            "https://example.com/invite/",
            "https://example.com/#/invite/",
            "%%%",
            "",
        ] {
            assert!(parse(link).is_err(), "{link}");
        }
    }
}
