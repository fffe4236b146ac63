//! People here and people behind the gateway.

use std::io;

use testkit::client::Client;
use testkit::target::{GATEWAY, GATEWAY_SECRET};
use testkit::tree::Tree;

use crate::gateway::{Gateway, condition, romeo, run};

#[test]
fn only_who_knows_the_secret_of_a_configured_domain_comes_in() {
    run(|server| async move {
        for (domain, secret, expected) in [
            (GATEWAY, "another secret", "not-authorized"),
            ("other.verona.example", GATEWAY_SECRET, "host-unknown"),
            ("verona.example", GATEWAY_SECRET, "host-unknown"),
        ] {
            let (_, answer) = Gateway::open(&server, domain, secret).await?;
            assert_eq!(answer.name, "error");
            assert_eq!(condition(&answer), [expected]);
        }
        Gateway::start(&server).await.map(drop)
    });
}

#[test]
fn people_and_the_gateway_write_to_each_other() {
    run(|server| async move {
        let mut gateway = Gateway::start(&server).await?;
        let mut romeo = romeo(&server).await?;
        romeo.send("<presence xmlns='jabber:client'/>").await?;
        romeo
            .send(
                "<message xmlns='jabber:client' to='juliet@gateway.verona.example' type='chat' \
                 id='m1'><body>Good morrow</body></message>",
            )
            .await?;
        let message = gateway.receive("message").await?;
        assert_eq!(message.attr("from"), Some("romeo@verona.example/orchard"));
        assert_eq!(message.attr("id"), Some("m1"));
        gateway
            .send(
                "<message from='juliet@gateway.verona.example/x' to='romeo@verona.example' \
                 type='chat' id='m2'><body>Ay me</body></message>",
            )
            .await?;
        let answer = romeo.receive_until(|stanza| stanza.attr("id") == Some("m2")).await?;
        assert_eq!(answer.attr("from"), Some("juliet@gateway.verona.example/x"));
        // Requests both ways, with their answers.
        romeo
            .send(
                "<iq xmlns='jabber:client' type='get' id='q1' to='gateway.verona.example'>\
                 <query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
            )
            .await?;
        let question = gateway.receive("iq").await?;
        assert_eq!(question.attr("id"), Some("q1"));
        gateway
            .send(
                "<iq from='gateway.verona.example' to='romeo@verona.example/orchard' type='result' \
                 id='q1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>\
                 <iq from='gateway.verona.example' to='verona.example' type='get' id='q2'>\
                 <ping xmlns='urn:xmpp:ping'/></iq>",
            )
            .await?;
        romeo.receive_until(|stanza| stanza.attr("id") == Some("q1")).await?;
        let pong = gateway.receive("iq").await?;
        assert_eq!((pong.attr("id"), pong.attr("type")), (Some("q2"), Some("result")));
        // The server names it among what it has.
        romeo
            .send(
                "<iq xmlns='jabber:client' type='get' id='q3' to='verona.example'>\
                 <query xmlns='http://jabber.org/protocol/disco#items'/></iq>",
            )
            .await?;
        let items = romeo.receive_until(|stanza| stanza.attr("id") == Some("q3")).await?;
        assert!(items.pretty().contains(GATEWAY), "{}", items.pretty());
        Ok(())
    });
}

#[test]
fn contacts_at_a_gateway_are_contacts_like_any() {
    run(|server| async move {
        let mut gateway = Gateway::start(&server).await?;
        let mut romeo = romeo(&server).await?;
        romeo
            .send(
                "<presence xmlns='jabber:client'/>\
                 <presence xmlns='jabber:client' type='subscribe' \
                 to='juliet@gateway.verona.example'/>",
            )
            .await?;
        let request = gateway.receive("presence").await?;
        assert_eq!(request.attr("type"), Some("subscribe"));
        gateway
            .send(
                "<presence from='juliet@gateway.verona.example' to='romeo@verona.example' \
                 type='subscribed'/>\
                 <presence from='juliet@gateway.verona.example/x' to='romeo@verona.example'>\
                 <show>dnd</show></presence>",
            )
            .await?;
        let shown = |stanza: &Tree| {
            stanza.name == "presence"
                && stanza.attr("from") == Some("juliet@gateway.verona.example/x")
        };
        romeo.receive_until(shown).await.map(drop)
    });
}

/// More than the sockets between them hold waits for the gateway, which does not read it yet.
#[test]
fn a_gateway_that_does_not_read_is_heard() {
    run(|server| async move {
        let mut gateway = Gateway::start(&server).await?;
        let mut romeo = romeo(&server).await?;
        romeo.send("<presence xmlns='jabber:client'/>").await?;
        let body = "x".repeat(200_000);
        for n in 0..75 {
            let message = format!(
                "<message xmlns='jabber:client' to='juliet@gateway.verona.example' type='chat' \
                 id='m{n}'><body>{body}</body></message>"
            );
            romeo.send(&message).await?;
        }
        romeo
            .send(
                "<iq xmlns='jabber:client' type='get' id='p' to='verona.example'>\
                 <ping xmlns='urn:xmpp:ping'/></iq>",
            )
            .await?;
        romeo.receive_until(|stanza| stanza.attr("id") == Some("p")).await?;
        gateway
            .send(
                "<message from='juliet@gateway.verona.example/x' to='romeo@verona.example' \
                 type='chat' id='busy'><body>Too much</body></message>",
            )
            .await?;
        romeo.receive_until(|stanza| stanza.attr("id") == Some("busy")).await?;
        // And then everything comes.
        loop {
            if gateway.receive("message").await?.attr("id") == Some("m74") {
                return Ok(());
            }
        }
    });
}

