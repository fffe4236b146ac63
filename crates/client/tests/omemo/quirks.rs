//! What other programs and servers do differently, and is understood all the same.

use client::view::Outcome;
use xmpp::ns;
use xmpp::xml::Element;

use crate::world::{Fate, World};

/// Alice and Bob, with both versions or the older one alone, who have not written yet.
pub(crate) fn strangers(legacy: bool) -> (World, usize, usize) {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [alice, bob] = ["alice/phone", "bob/laptop"].map(|name| world.device(name));
    if legacy {
        world.forget_omemo2(alice);
        world.forget_omemo2(bob);
    }
    (world, alice, bob)
}

/// Does something with every header of an encrypted message.
fn headers(element: &mut Element, with: &mut impl FnMut(&mut Element)) {
    if element.name() == "header" && [ns::OMEMO, ns::OMEMO_LEGACY].contains(&element.ns()) {
        with(element);
    } else {
        element.children_mut().for_each(|child| headers(child, with));
    }
}

/// Does something with every key in a header.
fn keys(element: &mut Element, with: &mut impl FnMut(&mut Element)) {
    if element.name() == "key" {
        with(element);
    } else {
        element.children_mut().for_each(|child| keys(child, with));
    }
}

#[test]
fn whether_a_session_begins_is_seen_in_the_message_and_not_beside_it() {
    for (legacy, name) in [(false, "kex"), (true, "prekey")] {
        for told in [None, Some("true"), Some("false")] {
            let (mut world, alice, bob) = strangers(legacy);
            world.hook = Some(Box::new(move |_, stanza| {
                headers(stanza, &mut |header| {
                    keys(header, &mut |key| {
                        key.remove_attr(name);
                        told.into_iter().for_each(|told| key.set_attr(name, told));
                    });
                });
                Fate::Deliver
            }));
            for (from, to, text) in
                [(alice, "bob", "one"), (bob, "alice", "two"), (alice, "bob", "three")]
            {
                let outcome = world.write(from, to, text);
                assert!(matches!(outcome, Some(Outcome::Sent(_))), "{outcome:?}");
            }
            for (device, with) in [(bob, "alice"), (alice, "bob")] {
                assert_eq!(world.texts(device, with), ["one", "two", "three"], "{told:?}");
            }
        }
    }
}

#[test]
fn of_two_keys_for_devices_of_one_number_the_own_one_is_found() {
    for legacy in [false, true] {
        let (mut world, alice, bob) = strangers(legacy);
        world.hook = Some(Box::new(|_, stanza| {
            headers(stanza, &mut |header| {
                // The older version does not say whose device a number is.
                let double = |key: &Element| {
                    let of_another = Element::new("key", key.ns());
                    let of_another = key
                        .attrs()
                        .fold(of_another, |one, (name, value)| one.with_attr(name, value));
                    let mut text = key.text();
                    let changed = if text[40..].starts_with('A') { "B" } else { "A" };
                    text.replace_range(40..41, changed);
                    [of_another.with_text(text), key.clone()]
                };
                let lists = header.children().map(|child| match child.name() {
                    "key" => double(child).to_vec(),
                    "keys" => {
                        let attrs = child.attrs().map(|(name, value)| (name, value.to_owned()));
                        let list = attrs
                            .fold(Element::new("keys", child.ns()), |one, (name, value)| {
                                one.with_attr(name, value)
                            });
                        vec![list.with_children(child.children().flat_map(double))]
                    }
                    _ => vec![child.clone()],
                });
                let all: Vec<Element> = lists.collect::<Vec<_>>().concat();
                header.retain_children(|_| false);
                all.into_iter().for_each(|child| header.push(child));
            });
            Fate::Deliver
        }));
        for (from, to, text) in
            [(alice, "bob", "one"), (bob, "alice", "two"), (alice, "bob", "three")]
        {
            world.write(from, to, text);
        }
        assert_eq!(world.texts(bob, "alice"), ["one", "two", "three"], "{legacy}");
        assert_eq!(world.texts(alice, "bob"), ["one", "two", "three"], "{legacy}");
    }
}

#[test]
fn a_device_that_is_on_no_list_is_read_and_nothing_is_sent_to_it() {
    let (mut world, alice, bob) = strangers(false);
    // The server shows Bob lists without anybody on them.
    world.hook = Some(Box::new(|name, stanza| {
        fn empty(element: &mut Element) {
            element.retain_children(|child| child.name() != "device");
            element.children_mut().for_each(empty);
        }
        if name == "bob/laptop" {
            empty(stanza);
        }
        Fate::Deliver
    }));
    world.restart(bob);
    world.wait(3 * 60 * 60 * 1000);
    world.write(alice, "bob", "from a device that is on no list");
    let read = world.texts(bob, "alice");
    assert_eq!(read.last().unwrap(), "from a device that is on no list");
    let outcome = world.write(bob, "alice", "canary");
    assert_eq!(outcome, None, "it waits for keys");
    assert!(!world.ever_sent(bob, "canary"));
}
