//! Logging in, losing the connection, and getting it back.

use client::effect::{Lost, Target};
use client::store::{Conversations, Delivery, Login, Profile};
use client::view::{Change, Connection, Outcome, Problem};
use client::{Command, Effect, Input};

use crate::server::bare;
use crate::world::{World, login};

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";

pub(crate) fn connection(world: &World, device: usize) -> Connection {
    let mut changes = world.devices[device].changes.iter().rev();
    let account = changes.find_map(|change| match change {
        Change::Account(account) => Some(account.clone()),
        _ => None,
    });
    account.expect("an account is shown").connection
}

#[test]
fn a_login_ends_online_and_forgets_the_password() {
    let mut world = World::new();
    let device = world.online(ROMEO, &[]);
    assert_eq!(connection(&world, device), Connection::Online);
    let login: Login = world.devices[device].store.login().unwrap().unwrap();
    assert!(login.password.is_none());
    assert!(login.token.is_some());
    assert!(world.devices[device].store.value("scram-keys").unwrap().is_some());
}

#[test]
fn a_wrong_password_is_refused_with_a_reason() {
    let mut world = World::new();
    let device = world.add_device();
    let outcome = world.run(device, Command::Login(login(ROMEO, "capulet")));
    assert!(matches!(outcome, Some(Outcome::Failed(Problem::Login(_)))), "{outcome:?}");
    assert!(matches!(connection(&world, device), Connection::Refused(_)));
    let outcome = world.run(device, Command::Login(login(ROMEO, "montague")));
    assert_eq!(outcome, Some(Outcome::Done));
}

#[test]
fn commands_before_a_login_are_refused() {
    let mut world = World::new();
    let device = world.add_device();
    let outcome = world.run(device, Command::Reconnect);
    assert!(matches!(outcome, Some(Outcome::Failed(Problem::Login(_)))));
}

#[test]
fn a_profile_belongs_to_one_account() {
    let mut world = World::new();
    let device = world.online(ROMEO, &[]);
    let outcome = world.run(device, Command::Login(login(JULIET, "capulet")));
    assert!(matches!(outcome, Some(Outcome::Failed(Problem::Login(_)))));
    assert_eq!(world.devices[device].store.login().unwrap().unwrap().address, bare(ROMEO));
}

#[test]
fn a_mistyped_address_does_not_keep_the_profile() {
    let mut world = World::new();
    let device = world.add_device();
    world.run(device, Command::Login(login("remeo@example.net", "montague")));
    let outcome = world.run(device, Command::Login(login(ROMEO, "montague")));
    assert_eq!(outcome, Some(Outcome::Done));
}

#[test]
fn an_invitation_makes_the_account() {
    let mut world = World::new();
    let device = world.add_device();
    let register = Command::Register {
        login: login("mercutio@example.net", "plague"),
        token: Some("invitation".into()),
        inviter: Some(bare(ROMEO)),
    };
    assert_eq!(world.run(device, register), Some(Outcome::Done));
    let account = &world.server.accounts[&bare("mercutio@example.net")];
    assert!(account.roster.contains_key(&bare(ROMEO)));
}

#[test]
fn a_refused_invitation_says_so() {
    let mut world = World::new();
    let device = world.add_device();
    let register = Command::Register {
        login: login("mercutio@example.net", "plague"),
        token: Some("used up".into()),
        inviter: None,
    };
    let outcome = world.run(device, register);
    assert!(matches!(outcome, Some(Outcome::Failed(Problem::NotInvited(_)))), "{outcome:?}");
    assert!(matches!(connection(&world, device), Connection::Refused(_)));
}

#[test]
fn a_name_that_is_taken_is_told_apart() {
    let mut world = World::new();
    let device = world.add_device();
    let register = |address| Command::Register {
        login: login(address, "plague"),
        token: Some("invitation".into()),
        inviter: None,
    };
    let outcome = world.run(device, register(ROMEO));
    assert_eq!(outcome, Some(Outcome::Failed(Problem::NameTaken)));
    let outcome = world.run(device, register("mercutio@example.net"));
    assert_eq!(outcome, Some(Outcome::Done));
}

