//! XEP-0398: User Avatar to vCard-Based Avatars Conversion 1.0.0
//!
//! The avatar lives in the personal nodes of XEP-0084. The vCard of XEP-0054 shows it to whoever
//! may read these nodes, and never holds a copy: a photo that a client puts into its vCard is
//! published instead. The hash stands in the presence that an account sends (XEP-0153), unless the
//! client says that it has no photo.

use std::sync::Arc;

use xmpp::{
    edit::Edit,
    error::StanzaError,
    ext::{
        avatar::{Image, Metadata, Update},
        pubsub::Item,
    },
    jid::BareJid,
    ns,
    stanza::Stanza,
    xml::Element,
};

use super::{
    Extension, Scope, Spec,
    pubsub::{self, AccessModel},
};
use crate::{account::Account, im::presence, server::Server, session::Session};

/// Shows one avatar to clients of both kinds.
pub const EXTENSION: Extension = Extension {
    name: "avatar",
    specs: &[
        Spec { xep: 84, version: "1.1.4", title: "User Avatar" },
        Spec { xep: 153, version: "1.1.1", title: "vCard-Based Avatars" },
        Spec { xep: 398, version: "1.0.0", title: "User Avatar to vCard-Based Avatars Conversion" },
    ],
    features: &[(Scope::Account, ns::AVATAR_CONVERSION)],
    ..Extension::NOTHING
};

/// What is known about an account's avatar. Reading it takes a look into the store, which the first
/// presence of the account does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Photo {
    /// Nobody has looked.
    #[default]
    Unread,
    /// There is none, or not everybody may see it who sees presence.
    None,
    /// There is one.
    Shown {
        /// Its hash.
        hash: Box<str>,
        /// Whether strangers may see it as well.
        open: bool,
    },
}

/// Whom a presence stanza is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Those who are subscribed to the account's presence.
    Subscribers,
    /// Somebody in particular, perhaps a stranger or a room full of them.
    Anybody,
}

/// Puts the hash of the avatar into an available presence.
pub async fn stamp(
    server: &Arc<Server>,
    session: &Session,
    stanza: Stanza,
    reader: Reader,
) -> Stanza {
    let account = &session.account;
    let mut photo = account.lock().photo.clone();
    if photo == Photo::Unread {
        // An avatar that cannot be read now is not announced now; the failure was logged.
        let Ok(read) = read(server, account).await else { return stanza };
        account.lock().photo = read.clone();
        photo = read;
    }
    stamped(&stanza, &photo, reader).unwrap_or(stanza)
}

/// The presence with the hash; `None` when it stays as it is.
fn stamped(stanza: &Stanza, photo: &Photo, reader: Reader) -> Option<Stanza> {
    let Photo::Shown { hash, open } = photo else { return None };
    if reader == Reader::Anybody && !open {
        return None;
    }
    let said = stanza.child("x", ns::VCARD_UPDATE).and_then(|x| Update::parse(&x.element()));
    match said {
        // XEP-0398 §4: a client that shows no photo, and one that knows the photo.
        Some(Update::None) => None,
        Some(Update::Photo(known)) if *known == **hash => None,
        _ => replaced(stanza, &Update::Photo(hash.to_string())),
    }
}

fn replaced(stanza: &Stanza, update: &Update) -> Option<Stanza> {
    let edit = Edit::new(stanza)
        .drop_if(|child| child.name() == "x" && child.ns() == ns::VCARD_UPDATE)
        .append(update.to_element().to_bytes(ns::CLIENT));
    edit.stanza().ok()
}

/// Looks for the avatar of an account.
async fn read(server: &Server, account: &Account) -> Result<Photo, StanzaError> {
    let Some((image, access)) = image(server, account).await? else { return Ok(Photo::None) };
    Ok(match access {
        AccessModel::Open => Photo::Shown { hash: image.id().into(), open: true },
        AccessModel::Presence => Photo::Shown { hash: image.id().into(), open: false },
        AccessModel::Roster | AccessModel::Authorize | AccessModel::Whitelist => Photo::None,
    })
}

/// The avatar that the nodes of an account hold, and the narrower of their access models.
async fn image(
    server: &Server,
    account: &Account,
) -> Result<Option<(Image, AccessModel)>, StanzaError> {
    let newest = pubsub::own_item(server, account, ns::AVATAR_METADATA, None).await?;
    let Some(newest) = newest else { return Ok(None) };
    let metadata = newest.payload.as_ref().and_then(Metadata::parse).unwrap_or_default();
    let Some(info) = metadata.stored() else { return Ok(None) };
    let data = pubsub::own_item(server, account, ns::AVATAR_DATA, Some(&info.id)).await?;
    let Some(data) = data else { return Ok(None) };
    let image = data.payload.and_then(|data| Image::from_data(&data, Some(&info.kind)));
    // XEP-0398 §3.1: the name of an image is its hash, or somebody made a mistake.
    let image = image.filter(|image| image.id().eq_ignore_ascii_case(&info.id));
    let access = match (newest.access, data.access) {
        (AccessModel::Open, other) | (other, AccessModel::Open) => other,
        (one, other) if one == other => one,
        _ => AccessModel::Whitelist,
    };
    Ok(image.map(|image| (image, access)))
}

/// The photo for the vCard that `reader` sees.
///
/// # Errors
/// When the store could not be read.
pub async fn photo_for(
    server: &Server,
    account: &Account,
    reader: &BareJid,
) -> Result<Option<Element>, StanzaError> {
    for node in [ns::AVATAR_METADATA, ns::AVATAR_DATA] {
        if !pubsub::may_read(server, account, node, reader).await? {
            return Ok(None);
        }
    }
    Ok(image(server, account).await?.map(|(image, _)| image.to_photo()))
}

