//! What is sent, for each device that may read it.
//!
//! A device that can do `urn:xmpp:omemo:2` gets everything in an envelope. The others get the text
//! alone, encrypted, and beside it in plain sight what has no content: see `docs/encryption.md`.

use omemo::payload;
use xmpp::ext::eme::Encryption;
use xmpp::ext::hints::Hint;
use xmpp::ext::{omemo_legacy, omemo2, sce};
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::xml::Element;

use crate::cx::{Cx, Step};
use crate::features::{Protected, rooms};
use crate::outbox::UNREADABLE;
use crate::store::{Encryption as Sealed, MessageId, Queued, SessionKey, TrustLevel, Version};
use crate::timeline;

use super::bundles::Found;
use super::lists::Ready;
use super::{VERSIONS, bundles, empty, identities, lists, load_sessions, restored, trust};

/// For which devices something is encrypted.
#[derive(Debug, Default)]
struct Plan {
    /// Devices of others.
    theirs: Vec<SessionKey>,
    /// Other devices of this account.
    own: Vec<SessionKey>,
    /// There are devices whose keys are being fetched.
    waiting: bool,
    /// Devices of others that are not trusted.
    untrusted: usize,
    /// Devices of others that have no keys, or none yet.
    missing: usize,
    /// Devices of others whose keys cannot be used.
    broken: usize,
}

impl Plan {
    fn of(&self, version: Version) -> Vec<SessionKey> {
        let all = self.theirs.iter().chain(&self.own);
        all.filter(|key| key.version == version).cloned().collect()
    }
}

/// Protects what is about to be sent.
pub(super) fn protect(cx: &mut Cx<'_>, queued: &Queued, payload: &[Element]) -> Step<Protected> {
    let protected = decide(cx, queued, payload)?;
    if let Protected::Ready(content) = &protected
        && content.iter().any(|child| matches!(child.ns(), ns::OMEMO | ns::OMEMO_LEGACY))
    {
        restored::sent(cx, &queued.stanza_id)?;
    }
    Ok(protected)
}

fn decide(cx: &mut Cx<'_>, queued: &Queued, payload: &[Element]) -> Step<Protected> {
    let known = lists::own_are_known(cx) && restored::is_checked(cx);
    if cx.state.features.omemo.device.is_none() || !known {
        return Ok(Protected::Wait);
    }
    if let Some(order) = empty::Order::parse(payload) {
        return empty::protect(cx, &order);
    }
    let with = &queued.conversation;
    let for_verified = payload.iter().any(|child| child.ns() == ns::TRUST_MESSAGES);
    let signals = payload.iter().all(is_signal);
    if !signals && !for_verified && cx.state.features.omemo.notes.opted_out.contains(with) {
        let reason = format!("{with} asked for plain text: choose how to go on");
        return Ok(Protected::Impossible(reason));
    }
    let room = rooms::is_room(cx, with);
    if room && !rooms::is_private(cx, with) {
        let reason = "in this room it is not known who reads; it is not for members only, or hides \
                      addresses";
        return Ok(Protected::Impossible(reason.to_owned()));
    }
    if !rooms::are_members_known(cx, with) {
        return Ok(Protected::Wait);
    }
    for person in super::audience(cx, with) {
        match lists::ensure(cx, &person)? {
            Ready::Yes => {}
            Ready::Soon => return Ok(Protected::Wait),
            // The others in a room do not wait for one.
            Ready::Unreachable if room => {}
            Ready::Unreachable if for_verified => return Ok(Protected::Drop),
            Ready::Unreachable => {
                let reason = format!("{with} or their server cannot be reached now");
                return Ok(Protected::Impossible(reason));
            }
        }
    }
    let plan = plan(cx, with, for_verified)?;
    if plan.waiting {
        return Ok(Protected::Wait);
    }
    let readers = if with == cx.me { &plan.own } else { &plan.theirs };
    if readers.is_empty() {
        return Ok(match () {
            () if for_verified => Protected::Drop,
            () if signals => Protected::Ready(payload.iter().map(outside).collect()),
            () if may_come(cx, with, &plan) => {
                for person in super::audience(cx, with) {
                    lists::look_again(cx, &person)?;
                }
                Protected::NoKeys(reason(cx, with, &plan))
            }
            () => Protected::Impossible(reason(cx, with, &plan)),
        });
    }
    if signals && !plan.of(Version::Legacy).is_empty() {
        return Ok(Protected::Ready(payload.iter().map(outside).collect()));
    }
    let protected = seal(cx, with, payload, &plan)?;
    if let (Protected::Ready(_), Some(message)) = (&protected, queued.message) {
        mark(cx, message, &plan)?;
    }
    Ok(protected)
}

