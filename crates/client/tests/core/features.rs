//! What else one does with messages and people.

use client::effect::{LocalFile, Transfer, TransferEvent};
use client::store::{
    Contacts, Content, Delivery, EncryptionMode, Login, Media, Message, Preview, Profile,
};
use client::view::{Change, Outcome, Presence, Problem};
use client::{Command, Input};
use xmpp::error::Condition;
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

/// A server with a service for files.
pub(crate) fn with_upload(world: &mut World) {
    let item = Element::new("item", ns::DISCO_ITEMS).with_attr("jid", "upload.example.net");
    let items = Element::new("query", ns::DISCO_ITEMS).with_child(item);
    world.server.answers.insert(ns::DISCO_ITEMS.into(), Ok(Some(items)));
    let form = xmpp::ext::form::Form::typed(xmpp::ext::form::FormType::Result, ns::HTTP_UPLOAD)
        .with_field(xmpp::ext::form::Field::untyped("max-file-size").with_value("1000000"));
    let info = xmpp::ext::disco::Info::new().with_feature(ns::HTTP_UPLOAD).with_form(form);
    world.server.answers.insert(ns::DISCO_INFO.into(), Ok(Some(info.to_element())));
    let header = |name: &str, value: &str| {
        Element::new("header", ns::HTTP_UPLOAD).with_attr("name", name).with_text(value)
    };
    let put = Element::new("put", ns::HTTP_UPLOAD)
        .with_attr("url", "https://up.example.net/x/summit.jpg")
        .with_child(header("Authorization", "Basic\r\nX: y"))
        .with_child(header("Host", "evil.example"));
    let get = Element::new("get", ns::HTTP_UPLOAD)
        .with_attr("url", "https://down.example.net/x/summit.jpg");
    let slot = Element::new("slot", ns::HTTP_UPLOAD).with_child(put).with_child(get);
    world.server.answers.insert(ns::HTTP_UPLOAD.into(), Ok(Some(slot)));
}

pub(crate) fn send_file(encryption: Option<EncryptionMode>) -> Command {
    Command::SendFile {
        to: bare(JULIET),
        file: LocalFile("/pictures/summit.jpg".into()),
        name: "summit.jpg".into(),
        size: 1000,
        media_type: "image/jpeg".into(),
        caption: Some("look".into()),
        preview: Some(Preview {
            width: 1200,
            height: 800,
            thumbnail: Some("data:image/jpeg;base64,AAAA".into()),
            description: Some("A summit".into()),
        }),
        reply_to: None,
        encryption,
    }
}

