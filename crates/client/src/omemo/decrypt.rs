//! What arrives encrypted: read once, whoever brings it, or explained.

use omemo::DecryptionError;
use omemo::payload::{self, PayloadError};
use xmpp::ext::trust_message::TrustMessage;
use xmpp::ext::{omemo_legacy, omemo2, sce};
use xmpp::ns;
use xmpp::xml::Element;

use crate::cx::{Cx, Step};
use crate::features::Flow;
use crate::incoming::Incoming;
use crate::store::{Content, Encryption, Event, SessionKey, TrustLevel, Undecryptable, Version};
use crate::timeline;

use super::{empty, identities, lists, load_sessions, notes, own, restored, trust, wire};

/// What a message carries for this device, of one version.
struct Carried {
    version: Version,
    /// The device that sent it.
    sender: u32,
    /// The keys for this device: one, or several where two accounts have a device of the same
    /// number.
    keys: Vec<Vec<u8>>,
    iv: Option<Vec<u8>>,
    /// Absent in an empty message.
    payload: Option<Vec<u8>>,
}

/// A key that was decrypted.
struct Opened {
    material: zeroize::Zeroizing<Vec<u8>>,
    encryption: Encryption,
    trust: TrustLevel,
    key: [u8; 32],
}

/// Replaces an encrypted message by what is in it.
pub(super) fn on_message(cx: &mut Cx<'_>, incoming: &mut Incoming) -> Step<Flow> {
    let elements: Vec<&Element> = incoming.outer.iter().filter(|it| is_omemo(it)).collect();
    if elements.is_empty() {
        if is_encrypted_otherwise(&incoming.outer) {
            incoming.undecryptable = Some(Undecryptable::UnknownEncryption);
        }
        return Ok(Flow::Next);
    }
    let empty = elements.iter().all(|element| is_empty(element));
    let carried: Vec<Carried> = elements.iter().filter_map(|it| carried(cx, it)).collect();
    let malformed = carried.len() < elements.len();
    // The newer version comes first; one message may carry both.
    let mine = VERSIONS_IN_ORDER
        .into_iter()
        .find_map(|version| carried.iter().find(|it| it.version == version && !it.keys.is_empty()));
    let result = match mine {
        Some(mine) => read(cx, incoming, mine)?,
        // A receipt of our own, for example, comes back from the archive.
        None if incoming.own && carried.iter().any(|it| Some(it.sender) == this_device(cx)) => {
            restored::came_back(cx, incoming)?;
            return Ok(Flow::Done);
        }
        None if malformed => Err(Failure::Unreadable(Undecryptable::Malformed)),
        // What devices tell each other about trust is for verified ones, and looks like this.
        None if !is_announced(&incoming.outer) => return Ok(Flow::Done),
        None => Err(Failure::Unreadable(Undecryptable::NotForThisDevice)),
    };
    match result {
        Ok(flow) => Ok(flow),
        Err(Failure::Seen) => Ok(Flow::Done),
        // There was nothing to read, so there is nothing to tell.
        Err(Failure::Unreadable(_)) if empty => Ok(Flow::Done),
        Err(Failure::Unreadable(reason)) => {
            incoming.content.clear();
            incoming.undecryptable = Some(reason);
            Ok(Flow::Next)
        }
    }
}

enum Failure {
    /// It was read before.
    Seen,
    Unreadable(Undecryptable),
}

fn is_omemo(element: &Element) -> bool {
    element.is("encrypted", ns::OMEMO) || element.is("encrypted", ns::OMEMO_LEGACY)
}

/// Whether the message says to those who cannot read it that there is something to read.
fn is_announced(children: &[Element]) -> bool {
    children
        .iter()
        .any(|child| child.is("encryption", ns::ENCRYPTION) || child.is("body", ns::CLIENT))
}

fn this_device(cx: &Cx<'_>) -> Option<u32> {
    cx.state.features.omemo.device_id()
}

fn is_empty(element: &Element) -> bool {
    element.child("payload", element.ns()).is_none()
}

