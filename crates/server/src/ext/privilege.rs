//! XEP-0356: Privileged Entity 0.4.1
//!
//! What a component may do in the name of the accounts is written in `[components.permissions]`.
//! Every use is checked against that, and a component has what its connection proved: no other
//! server can speak for its domain.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use bytes::Bytes;
use parking_lot::Mutex;
use xmpp::{
    edit::Edit,
    error::{Condition, StanzaError},
    ext::forward,
    jid::{BareJid, Jid},
    ns,
    stanza::{Kind, Stanza},
    xml::{Element, Limits},
};

use super::{Extension, IqContext, IqFuture, IqRoute, Scope, Spec};
use crate::{
    account::Account,
    components::pending::{Acting, Purpose},
    config::{Permissions, Watching},
    im::presence,
    iq::{self, Iq, IqKind},
    router::resolve::Target,
    server::Server,
    session::frame::Frame,
};

/// Lets components act for accounts.
pub const EXTENSION: Extension = Extension {
    name: "privilege",
    specs: &[Spec { xep: 356, version: "0.4.1", title: "Privileged Entity" }],
    // Requests that may be made come another way: see `act`.
    iq: &[route(Scope::Own), route(Scope::Account)],
    ..Extension::NOTHING
};

const fn route(scope: Scope) -> IqRoute {
    IqRoute { scope, kind: None, ns: ns::PRIVILEGE, name: "privileged_iq", handler: forbid }
}

fn forbid<'a>(_: &'a IqContext<'a>, _: &'a Iq) -> IqFuture<'a> {
    Box::pin(async { Err(forbidden("only a component with that permission may do this")) })
}

fn forbidden(text: &str) -> StanzaError {
    StanzaError::new(Condition::Forbidden).with_text(text)
}

/// XEP-0356 §6.3: whether a request in somebody's name is for anything but the bare address of an account.
#[must_use]
pub fn is_misplaced(request: &Stanza, to: &Jid, target: &Target) -> bool {
    let is_account = matches!(target, Target::Account(_)) && to.resource().is_none();
    !is_account && request.child("privileged_iq", ns::PRIVILEGE).is_some()
}

/// What is told whose request is.
#[must_use]
pub fn misplaced() -> StanzaError {
    forbidden("only the bare address of an account acts through somebody else")
}

/// What a component may do, as it is told (XEP-0356 §4.2).
#[must_use]
pub fn announce(permissions: &Permissions) -> Element {
    let perm = |access: &str, kind: &str| {
        Element::new("perm", ns::PRIVILEGE).with_attr("access", access).with_attr("type", kind)
    };
    let namespaces = permissions.iq.iter().map(|(ns, access)| {
        Element::new("namespace", ns::PRIVILEGE)
            .with_attr("ns", ns.as_str())
            .with_attr("type", access.name())
    });
    let iq = Element::new("perm", ns::PRIVILEGE).with_attr("access", "iq");
    let watching = match permissions.presence {
        Watching::Nobody => "none",
        Watching::Accounts => "managed_entity",
        Watching::Contacts => "roster",
    };
    let pushes = if permissions.roster.get { "true" } else { "false" };
    Element::new("privilege", ns::PRIVILEGE)
        .with_child(perm("roster", permissions.roster.name()).with_attr("push", pushes))
        .with_child(perm("message", if permissions.message { "outgoing" } else { "none" }))
        .with_child(iq.with_children(namespaces))
        .with_child(perm("presence", watching))
}

/// What `from` may do, if it is a component.
fn permissions(server: &Server, from: &Jid) -> Option<Permissions> {
    let config = server.config();
    let domain = from.domain().as_str();
    let component = config.components.hosts.contains(domain);
    component.then(|| config.components.permissions.of(domain).cloned().unwrap_or_default())
}

