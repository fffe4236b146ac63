//! Links into rooms: `xmpp:ROOM?join` (XEP-0045 §17.1, XEP-0147), and the pages that Clownfish in a browser
//! gives out for them (XEP-0488).

use xmpp::jid::BareJid;

use super::overlay::invitation::{self, decoded};

/// Where something that was typed, pasted or sent leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomLink {
    /// The room.
    pub room: BareJid,
    /// Its password, or the secret that makes whoever follows the link a member.
    pub secret: Option<String>,
    /// As what it was written.
    pub form: Form,
}

/// As what the way into a room was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// An address, which could be a person's as well.
    Address,
    /// `xmpp:ROOM?join`.
    Uri,
    /// `https://DOMAIN/#/enter/ROOM/SECRET/NAME`.
    Page,
}

/// Reads a link into a room, or the address of one. Nothing is fetched: what the page of a link is for
/// stands in its address. The page of a server on this machine may be one of `http://`.
///
/// # Errors
/// What is wrong with it, and how it would be right.
pub fn parse(text: &str) -> Result<RoomLink, String> {
    let text = text.trim();
    if text.len() > MAX_BYTES {
        return Err(WRONG.to_owned());
    }
    let found = match (after(text, "xmpp:"), after(text, "https://"), after(text, "http://")) {
        (Some(rest), ..) => uri(rest),
        (_, Some(rest), _) => page(rest),
        (.., Some(rest)) if invitation::is_loopback(rest) => page(rest),
        (.., Some(_)) => Err(ELSEWHERE),
        _ => return address(text).ok_or_else(|| WRONG.to_owned()),
    };
    found.map_err(|problem| match invitation::read(text) {
        Some(_) => ACCOUNT.to_owned(),
        None => problem.to_owned(),
    })
}

/// Whether a text is meant as a link of any kind.
#[must_use]
pub fn is_link(text: &str) -> bool {
    ["xmpp:", "https://", "http://"].iter().any(|scheme| after(text, scheme).is_some())
}

/// What follows the scheme of an address, in whichever case that is written.
fn after<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn address(text: &str) -> Option<RoomLink> {
    let room = named(text)?;
    Some(RoomLink { room, secret: None, form: Form::Address })
}

/// The address of a room has a name in it.
fn named(text: &str) -> Option<BareJid> {
    text.parse().ok().filter(|room: &BareJid| room.node().is_some())
}

fn uri(rest: &str) -> Result<RoomLink, &'static str> {
    let (room, query) = rest.split_once('?').ok_or(ELSEWHERE)?;
    let mut parts = query.split([';', '&']);
    if parts.next() != Some("join") {
        return Err(ELSEWHERE);
    }
    let secret = parts.find_map(|part| part.strip_prefix("password=")).map(decoded);
    let room = named(&decoded(room)).ok_or(BROKEN)?;
    Ok(RoomLink { room, secret: secret.filter(|secret| !secret.is_empty()), form: Form::Uri })
}

/// The part of the address that no server sees: `#/enter/ROOM/SECRET/NAME`. What the sender of a link calls
/// the room is not believed, and not needed.
fn page(rest: &str) -> Result<RoomLink, &'static str> {
    let (_, fragment) = rest.split_once('#').ok_or(ELSEWHERE)?;
    let mut parts = fragment.trim_start_matches('/').split('/').map(decoded);
    if parts.next().as_deref() != Some("enter") {
        return Err(ELSEWHERE);
    }
    let room = parts.next().and_then(|room| named(&room)).ok_or(BROKEN)?;
    let secret = parts.next().filter(|secret| !secret.is_empty()).ok_or(BROKEN)?;
    Ok(RoomLink { room, secret: Some(secret), form: Form::Page })
}

/// What is neither an address nor a link.
const WRONG: &str = "the address of a room looks like square@conference.example.org";
/// A link of another kind.
const ELSEWHERE: &str = "this link does not lead into a room";
/// A link of which something is missing.
const BROKEN: &str = "this link into a room is not whole: copy it once more";
/// An invitation to a server.
const ACCOUNT: &str = "this link makes an account: /login or `clownfish register` takes it";
/// Longer texts are no links.
const MAX_BYTES: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    fn square() -> BareJid {
        "square@conference.verona.example".parse().unwrap()
    }

    fn found(text: &str) -> (Option<String>, Form) {
        let link = parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
        assert_eq!(link.room, square(), "{text}");
        (link.secret, link.form)
    }

    #[test]
    fn addresses_and_links_of_the_protocol_are_understood() {
        assert_eq!(found(square().as_str()), (None, Form::Address));
        for text in [
            "xmpp:square@conference.verona.example?join",
            "XMPP:square@conference.verona.example?join",
            "xmpp:square%40conference.verona.example?join;password=",
        ] {
            assert_eq!(found(text), (None, Form::Uri), "{text}");
        }
        let secret = "xmpp:square@conference.verona.example?join;password=a%20rose";
        assert_eq!(found(secret), (Some("a rose".to_owned()), Form::Uri));
    }

    #[test]
    fn the_page_of_a_link_is_understood_without_being_fetched() {
        let square = "square%40conference.verona.example";
        for page in [
            format!("https://verona.example/#/enter/{square}/a%20rose%2F%C3%BC/The%20square"),
            format!("https://verona.example/#/enter/{square}/a%20rose%2F%C3%BC/"),
            format!("  HTTPS://verona.example:5443/#/enter/{square}/a%20rose%2F%C3%BC\n"),
            "https://verona.example/#/enter/square@conference.verona.example/a rose%2Fü/x"
                .to_owned(),
            format!("http://localhost:5280/#/enter/{square}/a%20rose%2F%C3%BC/x"),
        ] {
            assert_eq!(found(&page), (Some("a rose/ü".to_owned()), Form::Page), "{page}");
        }
    }

    #[test]
    fn what_leads_nowhere_says_why() {
        let problem = |text: &str| parse(text).unwrap_err();
        for text in ["x", "", "verona.example", &"x".repeat(9000)] {
            assert_eq!(problem(text), WRONG, "{text}");
        }
        for text in [
            "xmpp:juliet@capulet.example",
            "xmpp:juliet@capulet.example?message",
            "https://verona.example/",
            "https://verona.example/#/settings",
            "http://verona.example/#/enter/square%40conference.verona.example/rose/x",
        ] {
            assert_eq!(problem(text), ELSEWHERE, "{text}");
        }
        for text in [
            "xmpp:conference.verona.example?join",
            "https://verona.example/#/enter/",
            "https://verona.example/#/enter/square%40conference.verona.example",
            "https://verona.example/#/enter/square%40conference.verona.example//The%20square",
            "https://verona.example/#/enter/verona.example/rose/x",
        ] {
            assert_eq!(problem(text), BROKEN, "{text}");
        }
        for text in [
            "xmpp:verona.example?register;preauth=abc",
            "https://verona.example/invite/abc",
            "https://verona.example/#/invite/abc/romeo%40verona.example/",
        ] {
            assert_eq!(problem(text), ACCOUNT, "{text}");
        }
    }
}
