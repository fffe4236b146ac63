//! The way to a client, and what is left of it when the connection is gone.

use bytes::Bytes;
use xmpp::{sm::Limits, xml};

use super::*;

const NOW: Millis = Millis(1_000_000);

fn link(sm: bool) -> Link {
    let mut link = Link::new(MailboxLimits { frames: 4, bytes: 10_000 });
    if sm {
        link.enable_sm(Limits { stanzas: 3, ..Limits::SESSION });
        link.set_resumption("id");
    }
    link
}

fn message(body: &str) -> Frame {
    Frame::message(Bytes::from(format!("<message><body>{body}</body></message>")))
}

fn written(link: &mut Link) -> String {
    let mut out = Output::new(false, "juliet@a.example/x");
    link.write(NOW, &mut out, usize::MAX);
    out.text()
}

fn stanza() -> Stanza {
    Stanza::parse(Bytes::from_static(b"<message id='1'/>"), &xml::Limits::CLIENT).unwrap()
}

#[test]
fn an_acknowledgement_waits_for_everything_before_the_question() {
    let mut link = link(true);
    let (first, second) = (link.receive(0).unwrap(), link.receive(0).unwrap());
    link.ask();
    assert!(!link.settle(second));
    assert_eq!(written(&mut link), "");
    assert!(link.settle(first));
    assert_eq!(written(&mut link), "<a xmlns='urn:xmpp:sm:3' h='2'/>");
}

#[test]
fn what_comes_after_the_question_does_not_delay_the_acknowledgement() {
    let mut link = link(true);
    let first = link.receive(0).unwrap();
    link.ask();
    link.receive(0);
    assert!(link.settle(first));
    assert_eq!(written(&mut link), "<a xmlns='urn:xmpp:sm:3' h='1'/>");
}

#[test]
fn a_failed_stanza_comes_back_and_counts_as_handled() {
    let mut link = link(true);
    let tag = link.receive(0).unwrap();
    link.expect(tag, stanza());
    link.ask();
    link.failed(tag);
    assert_eq!(link.take_failed().len(), 1);
    assert_eq!(written(&mut link), "<a xmlns='urn:xmpp:sm:3' h='1'/>");
}

#[test]
fn a_client_that_does_not_acknowledge_gets_no_more_than_the_queue_holds() {
    let mut link = link(true);
    for body in ["1", "2", "3", "4"] {
        link.push(message(body));
    }
    let text = written(&mut link);
    assert!(text.contains("<body>3</body>") && !text.contains("<body>4</body>"));
    assert!(text.ends_with("<r xmlns='urn:xmpp:sm:3'/>"));
    link.acknowledge(3).unwrap();
    assert!(written(&mut link).contains("<body>4</body>"));
}

#[test]
fn a_resumed_client_gets_what_it_did_not_handle_and_then_what_came_since() {
    let mut link = link(true);
    link.push(message("1"));
    link.push(message("2"));
    written(&mut link);
    assert_eq!(link.detach(0, NOW, true), Parting::Waits);
    link.push(message("3"));
    link.resume(1).unwrap();
    assert_eq!(link.epoch(), 1);
    let mut out = Output::new(false, "juliet@a.example/x");
    link.rewrite(&mut out);
    link.write(NOW, &mut out, usize::MAX);
    let text = out.text();
    assert!(!text.contains("<body>1</body>"));
    assert!(text.find("<body>2</body>").unwrap() < text.find("<body>3</body>").unwrap());
    assert_eq!(link.detach(0, NOW, true), Parting::Replaced);
    assert!(link.receive(0).is_none(), "the connection before has been replaced");
}

#[test]
fn a_session_that_lost_a_frame_cannot_be_resumed() {
    let mut link = link(true);
    assert!(link.resumable());
    for _ in 0..5 {
        link.push(message("x"));
    }
    assert!(!link.resumable());
    assert!(link.closing().is_some());
    assert_eq!(link.detach(0, NOW, true), Parting::Ends);
}

#[test]
fn what_comes_after_a_lost_frame_is_not_written_and_nothing_is_forgotten() {
    let mut link = link(false);
    let archived = |id: u64| Frame { archived: Some(id), ..message(&id.to_string()) };
    for id in 1..=5 {
        link.push(archived(id));
    }
    assert!(!link.reaches(), "what comes now waits");
    let mut out = Output::new(false, "juliet@a.example/x");
    link.write(NOW, &mut out, 1);
    assert!(out.text().contains("<body>1</body>"));
    assert!(!link.push(archived(6)));
    let ids: Vec<_> = link.end().into_iter().filter_map(|entry| entry.meta.archived).collect();
    assert_eq!(ids, [2, 3, 4, 5]);
}

#[test]
fn the_end_names_what_the_client_never_acknowledged() {
    let mut link = link(true);
    let mut frame = message("1");
    frame.archived = Some(7);
    link.push(frame);
    written(&mut link);
    let mut frame = message("2");
    frame.archived = Some(8);
    link.push(frame);
    let ids: Vec<_> = link.end().into_iter().filter_map(|entry| entry.meta.archived).collect();
    assert_eq!(ids, [7, 8]);
    assert!(!link.push(message("3")));
}

#[test]
fn offline_messages_are_done_with_when_acknowledged_or_written_without_management() {
    let mut frame = message("1");
    (frame.archived, frame.pending) = (Some(7), true);
    let mut plain = link(false);
    plain.push(frame.clone());
    let mut out = Output::new(false, "juliet@a.example/x");
    assert_eq!(plain.write(NOW, &mut out, usize::MAX).delivered, [7]);
    let mut managed = link(true);
    managed.push(frame);
    assert!(managed.write(NOW, &mut out, usize::MAX).delivered.is_empty());
    assert_eq!(managed.acknowledge(1).unwrap(), [7]);
}