/// A component asks an account's bare address for something: its roster, or a request in its name.
/// `None` when the request is like anybody's.
///
/// # Errors
/// `forbidden` when it is one for privileged components and the component may not do that.
pub async fn act(
    server: &Arc<Server>,
    account: &Arc<Account>,
    request: &Stanza,
    kind: IqKind,
    from: &Jid,
) -> Option<Result<(), StanzaError>> {
    let permissions = permissions(server, from)?;
    let payload = request.children().next()?;
    let mut acting =
        Acting { account: account.clone(), component: from.clone(), carrier: None, inner: None };
    if payload.is("query", ns::ROSTER) {
        if !permissions.roster.permits(kind) {
            return Some(Err(forbidden("this component may not do that with rosters")));
        }
        iq::act(server, &acting, request, kind).await;
        return Some(Ok(()));
    }
    if !payload.is("privileged_iq", ns::PRIVILEGE) {
        return None;
    }
    acting.carrier = request.id().map(std::borrow::Cow::into_owned);
    Some(match unwrap(account.jid(), &permissions, &payload.element(), kind) {
        Ok((inner, to)) => {
            on_behalf(server, acting, &inner, kind, to).await;
            Ok(())
        }
        Err(error) => Err(error),
    })
}

/// XEP-0356 §6.3: the request in the request, when everything about it is allowed.
fn unwrap(
    account: &BareJid,
    permissions: &Permissions,
    wrapper: &Element,
    kind: IqKind,
) -> Result<(Stanza, Option<Jid>), StanzaError> {
    let mut children = wrapper.children();
    let (Some(iq), None) = (children.next(), children.next()) else {
        return Err(StanzaError::new(Condition::BadRequest));
    };
    if !iq.is("iq", ns::CLIENT) {
        return Err(forbidden("the namespace of the inner stanza must be jabber:client"));
    }
    let named = iq.attr("from").map(Jid::new);
    if named.is_some_and(|from| from.map_or(true, |from| from != *account)) {
        return Err(forbidden("the inner stanza must come from the account's bare address"));
    }
    let same =
        matches!((iq.attr("type"), kind), (Some("get"), IqKind::Get) | (Some("set"), IqKind::Set));
    if !same {
        return Err(forbidden("both stanzas must have the same type"));
    }
    let payload = iq.first_child().ok_or_else(|| StanzaError::new(Condition::BadRequest))?;
    let access = permissions.iq.get(payload.ns()).copied().unwrap_or_default();
    if !access.permits(kind) {
        return Err(forbidden("this component may not make such requests for accounts"));
    }
    let to = iq.attr("to").map(Jid::new).transpose();
    let to = to.map_err(|_| StanzaError::new(Condition::JidMalformed))?;
    let mut iq = iq.clone();
    iq.set_attr("from", account.as_str());
    let stanza = Stanza::parse(iq.to_bytes(ns::CLIENT), &Limits::SERVER);
    Ok((stanza.map_err(|_| StanzaError::new(Condition::BadRequest))?, to))
}

/// Makes a request as if the account had made it. The answer goes to the component.
async fn on_behalf(
    server: &Arc<Server>,
    mut acting: Acting,
    request: &Stanza,
    kind: IqKind,
    to: Option<Jid>,
) {
    let elsewhere = to.as_ref().filter(|to| iq::is_elsewhere(server, to));
    let Some(to) = elsewhere.cloned() else {
        return Box::pin(iq::act(server, &acting, request, kind)).await;
    };
    let renamed = rename(server, &mut acting, request);
    match wait(server, &acting, &renamed, &to) {
        true => server.s2s.post(server, server.domain(), &to, Kind::Iq, renamed.1),
        false => fail(server, &acting, &to, Condition::ResourceConstraint),
    }
}

/// A request that somebody else answers, under an id of ours: the component chose the other, which may
/// meet another request's.
fn rename(server: &Server, acting: &mut Acting, request: &Stanza) -> (String, Bytes) {
    acting.inner = request.id().map(std::borrow::Cow::into_owned);
    let id = server.fresh_id();
    let bytes = Edit::new(request).attr("id", Some(&id)).finish();
    (id, bytes)
}

