//! Two devices of one account that change the same things: in the end both show the same.

use client::Command;
use client::store::{Content, Delivery, Message, MessageId};
use proptest::prelude::*;
use xmpp::ns;
use xmpp::xml::Element;

use crate::server::bare;
use crate::world::{World, text_of};

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";

/// What must be the same on all devices of a message.
#[derive(Debug, PartialEq)]
struct Shown {
    id: Option<String>,
    content: Content,
    texts: Vec<String>,
    reactions: Vec<(String, Vec<String>)>,
    delivery: Option<Delivery>,
}

fn shown(world: &World, device: usize) -> Vec<(Option<String>, Shown)> {
    let of = |message: Message| {
        let mut reactions: Vec<_> = message.reactions.into_iter().collect();
        reactions.retain(|one| !one.emoji.is_empty());
        reactions.sort_by_key(|one| one.sender.clone());
        let shown = Shown {
            id: message.origin_id,
            texts: message.versions.into_iter().map(|(_, text)| text).collect(),
            reactions: reactions
                .into_iter()
                .map(|one| (one.sender.to_string(), one.emoji))
                .collect(),
            delivery: message.delivery,
            content: message.content,
        };
        (text_of(&shown.content), shown)
    };
    world.messages(device, JULIET).into_iter().map(of).collect()
}

fn twins() -> (World, [usize; 2]) {
    let mut world = World::new();
    let devices = [world.online(ROMEO, &[JULIET]), world.online(ROMEO, &[JULIET])];
    (world, devices)
}

/// A message of Romeo's that both devices have.
fn common(world: &mut World, devices: [usize; 2]) -> [MessageId; 2] {
    world.send(devices[0], JULIET, "first");
    world.pass(10_000);
    devices.map(|device| world.last(device, JULIET).id)
}

/// Both devices change the message before they hear of each other; the server has the change of
/// `devices[first]` first. Then everything arrives, or one is killed in between.
fn at_once(
    world: &mut World,
    devices: [usize; 2],
    first: usize,
    killed: Option<usize>,
    change: impl Fn(usize) -> Command,
) {
    for (side, device) in devices.into_iter().enumerate() {
        world.command(device, change(side));
    }
    for side in [first, 1 - first] {
        while world.carry(devices[side], true) {}
    }
    if let Some(killed) = killed {
        world.crash(devices[killed]);
    }
    world.pass(60_000);
}

#[test]
fn of_two_corrections_at_once_the_later_in_the_archive_counts_everywhere() {
    for (first, killed) in
        [0, 1].into_iter().flat_map(|first| [None, Some(0), Some(1)].map(|killed| (first, killed)))
    {
        let (mut world, devices) = twins();
        let ids = common(&mut world, devices);
        let text = |side: usize| format!("side {side}");
        at_once(&mut world, devices, first, killed, |side| Command::Correct(ids[side], text(side)));
        for device in devices {
            let message = world.last(device, JULIET);
            assert_eq!(text_of(&message.content), Some(text(1 - first)), "{first} {killed:?}");
            let versions: Vec<_> = message.versions.into_iter().map(|(_, text)| text).collect();
            assert_eq!(versions, ["first".to_owned(), text(first)], "{first} {killed:?}");
        }
    }
}

#[test]
fn of_two_reactions_at_once_the_later_in_the_archive_counts_everywhere() {
    for (first, killed) in
        [0, 1].into_iter().flat_map(|first| [None, Some(0), Some(1)].map(|killed| (first, killed)))
    {
        let (mut world, devices) = twins();
        let ids = common(&mut world, devices);
        let emoji = |side: usize| vec![["👍", "🎉"][side].to_owned()];
        at_once(&mut world, devices, first, killed, |side| Command::React(ids[side], emoji(side)));
        for device in devices {
            let message = world.last(device, JULIET);
            assert_eq!(message.reactions.len(), 1);
            assert_eq!(message.reactions[0].emoji, emoji(1 - first), "{first} {killed:?}");
        }
    }
}

