//! Rooms of ejabberd: their options are an Erlang term, their archives are in the table of all archives.

use xmpp::{
    ext::{
        form::{Field, Form, FormType},
        muc::{Affiliation, Item},
    },
    jid::{BareJid, Jid},
    ns,
    xml::Element,
};

use super::{
    DAMAGED, Ejabberd, element,
    person::{jid, micros},
    terms::Term,
};
use crate::moving::{
    Out, Trouble,
    record::{Line, Record, Room},
};

/// Reads the rooms of a service.
pub(super) fn read(source: &Ejabberd, service: &str, out: &mut Out<'_>) -> Result<(), Trouble> {
    let rooms = source.each("muc_room", "name, host, opts", "1 = 1", [], "name", |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    for (name, host, options) in rooms {
        let address = format!("{name}@{host}");
        if host != service {
            let why = format!(
                "rooms of this server are at {service}; set `address` in [rooms] to where they were, \
                 and run this again"
            );
            out.give(Record::skipped(address, why))?;
            continue;
        }
        let (Some(options), Ok(jid)) = (Term::parse(&options), BareJid::new(&address)) else {
            out.give(Record::skipped(address, "the room is damaged"))?;
            continue;
        };
        if options.option("persistent").and_then(Term::word).as_deref() != Some("true") {
            out.give(Record::skipped(address, "a room that ends with its last visitor"))?;
            continue;
        }
        out.give(Record::Room(Box::new(room(jid.clone(), &options))))?;
        archive(source, &jid, out)?;
    }
    Ok(())
}

fn room(jid: BareJid, options: &Term) -> Room {
    let word = |key: &str| options.option(key).and_then(Term::word).unwrap_or_default();
    let author = word("subject_author");
    let subject = match options.option("subject") {
        Some(Term::Text(text)) => Some(text.clone()),
        Some(list) => list.items().first().and_then(|text| text.items().last()?.word()),
        None => None,
    };
    let subject = subject.filter(|text| !text.is_empty());
    Room {
        jid,
        config: config(options),
        subject: subject.map(|text| (text, author, store::Millis(0))),
        vcard: Some(word("vcard")).filter(|vcard| !vcard.is_empty()),
        affiliations: affiliations(options),
    }
}

fn config(options: &Term) -> Form {
    let word = |key: &str| options.option(key).and_then(Term::word).unwrap_or_default();
    let yes = |key: &str| (word(key) == "true").to_string();
    let whois = if word("anonymous") == "false" { "anyone" } else { "moderators" };
    let mut fields = vec![
        ("muc#roomconfig_roomname", word("title")),
        ("muc#roomconfig_roomdesc", word("description")),
        ("muc#roomconfig_lang", word("lang")),
        ("muc#roomconfig_persistentroom", "true".to_owned()),
        ("muc#roomconfig_publicroom", yes("public")),
        ("muc#roomconfig_membersonly", yes("members_only")),
        // Newcomers can speak where they are participants by default.
        (
            "muc#roomconfig_moderatedroom",
            (word("moderated") == "true" && word("members_by_default") == "false").to_string(),
        ),
        ("muc#roomconfig_passwordprotectedroom", yes("password_protected")),
        ("muc#roomconfig_changesubject", yes("allow_change_subj")),
        ("muc#roomconfig_allowinvites", yes("allow_user_invites")),
        ("muc#roomconfig_enablearchiving", yes("mam")),
        ("muc#roomconfig_whois", whois.to_owned()),
        ("muc#roomconfig_maxusers", word("max_users")),
    ];
    if !word("password").is_empty() {
        fields.push(("muc#roomconfig_roomsecret", word("password")));
    }
    let form = Form::typed(FormType::Submit, ns::MUC_ROOM_CONFIG);
    fields
        .into_iter()
        .fold(form, |form, (var, value)| form.with_field(Field::untyped(var).with_value(value)))
}

/// `{{User, Server, Resource}, {Affiliation, Reason}}`, or only the affiliation.
fn affiliations(options: &Term) -> Vec<(String, Affiliation, Option<String>, Option<String>)> {
    let listed = options.option("affiliations").map(Term::items).unwrap_or_default();
    let read = |entry: &Term| {
        let [who, what] = entry.items() else { return None };
        let (word, reason) = match what {
            Term::Atom(word) => (word.clone(), None),
            pair => (pair.items().first()?.word()?, pair.items().get(1).and_then(Term::word)),
        };
        let reason = reason.filter(|reason| !reason.is_empty());
        Some((jid(who)?, Affiliation::parse(&word)?, None, reason))
    };
    listed.iter().filter_map(read).collect()
}

fn archive(source: &Ejabberd, room: &BareJid, out: &mut Out<'_>) -> Result<(), Trouble> {
    let columns = "xml, timestamp, nick, bare_peer";
    source.visit("archive", columns, "username = ?1", [room.as_str()], "timestamp, id", |row| {
        let (xml, nick, peer): (String, Option<String>, String) =
            (row.get(0)?, row.get(2)?, row.get(3)?);
        let Some(message) = element(&xml) else {
            return out.give(Record::skipped(room.as_str(), DAMAGED));
        };
        let message = reflected(room, message, nick.as_deref().unwrap_or_default(), &peer);
        out.give(Record::Message(Line { at: micros(row.get(1)?), message }))
    })
}

/// The message as occupants saw it, with the address of who wrote it (XEP-0313 §6.1.2): ejabberd keeps
/// it as it came.
fn reflected(room: &BareJid, mut message: Element, nick: &str, peer: &str) -> Element {
    message.set_attr("from", format!("{room}/{nick}"));
    message.remove_attr("to");
    let item = Item { jid: Jid::new(peer).ok(), ..Item::default() };
    message.push(Element::new("x", ns::MUC_USER).with_child(item.to_element(ns::MUC_USER)));
    message
}