#[test]
fn a_file_is_uploaded_then_sent_then_fetched() {
    let mut world = World::new();
    with_upload(&mut world);
    let romeo = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    let number = world.command(romeo, send_file(None));
    world.settle();
    let (id, transfer) = world.devices[romeo].transfers.remove(0);
    let Transfer::Upload { url, headers, cipher, .. } = transfer else { panic!("an upload") };
    assert_eq!(url, "https://up.example.net/x/summit.jpg");
    assert_eq!(headers, [("Authorization".to_owned(), "BasicX: y".to_owned())]);
    assert_eq!(cipher, None);
    assert!(world.texts(juliet, ROMEO).iter().all(|text| text == "look"));
    world.transfer(romeo, id, TransferEvent::Progress(500));
    world.transfer(romeo, id, TransferEvent::Finished { size: 1000, sha256: [0; 32] });
    assert!(matches!(world.devices[romeo].outcomes.get(&number), Some(Outcome::Sent(_))));
    let messages = world.messages(juliet, ROMEO);
    let file = messages.iter().find(|one| matches!(one.content, Content::File(..))).unwrap();
    let Content::File(shared, None) = &file.content else { panic!("{file:?}") };
    assert_eq!((shared.name.as_str(), shared.size), ("summit.jpg", Some(1000)));
    let preview = shared.preview.as_ref().unwrap();
    assert_eq!((preview.width, preview.height), (1200, 800));
    assert_eq!(preview.thumbnail.as_deref(), Some("data:image/jpeg;base64,AAAA"));
    let number = world.command(juliet, Command::Download(file.id, LocalFile("/tmp/x".into())));
    world.settle();
    let (id, transfer) = world.devices[juliet].transfers.remove(0);
    let Transfer::Download { url, cipher: None, most, .. } = transfer else { panic!("a download") };
    assert_eq!(url, "https://down.example.net/x/summit.jpg");
    // Not much more is fetched than was told, whatever the server has.
    assert_eq!(most, 1000 + 64 * 1024);
    world.transfer(juliet, id, TransferEvent::Finished { size: 1000, sha256: [0; 32] });
    let outcome = world.devices[juliet].outcomes.get(&number);
    assert!(matches!(outcome, Some(Outcome::Downloaded(file)) if file.local.is_some()));
    // Taken back, it is of no use to anybody.
    let sent = world.messages(romeo, JULIET);
    let sent = sent.iter().find(|one| matches!(one.content, Content::File(..))).unwrap().id;
    world.command(romeo, Command::Retract(sent));
    world.settle();
    let forgotten = |device: usize| world.devices[device].forgotten.clone();
    assert_eq!(forgotten(romeo), [LocalFile("/pictures/summit.jpg".into())]);
    assert_eq!(forgotten(juliet), [LocalFile("/tmp/x".into())]);
}

#[test]
fn an_upload_in_an_encrypted_conversation_says_nothing_about_the_file() {
    let mut world = World::new();
    with_upload(&mut world);
    let romeo = world.online(ROMEO, &[]);
    world.command(romeo, send_file(None));
    world.settle();
    let (_, transfer) = world.devices[romeo].transfers.remove(0);
    let Transfer::Upload { cipher: Some(key), .. } = transfer else { panic!("encrypted") };
    assert_eq!(key.iv.len(), 12);
    let request =
        world.server.seen.iter().find_map(|stanza| stanza.child("request", ns::HTTP_UPLOAD));
    let request = request.unwrap();
    assert!(!request.attr("filename").unwrap().contains("summit"));
    assert_eq!(request.attr("size"), Some("1016"));
    assert_eq!(request.attr("content-type"), Some("application/octet-stream"));
}

#[test]
fn an_upload_that_was_killed_begins_again() {
    let mut world = World::new();
    with_upload(&mut world);
    let romeo = world.online(ROMEO, &[JULIET]);
    world.command(romeo, send_file(None));
    world.settle();
    world.devices[romeo].transfers.clear();
    world.crash(romeo);
    world.settle();
    assert_eq!(world.devices[romeo].transfers.len(), 1);
    let (id, _) = world.devices[romeo].transfers.remove(0);
    world.transfer(romeo, id, TransferEvent::Finished { size: 1000, sha256: [0; 32] });
    let messages = world.messages(romeo, JULIET);
    assert!(messages.iter().all(|one| one.delivery == Some(Delivery::Sent)), "{messages:?}");
}

