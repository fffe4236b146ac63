//! XEP-0402: PEP Native Bookmarks 1.2.0, and the older forms of XEP-0048: Bookmarks 1.2

use crate::jid::BareJid;
use crate::ns;
use crate::xml::Element;

/// One bookmarked room.
#[derive(Clone, PartialEq, Eq)]
pub struct Bookmark {
    /// The room. In the new form it is the id of the item.
    pub room: BareJid,
    /// A name for people.
    pub name: Option<String>,
    /// Whether clients enter it by themselves.
    pub autojoin: bool,
    /// The nickname.
    pub nick: Option<String>,
    /// The room's password.
    pub password: Option<String>,
}

/// The password is not printed.
impl std::fmt::Debug for Bookmark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bookmark")
            .field("room", &self.room)
            .field("name", &self.name)
            .field("autojoin", &self.autojoin)
            .field("nick", &self.nick)
            .finish_non_exhaustive()
    }
}

impl Bookmark {
    /// Reads the payload of an item (XEP-0402); `id` is the item's.
    #[must_use]
    pub fn from_item(id: &str, payload: &Element) -> Option<Self> {
        payload.is("conference", ns::BOOKMARKS).then(|| read(id, payload, ns::BOOKMARKS))?
    }

    /// The payload of an item. What `old` holds beside, `<extensions/>` for instance, stays in it.
    #[must_use]
    pub fn to_payload(&self, old: Option<&Element>) -> Element {
        let kept = old.into_iter().flat_map(Element::children).filter(|child| {
            !(child.ns() == ns::BOOKMARKS && matches!(child.name(), "nick" | "password"))
        });
        let kept: Vec<Element> = kept.cloned().collect();
        self.write(ns::BOOKMARKS).with_children(kept)
    }

    /// Reads the rooms in `<storage xmlns='storage:bookmarks'/>`; each room once, the last one counts.
    #[must_use]
    pub fn from_storage(storage: &Element) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let rooms = storage.children().filter(|c| c.is("conference", ns::BOOKMARKS_LEGACY));
        for room in rooms {
            let read = room.attr("jid").and_then(|jid| read(jid, room, ns::BOOKMARKS_LEGACY));
            if let Some(bookmark) = read {
                all.retain(|known| known.room != bookmark.room);
                all.push(bookmark);
            }
        }
        all
    }

    /// `<conference/>` of the old form.
    #[must_use]
    pub fn to_legacy(&self) -> Element {
        let mut element = self.write(ns::BOOKMARKS_LEGACY);
        element.set_attr("jid", self.room.as_str());
        element
    }

    fn write(&self, namespace: &'static str) -> Element {
        let child = |name: &str, text: &Option<String>| {
            text.as_ref().map(|text| Element::new(name, namespace).with_text(text.as_str()))
        };
        Element::new("conference", namespace)
            .with_attr_opt("name", self.name.as_deref())
            .with_attr("autojoin", if self.autojoin { "true" } else { "false" })
            .with_children(child("nick", &self.nick))
            .with_children(child("password", &self.password))
    }
}

fn read(room: &str, element: &Element, namespace: &str) -> Option<Bookmark> {
    let text = |name| element.child(name, namespace).map(Element::text);
    Some(Bookmark {
        room: BareJid::new(room).ok()?,
        name: element.attr("name").map(str::to_owned),
        autojoin: matches!(element.attr("autojoin"), Some("true" | "1")),
        nick: text("nick"),
        password: text("password"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Limits;

    #[test]
    fn a_bookmark_is_the_same_in_both_forms() {
        let storage = Element::parse(
            b"<storage xmlns='storage:bookmarks'><conference name='Council of Oberon' autojoin='1' \
              jid='council@conference.underhill.example'><nick>Puck</nick></conference>\
              <conference jid='@'/><url name='x' url='https://a.example'/></storage>",
            &Limits::TRUSTED,
        )
        .unwrap();
        let all = Bookmark::from_storage(&storage);
        assert_eq!(all.len(), 1);
        assert!(all[0].autojoin);
        let payload = all[0].to_payload(None);
        let again = Bookmark::from_item("council@conference.underhill.example", &payload);
        assert_eq!(again.as_ref(), Some(&all[0]));
        let legacy = Element::new("storage", ns::BOOKMARKS_LEGACY).with_child(all[0].to_legacy());
        assert_eq!(Bookmark::from_storage(&legacy), all);
    }

    #[test]
    fn a_password_is_not_printed() {
        let payload = Element::parse(
            b"<conference xmlns='urn:xmpp:bookmarks:1'><password>canary</password></conference>",
            &Limits::TRUSTED,
        )
        .unwrap();
        let bookmark = Bookmark::from_item("a@b.example", &payload).unwrap();
        assert_eq!(bookmark.password.as_deref(), Some("canary"));
        assert!(!format!("{bookmark:?}").contains("canary"));
    }

    #[test]
    fn what_newer_clients_keep_beside_stays() {
        let old = Element::parse(
            b"<conference xmlns='urn:xmpp:bookmarks:1' autojoin='true'><nick>Puck</nick>\
              <extensions><state xmlns='urn:example' minimized='true'/></extensions></conference>",
            &Limits::TRUSTED,
        )
        .unwrap();
        let mut bookmark = Bookmark::from_item("a@b.example", &old).unwrap();
        bookmark.nick = Some("Robin".into());
        let new = bookmark.to_payload(Some(&old));
        assert!(new.child("extensions", ns::BOOKMARKS).is_some());
        assert_eq!(new.children().filter(|child| child.name() == "nick").count(), 1);
    }
}
