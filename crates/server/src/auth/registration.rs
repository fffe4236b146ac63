//! XEP-0077 and XEP-0445: accounts that people make for themselves, mostly with an invitation.

use std::net::IpAddr;
use std::sync::Arc;

use store::{
    Millis,
    accounts::{CreateError, NewAccount},
    invites::{Invite, Kind, TokenHash},
};
use xmpp::{
    error::{Condition, StanzaError},
    jid::BareJid,
    stream::server::{PreauthAnswer, RegisterRequest},
};

use super::credentials;
use crate::{
    config::Policy, ext::notices, im::invited, invitation::Token, password::Password,
    server::Server,
};

/// Checks the token of an invitation before registration (XEP-0445 §3).
pub async fn preauth(server: &Server, token: &str) -> PreauthAnswer {
    match invitation(server, token).await {
        Some(invite) if invite.invite.kind == Kind::Account => {
            PreauthAnswer::Accepted { username: invite.invite.name.map(String::from) }
        }
        _ => PreauthAnswer::Rejected,
    }
}

/// The valid invitation of a token.
pub async fn invitation(server: &Server, token: &str) -> Option<Invite> {
    let token = Token::parse(token)?;
    let invite = server.store.invites.by_hash(token.hash()).await;
    let invite = invite.map_err(|error| server.store_failed("invitation", &error)).ok()?;
    invite.filter(|invite| invite.is_valid(Millis(server.now().0)))
}

/// Makes an account for somebody who is not logged in yet. With an invitation, inviter and new
/// account become each other's contacts.
///
/// # Errors
/// Those of XEP-0077 §3.1: `conflict` for a name that is taken, `not-acceptable` with words for a
/// password that cannot be used, `not-allowed` without an invitation.
pub async fn register(
    server: &Arc<Server>,
    request: RegisterRequest,
    address: IpAddr,
) -> Result<(), StanzaError> {
    let config = server.config();
    let invited = match (config.registration.policy, &request.token) {
        (Policy::Closed, _) | (Policy::Invite, None) => {
            return Err(StanzaError::new(Condition::NotAllowed));
        }
        (_, Some(token)) => Token::parse(token).map(|token| token.hash()),
        (Policy::Open, None) => {
            if !server.registrations.take_network(address, std::time::Instant::now()) {
                let text = "too many accounts were made from this network; try again later";
                return Err(StanzaError::new(Condition::ResourceConstraint).with_text(text));
            }
            None
        }
    };
    let Some(name) = request.account.node() else {
        return Err(StanzaError::new(Condition::NotAcceptable));
    };
    let password = Password::new(request.password.expose_str().unwrap_or_default().to_owned());
    let row = NewAccount {
        name: name.as_str().into(),
        credentials: credentials::choose(server, name.as_str(), password).await?,
        admin: false,
        created_at: Millis(server.now().0),
        invited_by: None,
        invite: invited,
        ignore_reservation: false,
    };
    server.store.accounts.create(row).await.map_err(|error| refusal(server, error))?;
    server.metrics.registrations.increment();
    notices::welcome(server, &request.account).await;
    if let Some(token) = invited {
        welcome(server, &request.account, token).await;
    }
    Ok(())
}

/// XEP-0401 §3: who was invited and who invited know each other.
async fn welcome(server: &Arc<Server>, jid: &BareJid, token: TokenHash) {
    let invite = server.store.invites.by_hash(token).await.ok().flatten();
    let Some(inviter) = invite.and_then(|invite| invite.invite.created_by) else { return };
    let inviter = match server.store.accounts.by_id(inviter).await {
        Ok(Some(row)) => server.address(&row.name).ok(),
        _ => None,
    };
    let Some(inviter) = inviter else { return };
    let accounts =
        (server.account(&inviter.into()).await, server.account(&jid.clone().into()).await);
    if let (Ok(Some(inviter)), Ok(Some(account))) = accounts
        && let Err(error) = invited::befriend(server, &inviter, &account).await
    {
        tracing::warn!(?error, "an invited account could not be made a contact of its inviter");
    }
}

fn refusal(server: &Server, error: CreateError) -> StanzaError {
    match error {
        // A name that is reserved looks like one that is taken: whether somebody left is nobody's
        // business.
        CreateError::Exists | CreateError::Reserved { .. } => StanzaError::new(Condition::Conflict),
        CreateError::Invite => StanzaError::new(Condition::NotAllowed)
            .with_text("the invitation has been used, has expired, or was revoked"),
        CreateError::Store(error) => server.store_failed("registration", &error),
    }
}
