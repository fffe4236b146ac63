//! A server that lies: nothing leaks, nothing is believed that must not be, and the user is told.

use std::cell::Cell;
use std::rc::Rc;

use client::Command;
use client::store::{Content, Delivery, Devices, Encryption, Event, TrustLevel, Version};
use omemo::MAX_SKIPPED_KEYS;
use xmpp::ext::omemo_legacy;
use xmpp::ext::omemo2;
use xmpp::ns;
use xmpp::xml::Element;

use crate::server::event;
use crate::storm::is_encrypted;
use crate::world::{Fate, World, bare};

/// Alice and Bob who have written to each other, and a device of Mallory.
pub(crate) fn three() -> (World, usize, usize, usize) {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [alice, bob, mallory] =
        ["alice/phone", "bob/laptop", "mallory/server"].map(|name| world.device(name));
    world.write(alice, "bob", "hello");
    world.write(bob, "alice", "hello");
    (world, alice, bob, mallory)
}

pub(crate) fn events(world: &World, device: usize, with: &str) -> Vec<(u32, bool)> {
    let messages = world.messages(device, with).into_iter();
    let event = |content| match content {
        Content::Event(Event::NewDevice { device, trusted, .. }) => Some((device, trusted)),
        _ => None,
    };
    messages.filter_map(|message| event(message.content)).collect()
}

#[test]
fn an_own_device_that_was_removed_comes_back() {
    let (mut world, alice, ..) = three();
    let number = world.number(alice);
    let me = bare("alice@example.org");
    for node in [ns::OMEMO_DEVICES, ns::OMEMO_LEGACY_DEVICES] {
        let list =
            &mut world.accounts.get_mut(&me).unwrap().nodes.get_mut(node).unwrap().items[0].1;
        list.retain_children(|_| false);
        world.announce(&me, node);
    }
    world.run();
    let nodes = &world.accounts[&me].nodes;
    let list = omemo2::Devices::parse(&nodes[ns::OMEMO_DEVICES].items[0].1).unwrap();
    assert_eq!(list.0.iter().map(|device| device.id).collect::<Vec<_>>(), [number]);
    let list = &nodes[ns::OMEMO_LEGACY_DEVICES].items[0].1;
    assert_eq!(omemo_legacy::DeviceList::parse(list), Some(omemo_legacy::DeviceList(vec![number])));
}

#[test]
fn a_list_that_is_fought_over_is_left_alone() {
    let (mut world, alice, ..) = three();
    let me = bare("alice@example.org");
    let empty = omemo2::Devices::default().to_element();
    for _ in 0..20 {
        world.deliver(alice, event(&me, ns::OMEMO_DEVICES, "current", &empty));
        world.run();
    }
    let notes = &world.devices[alice].notes;
    assert_eq!(notes.iter().filter(|note| note.contains("keeps changing")).count(), 1);
}

#[test]
fn lists_from_others_than_the_owner_are_not_believed() {
    let (mut world, alice, bob, _) = three();
    let owner = bare("bob@example.org");
    let list = |number| {
        let device = omemo2::Device { id: number, label: None };
        omemo2::Devices(vec![device]).to_element()
    };
    for from in ["bob@example.org/laptop", "mallory@example.org", "example.org", "bob@evil.example"]
    {
        let mut forged = event(&owner, ns::OMEMO_DEVICES, "current", &list(666));
        forged.set_attr("from", from);
        world.deliver(alice, forged);
    }
    world.run();
    let known = world.devices[alice].store.device_list(&owner, Version::Omemo2).unwrap();
    assert_eq!(known.iter().map(|entry| entry.id).collect::<Vec<_>>(), [world.number(bob)]);
}

#[test]
fn an_older_list_leaks_nothing() {
    let (mut world, alice, bob, _) = three();
    let owner = bare("bob@example.org");
    let empty = omemo2::Devices::default().to_element();
    world.deliver(alice, event(&owner, ns::OMEMO_DEVICES, "current", &empty));
    let empty = omemo_legacy::DeviceList::default().to_element();
    world.deliver(alice, event(&owner, ns::OMEMO_LEGACY_DEVICES, "current", &empty));
    world.run();
    world.write(alice, "bob", "to nobody");
    assert!(!world.ever_sent(alice, "to nobody"));
    let last = world.messages(alice, "bob").pop().unwrap();
    assert_eq!(last.delivery, Some(Delivery::Queued));
    for node in [ns::OMEMO_DEVICES, ns::OMEMO_LEGACY_DEVICES] {
        world.announce(&owner, node);
    }
    world.run();
    assert_eq!(world.texts(bob, "alice").last().unwrap(), "to nobody");
    assert!(!world.ever_sent(alice, "to nobody"));
}

