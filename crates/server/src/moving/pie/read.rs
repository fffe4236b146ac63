//! Reading a file of XEP-0227.

use std::path::{Component, Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use store::{
    Millis,
    prefs::{Policy, Preferences},
    roster::{Item as Contact, Subscription},
};
use xmpp::{
    ext::{form::Form, forward::Forwarded},
    jid::Jid,
    ns,
    sasl::{Hash, ScramKeys},
    time,
    xml::Element,
};

use super::{
    ACCOUNT, PIE, PIE_MAM, PIE_SCRAM, XINCLUDE,
    document::{Document, Token},
};
use crate::{
    moving::{
        self, BAD_KEYS, Out, Trouble,
        record::{Item, Line, Node, Person, Record, Request},
    },
    password::Password,
};

/// Reads the accounts of a domain, or with no domain named, of whichever the file has. Whose they were
/// is told to `whose` before each.
pub(in crate::moving) fn read(
    path: &Path,
    domain: Option<&str>,
    out: &mut Out<'_>,
) -> Result<(), Trouble> {
    let mut reader = PieReader { domain, hosts: Vec::new(), found: 0 };
    reader.file(path, Place::Outside, INCLUDES, out)?;
    match (reader.found, domain) {
        (0, Some(domain)) => Err(Trouble::unreadable(format!(
            "{} has no accounts of {domain}, the domain of this server; it has: {}",
            path.display(),
            reader.hosts.join(", ")
        ))),
        (0, None) => Err(Trouble::unreadable(format!("{} has no account", path.display()))),
        _ => Ok(()),
    }
}

struct PieReader<'a> {
    domain: Option<&'a str>,
    hosts: Vec<String>,
    found: usize,
}

/// Where in the document something stands.
#[derive(Clone, Debug, PartialEq)]
enum Place {
    Outside,
    Server,
    Host(String),
}

impl PieReader<'_> {
    fn file(
        &mut self,
        path: &Path,
        place: Place,
        includes: usize,
        out: &mut Out<'_>,
    ) -> Result<(), Trouble> {
        let mut document = Document::open(path)?;
        loop {
            match document.next()? {
                Token::Open(element) => {
                    self.element(&mut document, element, &place, (path, includes), out)?;
                }
                Token::Close => {}
                Token::End => return Ok(()),
            }
        }
    }

    /// Goes through an element in which others stand.
    fn inside(
        &mut self,
        document: &mut Document,
        place: &Place,
        from: (&Path, usize),
        out: &mut Out<'_>,
    ) -> Result<(), Trouble> {
        loop {
            match document.next()? {
                Token::Open(element) => self.element(document, element, place, from, out)?,
                Token::Close => return Ok(()),
                Token::End => return Err(Trouble::unreadable("the file ends in the middle")),
            }
        }
    }

    fn element(
        &mut self,
        document: &mut Document,
        element: Element,
        place: &Place,
        from: (&Path, usize),
        out: &mut Out<'_>,
    ) -> Result<(), Trouble> {
        let (path, includes) = from;
        match (element.name(), element.ns()) {
            ("include", XINCLUDE) => {
                let href = element.attr("href").unwrap_or_default().to_owned();
                document.rest(element)?;
                let left = includes.checked_sub(1);
                let left = left.ok_or_else(|| Trouble::unreadable("files include each other"))?;
                // What stands in `<server-data/>` may stand in one of its own in a file of its own.
                let place = match place {
                    Place::Server => Place::Outside,
                    place => place.clone(),
                };
                self.file(&beside(path, &href)?, place, left, out)
            }
            ("server-data", PIE) if *place == Place::Outside => {
                self.inside(document, &Place::Server, from, out)
            }
            ("host", PIE) if !matches!(place, Place::Host(_)) => {
                let host = element.attr("jid").unwrap_or_default().to_owned();
                self.hosts.push(host.clone());
                if self.domain.is_some_and(|domain| domain != host) {
                    let why = "accounts of another domain; they need a server of their own";
                    out.give(Record::skipped(host.as_str(), why))?;
                    return drain(document);
                }
                self.inside(document, &Place::Host(host), from, out)
            }
            ("user", PIE) => match place {
                Place::Host(host) => {
                    self.found += 1;
                    user(document, &element, host, out)
                }
                _ => Err(Trouble::unreadable("an account stands outside of a domain")),
            },
            _ => {
                drain(document)?;
                out.give(Record::skipped("the file", "an element that means nothing here"))
            }
        }
    }
}

