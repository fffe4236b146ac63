//! Roles and affiliations (XEP-0045 §8 and §9): kicking, voice, banning, members, moderators.

use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        muc::{Affiliation, Item, Role},
        rsm,
    },
    jid::{BareJid, Jid},
    ns,
    stanza::Kind,
    time::Millis,
    xml::Element,
};

use super::{
    affiliations::MOST_LISTED,
    announce::News,
    nick::{Likeness, likeness},
    room::{Effect, Effects, Room, error, send},
    settings::{Shown, cut},
};
use crate::ext::pages;

/// The answer to a request: a payload, or why not.
pub(super) type Answer = Result<Option<Element>, StanzaError>;

impl Room {
    /// `get` of `muc#admin`: one of the lists.
    pub(super) fn list(&self, from: &Jid, query: &Element) -> Answer {
        let wanted = query.child("item", ns::MUC_ADMIN).and_then(Item::parse);
        let wanted = wanted.ok_or_else(|| StanzaError::new(Condition::BadRequest))?;
        let mut items: Vec<(String, Item)> = match (wanted.affiliation, wanted.role) {
            (Some(affiliation), None) => self.affiliated(from, affiliation)?,
            (None, Some(role)) => self.in_role(from, role)?,
            _ => return Err(StanzaError::new(Condition::BadRequest)),
        };
        items.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        Ok(Some(self.list_page(&items, rsm::Request::child_of(query))))
    }

    /// A page where one is asked for, and the first one when the list does not fit into an answer
    /// (XEP-0059).
    fn list_page(&self, items: &[(String, Item)], asked: Option<rsm::Request>) -> Element {
        let written = |number: usize| items[number].1.to_element(ns::MUC_ADMIN);
        let ids: Vec<&str> = items.iter().map(|(id, _)| id.as_str()).collect();
        let (range, said) = pages::page(&ids, asked.as_ref(), self.bounds.answer_bytes, written);
        Element::new("query", ns::MUC_ADMIN)
            .with_children(range.map(written))
            .with_children(said.map(|said| said.to_element()))
    }

    fn affiliated(
        &self,
        from: &Jid,
        wanted: Affiliation,
    ) -> Result<Vec<(String, Item)>, StanzaError> {
        if !self.may_list(from, wanted) {
            return Err(StanzaError::new(Condition::Forbidden));
        }
        let listed = self.affiliations.listed().filter(|(_, e)| e.affiliation == wanted);
        let item = |(jid, entry): (&BareJid, &super::affiliations::Entry)| {
            let item = Item {
                affiliation: Some(wanted),
                jid: Some(jid.clone().into()),
                nick: entry.nick.clone(),
                reason: entry.reason.clone(),
                ..Item::default()
            };
            (jid.to_string(), item)
        };
        Ok(listed.map(item).collect())
    }

    /// Admins read every list. Where everybody sees who everybody is, those who may come in read who
    /// belongs to the room, which is how they know for whom to encrypt; the configuration narrows
    /// that down.
    fn may_list(&self, from: &Jid, wanted: Affiliation) -> bool {
        let affiliation = self.affiliation(from);
        if affiliation >= Affiliation::Admin {
            return true;
        }
        if wanted <= Affiliation::None || !self.may_see_addresses(from) {
            return false;
        }
        let role = match self.role(from) {
            Role::None => self.initial_role(affiliation),
            role => role,
        };
        Shown::of(role).is_some_and(|role| self.settings.list_readers.contains(&role))
    }

    fn in_role(&self, from: &Jid, wanted: Role) -> Result<Vec<(String, Item)>, StanzaError> {
        let may =
            self.role(from) == Role::Moderator || self.affiliation(from) >= Affiliation::Admin;
        if !may {
            return Err(StanzaError::new(Condition::Forbidden));
        }
        let found = self.occupants.iter().filter(|(_, occupant)| occupant.role == wanted);
        Ok(found
            .map(|(nick, occupant)| {
                let item = Item {
                    affiliation: Some(self.affiliation(&occupant.jid)),
                    role: Some(wanted),
                    jid: occupant.sessions.last().map(|visit| visit.jid.clone()),
                    nick: Some(nick.to_string()),
                    ..Item::default()
                };
                (nick.to_string(), item)
            })
            .collect())
    }