#[test]
fn a_bundle_that_is_signed_by_another_key_is_not_used() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [alice, _, _] = ["alice/phone", "bob/laptop", "mallory/server"].map(|it| world.device(it));
    let from =
        world.accounts[&bare("mallory@example.org")].nodes[ns::OMEMO_BUNDLES].items[0].1.clone();
    let stolen = omemo2::Bundle::parse(&from).unwrap();
    let account = world.accounts.get_mut(&bare("bob@example.org")).unwrap();
    account.nodes.retain(|name, _| !name.starts_with(ns::OMEMO_LEGACY));
    let bundle = &mut account.nodes.get_mut(ns::OMEMO_BUNDLES).unwrap().items[0].1;
    let mut swapped = omemo2::Bundle::parse(bundle).unwrap();
    swapped.signed_prekey = stolen.signed_prekey;
    *bundle = swapped.to_element();
    world.restart(alice);
    world.write(alice, "bob", "for Bob alone");
    assert!(!world.ever_sent(alice, "for Bob alone"));
    let last = world.messages(alice, "bob").pop().unwrap();
    assert!(matches!(last.delivery, Some(Delivery::Failed(_))), "{last:?}");
}

#[test]
fn carbons_and_archives_of_others_are_not_believed() {
    let (mut world, alice, ..) = three();
    let inner = "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' \
                 type='chat' from='alice@example.org/x' to='bob@example.org'><body>forged</body>\
                 </message></forwarded>";
    for wrapper in [
        format!("<sent xmlns='urn:xmpp:carbons:2'>{inner}</sent>"),
        format!("<received xmlns='urn:xmpp:carbons:2'>{inner}</received>"),
        format!("<result xmlns='urn:xmpp:mam:2' id='1' queryid='q'>{inner}</result>"),
    ] {
        for from in ["bob@example.org", "mallory@example.org/server", "example.org"] {
            let xml = format!("<message xmlns='jabber:client' from='{from}'>{wrapper}</message>");
            let forged = Element::parse(xml.as_bytes(), &xmpp::xml::Limits::CLIENT).unwrap();
            world.deliver(alice, forged);
        }
    }
    world.run();
    assert_eq!(world.texts(alice, "bob"), ["hello", "hello"]);
}

#[test]
fn plain_text_that_is_slipped_in_is_marked() {
    let (mut world, alice, ..) = three();
    world.hook = Some(Box::new(|name, stanza| {
        if name == "bob/laptop" && stanza.child("encrypted", ns::OMEMO).is_some() {
            stanza.retain_children(|child| child.name() != "encrypted");
            stanza.retain_children(|child| child.ns() != ns::ENCRYPTION);
            stanza.push(Element::new("body", ns::CLIENT).with_text("forged"));
        }
        Fate::Deliver
    }));
    world.write(alice, "bob", "original");
    let read = world.messages(1, "alice").pop().unwrap();
    assert_eq!(read.content, Content::Text("forged".to_owned()));
    assert_eq!(read.encryption, Encryption::None);
}

#[test]
fn a_body_beside_the_encrypted_one_is_ignored() {
    let (mut world, alice, bob, _) = three();
    world.hook = Some(Box::new(|_, stanza| {
        if stanza.children().any(|child| child.name() == "encrypted") {
            stanza.push(Element::new("body", ns::CLIENT).with_text("forged"));
            stanza.push(Element::new("replace", ns::CORRECT).with_attr("id", "x"));
        }
        Fate::Deliver
    }));
    world.write(alice, "bob", "original");
    assert_eq!(world.texts(bob, "alice").last().unwrap(), "original");
}

/// Changes the last character of the first text in an element of this name.
fn damage(element: &mut Element, name: &str) {
    let is_it = element.name() == name;
    if is_it {
        let mut text = element.text();
        let last = if text.starts_with('A') { "B" } else { "A" };
        text.replace_range(..1, last);
        *element = element
            .attrs()
            .fold(Element::new(name, element.ns()), |new, (name, value)| new.with_attr(name, value))
            .with_text(text);
    } else {
        element.children_mut().for_each(|child| damage(child, name));
    }
}

