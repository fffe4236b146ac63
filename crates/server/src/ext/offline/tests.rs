//! What had waited for a device: once, in order, and nothing of it lost.

use xmpp::sm;

use super::*;
use crate::{
    account::CaughtUp, im::presence::Available, model::Stage, net::wire::Output, router::message,
    session::Origin,
};

mod model;

/// A row that waits, and the id it has.
fn waits(stage: &Stage, juliet: &Account) -> u64 {
    let mut state = juliet.lock();
    state.archive.begins_to_wait();
    let id = archive::take_id(&mut state);
    let row = Append {
        account: juliet.id,
        id,
        at: store::Millis(stage.server.now().0),
        with: "romeo@b.example".into(),
        resource: None,
        outgoing: false,
        origin_hash: None,
        pending: true,
        hidden: false,
        stanza: format!("<message from='romeo@b.example/x' id='{id}'><body>a</body></message>")
            .into(),
    };
    stage.server.store.archive.append(std::iter::once(row).collect(), None).unwrap();
    id
}

fn bind(stage: &Stage, juliet: &Arc<Account>, resource: &str) -> Arc<Session> {
    stage.run(life::bind(&stage.server, juliet, Some(resource), Origin::default())).unwrap()
}

/// Ends a session. The ids in the archive of what its client does not have.
fn left(session: &Session) -> Vec<Option<u64>> {
    session.link().end().iter().map(|entry| entry.meta.archived).collect()
}

/// Somebody writes to Juliet.
fn send(stage: &Stage, to: &str, id: usize) {
    let xml = format!(
        "<message from='hall@conference.a.example/nurse' to='{to}' type='chat' id='m{id}'>\
         <body>m{id}</body></message>"
    );
    let message = Stanza::parse(xml.into(), &Limits::CLIENT).unwrap();
    let to = Jid::new(to).unwrap();
    stage.run(Box::pin(message::send_on(&stage.server, &to, &message))).unwrap();
}

/// The ids in the archive of what waits.
fn pending(stage: &Stage, juliet: &Account) -> Vec<u64> {
    let rows = stage.run(super::pending(&stage.server, juliet, 0, u32::MAX)).unwrap();
    rows.iter().map(|row| row.id).collect()
}

/// Its client says that it takes messages, or with a negative number that it takes none.
fn available(stage: &Stage, session: &Arc<Session>, priority: i8) {
    let xml = format!("<presence><priority>{priority}</priority></presence>");
    let stanza = Stanza::parse(xml.into(), &Limits::CLIENT).unwrap();
    stage.run(Box::pin(crate::im::presence::route(&stage.server, session, &stanza)));
}

fn unavailable(stage: &Stage, session: &Arc<Session>) {
    let stanza = Stanza::parse("<presence type='unavailable'/>".into(), &Limits::CLIENT).unwrap();
    stage.run(Box::pin(crate::im::presence::route(&stage.server, session, &stanza)));
}

/// What the connection writes now.
fn written(stage: &Stage, session: &Session) -> String {
    let mut out = Output::new(false, session.full());
    session.link().write(stage.server.now(), &mut out, usize::MAX);
    out.text()
}

/// A device that asks for what is newer than the newest that it has would never get the older one.
#[test]
fn nothing_overtakes_what_had_waited() {
    let stage = Stage::new();
    let juliet = stage.juliet();
    let session = bind(&stage, &juliet, "phone");
    let (first, second) = (waits(&stage, &juliet), waits(&stage, &juliet));
    begin(&mut juliet.lock(), &session);
    // Another device of hers writes something, and somebody writes to her.
    let later = [(); 2].map(|()| {
        let mut frame = Frame::message("<message/>".into());
        frame.archived = Some(archive::take_id(&mut juliet.lock()));
        session.deliver(frame.clone());
        frame.archived
    });
    assert!(!session.link().has_more(), "not yet");
    stage.run(hand_over(&stage.server, &session));
    assert_eq!(left(&session), [Some(first), Some(second), later[0], later[1]]);
}

#[test]
fn a_device_whose_messages_go_to_another_one_begins_anew() {
    let stage = Stage::new();
    let juliet = stage.juliet();
    let (phone, desk) = (bind(&stage, &juliet, "phone"), bind(&stage, &juliet, "desk"));
    waits(&stage, &juliet);
    begin(&mut juliet.lock(), &phone);
    phone.link().set_resumption("x");
    let epoch = phone.link().epoch();
    phone.link().detach(epoch, stage.server.now(), true);
    assert!(phone.link().resumable());
    begin(&mut juliet.lock(), &desk);
    assert!(!phone.link().resumable(), "it would never know what it missed");
    stage.run(hand_over(&stage.server, &desk));
    assert_eq!(desk.link().end().len(), 1);
}