    /// `set` of `muc#admin`: changes, all or none.
    pub(super) fn change(
        &mut self,
        now: Millis,
        from: &Jid,
        query: &Element,
        out: &mut Effects,
    ) -> Answer {
        let items = query.children().filter(|child| child.is("item", ns::MUC_ADMIN));
        let items: Option<Vec<Item>> = items.map(Item::parse).collect();
        let items = items.filter(|items| !items.is_empty() && items.len() <= MOST_ITEMS);
        let items = items.ok_or_else(|| StanzaError::new(Condition::BadRequest))?;
        let mut changes: Vec<Change> =
            items.into_iter().map(|item| self.check(from, item)).collect::<Result<_, _>>()?;
        if reserves_twice(&changes) {
            return Err(error(Condition::Conflict, "one name for two people"));
        }
        self.possible(&changes)?;
        let mutes = |change: &&Change| matches!(change, Change::Role { role: Role::Visitor, .. });
        self.has_room_for_mutes(changes.iter().filter(mutes).count())?;
        // Roles follow from affiliations, so what is asked of them comes first.
        changes.sort_by_key(|change| matches!(change, Change::Affiliation { .. }));
        self.apply(now, from, changes, out);
        Ok(None)
    }

    /// An affiliation that the operator sets, who asks no owner; what follows is the same.
    pub(super) fn affiliate(
        &mut self,
        now: Millis,
        from: &Jid,
        (jid, affiliation): (&BareJid, Affiliation),
        reason: Option<&str>,
        out: &mut Effects,
    ) -> Result<(), StanzaError> {
        let (jid, reason) = (jid.clone(), reason.map(cut));
        let changes = vec![Change::Affiliation { jid, affiliation, nick: None, reason }];
        self.possible(&changes)?;
        self.apply(now, from, changes, out);
        Ok(())
    }

    /// Whether the lists can be as these changes make them.
    fn possible(&self, changes: &[Change]) -> Result<(), StanzaError> {
        if self.leaves_no_owner(changes) {
            return Err(error(Condition::Conflict, "a room needs an owner"));
        }
        self.has_room_for(changes.iter().filter_map(|change| match change {
            Change::Affiliation { jid, affiliation, .. } => Some((jid, affiliation)),
            Change::Role { .. } => None,
        }))
    }

    fn apply(&mut self, now: Millis, from: &Jid, changes: Vec<Change>, out: &mut Effects) {
        let actor = self.nicks.get(from).map(|nick| nick.to_string());
        for change in changes {
            match change {
                Change::Role { nick, role, reason } => {
                    self.set_role(
                        &nick,
                        role,
                        News { reason, actor: actor.clone(), ..News::default() },
                        out,
                    );
                }
                Change::Affiliation { jid, affiliation, nick, reason } => {
                    let news = News { reason, actor: actor.clone(), ..News::default() };
                    self.set_listed((now, from), &jid, (affiliation, nick), news, out);
                }
            }
        }
    }

    /// An affiliation that an admin sets, with the name that goes along, and an invitation where only
    /// members come in (§9.3, §9.5).
    fn set_listed(
        &mut self,
        (now, from): (Millis, &Jid),
        jid: &BareJid,
        (affiliation, nick): (Affiliation, Option<Option<String>>),
        news: News,
        out: &mut Effects,
    ) {
        let is_new = self.affiliation(jid) == Affiliation::None && affiliation > Affiliation::None;
        let reason = news.reason.clone();
        self.set_affiliation(jid, affiliation, news, out);
        if let Some(nick) = nick {
            let changes = self.affiliations.reserve(jid, nick);
            out.push(Effect::Save { state: false, changes });
        }
        let is_inside = self.occupants.values().any(|occupant| occupant.jid == *jid);
        if is_new && self.settings.members_only && !is_inside && jid.node().is_some() {
            self.invite_member(now, from, jid, reason, out);
        }
    }

    /// What an item asks for, if its sender may.
    fn check(&self, from: &Jid, item: Item) -> Result<Change, StanzaError> {
        let bad = || StanzaError::new(Condition::BadRequest);
        let Item { affiliation, role, jid, nick, reason, .. } = item;
        let reason = reason.as_deref().map(cut);
        match (role, affiliation) {
            (Some(role), None) => {
                let nick = nick.ok_or_else(bad)?;
                self.may_set_role(from, &nick, role)?;
                Ok(Change::Role { nick, role, reason })
            }
            (None, Some(affiliation)) => {
                // §9: by address, or by the name of somebody who is there.
                let occupant = nick.as_deref().and_then(|nick| self.occupants.get(nick));
                let is_named = jid.is_some();
                let jid = jid.map(|jid| jid.to_bare()).or(occupant.map(|o| o.jid.clone()));
                let jid = jid.ok_or_else(|| StanzaError::new(Condition::ItemNotFound))?;
                self.may_set_affiliation(from, &jid, affiliation)?;
                // §9.5: with an address, a name is the one that is reserved; an empty one is none.
                let nick = nick.filter(|_| is_named && affiliation > Affiliation::None);
                let nick = nick.map(|nick| self.reservable(&jid, &nick)).transpose()?;
                Ok(Change::Affiliation { jid, affiliation, nick, reason })
            }
            _ => Err(bad()),
        }
    }

