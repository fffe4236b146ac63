//! Rooms forget whoever is no more.

use std::sync::Arc;

use store::{StoreError, rooms::Select};
use xmpp::{
    ext::muc::Affiliation,
    jid::{BareJid, Jid},
    ns,
    xml::Element,
};

use super::{
    carry::change,
    kept::Kept,
    room::{Effect, Effects, Room},
    service::Sender,
};
use crate::server::Server;

/// An account is deleted: no room remembers it. A room that nobody owns any more goes to the next in
/// line, or with its last member.
pub async fn forget(server: &Arc<Server>, jid: &BareJid) -> Result<(), StoreError> {
    let mut names = server.store.rooms.with(jid.as_str()).await?;
    for name in mentioning(server, jid).await? {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        let Some(cell) = server.rooms.load(server, &name).await? else { continue };
        let nobody = Jid::from(jid.clone());
        let sender = Sender::new(&nobody);
        let forget = |room: &mut Room, out: &mut Effects| {
            room.forget(jid, out);
            Ok::<_, StoreError>(())
        };
        // What failed was noted, and is tried again.
        let _ = change(server, &cell, &sender, forget).await;
    }
    Ok(())
}

/// The rooms that know more of somebody than what is on their lists: a hat, whether they may speak,
/// that they want to belong to it, or that they let others in.
async fn mentioning(server: &Arc<Server>, jid: &BareJid) -> Result<Vec<Box<str>>, StoreError> {
    let mut found = Vec::new();
    let mut after: Option<Box<str>> = None;
    loop {
        let select = after.map_or(Select::First, Select::After);
        let page = server.store.rooms.list(false, select, PAGE).await?;
        for row in &page {
            // What is in memory may be newer than what is on disk.
            let mentions = match server.rooms.find(&row.name) {
                Some(cell) => cell.lock().room.kept().mentions(jid),
                None => {
                    let stored = server.store.rooms.by_name(&row.name).await?;
                    let kept = stored.and_then(|row| serde_json::from_slice(&row.state).ok());
                    kept.is_some_and(|kept: Kept| kept.mentions(jid))
                }
            };
            if mentions {
                found.push(row.name.clone());
            }
        }
        match page.last() {
            Some(last) => after = Some(last.name.clone()),
            None => return Ok(found),
        }
    }
}

impl Room {
    pub(super) fn forget(&mut self, jid: &BareJid, out: &mut Effects) {
        self.forget_voice(jid, out);
        self.forget_requests(jid, out);
        self.forget_tokens(jid, out);
        self.hats.forget(jid);
        let changes = self.affiliations.erase(jid);
        out.push(Effect::Save { state: true, changes });
        let owned = self.affiliations.listed().any(|(_, e)| e.affiliation == Affiliation::Owner);
        match self.affiliations.heir() {
            _ if owned => {}
            Some(heir) => {
                let news = super::announce::News::default();
                self.set_affiliation(&heir, Affiliation::Owner, news, out);
            }
            None => self.destroy(&Element::new("destroy", ns::MUC_OWNER), out),
        }
    }
}

/// Rooms read at a time.
const PAGE: u32 = 200;
