//! XEP-0045 §7.2 and §7.14, XEP-0410: entering rooms, staying in them, leaving them

use xmpp::error::Condition;
use xmpp::ext::disco::{Info, Items};
use xmpp::ext::muc::{History, Join};
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::xml::Element;

use super::{Phase, Room, begin_conversation, change, config, create, mistaken, touch};
use crate::cx::{Cx, Step};
use crate::features::{bookmarks, caps, nick, notify, roster};
use crate::iq::{Answer, describe};
use crate::omemo;
use crate::view::{Outcome, Problem};

/// Enters everything the user wants to be in, and looks for a place to make rooms.
pub(super) fn on_online(cx: &mut Cx<'_>) -> Step {
    let rooms = cx.state.features.rooms.rooms.iter();
    let wanted = rooms.filter(|(_, room)| room.kept.wanted).map(|(address, _)| address.clone());
    for address in wanted.collect::<Vec<_>>() {
        enter(cx, &address)?;
    }
    find_service(cx)?;
    watch(cx);
    Ok(())
}

/// While the connection was gone the room may have lost us (XEP-0410).
pub(super) fn on_resumed(cx: &mut Cx<'_>) -> Step {
    let rooms = cx.state.features.rooms.rooms.iter();
    let inside = rooms.filter(|(_, room)| room.phase == Phase::In).map(|(one, _)| one.clone());
    for address in inside.collect::<Vec<_>>() {
        ping(cx, address)?;
    }
    watch(cx);
    Ok(())
}

/// With the session we are out of every room.
pub(super) fn on_ended(cx: &mut Cx<'_>) -> Step {
    let addresses: Vec<BareJid> = cx.state.features.rooms.rooms.keys().cloned().collect();
    for address in addresses {
        end_renaming(cx, &address, Err(Problem::Timeout))?;
        end_trial(cx, &address);
        if let Some(room) = cx.state.features.rooms.rooms.get_mut(&address) {
            out(room, Phase::Out);
            room.features.clear();
            room.suffix.clear();
        }
        touch(cx, &address);
    }
    cx.state.features.rooms.queries.clear();
    cx.state.features.rooms.service = None;
    cx.state.features.rooms.searching = None;
    Ok(())
}

/// Entering is over, one way or the other.
fn end_trial(cx: &mut Cx<'_>, address: &BareJid) {
    let room = cx.state.features.rooms.rooms.get_mut(address);
    if let Some(timer) = room.and_then(|room| room.trial.take()) {
        cx.cancel(timer);
    }
}