#[test]
fn a_server_that_does_not_answer_is_no_wrong_password() {
    let mut world = World::new();
    let device = world.add_device();
    world.devices[device].reachable = false;
    let outcome = world.run(device, Command::Login(login(ROMEO, "montague")));
    assert!(matches!(outcome, Some(Outcome::Failed(Problem::Unreachable(_)))), "{outcome:?}");
    assert!(matches!(connection(&world, device), Connection::Waiting { .. }));
}

#[test]
fn a_token_is_used_for_the_next_login() {
    let mut world = World::new();
    let device = world.online(ROMEO, &[]);
    world.devices[device].sent.clear();
    world.crash(device);
    world.settle();
    assert_eq!(connection(&world, device), Connection::Online);
    assert!(world.devices[device].sent.contains("mechanism='HT-SHA-256-EXPR'"));
}

#[test]
fn keys_are_used_when_the_token_is_refused() {
    let mut world = World::new();
    let device = world.online(ROMEO, &[]);
    let mut kept = world.devices[device].store.login().unwrap().unwrap();
    kept.token.as_mut().unwrap().secret = "nonsense".into();
    world.devices[device].store.save_login(&kept).unwrap();
    world.crash(device);
    world.settle();
    assert_eq!(connection(&world, device), Connection::Online);
    assert!(world.devices[device].sent.contains("SCRAM-SHA-512-PLUS"));
}

#[test]
fn a_changed_password_is_asked_for() {
    let mut world = World::new();
    world.server.settings.fast.clear();
    let device = world.online(ROMEO, &[]);
    world.server.accounts.get_mut(&bare(ROMEO)).unwrap().password = "rosaline".into();
    world.crash(device);
    world.settle();
    assert!(matches!(connection(&world, device), Connection::Refused(_)));
}

#[test]
fn a_password_that_is_another_one_now_can_be_given_and_what_waits_leaves() {
    let mut world = World::new();
    let device = world.online(ROMEO, &[JULIET]);
    world.server.settings.fast.clear();
    world.server.accounts.get_mut(&bare(ROMEO)).unwrap().password = "rosaline".into();
    world.crash(device);
    world.settle();
    assert!(matches!(connection(&world, device), Connection::Refused(_)));
    world.send(device, JULIET, "it waits");
    let outcome = world.run(device, Command::GivePassword("montague".into()));
    assert!(matches!(outcome, Some(Outcome::Failed(Problem::Login(_)))), "{outcome:?}");
    assert!(matches!(connection(&world, device), Connection::Refused(_)));
    let outcome = world.run(device, Command::GivePassword("rosaline".into()));
    assert_eq!(outcome, Some(Outcome::Done));
    assert_eq!(connection(&world, device), Connection::Online);
    assert_eq!(world.last(device, JULIET).delivery, Some(Delivery::Sent));
    // It is kept for the next program as any other.
    world.crash(device);
    world.settle();
    assert_eq!(connection(&world, device), Connection::Online);
}

#[test]
fn servers_without_sasl2_and_tokens_work() {
    let mut world = World::new();
    world.server.settings.sasl2 = false;
    let device = world.online(ROMEO, &[JULIET]);
    assert_eq!(connection(&world, device), Connection::Online);
    world.send(device, JULIET, "hello");
    world.settle();
    assert_eq!(world.server.accounts[&bare(JULIET)].archive.len(), 1);
    world.cut(device);
    world.pass(5000);
    assert_eq!(connection(&world, device), Connection::Online);
}

#[test]
fn waiting_grows_and_ends_when_the_network_changes() {
    let mut world = World::new();
    let device = world.online(ROMEO, &[]);
    world.devices[device].reachable = false;
    world.cut(device);
    world.pass(600_000);
    let Connection::Waiting { until, .. } = connection(&world, device) else {
        panic!("it waits");
    };
    assert!(until.since(world.server.now) > 30_000);
    world.devices[device].reachable = true;
    world.input(device, Input::NetworkChanged);
    world.settle();
    assert_eq!(connection(&world, device), Connection::Online);
}

