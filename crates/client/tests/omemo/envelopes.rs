//! What a program that is not ours may put into an envelope (XEP-0420).

use client::Command;
use client::store::{
    Content, Delivery, Devices, EncryptionMode, Event, SessionKey, TrustLevel, Version,
};
use client::view::Outcome;
use omemo::{Sessions, payload};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use xmpp::ext::omemo2;
use xmpp::ext::sce::Envelope;
use xmpp::jid::Jid;
use xmpp::ns;
use xmpp::time::Millis;
use xmpp::xml::Element;

use crate::world::{World, bare};

/// Alice and Bob who have written to each other.
fn two() -> (World, usize, usize) {
    let mut world = World::new();
    world.befriend("alice", "bob");
    let [alice, bob] = ["alice/phone", "bob/laptop"].map(|name| world.device(name));
    world.write(alice, "bob", "hello");
    world.write(bob, "alice", "hello");
    (world, alice, bob)
}

/// Sends whatever is to be encrypted, with the session of a device.
fn send(world: &mut World, from: usize, to: usize, plaintext: &[u8]) {
    let mut rng = ChaCha20Rng::from_seed([world.log.len().try_into().unwrap(); 32]);
    let (owner, device) = (world.devices[to].address.clone(), world.number(to));
    let key = SessionKey { owner: owner.clone(), device, version: Version::Omemo2 };
    let store = world.devices[from].store.clone();
    let mut sessions = Sessions::from_bytes(&store.session(&key).unwrap().unwrap()).unwrap();
    let sealed = payload::encrypt(omemo::Version::Omemo2, plaintext, &mut rng);
    let encrypted = sessions.encrypt(sealed.key_material.as_bytes(), &mut rng).unwrap();
    store.save_session(&key, Some(&encrypted.state)).unwrap();
    let data = encrypted.message.bytes;
    let element = omemo2::Encrypted {
        sender: world.number(from),
        recipients: vec![(owner.clone(), vec![omemo2::Key { device, exchange: false, data }])],
        payload: sealed.ciphertext,
    };
    let message = Element::new("message", ns::CLIENT)
        .with_attr("type", "chat")
        .with_attr("from", format!("{}/x", world.devices[from].address))
        .with_attr("to", owner.as_str())
        .with_attr("id", format!("crafted{}", world.log.len()))
        .with_child(element.to_element())
        .with_child(Element::new("store", ns::HINTS));
    world.log.push((from, message.clone()));
    world.route(&message, &owner, Some(from));
    world.run();
}

fn body(text: &str) -> Element {
    Element::new("body", ns::CLIENT).with_text(text)
}

fn envelope(world: &World, content: Vec<Element>) -> Envelope {
    Envelope { content, time: Some(world.now.wall), ..Envelope::default() }
}

#[test]
fn affixes_that_contradict_the_stanza_are_explained() {
    let (mut world, alice, bob) = two();
    let jid = |text: &str| Some(Jid::new(text).unwrap());
    let now = world.now.wall;
    for (from, to, time, good) in [
        (None, None, None, true),
        (jid("alice@example.org/phone"), jid("bob@example.org"), Some(now), true),
        (jid("mallory@example.org"), None, None, false),
        (None, jid("carol@example.org"), None, false),
        (None, None, Some(Millis(now.0 - 30 * 24 * 3_600_000)), true),
        (None, None, Some(now.plus(3 * 24 * 3_600_000)), true),
    ] {
        let content = vec![body("in an envelope")];
        let envelope = Envelope { content, from, to, time };
        send(&mut world, alice, bob, &envelope.to_bytes("padding"));
        let expected = if good { "in an envelope" } else { "Contradiction" };
        assert_eq!(world.texts(bob, "alice").last().unwrap(), expected, "{envelope:?}");
    }
}

#[test]
fn what_is_no_envelope_is_explained() {
    let (mut world, alice, bob) = two();
    for plaintext in [&b"not an envelope"[..], b"<envelope xmlns='urn:xmpp:sce:1'/>", b"\xff"] {
        send(&mut world, alice, bob, plaintext);
        assert_eq!(world.texts(bob, "alice").last().unwrap(), "Malformed");
    }
}

#[test]
fn elements_for_servers_do_nothing_inside() {
    let (mut world, alice, bob) = two();
    let id = Element::new("stanza-id", ns::STANZA_ID)
        .with_attr("by", "bob@example.org")
        .with_attr("id", "invented");
    let xml = envelope(&world, vec![body("as usual")]).to_bytes("");
    let inside = String::from_utf8(xml).unwrap();
    let id = String::from_utf8(id.to_bytes("").to_vec()).unwrap();
    let inside = inside.replace("<content>", &format!("<content>{id}"));
    send(&mut world, alice, bob, inside.as_bytes());
    let last = world.messages(bob, "alice").pop().unwrap();
    assert_eq!(last.content, Content::Text("as usual".to_owned()));
    assert_ne!(last.archive_id.as_deref(), Some("invented"));
}

#[test]
fn who_asks_for_plain_text_gets_nothing_until_the_user_decides() {
    let (mut world, alice, bob) = two();
    let reason = Some("for the record".to_owned());
    let opt_out = omemo2::OptOut { reason: reason.clone() }.to_element();
    let envelope = envelope(&world, vec![opt_out]);
    send(&mut world, bob, alice, &envelope.to_bytes(""));
    let last = world.messages(alice, "bob").pop().unwrap();
    assert_eq!(last.content, Content::Event(Event::OptOut { reason }));
    world.write(alice, "bob", "not yet");
    let waiting = world.messages(alice, "bob").pop().unwrap();
    assert!(matches!(waiting.delivery, Some(Delivery::Failed(_))), "{waiting:?}");
    assert!(!world.ever_sent(alice, "not yet"));
    let with = bare("bob@example.org");
    world.ask(alice, Command::SetEncryption(with, EncryptionMode::Omemo));
    let outcome = world.ask(alice, Command::Retry(waiting.id));
    assert!(matches!(outcome, Some(Outcome::Sent(_))), "{outcome:?}");
    assert_eq!(world.texts(bob, "alice").last().unwrap(), "not yet");
    assert!(!world.ever_sent(alice, "not yet"));
}

#[test]
fn nobody_but_a_device_that_may_read_can_ask_for_plain_text() {
    let (mut world, alice, bob) = two();
    let owner = bare("bob@example.org");
    let key = world.devices[alice].store.identities(&owner).unwrap()[0].key;
    let trust = |level| Command::Trust { owner: owner.clone(), key, level };
    assert_eq!(world.ask(alice, trust(TrustLevel::Undecided)), Some(Outcome::Done));
    let opt_out = omemo2::OptOut { reason: None }.to_element();
    let envelope = envelope(&world, vec![opt_out]);
    let before = world.messages(alice, "bob").len();
    send(&mut world, bob, alice, &envelope.to_bytes(""));
    assert_eq!(world.messages(alice, "bob").len(), before);
    world.ask(alice, trust(TrustLevel::Verified));
    assert!(matches!(world.write(alice, "bob", "as before"), Some(Outcome::Sent(_))));
}
