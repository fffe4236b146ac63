//! Who belongs to a room, and what changed since when (XEP-0463).

use std::collections::BTreeMap;

use store::rooms;
use xmpp::{
    ext::muc::Affiliation,
    jid::{BareJid, Jid},
};

use super::{
    nick::{Likeness, likeness},
    settings::cut,
};

/// One entry of the lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub affiliation: Affiliation,
    /// The nickname that is reserved for it.
    pub nick: Option<String>,
    /// What that looks like.
    like: Option<Likeness>,
    /// Why.
    pub reason: Option<String>,
    /// Number of the change that made it so.
    pub version: u64,
}

impl Entry {
    fn new(
        affiliation: Affiliation,
        nick: Option<String>,
        reason: Option<String>,
        version: u64,
    ) -> Self {
        let like = nick.as_deref().and_then(likeness);
        Entry { affiliation, nick, like, reason, version }
    }
}

/// The lists. Entries without affiliation remember that somebody left them.
#[derive(Clone, Debug, Default)]
pub struct Affiliations {
    entries: BTreeMap<BareJid, Entry>,
    /// Number of the last change.
    version: u64,
    /// Changes up to this number can no longer be told apart.
    oldest: u64,
}

/// What is to be written for one address: an entry, or that there is none.
pub type Change = (Box<str>, Option<rooms::Affiliation>);

impl Affiliations {
    /// The lists as they were stored, with the counters that belong to them.
    #[must_use]
    pub fn load(rows: Vec<rooms::Affiliation>, version: u64, oldest: u64) -> Self {
        let read = |row: rooms::Affiliation| {
            let affiliation = Affiliation::parse(&row.affiliation)?;
            let (nick, reason) = (row.nick.map(Into::into), row.reason.as_deref().map(cut));
            let entry = Entry::new(affiliation, nick, reason, row.version);
            Some((BareJid::new(&row.jid).ok()?, entry))
        };
        let entries: BTreeMap<_, _> = rows.into_iter().filter_map(read).collect();
        let newest = entries.values().map(|entry| entry.version).max().unwrap_or(0);
        Affiliations { entries, version: version.max(newest), oldest }
    }

    /// Number of the last change.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The number up to which changes can no longer be told apart.
    #[must_use]
    pub fn oldest(&self) -> u64 {
        self.oldest
    }

    /// The affiliation of an address. Who is not listed is judged by the entry of the domain, by
    /// which whole servers are banned or invited.
    #[must_use]
    pub fn of(&self, jid: &Jid) -> Affiliation {
        let bare = jid.to_bare();
        let listed = self.entries.get(&bare).map(|entry| entry.affiliation);
        if let Some(listed) = listed.filter(|listed| *listed != Affiliation::None) {
            return listed;
        }
        let domain = BareJid::new(jid.domain().as_str());
        let domain = domain.ok().and_then(|domain| self.entries.get(&domain));
        domain.map_or(Affiliation::None, |entry| entry.affiliation)
    }

    /// The entry of an address.
    #[must_use]
    pub fn entry(&self, jid: &BareJid) -> Option<&Entry> {
        self.entries.get(jid).filter(|entry| entry.affiliation != Affiliation::None)
    }

    /// Everybody with an affiliation.
    pub fn listed(&self) -> impl Iterator<Item = (&BareJid, &Entry)> {
        self.entries.iter().filter(|(_, entry)| entry.affiliation != Affiliation::None)
    }

    /// Whether there is nobody else who owns the room.
    #[must_use]
    pub fn is_last_owner(&self, jid: &BareJid) -> bool {
        let mut owners = self.listed().filter(|(_, e)| e.affiliation == Affiliation::Owner);
        owners.all(|(owner, _)| owner == jid)
    }

    /// Who has reserved a nickname.
    #[must_use]
    pub fn owner_of(&self, nick: &str) -> Option<&BareJid> {
        let found = self.listed().find(|(_, entry)| entry.nick.as_deref() == Some(nick));
        found.map(|(jid, _)| jid)
    }

    /// Whether a nickname that looks like `like` is reserved for somebody else than `who`. What is
    /// reserved for `who` letter by letter is theirs.
    #[must_use]
    pub(super) fn is_kept_from(&self, who: &BareJid, nick: &str, like: &Likeness) -> bool {
        if self.entry(who).is_some_and(|entry| entry.nick.as_deref() == Some(nick)) {
            return false;
        }
        let alike = |entry: &Entry| entry.like.as_ref().is_some_and(|other| other.matches(like));
        self.listed().any(|(jid, entry)| jid != who && alike(entry))
    }

    /// The entry of an address, also of one that left the lists, as it is stored.
    pub(super) fn stored(&self, jid: &str) -> Option<rooms::Affiliation> {
        let jid = BareJid::new(jid).ok()?;
        self.entries.get(&jid).map(|entry| row(&jid, entry))
    }

    /// Sets an affiliation. Returns what is to be written; nothing when it was so already.
    pub fn set(
        &mut self,
        jid: &BareJid,
        affiliation: Affiliation,
        reason: Option<String>,
    ) -> Vec<Change> {
        let old = self.entry(jid);
        if old.map_or(Affiliation::None, |entry| entry.affiliation) == affiliation {
            return Vec::new();
        }
        // A banned person keeps no nickname.
        let nick = old.and_then(|entry| entry.nick.clone());
        let nick = nick.filter(|_| affiliation > Affiliation::None);
        self.version += 1;
        let entry = Entry::new(affiliation, nick, reason, self.version);
        let mut changes = vec![(jid.as_str().into(), Some(row(jid, &entry)))];
        self.entries.insert(jid.clone(), entry);
        changes.extend(self.forget_the_gone());
        changes
    }

