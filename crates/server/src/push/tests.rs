//! Who waits for whom.

use std::time::Duration;

use futures_util::FutureExt as _;
use store::accounts::NewAccount;
use tokio::time::timeout;
use xmpp::jid::BareJid;

use super::{rooms::*, *};
use crate::model::Stage;

/// A device of an account that wants to be woken, through a service that nobody gets to.
fn device(stage: &Stage, name: &str) -> Arc<Registration> {
    let server = &stage.server;
    let account = stage.run(server.accounts.load(server, name)).unwrap().expect("an account");
    let row = Row {
        account: account.id,
        service: "push.b.example".into(),
        node: "n".into(),
        resource: "phone".into(),
        enabled_at: store::Millis(0),
        details: r#"{"app":{"options":null}}"#.into(),
    };
    let registration = Registration::restore(row, name).expect("a registration");
    stage.run(enable(server, registration)).unwrap();
    server.pushes.of(name).remove(0)
}

fn account(stage: &Stage, name: &str) {
    let account = NewAccount {
        name: name.into(),
        credentials: Vec::new(),
        admin: false,
        ignore_reservation: false,
        created_at: store::Millis(0),
        invited_by: None,
        invite: None,
    };
    stage.run(stage.server.store.accounts.create(account)).unwrap();
}

fn line(room: &str, people: &[&str]) -> Line {
    let person = |name: &&str| Person { name: (**name).into(), nick: None, resource: None };
    Line {
        room: BareJid::new(&format!("{room}@conference.a.example")).unwrap(),
        private: true,
        text: None,
        people: people.iter().map(person).collect(),
    }
}

/// Waits until something is being told to a device.
async fn told(registration: &Registration) {
    let told = async {
        while !registration.progress().is_sending() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), told).await.expect("nobody was told");
}

#[test]
fn a_room_whose_members_cannot_be_looked_at_keeps_nobody_waiting() {
    let stage = Stage::new();
    account(&stage, "romeo");
    let (juliet, romeo) = (device(&stage, "juliet"), device(&stage, "romeo"));
    let (server, slow) = (stage.server.clone(), stage.juliet());
    stage.run(async {
        // Whoever wants to know what Juliet keeps of rooms waits for this.
        let held = slow.pubsub.open(&server, &slow).await.unwrap();
        tokio::spawn(supervise(server.clone()));
        server.pushes.line(line("busy", &["juliet"]));
        while server.pushes.lines.is_waiting() {
            tokio::task::yield_now().await;
        }
        server.pushes.wake(&romeo, Reason::Message, server.steady());
        told(&romeo).await;
        assert_eq!(juliet.progress().unfinished(), None);
        drop(held);
        told(&juliet).await;
    });
}

#[test]
fn a_quiet_room_is_heard_beside_a_busy_one() {
    let stage = Stage::new();
    account(&stage, "romeo");
    let (juliet, romeo) = (device(&stage, "juliet"), device(&stage, "romeo"));
    let (server, slow) = (stage.server.clone(), stage.juliet());
    stage.run(async {
        let held = slow.pubsub.open(&server, &slow).await.unwrap();
        server.pushes.line(line("busy", &["juliet"]));
        server.pushes.line(line("quiet", &["romeo"]));
        tokio::spawn(supervise(server.clone()));
        told(&romeo).await;
        assert_eq!(juliet.progress().unfinished(), None);
        drop(held);
        told(&juliet).await;
    });
}

#[test]
fn what_rooms_say_leaves_places_for_the_rest() {
    let stage = Stage::new();
    let juliet = device(&stage, "juliet");
    let pushes = &stage.server.pushes;
    stage.run(async {
        let all = pushes.patient.acquire_many(u32::try_from(POSTS / 2).unwrap()).await.unwrap();
        juliet.progress.lock().wake(stage.server.now(), Reason::Line);
        let mut place = Box::pin(pushes.place(&juliet));
        assert!((&mut place).now_or_never().is_none());
        // Somebody calls meanwhile.
        juliet.progress.lock().wake(stage.server.now(), Reason::Call);
        juliet.hurry.notify_one();
        assert!(place.await.is_some_and(|place| place._patient.is_none()));
        drop(all);
    });
}