fn wait(server: &Server, acting: &Acting, (id, _): &(String, Bytes), to: &Jid) -> bool {
    let purpose = Purpose::Privileged(acting.clone());
    server.components.pending.add(server, id.clone(), to.clone(), purpose).is_ok()
}

/// Asks a device of an account here, in the name of an account.
pub fn ask_device(server: &Server, acting: &Acting, asked: &Account, request: &Stanza, to: &Jid) {
    let device = {
        let state = asked.lock();
        let name = to.resource().map(|resource| resource.as_str());
        let found = state.resources.iter().find(|one| Some(one.session.resource()) == name);
        found.map(|one| one.session.clone())
    };
    let Some(device) = device else {
        return fail(server, acting, to, Condition::ServiceUnavailable);
    };
    let mut acting = acting.clone();
    let renamed = rename(server, &mut acting, request);
    match wait(server, &acting, &renamed, to) {
        true => device.deliver(Frame::iq(renamed.1)),
        false => fail(server, &acting, to, Condition::ResourceConstraint),
    }
}

/// The answer to a request that a component made for an account.
pub fn pass_back(server: &Server, acting: &Acting, answer: &Stanza) {
    let mut edit = Edit::new(answer).to(acting.account.bare());
    if let Some(id) = &acting.inner {
        edit = edit.attr("id", Some(id));
    }
    acting.answer(server, Frame::iq(edit.finish()));
}

/// Nobody answered it.
pub fn unanswered(server: &Server, acting: &Acting, whom: &Jid) {
    fail(server, acting, whom, Condition::RemoteServerTimeout);
}

fn fail(server: &Server, acting: &Acting, whom: &Jid, condition: Condition) {
    let iq = Element::new("iq", ns::CLIENT)
        .with_attr("type", "error")
        .with_attr_opt("id", acting.inner.as_deref())
        .with_attr("from", whom.as_str())
        .with_attr("to", acting.account.bare())
        .with_child(StanzaError::new(condition).element());
    acting.answer(server, Frame::iq(iq.to_bytes(ns::CLIENT)));
}

impl Acting {
    /// Brings an answer to the component: as it is, or inside of the answer to its own request
    /// (XEP-0356 §6.3).
    pub fn answer(&self, server: &Server, frame: Frame) {
        let bytes = match &self.carrier {
            None => frame.bytes,
            Some(id) => self.wrap(id, &frame.bytes),
        };
        server.s2s.post(server, server.domain(), &self.component, Kind::Iq, bytes);
    }

    fn wrap(&self, id: &str, answer: &Bytes) -> Bytes {
        let stanza = Stanza::parse(answer.clone(), &Limits::TRUSTED).ok();
        let error = stanza.as_ref().and_then(|stanza| stanza.child("error", ns::CLIENT));
        let mut carried = b"<privilege xmlns='urn:xmpp:privilege:2'>".to_vec();
        forward::write_forwarded(&mut carried, answer, None);
        carried.extend_from_slice(b"</privilege>");
        let outer = Element::new("iq", ns::CLIENT)
            .with_attr("type", if error.is_some() { "error" } else { "result" })
            .with_attr("id", id)
            .with_attr("from", self.account.bare())
            .with_attr("to", self.component.as_str())
            // RFC 6120 §8.3.1: an error says which one, outside as well as inside.
            .with_children(error.map(|error| error.element()));
        match Stanza::parse(outer.to_bytes(ns::CLIENT), &Limits::TRUSTED) {
            Ok(outer) => Edit::new(&outer).append(carried).finish(),
            Err(_) => outer.to_bytes(ns::CLIENT),
        }
    }
}

