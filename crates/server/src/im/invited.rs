//! People who become contacts because one of them invited the other (XEP-0379, XEP-0401).

use std::sync::Arc;

use bytes::Bytes;
use store::{Millis, invites::Invite};
use xmpp::{error::StanzaError, jid::BareJid, ns, stanza::Stanza, xml::Limits};

use super::{
    roster::put,
    subscribing::{answer, introduce},
    subscription::Change,
};
use crate::{account::Account, invitation::Token, server::Server};

/// Whether a subscription request carries an invitation that the account made (XEP-0379 §4.2).
/// One use of it is gone then.
pub(super) async fn shown(server: &Server, account: &Account, stanza: &Bytes) -> bool {
    let Ok(stanza) = Stanza::parse(stanza.clone(), &Limits::SERVER) else { return false };
    let preauth = stanza.child("preauth", ns::PREAUTH);
    let token = preauth.and_then(|preauth| Token::parse(&preauth.attr("token")?));
    let Some(token) = token else { return false };
    let found = server.store.invites.by_hash(token.hash()).await;
    let mine = |invite: &Invite| invite.invite.created_by == Some(account.id);
    if !found.is_ok_and(|found| found.is_some_and(|invite| mine(&invite))) {
        return false;
    }
    let now = Millis(server.now().0);
    server.store.invites.consume(token.hash(), now, None).await.is_ok()
}

/// Makes a contact of somebody who was invited, and asks for the subscription back.
pub(super) async fn welcome(server: &Arc<Server>, account: &Arc<Account>, from: &BareJid) {
    {
        let _gate = account.roster_gate.lock().await;
        let mut contact = account.lock().roster.contact(from).cloned().unwrap_or_default();
        contact.listed = true;
        contact.request = None;
        contact.standing.pending_in = false;
        contact.standing.from = true;
        contact.standing.pending_out = !contact.standing.to;
        if put(server, account, from, contact).await.is_err() {
            return;
        }
    }
    Box::pin(answer(server, account.jid(), from, Change::Subscribed)).await;
    Box::pin(answer(server, account.jid(), from, Change::Subscribe)).await;
    introduce(server, account, from);
}

/// Makes two local accounts contacts of each other, without asking either: one invited the other.
///
/// # Errors
/// When the store failed.
pub async fn befriend(server: &Server, one: &Account, other: &Account) -> Result<(), StanzaError> {
    for (account, contact) in [(one, other), (other, one)] {
        let _gate = account.roster_gate.lock().await;
        let mut item = account.lock().roster.contact(contact.jid()).cloned().unwrap_or_default();
        item.listed = true;
        item.standing.to = true;
        item.standing.from = true;
        item.standing.pending_in = false;
        item.standing.pending_out = false;
        item.request = None;
        put(server, account, contact.jid(), item).await?;
    }
    Ok(())
}