/// Ends the connection in this way, and says how long the device waits until it tries again.
fn lose(world: &mut World, device: usize, lost: Lost) -> u64 {
    world.lose(device, lost);
    match connection(world, device) {
        Connection::Waiting { until, .. } => until.since(world.server.now),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_server_that_closes_after_each_login_is_asked_less_and_less() {
    let mut world = World::new();
    let device = world.online(ROMEO, &[]);
    for _ in 0..7 {
        let wait = lose(&mut world, device, Lost::Ended);
        world.pass(wait);
        assert_eq!(connection(&world, device), Connection::Online);
    }
    assert!(lose(&mut world, device, Lost::Ended) > 30_000);
    // One that lasts makes up for it.
    world.pass(200_000);
    assert!(lose(&mut world, device, Lost::Ended) <= 2_000);
}

#[test]
fn a_network_that_breaks_again_and_again_is_used_whenever_it_is_there() {
    let mut world = World::new();
    let device = world.online(ROMEO, &[]);
    let reset = || Lost::Network("the connection was reset".into());
    for _ in 0..20 {
        world.pass(5_000);
        let wait = lose(&mut world, device, reset());
        assert!(wait <= 8_000, "{wait}");
        world.pass(wait);
        assert_eq!(connection(&world, device), Connection::Online);
    }
    // One that breaks at once each time, as behind a proxy that has enough, is not the network's fault.
    for _ in 0..7 {
        let wait = lose(&mut world, device, reset());
        world.pass(wait);
    }
    assert!(lose(&mut world, device, reset()) > 30_000);
}

#[test]
fn an_untrusted_certificate_waits_for_the_user() {
    let mut world = World::new();
    let device = world.online(ROMEO, &[]);
    world.cut(device);
    let lost = Lost::Certificate { problem: "it is self-signed".into(), fingerprint: [7; 32] };
    // The driver says so in place of a connection.
    world.devices[device].reachable = false;
    world.input(device, Input::Disconnected(lost));
    world.pass(600_000);
    assert!(matches!(connection(&world, device), Connection::Untrusted { .. }));
    world.devices[device].reachable = true;
    assert_eq!(world.run(device, Command::Pin([7; 32])), Some(Outcome::Done));
    assert_eq!(connection(&world, device), Connection::Online);
    let kept = world.devices[device].store.login().unwrap().unwrap();
    assert_eq!(kept.pinned, Some([7; 32]));
}

#[test]
fn a_dead_connection_is_noticed() {
    let mut world = World::new();
    let device = world.online(ROMEO, &[]);
    let sent = world.devices[device].sent.len();
    world.pass(200_000);
    let sent = &world.devices[device].sent[sent..];
    assert!(sent.contains("<r xmlns='urn:xmpp:sm:3'/>"), "{sent}");
    assert_eq!(connection(&world, device), Connection::Online);
}

#[test]
fn disconnecting_stays_offline() {
    let mut world = World::new();
    let device = world.online(ROMEO, &[]);
    assert_eq!(world.run(device, Command::Disconnect), Some(Outcome::Done));
    world.pass(600_000);
    assert_eq!(connection(&world, device), Connection::Offline);
    assert!(world.devices[device].sent.ends_with("</stream:stream>"));
    assert_eq!(world.run(device, Command::Reconnect), Some(Outcome::Done));
    assert_eq!(connection(&world, device), Connection::Online);
}

#[test]
fn the_target_has_what_the_user_gave() {
    let store = client::store::MemoryStore::new();
    let options = client::Options {
        software: "Clownfish".into(),
        device: "test".into(),
        kind: "console".into(),
    };
    let mut core = client::Client::new(Box::new(store.clone()), options, [1; 32]).unwrap();
    let given = Login {
        server: Some("localhost:5222".into()),
        pinned: Some([3; 32]),
        ..login(ROMEO, "montague")
    };
    let now = client::Now { wall: xmpp::time::Millis(1), steady: 0 };
    let request = client::Request { number: 1, command: Command::Login(given) };
    let effects = core.handle(now, Input::Command(request)).unwrap();
    let target = effects.iter().find_map(|effect| match effect {
        Effect::Connect(target) => Some(target.clone()),
        _ => None,
    });
    let expected = Target {
        domain: "example.net".into(),
        server: Some("localhost:5222".into()),
        pinned: Some([3; 32]),
    };
    assert_eq!(target, Some(expected));
    assert!(store.conversations().unwrap().is_empty());
}
