//! Web Push: what the server is told, when, and what becomes of it when it refuses.

use client::Command;
use client::command::PushSubscription;
use client::view::{Outcome, Problem};
use xmpp::error::Condition;
use xmpp::ext::disco::Info;
use xmpp::ext::form::{Field, Form, FormType};
use xmpp::ns;
use xmpp::xml::Element;

use crate::world::World;

const ROMEO: &str = "romeo@example.net";

fn subscription(endpoint: &str) -> Command {
    Command::SetPush(Some(PushSubscription {
        endpoint: endpoint.to_owned(),
        p256dh: "a public key".to_owned(),
        auth: "a secret".to_owned(),
    }))
}

/// Romeo, on a server that wakes people.
fn romeo() -> (World, usize) {
    let mut world = World::new();
    world.server.answers.insert(ns::PUSH.into(), Ok(None));
    let romeo = world.online(ROMEO, &[]);
    (world, romeo)
}

/// What the server was told about pushes since the last look.
fn told(world: &mut World) -> Vec<Element> {
    let seen = std::mem::take(&mut world.server.seen);
    let payloads = seen.iter().filter_map(Element::first_child);
    payloads.filter(|payload| payload.ns() == ns::PUSH).cloned().collect()
}

fn endpoint(enable: &Element) -> String {
    let form = Form::child_of(enable).unwrap();
    assert_eq!(form.form_type(), Some(ns::WEB_PUSH));
    assert_eq!(form.value("p256dh"), Some("a public key"));
    assert_eq!(form.value("auth"), Some("a secret"));
    form.value("endpoint").unwrap().to_owned()
}

fn reconnect(world: &mut World, device: usize) {
    world.run(device, Command::Disconnect);
    world.run(device, Command::Reconnect);
}

#[test]
fn the_key_of_the_server_is_what_it_says() {
    let (mut world, romeo) = romeo();
    let info = |form: Option<Form>| {
        let info = Info::new().to_element().with_children(form.map(|form| form.to_element()));
        Ok(Some(info))
    };
    let form = Form::typed(FormType::Result, ns::WEB_PUSH);
    let named = form.clone().with_field(Field::untyped("vapid").with_value("BPublic"));
    world.server.answers.insert(ns::DISCO_INFO.into(), info(Some(named)));
    let outcome = world.run(romeo, Command::PushKey);
    assert_eq!(outcome, Some(Outcome::Text("BPublic".into())));
    for nothing in [None, Some(form)] {
        world.server.answers.insert(ns::DISCO_INFO.into(), info(nothing));
        let outcome = world.run(romeo, Command::PushKey);
        assert!(matches!(outcome, Some(Outcome::Failed(Problem::Unsupported(_)))), "{outcome:?}");
    }
}

#[test]
fn the_server_is_told_at_once_and_with_every_session() {
    let (mut world, romeo) = romeo();
    told(&mut world);
    assert_eq!(world.run(romeo, subscription("https://push.example/1")), Some(Outcome::Done));
    let [first] = &told(&mut world)[..] else { panic!() };
    assert!(first.is("enable", ns::PUSH));
    assert_eq!(first.attr("jid"), Some("example.net"));
    assert!(first.attr("node").is_some_and(|node| node.len() >= 8));
    assert_eq!(endpoint(first), "https://push.example/1");
    reconnect(&mut world, romeo);
    assert_eq!(told(&mut world), std::slice::from_ref(first));
    // Another program on this device, too.
    world.crash(romeo);
    world.pass(60_000);
    assert_eq!(told(&mut world), std::slice::from_ref(first));
}