#[test]
fn a_gateway_speaks_for_its_own_domain_alone() {
    run(|server| async move {
        for (stanza, expected) in [
            ("<message from='juliet@verona.example' to='romeo@verona.example'/>", "invalid-from"),
            ("<message to='romeo@verona.example'/>", "improper-addressing"),
            ("<message from='x@gateway.verona.example'/>", "improper-addressing"),
            ("<anything/>", "unsupported-stanza-type"),
        ] {
            let mut gateway = Gateway::start(&server).await?;
            gateway.send(stanza).await?;
            let error = gateway.receive("error").await?;
            assert_eq!(condition(&error), [expected], "{stanza}");
        }
        Ok(())
    });
}

#[test]
fn without_the_gateway_everybody_is_told_at_once() {
    run(|server| async move {
        let mut romeo = romeo(&server).await?;
        romeo
            .send(
                "<message xmlns='jabber:client' to='juliet@gateway.verona.example' type='chat' \
                 id='m1'><body>Anybody?</body></message>\
                 <iq xmlns='jabber:client' type='get' id='q1' to='gateway.verona.example'>\
                 <ping xmlns='urn:xmpp:ping'/></iq>",
            )
            .await?;
        for _ in 0..2 {
            let answer = romeo.receive_until(|stanza| stanza.attr("type") == Some("error")).await?;
            assert!(answer.pretty().contains("service-unavailable"), "{}", answer.pretty());
        }
        // And when it is there again, it works again.
        let mut gateway = Gateway::start(&server).await?;
        romeo
            .send(
                "<message xmlns='jabber:client' to='juliet@gateway.verona.example' type='chat' \
                 id='m2'><body>Now?</body></message>",
            )
            .await?;
        let message = gateway.receive("message").await?;
        assert_eq!(message.attr("id"), Some("m2"));
        Ok(())
    });
}

/// A room of Romeo's, with somebody of the gateway in it.
async fn ball(gateway: &mut Gateway, romeo: &mut Client) -> io::Result<()> {
    romeo
        .send(
            "<presence xmlns='jabber:client' to='ball@conference.verona.example/Romeo'>\
             <x xmlns='http://jabber.org/protocol/muc'/></presence>",
        )
        .await?;
    romeo.receive_until(|stanza| stanza.children().any(|child| child.name == "subject")).await?;
    romeo
        .send(
            "<iq xmlns='jabber:client' type='set' id='c' to='ball@conference.verona.example'>\
             <query xmlns='http://jabber.org/protocol/muc#owner'>\
             <x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>\
             <value>http://jabber.org/protocol/muc#roomconfig</value></field>\
             <field var='muc#roomconfig_membersonly'><value>0</value></field></x></query></iq>",
        )
        .await?;
    romeo.receive_until(|stanza| stanza.attr("id") == Some("c")).await?;
    gateway
        .send(
            "<presence from='juliet@gateway.verona.example/x' \
             to='ball@conference.verona.example/Juliet'>\
             <x xmlns='http://jabber.org/protocol/muc'/></presence>",
        )
        .await?;
    let came = |stanza: &Tree| stanza.attr("from") == Some("ball@conference.verona.example/Juliet");
    romeo.receive_until(came).await?;
    Ok(())
}

#[test]
fn the_gateways_people_come_into_rooms() {
    run(|server| async move {
        let mut gateway = Gateway::start(&server).await?;
        let mut romeo = romeo(&server).await?;
        ball(&mut gateway, &mut romeo).await?;
        romeo
            .send(
                "<message xmlns='jabber:client' type='groupchat' id='m1' \
                 to='ball@conference.verona.example'><body>Who is there?</body></message>",
            )
            .await?;
        loop {
            let message = gateway.receive("message").await?;
            if message.attr("id") == Some("m1") {
                assert_eq!(message.attr("to"), Some("juliet@gateway.verona.example/x"));
                return Ok(());
            }
        }
    });
}

/// The room had kept the earlier session of the same address, and answered that one.
#[test]
fn a_room_answers_who_left_it_and_asks_in_another_session() {
    run(|server| async move {
        let mut gateway = Gateway::start(&server).await?;
        let mut first = romeo(&server).await?;
        ball(&mut gateway, &mut first).await?;
        drop(first);
        let mut second = romeo(&server).await?;
        second
            .send(
                "<iq xmlns='jabber:client' type='get' id='who' to='ball@conference.verona.example'>\
                 <query xmlns='http://jabber.org/protocol/muc#admin'>\
                 <item affiliation='owner'/></query></iq>",
            )
            .await?;
        let answer = second.receive_until(|stanza| stanza.attr("id") == Some("who")).await?;
        assert_eq!(answer.attr("type"), Some("result"));
        Ok(())
    });
}