/// Encryption that this program does not know, whatever the readable part of the message says.
fn is_encrypted_otherwise(children: &[Element]) -> bool {
    children.iter().any(|child| {
        child.is("encryption", ns::ENCRYPTION)
            || child.is("openpgp", ns::OPENPGP)
            || child.is("x", ns::PGP_LEGACY)
            || (child.name() == "encrypted" && child.ns().starts_with("urn:xmpp:omemo:"))
    })
}

fn carried(cx: &Cx<'_>, element: &Element) -> Option<Carried> {
    let this = this_device(cx);
    if let Some(encrypted) = omemo2::Encrypted::parse(element) {
        let keys = this.map(|this| {
            encrypted.keys_for(cx.me, this).map(|key| key.data.clone()).take(MAX_TRIES).collect()
        });
        return Some(Carried {
            version: Version::Omemo2,
            sender: encrypted.sender,
            keys: keys.unwrap_or_default(),
            iv: None,
            payload: encrypted.payload,
        });
    }
    let encrypted = omemo_legacy::Encrypted::parse(element)?;
    let keys = encrypted.keys.into_iter().filter(|key| Some(key.device) == this);
    Some(Carried {
        version: Version::Legacy,
        sender: encrypted.sender,
        keys: keys.map(|key| key.data).take(MAX_TRIES).collect(),
        iv: Some(encrypted.iv),
        payload: encrypted.payload,
    })
}

/// Decrypts; the ratchet and everything that follows from it are stored in the same step.
fn read(
    cx: &mut Cx<'_>,
    incoming: &mut Incoming,
    carried: &Carried,
) -> Step<Result<Flow, Failure>> {
    let session = SessionKey {
        owner: incoming.sender.clone(),
        device: carried.sender,
        version: carried.version,
    };
    // The ratchet may have moved on so far that it cannot tell this from a forgery.
    if was_seen(cx, carried) {
        return Ok(Err(Failure::Seen));
    }
    let opened = match open(cx, incoming, &session, &carried.keys)? {
        Ok(opened) => opened,
        // What is not kept any more may have been read, or not: its id tells.
        Err(DecryptionError::Expired) if timeline::recognise_repeated(cx, incoming, &session)? => {
            return Ok(Err(Failure::Seen));
        }
        Err(DecryptionError::Duplicate) => {
            timeline::recognise_repeated(cx, incoming, &session)?;
            return Ok(Err(Failure::Seen));
        }
        Err(error) => return fail(cx, incoming, &session, error).map(Err),
    };
    lists::used(cx, &session.owner, session.version, session.device)?;
    let Some(ciphertext) = &carried.payload else { return Ok(Ok(Flow::Done)) };
    let result = match unseal(carried, ciphertext, &opened) {
        Err(reason) => Err(Failure::Unreadable(reason)),
        Ok(plaintext) => {
            incoming.encryption = opened.encryption;
            match carried.version {
                Version::Omemo2 => unpack(cx, incoming, &opened, &plaintext)?,
                Version::Legacy => unpack_legacy(incoming, &plaintext),
            }
        }
    };
    if result.is_err() || leaves_no_row(incoming) {
        let Cx { state, store, .. } = cx;
        let seen = &mut state.features.omemo.seen;
        carried.keys.iter().try_for_each(|key| seen.add(*store, key))?;
    }
    Ok(result)
}

/// The plaintext of a payload whose key is known.
fn unseal(
    carried: &Carried,
    ciphertext: &[u8],
    opened: &Opened,
) -> Result<zeroize::Zeroizing<Vec<u8>>, Undecryptable> {
    if opened.trust == TrustLevel::Distrusted {
        return Err(Undecryptable::Distrusted);
    }
    let (version, iv) = (wire(carried.version), carried.iv.as_deref());
    payload::decrypt(version, &opened.material, iv, ciphertext).map_err(|error| match error {
        PayloadError::BadTag => Undecryptable::Forged,
        _ => Undecryptable::Malformed,
    })
}