/// The message that a component sends in the name of an account, or of the server itself
/// (XEP-0356 §5.3). `None` when the stanza carries none.
///
/// # Errors
/// `forbidden` when it may not.
#[must_use]
pub fn message(
    server: &Server,
    carrier: &Stanza,
    from: &Jid,
) -> Option<Result<(Stanza, Jid, Jid), StanzaError>> {
    let privilege = carrier.child("privilege", ns::PRIVILEGE)?;
    let allowed = permissions(server, from).is_some_and(|permissions| permissions.message);
    if !allowed {
        return Some(Err(forbidden("this component may not send messages for accounts")));
    }
    let privilege = privilege.element();
    let forwarded = privilege.child("forwarded", ns::FORWARD);
    let inner = forwarded.and_then(|forwarded| {
        forwarded.children().find(|child| child.name() == "message").cloned()
    });
    Some(inner.ok_or_else(|| StanzaError::new(Condition::BadRequest)).and_then(|mut inner| {
        // Components build stanzas in the namespace of their own stream.
        inner.move_ns(ns::COMPONENT, &ns::CLIENT.into());
        read(server, &inner)
    }))
}

fn read(server: &Server, message: &Element) -> Result<(Stanza, Jid, Jid), StanzaError> {
    let address = |name| message.attr(name).and_then(|text| Jid::new(text).ok());
    let ours = |from: &Jid| from.resource().is_none() && from.domain().as_str() == server.domain();
    let Some(from) = address("from").filter(ours) else {
        return Err(forbidden("`from` must be the bare address of an account here"));
    };
    let to = address("to").ok_or_else(|| StanzaError::new(Condition::JidMalformed))?;
    if message.name() != "message" || message.ns() != ns::CLIENT {
        return Err(StanzaError::new(Condition::BadRequest));
    }
    let stanza = Stanza::parse(message.to_bytes(ns::CLIENT), &Limits::SERVER);
    Ok((stanza.map_err(|_| StanzaError::new(Condition::BadRequest))?, from, to))
}

/// Tells components that a roster changed (XEP-0356 §4.4).
pub fn push_roster(server: &Server, account: &str, query: &Element) {
    let config = server.config();
    let permissions = &config.components.permissions;
    for (domain, _) in permissions.all().filter(|(_, permissions)| permissions.roster.get) {
        let push = Element::new("iq", ns::CLIENT)
            .with_attr("type", "set")
            .with_attr("id", server.fresh_id())
            .with_attr("from", account)
            .with_attr("to", domain)
            .with_child(query.clone());
        // One that is not connected reads the roster when it is.
        server.components.post(domain, push.to_bytes(ns::CLIENT));
    }
}

/// Shows components that a device of an account is there now, or gone (XEP-0356 §7.1).
pub fn show(server: &Server, presence: &Stanza) {
    let config = server.config();
    if config.components.permissions.is_empty() {
        return;
    }
    for (domain, permissions) in config.components.permissions.all() {
        if permissions.presence >= Watching::Accounts {
            server.components.post(domain, Edit::new(presence).to(domain).finish());
        }
    }
}

/// Shows components the presence of a contact elsewhere (XEP-0356 §7.4), once for all accounts.
pub fn show_contact(server: &Server, presence: &Stanza, from: &Jid) {
    let config = server.config();
    if config.components.permissions.is_empty() {
        return;
    }
    for link in server.components.all() {
        let permissions = config.components.permissions.of(&link.domain);
        let watching = permissions.is_some_and(|one| one.presence == Watching::Contacts);
        if watching && link.shown.is_new(from, presence) {
            let bytes = Edit::new(presence).from(from.as_str()).to(&link.domain).finish();
            server.components.post(&link.domain, bytes);
        }
    }
}

/// A component that was just connected sees who is there (XEP-0356 §8 rule 1). Contacts elsewhere
/// are asked once more; their answers reach it like everybody's.
pub fn show_all(server: &Arc<Server>, domain: &str) {
    let config = server.config();
    let watching = config.components.permissions.of(domain).map(|one| one.presence);
    if watching.is_none_or(|watching| watching == Watching::Nobody) {
        return;
    }
    for account in server.accounts.all() {
        let (stanzas, contacts) = {
            let state = account.lock();
            (presence::presences(&state), state.roster.subscribed_to())
        };
        for stanza in &stanzas {
            server.components.post(domain, Edit::new(stanza).to(domain).finish());
        }
        let asked = watching == Some(Watching::Contacts);
        for contact in contacts.iter().filter(|_| asked) {
            if contact.domain().as_str() != server.domain() {
                presence::probe_elsewhere(server, account.bare(), contact);
            }
        }
    }
}