#[test]
fn what_is_older_than_what_a_device_reads_is_handed_over() {
    let stage = Stage::new();
    let juliet = stage.juliet();
    let session = bind(&stage, &juliet, "phone");
    let (old, read) = (waits(&stage, &juliet), waits(&stage, &juliet));
    let part = |after, upto| CaughtUp { after, ..CaughtUp::to(upto) };
    let reads = part(old, read).and(part(read, read));
    assert_eq!(reads, part(old, read), "the next page of the same");
    assert_eq!(reads.and(part(read + 5, read + 9)).after, read + 5, "something else");
    juliet.lock().resource(&session).unwrap().caught_up = Some(reads);
    begin(&mut juliet.lock(), &session);
    stage.run(hand_over(&stage.server, &session));
    assert_eq!(left(&session), [Some(old)]);
}

#[test]
fn two_connections_of_a_session_hand_over_once() {
    let stage = Stage::new();
    let juliet = stage.juliet();
    let session = bind(&stage, &juliet, "phone");
    let first = waits(&stage, &juliet);
    begin(&mut juliet.lock(), &session);
    let server = &stage.server;
    stage.run(async { tokio::join!(hand_over(server, &session), hand_over(server, &session)) });
    assert_eq!(left(&session), [Some(first)]);
}

#[test]
fn who_is_there_gets_what_a_device_was_given_that_is_cut_off() {
    let stage = Stage::new();
    let juliet = stage.juliet();
    let (phone, desk) = (bind(&stage, &juliet, "phone"), bind(&stage, &juliet, "desk"));
    let first = waits(&stage, &juliet);
    begin(&mut juliet.lock(), &phone);
    phone.link().set_resumption("x");
    let epoch = phone.link().epoch();
    phone.link().detach(epoch, stage.server.now(), true);
    interrupted(&mut juliet.lock(), &phone);
    assert!(phone.link().resumable(), "nobody else is there");
    let stanza = Stanza::parse("<presence/>".into(), &Limits::CLIENT).unwrap();
    let available = Available { stanza, priority: 0 };
    juliet.lock().resource(&desk).unwrap().available = Some(available);
    interrupted(&mut juliet.lock(), &phone);
    assert!(!phone.link().resumable());
    stage.run(hand_over(&stage.server, &desk));
    assert_eq!(left(&desk), [Some(first)]);
}

#[test]
fn what_was_kept_meanwhile_comes_behind_the_rest_and_ends_it() {
    let stage = Stage::new();
    let juliet = stage.juliet();
    let session = bind(&stage, &juliet, "phone");
    let first = waits(&stage, &juliet);
    begin(&mut juliet.lock(), &session);
    let romeo = BareJid::new("romeo@b.example").unwrap();
    let stanza = Bytes::from_static(b"<message from='romeo@b.example' type='error'/>");
    let kept = keep(&stage.server, &juliet, &mut juliet.lock(), &romeo, stanza);
    // One that was queued for it as well, since it had no connection then.
    let queued = waits(&stage, &juliet);
    let mut frame = Frame::message("<message/>".into());
    (frame.archived, frame.pending) = (Some(queued), true);
    session.deliver(frame);
    stage.run(hand_over(&stage.server, &session));
    assert!(session.link().reaches());
    assert_eq!(left(&session), [Some(first), kept, Some(queued)]);
}

#[test]
fn a_device_that_comes_and_goes_is_given_nothing_twice() {
    let stage = Stage::new();
    let juliet = stage.juliet();
    let session = bind(&stage, &juliet, "phone");
    session.link().enable_sm(sm::Limits::SESSION);
    send(&stage, "juliet@a.example", 1);
    available(&stage, &session, 0);
    stage.run(hand_over(&stage.server, &session));
    // One that came while it was without a connection, and so waits as well.
    begin(&mut juliet.lock(), &session);
    send(&stage, "juliet@a.example", 2);
    stage.run(hand_over(&stage.server, &session));
    assert!(written(&stage, &session).contains("<body>m2<"));
    for priority in [-1, 0] {
        available(&stage, &session, priority);
    }
    unavailable(&stage, &session);
    available(&stage, &session, 0);
    assert!(!session.link().reaches());
    stage.run(hand_over(&stage.server, &session));
    assert_eq!(pending(&stage, &juliet).len(), 2, "nothing was acknowledged");
    let again = written(&stage, &session);
    assert!(!again.contains("<body>m1<") && !again.contains("<body>m2<"), "{again}");
}

