//! People who ask to become members of a group, and what its admins say to that.

use client::Command;
use client::store::{Content, Event};
use client::view::{Affiliation, JoinRequest, Outcome, Problem, RoomState};
use xmpp::error::Condition;
use xmpp::ext::form::{Field, Form, FormType};
use xmpp::ns;
use xmpp::xml::Element;

use crate::rooms::{conversation, group, join, room};
use crate::server::bare;
use crate::world::World;

const MERCUTIO: &str = "mercutio@example.net";

/// A group of Romeo's, with Juliet in it, and Mercutio, who found it closed.
fn closed(asking: bool) -> (World, [usize; 3], String) {
    let (mut world, romeo, juliet, group) = group();
    world.server.add_account(MERCUTIO, "rapier");
    let mercutio = world.online(MERCUTIO, &[]);
    let asked = asking.then(Default::default);
    world.server.rooms.get_mut(&bare(&group)).unwrap().requests = asked;
    let refused = world.run(mercutio, join(&group, "Mercutio"));
    let words = "only members may enter; one of them can invite you".to_owned();
    assert_eq!(refused, Some(Outcome::Failed(Problem::Refused(words))));
    (world, [romeo, juliet, mercutio], group)
}

fn ask(group: &str) -> Command {
    Command::AskToJoin { room: bare(group), nick: None, words: Some("it is me".into()) }
}

fn answer(group: &str, allow: bool) -> Command {
    let person = Some(bare(MERCUTIO));
    Command::AnswerJoinRequest { room: bare(group), nick: "Mercutio".into(), person, allow }
}

#[test]
fn who_asks_is_let_in_when_an_admin_agrees() {
    let (mut world, [romeo, juliet, mercutio], group) = closed(true);
    assert_eq!(world.run(mercutio, ask(&group)), Some(Outcome::Done));
    let words = Some("it is me".to_owned());
    let request = JoinRequest { nick: "Mercutio".into(), address: Some(bare(MERCUTIO)), words };
    assert_eq!(room(&world, romeo, &group).requests, std::slice::from_ref(&request));
    assert_eq!(room(&world, juliet, &group).requests, [], "who decides nothing is not asked");
    // It waits, and the room tells it when an admin comes again.
    world.crash(romeo);
    world.pass(20_000);
    assert_eq!(room(&world, romeo, &group).requests, [request]);
    assert_eq!(world.run(romeo, answer(&group, true)), Some(Outcome::Done));
    world.pass(20_000);
    assert_eq!(room(&world, romeo, &group).requests, []);
    assert_eq!(room(&world, mercutio, &group).state, RoomState::In);
    assert!(conversation(&world, mercutio, &group).readers.theirs > 0);
    let again = world.run(romeo, answer(&group, true));
    assert_eq!(again, Some(Outcome::Failed(Problem::Unknown("request"))));
}

#[test]
fn who_is_not_wanted_stays_out() {
    let (mut world, [romeo, _, mercutio], group) = closed(true);
    world.run(mercutio, ask(&group));
    assert_eq!(world.run(romeo, answer(&group, false)), Some(Outcome::Done));
    world.pass(20_000);
    assert_eq!(room(&world, romeo, &group).requests, []);
    assert!(matches!(room(&world, mercutio, &group).state, RoomState::Refused(_)));
}

#[test]
fn a_room_that_nobody_can_ask_says_so() {
    let (mut world, [_, _, mercutio], group) = closed(false);
    let words = "this room lets nobody in who asks".to_owned();
    let outcome = world.run(mercutio, ask(&group));
    assert_eq!(outcome, Some(Outcome::Failed(Problem::Refused(words))));
}

#[test]
fn only_the_room_itself_tells_who_asks() {
    let (mut world, [romeo, ..], group) = closed(true);
    let form = Form::typed(FormType::Form, ns::MUC_REGISTER)
        .with_field(Field::untyped("muc#register_roomnick").with_value("Tybalt"))
        .with_field(Field::untyped("muc#register_allow").with_bool(false));
    let mut senders = vec![format!("{group}/Juliet"), MERCUTIO.to_owned()];
    senders.push("square@rooms.example.net".to_owned());
    for from in senders {
        let message = Element::new("message", ns::CLIENT)
            .with_attr("from", from)
            .with_child(form.to_element());
        for session in world.server.sessions_of(&bare("romeo@example.net")) {
            world.server.deliver(&session, &message);
        }
        world.settle();
        assert_eq!(room(&world, romeo, &group).requests, []);
    }
}

#[test]
fn an_answer_that_the_room_does_not_take_is_none() {
    let (mut world, [romeo, _, mercutio], group) = closed(true);
    world.run(mercutio, ask(&group));
    let refuse = |world: &mut World, condition| {
        world.server.rooms.get_mut(&bare(&group)).unwrap().undecided = condition;
    };
    refuse(&mut world, Some(Condition::Forbidden));
    for allow in [true, false] {
        let outcome = world.run(romeo, answer(&group, allow));
        assert!(matches!(outcome, Some(Outcome::Failed(Problem::Refused(_)))), "{outcome:?}");
        assert_eq!(room(&world, romeo, &group).requests.len(), 1, "it waits");
    }
    // Another admin was faster.
    refuse(&mut world, Some(Condition::ItemNotFound));
    let outcome = world.run(romeo, answer(&group, true));
    assert_eq!(outcome, Some(Outcome::Failed(Problem::Unknown("request"))));
    assert_eq!(room(&world, romeo, &group).requests, []);
}