/// Does it after so many milliseconds, unless entering is over before.
fn in_trial(
    cx: &mut Cx<'_>,
    address: &BareJid,
    milliseconds: u64,
    then: impl FnOnce(&mut Cx<'_>, &BareJid) -> Step + Send + 'static,
) {
    end_trial(cx, address);
    let room = address.clone();
    let timer = cx.later(milliseconds, move |cx| {
        end_trial(cx, &room);
        then(cx, &room)
    });
    if let Some(room) = cx.state.features.rooms.rooms.get_mut(address) {
        room.trial = Some(timer);
    }
}

fn out(room: &mut Room, phase: Phase) {
    room.phase = phase;
    room.occupants.clear();
    room.nick = None;
    room.caught_up = false;
    room.behind = false;
    room.members_told = false;
    room.happened.clear();
    room.requests.clear();
}

/// Looks for a service for rooms on the own server.
fn find_service(cx: &mut Cx<'_>) -> Step {
    let domain = Jid::new(cx.me.domain().as_str()).ok();
    cx.state.features.rooms.searching = Some(1);
    cx.iq_get(domain, Element::new("query", ns::DISCO_ITEMS), |cx, answer| {
        let items = answer.payload("query", ns::DISCO_ITEMS).and_then(Items::parse);
        let items = items.map(|items| items.items).unwrap_or_default();
        for item in items.into_iter().take(MAX_SERVICES) {
            let Ok(service) = BareJid::new(item.jid.as_str()) else { continue };
            let query = Element::new("query", ns::DISCO_INFO);
            if let Some(open) = &mut cx.state.features.rooms.searching {
                *open += 1;
            }
            cx.iq_get(Some(item.jid), query, move |cx, answer| {
                let info = answer.payload("query", ns::DISCO_INFO).and_then(Info::parse);
                let rooms = &mut cx.state.features.rooms;
                if info.is_some_and(|info| info.has_feature(ns::MUC)) && rooms.service.is_none() {
                    rooms.service = Some(service);
                }
                answered(cx)
            })?;
        }
        answered(cx)
    })
}

/// One question about the place for rooms less. What waits for it goes on when it is found, or when
/// there is nobody left to ask.
fn answered(cx: &mut Cx<'_>) -> Step {
    let rooms = &mut cx.state.features.rooms;
    let open = rooms.searching.unwrap_or_default().saturating_sub(1);
    rooms.searching = Some(open);
    if rooms.service.is_none() && open > 0 {
        return Ok(());
    }
    for wanted in std::mem::take(&mut rooms.unplaced) {
        create::begin(cx, wanted)?;
    }
    Ok(())
}

/// The list of the account changed: what devices enter by themselves is entered, what they do not
/// any more is left (XEP-0402 §3.1 and §4).
pub(crate) fn on_bookmarks(cx: &mut Cx<'_>, left: &[BareJid]) -> Step {
    for address in left {
        if super::is_room(cx, address) {
            leave(cx, address)?;
        }
    }
    for bookmark in bookmarks::all(cx).into_iter().filter(|bookmark| bookmark.autojoin) {
        let known = cx.state.features.rooms.rooms.get(&bookmark.room);
        if known.is_some_and(|room| room.kept.wanted) {
            continue;
        }
        change(cx, &bookmark.room, |kept| {
            kept.wanted = true;
            kept.invited = None;
        })?;
        enter(cx, &bookmark.room)?;
    }
    Ok(())
}

/// Asks what the room is, then enters it.
pub(super) fn enter(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    if !cx.online() {
        return Ok(());
    }
    let Some(room) = cx.state.features.rooms.rooms.get_mut(address) else { return Ok(()) };
    if matches!(room.phase, Phase::Entering | Phase::In) {
        return Ok(());
    }
    room.phase = Phase::Entering;
    room.tries = room.tries.wrapping_add(1);
    let (tries, making) = (room.tries, room.making.is_some());
    touch(cx, address);
    in_trial(cx, address, ENTER_TIMEOUT, |cx, address| later(cx, address, SILENT));
    if making {
        return present(cx, address);
    }
    let query = Element::new("query", ns::DISCO_INFO);
    let address = address.clone();
    cx.iq_get(Some(Jid::from(address.clone())), query, move |cx, answer| {
        if !is_entering(cx, &address, tries) {
            return Ok(());
        }
        match &answer {
            Answer::Result(_) => {
                learn(cx, &address, &answer)?;
                match mistaken::is_proven(cx, &address) {
                    true => present(cx, &address),
                    // Somebody else would see that we are there.
                    false => refuse(cx, &address, "there is no such room"),
                }
            }
            Answer::Error(error) if is_passing(error.condition) => {
                later(cx, &address, &describe(error))
            }
            Answer::Error(error) if is_nothing(cx, &address, error.condition) => {
                refuse(cx, &address, "there is no such room")
            }
            Answer::Error(error) => refuse(cx, &address, &describe(error)),
            Answer::Lost => later(cx, &address, SILENT),
        }
    })
}

/// Whether an error says that there is no room: also what servers say for the address of a person.
fn is_nothing(cx: &Cx<'_>, address: &BareJid, condition: Condition) -> bool {
    match condition {
        Condition::ItemNotFound => true,
        Condition::ServiceUnavailable | Condition::FeatureNotImplemented => {
            !mistaken::is_proven(cx, address)
        }
        _ => false,
    }
}

/// A room invites us. Who asked it to be let in is: tries once more, but not as often as somebody likes.
pub(super) fn on_called(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    let now = cx.now.steady;
    let Some(room) = cx.state.features.rooms.rooms.get_mut(address) else { return Ok(()) };
    let lately = room.called.is_some_and(|called| now.saturating_sub(called) < RETRY);
    if room.kept.applied.is_none() || lately {
        return Ok(());
    }
    room.called = Some(now);
    enter_again(cx, address)
}

/// What kept us out may be over: tries once more.
pub(super) fn enter_again(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    let room = cx.state.features.rooms.rooms.get(address);
    let refused = |room: &Room| room.kept.wanted && matches!(room.phase, Phase::Refused(_));
    if room.is_some_and(refused) { enter(cx, address) } else { Ok(()) }
}

fn is_entering(cx: &Cx<'_>, address: &BareJid, tries: u32) -> bool {
    let room = cx.state.features.rooms.rooms.get(address);
    room.is_some_and(|room| room.phase == Phase::Entering && room.tries == tries)
}

/// Whether an error says nothing about the room, and may be gone later.
pub(super) fn is_passing(condition: Condition) -> bool {
    matches!(
        condition,
        Condition::RemoteServerNotFound
            | Condition::RemoteServerTimeout
            | Condition::ResourceConstraint
    )
}

/// The room cannot be reached now: tries again. Who waits to enter learns why it takes so long; where
/// nobody knows whether there is a room at all, that is the end of it.
pub(super) fn later(cx: &mut Cx<'_>, address: &BareJid, reason: &str) -> Step {
    end_renaming(cx, address, Err(Problem::Timeout))?;
    let online = cx.online() && cx.state.link.session.is_some();
    let proven = mistaken::is_proven(cx, address);
    let Some(room) = cx.state.features.rooms.rooms.get_mut(address) else { return Ok(()) };
    // Without a session the next one goes on; what is being made is waited for.
    let told = online && room.making.is_none();
    if told && room.request.is_some() && !proven {
        return refuse(cx, address, reason);
    }
    out(room, Phase::Out);
    if let Some(number) = room.request.take_if(|_| told) {
        cx.failed(number, Problem::Refused(reason.to_owned()));
    }
    touch(cx, address);
    in_trial(cx, address, RETRY, |cx, address| {
        let room = cx.state.features.rooms.rooms.get(address);
        if room.is_some_and(|room| room.kept.wanted) { enter(cx, address) } else { Ok(()) }
    });
    Ok(())
}

/// The room does not let us in, or put us out. What the user waits for ends.
pub(super) fn refuse(cx: &mut Cx<'_>, address: &BareJid, reason: &str) -> Step {
    end_renaming(cx, address, Err(Problem::Refused(reason.to_owned())))?;
    end_trial(cx, address);
    let Some(room) = cx.state.features.rooms.rooms.get_mut(address) else { return Ok(()) };
    out(room, Phase::Refused(reason.to_owned()));
    room.making = None;
    if let Some(number) = room.request.take() {
        cx.failed(number, Problem::Refused(reason.to_owned()));
    }
    change(cx, address, |kept| kept.offered = None)?;
    // What waits to be sent there has to say so.
    cx.wake_outbox();
    mistaken::forget_if_nothing(cx, address)
}

/// What the room says about itself.
pub(super) fn learn(cx: &mut Cx<'_>, address: &BareJid, answer: &Answer) -> Step {
    let info = answer.payload("query", ns::DISCO_INFO).and_then(Info::parse);
    let Some(info) = info else { return Ok(()) };
    let conference = info.identities.iter().any(|one| one.category == "conference");
    let is_room = conference || info.has_feature(ns::MUC);
    if !is_room && !mistaken::is_proven(cx, address) {
        return Ok(());
    }
    let open = !info.has_feature("muc_membersonly");
    let anonymous = !info.has_feature("muc_nonanonymous");
    let identities = info.identities.iter();
    let named =
        identities.filter(|one| one.category == "conference").find_map(|one| one.name.clone());
    let name = named.map(|name| limited(&name)).filter(|name| !name.is_empty());
    if let Some(room) = cx.state.features.rooms.rooms.get_mut(address) {
        room.features = info.features.iter().take(MAX_FEATURES).cloned().collect();
    }
    change(cx, address, |kept| {
        (kept.open, kept.anonymous) = (open, anonymous);
        kept.private = !open && !anonymous;
        kept.proven |= is_room;
    })?;
    config::named(cx, address, name)?;
    config::look_at_picture(cx, address, &info)?;
    omemo::look_at(cx, address)?;
    cx.wake_outbox();
    Ok(())
}

/// Asks what a room is that was not entered.
pub(super) fn look_from_outside(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    let address = address.clone();
    let query = Element::new("query", ns::DISCO_INFO);
    cx.iq_get(Some(Jid::from(address.clone())), query, move |cx, answer| {
        learn(cx, &address, &answer)
    })
}

/// The room is different from what it was: asks again.
pub(super) fn refresh(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    let query = Element::new("query", ns::DISCO_INFO);
    let address = address.clone();
    cx.iq_get(Some(Jid::from(address.clone())), query, move |cx, answer| {
        learn(cx, &address, &answer)?;
        super::members::fetch(cx, &address)
    })
}

/// One line without what could disguise it.
pub(crate) fn limited(text: &str) -> String {
    let shown = text.chars().filter(|letter| !letter.is_control() && !nick::turns(*letter));
    shown.take(MAX_NAME_CHARS).collect::<String>().trim().to_owned()
}

/// The nickname that is wanted: the one chosen, the one kept in the list, or the account's own.
pub(super) fn wanted_nick(cx: &Cx<'_>, address: &BareJid) -> String {
    let room = cx.state.features.rooms.rooms.get(address);
    let chosen = room.and_then(|room| room.kept.nick.clone());
    let kept = || bookmarks::get(cx, address).and_then(|bookmark| bookmark.nick);
    let own = || roster::contact(cx, cx.me).nickname;
    let local = || cx.me.node().map(ToString::to_string);
    let nick = chosen.or_else(kept).or_else(own).or_else(local);
    nick.filter(|nick| !nick.trim().is_empty()).unwrap_or_else(|| "guest".to_owned())
}

/// Goes in (§7.2.2).
fn present(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    let nick = wanted_nick(cx, address);
    let listed = bookmarks::get(cx, address).and_then(|bookmark| bookmark.password);
    let Some(room) = cx.state.features.rooms.rooms.get(address) else { return Ok(()) };
    let Ok(to) = address.with_resource_str(&format!("{nick}{}", room.suffix)) else {
        return refuse(cx, address, "this nickname cannot be used");
    };
    // What was missed comes from the archive, with its ids and in its order.
    let most = if room.has(ns::MAM) { 0 } else { HISTORY };
    let join = Join {
        password: room.kept.offered.clone().or_else(|| room.kept.password.clone()).or(listed),
        history: History { max_stanzas: Some(most), ..History::default() },
        affiliations: None,
    };
    let presence = Element::new("presence", ns::CLIENT)
        .with_attr("to", to.to_string())
        .with_child(join.to_element())
        .with_child(caps::own(cx).to_element());
    cx.send(&presence);
    Ok(())
}

/// The nickname is somebody else's: takes another one.
pub(super) fn rename(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    let Some(room) = cx.state.features.rooms.rooms.get_mut(address) else { return Ok(()) };
    if room.suffix.len() >= MAX_SUFFIX {
        return refuse(cx, address, "this nickname is taken");
    }
    room.suffix.push('_');
    present(cx, address)
}

/// The room calls us something else now, or does not: what the user waits for ends.
pub(super) fn end_renaming(
    cx: &mut Cx<'_>,
    address: &BareJid,
    nick: Result<String, Problem>,
) -> Step {
    let Some(room) = cx.state.features.rooms.rooms.get_mut(address) else { return Ok(()) };
    let Some(number) = room.renaming.take() else { return Ok(()) };
    match nick {
        Ok(nick) => {
            cx.done(number, Outcome::Done);
            change(cx, address, |kept| kept.nick = Some(nick))
        }
        Err(problem) => {
            cx.failed(number, problem);
            Ok(())
        }
    }
}

/// We are in.
pub(super) fn on_in(cx: &mut Cx<'_>, address: &BareJid, nick: &str, created: bool) -> Step {
    let now = cx.now.steady;
    end_trial(cx, address);
    let Some(room) = cx.state.features.rooms.rooms.get_mut(address) else { return Ok(()) };
    room.phase = Phase::In;
    room.nick = Some(nick.to_owned());
    room.heard = now;
    touch(cx, address);
    if let Some(room) = cx.state.features.rooms.rooms.get(address)
        && room.making.is_some()
    {
        return super::create::on_in(cx, address, created);
    }
    settle(cx, address)
}

/// Everything is as it should be: what was missed is fetched, and who the members are.
pub(super) fn settle(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    let Some(room) = cx.state.features.rooms.rooms.get_mut(address) else { return Ok(()) };
    let (request, private) = (room.request.take(), room.kept.private);
    // What was made is put into the list by who made it, with its name.
    let made = room.making.take();
    let first = !std::mem::replace(&mut room.kept.entered, true);
    let protected = room.has(PASSWORD_PROTECTED);
    let mut invited = None;
    change(cx, address, |kept| {
        invited = kept.invited.take();
        kept.applied = None;
        // Where no password is wanted it was the secret of a link, which has done what it is for.
        let worked = kept.offered.take().filter(|_| protected);
        kept.password = worked.or(kept.password.take());
    })?;
    if invited.is_some() {
        super::invite::tell_devices(cx, address)?;
    }
    begin_conversation(cx, address, first, private)?;
    notify::on_entered(cx, address)?;
    if made.is_none() && (first || request.is_some()) {
        bookmarks::enter_by_itself(cx, address, None)?;
    }
    if let Some(number) = request {
        cx.done(number, Outcome::Room(address.clone()));
    }
    super::members::fetch(cx, address)?;
    super::archive::forward(cx, address)?;
    cx.wake_outbox();
    Ok(())
}

/// Leaves, and stays out.
pub(super) fn leave(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    end_renaming(cx, address, Err(Problem::Cancelled))?;
    end_trial(cx, address);
    let Some(room) = cx.state.features.rooms.rooms.get_mut(address) else { return Ok(()) };
    let nick = room.nick.clone().filter(|_| room.phase == Phase::In);
    out(room, Phase::Out);
    room.making = None;
    if let Some(number) = room.request.take() {
        cx.failed(number, Problem::Cancelled);
    }
    if let Some(to) = nick.and_then(|nick| address.with_resource_str(&nick).ok()) {
        let presence = Element::new("presence", ns::CLIENT)
            .with_attr("to", to.to_string())
            .with_attr("type", "unavailable");
        cx.send(&presence);
    }
    change(cx, address, |kept| {
        kept.wanted = false;
        kept.invited = None;
        kept.offered = None;
        kept.applied = None;
    })
}

/// Looks from time to time whether rooms that are silent still have us.
fn watch(cx: &mut Cx<'_>) {
    if let Some(timer) = cx.state.features.rooms.watch.take() {
        cx.cancel(timer);
    }
    let timer = cx.later(WATCH, look);
    cx.state.features.rooms.watch = Some(timer);
}

fn look(cx: &mut Cx<'_>) -> Step {
    cx.state.features.rooms.watch = None;
    if !cx.online() {
        // The session looks when it goes on, and the next one enters anew.
        return Ok(());
    }
    let now = cx.now.steady;
    let rooms = cx.state.features.rooms.rooms.iter();
    let silent = rooms
        .filter(|(_, room)| room.phase == Phase::In && now.saturating_sub(room.heard) >= SILENCE);
    for address in silent.map(|(address, _)| address.clone()).collect::<Vec<_>>() {
        ping(cx, address)?;
    }
    watch(cx);
    Ok(())
}

/// XEP-0410, "Performing a Self-Ping": a question to our own occupant.
fn ping(cx: &mut Cx<'_>, address: BareJid) -> Step {
    let room = cx.state.features.rooms.rooms.get(&address);
    let nick = room.and_then(|room| room.nick.clone());
    let Some(to) = nick.and_then(|nick| address.with_resource_str(&nick).ok()) else {
        return Ok(());
    };
    cx.iq_get(Some(to.into()), Element::new("ping", ns::PING), move |cx, answer| {
        let now = cx.now.steady;
        let inside = match &answer {
            Answer::Result(_) => true,
            // Another of our devices is there, or answered in its own way.
            Answer::Error(error) => match error.condition {
                Condition::ServiceUnavailable
                | Condition::FeatureNotImplemented
                | Condition::ItemNotFound => true,
                // It says nothing; the next question may.
                condition if is_passing(condition) => return Ok(()),
                _ => false,
            },
            Answer::Lost => return Ok(()),
        };
        let Some(room) = cx.state.features.rooms.rooms.get_mut(&address) else { return Ok(()) };
        if room.phase != Phase::In {
            return Ok(());
        }
        if inside {
            room.heard = now;
            return Ok(());
        }
        out(room, Phase::Out);
        end_renaming(cx, &address, Err(Problem::Timeout))?;
        enter(cx, &address)
    })
}

/// Why nobody knows what is the matter with a room.
pub(super) const SILENT: &str = "the server does not answer";
/// Milliseconds: how long a room may take to let us in, when to try again, how long it may be silent,
/// and how often that is looked at.
const ENTER_TIMEOUT: u64 = 60_000;
const RETRY: u64 = 60_000;
const SILENCE: u64 = 10 * 60_000;
const WATCH: u64 = 60_000;
/// Messages of the past that a room without an archive may send.
const HISTORY: u64 = 50;
/// The feature of a room that wants a password (§15.3).
pub(super) const PASSWORD_PROTECTED: &str = "muc_passwordprotected";
/// Features of a room that are remembered.
const MAX_FEATURES: usize = 200;
/// Services of the own server that are asked.
const MAX_SERVICES: usize = 20;
/// How often a taken nickname is changed.
pub(super) const MAX_SUFFIX: usize = 4;
/// Longest name or subject that is shown.
const MAX_NAME_CHARS: usize = 500;

#[cfg(test)]
mod tests {
    use super::limited;

    #[test]
    fn what_a_room_says_turns_nothing_round() {
        assert_eq!(limited("\u{202e}\u{2067}balcony\n"), "balcony");
    }
}
