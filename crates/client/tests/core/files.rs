//! Files: sent, fetched, called off and refused.

use client::Command;
use client::effect::{LocalFile, Transfer, TransferEvent};
use client::store::{Content, Delivery, EncryptionMode, Preview};
use client::view::{Outcome, Problem};
use xmpp::ns;
use xmpp::xml::Element;

use crate::server::bare;
use crate::world::World;

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";

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
            length: Some(42_500),
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
    assert_eq!(preview.length, None, "a picture does not play");
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
