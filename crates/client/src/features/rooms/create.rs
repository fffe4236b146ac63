//! XEP-0045 §10.1: making a room, and destroying it

use xmpp::ext::form::{Field, Form, FormType};
use xmpp::ext::muc::{Affiliation, Item};
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::xml::Element;

use super::{change, invite, join, members};
use crate::cx::{Cx, Step};
use crate::features::bookmarks;
use crate::iq::Answer;
use crate::view::{Outcome, Problem};

/// A room that is being made.
#[derive(Clone, Debug)]
pub(super) struct Making {
    name: Option<String>,
    /// Everybody may enter, and nobody learns addresses.
    public: bool,
    /// Who is to be in it from the start.
    people: Vec<BareJid>,
}

/// A room that somebody wants to be made.
#[derive(Debug)]
pub(super) struct Wanted {
    /// The request that ends with the room.
    pub(super) number: u64,
    /// Where, if that was chosen.
    pub(super) address: Option<BareJid>,
    pub(super) name: Option<String>,
    pub(super) public: bool,
    pub(super) people: Vec<BareJid>,
}

/// Begins with an address that nobody has, unless one was chosen; when the place for rooms is still
/// being looked for, after that.
pub(super) fn begin(cx: &mut Cx<'_>, wanted: Wanted) -> Step {
    let rooms = &mut cx.state.features.rooms;
    if wanted.address.is_none() && rooms.service.is_none() && rooms.searching != Some(0) {
        rooms.unplaced.push(wanted);
        return Ok(());
    }
    let Wanted { number, address, name, public, people } = wanted;
    let service = rooms.service.clone();
    let made = service.and_then(|service| {
        let local = cx.rng.id().to_lowercase();
        BareJid::new(&format!("{local}@{}", service.domain())).ok()
    });
    let Some(address) = address.or(made) else {
        let problem = "it has no service for rooms; name one on another server".to_owned();
        cx.failed(number, Problem::Unsupported(problem));
        return Ok(());
    };
    let known = cx.state.features.rooms.rooms.get(&address);
    if known.is_some_and(|room| room.kept.wanted) {
        cx.failed(number, Problem::Invalid("you are in this room already".to_owned()));
        return Ok(());
    }
    change(cx, &address, |kept| kept.wanted = true)?;
    let name = name.map(|name| join::limited(&name)).filter(|name| !name.is_empty());
    if let Some(room) = cx.state.features.rooms.rooms.get_mut(&address) {
        room.request = Some(number);
        room.making = Some(Making { name, public, people });
    }
    join::enter(cx, &address)
}

/// We are in a room that was to be made: if it is new it is configured, if not it is left.
pub(super) fn on_in(cx: &mut Cx<'_>, address: &BareJid, created: bool) -> Step {
    if !created {
        return give_up(cx, address, "a room of this address exists already");
    }
    let query = Element::new("query", ns::MUC_OWNER);
    let address = address.clone();
    cx.iq_get(Some(Jid::from(address.clone())), query, move |cx, answer| {
        let form = answer.payload("query", ns::MUC_OWNER).and_then(Form::child_of);
        let making = cx.state.features.rooms.rooms.get(&address).and_then(|one| one.making.clone());
        let (Some(form), Some(making)) = (form, making) else {
            return give_up(cx, &address, "the room cannot be configured");
        };
        let form = filled(&form, &making);
        let query = Element::new("query", ns::MUC_OWNER).with_child(form.to_element());
        cx.iq_set(Some(Jid::from(address.clone())), query, move |cx, answer| match answer {
            Answer::Result(_) => on_configured(cx, &address, making),
            _ => give_up(cx, &address, "the room cannot be configured"),
        })
    })
}

/// The room's own form with what matters to us; a private group is for members only, everybody in
/// it knows who the others are, and it stays when nobody is there.
fn filled(form: &Form, making: &Making) -> Form {
    let truth = |value: bool| if value { "1" } else { "0" }.to_owned();
    let whois = if making.public { "moderators" } else { "anyone" };
    let mut wanted = vec![
        ("muc#roomconfig_persistentroom", truth(true)),
        ("muc#roomconfig_membersonly", truth(!making.public)),
        ("muc#roomconfig_publicroom", truth(making.public)),
        ("muc#roomconfig_whois", whois.to_owned()),
        ("muc#roomconfig_enablearchiving", truth(true)),
        ("mam", truth(true)),
    ];
    if !making.public {
        // Nobody knows its address but from its members, and admins decide.
        wanted.push(("x-roomconfig_membership_requests", truth(true)));
    }
    if let Some(name) = &making.name {
        wanted.push(("muc#roomconfig_roomname", name.clone()));
    }
    let known = |name: &str| form.field(name).is_some();
    let wanted = wanted.into_iter().filter(|(name, _)| known(name));
    wanted.fold(Form::typed(FormType::Submit, ns::MUC_ROOM_CONFIG), |form, (name, value)| {
        form.with_field(Field::untyped(name).with_value(value))
    })
}

/// Looks whether the room is what was wanted, then lets the others in.
fn on_configured(cx: &mut Cx<'_>, address: &BareJid, making: Making) -> Step {
    let query = Element::new("query", ns::DISCO_INFO);
    let address = address.clone();
    cx.iq_get(Some(Jid::from(address.clone())), query, move |cx, answer| {
        join::learn(cx, &address, &answer)?;
        if !making.public && !super::is_private(cx, &address) {
            return give_up(cx, &address, "the service cannot make rooms for members only");
        }
        join::settle(cx, &address)?;
        for person in making.people {
            add(cx, &address, person)?;
        }
        bookmarks::enter_by_itself(cx, &address, making.name)
    })
}

/// Makes somebody a member and invites them.
fn add(cx: &mut Cx<'_>, address: &BareJid, person: BareJid) -> Step {
    let jid = Some(Jid::from(person.clone()));
    let item = Item { jid, affiliation: Some(Affiliation::Member), ..Item::default() };
    let room = address.clone();
    members::set(cx, address, &item, move |cx, answer| {
        if let Answer::Result(_) = answer {
            members::learn(cx, &room, &person, Affiliation::Member)?;
            invite::send(cx, &room, &person, None)?;
        }
        Ok(())
    })
}

fn give_up(cx: &mut Cx<'_>, address: &BareJid, reason: &str) -> Step {
    let request =
        cx.state.features.rooms.rooms.get_mut(address).and_then(|room| room.request.take());
    if let Some(number) = request {
        cx.failed(number, Problem::Refused(reason.to_owned()));
    }
    join::leave(cx, address)
}

/// §10.9: nobody can enter it any more.
pub(super) fn destroy(
    cx: &mut Cx<'_>,
    number: u64,
    address: &BareJid,
    reason: Option<&str>,
) -> Step {
    let reason = reason.map(|text| Element::new("reason", ns::MUC_OWNER).with_text(text));
    let destroy = Element::new("destroy", ns::MUC_OWNER).with_children(reason);
    let query = Element::new("query", ns::MUC_OWNER).with_child(destroy);
    let room = address.clone();
    cx.iq_set(Some(Jid::from(address.clone())), query, move |cx, answer| {
        if let Answer::Result(_) = answer {
            join::leave(cx, &room)?;
            bookmarks::forget(cx, &room)?;
        }
        cx.done(number, answer.problem().map_or(Outcome::Done, Outcome::Failed));
        Ok(())
    })
}
