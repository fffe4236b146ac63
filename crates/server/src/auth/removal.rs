//! The end of an account: its contacts learn it, its sessions end, everything of it is deleted.

use std::sync::Arc;

use store::Millis;
use xmpp::{
    error::{StreamCondition, StreamError},
    ns,
    stanza::Stanza,
    xml::{Element, Limits},
};

use crate::{
    account::Account,
    ext::{muc, pubsub, upload},
    im::{subscribing, subscription::Change},
    server::Server,
    session::{Session, life},
    turn,
};

/// How long the name stays free, so that no stranger gets what is meant for its former owner.
pub const RESERVED_DAYS: u64 = 90;

/// The same in milliseconds.
pub const RESERVED: u64 = RESERVED_DAYS * 24 * 60 * 60 * 1000;

/// Deletes an account with everything that belongs to it. The session that asked for it, if one
/// did, gets what was queued for it before it ends.
pub async fn delete(server: &Arc<Server>, account: &Arc<Account>, asking: Option<&Arc<Session>>) {
    leave_contacts(server, account).await;
    let sessions: Vec<Arc<Session>> = {
        let mut state = account.lock();
        state.deleted = true;
        state.resources.iter().map(|resource| resource.session.clone()).collect()
    };
    for session in sessions {
        session.close(StreamError::new(StreamCondition::NotAuthorized));
        let asked = asking.is_some_and(|asking| asking.number == session.number);
        if !asked {
            life::end(server, &session).await;
        }
    }
    let until = Millis(server.now().0 + RESERVED);
    match server.store.accounts.delete(account.id, until).await {
        // Only now: until the store has forgotten it, nobody may load it anew.
        Ok(_) => {
            server.accounts.remove(account.name());
            turn::dismiss(server, account.bare());
            server.pushes.forget_account(account.name());
            upload::clear(&server.store, &server.uploads).await;
            if let Err(error) = muc::forgetting::forget(server, account.jid()).await {
                server.store_failed("rooms", &error);
            }
            pubsub::service::forget(server, account.jid()).await;
        }
        Err(error) => {
            account.lock().deleted = false;
            server.store_failed("deleting an account", &error);
        }
    }
}

/// Ends every subscription, so that contacts do not wait for somebody who is gone.
async fn leave_contacts(server: &Arc<Server>, account: &Arc<Account>) {
    let contacts: Vec<_> = {
        let state = account.lock();
        state.roster.listed().map(|(jid, contact)| (jid.clone(), contact.standing)).collect()
    };
    for (jid, standing) in contacts {
        let changes = [
            (standing.to || standing.pending_out, Change::Unsubscribe),
            (standing.from || standing.pending_in, Change::Unsubscribed),
        ];
        for (_, change) in changes.into_iter().filter(|(needed, _)| *needed) {
            let presence = Element::new("presence", ns::CLIENT)
                .with_attr("to", jid.as_str())
                .with_attr("type", change.as_str());
            let bytes = presence.to_bytes(ns::CLIENT);
            let Ok(stanza) = Stanza::parse(bytes, &Limits::CLIENT) else { continue };
            // A contact that cannot be told learns it when it writes.
            let _ = subscribing::send(server, account, &stanza, change, &jid).await;
        }
    }
}