    /// Reserves a nickname for somebody who has an affiliation. Returns what is to be written.
    pub fn reserve(&mut self, jid: &BareJid, nick: Option<String>) -> Vec<Change> {
        let Some(entry) = self.entries.get_mut(jid) else { return Vec::new() };
        entry.like = nick.as_deref().and_then(likeness);
        entry.nick = nick;
        vec![(jid.as_str().into(), Some(row(jid, entry)))]
    }

    /// Forgets an address for good: the account does not exist any more. Returns what is to be
    /// written.
    pub fn erase(&mut self, jid: &BareJid) -> Vec<Change> {
        if self.entries.remove(jid).is_none() {
            return Vec::new();
        }
        self.version += 1;
        // Who asks for the changes since before gets the whole lists, in which it is missing.
        self.oldest = self.version;
        vec![(jid.as_str().into(), None)]
    }

    /// The next one in line, when nobody owns the room any more.
    #[must_use]
    pub fn heir(&self) -> Option<BareJid> {
        let people = self
            .listed()
            .filter(|(jid, e)| e.affiliation >= Affiliation::Member && jid.node().is_some());
        people
            .max_by_key(|(jid, e)| (e.affiliation, std::cmp::Reverse(*jid)))
            .map(|(jid, _)| jid.clone())
    }

    /// What changed after a version, or `None` when that is not known any more.
    #[must_use]
    pub fn since(&self, version: u64) -> Option<Vec<(&BareJid, &Entry)>> {
        if version < self.oldest || version > self.version {
            return None;
        }
        let newer = self.entries.iter().filter(|(_, entry)| entry.version > version);
        Some(newer.collect())
    }

    /// Too many that are gone: nobody is told any more who left before now.
    fn forget_the_gone(&mut self) -> Vec<Change> {
        let gone = |entry: &Entry| entry.affiliation == Affiliation::None;
        if self.entries.values().filter(|entry| gone(entry)).count() <= MOST_GONE {
            return Vec::new();
        }
        self.oldest = self.version;
        let forgotten: Vec<BareJid> =
            self.entries.extract_if(.., |_, entry| gone(entry)).map(|(jid, _)| jid).collect();
        forgotten.into_iter().map(|jid| (jid.as_str().into(), None)).collect()
    }
}

fn row(jid: &BareJid, entry: &Entry) -> rooms::Affiliation {
    rooms::Affiliation {
        jid: jid.as_str().into(),
        affiliation: entry.affiliation.as_str().into(),
        nick: entry.nick.as_deref().map(Into::into),
        reason: entry.reason.as_deref().map(Into::into),
        version: entry.version,
    }
}

/// People on the lists of one room.
pub const MOST_LISTED: usize = 10_000;

/// People who left the lists that are remembered.
const MOST_GONE: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn jid(text: &str) -> BareJid {
        BareJid::new(text).unwrap()
    }

    #[test]
    fn a_change_is_told_to_who_knows_the_version_before() {
        let mut lists = Affiliations::default();
        let (hecate, macbeth) = (jid("hecate@a.example"), jid("macbeth@a.example"));
        assert_eq!(lists.set(&hecate, Affiliation::Owner, None).len(), 1);
        assert_eq!(lists.set(&hecate, Affiliation::Owner, None), []);
        lists.set(&macbeth, Affiliation::Member, None);
        let before = lists.version();
        lists.set(&macbeth, Affiliation::None, None);
        let changes = lists.since(before).unwrap();
        let changes: Vec<_> = changes.into_iter().map(|(jid, e)| (jid, e.affiliation)).collect();
        assert_eq!(changes, [(&macbeth, Affiliation::None)]);
        assert_eq!(lists.since(lists.version()), Some(vec![]));
        assert_eq!(lists.since(lists.version() + 1), None);
        assert!(lists.is_last_owner(&hecate));
        let rows = lists.entries.iter().map(|(jid, entry)| row(jid, entry)).collect();
        let again = Affiliations::load(rows, lists.version(), lists.oldest());
        assert_eq!(again.entries, lists.entries);
    }

    #[test]
    fn those_who_left_are_forgotten_at_some_point() {
        let mut lists = Affiliations::default();
        for number in 0..=MOST_GONE {
            let jid = jid(&format!("witch{number}@a.example"));
            lists.set(&jid, Affiliation::Member, None);
            lists.set(&jid, Affiliation::None, None);
        }
        assert!(lists.entries.len() <= MOST_GONE);
        assert_eq!(lists.since(1), None);
        assert_eq!(lists.since(lists.version()), Some(vec![]));
    }

    #[test]
    fn a_domain_stands_for_its_people() {
        let mut lists = Affiliations::default();
        lists.set(&jid("evil.example"), Affiliation::Outcast, None);
        lists.set(&jid("banquo@evil.example"), Affiliation::Member, None);
        assert_eq!(lists.of(&Jid::new("x@evil.example/y").unwrap()), Affiliation::Outcast);
        assert_eq!(lists.of(&Jid::new("banquo@evil.example").unwrap()), Affiliation::Member);
    }

    #[test]
    fn a_banned_person_keeps_no_nickname() {
        let mut lists = Affiliations::default();
        let hag = jid("hag66@a.example");
        lists.set(&hag, Affiliation::Member, None);
        lists.reserve(&hag, Some("thirdwitch".into()));
        assert_eq!(lists.owner_of("thirdwitch"), Some(&hag));
        lists.set(&hag, Affiliation::Outcast, None);
        assert_eq!(lists.owner_of("thirdwitch"), None);
    }
}