#[test]
fn a_file_that_was_called_off_is_not_sent_wherever_it_was() {
    for place in ["waits", "asks", "runs"] {
        let mut world = World::new();
        with_upload(&mut world);
        let romeo = world.online(ROMEO, &[JULIET]);
        if place == "waits" {
            world.devices[romeo].reachable = false;
            world.cut(romeo);
        }
        let send = Command::SendFile {
            to: bare(JULIET),
            file: LocalFile("/pictures/wrong.jpg".into()),
            name: "wrong.jpg".into(),
            size: 1000,
            media_type: "image/jpeg".into(),
            caption: None,
            preview: None,
            reply_to: None,
            encryption: None,
        };
        let number = world.command(romeo, send);
        if place == "runs" {
            world.settle();
            assert_eq!(world.devices[romeo].transfers.len(), 1);
        }
        let id = world.last(romeo, JULIET).id;
        assert_eq!(world.run(romeo, Command::CancelTransfer(id)), Some(Outcome::Done));
        let delivery = |world: &World| world.last(romeo, JULIET).delivery;
        assert_eq!(delivery(&world), Some(Delivery::Failed("cancelled".into())), "{place}");
        let outcome = world.devices[romeo].outcomes.get(&number);
        assert!(matches!(outcome, Some(Outcome::Failed(_))), "{place}: {outcome:?}");
        // Neither now, nor in the next session, nor by the next program.
        world.devices[romeo].reachable = true;
        world.run(romeo, Command::Reconnect);
        world.crash(romeo);
        world.pass(10_000);
        assert!(world.devices[romeo].transfers.is_empty(), "{place}");
        assert_eq!(delivery(&world), Some(Delivery::Failed("cancelled".into())), "{place}");
        // Begun anew it goes once.
        world.command(romeo, Command::Retry(id));
        world.settle();
        assert_eq!(world.devices[romeo].transfers.len(), 1, "{place}");
    }
}

#[test]
fn a_file_that_asks_for_its_place_when_the_session_ends_waits_for_the_next_one() {
    let mut world = World::new();
    with_upload(&mut world);
    let romeo = world.online(ROMEO, &[JULIET]);
    world.command(romeo, send_file(None));
    world.devices[romeo].reachable = false;
    world.server.forgetful = true;
    world.cut(romeo);
    world.pass(120_000);
    let file = |world: &World| {
        let messages = world.messages(romeo, JULIET).into_iter();
        messages
            .filter(|one| matches!(one.content, Content::File(..)))
            .map(|one| one.delivery)
            .next()
    };
    assert_eq!(file(&world), Some(Some(Delivery::Queued)));
    world.devices[romeo].reachable = true;
    world.run(romeo, Command::Reconnect);
    world.pass(10_000);
    assert_eq!(world.devices[romeo].transfers.len(), 1);
}

#[test]
fn a_file_can_be_an_answer() {
    let mut world = World::new();
    with_upload(&mut world);
    let romeo = world.online(ROMEO, &[JULIET]);
    let juliet = world.online(JULIET, &[ROMEO]);
    world.send(juliet, ROMEO, "where are you?");
    world.settle();
    let asked = world.last(romeo, JULIET).id;
    let Command::SendFile { to, file, name, size, media_type, preview, .. } = send_file(None)
    else {
        panic!("a file")
    };
    let reply_to = Some(asked);
    let caption = None;
    let send = Command::SendFile {
        to,
        file,
        name,
        size,
        media_type,
        caption,
        preview,
        reply_to,
        encryption: None,
    };
    world.command(romeo, send);
    world.settle();
    let (id, _) = world.devices[romeo].transfers.remove(0);
    world.transfer(romeo, id, TransferEvent::Finished { size: 1000, sha256: [0; 32] });
    for (device, with) in [(romeo, JULIET), (juliet, ROMEO)] {
        let last = world.last(device, with);
        assert!(matches!(last.content, Content::File(..)), "{last:?}");
        let reply = last.reply.expect("an answer");
        assert_eq!(reply.quote.as_deref(), Some("where are you?"));
    }
}

#[test]
fn too_large_a_file_is_refused_before_it_is_sent() {
    let mut world = World::new();
    with_upload(&mut world);
    let romeo = world.online(ROMEO, &[JULIET]);
    let command = Command::SendFile {
        to: bare(JULIET),
        file: LocalFile("/pictures/all".into()),
        name: "all".into(),
        size: 2_000_000,
        media_type: "application/zip".into(),
        caption: None,
        preview: None,
        reply_to: None,
        encryption: None,
    };
    let outcome = world.run(romeo, command);
    assert!(matches!(outcome, Some(Outcome::Failed(Problem::Transfer(_)))), "{outcome:?}");
}

