//! What a component may do in the name of accounts (XEP-0356), and instead of the server (XEP-0355).

use crate::gateway::{Gateway, romeo, run, run_with};

/// A request that the gateway makes in the name of somebody, inside one of its own.
fn privileged(kind: &str, id: &str, inner: &str) -> String {
    format!(
        "<iq from='gateway.verona.example' to='romeo@verona.example' type='{kind}' id='{id}'>\
         <privileged_iq xmlns='urn:xmpp:privilege:2'>{inner}</privileged_iq></iq>"
    )
}

/// A message that the gateway sends in the name of somebody.
fn in_the_name_of(message: &str) -> String {
    format!(
        "<message from='gateway.verona.example' to='verona.example' id='outer'>\
         <privilege xmlns='urn:xmpp:privilege:2'><forwarded xmlns='urn:xmpp:forward:0'>\
         {message}</forwarded></privilege></message>"
    )
}

#[test]
fn a_privileged_gateway_is_told_what_it_may_do() {
    run_with("a privileged gateway", |server| async move {
        let mut gateway = Gateway::start(&server).await?;
        let told = gateway.receive("message").await?;
        assert_eq!(told.attr("from"), Some("verona.example"));
        let said = told.pretty();
        for access in ["roster", "message", "presence", "iq"] {
            assert!(said.contains(&format!("access=\"{access}\"")), "{said}");
        }
        assert!(said.contains("http://jabber.org/protocol/pubsub#owner"), "{said}");
        let told = gateway.receive("message").await?;
        assert!(told.pretty().contains("urn:example:pigeons"), "{}", told.pretty());
        Ok(())
    });
}

#[test]
fn a_privileged_gateway_puts_its_people_into_rosters() {
    run_with("a privileged gateway", |server| async move {
        let mut gateway = Gateway::start(&server).await?;
        let mut romeo = romeo(&server).await?;
        romeo
            .send(
                "<iq xmlns='jabber:client' type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>\
                 <presence xmlns='jabber:client'/>",
            )
            .await?;
        let there = gateway.receive("presence").await?;
        assert_eq!(there.attr("from"), Some("romeo@verona.example/orchard"));
        gateway
            .send(
                "<iq from='gateway.verona.example' to='romeo@verona.example' type='set' id='g1'>\
                 <query xmlns='jabber:iq:roster'><item jid='juliet@gateway.verona.example' \
                 name='Juliet' subscription='both'><group>Pigeons</group></item></query></iq>",
            )
            .await?;
        let push = romeo
            .receive_until(|stanza| stanza.name == "iq" && stanza.attr("type") == Some("set"))
            .await?;
        let said = push.pretty();
        assert!(said.contains("subscription=\"both\"") && said.contains("Pigeons"), "{said}");
        // It sees the push as well, its answer, and the presence of who is a contact now.
        let push = gateway.receive("iq").await?;
        assert_eq!(
            (push.attr("type"), push.attr("from")),
            (Some("set"), Some("romeo@verona.example"))
        );
        let shown = gateway.receive("presence").await?;
        assert_eq!(shown.attr("to"), Some("juliet@gateway.verona.example"));
        gateway
            .send(
                "<iq from='gateway.verona.example' to='romeo@verona.example' type='get' id='g2'>\
                 <query xmlns='jabber:iq:roster'/></iq>",
            )
            .await?;
        let roster = loop {
            let iq = gateway.receive("iq").await?;
            if iq.attr("id") == Some("g2") {
                break iq;
            }
        };
        assert!(roster.pretty().contains("juliet@gateway.verona.example"), "{}", roster.pretty());
        // A subscription to somebody else's contact is not the gateway's to make.
        gateway
            .send(
                "<iq from='gateway.verona.example' to='romeo@verona.example' type='set' id='g3'>\
                 <query xmlns='jabber:iq:roster'><item jid='nurse@verona.example' \
                 subscription='both'/></query></iq>",
            )
            .await?;
        let push = romeo
            .receive_until(|stanza| stanza.name == "iq" && stanza.attr("type") == Some("set"))
            .await?;
        assert!(push.pretty().contains("subscription=\"none\""), "{}", push.pretty());
        Ok(())
    });
}