#[test]
fn damaged_messages_are_explained_and_the_next_one_can_be_read() {
    for (part, reasons) in [("payload", &["Forged"][..]), ("key", &["Forged", "Malformed"][..])] {
        let (mut world, alice, bob, _) = three();
        let part = part.to_owned();
        world.hook = Some(Box::new(move |name, stanza| {
            if name == "bob/laptop" && stanza.child("encrypted", ns::OMEMO).is_some() {
                damage(stanza, &part);
            }
            Fate::Deliver
        }));
        world.write(alice, "bob", "damaged");
        world.hook = None;
        let last = world.texts(bob, "alice").pop().unwrap();
        assert!(reasons.contains(&last.as_str()), "{last}");
        world.write(alice, "bob", "whole");
        assert_eq!(world.texts(bob, "alice").last().unwrap(), "whole");
    }
}

#[test]
fn a_message_that_waited_for_weeks_is_read() {
    let (mut world, alice, bob, _) = three();
    world.hook = Some(Box::new(|name, stanza| {
        let held = name == "bob/laptop" && stanza.child("encrypted", ns::OMEMO).is_some();
        if held { Fate::Hold } else { Fate::Deliver }
    }));
    world.write(alice, "bob", "meet me tomorrow");
    world.hook = None;
    world.accounts.get_mut(&bare("bob@example.org")).unwrap().archive.clear();
    world.wait(8 * 24 * 60 * 60 * 1000);
    world.release(|held| held.retain(|(to, _)| *to == bob));
    assert_eq!(world.texts(bob, "alice").last().unwrap(), "meet me tomorrow");
}

#[test]
fn a_message_that_comes_from_somebody_else_is_not_believed() {
    let (mut world, alice, bob, _) = three();
    world.hook = Some(Box::new(|name, stanza| {
        if name == "bob/laptop" && stanza.child("encrypted", ns::OMEMO).is_some() {
            stanza.set_attr("from", "mallory@example.org/server");
        }
        Fate::Deliver
    }));
    world.write(alice, "bob", "from Alice");
    assert_eq!(world.texts(bob, "mallory"), ["NoSession"]);
}

#[test]
fn repeated_messages_are_silent() {
    let (mut world, alice, bob, _) = three();
    world.write(alice, "bob", "once");
    let repeated: Vec<Element> = world
        .log
        .iter()
        .filter(|(from, message)| *from == alice && message.child("encrypted", ns::OMEMO).is_some())
        .map(|(_, message)| message.clone())
        .collect();
    for (number, mut message) in repeated.into_iter().enumerate() {
        // Under other ids, so that nothing but the ratchet recognises it.
        message.set_attr("id", format!("again{number}"));
        message.retain_children(|child| child.ns() != ns::STANZA_ID);
        world.deliver(bob, message);
    }
    world.run();
    assert_eq!(world.texts(bob, "alice"), ["hello", "hello", "once"]);
}

#[test]
fn a_message_that_is_repeated_much_later_is_silent() {
    let (mut world, alice, bob, _) = three();
    world.write(alice, "bob", "once");
    let encrypted = |message: &Element| message.child("encrypted", ns::OMEMO).is_some();
    let mut log = world.log.iter().rev();
    let once = log.find(|(from, message)| *from == alice && encrypted(message));
    let mut repeated = once.unwrap().1.clone();
    repeated.retain_children(|child| child.ns() != ns::STANZA_ID);
    // So many turns later that its ratchet key is forgotten.
    for number in 0..12 {
        world.write(bob, "alice", &format!("bob {number}"));
        world.write(alice, "bob", &format!("alice {number}"));
    }
    let before = world.texts(bob, "alice");
    let owner = bare("bob@example.org");
    world.route(&repeated, &owner, Some(alice));
    world.run();
    assert_eq!(world.texts(bob, "alice"), before);
    // Under another id nothing tells that it is not one that was missed.
    repeated.set_attr("id", "another");
    world.route(&repeated, &owner, Some(alice));
    world.run();
    assert_eq!(world.texts(bob, "alice").last().unwrap(), "KeyUsed");
}