#[test]
fn who_goes_away_while_messages_are_handed_over_misses_none() {
    let stage = Stage::new();
    let juliet = stage.juliet();
    let session = bind(&stage, &juliet, "phone");
    send(&stage, "juliet@a.example", 1);
    available(&stage, &session, 0);
    send(&stage, "juliet@a.example", 2);
    unavailable(&stage, &session);
    send(&stage, "juliet@a.example", 3);
    send(&stage, session.full(), 4);
    while session.link().wants_backlog() {
        stage.run(hand_over(&stage.server, &session));
    }
    let waiting: Vec<_> = pending(&stage, &juliet).into_iter().map(Some).collect();
    assert_eq!(waiting.len(), 4);
    let mut ids = left(&session);
    ids.retain(Option::is_some);
    assert_eq!(ids, waiting);
}

#[test]
fn what_comes_before_the_first_presence_stays_behind_what_waits() {
    let stage = Stage::new();
    let juliet = stage.juliet();
    send(&stage, "juliet@a.example", 1);
    let session = bind(&stage, &juliet, "phone");
    juliet.lock().resource(&session).unwrap().carbons = true;
    send(&stage, session.full(), 2);
    send(&stage, "juliet@a.example", 3);
    assert_eq!(written(&stage, &session), "");
    assert!(session.link().deadline().is_some(), "not for ever");
    available(&stage, &session, 0);
    stage.run(hand_over(&stage.server, &session));
    let waiting = pending(&stage, &juliet);
    let ids: Vec<_> = left(&session).into_iter().flatten().collect();
    assert_eq!((ids.len(), ids), (3, waiting));
}

#[test]
fn a_client_without_presence_waits_for_nothing_that_is_not_there() {
    let stage = Stage::new();
    let juliet = stage.juliet();
    let session = bind(&stage, &juliet, "phone");
    send(&stage, session.full(), 1);
    assert!(written(&stage, &session).contains("<body>m1<"));
    send(&stage, "juliet@a.example", 2);
    send(&stage, session.full(), 3);
    assert_eq!(written(&stage, &session), "", "there is an older one now");
    let later = session.link().deadline().unwrap();
    let mut out = Output::new(false, session.full());
    session.link().write(later, &mut out, usize::MAX);
    assert!(out.text().contains("<body>m3<") && !out.text().contains("<body>m2<"));
}

#[test]
fn what_a_device_leaves_is_before_what_the_next_one_gets() {
    let stage = Stage::new();
    let juliet = stage.juliet();
    let phone = bind(&stage, &juliet, "phone");
    phone.link().enable_sm(sm::Limits::SESSION);
    available(&stage, &phone, 0);
    stage.run(hand_over(&stage.server, &phone));
    send(&stage, "juliet@a.example", 1);
    assert!(written(&stage, &phone).contains("<body>m1<"));
    stage.run(life::end(&stage.server, &phone));
    let desk = bind(&stage, &juliet, "desk");
    send(&stage, desk.full(), 2);
    assert_eq!(written(&stage, &desk), "", "the phone never said that it has the first");
}

#[test]
fn a_copy_of_what_waits_is_not_given_again_by_the_store() {
    let stage = Stage::new();
    let juliet = stage.juliet();
    let session = bind(&stage, &juliet, "phone");
    session.link().enable_sm(sm::Limits::SESSION);
    juliet.lock().resource(&session).unwrap().carbons = true;
    available(&stage, &session, -1);
    send(&stage, "juliet@a.example", 1);
    assert!(written(&stage, &session).contains("<body>m1<"));
    available(&stage, &session, 0);
    stage.run(hand_over(&stage.server, &session));
    assert!(!written(&stage, &session).contains("<body>m1<"));
    let sent = session.link().sm().unwrap().sent_count();
    let ids = session.link().acknowledge(sent).unwrap();
    assert_eq!(ids, pending(&stage, &juliet), "who has the copy has the message");
}

#[test]
fn a_copy_comes_while_another_device_is_being_given_what_waited() {
    let stage = Stage::new();
    let juliet = stage.juliet();
    waits(&stage, &juliet);
    let (phone, desk) = (bind(&stage, &juliet, "phone"), bind(&stage, &juliet, "desk"));
    juliet.lock().resource(&desk).unwrap().carbons = true;
    available(&stage, &phone, 0);
    send(&stage, "juliet@a.example", 1);
    available(&stage, &desk, 0);
    assert!(written(&stage, &desk).contains("<body>m1<"));
}