#[test]
fn a_privileged_gateway_sends_messages_for_accounts() {
    run_with("a privileged gateway", |server| async move {
        let mut gateway = Gateway::start(&server).await?;
        let mut romeo = romeo(&server).await?;
        romeo
            .send(
                "<iq xmlns='jabber:client' type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>\
                 <presence xmlns='jabber:client'/>",
            )
            .await?;
        romeo.receive_until(|stanza| stanza.name == "presence").await?;
        gateway
            .send(&in_the_name_of(
                "<message xmlns='jabber:component:accept' type='chat' id='p1' \
                 from='romeo@verona.example' to='juliet@gateway.verona.example'>\
                 <body>Sent by pigeon</body></message>",
            ))
            .await?;
        let copy = romeo.receive_until(|stanza| stanza.name == "message").await?;
        let said = copy.pretty();
        assert_eq!(copy.attr("from"), Some("romeo@verona.example"));
        assert!(said.contains("<sent") && said.contains("Sent by pigeon"), "{said}");
        let message = loop {
            let message = gateway.receive("message").await?;
            if message.attr("id") == Some("p1") {
                break message;
            }
        };
        assert_eq!(message.attr("from"), Some("romeo@verona.example"));
        Ok(())
    });
}

#[test]
fn a_privileged_gateway_asks_for_accounts() {
    run_with("a privileged gateway", |server| async move {
        let mut gateway = Gateway::start(&server).await?;
        let publish = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:example:p'>\
                       <item id='1'><p xmlns='urn:example:p'/></item></publish></pubsub>";
        let inner = format!("<iq xmlns='jabber:client' type='set' id='in'>{publish}</iq>");
        gateway.send(&privileged("set", "q1", &inner)).await?;
        let answer = gateway.receive("iq").await?;
        assert_eq!((answer.attr("id"), answer.attr("type")), (Some("q1"), Some("result")));
        let said = answer.pretty();
        assert!(said.contains("<forwarded") && said.contains("id=\"in\""), "{said}");
        // What goes wrong says so outside as well.
        let inner = "<iq xmlns='jabber:client' type='get' id='in'><pubsub \
                     xmlns='http://jabber.org/protocol/pubsub'><items node='nothing'/></pubsub></iq>";
        gateway.send(&privileged("get", "q2", inner)).await?;
        let answer = gateway.receive("iq").await?;
        assert_eq!((answer.attr("id"), answer.attr("type")), (Some("q2"), Some("error")));
        assert!(answer.pretty().contains("item-not-found"), "{}", answer.pretty());
        // A question to somebody elsewhere comes back the same way.
        let inner = "<iq xmlns='jabber:client' type='get' id='in' to='juliet@gateway.verona.example'>\
                     <pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'/></pubsub></iq>";
        gateway.send(&privileged("get", "q3", inner)).await?;
        let question = gateway.receive("iq").await?;
        assert_eq!(question.attr("from"), Some("romeo@verona.example"));
        let id = question.attr("id").unwrap_or_default();
        let answer = format!(
            "<iq from='juliet@gateway.verona.example' to='romeo@verona.example' type='result' id='{id}'/>"
        );
        gateway.send(&answer).await?;
        let answer = gateway.receive("iq").await?;
        assert_eq!((answer.attr("id"), answer.attr("type")), (Some("q3"), Some("result")));
        Ok(())
    });
}

