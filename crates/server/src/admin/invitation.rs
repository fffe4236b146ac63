//! Invitations and requests for an account, as the operator handles them.

use store::{
    Millis,
    invites::{Invite, InviteId, Kind, NewInvite},
    requests::{RequestId, State},
};

use super::{
    Fault, FaultCode, Invitation, InvitationState, NewInvitation, Operations, Response, SignUp,
    operations::{MOST_ROWS, now, stamp},
};
use crate::{
    config::{Config, Policy},
    invitation::{self, Purpose, Token},
};

impl Operations {
    pub(super) async fn invite_new(&self, wish: NewInvitation) -> Result<Response, Fault> {
        let config = self.config();
        let name = wish.name.as_deref().map(|name| self.free_name(name));
        let name = match name {
            Some(name) => Some(name.await?),
            None => None,
        };
        let inviter = match &wish.contact_of {
            Some(account) => Some(self.account(account).await?),
            None => None,
        };
        let now = now();
        let token = Token::random().map_err(|error| {
            Fault::new(FaultCode::Storage, format!("the system gives no random numbers: {error}"))
        })?;
        let invite = NewInvite {
            hash: token.hash(),
            kind: Kind::Account,
            created_by: inviter.as_ref().map(|account| account.id),
            created_at: now,
            name: name.as_deref().map(Into::into),
            subject: None,
            expires_at: Millis(now.0.saturating_add(lifetime(&config, &wish)?)),
            uses: uses(&wish)?,
            admin: wish.admin,
            note: wish.note.as_str().into(),
        };
        let id = self.store.invites.create(invite.clone()).await?;
        let stored = Invite { id, invite, revoked: false, used_by: Vec::new() };
        let mut answer = self.describe(&stored, now).await?;
        let purpose = match &inviter {
            Some(inviter) => Purpose::AccountAndContact { inviter: &inviter.name },
            None => Purpose::Account { name: name.as_deref() },
        };
        let listening = self.live.as_ref().map_or(Vec::new(), |live| live.listening());
        answer.link = Some(token.link(&invitation::origin(&config, &listening)));
        answer.uri = Some(token.uri(purpose, &config.domain));
        answer.notice = (config.registration.policy == Policy::Closed).then(|| {
            "Registration is closed: the invitation cannot be used until `policy` in \
             [registration] is \"invite\"."
                .to_owned()
        });
        Ok(Response::Invitation(Box::new(answer)))
    }

    pub(super) async fn invite_list(&self, all: bool) -> Result<Response, Fault> {
        let now = now();
        let mut invitations = Vec::new();
        for invite in self.store.invites.list(None, None, MOST_ROWS).await? {
            if all || invite.is_valid(now) {
                invitations.push(self.describe(&invite, now).await?);
            }
        }
        Ok(Response::Invitations(invitations))
    }

    pub(super) async fn invite_revoke(&self, id: i64) -> Result<Response, Fault> {
        match self.store.invites.revoke(InviteId(id)).await? {
            true => Ok(Response::Done(format!("Invitation {id} can no longer be used."))),
            false => Err(Fault::new(FaultCode::NotFound, format!("there is no invitation {id}"))),
        }
    }

    pub(super) async fn request_list(&self, all: bool) -> Result<Response, Fault> {
        let state = (!all).then_some(State::Open);
        let requests = self.store.requests.list(state, None, MOST_ROWS).await?;
        let requests = requests.into_iter().map(|request| SignUp {
            id: request.id.0,
            name: request.request.name.into(),
            contact: request.request.contact.into(),
            text: request.request.text.into(),
            at: stamp(request.request.at),
            state: match request.state {
                State::Open => "waiting",
                State::Approved => "approved",
                State::Declined => "refused",
            }
            .to_owned(),
        });
        Ok(Response::Requests(requests.collect()))
    }