/// What the room tells Romeo of somebody who asks.
fn tell(world: &mut World, group: &str, nick: &str, who: &str) {
    let form = Form::typed(FormType::Form, ns::MUC_REGISTER)
        .with_field(Field::untyped("x-register_jid").with_value(who))
        .with_field(Field::untyped("muc#register_roomnick").with_value(nick))
        .with_field(Field::untyped("muc#register_allow").with_bool(false));
    let message =
        Element::new("message", ns::CLIENT).with_attr("from", group).with_child(form.to_element());
    for session in world.server.sessions_of(&bare("romeo@example.net")) {
        world.server.deliver(&session, &message);
    }
    world.settle();
}

#[test]
fn an_answer_is_for_the_address_that_was_shown() {
    let (mut world, [romeo, ..], group) = closed(true);
    tell(&mut world, &group, "Mercutio\u{202e}", MERCUTIO);
    let shown = room(&world, romeo, &group).requests;
    assert_eq!(shown[0].nick, "Mercutio", "nothing turns the address round");
    tell(&mut world, &group, "Mercutio", "tybalt@example.net");
    let shown = room(&world, romeo, &group).requests;
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].address, Some(bare("tybalt@example.net")));
    let outcome = world.run(romeo, answer(&group, true));
    assert_eq!(outcome, Some(Outcome::Failed(Problem::Unknown("request"))));
}

#[test]
fn who_decides_hears_once_that_somebody_asks() {
    let (mut world, [romeo, juliet, mercutio], group) = closed(true);
    world.devices[romeo].notifications.clear();
    world.run(mercutio, ask(&group));
    let told = |world: &World, device: usize| {
        let messages = world.messages(device, &group).into_iter();
        let asks = messages.filter(|one| matches!(one.content, Content::Event(Event::Asks { .. })));
        asks.count()
    };
    assert_eq!(world.devices[romeo].notifications.len(), 1);
    assert_eq!([told(&world, romeo), told(&world, juliet)], [1, 0]);
    world.crash(romeo);
    world.pass(20_000);
    assert_eq!(room(&world, romeo, &group).requests.len(), 1);
    assert_eq!([told(&world, romeo), world.devices[romeo].notifications.len()], [1, 1]);
}

#[test]
fn asking_leads_on_and_can_be_taken_back() {
    let (mut world, [_, _, mercutio], group) = closed(true);
    let asked = |world: &World| room(world, mercutio, &group).asked.is_some();
    let waiting = |world: &World| {
        let requests = world.server.rooms[&bare(&group)].requests.clone().unwrap();
        requests.into_iter().map(|(nick, who)| (nick, who.to_string())).collect::<Vec<_>>()
    };
    let take_back = || Command::WithdrawJoinRequest(bare(&group));
    assert_eq!(
        world.run(mercutio, take_back()),
        Some(Outcome::Failed(Problem::Unknown("request")))
    );
    // Somebody else wants the name.
    let requests = &mut world.server.rooms.get_mut(&bare(&group)).unwrap().requests;
    requests.get_or_insert_default().insert("Mercutio".into(), bare("tybalt@example.net"));
    assert_eq!(world.run(mercutio, ask(&group)), Some(Outcome::Done));
    assert!(asked(&world) && waiting(&world).contains(&("Mercutio_".into(), MERCUTIO.into())));
    world.crash(mercutio);
    world.pass(20_000);
    assert!(asked(&world));
    assert_eq!(world.run(mercutio, take_back()), Some(Outcome::Done));
    assert!(!asked(&world) && waiting(&world).len() == 1);
    // With the name that was typed; and who was made a member meanwhile goes in.
    let nick = Some("Merc".to_owned());
    world.run(mercutio, Command::AskToJoin { room: bare(&group), nick, words: None });
    assert!(waiting(&world).contains(&("Merc".into(), MERCUTIO.into())));
    let known = world.server.rooms.get_mut(&bare(&group)).unwrap();
    known.affiliations.insert(bare(MERCUTIO), Affiliation::Member);
    assert_eq!(world.run(mercutio, ask(&group)), Some(Outcome::Done));
    world.settle();
    assert_eq!(room(&world, mercutio, &group).state, RoomState::In);
    assert!(!asked(&world));
}

#[test]
fn an_invitation_lets_who_asked_try_again_and_nobody_else() {
    let (mut world, [_, _, mercutio], group) = closed(true);
    let invite = |world: &mut World| {
        let invite = Element::new("invite", ns::MUC_USER).with_attr("from", "romeo@example.net");
        let message = Element::new("message", ns::CLIENT)
            .with_attr("from", &group)
            .with_child(Element::new("x", ns::MUC_USER).with_child(invite));
        for session in world.server.sessions_of(&bare(MERCUTIO)) {
            world.server.deliver(&session, &message);
        }
        world.settle();
        room(world, mercutio, &group).state
    };
    let make = |world: &mut World, affiliation| {
        let room = world.server.rooms.get_mut(&bare(&group)).unwrap();
        room.affiliations.insert(bare(MERCUTIO), affiliation);
    };
    make(&mut world, Affiliation::Member);
    assert!(matches!(invite(&mut world), RoomState::Refused(_)), "he did not ask");
    make(&mut world, Affiliation::None);
    assert_eq!(world.run(mercutio, ask(&group)), Some(Outcome::Done));
    assert!(matches!(invite(&mut world), RoomState::Refused(_)), "he is none yet");
    make(&mut world, Affiliation::Member);
    assert!(matches!(invite(&mut world), RoomState::Refused(_)), "that was just now");
    world.pass(61_000);
    assert_eq!(invite(&mut world), RoomState::In);
}