#[test]
fn an_invitation_is_a_link() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[]);
    let field = |name: &str, value: &str| xmpp::ext::form::Field::untyped(name).with_value(value);
    let form = xmpp::ext::form::Form::new(xmpp::ext::form::FormType::Result)
        .with_field(field("uri", "xmpp:romeo@example.net?roster;preauth=TOKEN"))
        .with_field(field("landing-url", "https://example.net/invite/TOKEN"));
    let command = Element::new("command", ns::COMMANDS)
        .with_attr("status", "completed")
        .with_child(form.to_element());
    world.server.answers.insert(ns::COMMANDS.into(), Ok(Some(command)));
    let outcome = world.run(romeo, Command::Invite);
    assert_eq!(outcome, Some(Outcome::Text("https://example.net/invite/TOKEN".into())));
}

#[test]
fn a_new_password_is_used_for_the_next_login() {
    let mut world = World::new();
    world.server.settings.fast.clear();
    let romeo = world.online(ROMEO, &[]);
    world.server.answers.insert(ns::REGISTER.into(), Ok(None));
    let outcome = world.run(romeo, Command::ChangePassword("rosaline".into()));
    assert_eq!(outcome, Some(Outcome::Done));
    world.server.accounts.get_mut(&bare(ROMEO)).unwrap().password = "rosaline".into();
    world.crash(romeo);
    world.settle();
    let login: Login = world.devices[romeo].store.login().unwrap().unwrap();
    assert_eq!(login.password, Some("rosaline".into()), "without tokens it is needed again");
    let connected = world.devices[romeo].changes.iter().rev().find_map(|change| match change {
        Change::Account(account) => Some(account.connection.clone()),
        _ => None,
    });
    assert_eq!(connected, Some(client::view::Connection::Online));
}

#[test]
fn a_logout_forgets_the_token_and_everything_else() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    world.send(romeo, JULIET, "hello");
    world.settle();
    assert_eq!(world.run(romeo, Command::Logout), Some(Outcome::Done));
    assert!(world.devices[romeo].sent.contains("invalidate='true'"));
    assert!(world.devices[romeo].store.login().unwrap().is_none());
    assert!(world.messages(romeo, JULIET).is_empty());
    world.input(romeo, Input::Tick);
    world.pass(600_000);
    let outcome = world.run(romeo, Command::Reconnect);
    assert!(matches!(outcome, Some(Outcome::Failed(Problem::Login(_)))));
}

#[test]
fn a_logout_without_a_connection_works_too() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    world.devices[romeo].reachable = false;
    world.cut(romeo);
    assert_eq!(world.run(romeo, Command::Logout), Some(Outcome::Done));
    assert!(world.devices[romeo].store.login().unwrap().is_none());
}

#[test]
fn an_account_that_is_deleted_leaves_nothing_here_and_one_that_is_not_stays() {
    let mut world = World::new();
    let romeo = world.online(ROMEO, &[JULIET]);
    world.send(romeo, JULIET, "hello");
    world.settle();
    let refused = Err(Condition::NotAllowed);
    world.server.answers.insert(ns::REGISTER.to_owned(), refused);
    let outcome = world.run(romeo, Command::DeleteAccount);
    assert!(matches!(outcome, Some(Outcome::Failed(Problem::Refused(_)))), "{outcome:?}");
    assert_eq!(world.messages(romeo, JULIET).len(), 1);

    world.server.answers.insert(ns::REGISTER.to_owned(), Ok(None));
    assert_eq!(world.run(romeo, Command::DeleteAccount), Some(Outcome::Done));
    let asked = world.server.seen.iter().rev().find_map(|it| it.child("query", ns::REGISTER));
    assert!(asked.is_some_and(|query| query.child("remove", ns::REGISTER).is_some()));
    assert!(world.devices[romeo].store.login().unwrap().is_none());
    assert!(world.messages(romeo, JULIET).is_empty());
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