/// Passes what is left of an element, piece by piece.
fn drain(document: &mut Document) -> Result<(), Trouble> {
    let mut depth = 1_usize;
    while depth > 0 {
        match document.next()? {
            Token::Open(_) => depth += 1,
            Token::Close => depth -= 1,
            Token::End => return Err(Trouble::unreadable("the file ends in the middle")),
        }
    }
    Ok(())
}

/// The file that is included: one below the directory of the file that includes it.
fn beside(path: &Path, href: &str) -> Result<PathBuf, Trouble> {
    let relative = PathBuf::from(href);
    let inside = relative.components().all(|part| matches!(part, Component::Normal(_)));
    match inside && !href.is_empty() && !href.contains(':') {
        true => Ok(path.parent().unwrap_or(Path::new("")).join(relative)),
        false => {
            Err(Trouble::unreadable(format!("the file includes `{href}`, which is elsewhere")))
        }
    }
}

fn user(
    document: &mut Document,
    start: &Element,
    host: &str,
    out: &mut Out<'_>,
) -> Result<(), Trouble> {
    let name = start.attr("name").unwrap_or_default().to_owned();
    let address = format!("{name}@{host}");
    let mut person = Person { name, origin: Some(host.to_owned()), ..Person::default() };
    let secret = start.attr("password").filter(|text| !text.is_empty());
    let packed = secret.and_then(|text| text.strip_prefix("scram:"));
    match packed {
        Some(packed) => person.keys.extend(unpacked(packed)),
        None => person.password = secret.map(|text| Password::new(text.to_owned())),
    }
    let damaged = packed.is_some() && person.keys.is_empty();
    out.give(Record::Person(Box::new(person)))?;
    if damaged {
        out.give(Record::skipped(address.as_str(), BAD_KEYS))?;
    }
    loop {
        let element = match document.next()? {
            Token::Open(element) => element,
            Token::Close => return Ok(()),
            Token::End => return Err(Trouble::unreadable("the file ends in the middle")),
        };
        match (element.name(), element.ns()) {
            ("archive", PIE_MAM) => lines(document, out, Record::Message)?,
            ("offline-messages", PIE) => lines(document, out, Record::Waiting)?,
            ("pubsub", ns::PUBSUB) => nodes(document, out, &address)?,
            _ => {
                let element = document.rest(element)?;
                piece(&element, &address, out)?;
            }
        }
    }
}

/// Messages: in an archive within `<result/>`, of the offline queue as they are.
fn lines(
    document: &mut Document,
    out: &mut Out<'_>,
    kind: fn(Line) -> Record,
) -> Result<(), Trouble> {
    loop {
        match document.next()? {
            Token::Open(element) => {
                let element = document.rest(element)?;
                match line(&element) {
                    Some(line) => out.give(kind(line))?,
                    None => out.give(Record::skipped("a message", "it makes no sense"))?,
                }
            }
            Token::Close => return Ok(()),
            Token::End => return Err(Trouble::unreadable("the file ends in the middle")),
        }
    }
}

fn line(element: &Element) -> Option<Line> {
    if element.is("message", ns::CLIENT) {
        let delay = element.child("delay", ns::DELAY);
        let at = delay.and_then(|delay| time::Millis::parse_xep0082(delay.attr("stamp")?));
        return Some(Line { at: Millis(at.unwrap_or_default().0), message: element.clone() });
    }
    let forwarded = Forwarded::child_of(element).filter(|_| element.name() == "result")?;
    let at = forwarded.delay.map(|delay| delay.stamp)?;
    Some(Line { at: Millis(at.0), message: forwarded.stanza })
}