/// Notes how an own message was protected.
fn mark(cx: &mut Cx<'_>, message: MessageId, plan: &Plan) -> Step {
    let memory = &cx.state.features.omemo;
    let (Some(device), Some(key)) = (memory.device_id(), memory.key()) else { return Ok(()) };
    let Some(mut message) = cx.store.message(message)? else { return Ok(()) };
    let legacy = plan.of(Version::Omemo2).is_empty();
    let version = if legacy { Version::Legacy } else { Version::Omemo2 };
    message.encryption = Sealed::Omemo { version, device, key, trust: TrustLevel::Verified };
    timeline::save(cx, &message)
}

/// Whether nobody can read a message only because there are no keys yet: with some everybody who has a
/// device could. What there is and may not be used is the user's affair.
fn may_come(cx: &Cx<'_>, with: &BareJid, plan: &Plan) -> bool {
    let somebody = super::audience(cx, with).iter().any(|person| person != cx.me);
    somebody && plan.untrusted == 0 && (plan.missing > 0 || plan.broken == 0)
}

/// Why nobody could read a message.
fn reason(cx: &Cx<'_>, with: &BareJid, plan: &Plan) -> String {
    if with == cx.me {
        return "this account has no other device that could read it".to_owned();
    }
    if rooms::is_room(cx, with) {
        return match plan.untrusted {
            0 => {
                "nobody else in this room has a device that can read encrypted messages".to_owned()
            }
            _ => "no device of the others in this room is trusted; compare their keys".to_owned(),
        };
    }
    match (plan.untrusted, plan.broken + plan.missing) {
        (0, 0) => format!("{with} has no device that can read encrypted messages"),
        (0, _) => format!("the keys of {with} cannot be used"),
        _ => format!("no device of {with} is trusted; compare their keys first"),
    }
}

/// Decides for which devices something is encrypted, and fetches what is missing for it.
fn plan(cx: &mut Cx<'_>, with: &BareJid, only_verified: bool) -> Step<Plan> {
    let mut plan = Plan::default();
    let me = cx.me.clone();
    let this = cx.state.features.omemo.device_id();
    let mut owners = super::audience(cx, with);
    owners.retain(|owner| *owner != me);
    owners.push(me.clone());
    for owner in owners {
        let own = owner == me;
        for device in lists::active(cx, &owner)? {
            if own && Some(device) == this {
                continue;
            }
            match choose(cx, &owner, device, only_verified)? {
                Choice::Session(key) if own => plan.own.push(key),
                Choice::Session(key) => plan.theirs.push(key),
                Choice::Soon => plan.waiting = true,
                Choice::Untrusted if own => {}
                Choice::Untrusted => plan.untrusted += 1,
                Choice::Missing | Choice::Broken if own => {}
                Choice::Missing => plan.missing += 1,
                Choice::Broken => plan.broken += 1,
            }
        }
    }
    Ok(plan)
}

enum Choice {
    /// With this session, which may still have to be begun.
    Session(SessionKey),
    Soon,
    Untrusted,
    Missing,
    Broken,
}

/// How to reach a device: with the newer version if it can, with the older one otherwise.
fn choose(cx: &mut Cx<'_>, owner: &BareJid, device: u32, only_verified: bool) -> Step<Choice> {
    let mut choice = Choice::Missing;
    for version in VERSIONS {
        // What a legacy device is told about keys it could not understand.
        if only_verified && version == Version::Legacy {
            break;
        }
        if !lists::is_active(cx, owner, version, device)? {
            continue;
        }
        let key = SessionKey { owner: owner.clone(), device, version };
        let identity = match load_sessions(cx, &key)?.identity() {
            Some(identity) => *identity.as_ed25519(),
            None => match bundles::find(cx, &key)? {
                Found::Bundle(bundle) => *bundle.identity().as_ed25519(),
                Found::Soon => return Ok(Choice::Soon),
                Found::Missing => continue,
                Found::Broken => {
                    choice = if let Choice::Missing = choice { Choice::Broken } else { choice };
                    continue;
                }
            },
        };
        let level = match identities::level(cx, owner, &identity)? {
            Some(level) => level,
            None => identities::see(cx, owner, device, identity)?,
        };
        let reads = trust::may_read(level) && (level == TrustLevel::Verified || !only_verified);
        if reads {
            return Ok(Choice::Session(key));
        }
        choice = Choice::Untrusted;
    }
    Ok(choice)
}