    /// The request becomes an invitation for the wanted name, or for any name when that is taken
    /// or not a possible one: the operator has seen the request and wants the person in.
    pub(super) async fn request_approve(&self, id: i64) -> Result<Response, Fault> {
        let before = RequestId(id.saturating_sub(1));
        let open = self.store.requests.list(Some(State::Open), Some(before), 1).await?;
        let request = open.into_iter().find(|request| request.id.0 == id);
        let request = request.ok_or_else(|| no_request(id))?.request;
        let name = self.free_name(&request.name).await.ok();
        let note = format!("request {id}: {}", request.contact);
        let wish = NewInvitation { name, uses: 1, note, ..NewInvitation::default() };
        // Made before the request is closed: no failure can lose the person.
        let invitation = self.invite_new(wish).await?;
        self.decide(id, State::Approved).await?;
        Ok(invitation)
    }

    pub(super) async fn request_refuse(&self, id: i64) -> Result<Response, Fault> {
        self.decide(id, State::Declined).await?;
        Ok(Response::Done(format!("Request {id} was refused. Nobody was told.")))
    }

    async fn decide(&self, id: i64, state: State) -> Result<(), Fault> {
        let decided = self.store.requests.decide(RequestId(id), state, now()).await?;
        decided.map(|_| ()).ok_or_else(|| no_request(id))
    }

    /// A name for a new account that nobody has.
    async fn free_name(&self, name: &str) -> Result<String, Fault> {
        let name = self.name(name)?;
        match self.store.accounts.by_name(&name).await? {
            None => Ok(name),
            Some(_) => {
                let address = self.address(&name);
                Err(Fault::new(FaultCode::Exists, format!("{address} exists already")))
            }
        }
    }

    async fn describe(&self, invite: &Invite, now: Millis) -> Result<Invitation, Fault> {
        let mut used_by = Vec::new();
        for (account, _) in &invite.used_by {
            if let Some(account) = account {
                used_by.extend(self.address_of(*account).await?);
            }
        }
        let invited_by = match invite.invite.created_by {
            Some(account) => self.address_of(account).await?,
            None => None,
        };
        Ok(Invitation {
            id: invite.id.0,
            kind: match invite.invite.kind {
                Kind::Account => "account",
                Kind::Contact => "contact",
                Kind::Reset => "password",
            }
            .to_owned(),
            link: None,
            uri: None,
            state: state(invite, now),
            uses: invite.invite.uses,
            expires: stamp(invite.invite.expires_at),
            name: invite.invite.name.as_deref().map(str::to_owned),
            admin: invite.invite.admin,
            invited_by,
            note: invite.invite.note.to_string(),
            used_by,
            notice: None,
        })
    }
}

fn no_request(id: i64) -> Fault {
    Fault::new(FaultCode::NotFound, format!("there is no waiting request {id}"))
}

fn state(invite: &Invite, now: Millis) -> InvitationState {
    if invite.revoked {
        InvitationState::Revoked
    } else if invite.invite.uses == 0 {
        InvitationState::Used
    } else if invite.is_valid(now) {
        InvitationState::Open
    } else {
        InvitationState::Expired
    }
}

/// Milliseconds from now to its end.
fn lifetime(config: &Config, wish: &NewInvitation) -> Result<u64, Fault> {
    let seconds = wish.expires_seconds.unwrap_or(config.registration.invitation_days * DAY);
    match seconds {
        1..=LONGEST => Ok(seconds * 1000),
        _ => Err(Fault::new(
            FaultCode::Invalid,
            "an invitation can be good for at least a second and at most a year",
        )),
    }
}

fn uses(wish: &NewInvitation) -> Result<u32, Fault> {
    match wish.uses {
        1..=MOST_USES if wish.uses == 1 || wish.name.is_none() => Ok(wish.uses),
        1..=MOST_USES => Err(Fault::new(
            FaultCode::Invalid,
            "an invitation with a name can be used once: an account has one owner",
        )),
        _ => Err(Fault::new(
            FaultCode::Invalid,
            format!("an invitation can be used from once to {MOST_USES} times"),
        )),
    }
}

/// Seconds.
const DAY: u64 = 24 * 60 * 60;
const LONGEST: u64 = 366 * DAY;
const MOST_USES: u32 = 10_000;