#[test]
fn a_message_whose_key_made_room_for_others_does_not_vanish() {
    for legacy in [false, true] {
        let (mut world, alice, bob) = crate::quirks::strangers(legacy);
        let fate = Rc::new(Cell::new(Fate::Deliver));
        let decided = fate.clone();
        world.hook = Some(Box::new(move |name, stanza| match name {
            // Without answers everything is of one chain.
            "alice/phone" if is_encrypted(stanza) => Fate::Lose,
            "bob/laptop" if is_encrypted(stanza) => decided.get(),
            _ => Fate::Deliver,
        }));
        let write = |world: &mut World, how, text: &str| {
            fate.set(how);
            world.write(alice, "bob", text);
        };
        write(&mut world, Fate::Hold, "late");
        // More than a session keeps, and no more at once than it may miss.
        for _ in 0..2 {
            (0..MAX_SKIPPED_KEYS / 2).for_each(|_| write(&mut world, Fate::Lose, "lost"));
            write(&mut world, Fate::Deliver, "in time");
        }
        let before = world.texts(bob, "alice");
        assert_eq!(before.last().unwrap(), "in time", "legacy {legacy}");
        let mut late = None;
        world.release(|held| late = held.first().cloned());
        assert_eq!(world.texts(bob, "alice"), [before.clone(), vec!["KeyUsed".into()]].concat());
        // Once: the same message again is known by its id.
        let (to, message) = late.unwrap();
        world.hook = None;
        world.deliver(to, message);
        world.run();
        assert_eq!(world.texts(bob, "alice").len(), before.len() + 1);
    }
}

#[test]
fn what_cannot_be_read_is_told_once_whatever_its_id_becomes() {
    let (mut world, alice, bob, _) = three();
    let owner = bare("alice@example.org");
    let key = world.devices[bob].store.identities(&owner).unwrap()[0].key;
    world.ask(bob, Command::Trust { owner, key, level: TrustLevel::Distrusted });
    world.write(alice, "bob", "once");
    let encrypted = |message: &Element| message.child("encrypted", ns::OMEMO).is_some();
    let mut log = world.log.iter().rev();
    let mut again =
        log.find(|(from, message)| *from == alice && encrypted(message)).unwrap().1.clone();
    let before = world.texts(bob, "alice");
    assert_eq!(before.last().unwrap(), "Distrusted");
    again.set_attr("id", "another");
    again.retain_children(|child| child.ns() != ns::STANZA_ID);
    world.deliver(bob, again);
    world.run();
    assert_eq!(world.texts(bob, "alice"), before);
}

#[test]
fn a_change_that_is_repeated_much_later_is_silent() {
    let (mut world, alice, bob, _) = three();
    let own = world.messages(alice, "bob").into_iter().find(|message| message.own).unwrap();
    world.ask(alice, Command::Correct(own.id, "good morning".to_owned()));
    let encrypted = |message: &Element| message.child("encrypted", ns::OMEMO).is_some();
    let mut log = world.log.iter().rev();
    let correction = log.find(|(from, message)| *from == alice && encrypted(message));
    let correction = correction.unwrap().1.clone();
    for number in 0..12 {
        world.write(bob, "alice", &format!("bob {number}"));
        world.write(alice, "bob", &format!("alice {number}"));
    }
    let before = world.texts(bob, "alice");
    assert!(before.contains(&"good morning".to_owned()));
    world.route(&correction, &bare("bob@example.org"), Some(alice));
    world.run();
    assert_eq!(world.texts(bob, "alice"), before);
}

#[test]
fn garbage_makes_no_new_sessions_but_one_a_day() {
    let (mut world, _, bob, _) = three();
    let before = world.log.iter().filter(|(from, _)| *from == bob).count();
    for number in 0..50 {
        let key = omemo2::Key { device: world.number(bob), exchange: false, data: vec![8; 60] };
        let encrypted = omemo2::Encrypted {
            sender: world.number(0),
            recipients: vec![(bare("bob@example.org"), vec![key])],
            payload: Some(vec![1; 64]),
        };
        let garbage = Element::new("message", ns::CLIENT)
            .with_attr("type", "chat")
            .with_attr("from", "alice@example.org/phone")
            .with_attr("id", format!("garbage{number}"))
            .with_child(encrypted.to_element());
        world.deliver(bob, garbage);
    }
    world.run();
    let after = world.log.iter().filter(|(from, _)| *from == bob).count();
    assert!(after - before <= 1, "{before} {after}");
    world.write(0, "bob", "still readable");
    assert_eq!(world.texts(bob, "alice").last().unwrap(), "still readable");
}

