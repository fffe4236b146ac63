//! What else one does with messages and people.

use client::Command;
use client::store::{Contacts, Content, EncryptionMode, Media, Message, Profile};
use client::view::{Change, Outcome, Presence, Problem};
use xmpp::ext::caps::Caps;
use xmpp::ext::disco::{Identity, Info};
use xmpp::ns;
use xmpp::xml::Element;

use crate::server::bare;
use crate::world::World;

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";

fn pair() -> (World, usize, usize) {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    (world, romeo, juliet)
}

fn text(message: &Message) -> &str {
    match &message.content {
        Content::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_correction_replaces_the_text_on_both_sides_and_keeps_the_old_one() {
    let (mut world, romeo, juliet) = pair();
    let id = world.send(romeo, JULIET, "what light through yonder airlock breaks?");
    world.settle();
    let correct = Command::Correct(id, "what light through yonder window breaks?".into());
    assert_eq!(world.run(romeo, correct), Some(Outcome::Done));
    for (device, with) in [(romeo, JULIET), (juliet, ROMEO)] {
        let messages = world.messages(device, with);
        assert_eq!(messages.len(), 1);
        assert_eq!(text(&messages[0]), "what light through yonder window breaks?");
        assert_eq!(messages[0].versions.len(), 1);
        assert!(messages[0].versions[0].1.contains("airlock"));
    }
}

#[test]
fn a_message_that_has_not_left_is_corrected_where_it_is() {
    let (mut world, romeo, juliet) = pair();
    world.devices[romeo].reachable = false;
    world.cut(romeo);
    let id = world.send(romeo, JULIET, "helo");
    world.run(romeo, Command::Correct(id, "hello".into()));
    world.devices[romeo].reachable = true;
    world.run(romeo, Command::Reconnect);
    assert_eq!(world.texts(juliet, ROMEO), ["hello"]);
    assert!(world.last(juliet, ROMEO).versions.is_empty());
}

#[test]
fn others_can_not_be_corrected() {
    let (mut world, romeo, juliet) = pair();
    world.send(juliet, ROMEO, "hers");
    world.settle();
    let id = world.last(romeo, JULIET).id;
    for command in [Command::Correct(id, "his".into()), Command::Retract(id)] {
        let outcome = world.run(romeo, command);
        assert!(matches!(outcome, Some(Outcome::Failed(Problem::Invalid(_)))), "{outcome:?}");
    }
    assert_eq!(world.texts(romeo, JULIET), ["hers"]);
}

#[test]
fn a_reply_shows_what_it_answers() {
    let (mut world, romeo, juliet) = pair();
    world.send(juliet, ROMEO, "wherefore art thou?");
    world.settle();
    let original = world.last(romeo, JULIET).id;
    world.run(
        romeo,
        Command::Send {
            to: bare(JULIET),
            text: "here\n> quoted by hand".into(),
            reply_to: Some(original),
            encryption: None,
        },
    );
    let received = world.last(juliet, ROMEO);
    assert_eq!(text(&received), "here\n> quoted by hand");
    let reply = received.reply.unwrap();
    assert_eq!(reply.quote.as_deref(), Some("wherefore art thou?"));
    assert_eq!(reply.author, Some(bare(JULIET)));
    assert_eq!(reply.message, Some(world.messages(juliet, ROMEO)[0].id));
    // Programs that know no replies show a quotation.
    let mut rows = world.server.accounts[&bare(JULIET)].archive.iter().rev();
    let row = rows.find(|row| row.message.child("reply", ns::REPLY).is_some()).unwrap();
    let body = row.message.child("body", ns::CLIENT).unwrap().text();
    assert_eq!(body, "> wherefore art thou?\nhere\n> quoted by hand");
}

#[test]
fn reactions_are_a_set_for_each_person() {
    let (mut world, romeo, juliet) = pair();
    let id = world.send(romeo, JULIET, "hello");
    world.settle();
    let hers = world.last(juliet, ROMEO).id;
    world.run(juliet, Command::React(hers, vec!["👋".into(), "🐢".into(), "👋".into()]));
    world.run(romeo, Command::React(id, vec!["🐢".into()]));
    for (device, with) in [(romeo, JULIET), (juliet, ROMEO)] {
        let reactions = world.last(device, with).reactions;
        let of = |who: &str| {
            let found = reactions.iter().find(|reaction| reaction.sender == bare(who));
            found.map(|reaction| reaction.emoji.clone()).unwrap_or_default()
        };
        assert_eq!(of(JULIET), ["👋", "🐢"]);
        assert_eq!(of(ROMEO), ["🐢"]);
    }
    world.server.now = world.server.now.plus(1000);
    world.run(juliet, Command::React(hers, Vec::new()));
    let reactions = world.last(romeo, JULIET).reactions;
    assert!(reactions.iter().all(|one| one.sender != bare(JULIET) || one.emoji.is_empty()));
}

#[test]
fn what_cannot_be_protected_is_not_shown_as_if_it_had_been_sent() {
    // Tybalt has no device that could read what is encrypted.
    const TYBALT: &str = "tybalt@example.net";
    let mut world = World::new();
    world.server.add_account(TYBALT, "rapier");
    let romeo = world.online(ROMEO, &[TYBALT]);
    let id = world.send(romeo, TYBALT, "hello");
    world.settle();
    world.run(romeo, Command::SetEncryption(bare(TYBALT), EncryptionMode::Omemo));
    let canary = "🐢";
    for command in [
        Command::React(id, vec![canary.into()]),
        Command::Correct(id, "canary".into()),
        Command::Retract(id),
    ] {
        let outcome = world.run(romeo, command);
        assert!(matches!(outcome, Some(Outcome::Failed(_))), "{outcome:?}");
    }
    let message = world.last(romeo, TYBALT);
    assert_eq!(text(&message), "hello");
    assert!(message.reactions.is_empty() && message.versions.is_empty());
    assert!(!world.devices[romeo].sent.contains(canary));
    assert!(!world.devices[romeo].sent.contains("canary"));
}

#[test]
fn a_retraction_removes_text_and_history_on_both_sides() {
    let (mut world, romeo, juliet) = pair();
    let id = world.send(romeo, JULIET, "secret");
    world.settle();
    world.run(romeo, Command::Correct(id, "secret too".into()));
    assert_eq!(world.run(romeo, Command::Retract(id)), Some(Outcome::Done));
    for (device, with) in [(romeo, JULIET), (juliet, ROMEO)] {
        let messages = world.messages(device, with);
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].content, Content::Retracted);
        assert!(messages[0].versions.is_empty());
    }
    // The list shows words of this program then, which are nobody's.
    let changes = &world.devices[juliet].changes;
    let preview = changes.iter().rev().find_map(|change| match change {
        Change::Conversation(conversation) => conversation.preview.clone(),
        _ => None,
    });
    let preview = preview.expect("a preview");
    assert_eq!((preview.said, preview.text.as_str()), (false, "This message was taken back"));
}