#[test]
fn a_privileged_gateway_asks_rooms_and_devices_for_accounts() {
    run_with("a privileged gateway", |server| async move {
        let mut gateway = Gateway::start(&server).await?;
        let mut romeo = romeo(&server).await?;
        romeo
            .send(
                "<presence xmlns='jabber:client' to='ball@conference.verona.example/Romeo'>\
                 <x xmlns='http://jabber.org/protocol/muc'/></presence>",
            )
            .await?;
        romeo.receive_until(|stanza| stanza.pretty().contains("code=\"201\"")).await?;
        // The room answers the account's bare address, which owns it.
        let list = |affiliation: &str| {
            format!(
                "<iq xmlns='jabber:client' type='get' id='in' to='ball@conference.verona.example'>\
                 <query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='{affiliation}'/>\
                 </query></iq>"
            )
        };
        gateway.send(&privileged("get", "r1", &list("owner"))).await?;
        let answer = gateway.receive("iq").await?;
        assert_eq!((answer.attr("id"), answer.attr("type")), (Some("r1"), Some("result")));
        let said = answer.pretty();
        assert!(said.contains("id=\"in\"") && said.contains("romeo@verona.example"), "{said}");
        // What is wrong at the room is told as well.
        let wrong = list("owner").replace("ball@", "nowhere@");
        gateway.send(&privileged("get", "r2", &wrong)).await?;
        let answer = gateway.receive("iq").await?;
        assert_eq!((answer.attr("id"), answer.attr("type")), (Some("r2"), Some("error")));
        // A device is asked, and its answer goes to the gateway under the name of the question.
        let ping = "<iq xmlns='jabber:client' type='get' id='in' to='romeo@verona.example/orchard'>\
                    <ping xmlns='urn:xmpp:ping'/></iq>";
        gateway.send(&privileged("get", "d1", ping)).await?;
        let asked = romeo.receive_until(|stanza| stanza.name == "iq").await?;
        assert_eq!(asked.attr("from"), Some("romeo@verona.example"));
        let id = asked.attr("id").unwrap_or_default();
        romeo.send(&format!("<iq xmlns='jabber:client' type='result' id='{id}'/>")).await?;
        let answer = gateway.receive("iq").await?;
        assert_eq!((answer.attr("id"), answer.attr("type")), (Some("d1"), Some("result")));
        let said = answer.pretty();
        assert!(
            said.contains("id=\"in\"") && said.contains("romeo@verona.example/orchard"),
            "{said}"
        );
        gateway.send(&privileged("get", "d2", &ping.replace("orchard", "tower"))).await?;
        let answer = gateway.receive("iq").await?;
        assert_eq!((answer.attr("id"), answer.attr("type")), (Some("d2"), Some("error")));
        Ok(())
    });
}

#[test]
fn a_privileged_gateway_has_its_permissions_and_no_others() {
    run_with("a privileged gateway", |server| async move {
        let mut gateway = Gateway::start(&server).await?;
        let query = "<query xmlns='jabber:iq:last'/>";
        let pubsub = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'/></pubsub>";
        let affiliations = "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><affiliations node='n'/></pubsub>";
        for (kind, inner) in [
            ("get", format!("<iq xmlns='jabber:client' type='get' id='1'>{query}</iq>")),
            ("get", format!("<iq xmlns='jabber:client' type='get' id='1'>{affiliations}</iq>")),
            ("set", format!("<iq xmlns='jabber:client' type='get' id='1'>{pubsub}</iq>")),
            (
                "get",
                format!(
                    "<iq xmlns='jabber:client' type='get' id='1' from='nurse@verona.example'>{pubsub}</iq>"
                ),
            ),
        ] {
            gateway.send(&privileged(kind, "q", &inner)).await?;
            let answer = gateway.receive("iq").await?;
            assert!(answer.pretty().contains("<forbidden"), "{inner}: {}", answer.pretty());
        }
        // In the name of nobody, and of a device.
        let inner = format!("<iq xmlns='jabber:client' type='get' id='1'>{pubsub}</iq>");
        for to in ["verona.example", "nobody@verona.example", "romeo@verona.example/orchard"] {
            let request = privileged("get", "q", &inner).replace("romeo@verona.example", to);
            gateway.send(&request).await?;
            let answer = gateway.receive("iq").await?;
            assert!(answer.pretty().contains("<forbidden"), "{to}: {}", answer.pretty());
        }
        for from in
            ["romeo@verona.example/orchard", "romeo@elsewhere.example", "nobody@verona.example"]
        {
            gateway
                .send(&in_the_name_of(&format!(
                    "<message xmlns='jabber:client' type='chat' from='{from}' \
                     to='romeo@verona.example'><body>I am {from}</body></message>"
                )))
                .await?;
            let answer = loop {
                let message = gateway.receive("message").await?;
                if message.attr("type") == Some("error") {
                    break message;
                }
            };
            assert!(answer.pretty().contains("<forbidden"), "{from}: {}", answer.pretty());
        }
        Ok(())
    });
}

