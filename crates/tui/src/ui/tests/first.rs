//! The first minutes: getting in, a certificate nobody vouches for, no conversation yet.

use client::Command;
use client::view::{Change, Connection, Outcome, Problem};

use super::world::{ACCOUNT, JULIET, World, devices};
use crate::ui::event::{Action, Event, FromCore, Notice, SignIn};
use crate::ui::overlay::Overlay;
use crate::ui::sample::{self, NOW, address, at};

fn signing_in(world: &mut World) -> SignIn {
    let Some(Action::SignIn(sign_in)) = world.actions.pop() else { panic!("signing in") };
    sign_in
}

/// As far as the answer of a server whose certificate nobody vouches for.
fn untrusted(columns: u16, typed: &str, name: Option<&str>) -> (World, SignIn) {
    let mut world = World::empty(columns, 24);
    world.app.overlay = Some(Overlay::welcome());
    world.event(Event::Paste(typed.to_owned()));
    world.press("Enter");
    if let Some(name) = name {
        world.write(name);
        world.press("Enter");
    }
    world.write("star-crossed");
    world.press("Enter n");
    let sign_in = signing_in(&mut world);
    world.event(Event::Account(ACCOUNT));
    let problem = "it was made by nobody known".to_owned();
    let mut account = sample::account();
    account.connection =
        Connection::Untrusted { problem: problem.clone(), fingerprint: [0xab; 32] };
    world.change(Change::Account(account));
    let failed = Outcome::Failed(Problem::Login(problem));
    world.event(Event::Core(ACCOUNT, FromCore::Done(sign_in.number, failed)));
    (world, sign_in)
}

#[test]
fn a_certificate_is_trusted_on_the_first_run_by_its_fingerprint() {
    for columns in [80, 40] {
        let (mut world, first) = untrusted(columns, "romeo@montague.example", None);
        assert_eq!(first.pinned, None);
        let screen = world.screen();
        assert!(screen.contains("abababab") && screen.contains("made by nobody"), "{screen}");
        assert!(!screen.contains("password ›"), "{screen}");
        world.press("y");
        let second = signing_in(&mut world);
        assert_eq!(second.pinned, Some([0xab; 32]));
        assert_eq!(second.address, first.address);
        assert_eq!(second.password.expose(), b"star-crossed");
        world.event(Event::Core(ACCOUNT, FromCore::Done(second.number, Outcome::Done)));
        assert!(world.app.overlay.is_none());
    }
}

#[test]
fn an_invitation_is_not_lost_to_a_certificate() {
    let (mut world, _) = untrusted(80, "http://localhost:5280/invite/abc", Some("romeo"));
    world.press("y");
    let sign_in = signing_in(&mut world);
    assert_eq!(sign_in.address.to_string(), "romeo@localhost");
    assert_eq!(sign_in.invitation.unwrap().token, "abc");
}

#[test]
fn a_certificate_that_is_not_trusted_leads_back() {
    let (mut world, _) = untrusted(80, "romeo@montague.example", None);
    world.press("x Enter Esc");
    assert!(!world.actions.iter().any(|action| matches!(action, Action::SignIn(_))));
    assert!(world.screen().contains("Paste an invitation link"), "{}", world.screen());
}

#[test]
fn commands_are_typed_where_no_conversation_is_open() {
    let mut world = World::verona(80, 24);
    world.write("/invite");
    assert!(world.screen().contains("/invite"), "{}", world.screen());
    world.asked();
    world.press("Enter");
    assert!(matches!(&world.asked()[..], [Command::Invite]));
    world.write("/accou");
    world.press("Tab Enter");
    assert!(world.screen().contains("Account"), "{}", world.screen());
    world.press("Esc");
    world.write("/no-such-thing");
    world.press("Enter");
    assert!(world.screen().contains("no-such-thing"), "{}", world.screen());
    // Anything else looks for somebody.
    world.write("mer");
    assert!(matches!(world.app.overlay, Some(Overlay::Jump(_))));
}

#[test]
fn details_name_devices_that_were_known_before_the_program_began() {
    let mut world = World::balcony(80, 40);
    world.app.select(client::store::MessageId(3));
    world.asked();
    world.press("I");
    let number = world.actions.iter().find_map(|action| match action {
        Action::Request(_, request) if matches!(request.command, Command::Devices(_)) => {
            Some(request.number)
        }
        _ => None,
    });
    let mut known = devices();
    known[0].id = 7;
    known[0].label = Some("Pocket".into());
    let done = FromCore::Done(number.unwrap(), Outcome::Devices(known));
    world.event(Event::Core(ACCOUNT, done));
    assert!(world.screen().contains("Pocket"), "{}", world.screen());
}