#[test]
fn a_retraction_is_final_whatever_else_happens_at_the_same_moment() {
    for first in [0, 1] {
        let (mut world, devices) = twins();
        let ids = common(&mut world, devices);
        at_once(&mut world, devices, first, None, |side| match side {
            0 => Command::Retract(ids[0]),
            _ => Command::Correct(ids[1], "better".into()),
        });
        for device in devices {
            let message = world.last(device, JULIET);
            assert_eq!(message.content, Content::Retracted);
            assert!(message.versions.is_empty() && message.edits.is_empty());
        }
    }
}

/// Juliet says something about an own message, from a device that is not part of the test.
fn signal(world: &mut World, name: &str, ns: &str, id: &str) {
    let message = Element::new("message", ns::CLIENT)
        .with_attr("type", "chat")
        .with_attr("from", format!("{JULIET}/elsewhere"))
        .with_attr("to", ROMEO)
        .with_attr("id", format!("{name}-{id}"))
        .with_child(Element::new(name, ns).with_attr("id", id))
        .with_child(Element::new("store", ns::HINTS));
    world.server.route(&bare(JULIET), None, message);
}

#[test]
fn a_tick_that_comes_before_its_message_is_not_lost() {
    let (mut world, [one, other]) = twins();
    common(&mut world, [one, other]);
    world.run(other, Command::Disconnect);
    for number in 0..25 {
        world.send(one, JULIET, &format!("missed {number}"));
    }
    world.settle();
    let messages = world.messages(one, JULIET);
    let id = |index: usize| messages[index].origin_id.clone().unwrap();
    // The second device catches up, page by page, and hears live of what it has not read yet.
    world.command(other, Command::Reconnect);
    let there = |world: &World| world.messages(other, JULIET).len();
    while there(&world) < 2 {
        assert!(world.carry(other, true) | world.carry(other, false));
    }
    signal(&mut world, "received", ns::RECEIPTS, &id(25));
    signal(&mut world, "displayed", ns::CHAT_MARKERS, &id(24));
    // The archive has forgotten them: only what arrived live counts.
    let account = world.server.accounts.get_mut(&bare(ROMEO)).unwrap();
    account.archive.retain(|row| {
        row.message.attr("type") != Some("chat") || {
            row.message.child("body", ns::CLIENT).is_some()
        }
    });
    world.pass(60_000);
    assert_eq!(shown(&world, one), shown(&world, other));
    let ticks: Vec<_> = world.messages(other, JULIET).into_iter().map(|one| one.delivery).collect();
    assert_eq!(ticks[..25], vec![Some(Delivery::Read); 25]);
    assert_eq!(ticks[25], Some(Delivery::Delivered));
}

#[test]
fn what_stands_before_a_seen_message_in_the_archive_was_seen() {
    for first in [0, 1] {
        let (mut world, devices) = twins();
        common(&mut world, devices);
        let ids = devices.map(|device| {
            let id = world.send(device, JULIET, &format!("from {device}"));
            let messages = world.messages(device, JULIET);
            messages.iter().find(|one| one.id == id).unwrap().origin_id.clone().unwrap()
        });
        for side in [first, 1 - first] {
            while world.carry(devices[side], true) {}
        }
        // Seen is the one that the server had first, or both.
        signal(&mut world, "displayed", ns::CHAT_MARKERS, &ids[first]);
        world.settle();
        world.pass(20_000);
        for device in devices {
            let ticks: Vec<_> =
                world.messages(device, JULIET).into_iter().map(|one| one.delivery).collect();
            let expected = [Delivery::Read, Delivery::Read, Delivery::Sent].map(Some);
            assert_eq!(ticks, expected, "{first} {device}");
        }
        signal(&mut world, "displayed", ns::CHAT_MARKERS, &ids[1 - first]);
        world.settle();
        assert_eq!(shown(&world, devices[0]), shown(&world, devices[1]));
    }
}