    /// The name that is to be reserved for somebody, if it can be.
    fn reservable(&self, jid: &BareJid, nick: &str) -> Result<Option<String>, StanzaError> {
        if nick.is_empty() {
            return Ok(None);
        }
        let nick = xmpp::jid::resource_part(nick)
            .map_err(|_| error(Condition::NotAcceptable, "that cannot be a nickname"))?;
        self.nick_is_free_for(jid, nick.as_str())?;
        Ok(Some(nick.as_str().to_owned()))
    }

    /// §8.2 to §8.5, §9.6, §9.7.
    fn may_set_role(&self, from: &Jid, nick: &str, role: Role) -> Result<(), StanzaError> {
        let (own_role, own) = (self.role(from), self.affiliation(from));
        if own_role != Role::Moderator && own < Affiliation::Admin {
            return Err(StanzaError::new(Condition::Forbidden));
        }
        let Some(occupant) = self.occupants.get(nick) else {
            return Err(error(Condition::ItemNotFound, "nobody here has that name"));
        };
        let theirs = self.affiliation(&occupant.jid);
        let makes_moderators = role == Role::Moderator || occupant.role == Role::Moderator;
        if makes_moderators && own < Affiliation::Admin {
            // Only admins make moderators (§9.6), and nobody but them takes it away again.
            let condition = match role {
                Role::Moderator => Condition::Forbidden,
                _ => Condition::NotAllowed,
            };
            return Err(StanzaError::new(condition));
        }
        match may_lower(own, theirs, occupant.role, role) {
            true => Ok(()),
            false => Err(StanzaError::new(Condition::NotAllowed)),
        }
    }

    /// §9.1 to §9.5, §10.3 to §10.8.
    fn may_set_affiliation(
        &self,
        from: &Jid,
        jid: &BareJid,
        affiliation: Affiliation,
    ) -> Result<(), StanzaError> {
        let own = self.affiliation(from);
        if own < Affiliation::Admin {
            return Err(StanzaError::new(Condition::Forbidden));
        }
        let bans = affiliation == Affiliation::Outcast;
        if bans && *jid == from.to_bare() {
            return Err(error(Condition::Conflict, "you cannot ban yourself"));
        }
        let theirs = self.affiliations.entry(jid).map_or(Affiliation::None, |e| e.affiliation);
        if affiliation.max(theirs) >= Affiliation::Admin && own < Affiliation::Owner {
            // §9.1: nobody bans who does not stand below. §10.3 to §10.8: the lists of admins and owners
            // are for owners to change.
            let condition = if bans { Condition::NotAllowed } else { Condition::Forbidden };
            return Err(StanzaError::new(condition));
        }
        Ok(())
    }

    fn leaves_no_owner(&self, changes: &[Change]) -> bool {
        let mut owners: Vec<&BareJid> = self
            .affiliations
            .listed()
            .filter(|(_, entry)| entry.affiliation == Affiliation::Owner)
            .map(|(jid, _)| jid)
            .collect();
        for change in changes {
            if let Change::Affiliation { jid, affiliation, .. } = change {
                owners.retain(|owner| *owner != jid);
                if *affiliation == Affiliation::Owner {
                    owners.push(jid);
                }
            }
        }
        owners.is_empty()
    }