#[test]
fn typing_is_seen_and_ends() {
    let (mut world, romeo, juliet) = pair();
    let typing = |world: &World| {
        let changes = &world.devices[juliet].changes;
        changes.iter().rev().find_map(|change| match change {
            Change::Conversation(conversation) => Some(!conversation.typing.is_empty()),
            _ => None,
        })
    };
    // Whoever never sent a state may not know them.
    world.send(juliet, ROMEO, "hello");
    world.send(romeo, JULIET, "hello");
    world.settle();
    world.run(romeo, Command::Draft(bare(JULIET), "h".into()));
    assert_eq!(typing(&world), Some(true));
    world.run(romeo, Command::Draft(bare(JULIET), String::new()));
    assert_eq!(typing(&world), Some(false));
    world.run(romeo, Command::Draft(bare(JULIET), "again".into()));
    assert_eq!(typing(&world), Some(true));
    world.pass(31_000);
    assert_eq!(typing(&world), Some(false));
}

#[test]
fn presence_of_contacts_is_shown() {
    let (mut world, romeo, juliet) = pair();
    let presence = |world: &World| {
        let changes = &world.devices[romeo].changes;
        changes.iter().rev().find_map(|change| match change {
            Change::Contact(contact) if contact.address == bare(JULIET) => Some(contact.presence),
            _ => None,
        })
    };
    assert_eq!(presence(&world), Some(Presence::Available));
    world.run(romeo, Command::Disconnect);
    assert_eq!(presence(&world), Some(Presence::Offline));
    let _ = juliet;
}

