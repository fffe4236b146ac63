//! XEP-0401: Ad-hoc Account Invitation Generation 0.6.0, by ad-hoc commands (XEP-0050)

use store::{
    Millis as StoreMillis,
    invites::{Kind, NewInvite},
};
use xmpp::{
    error::{Condition, StanzaError},
    ext::form::{Field, FieldType, Form, FormType},
    ns,
    time::Millis,
};

use super::{
    Extension, IqAnswer, IqContext, IqFuture, Spec,
    commands::{Allowed, Offer, answer},
};
use crate::{
    config::Inviters,
    invitation::{self, Purpose, Token},
    iq::Iq,
};

/// Lets users invite others from their own client.
pub const EXTENSION: Extension = Extension {
    name: "invite",
    specs: &[
        Spec { xep: 379, version: "0.3.3", title: "Pre-Authenticated Roster Subscription" },
        Spec { xep: 401, version: "0.6.0", title: "Ad-hoc Account Invitation Generation" },
    ],
    ..Extension::NOTHING
};

/// The commands.
pub const COMMANDS: Offer = Offer {
    commands: &[
        (ns::INVITE_INVITE, "Invite somebody"),
        (ns::INVITE_CREATE_ACCOUNT, "Invite somebody to make an account"),
    ],
    allowed,
    run,
};

fn allowed<'a>(context: &'a IqContext<'a>) -> Allowed<'a> {
    Box::pin(may_invite(context))
}

fn run<'a>(context: &'a IqContext<'a>, iq: &'a Iq, node: &'static str) -> IqFuture<'a> {
    Box::pin(async move {
        match (node, Form::child_of(&iq.payload)) {
            (ns::INVITE_CREATE_ACCOUNT, None) => {
                Ok(Some(answer(iq, node, "executing", Some(account_form()))))
            }
            (ns::INVITE_CREATE_ACCOUNT, Some(form)) => create_account(context, iq, &form).await,
            _ => invite(context, iq).await,
        }
    })
}

/// `urn:xmpp:invite#invite`: becoming contacts, with an account here for who has none.
async fn invite(context: &IqContext<'_>, iq: &Iq) -> IqAnswer {
    let purpose = Purpose::AccountAndContact { inviter: context.session()?.account.name() };
    let form = create(context, None, purpose).await?;
    Ok(Some(answer(iq, ns::INVITE_INVITE, "completed", Some(form))))
}

/// `urn:xmpp:invite#create-account`: an account, perhaps of a certain name.
async fn create_account(context: &IqContext<'_>, iq: &Iq, form: &Form) -> IqAnswer {
    let name = form.value("username").filter(|name| !name.is_empty());
    let name = match name {
        None => None,
        Some(name) => Some(free_name(context, name).await?),
    };
    let purpose = Purpose::Account { name: name.as_deref() };
    let form = create(context, name.as_deref(), purpose).await?;
    Ok(Some(answer(iq, ns::INVITE_CREATE_ACCOUNT, "completed", Some(form))))
}

async fn free_name(context: &IqContext<'_>, name: &str) -> Result<String, StanzaError> {
    let jid =
        context.server.address(name).map_err(|_| StanzaError::new(Condition::JidMalformed))?;
    let name = jid.node().map(|node| node.as_str().to_owned()).unwrap_or_default();
    let taken = context.server.store.accounts.by_name(&name).await;
    match taken.map_err(|error| context.server.store_failed("invitation", &error))? {
        Some(_) => Err(StanzaError::new(Condition::Conflict)),
        None => Ok(name),
    }
}

/// Makes an invitation and describes it.
async fn create(
    context: &IqContext<'_>,
    name: Option<&str>,
    purpose: Purpose<'_>,
) -> Result<Form, StanzaError> {
    let (server, account) = (context.server, &context.session()?.account);
    let config = server.config();
    let now = server.now();
    let failed = |error| server.store_failed("invitation", &error);
    let limit = u32::try_from(config.registration.invitations_per_user).unwrap_or(u32::MAX);
    let mine = server.store.invites.list(Some(account.id), None, u32::MAX).await.map_err(failed)?;
    let open = mine.iter().filter(|invite| invite.is_valid(StoreMillis(now.0))).count();
    if open >= limit as usize {
        let text = "you have as many unused invitations as this server allows";
        return Err(StanzaError::new(Condition::ResourceConstraint).with_text(text));
    }
    let token = Token::random().map_err(|_| StanzaError::new(Condition::InternalServerError))?;
    let expires = Millis(now.0 + config.registration.invitation_days * 24 * 60 * 60 * 1000);
    let row = NewInvite {
        hash: token.hash(),
        kind: Kind::Account,
        created_by: Some(account.id),
        created_at: StoreMillis(now.0),
        admin: false,
        name: name.map(Into::into),
        subject: None,
        expires_at: StoreMillis(expires.0),
        uses: 1,
        note: "".into(),
    };
    server.store.invites.create(row).await.map_err(failed)?;
    let field = |var: &str, value: String| Field::new(var, FieldType::TextSingle).with_value(value);
    Ok(Form::typed(FormType::Result, INVITATION)
        .with_field(field("uri", token.uri(purpose, server.domain())))
        .with_field(field("landing-url", token.link(&invitation::origin(&config, &server.ports()))))
        .with_field(field("expire", expires.xep0082())))
}

async fn may_invite(context: &IqContext<'_>) -> Result<bool, StanzaError> {
    let config = context.server.config();
    if config.registration.policy == crate::config::Policy::Closed {
        return Ok(false);
    }
    if config.registration.inviters == Inviters::Everyone {
        return Ok(true);
    }
    let row = context.server.store.accounts.by_id(context.session()?.account.id).await;
    let row = row.map_err(|error| context.server.store_failed("invitation", &error))?;
    Ok(row.is_some_and(|row| row.admin))
}

fn account_form() -> Form {
    let username = Field::new("username", FieldType::TextSingle)
        .with_label("Name of the account; empty if the guest may choose");
    Form::new(FormType::Form).with_title("Invite somebody").with_field(username)
}

/// FORM_TYPE of a finished invitation (XEP-0401 §11.1).
const INVITATION: &str = "urn:xmpp:invite#invitation";
