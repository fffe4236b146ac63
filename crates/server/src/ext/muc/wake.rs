//! Who has to hear of a line in a room although nobody looks at their screen.

use std::collections::HashSet;

use xmpp::{ext::muc::Affiliation, jid::BareJid};

use super::room::Room;
use crate::{
    push::rooms::{Line, Person},
    server::Server,
};

/// Members and occupants who sleep may want to know of a line.
pub(super) fn wake(server: &Server, room: &Room, author: &BareJid, text: Option<String>) {
    if !server.pushes.any() {
        return;
    }
    let people: Vec<Person> = room
        .people(server.domain())
        .filter(|(jid, _)| *jid != author)
        .filter_map(|(jid, nick)| {
            let name = jid.node().map(|node| node.as_str())?;
            let nick = nick.map(str::to_owned);
            server.pushes.has(name).then(|| Person { name: name.into(), nick, resource: None })
        })
        .collect();
    if !people.is_empty() {
        let private = room.settings().members_only;
        let text = text.map(Into::into);
        server.pushes.line(Line { room: room.address().clone(), private, text, people });
    }
}

impl Room {
    /// People of one domain to whom the room matters: members, and whoever is in it, with their
    /// nicknames as far as there are any.
    fn people<'a>(
        &'a self,
        domain: &'a str,
    ) -> impl Iterator<Item = (&'a BareJid, Option<&'a str>)> {
        let here = move |jid: &BareJid| jid.domain().as_str() == domain;
        let inside = self.occupants.iter().map(|(nick, o)| (&o.jid, Some(&**nick)));
        let present: HashSet<&BareJid> =
            self.occupants.values().map(|occupant| &occupant.jid).collect();
        let members = self.affiliations.listed().filter(move |(jid, entry)| {
            entry.affiliation >= Affiliation::Member && !present.contains(jid)
        });
        let members = members.map(|(jid, entry)| (jid, entry.nick.as_deref()));
        inside.chain(members).filter(move |(jid, _)| here(jid))
    }
}
