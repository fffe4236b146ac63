//! Making an account before logging in.

use xmpp::error::{Condition, StreamCondition};
use xmpp::jid::BareJid;
use xmpp::stream::client::{Error, Registration as Wish, Settings};
use xmpp::stream::server::Registration;
use xmpp::xml::Framing;

use crate::house::House;
use crate::pair::Pair;
use crate::wire::{OPEN, Wire};

fn house(registration: Registration) -> House {
    let mut house = House::new();
    house.settings.registration = registration;
    house.invitations.insert("TOKEN".into(), None);
    house.invitations.insert("FOR-NURSE".into(), Some("nurse".into()));
    house
}

fn newcomer(name: &str, token: Option<&str>) -> Settings {
    let account = BareJid::new(&format!("{name}@example.org")).unwrap();
    let mut client = Settings::new(account, "Calliope");
    client.register = Some(Wish { password: "Calliope".into(), token: token.map(str::to_owned) });
    client
}

#[track_caller]
fn refused(house: &mut House, client: Settings) -> Condition {
    match Pair::new(house, client).run().client_error() {
        Error::Registration(error) => error.condition,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_invited_person_registers_and_logs_in_on_one_stream() {
    let mut house = house(Registration::Invite);
    let end = Pair::new(&mut house, newcomer("benvolio", Some("TOKEN"))).run();
    assert!(end.jid().starts_with("benvolio@example.org/"));
    assert!(house.log.contains(&"register benvolio@example.org Some(\"TOKEN\")".to_owned()));
    let end = Pair::new(&mut house, newcomer("nurse", Some("FOR-NURSE"))).run();
    assert!(end.client.is_ok());
}

#[test]
fn without_a_valid_invitation_nobody_registers() {
    let mut house = house(Registration::Invite);
    assert_eq!(refused(&mut house, newcomer("benvolio", None)), Condition::NotAllowed);
    assert_eq!(refused(&mut house, newcomer("benvolio", Some("WRONG"))), Condition::ItemNotFound);
    assert_eq!(
        refused(&mut house, newcomer("benvolio", Some("FOR-NURSE"))),
        Condition::NotAcceptable
    );
    assert!(house.log.iter().all(|line| !line.starts_with("register")));
}

#[test]
fn a_taken_name_is_a_conflict_and_another_can_be_tried() {
    let mut house = house(Registration::Open);
    assert_eq!(refused(&mut house, newcomer("juliet", None)), Condition::Conflict);
    assert!(Pair::new(&mut house, newcomer("benvolio", None)).run().client.is_ok());
}

fn set(content: &str) -> String {
    format!(
        "<iq type='set' id='s' to='Example.org'><query xmlns='jabber:iq:register'>{content}\
         </query></iq>"
    )
}

const GET: &str = "<iq type='get' id='g'><query xmlns='jabber:iq:register'/></iq>";
const PREAUTH: &str =
    "<iq type='set' id='p'><preauth xmlns='urn:xmpp:pars:0' token='FOR-NURSE'/></iq>";

#[test]
fn the_form_is_for_those_who_may_register() {
    let mut house = house(Registration::Invite);
    house.settings.registration_url = Some("https://example.org/join".into());
    let mut wire = Wire::open(house);
    let redirection = wire.send(GET);
    assert!(redirection.starts_with("<iq type='result' id='g' from='example.org'>"));
    assert!(redirection.contains("<url>https://example.org/join</url>"));
    assert!(!redirection.contains("<password/>"));
    assert_eq!(wire.send(PREAUTH), "<iq type='result' id='p' from='example.org'/>");
    let form = wire.send(GET);
    assert!(form.contains("<username>nurse</username><password/>"), "{form}");
}

#[test]
fn incomplete_and_impossible_registrations_are_refused() {
    let mut wire = Wire::open(house(Registration::Open));
    for (content, condition) in [
        ("<username>bill</username>", "not-acceptable"),
        ("<username>bill</username><password/>", "not-acceptable"),
        ("<username/><password>x</password>", "not-acceptable"),
        ("<username>a b</username><password>x</password>", "not-acceptable"),
        ("<remove/>", "unexpected-request"),
        ("<remove/><username>bill</username>", "bad-request"),
    ] {
        let answer = wire.send(&set(content));
        assert!(answer.starts_with("<iq type='error' id='s'"), "{answer}");
        assert!(answer.contains(&format!("<{condition} ")), "{content}: {answer}");
        assert!(!answer.contains("<password>x"), "passwords are not sent back");
    }
}

#[test]
fn one_account_is_enough_for_one_stream() {
    let mut wire = Wire::open(house(Registration::Open));
    let register = |name: &str| set(&format!("<username>{name}</username><password>x</password>"));
    assert!(wire.send(&register("one")).contains("type='result'"));
    assert!(wire.send(&register("two")).contains("<not-acceptable"));
}

#[test]
fn guessing_invitations_ends_after_a_few() {
    let mut wire = Wire::open(house(Registration::Invite));
    let guess = PREAUTH.replace("FOR-NURSE", "GUESS");
    for _ in 0..10 {
        assert!(wire.send(&guess).contains("<item-not-found"));
    }
    assert!(wire.send(&guess).contains("<not-acceptable"));
    assert!(wire.send(PREAUTH).contains("<not-acceptable"));
}

#[test]
fn a_closed_server_neither_offers_nor_accepts() {
    let mut wire = Wire::new(house(Registration::Closed), Framing::Tcp, Some(crate::house::tls()));
    assert!(!wire.send(OPEN).contains("<register"));
    assert!(wire.send(GET).contains("<service-unavailable"));
    assert!(wire.send(PREAUTH).contains("<service-unavailable"));
}

#[test]
fn registration_waits_for_encryption() {
    let mut wire = Wire::new(house(Registration::Open), Framing::Tcp, None);
    assert!(!wire.send(OPEN).contains("<register"));
    assert!(wire.send(GET).contains("<not-authorized"));
    let mut wire = Wire::new(house(Registration::Open), Framing::Tcp, Some(crate::house::tls()));
    let features = wire.send(OPEN);
    for namespace in ["http://jabber.org/features/iq-register", "urn:xmpp:ibr-token:0"] {
        assert!(features.contains(&format!("<register xmlns='{namespace}'/>")));
    }
}

#[test]
fn other_requests_before_authentication_end_the_stream() {
    for iq in [
        "<iq type='get' id='x'><query xmlns='jabber:iq:auth'/></iq>",
        "<iq type='get' id='x' to='elsewhere.example'><query xmlns='jabber:iq:register'/></iq>",
        "<iq type='get' id='x'/>",
    ] {
        let mut wire = Wire::open(house(Registration::Open));
        wire.ends_with(iq, StreamCondition::NotAuthorized);
    }
}