/// Publishes the photo of a vCard (XEP-0398 §3.2). A new node is open, as vCards are.
///
/// # Errors
/// As for a publication of the owner: the quota, or the store.
pub async fn publish_photo(
    server: &Arc<Server>,
    account: &Arc<Account>,
    photo: &Image,
) -> Result<(), StanzaError> {
    let info = photo.info();
    let current = image(server, account).await?;
    if current.is_some_and(|(current, _)| current.id() == info.id) {
        return Ok(());
    }
    let data = Item::new(info.id.as_str()).with_payload(photo.to_data());
    pubsub::publish_own(server, account, ns::AVATAR_DATA, data, AccessModel::Open).await?;
    let id = info.id.clone();
    let metadata = Item::new(id).with_payload(Metadata(vec![info]).to_element());
    pubsub::publish_own(server, account, ns::AVATAR_METADATA, metadata, AccessModel::Open).await?;
    node_changed(server, account, ns::AVATAR_METADATA).await;
    Ok(())
}

/// Says that there is no avatar any more, if there was one (XEP-0084 §3.5).
///
/// # Errors
/// As for a publication of the owner.
pub async fn withdraw(server: &Arc<Server>, account: &Arc<Account>) -> Result<(), StanzaError> {
    if image(server, account).await?.is_none() {
        return Ok(());
    }
    let item = Item::default().with_payload(Metadata::default().to_element());
    pubsub::publish_own(server, account, ns::AVATAR_METADATA, item, AccessModel::Open).await?;
    node_changed(server, account, ns::AVATAR_METADATA).await;
    Ok(())
}

/// Called after one of the account's nodes changed: a new avatar means new presence.
pub async fn node_changed(server: &Arc<Server>, account: &Arc<Account>, node: &str) {
    if !matches!(node, ns::AVATAR_METADATA | ns::AVATAR_DATA) {
        return;
    }
    let Ok(photo) = read(server, account).await else { return };
    let stanzas = {
        let mut state = account.lock();
        if state.photo == photo {
            return;
        }
        state.photo = photo.clone();
        let available = state.resources.iter_mut().filter_map(|r| r.available.as_mut());
        let mut stanzas = Vec::new();
        for presence in available {
            stanzas.extend(renewed(&mut presence.stanza, &photo));
        }
        stanzas
    };
    for stanza in stanzas {
        presence::broadcast(server, account, &stanza);
    }
}

/// The presence to broadcast after the avatar changed. What is kept of it stays free of hashes when
/// there is no avatar, so that the next one is announced again.
fn renewed(kept: &mut Stanza, photo: &Photo) -> Option<Stanza> {
    if let Some(stanza) = stamped(kept, photo, Reader::Subscribers) {
        *kept = stanza.clone();
        return Some(stanza);
    }
    let said = kept.child("x", ns::VCARD_UPDATE).and_then(|x| Update::parse(&x.element()));
    match (photo, said) {
        (Photo::None, Some(Update::Photo(_))) => {
            let gone = replaced(kept, &Update::None)?;
            *kept = replaced(kept, &Update::Unknown)?;
            Some(gone)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use xmpp::xml::Limits;

    use super::*;

    fn presence(children: &str) -> Stanza {
        let xml = format!("<presence from='a@b/c'>{children}</presence>");
        Stanza::parse(Bytes::from(xml), &Limits::CLIENT).unwrap()
    }

    fn shown(open: bool) -> Photo {
        Photo::Shown { hash: "abc".into(), open }
    }

    fn hash(stanza: Option<Stanza>) -> Option<Update> {
        Update::parse(&stanza?.child("x", ns::VCARD_UPDATE)?.element())
    }

    #[test]
    fn the_hash_is_added_unless_the_client_shows_none() {
        let abc = Some(Update::Photo("abc".into()));
        let stamp =
            |children: &str| hash(stamped(&presence(children), &shown(false), Reader::Subscribers));
        assert_eq!(stamp(""), abc);
        assert_eq!(stamp("<x xmlns='vcard-temp:x:update'/>"), abc);
        assert_eq!(stamp("<x xmlns='vcard-temp:x:update'><photo>old</photo></x>"), abc);
        assert_eq!(stamp("<x xmlns='vcard-temp:x:update'><photo>ABC</photo></x>"), None);
        assert_eq!(stamp("<x xmlns='vcard-temp:x:update'><photo/></x>"), None);
    }

    #[test]
    fn strangers_see_only_open_avatars() {
        let stamp = |photo: &Photo| hash(stamped(&presence(""), photo, Reader::Anybody));
        assert_eq!(stamp(&shown(true)), Some(Update::Photo("abc".into())));
        assert_eq!(stamp(&shown(false)), None);
        assert_eq!(stamp(&Photo::None), None);
    }

    #[test]
    fn an_avatar_that_is_gone_is_announced_once() {
        let mut kept = presence("<x xmlns='vcard-temp:x:update'><photo>abc</photo></x>");
        assert_eq!(hash(renewed(&mut kept, &Photo::None)), Some(Update::None));
        assert_eq!(hash(Some(kept.clone())), Some(Update::Unknown));
        assert_eq!(hash(renewed(&mut kept, &Photo::None)), None);
        assert_eq!(hash(renewed(&mut kept, &shown(false))), Some(Update::Photo("abc".into())));
    }
}