#[test]
fn contacts_are_added_renamed_and_removed() {
    let mut world = World::new();
    world.server.add_account("tybalt@example.net", "rapier");
    let romeo = world.online(ROMEO, &[]);
    let contact = |world: &World| {
        let contacts = world.devices[romeo].store.contacts().unwrap();
        contacts.into_iter().find(|contact| contact.address == bare("tybalt@example.net"))
    };
    let address = bare("tybalt@example.net");
    let add = Command::AddContact { address: address.clone(), name: Some("Prince".into()) };
    assert_eq!(world.run(romeo, add), Some(Outcome::Done));
    assert_eq!(contact(&world).unwrap().name.as_deref(), Some("Prince"));
    assert!(world.devices[romeo].sent.contains("type='subscribe'"));
    let rename = Command::Rename(address.clone(), Some("King of Cats".into()));
    assert_eq!(world.run(romeo, rename), Some(Outcome::Done));
    assert_eq!(contact(&world).unwrap().name.as_deref(), Some("King of Cats"));
    assert_eq!(world.run(romeo, Command::RemoveContact(address)), Some(Outcome::Done));
    assert_eq!(contact(&world), None);
}

#[test]
fn commands_wait_for_a_session() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[]);
    world.devices[romeo].reachable = false;
    world.cut(romeo);
    let rename = Command::Rename(bare(JULIET), Some("Sun".into()));
    let number = world.command(romeo, rename);
    world.settle();
    assert_eq!(world.devices[romeo].outcomes.get(&number), None);
    world.devices[romeo].reachable = true;
    world.run(romeo, Command::Reconnect);
    assert_eq!(world.devices[romeo].outcomes.get(&number), Some(&Outcome::Done));
}

#[test]
fn somebody_who_asks_is_answered() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[]);
    let ask = Element::new("presence", ns::CLIENT)
        .with_attr("from", "tybalt@example.net")
        .with_attr("type", "subscribe");
    for session in world.server.sessions_of(&bare(ROMEO)) {
        world.server.deliver(&session, &ask);
    }
    world.settle();
    let asks = |world: &World| {
        let contacts = world.devices[romeo].store.contacts().unwrap();
        contacts.iter().any(|contact| contact.asks)
    };
    assert!(asks(&world));
    let answer = Command::Answer { address: bare("tybalt@example.net"), accept: false };
    assert_eq!(world.run(romeo, answer), Some(Outcome::Done));
    assert!(!asks(&world));
    assert!(world.devices[romeo].sent.contains("type='unsubscribed'"));
}

#[test]
fn blocking_is_shown_and_taken_back() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[]);
    let blocked = |world: &World| {
        let contacts = world.devices[romeo].store.contacts().unwrap();
        contacts.iter().any(|contact| contact.blocked)
    };
    let block = Command::Block { address: bare(JULIET), report: true };
    assert_eq!(world.run(romeo, block), Some(Outcome::Done));
    assert!(blocked(&world));
    assert!(world.devices[romeo].sent.contains("urn:xmpp:reporting:spam"));
    assert_eq!(world.run(romeo, Command::Unblock(bare(JULIET))), Some(Outcome::Done));
    assert!(!blocked(&world));
}