/// Encrypts for every device of the plan.
fn seal(cx: &mut Cx<'_>, with: &BareJid, payload: &[Element], plan: &Plan) -> Step<Protected> {
    let mut content = Vec::new();
    let mut namespace = None;
    // Whether somebody to whom it is written gets it.
    let mut reached = false;
    let me = cx.me.clone();
    let theirs = |keys: &[SessionKey]| keys.iter().any(|key| key.owner != me || key.owner == *with);
    let modern = plan.of(Version::Omemo2);
    if !modern.is_empty() {
        let envelope = envelope(cx, with, payload);
        if let Some((element, keys)) = seal_omemo2(cx, &envelope, &modern)? {
            content.push(element);
            namespace = Some(ns::OMEMO);
            reached |= theirs(&keys);
        }
    }
    let legacy = plan.of(Version::Legacy);
    if !legacy.is_empty() {
        match legacy_text(payload) {
            Some(text) => {
                if let Some((element, keys)) = seal_legacy(cx, &text, &legacy)? {
                    content.push(element);
                    if namespace.is_none() {
                        namespace = Some(ns::OMEMO_LEGACY);
                        content.push(Element::new("body", ns::CLIENT).with_text(UNREADABLE));
                    }
                    reached |= theirs(&keys);
                }
            }
            // What goes outside is all that they get.
            None => reached |= theirs(&legacy),
        }
        content.extend(payload.iter().filter(|child| goes_outside(child)).map(outside));
        content.extend(payload.iter().filter_map(reaction_reference));
    }
    if content.is_empty() || !reached {
        let failed = Plan { broken: 1, ..Plan::default() };
        return Ok(Protected::Impossible(reason(cx, with, &failed)));
    }
    content.push(Hint::Store.to_element());
    // Who cannot read it need not know that there was something, unless there was a text.
    if has_text(payload) {
        content.extend(namespace.map(|namespace| Encryption::new(namespace).to_element()));
    }
    Ok(Protected::Ready(content))
}

/// The envelope for the newer version (XEP-0384, "SCE Profile").
fn envelope(cx: &mut Cx<'_>, with: &BareJid, payload: &[Element]) -> Vec<u8> {
    let envelope = sce::Envelope {
        content: payload.to_vec(),
        time: Some(cx.time()),
        to: Some(Jid::from(with.clone())),
        from: Some(Jid::from(cx.me.clone())),
    };
    // One character, so that the element has both of its tags.
    let length = envelope.to_bytes("x").len().saturating_sub(1);
    let padding = sce::padding_for(length);
    let mut random = String::with_capacity(padding);
    while random.len() < padding {
        random.push_str(&cx.rng.id());
    }
    random.truncate(padding);
    envelope.to_bytes(&random)
}

fn seal_omemo2(cx: &mut Cx<'_>, envelope: &[u8], keys: &[SessionKey]) -> Step<Option<Addressed>> {
    let sealed = payload::encrypt(omemo::Version::Omemo2, envelope, cx.rng);
    address_omemo2(cx, &sealed, keys)
}

/// An element, and the devices for which there is a key in it: one at least.
pub(super) type Addressed = (Element, Vec<SessionKey>);

/// The element of a payload for the newer version, with a key for each device.
pub(super) fn address_omemo2(
    cx: &mut Cx<'_>,
    sealed: &payload::Payload,
    keys: &[SessionKey],
) -> Step<Option<Addressed>> {
    let Some(sender) = cx.state.features.omemo.device_id() else { return Ok(None) };
    let mut recipients: Vec<(BareJid, Vec<omemo2::Key>)> = Vec::new();
    let mut reached = Vec::new();
    for key in keys {
        let Some(message) = encrypt_key(cx, key, sealed.key_material.as_bytes())? else { continue };
        let entry =
            omemo2::Key { device: key.device, exchange: message.key_exchange, data: message.bytes };
        match recipients.iter_mut().find(|(jid, _)| *jid == key.owner) {
            Some((_, entries)) => entries.push(entry),
            None => recipients.push((key.owner.clone(), vec![entry])),
        }
        reached.push(key.clone());
    }
    let payload = sealed.ciphertext.clone();
    let element = omemo2::Encrypted { sender, recipients, payload };
    Ok((!reached.is_empty()).then(|| (element.to_element(), reached)))
}

