//! Rooms (XEP-0045): making one and entering it in one line, for plays about what happens inside.

use super::actor::Class;
use super::report::{Failure, Outcome};
use super::stage::Stage;
use crate::target::DOMAIN;
use crate::tree::{Tree, escape};

const MUC: &str = "http://jabber.org/protocol/muc";
const MUC_USER: &str = "http://jabber.org/protocol/muc#user";
const MUC_OWNER: &str = "http://jabber.org/protocol/muc#owner";

impl Stage<'_> {
    /// Makes a room, whose address goes by its name in braces from then on, and configures it.
    pub(super) async fn make_room(
        &mut self,
        who: usize,
        room: &str,
        nick: &str,
        fields: &[(String, String)],
    ) -> Outcome {
        let before = self.transcript.length();
        let tag = self.variables.get("tag").cloned().unwrap_or_default();
        let address = format!("{room}-{tag}@conference.{DOMAIN}");
        self.variables.insert(room.to_owned(), address.clone());
        self.enter_room(who, &address, nick).await?;
        let mut form = String::new();
        for (name, value) in fields {
            let whole = name.contains('#') || name.starts_with("x-");
            let name = if whole { name.clone() } else { format!("{PREFIX}{name}") };
            form.push_str(&format!("<field var='{name}'><value>{}</value></field>", escape(value)));
        }
        let request = format!(
            "<iq type='set' id='make-room' to='{address}'><query xmlns='{MUC_OWNER}'>\
             <x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>\
             <value>http://jabber.org/protocol/muc#roomconfig</value></field>{form}</x>\
             </query></iq>"
        );
        self.send(who, &request).await?;
        let answer = self
            .wait(who, "an answer to the configuration", |actor| {
                let stanzas = actor.queue(Class::Stanza);
                let at = stanzas.iter().position(|tree| tree.attr("id") == Some("make-room"))?;
                stanzas.remove(at)
            })
            .await?;
        if answer.attr("type") != Some("result") {
            let text = format!("the room cannot be configured:\n{}", answer.pretty());
            return Err(Failure::new(text));
        }
        self.settle(who).await?;
        self.forget_room(who, &address);
        let name = self.name(who).to_owned();
        self.transcript.condense(before, &name, &format!("makes the room {room} as {nick}"));
        Ok(())
    }

    /// Enters a room and forgets what comes with that: presences, history, subject.
    pub(super) async fn join_room(&mut self, who: usize, room: &str, nick: &str) -> Outcome {
        let before = self.transcript.length();
        let address = self.variables.get(room).cloned();
        let address = address.ok_or_else(|| Failure::new(format!("nobody made a room {room}")))?;
        self.enter_room(who, &address, nick).await?;
        let name = self.name(who).to_owned();
        self.transcript.condense(before, &name, &format!("joins the room {room} as {nick}"));
        Ok(())
    }

    async fn enter_room(&mut self, who: usize, address: &str, nick: &str) -> Outcome {
        let join =
            format!("<presence to='{address}/{}'><x xmlns='{MUC}'/></presence>", escape(nick));
        self.send(who, &join).await?;
        let own = format!("{address}/{nick}");
        let answer = self
            .wait(who, "the client's own presence in the room", |actor| {
                let presences = actor.queue(Class::Presence);
                let mine = |tree: &Tree| {
                    tree.attr("from") == Some(&own)
                        && (tree.attr("type") == Some("error") || has_status(tree, "110"))
                };
                let at = presences.iter().position(mine)?;
                presences.remove(at)
            })
            .await?;
        if answer.attr("type").is_some() {
            return Err(Failure::new(format!("the room refuses:\n{}", answer.pretty())));
        }
        self.wait(who, "the subject of the room", |actor| {
            let stanzas = actor.queue(Class::Stanza);
            let subject = |tree: &Tree| {
                is_of(tree, address) && has_child(tree, "subject") && !has_child(tree, "body")
            };
            stanzas.iter().any(subject).then_some(())
        })
        .await?;
        self.settle(who).await?;
        self.forget_room(who, address);
        Ok(())
    }

    fn forget_room(&mut self, who: usize, address: &str) {
        for class in [Class::Presence, Class::Stanza] {
            let queue = self.actors[who].queue(class);
            queue.retain(|tree| tree.name == "iq" || !is_of(tree, address));
        }
    }
}

fn is_of(tree: &Tree, room: &str) -> bool {
    tree.attr("from").is_some_and(|from| from.split('/').next() == Some(room))
}

fn has_child(tree: &Tree, name: &str) -> bool {
    tree.children().any(|child| child.name == name)
}

fn has_status(presence: &Tree, code: &str) -> bool {
    let x = presence.children().filter(|child| child.ns == MUC_USER);
    x.flat_map(|x| x.children())
        .any(|child| child.name == "status" && child.attr("code") == Some(code))
}

const PREFIX: &str = "muc#roomconfig_";