/// Which presence of contacts a component has seen, by a number for it.
#[derive(Default)]
pub struct Shown(Mutex<HashMap<Jid, u64>>);

/// Devices that are remembered for that; the presence of others may be seen twice.
const MOST_SHOWN: usize = 20_000;

impl Shown {
    /// Whether this is not what was shown last of the device.
    fn is_new(&self, from: &Jid, presence: &Stanza) -> bool {
        let mut hasher = DefaultHasher::new();
        presence.type_().hash(&mut hasher);
        presence.children().for_each(|child| child.raw().hash(&mut hasher));
        let number = hasher.finish();
        let mut shown = self.0.lock();
        if shown.get(from) == Some(&number) {
            return false;
        }
        if presence.type_().is_some() {
            // Gone, and told only to who knew that it was there.
            let known = shown.remove(from).is_some();
            return known || shown.len() >= MOST_SHOWN;
        }
        if shown.len() < MOST_SHOWN || shown.contains_key(from) {
            shown.insert(from.clone(), number);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Access;

    fn account() -> BareJid {
        BareJid::new("juliet@a.example").unwrap()
    }

    fn permitted() -> Permissions {
        let mut permissions = Permissions::default();
        permissions.iq.insert("urn:x".into(), Access { get: true, set: false });
        permissions
    }

    fn wrapper(iq: &str) -> Element {
        let text = format!("<privileged_iq xmlns='urn:xmpp:privilege:2'>{iq}</privileged_iq>");
        Element::parse(text.as_bytes(), &Limits::SERVER).unwrap()
    }

    #[test]
    fn a_request_for_an_account_is_unwrapped() {
        let iq = "<iq xmlns='jabber:client' type='get' id='1' to='romeo@b.example'><q xmlns='urn:x'/></iq>";
        let (stanza, to) = unwrap(&account(), &permitted(), &wrapper(iq), IqKind::Get).unwrap();
        assert_eq!(stanza.from().as_deref(), Some("juliet@a.example"));
        assert_eq!(to.unwrap().as_str(), "romeo@b.example");
    }

    #[test]
    fn a_request_that_claims_more_than_is_allowed_is_refused() {
        let q = "<q xmlns='urn:x'/>";
        for bad in [
            format!("<iq type='get' id='1'>{q}</iq>"),
            format!("<iq xmlns='jabber:server' type='get' id='1'>{q}</iq>"),
            format!("<iq xmlns='jabber:client' type='set' id='1'>{q}</iq>"),
            format!("<iq xmlns='jabber:client' type='result' id='1'>{q}</iq>"),
            format!("<iq xmlns='jabber:client' type='get' id='1' from='nurse@a.example'>{q}</iq>"),
            format!(
                "<iq xmlns='jabber:client' type='get' id='1' from='juliet@a.example/x'>{q}</iq>"
            ),
            "<iq xmlns='jabber:client' type='get' id='1'><q xmlns='urn:y'/></iq>".to_owned(),
        ] {
            let refused = unwrap(&account(), &permitted(), &wrapper(&bad), IqKind::Get);
            assert_eq!(refused.unwrap_err().condition, Condition::Forbidden, "{bad}");
        }
    }

    #[test]
    fn a_contact_of_several_accounts_is_seen_once() {
        let shown = Shown::default();
        let parse = |text: &'static str| {
            Stanza::parse(Bytes::from_static(text.as_bytes()), &Limits::SERVER).unwrap()
        };
        let romeo = Jid::new("romeo@b.example/x").unwrap();
        let here = parse("<presence><show>away</show></presence>");
        let gone = parse("<presence type='unavailable'/>");
        let told: Vec<_> =
            [&here, &here, &gone, &gone, &here].map(|one| shown.is_new(&romeo, one)).into();
        assert_eq!(told, [true, false, true, false, true]);
    }
}