#[test]
fn devices_are_shown_that_were_known_before_the_program_began() {
    let mut world = World::balcony(80, 24);
    for (typed, shown) in [("/devices", "27182"), ("/devices me", "27182")] {
        world.write(typed);
        world.asked();
        world.press("Enter");
        let number = world.actions.iter().find_map(|action| match action {
            Action::Request(_, request) if matches!(request.command, Command::Devices(_)) => {
                Some(request.number)
            }
            _ => None,
        });
        let done = FromCore::Done(number.unwrap(), Outcome::Devices(devices()));
        world.event(Event::Core(ACCOUNT, done));
        assert!(world.screen().contains(shown), "{}", world.screen());
        world.press("Esc");
    }
}

#[test]
fn what_was_sent_is_no_draft() {
    let mut world = World::balcony(80, 24);
    world.asked();
    world.write("Good night");
    assert!(matches!(&world.asked()[..], [Command::Draft(_, kept)] if kept == "G"));
    world.press("Enter");
    let asked = world.asked();
    let [Command::Send { .. }, Command::Draft(with, kept)] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!((with.to_string().as_str(), kept.as_str()), (JULIET, ""));
}

#[test]
fn help_scrolls_as_far_as_there_is_something() {
    let mut world = World::balcony(80, 24);
    world.press("F1");
    for _ in 0..60 {
        world.press("PageDown");
    }
    let end = world.screen();
    let rows = end.lines().filter(|row| !row.trim_matches(['│', ' ']).is_empty()).count();
    assert!(rows > 15, "{end}");
    world.press("PageDown");
    assert_eq!(world.screen(), end);
    world.press("PageUp");
    assert_ne!(world.screen(), end);
}

#[test]
fn a_conversation_that_somebody_began_is_no_request_when_the_other_asks() {
    let mut world = World::verona(80, 24);
    let mut contact =
        sample::contact("paris@verona.example", "Paris", client::view::Presence::Offline);
    contact.in_roster = false;
    contact.asks = true;
    let request = |world: &World| {
        let rows = world.app.rows();
        rows.iter().find(|row| row.key.with == address("paris@verona.example")).unwrap().request
    };
    world.change(Change::Contact(Box::new(contact)));
    assert!(request(&world));
    let paris = sample::conversation("paris@verona.example", "Paris", 30, "My lord?");
    world.change(Change::Conversation(Box::new(paris)));
    assert!(!request(&world));
    world.open("paris@verona.example");
    assert!(world.screen().contains("/accept"), "{}", world.screen());
}

#[test]
fn a_room_is_opened_by_its_name() {
    let mut world = World::balcony(80, 24);
    world.change(Change::Room(Box::new(sample::room())));
    world.change(Change::Conversation(Box::new(sample::square(28))));
    let name = sample::square(28).name;
    let begin = name.split(' ').next().unwrap().to_lowercase();
    world.write(&format!("/chat {begin}"));
    world.press("Enter");
    assert_eq!(world.app.open.as_ref().unwrap().with, address(sample::SQUARE));
    // A person is found as before.
    world.write("/chat mercutio");
    world.press("Enter");
    assert_eq!(world.app.open.as_ref().unwrap().with, address("mercutio@verona.example"));
}

#[test]
fn what_is_said_is_read_whole_on_a_small_screen() {
    let said = "this link makes an account: /login or `clownfish register` takes it";
    for (columns, rows) in [(140, 40), (80, 24), (40, 20)] {
        let mut world = World::balcony(columns, rows);
        let mut account = sample::account();
        account.connection = Connection::Refused("the password is wrong".to_owned());
        world.change(Change::Account(account));
        world.app.say(Notice::bad(said));
        let screen = world.screen();
        for word in said.split(' ').chain(["wrong:", "/account"]) {
            assert!(screen.contains(word), "{word} in {screen}");
        }
        world.event(Event::Time(at(NOW).plus(13_000)));
        assert!(!world.screen().contains("register"));
    }
}

#[test]
fn an_account_that_is_not_let_in_leads_to_its_password() {
    for (columns, rows) in [(80, 24), (40, 20)] {
        let mut world = World::balcony(columns, rows);
        let mut account = sample::account();
        let reason = "the server does not let this account in any more".to_owned();
        account.connection = Connection::Refused(reason);
        world.change(Change::Account(account));
        assert!(world.screen().contains(": /account"), "{}", world.screen());
        world.app.overlay = Some(Overlay::account());
        assert!(world.screen().contains("p give the password"), "{}", world.screen());
        world.press("p");
        world.write("rosaline");
        let screen = world.screen();
        assert!(screen.contains("•••") && !screen.contains("rosaline"), "{screen}");
        world.press("Enter");
        let asked = world.asked();
        let given = |command: &Command| match command {
            Command::GivePassword(password) => password.expose() == b"rosaline",
            _ => false,
        };
        assert!(asked.iter().any(given), "{asked:?}");
    }
}
