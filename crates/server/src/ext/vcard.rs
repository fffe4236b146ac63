//! XEP-0054: vcard-temp 1.3.0, and the feature of XEP-0292: vCard4 Over XMPP 0.12.0
//!
//! A vCard4 is an item of the node `urn:xmpp:vcard4` and needs nothing more than pubsub. The older
//! vCard is a document; its photo is kept as an avatar (see `avatar`).

use xmpp::{
    error::{Condition, StanzaError},
    ext::avatar::Image,
    ns,
    xml::{Element, Limits},
};

use super::{
    Extension, IqAnswer, IqContext, IqFuture, IqRoute, Scope, Spec, avatar, document_of,
    save_document,
};
use crate::iq::{Iq, IqKind};

/// Keeps what people tell about themselves.
pub const EXTENSION: Extension = Extension {
    name: "vcard",
    specs: &[
        Spec { xep: 54, version: "1.3.0", title: "vcard-temp" },
        Spec { xep: 292, version: "0.12.0", title: "vCard4 Over XMPP" },
    ],
    features: &[
        (Scope::Server, ns::VCARD),
        (Scope::Account, ns::VCARD),
        (Scope::Account, ns::VCARD4),
    ],
    iq: &[route(IqKind::Get, get), route(IqKind::Set, set)],
    ..Extension::NOTHING
};

/// The store's document key.
pub const KEY: &str = "vcard";

const fn route(kind: IqKind, handler: super::IqHandler) -> IqRoute {
    IqRoute { scope: Scope::Account, kind: Some(kind), ns: ns::VCARD, name: "vCard", handler }
}

fn get<'a>(context: &'a IqContext<'a>, _: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move { read(context).await })
}

async fn read(context: &IqContext<'_>) -> IqAnswer {
    // XEP-0054 §3.3: somebody without a vCard looks like nobody.
    let nobody = || StanzaError::new(Condition::ServiceUnavailable);
    let account = context.account.ok_or_else(nobody)?;
    let reader = &context.asker.bare();
    let own = reader == account.jid();
    let stranger = context.asker.jid();
    if !own && account.lock().blocks.refuses(&stranger) {
        return Err(nobody());
    }
    let stored = document_of(context.server, account.id, KEY).await?;
    let stored = stored.and_then(|bytes| Element::parse(&bytes, &Limits::SERVER).ok());
    let photo = avatar::photo_for(context.server, account, reader).await?;
    match (stored, photo) {
        (Some(vcard), None) => Ok(Some(vcard)),
        (stored, Some(photo)) => Ok(Some(with_photo(stored, photo))),
        (None, None) if own => Err(StanzaError::new(Condition::ItemNotFound)),
        (None, None) => Err(nobody()),
    }
}

fn set<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let own = context.account.filter(|account| *account.jid() == context.asker.bare());
        // XEP-0054 §3.2: nobody changes the vCard of somebody else.
        let account = own.ok_or_else(|| StanzaError::new(Condition::Forbidden))?;
        let mut vcard = iq.payload.clone();
        match vcard.child("PHOTO", ns::VCARD).map(photo) {
            Some(Photo::Image(image)) => {
                avatar::publish_photo(context.server, account, &image).await?;
                vcard.retain_children(|child| !child.is("PHOTO", ns::VCARD));
            }
            Some(Photo::Empty) => {
                avatar::withdraw(context.server, account).await?;
                vcard.retain_children(|child| !child.is("PHOTO", ns::VCARD));
            }
            // What is no image cannot be an avatar, and stays what the client made of it.
            Some(Photo::Other) | None => {}
        }
        save_document(context, KEY, vcard.to_bytes("")).await?;
        Ok(None)
    })
}

/// What the photo of a vCard is.
#[derive(Debug, PartialEq)]
enum Photo {
    Image(Image),
    /// Nothing: the client says that there is no photo.
    Empty,
    /// A link, or data that is no image.
    Other,
}

fn photo(element: &Element) -> Photo {
    if let Some(image) = Image::from_photo(element) {
        return Photo::Image(image);
    }
    let data = element.child("BINVAL", ns::VCARD).map(Element::text).unwrap_or_default();
    let link = element.child("EXTVAL", ns::VCARD).is_some();
    if data.trim().is_empty() && !link { Photo::Empty } else { Photo::Other }
}

fn with_photo(stored: Option<Element>, photo: Element) -> Element {
    let mut vcard = stored.unwrap_or_else(|| Element::new("vCard", ns::VCARD));
    vcard.retain_children(|child| !child.is("PHOTO", ns::VCARD));
    vcard.push(photo);
    vcard
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(xml: &str) -> Element {
        Element::parse(xml.as_bytes(), &Limits::CLIENT).unwrap()
    }

    #[test]
    fn photos_are_told_apart() {
        let of = |inner: &str| photo(&parse(&format!("<PHOTO xmlns='vcard-temp'>{inner}</PHOTO>")));
        let image = of("<TYPE>image/png</TYPE><BINVAL>aGVs\nbG8=</BINVAL>");
        let Photo::Image(image) = image else { panic!("{image:?}") };
        assert_eq!((image.bytes.as_slice(), image.kind.as_str()), (&b"hello"[..], "image/png"));
        assert_eq!(of(""), Photo::Empty);
        assert_eq!(of("<TYPE>image/png</TYPE><BINVAL/>"), Photo::Empty);
        assert_eq!(of("<EXTVAL>https://example.org/a.png</EXTVAL>"), Photo::Other);
        assert_eq!(of("<TYPE>text/html</TYPE><BINVAL>aGVsbG8=</BINVAL>"), Photo::Other);
    }

    #[test]
    fn the_avatar_takes_the_place_of_a_photo() {
        let stored = parse("<vCard xmlns='vcard-temp'><FN>Juliet</FN><PHOTO/></vCard>");
        let photo = parse("<PHOTO xmlns='vcard-temp'><TYPE>image/png</TYPE></PHOTO>");
        let shown = with_photo(Some(stored), photo.clone());
        assert_eq!(shown.children().count(), 2);
        assert_eq!(shown.child("PHOTO", ns::VCARD), Some(&photo));
        assert_eq!(with_photo(None, photo).children().count(), 1);
    }
}
