//! Logging in and out, and what belongs to the account itself.

use xmpp::jid::BareJid;

use crate::command::{Command, Request};
use crate::cx::{Cx, Step};
use crate::effect::Effect;
use crate::machine::Client;
use crate::store::Login;
use crate::view::{self, Change, Outcome, Problem};
use crate::{features, link, promises, timeline};

/// Takes the commands that work without a login; others are refused until there is one.
pub(crate) fn before(
    client: &mut Client,
    request: Request,
    effects: &mut Vec<Effect>,
) -> Step<Option<Request>> {
    let (store, state, rng) = client.parts();
    let login = match &request.command {
        Command::Login(login) | Command::Register { login, .. } => login,
        _ if state.login.is_some() => return Ok(Some(request)),
        _ => {
            let problem = Problem::Login("log in first".to_owned());
            effects.push(Effect::Done(request.number, Outcome::Failed(problem)));
            return Ok(None);
        }
    };
    // An address that never worked was a slip.
    let used = store.value(link::USED)?.is_some();
    let other = state.login.as_ref().filter(|known| used && known.address != login.address);
    if let Some(known) = other {
        let problem = Problem::Login(format!("this profile is that of {}", known.address));
        effects.push(Effect::Done(request.number, Outcome::Failed(problem)));
        return Ok(None);
    }
    let mut login: Login = login.clone();
    if login.client_id.is_empty() {
        let known = state.login.as_ref().map(|known| known.client_id.clone());
        login.client_id = known.filter(|id| !id.is_empty()).unwrap_or_else(|| rng.uuid());
    }
    store.save_login(&login)?;
    store.save_value(link::KEYS, None)?;
    state.login = Some(login);
    Ok(Some(request))
}

/// The driver is ready: tell the user interface what there is, then connect.
pub(crate) fn start(cx: &mut Cx<'_>) -> Step {
    show(cx)?;
    features::overview(cx)?;
    features::upload::on_start(cx)?;
    timeline::on_start(cx)?;
    let waiting = promises::on_start(cx);
    cx.state.features.deferred.extend(waiting);
    link::connect(cx, true)
}

/// Commands about the connection.
pub(crate) fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    match command {
        Command::Login(_) => {
            show(cx)?;
            link::login(cx, number, None)?;
        }
        Command::Register { token, inviter, .. } => {
            show(cx)?;
            link::login(cx, number, Some(link::Registering { token, inviter }))?;
        }
        Command::GivePassword(password) => {
            cx.store.save_value(link::KEYS, None)?;
            change_login(cx, |login| {
                login.password = Some(password);
                login.token = None;
            })?;
            link::login(cx, number, None)?;
        }
        Command::Pin(fingerprint) => {
            change_login(cx, |login| login.pinned = Some(fingerprint))?;
            cx.done(number, Outcome::Done);
            link::connect(cx, true)?;
        }
        Command::Reconnect => {
            cx.done(number, Outcome::Done);
            link::connect(cx, true)?;
        }
        Command::Disconnect => {
            link::disconnect(cx)?;
            cx.done(number, Outcome::Done);
        }
        Command::SetActive(active) => {
            link::set_active(cx, active);
            features::idle::on_active(cx, active)?;
            if active {
                features::elsewhere::on_active(cx)?;
            }
            cx.done(number, Outcome::Done);
        }
        command => return Ok(Some(command)),
    }
    Ok(None)
}

/// Changes the login in memory and in the store.
pub(crate) fn change_login(cx: &mut Cx<'_>, change: impl FnOnce(&mut Login)) -> Step {
    if let Some(login) = &mut cx.state.login {
        change(login);
        cx.store.save_login(login)?;
    }
    Ok(())
}

/// Shows the account as it is.
pub(crate) fn show(cx: &mut Cx<'_>) -> Step {
    let device = cx.store.own_device()?.map(|device| device.id);
    let contact = features::roster::contact(cx, cx.me);
    let account = view::Account {
        address: BareJid::clone(cx.me),
        connection: cx.state.link.connection(),
        nickname: contact.nickname,
        avatar: contact.avatar,
        device,
        queued: cx.state.outbox.waiting(),
        privacy: cx.state.features.privacy,
    };
    cx.view(Change::Account(account));
    Ok(())
}

/// The account without anything that is stored of it.
pub(crate) fn offline(cx: &Cx<'_>, connection: view::Connection) -> view::Account {
    view::Account {
        address: BareJid::clone(cx.me),
        connection,
        nickname: None,
        avatar: None,
        device: None,
        queued: 0,
        privacy: cx.state.features.privacy,
    }
}