fn seal_legacy(cx: &mut Cx<'_>, text: &str, keys: &[SessionKey]) -> Step<Option<Addressed>> {
    let sealed = payload::encrypt(omemo::Version::Legacy, text.as_bytes(), cx.rng);
    address_legacy(cx, &sealed, keys)
}

/// The element of a payload for the older version, with a key for each device.
pub(super) fn address_legacy(
    cx: &mut Cx<'_>,
    sealed: &payload::Payload,
    keys: &[SessionKey],
) -> Step<Option<Addressed>> {
    let Some(sender) = cx.state.features.omemo.device_id() else { return Ok(None) };
    let (mut entries, mut reached) = (Vec::new(), Vec::new());
    for key in keys {
        let Some(message) = encrypt_key(cx, key, sealed.key_material.as_bytes())? else { continue };
        entries.push(omemo_legacy::Key {
            device: key.device,
            prekey: message.key_exchange,
            data: message.bytes,
        });
        reached.push(key.clone());
    }
    let iv = sealed.iv.map(|iv| iv.to_vec()).unwrap_or_default();
    let payload = sealed.ciphertext.clone();
    let element = omemo_legacy::Encrypted { sender, keys: entries, iv, payload };
    Ok((!reached.is_empty()).then(|| (element.to_element(), reached)))
}

/// Encrypts the key of a payload for one device, beginning a session if there is none. `None` when
/// that is not possible: then the device is left out.
fn encrypt_key(
    cx: &mut Cx<'_>,
    key: &SessionKey,
    material: &[u8],
) -> Step<Option<omemo::KeyMessage>> {
    let mut sessions = load_sessions(cx, key)?;
    if !sessions.is_open() {
        let Found::Bundle(bundle) = bundles::find(cx, key)? else { return Ok(None) };
        let memory = &mut cx.state.features.omemo;
        if !memory.pace.may_begin(&key.owner, cx.now.steady) {
            return Ok(None);
        }
        let Some(device) = &memory.device else { return Ok(None) };
        if sessions.initiate(device, &bundle, cx.rng).is_err() {
            return Ok(None);
        }
        cx.state.features.omemo.bundles.forget(key);
    }
    let Ok(encrypted) = sessions.encrypt(material, cx.rng) else { return Ok(None) };
    // The state is stored in this step, and the bytes leave after it.
    cx.store.save_session(key, Some(&encrypted.state))?;
    cx.state.features.omemo.answering.remove(&(key.owner.clone(), key.device, key.version));
    Ok(Some(encrypted.message))
}

/// What a legacy device reads: the text, or the emoji of a reaction as an answer.
fn legacy_text(payload: &[Element]) -> Option<String> {
    let body = payload.iter().find(|child| child.is("body", ns::CLIENT)).map(Element::text);
    let reactions = || {
        let reactions = payload.iter().find(|child| child.is("reactions", ns::REACTIONS))?;
        let each = reactions.children().filter(|child| child.is("reaction", ns::REACTIONS));
        Some(each.map(Element::text).collect::<String>())
    };
    body.or_else(reactions).filter(|text| !text.is_empty())
}

/// Whether somebody wrote something that is missed by whoever cannot read it. What a retraction says is
/// for programs that do not know what it is.
fn has_text(payload: &[Element]) -> bool {
    payload.iter().any(|child| child.is("body", ns::CLIENT))
        && !payload.iter().any(|child| child.is("retract", ns::RETRACT))
}

/// A reaction goes to legacy devices as an answer to the message it is about.
fn reaction_reference(child: &Element) -> Option<Element> {
    let id = child.attr("id").filter(|_| child.is("reactions", ns::REACTIONS))?;
    child.first_child().map(|_| Element::new("reply", ns::REPLY).with_attr("id", id))
}

/// Receipts, markers and typing: they say that something happened, not what.
fn is_signal(child: &Element) -> bool {
    matches!(child.ns(), ns::RECEIPTS | ns::CHAT_MARKERS | ns::CHAT_STATES)
}

/// What legacy devices need and their version cannot hide. It refers to messages by their ids and
/// has no content.
fn goes_outside(child: &Element) -> bool {
    is_signal(child)
        || child.is("replace", ns::CORRECT)
        || child.is("retract", ns::RETRACT)
        || child.is("reply", ns::REPLY)
}

/// The element with its attributes and nothing in it.
fn outside(child: &Element) -> Element {
    child.attrs().fold(Element::new(child.name(), child.ns()), |new, (name, value)| {
        new.with_attr(name, value)
    })
}