#[derive(Clone, Debug)]
enum Deed {
    Send(usize),
    Correct(usize, usize),
    React(usize, usize, usize),
    Retract(usize, usize),
    Read,
    Carry(usize, usize),
    Cut(usize),
    Crash(usize),
    Forget(bool),
    Pass(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (0..3_usize).prop_map(Deed::Send),
        4 => (0..2_usize, 0..4_usize).prop_map(|(device, back)| Deed::Correct(device, back)),
        4 => (0..3_usize, 0..4_usize, 0..4_usize)
            .prop_map(|(device, back, emoji)| Deed::React(device, back, emoji)),
        1 => (0..2_usize, 0..4_usize).prop_map(|(device, back)| Deed::Retract(device, back)),
        3 => Just(Deed::Read),
        9 => (0..3_usize, 1..30_usize).prop_map(|(device, count)| Deed::Carry(device, count)),
        2 => (0..3_usize).prop_map(Deed::Cut),
        2 => (0..3_usize).prop_map(Deed::Crash),
        1 => any::<bool>().prop_map(Deed::Forget),
        4 => (1..20_000_u64).prop_map(Deed::Pass),
    ]
}

/// So many messages back from the last one.
fn back(world: &World, device: usize, with: &str, count: usize) -> Option<MessageId> {
    world.messages(device, with).iter().rev().nth(count).map(|message| message.id)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Two devices of one account and a partner who reads: corrections, reactions, retractions,
    /// losses and kills. In the end both show the same.
    #[test]
    fn devices_end_with_the_same_changes_and_ticks(
        deeds in prop::collection::vec(deed(), 1..60),
    ) {
        let (mut world, [one, other]) = twins();
        let devices = [one, other, world.online(JULIET, &[ROMEO])];
        let with = |device: usize| if device < 2 { JULIET } else { ROMEO };
        for (number, deed) in deeds.into_iter().enumerate() {
            match deed {
                Deed::Send(device) => {
                    world.send(devices[device], with(device), &format!("{device} {number}"));
                }
                Deed::Correct(device, count) => {
                    if let Some(id) = back(&world, devices[device], with(device), count) {
                        let text = format!("{device} corrects {number}");
                        world.command(devices[device], Command::Correct(id, text));
                    }
                }
                Deed::React(device, count, emoji) => {
                    if let Some(id) = back(&world, devices[device], with(device), count) {
                        let emoji = ["👍", "😀", "🎉"].get(emoji).map(|one| (*one).to_owned());
                        let react = Command::React(id, emoji.into_iter().collect());
                        world.command(devices[device], react);
                    }
                }
                Deed::Retract(device, count) => {
                    if let Some(id) = back(&world, devices[device], with(device), count) {
                        world.command(devices[device], Command::Retract(id));
                    }
                }
                Deed::Read => {
                    if let Some(id) = back(&world, devices[2], ROMEO, 0) {
                        world.command(devices[2], Command::MarkRead(bare(ROMEO), id));
                    }
                }
                Deed::Carry(device, count) => {
                    for _ in 0..count {
                        world.carry(devices[device], true);
                        world.carry(devices[device], false);
                    }
                }
                Deed::Cut(device) => world.cut(devices[device]),
                Deed::Crash(device) => world.crash(devices[device]),
                Deed::Forget(forgetful) => world.server.forgetful = forgetful,
                Deed::Pass(milliseconds) => world.pass(milliseconds),
            }
        }
        world.pass(900_000);
        prop_assert_eq!(shown(&world, one), shown(&world, other));
    }
}