/// Whether nothing of a message will stand in the timeline by which it could be recognised: it has no
/// id, no text, or one that only says what it does to another message.
fn leaves_no_row(incoming: &Incoming) -> bool {
    let amends = |child: &Element| {
        child.is("replace", ns::CORRECT)
            || child.is("reactions", ns::REACTIONS)
            || child.is("retract", ns::RETRACT)
    };
    incoming.origin_id.is_none() || incoming.body().is_none() || incoming.content.iter().any(amends)
}

/// Whether the message was read before and left no row that would have been recognised.
fn was_seen(cx: &Cx<'_>, carried: &Carried) -> bool {
    let seen = &cx.state.features.omemo.seen;
    !carried.keys.is_empty() && carried.keys.iter().all(|key| seen.contains(key))
}

/// Decrypts the key of the payload.
fn open(
    cx: &mut Cx<'_>,
    incoming: &Incoming,
    session: &SessionKey,
    keys: &[Vec<u8>],
) -> Step<Result<Opened, DecryptionError>> {
    let mut sessions = load_sessions(cx, session)?;
    let Some(device) = &mut cx.state.features.omemo.device else {
        return Ok(Err(DecryptionError::NoSession));
    };
    let mut result = Err(DecryptionError::NoSession);
    for key in keys {
        result = sessions.decrypt(device, key);
        if matches!(result, Ok(_) | Err(DecryptionError::Duplicate)) {
            break;
        }
    }
    let decrypted = match result {
        Ok(decrypted) => decrypted,
        Err(error) => return Ok(Err(error)),
    };
    cx.store.save_session(session, Some(&decrypted.state))?;
    if decrypted.used_pre_key.is_some() {
        on_used_pre_key(cx, incoming)?;
    }
    if decrypted.new_session || decrypted.needs_heartbeat {
        empty::answer(cx, session)?;
    }
    let key = *decrypted.identity.as_ed25519();
    let listed = lists::is_active(cx, &session.owner, session.version, session.device)?;
    let trust = identities::see(cx, &session.owner, session.device, key)?;
    // A stranger's server would see that somebody is there.
    if !listed && empty::may_know(cx, &session.owner)? {
        lists::fetch_again(cx, &session.owner, session.version)?;
    }
    let (version, device) = (session.version, session.device);
    let encryption = Encryption::Omemo { version, device, key, trust };
    Ok(Ok(Opened { material: decrypted.plaintext, encryption, trust, key }))
}

/// A prekey is used up, and kept for a while: somebody else may have taken the same.
fn on_used_pre_key(cx: &mut Cx<'_>, incoming: &Incoming) -> Step {
    empty::forget_later(cx);
    own::changed(cx)?;
    if incoming.source.is_live() && cx.state.link.caught_up {
        own::maintain(cx)?;
        for version in VERSIONS_IN_ORDER {
            own::publish(cx, version)?;
        }
    }
    Ok(())
}

/// Says why a message cannot be read, and mends the session if that can help.
fn fail(
    cx: &mut Cx<'_>,
    incoming: &Incoming,
    session: &SessionKey,
    error: DecryptionError,
) -> Step<Failure> {
    let reason = match error {
        DecryptionError::Duplicate => return Ok(Failure::Seen),
        DecryptionError::Expired => Undecryptable::KeyUsed,
        DecryptionError::NoSession => Undecryptable::NoSession,
        DecryptionError::UsedPreKey { .. }
        | DecryptionError::UnknownPreKey { .. }
        | DecryptionError::UnknownSignedPreKey { .. } => Undecryptable::UnknownKey,
        DecryptionError::BadMac | DecryptionError::IdentityChanged | DecryptionError::Key(_) => {
            Undecryptable::Forged
        }
        DecryptionError::TooFarAhead { .. } => Undecryptable::TooFarAhead,
        DecryptionError::Malformed(_) | DecryptionError::NoPreKey => Undecryptable::Malformed,
    };
    let out_of_step = matches!(
        error,
        DecryptionError::NoSession
            | DecryptionError::UsedPreKey { .. }
            | DecryptionError::UnknownPreKey { .. }
            | DecryptionError::UnknownSignedPreKey { .. }
            | DecryptionError::BadMac
            | DecryptionError::TooFarAhead { .. }
    );
    // What is old says nothing about the session as it is now.
    if out_of_step && incoming.source != crate::incoming::Source::Older {
        empty::heal(cx, session)?;
    }
    Ok(Failure::Unreadable(reason))
}

