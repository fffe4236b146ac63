//! What one does with the account itself.

use client::store::{Login, Profile};
use client::view::{Change, Outcome, Problem};
use client::{Command, Input};
use xmpp::error::Condition;
use xmpp::ns;
use xmpp::xml::Element;

use crate::server::bare;
use crate::world::World;

const ROMEO: &str = "romeo@example.net";
const JULIET: &str = "juliet@example.net";

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