/// The items of all nodes.
fn nodes(document: &mut Document, out: &mut Out<'_>, address: &str) -> Result<(), Trouble> {
    loop {
        match document.next()? {
            Token::Open(element) if element.is("items", ns::PUBSUB) => {
                let node = element.attr("node").unwrap_or_default().to_owned();
                items(document, out, &node)?;
            }
            Token::Open(element) => {
                document.rest(element)?;
                out.give(Record::skipped(address, "an element that means nothing here"))?;
            }
            Token::Close => return Ok(()),
            Token::End => return Err(Trouble::unreadable("the file ends in the middle")),
        }
    }
}

fn items(document: &mut Document, out: &mut Out<'_>, node: &str) -> Result<(), Trouble> {
    loop {
        match document.next()? {
            Token::Open(element) => {
                let item = document.rest(element)?;
                out.give(Record::Item(Item {
                    node: node.to_owned(),
                    id: item.attr("id").unwrap_or_default().to_owned(),
                    publisher: item.attr("publisher").map(str::to_owned),
                    published: None,
                    payload: item.first_child().cloned(),
                }))?;
            }
            Token::Close => return Ok(()),
            Token::End => return Err(Trouble::unreadable("the file ends in the middle")),
        }
    }
}

/// What is taken whole.
fn piece(element: &Element, address: &str, out: &mut Out<'_>) -> Result<(), Trouble> {
    match (element.name(), element.ns()) {
        ("scram-credentials", PIE_SCRAM) => match keys(element) {
            Some(keys) => out.give(Record::Keys(Box::new(keys))),
            None => out.give(Record::skipped(address, BAD_KEYS)),
        },
        ("account", ACCOUNT) => {
            out.give(Record::Disabled(element.attr("disabled") == Some("true")))
        }
        ("query", ns::ROSTER) => {
            element.children().filter_map(contact).try_for_each(|c| out.give(Record::Contact(c)))
        }
        ("query", ns::PRIVATE) => {
            element.children().try_for_each(|child| out.give(Record::Private(child.clone())))
        }
        ("query", PRIVACY) => privacy(element, address, out),
        ("vCard", ns::VCARD) => out.give(Record::Vcard(element.clone())),
        ("presence", ns::CLIENT) if element.attr("type") == Some("subscribe") => {
            let from = element.attr("from").unwrap_or_default().to_owned();
            out.give(Record::Request(Request { from, presence: Some(element.clone()) }))
        }
        ("blocklist", ns::BLOCKING) => {
            let entries = element.children().filter_map(|item| item.attr("jid"));
            entries.map(str::to_owned).try_for_each(|jid| out.give(Record::Blocked(jid)))
        }
        ("prefs", ns::MAM) => out.give(Record::Preferences(preferences(element))),
        ("pubsub", ns::PUBSUB_OWNER) => {
            configured(element).into_iter().try_for_each(|node| out.give(Record::Node(node)))
        }
        (name, namespace) => {
            let why = format!("`{name}` of {namespace} means nothing here");
            out.give(Record::skipped(address, why))
        }
    }
}

/// Keys in the place of a password, as ejabberd writes them: the hash unless it is SHA-1, then both keys,
/// salt and rounds.
fn unpacked(text: &str) -> Option<ScramKeys> {
    let parts: Vec<&str> = text.split(',').collect();
    let (hash, rest) = match parts.as_slice() {
        ["sha256", rest @ ..] => (Hash::Sha256, rest),
        ["sha512", rest @ ..] => (Hash::Sha512, rest),
        rest => (Hash::Sha1, rest),
    };
    let [stored, server, salt, iterations] = rest else { return None };
    decoded(hash, iterations.trim().parse().ok()?, salt, stored, server)
}

fn keys(element: &Element) -> Option<ScramKeys> {
    let hash = match element.attr("mechanism")? {
        "SCRAM-SHA-1" => Hash::Sha1,
        "SCRAM-SHA-256" => Hash::Sha256,
        "SCRAM-SHA-512" => Hash::Sha512,
        _ => return None,
    };
    let text =
        |name: &str| element.child(name, PIE_SCRAM).map(|child| child.text().trim().to_owned());
    let iterations = text("iter-count")?.parse().ok()?;
    let (salt, stored, server) = (text("salt")?, text("stored-key")?, text("server-key")?);
    decoded(hash, iterations, &salt, &stored, &server)
}