#[test]
fn another_subscription_takes_the_place_of_the_first() {
    let (mut world, romeo) = romeo();
    world.run(romeo, subscription("https://push.example/1"));
    let first = told(&mut world).pop().unwrap();
    assert_eq!(world.run(romeo, subscription("https://push.example/2")), Some(Outcome::Done));
    let [second] = &told(&mut world)[..] else { panic!() };
    assert_eq!(endpoint(second), "https://push.example/2");
    assert_eq!(second.attr("node"), first.attr("node"), "the server knows it as the same device");
    reconnect(&mut world, romeo);
    assert_eq!(told(&mut world), std::slice::from_ref(second));
}

#[test]
fn who_is_refused_does_not_ask_with_every_session() {
    let (mut world, romeo) = romeo();
    world.server.answers.insert(ns::PUSH.into(), Err(Condition::NotAllowed));
    let outcome = world.run(romeo, subscription("https://push.example/1"));
    assert!(matches!(outcome, Some(Outcome::Failed(_))), "{outcome:?}");
    told(&mut world);
    reconnect(&mut world, romeo);
    assert_eq!(told(&mut world), []);
}

#[test]
fn when_a_change_is_refused_the_first_subscription_stays() {
    let (mut world, romeo) = romeo();
    world.run(romeo, subscription("https://push.example/1"));
    world.server.answers.insert(ns::PUSH.into(), Err(Condition::ResourceConstraint));
    let outcome = world.run(romeo, subscription("https://push.example/2"));
    assert!(matches!(outcome, Some(Outcome::Failed(_))), "{outcome:?}");
    world.server.answers.insert(ns::PUSH.into(), Ok(None));
    told(&mut world);
    reconnect(&mut world, romeo);
    let [kept] = &told(&mut world)[..] else { panic!() };
    assert_eq!(endpoint(kept), "https://push.example/1");
    // A server that does not know it any more is asked once.
    world.server.answers.insert(ns::PUSH.into(), Err(Condition::ItemNotFound));
    reconnect(&mut world, romeo);
    assert_eq!(told(&mut world).len(), 1);
    reconnect(&mut world, romeo);
    assert_eq!(told(&mut world), []);
}

#[test]
fn what_is_turned_off_stays_off() {
    let (mut world, romeo) = romeo();
    world.run(romeo, subscription("https://push.example/1"));
    let node = told(&mut world)[0].attr("node").unwrap().to_owned();
    assert_eq!(world.run(romeo, Command::SetPush(None)), Some(Outcome::Done));
    let [off] = &told(&mut world)[..] else { panic!() };
    assert!(off.is("disable", ns::PUSH) && off.attr("node") == Some(&node));
    assert_eq!(off.attr("jid"), Some("example.net"));
    reconnect(&mut world, romeo);
    assert_eq!(world.run(romeo, Command::SetPush(None)), Some(Outcome::Done));
    assert_eq!(told(&mut world), []);
}

#[test]
fn without_a_connection_the_next_session_turns_it_off() {
    let (mut world, romeo) = romeo();
    world.run(romeo, subscription("https://push.example/1"));
    world.run(romeo, Command::Disconnect);
    assert_eq!(world.run(romeo, Command::SetPush(None)), Some(Outcome::Done));
    let outcome = world.run(romeo, subscription("https://push.example/2"));
    assert_eq!(outcome, Some(Outcome::Failed(Problem::Timeout)));
    told(&mut world);
    world.crash(romeo);
    world.pass(60_000);
    world.run(romeo, Command::Reconnect);
    let [off] = &told(&mut world)[..] else { panic!() };
    assert!(off.is("disable", ns::PUSH));
    reconnect(&mut world, romeo);
    assert_eq!(told(&mut world), []);
}

#[test]
fn who_signs_out_is_not_woken_any_more() {
    let (mut world, romeo) = romeo();
    world.run(romeo, subscription("https://push.example/1"));
    let node = told(&mut world)[0].attr("node").unwrap().to_owned();
    assert_eq!(world.run(romeo, Command::Logout), Some(Outcome::Done));
    let [off] = &told(&mut world)[..] else { panic!() };
    assert!(off.is("disable", ns::PUSH) && off.attr("node") == Some(&node));
}