#[test]
fn a_gateway_without_permissions_acts_for_nobody() {
    run(|server| async move {
        let mut gateway = Gateway::start(&server).await?;
        let mut romeo = romeo(&server).await?;
        let inner = "<iq xmlns='jabber:client' type='get' id='1'>\
                     <query xmlns='jabber:iq:roster'/></iq>";
        let requests = [
            "<iq from='gateway.verona.example' to='romeo@verona.example' type='get' id='q'>\
             <query xmlns='jabber:iq:roster'/></iq>"
                .to_owned(),
            privileged("get", "q", inner),
        ];
        for request in requests {
            gateway.send(&request).await?;
            let answer = gateway.receive("iq").await?;
            assert!(answer.pretty().contains("<forbidden"), "{}", answer.pretty());
        }
        let stolen = in_the_name_of(
            "<message xmlns='jabber:client' type='chat' from='romeo@verona.example' \
             to='romeo@verona.example'><body>I am you</body></message>",
        );
        gateway.send(&stolen).await?;
        let answer = loop {
            let message = gateway.receive("message").await?;
            if message.attr("type") == Some("error") {
                break message;
            }
        };
        assert!(answer.pretty().contains("<forbidden"), "{}", answer.pretty());
        // Nor does anybody else.
        let stolen = stolen.replace(" from='gateway.verona.example'", " xmlns='jabber:client'");
        romeo.send(&stolen).await?;
        romeo
            .send(&format!(
                "<iq xmlns='jabber:client' type='get' id='own'>\
                 <privileged_iq xmlns='urn:xmpp:privilege:2'>{inner}</privileged_iq></iq>"
            ))
            .await?;
        let answer = romeo.receive_until(|stanza| stanza.name != "presence").await?;
        assert_eq!(answer.attr("id"), Some("own"), "{}", answer.pretty());
        assert!(answer.pretty().contains("<forbidden"), "{}", answer.pretty());
        Ok(())
    });
}

#[test]
fn a_gateway_answers_what_is_delegated_to_it() {
    run_with("a privileged gateway", |server| async move {
        let mut gateway = Gateway::start(&server).await?;
        let mut romeo = romeo(&server).await?;
        for (id, from, expected) in [
            ("d1", "", "result"),
            // It may not speak for somebody who was not asked.
            ("d2", " from='nurse@verona.example'", "error"),
        ] {
            romeo
                .send(&format!(
                    "<iq xmlns='jabber:client' type='get' id='{id}' to='verona.example'>\
                     <coo xmlns='urn:example:pigeons'/></iq>"
                ))
                .await?;
            let question = gateway.receive("iq").await?;
            assert_eq!(question.attr("from"), Some("verona.example"));
            assert!(question.pretty().contains("romeo@verona.example/orchard"));
            let outer = question.attr("id").unwrap_or_default();
            gateway
                .send(&format!(
                    "<iq from='gateway.verona.example' to='verona.example' type='result' id='{outer}'>\
                     <delegation xmlns='urn:xmpp:delegation:2'><forwarded xmlns='urn:xmpp:forward:0'>\
                     <iq xmlns='jabber:client' to='romeo@verona.example/orchard' type='result' \
                     id='{id}'{from}><coo xmlns='urn:example:pigeons'/></iq>\
                     </forwarded></delegation></iq>"
                ))
                .await?;
            let answer = romeo.receive_until(|stanza| stanza.attr("id") == Some(id)).await?;
            assert_eq!(answer.attr("type"), Some(expected), "{}", answer.pretty());
            // Whatever the component wrote, it comes from who was asked.
            assert_eq!(answer.attr("from"), Some("verona.example"), "{}", answer.pretty());
        }
        // While it is away, nobody waits.
        drop(gateway);
        romeo
            .send(
                "<iq xmlns='jabber:client' type='get' id='d3' to='verona.example'>\
                 <coo xmlns='urn:example:pigeons'/></iq>",
            )
            .await?;
        let answer = romeo.receive_until(|stanza| stanza.attr("id") == Some("d3")).await?;
        assert!(answer.pretty().contains("service-unavailable"), "{}", answer.pretty());
        Ok(())
    });
}