/// What was in an envelope becomes the content of the message; nothing else counts.
fn unpack(
    cx: &mut Cx<'_>,
    incoming: &mut Incoming,
    opened: &Opened,
    plaintext: &[u8],
) -> Step<Result<Flow, Failure>> {
    let Some(envelope) = sce::Envelope::parse(plaintext) else {
        return Ok(Err(Failure::Unreadable(Undecryptable::Malformed)));
    };
    let to = if incoming.own || incoming.room { &incoming.with } else { cx.me };
    // The time is not compared: a message can wait for weeks, the clock here may be wrong, and
    // whoever keeps a message back gains less by that than its text is worth to its reader.
    if envelope.verify(&incoming.sender, to, None).is_err() {
        return Ok(Err(Failure::Unreadable(Undecryptable::Contradiction)));
    }
    // What a clock that is ahead says of keys must not outweigh everything that is said later.
    let time = envelope.time.unwrap_or(incoming.time).min(cx.moment());
    let (about_trust, content): (Vec<_>, Vec<_>) =
        envelope.content.into_iter().partition(|child| child.ns() == ns::TRUST_MESSAGES);
    incoming.content = content;
    for message in about_trust.iter().filter_map(TrustMessage::parse) {
        identities::hear(cx, &incoming.sender.clone(), opened.key, &message, time)?;
    }
    if let Some(opt_out) = incoming.content.iter().find_map(omemo2::OptOut::parse)
        && !incoming.own
        && !incoming.room
        && trust::may_read(opened.trust)
    {
        return on_opt_out(cx, incoming, opt_out).map(Ok);
    }
    incoming.content.retain(|child| omemo2::OptOut::parse(child).is_none());
    Ok(Ok(if incoming.content.is_empty() { Flow::Done } else { Flow::Next }))
}

/// They ask for plain text: nothing is sent until the user has decided.
fn on_opt_out(cx: &mut Cx<'_>, incoming: &Incoming, opt_out: omemo2::OptOut) -> Step<Flow> {
    cx.state.features.omemo.notes.opt_out(&incoming.with);
    notes::save(cx)?;
    let mut message = timeline::blank(&incoming.with, &incoming.sender, incoming.time);
    message.content = Content::Event(Event::OptOut { reason: opt_out.reason });
    message.archive_id.clone_from(&incoming.archive_id);
    message.origin_id.clone_from(&incoming.origin_id);
    message.position = incoming.position.unwrap_or_default();
    timeline::insert(cx, message, true)?;
    Ok(Flow::Done)
}

/// The text, and what the older version leaves outside.
fn unpack_legacy(incoming: &mut Incoming, plaintext: &[u8]) -> Result<Flow, Failure> {
    let Ok(text) = std::str::from_utf8(plaintext) else {
        return Err(Failure::Unreadable(Undecryptable::Malformed));
    };
    // Padding, which some clients have an option for.
    let text = text.trim_end_matches('\0');
    let mut content = vec![Element::new("body", ns::CLIENT).with_text(text)];
    content.extend(incoming.outer.iter().filter(|child| counts_outside(child)).cloned());
    incoming.content = content;
    Ok(Flow::Next)
}

/// What counts beside a text that was encrypted with the older version.
fn counts_outside(child: &Element) -> bool {
    matches!(child.ns(), ns::RECEIPTS | ns::CHAT_MARKERS | ns::CHAT_STATES | ns::FALLBACK)
        || child.is("replace", ns::CORRECT)
        || child.is("retract", ns::RETRACT)
        || child.is("reply", ns::REPLY)
        || child.is("origin-id", ns::STANZA_ID)
}

const VERSIONS_IN_ORDER: [Version; 2] = super::VERSIONS;
/// Keys of one message that are tried; accounts whose devices share a number are rare.
const MAX_TRIES: usize = 8;