#[test]
fn who_is_there_is_given_what_a_device_did_not_acknowledge() {
    let stage = Stage::new();
    let juliet = stage.juliet();
    let phone = bind(&stage, &juliet, "phone");
    phone.link().enable_sm(sm::Limits::SESSION);
    available(&stage, &phone, 0);
    stage.run(hand_over(&stage.server, &phone));
    send(&stage, "juliet@a.example", 1);
    assert!(written(&stage, &phone).contains("<body>m1<"));
    assert!(pending(&stage, &juliet).is_empty(), "it is there");
    let desk = bind(&stage, &juliet, "desk");
    available(&stage, &desk, 0);
    stage.run(hand_over(&stage.server, &desk));
    send(&stage, "juliet@a.example", 2);
    let text = written(&stage, &desk);
    assert!(text.contains("<body>m2<") && !text.contains("<body>m1<"));
    stage.run(life::end(&stage.server, &phone));
    stage.run(hand_over(&stage.server, &desk));
    let text = written(&stage, &desk);
    assert!(text.contains("<body>m1<") && !text.contains("<body>m2<"), "{text}");
}

#[test]
fn what_no_archive_has_waits_when_a_session_ends() {
    let stage = Stage::with("[federation]\nenabled = false\n[archive]\nenabled = false\n");
    let juliet = stage.juliet();
    let phone = bind(&stage, &juliet, "phone");
    phone.link().enable_sm(sm::Limits::SESSION);
    available(&stage, &phone, 0);
    stage.run(hand_over(&stage.server, &phone));
    send(&stage, "juliet@a.example", 1);
    let text = written(&stage, &phone);
    assert!(text.contains("<body>m1<"));
    assert!(pending(&stage, &juliet).is_empty());
    stage.run(life::end(&stage.server, &phone));
    let desk = bind(&stage, &juliet, "desk");
    available(&stage, &desk, 0);
    stage.run(hand_over(&stage.server, &desk));
    let text = written(&stage, &desk);
    assert!(text.contains("<body>m1<") && !text.contains("stanza-id"), "{text}");
}

#[test]
fn a_session_that_is_over_waits_for_its_rows() {
    use std::sync::atomic::Ordering;
    let stage = Stage::new();
    let juliet = stage.juliet();
    let phone = bind(&stage, &juliet, "phone");
    // A message that was queued for it and is on its way to the store.
    let id = archive::take_id(&mut juliet.lock());
    juliet.unsubmitted.fetch_add(1, Ordering::AcqRel);
    let mut frame = Frame::message("<message/>".into());
    frame.archived = Some(id);
    phone.deliver(frame);
    let submit = async {
        tokio::task::yield_now().await;
        let from = BareJid::new("romeo@b.example").unwrap();
        let bytes = Bytes::from_static(b"<message from='romeo@b.example'/>");
        let row = row(&stage.server, &juliet, &mut juliet.lock(), &from, (id, bytes));
        let row = Append { pending: false, hidden: false, ..row };
        stage.server.store.archive.append(std::iter::once(row).collect(), None).unwrap();
        juliet.unsubmitted.fetch_sub(1, Ordering::AcqRel);
    };
    stage.run(async { tokio::join!(life::end(&stage.server, &phone), submit) });
    assert_eq!(pending(&stage, &juliet), [id]);
}

#[test]
fn nothing_is_written_to_a_device_beyond_what_it_missed() {
    let stage = Stage::new();
    let juliet = stage.juliet();
    let (phone, desk) = (bind(&stage, &juliet, "phone"), bind(&stage, &juliet, "desk"));
    send(&stage, "juliet@a.example", 1);
    available(&stage, &phone, 0);
    written(&stage, &phone);
    send(&stage, "juliet@a.example", 2);
    begin(&mut juliet.lock(), &desk);
    assert_eq!(written(&stage, &phone), "", "it would never know that the first was before");
    assert!(phone.link().closing().is_some() && !phone.link().reaches());
}

#[test]
fn messages_that_cannot_be_read_are_read_later() {
    let stage = Stage::new();
    let juliet = stage.juliet();
    let session = bind(&stage, &juliet, "phone");
    send(&stage, "juliet@a.example", 1);
    available(&stage, &session, 0);
    written(&stage, &session);
    send(&stage, "juliet@a.example", 2);
    let now = stage.server.now();
    stage.run(stage.server.store.maintenance.close()).unwrap();
    stage.run(hand_over(&stage.server, &session));
    assert!(!session.link().wants_backlog());
    let later = session.link().deadline().unwrap();
    assert!(later > now);
    let mut out = Output::new(false, session.full());
    session.link().write(later, &mut out, usize::MAX);
    assert_eq!(out.text(), "", "what is newer stays behind");
    assert!(session.link().wants_backlog());
}