/// Keys in base64. ejabberd 23.01 encodes what is in base64 already once more.
fn decoded(
    hash: Hash,
    iterations: u32,
    salt: &str,
    stored: &str,
    server: &str,
) -> Option<ScramKeys> {
    let once = |text: &str| STANDARD.decode(text.trim()).ok();
    let (salt, stored, server) = (once(salt)?, once(stored)?, once(server)?);
    moving::keys(hash, iterations, salt.clone(), &stored, &server).or_else(|| {
        let again = |bytes: &[u8]| STANDARD.decode(bytes).ok();
        let (salt, stored, server) = (again(&salt)?, again(&stored)?, again(&server)?);
        moving::keys(hash, iterations, salt, &stored, &server)
    })
}

fn contact(item: &Element) -> Option<Contact> {
    let text = |name: &str| item.attr(name).filter(|value| !value.is_empty());
    let groups = item.children().filter(|child| child.is("group", ns::ROSTER));
    Some(Contact {
        jid: text("jid")?.into(),
        name: text("name").map(Into::into),
        subscription: match text("subscription") {
            Some("both") => Subscription::Both,
            Some("to") => Subscription::To,
            Some("from") => Subscription::From,
            Some("remove") => return None,
            _ => Subscription::None,
        },
        ask: text("ask") == Some("subscribe"),
        approved: matches!(text("approved"), Some("true" | "1")),
        groups: groups.map(|group| group.text().into()).collect(),
    })
}

/// Blocked addresses are the denials of the default list (XEP-0191 §5).
fn privacy(query: &Element, address: &str, out: &mut Out<'_>) -> Result<(), Trouble> {
    let default = query.child("default", PRIVACY).and_then(|default| default.attr("name"));
    for list in query.children().filter(|child| child.is("list", PRIVACY)) {
        if list.attr("name") != default {
            out.give(Record::skipped(address, "a privacy list (XEP-0016)"))?;
            continue;
        }
        for item in list.children() {
            match (item.attr("type"), item.attr("action"), item.attr("value")) {
                (Some("jid"), Some("deny"), Some(jid)) => {
                    out.give(Record::Blocked(jid.to_owned()))?;
                }
                (None, Some("allow"), _) => {}
                _ => {
                    let why = "a rule of a privacy list that is more than blocking";
                    out.give(Record::skipped(address, why))?;
                }
            }
        }
    }
    Ok(())
}

fn preferences(prefs: &Element) -> Preferences {
    let list = |name: &str| {
        let jids = prefs.child(name, ns::MAM).into_iter().flat_map(Element::children);
        jids.map(|jid| jid.text().trim().into()).collect()
    };
    let default = match prefs.attr("default") {
        Some("never") => Policy::Never,
        Some("roster") => Policy::Roster,
        _ => Policy::Always,
    };
    Preferences { default, always: list("always"), never: list("never") }
}

/// Nodes with their lists, which follow their configuration.
fn configured(pubsub: &Element) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    for child in pubsub.children() {
        let name = child.attr("node").unwrap_or_default();
        match (child.name(), nodes.iter_mut().find(|node| node.name == name)) {
            ("configure", _) => nodes.push(Node {
                name: name.to_owned(),
                config: Form::child_of(child),
                ..Node::default()
            }),
            ("affiliations", Some(node)) => {
                let pairs = child.children().filter_map(|one| {
                    Some((one.attr("jid")?.to_owned(), one.attr("affiliation")?.to_owned()))
                });
                node.affiliations.extend(pairs);
            }
            ("subscriptions", Some(node)) => {
                let all = child.children().filter_map(|one| {
                    let state = one.attr("subscription")?;
                    Some(store::pubsub::Subscription {
                        jid: Jid::new(one.attr("jid")?).ok()?.as_str().into(),
                        pending: match state {
                            "subscribed" => false,
                            "pending" => true,
                            _ => return None,
                        },
                        deliver: true,
                    })
                });
                node.subscriptions.extend(all);
            }
            _ => {}
        }
    }
    nodes
}

const PRIVACY: &str = "jabber:iq:privacy";
/// Files in files.
const INCLUDES: usize = 4;
