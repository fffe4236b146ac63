//! People who ask to become members of a group, and what its admins say to that.

use client::Command;
use client::view::{Affiliation, JoinRequest, Outcome, Problem, RoomState};
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
    Command::AskToJoin { room: bare(group), words: Some("it is me".into()) }
}

fn answer(group: &str, allow: bool) -> Command {
    Command::AnswerJoinRequest { room: bare(group), nick: "Mercutio".into(), allow }
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