/// Juliet read what one device wrote, and nothing of what another one wrote at the same time.
#[test]
fn what_is_written_here_is_not_read_with_what_comes_from_elsewhere() {
    let (mut world, [one, other]) = twins();
    let juliet = world.online(JULIET, &[ROMEO]);
    let both_ways = |world: &mut World, device: usize| {
        world.carry(device, true);
        world.carry(device, false);
    };
    world.send(one, JULIET, "first");
    both_ways(&mut world, one);
    world.send(other, JULIET, "second");
    both_ways(&mut world, juliet);
    both_ways(&mut world, other);
    let first = back(&world, juliet, ROMEO, 0).unwrap();
    world.command(juliet, Command::MarkRead(bare(ROMEO), first));
    world.pass(900_000);
    for device in [one, other] {
        let ticks: Vec<_> = shown(&world, device)
            .into_iter()
            .map(|(text, shown)| (text.unwrap(), shown.delivery.unwrap()))
            .collect();
        let expected = [("first".into(), Delivery::Read), ("second".into(), Delivery::Delivered)];
        assert_eq!(ticks, expected);
    }
}

/// Compares two long timelines, and names what is different in them.
fn same(one: &[(Option<String>, Shown)], other: &[(Option<String>, Shown)]) {
    for (number, (one, other)) in one.iter().zip(other).enumerate() {
        assert_eq!(one, other, "message {number}");
    }
    assert_eq!(one.len(), other.len());
}

/// What one device changes and another one has read already, in traffic that never pauses.
#[test]
fn a_stretch_that_is_read_again_after_a_kill_is_the_same() {
    let mut world = World::new();
    let devices = [world.online(ROMEO, &[]), world.online(ROMEO, &[]), world.online(JULIET, &[])];
    let with = |device: usize| if device < 2 { JULIET } else { ROMEO };
    world.pass(60_000);
    for round in 0..120 {
        for (number, device) in devices.into_iter().enumerate() {
            world.send(device, with(number), &format!("{number} says {round}"));
            world.pass(400);
        }
        if let Some(id) = back(&world, devices[0], JULIET, 0) {
            world.command(devices[0], Command::React(id, vec![["👍", "😀"][round % 2].to_owned()]));
            world.pass(400);
        }
    }
    for device in devices {
        world.crash(device);
    }
    world.pass(60_000);
    same(&shown(&world, devices[0]), &shown(&world, devices[1]));
    let texts = world.texts(devices[0], JULIET).len();
    assert_eq!(world.messages(devices[0], JULIET).len(), texts, "all can be read");
    assert_eq!(world.messages(devices[1], JULIET).len(), texts, "all can be read");
}

/// An answer, and what its author makes of it then, come before what is answered.
#[test]
fn an_answer_that_comes_before_its_message_refers_to_it_in_the_end() {
    for corrected in [false, true] {
        let (mut world, [one, other]) = twins();
        let juliet = world.online(JULIET, &[ROMEO]);
        common(&mut world, [one, other]);
        world.run(other, Command::Disconnect);
        for number in 0..120 {
            world.send(one, JULIET, &format!("missed {number}"));
        }
        world.settle();
        // The first page is read, the answer arrives live, what it answers is on the second page.
        world.command(other, Command::Reconnect);
        while world.messages(other, JULIET).len() < 20 {
            assert!(world.carry(other, true) | world.carry(other, false));
        }
        let answered = world.last(juliet, ROMEO).id;
        let (to, text) = (bare(ROMEO), "so be it".to_owned());
        let reply_to = Some(answered);
        world.command(juliet, Command::Send { to, text, reply_to, encryption: None });
        if corrected {
            let id = world.last(juliet, ROMEO).id;
            world.command(juliet, Command::Correct(id, "be it so".to_owned()));
        }
        while world.carry(juliet, true) {}
        world.pass(60_000);
        same(&shown(&world, one), &shown(&world, other));
        let answer = world.last(other, JULIET);
        let expected = if corrected { "be it so" } else { "so be it" };
        assert_eq!(text_of(&answer.content).as_deref(), Some(expected));
        let reply = answer.reply.expect("it is an answer");
        assert_eq!(reply.quote.as_deref(), Some("missed 119"));
        let messages = world.messages(other, JULIET);
        assert_eq!(reply.message, messages.iter().rev().nth(1).map(|message| message.id));
    }
}