    /// The lists are bounded: whoever is new needs a place on them.
    pub(super) fn has_room_for<'a>(
        &self,
        changes: impl IntoIterator<Item = (&'a BareJid, &'a Affiliation)>,
    ) -> Result<(), StanzaError> {
        let new = |(jid, affiliation): &(&BareJid, &Affiliation)| {
            **affiliation != Affiliation::None && self.affiliations.entry(jid).is_none()
        };
        let new = changes.into_iter().filter(new).count();
        if new > 0 && self.affiliations.listed().count() + new > MOST_LISTED {
            return Err(error(Condition::ResourceConstraint, "the lists of this room are full"));
        }
        Ok(())
    }

    fn set_role(&mut self, nick: &str, role: Role, news: News, out: &mut Effects) {
        if role == Role::None {
            let news = News { codes: vec![307], ..news };
            self.expel(nick, &news, out);
            return self.destroy_if_empty(out);
        }
        let Some(occupant) = self.occupants.get_mut(nick) else { return };
        let before = std::mem::replace(&mut occupant.role, role);
        let who = occupant.jid.clone();
        self.remember_voice(&who, role, out);
        self.announce_role(nick, before, &news, out);
    }

    /// Sets an affiliation and does what follows for whoever is there.
    pub(super) fn set_affiliation(
        &mut self,
        jid: &BareJid,
        affiliation: Affiliation,
        news: News,
        out: &mut Effects,
    ) {
        let changes = self.affiliations.set(jid, affiliation, news.reason.clone());
        if changes.is_empty() {
            return;
        }
        out.push(Effect::Save { state: false, changes });
        self.follow(jid, affiliation, &news, out);
    }

    /// An affiliation changed that is stored already.
    pub(super) fn announce_affiliation(&mut self, jid: &BareJid, out: &mut Effects) {
        let affiliation = self.affiliations.of(jid);
        self.follow(jid, affiliation, &News::default(), out);
    }

    fn follow(&mut self, jid: &BareJid, affiliation: Affiliation, news: &News, out: &mut Effects) {
        self.forget_voice(jid, out);
        self.forget_requests(jid, out);
        self.follow_with_tokens(jid, affiliation, out);
        let nicks: Vec<Box<str>> = self
            .occupants
            .iter()
            .filter(|(_, occupant)| occupant.jid == *jid || is_of(&occupant.jid, jid))
            .map(|(nick, _)| nick.clone())
            .collect();
        if nicks.is_empty() {
            return self.tell_of_absent(jid, affiliation, news, out);
        }
        for nick in nicks {
            let Some(occupant) = self.occupants.get(&nick) else { continue };
            let now = self.affiliation(&occupant.jid);
            let code = match now {
                Affiliation::Outcast => Some(301),
                Affiliation::None if self.settings.members_only => Some(321),
                _ => None,
            };
            match code {
                Some(code) => {
                    let news = News { codes: vec![code], ..news.clone() };
                    self.expel(&nick, &news, out);
                }
                None => {
                    let role = self.initial_role(now);
                    let Some(occupant) = self.occupants.get_mut(&nick) else { continue };
                    let before = std::mem::replace(&mut occupant.role, role);
                    self.announce_role(&nick, before, news, out);
                }
            }
        }
        self.destroy_if_empty(out);
    }

    /// Somebody who is not there belongs to the room now, or no longer: those who may see addresses
    /// are told (§9.3).
    fn tell_of_absent(
        &self,
        jid: &BareJid,
        affiliation: Affiliation,
        news: &News,
        out: &mut Effects,
    ) {
        let item = Item {
            affiliation: Some(affiliation),
            role: Some(Role::None),
            jid: Some(jid.clone().into()),
            reason: news.reason.clone(),
            ..Item::default()
        };
        let x = Element::new("x", ns::MUC_USER).with_child(item.to_element(ns::MUC_USER));
        let message = Element::new("message", ns::CLIENT)
            .with_attr("from", self.jid.as_str())
            .with_child(x)
            .to_bytes(ns::CLIENT);
        for visit in self.occupants.values().flat_map(|occupant| &occupant.sessions) {
            if self.may_see_addresses(&visit.jid) {
                out.push(send(&visit.jid, Kind::Message, &message));
            }
        }
    }
}

enum Change {
    Role {
        nick: String,
        role: Role,
        reason: Option<String>,
    },
    Affiliation {
        jid: BareJid,
        affiliation: Affiliation,
        /// The reserved nickname, if it is to be another one or none.
        nick: Option<Option<String>>,
        reason: Option<String>,
    },
}

/// Whether somebody with the affiliation `own` may give another role to somebody with the affiliation
/// `theirs`, as far as it is less than the one before.
fn may_lower(own: Affiliation, theirs: Affiliation, before: Role, after: Role) -> bool {
    match after {
        _ if after >= before => true,
        // §8.2: who has a lower affiliation throws nobody out.
        Role::None => own >= theirs,
        // §9.7: admins and owners stay moderators.
        _ if theirs >= Affiliation::Admin => false,
        // §8.4: who is at or above the moderator's level keeps their voice.
        Role::Visitor => own > theirs,
        _ => true,
    }
}

/// Whether two people are to get names that look the same.
fn reserves_twice(changes: &[Change]) -> bool {
    let mut names: Vec<(Likeness, &BareJid)> = Vec::new();
    changes.iter().any(|change| match change {
        Change::Affiliation { jid, nick: Some(Some(nick)), .. } => {
            let like = likeness(nick).unwrap_or_default();
            let twice = names.iter().any(|(name, other)| name.matches(&like) && *other != jid);
            names.push((like, jid));
            twice
        }
        _ => false,
    })
}

/// Whether somebody is a user of a domain that is listed as a whole.
pub(super) fn is_of(jid: &BareJid, listed: &BareJid) -> bool {
    listed.node().is_none() && listed.domain() == jid.domain()
}

const MOST_ITEMS: usize = 500;