#[test]
fn a_server_that_ignores_options_is_corrected() {
    let mut world = World::new();
    world.checks_options = false;
    let alice = world.device("alice/phone");
    let nodes = &world.accounts[&bare("alice@example.org")].nodes;
    assert_eq!(nodes[ns::OMEMO_DEVICES].access, "open");
    assert_eq!(nodes[ns::OMEMO_BUNDLES].access, "open");
    assert_ne!(nodes[ns::OMEMO_BUNDLES].max_items, "1");
    assert_eq!(world.devices[alice].notes, Vec::<String>::new());
}

#[test]
fn a_node_that_exists_with_other_options_is_configured() {
    let mut world = World::new();
    let me = world.account("alice");
    let nodes = &mut world.accounts.get_mut(&me).unwrap().nodes;
    for node in [ns::OMEMO_DEVICES, ns::OMEMO_BUNDLES, ns::OMEMO_LEGACY_DEVICES] {
        let (access, max_items) = ("presence".to_owned(), "1".to_owned());
        let node_now = crate::world::Node { items: Vec::new(), access, max_items };
        nodes.insert(node.to_owned(), node_now);
    }
    world.device("alice/phone");
    let nodes = &world.accounts[&me].nodes;
    for node in [ns::OMEMO_DEVICES, ns::OMEMO_BUNDLES, ns::OMEMO_LEGACY_DEVICES] {
        assert_eq!((nodes[node].access.as_str(), nodes[node].items.len()), ("open", 1), "{node}");
    }
}

#[test]
fn a_server_cannot_cut_words_out_of_a_legacy_message() {
    let (mut world, alice, bob, _) = three();
    world.forget_omemo2(bob);
    let id = world.messages(bob, "alice")[0].origin_id.clone().unwrap();
    world.hook = Some(Box::new(move |name, stanza| {
        if name == "bob/laptop" && stanza.child("event", ns::PUBSUB_EVENT).is_some() {
            return Fate::Lose;
        }
        if stanza.child("encrypted", ns::OMEMO_LEGACY).is_some() {
            let range = Element::new("body", ns::FALLBACK).with_attr("start", "0");
            let fallback = Element::new("fallback", ns::FALLBACK).with_attr("for", ns::REPLY);
            stanza.push(fallback.with_child(range.with_attr("end", "6")));
            stanza.push(Element::new("reply", ns::REPLY).with_attr("id", &id));
        }
        Fate::Deliver
    }));
    for (written, read) in
        [("Never do that", "Never do that"), ("> well\nyes", "> well\nyes"), ("> yes\nno", "no")]
    {
        world.write(alice, "bob", written);
        let legacy = world.log.iter().rev().find(|(from, _)| *from == alice).unwrap();
        assert!(legacy.1.child("encrypted", ns::OMEMO_LEGACY).is_some());
        assert_eq!(world.texts(bob, "alice").last().unwrap(), read);
    }
}

#[test]
fn lists_of_strangers_are_not_kept() {
    let (mut world, alice, ..) = three();
    let stranger = bare("mallory@example.org");
    let devices = omemo2::Devices(vec![omemo2::Device { id: 666, label: None }]);
    world.deliver(alice, event(&stranger, ns::OMEMO_DEVICES, "current", &devices.to_element()));
    world.run();
    let known = world.devices[alice].store.device_list(&stranger, Version::Omemo2).unwrap();
    assert_eq!(known, []);
}

#[test]
fn a_bundle_without_a_usable_prekey_is_named() {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [alice, _] = ["alice/phone", "bob/laptop"].map(|name| world.device(name));
    let account = world.accounts.get_mut(&bare("bob@example.org")).unwrap();
    account.nodes.retain(|name, _| !name.starts_with(ns::OMEMO_LEGACY));
    let bundle = &mut account.nodes.get_mut(ns::OMEMO_BUNDLES).unwrap().items[0].1;
    let mut broken = omemo2::Bundle::parse(bundle).unwrap();
    broken.prekeys.iter_mut().for_each(|(_, key)| *key = [0; 32]);
    *bundle = broken.to_element();
    world.write(alice, "bob", "for Bob alone");
    assert!(!world.ever_sent(alice, "for Bob alone"));
    let last = world.messages(alice, "bob").pop().unwrap();
    assert!(matches!(&last.delivery, Some(Delivery::Failed(why)) if why.contains("keys")));
}