#[test]
fn nicknames_and_pictures_reach_contacts() {
    let (mut world, romeo, juliet) = pair();
    world.run(romeo, Command::SetNickname("  Romeo\u{7} of Verona ".into()));
    let png = b"\x89PNG\r\n\x1a\n0000IHDR\0\0\0\x01\0\0\0\x01".to_vec();
    let outcome = world.run(romeo, Command::SetAvatar(Some(png.clone())));
    assert_eq!(outcome, Some(Outcome::Done));
    let contacts = world.devices[juliet].store.contacts().unwrap();
    let shown = contacts.iter().find(|contact| contact.address == bare(ROMEO)).unwrap();
    assert_eq!(shown.nickname.as_deref(), Some("Romeo of Verona"));
    let avatar = shown.avatar.clone().unwrap();
    assert_eq!(world.devices[juliet].store.media(&avatar).unwrap(), Some(png));
    assert_eq!(world.run(romeo, Command::SetAvatar(None)), Some(Outcome::Done));
    let contacts = world.devices[juliet].store.contacts().unwrap();
    let shown = contacts.iter().find(|contact| contact.address == bare(ROMEO)).unwrap();
    assert_eq!(shown.avatar, None);
}

#[test]
fn strangers_do_not_learn_what_this_program_is() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[]);
    for (from, kind) in [("tybalt@example.net/x", "error"), ("juliet@example.net/x", "result")] {
        let ask = Element::new("iq", ns::CLIENT)
            .with_attr("type", "get")
            .with_attr("id", kind)
            .with_attr("from", from)
            .with_child(Element::new("query", ns::DISCO_INFO));
        for session in world.server.sessions_of(&bare(ROMEO)) {
            world.server.deliver(&session, &ask);
        }
        world.settle();
        let answer = world.server.seen.iter().find(|stanza| stanza.attr("id") == Some(kind));
        assert_eq!(answer.unwrap().attr("type"), Some(kind));
    }
    let _ = romeo;
}

#[test]
fn a_window_shows_what_changes_in_it() {
    let (mut world, romeo, juliet) = pair();
    for number in 0..3 {
        world.send(juliet, ROMEO, &format!("before {number}"));
    }
    world.settle();
    world.run(romeo, Command::Open(bare(JULIET)));
    let window = world.devices[romeo].changes.iter().rev().find_map(|change| match change {
        Change::Window { messages, first_unread, .. } => Some((messages.clone(), *first_unread)),
        _ => None,
    });
    let (messages, first_unread) = window.unwrap();
    assert_eq!(messages.len(), 3);
    assert_eq!(first_unread, Some(messages[0].id));
    world.devices[romeo].changes.clear();
    world.send(juliet, ROMEO, "after");
    world.settle();
    let shown = world.devices[romeo].changes.iter().any(|change| {
        matches!(change, Change::Messages { messages, .. } if text(&messages[0]) == "after")
    });
    assert!(shown);
    world.run(romeo, Command::Close(bare(JULIET)));
    world.devices[romeo].changes.clear();
    world.send(juliet, ROMEO, "unseen");
    world.settle();
    assert!(!world.devices[romeo].changes.iter().any(|one| matches!(one, Change::Messages { .. })));
}

#[test]
fn what_others_can_do_is_kept_unless_the_list_is_too_long() {
    for (length, kept) in [(10, true), (200, false)] {
        let (mut world, romeo, _) = pair();
        let features = (0..500).map(|number| format!("urn:example:{number:0>length$}"));
        let info = Info::new().with_identity(Identity::new("client", "pc"));
        let info = info.with_features(features);
        let caps = Caps::of("urn:example:program", &info);
        let name = format!("{JULIET}/elsewhere");
        let presence = Element::new("presence", ns::CLIENT)
            .with_attr("from", &name)
            .with_child(caps.to_element());
        let session = world.server.sessions_of(&bare(ROMEO)).remove(0);
        world.server.deliver(&session, &presence);
        world.settle();
        let mut asked = world.server.seen.iter().filter(|one| one.attr("to") == Some(&name));
        let id = asked.next().and_then(|iq| iq.attr("id")).expect("a question").to_owned();
        let answer = Element::new("iq", ns::CLIENT)
            .with_attr("type", "result")
            .with_attr("from", &name)
            .with_attr("id", id)
            .with_child(info.with_node(caps.disco_node()).to_element());
        world.server.deliver(&session, &answer);
        world.settle();
        let value = world.devices[romeo].store.value(&format!("caps {}", caps.ver)).unwrap();
        assert_eq!(value.is_some(), kept, "{length}");
    }
}
