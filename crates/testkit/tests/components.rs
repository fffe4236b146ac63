//! XEP-0114 as components see it: a gateway at `gateway.verona.example` and people who use it.

use std::io;

use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use testkit::client::{Account, Client, Connection, Incoming, Via};
use testkit::target::{GATEWAY, GATEWAY_SECRET, Server, Target};
use testkit::tree::Tree;

/// A component.
struct Gateway(Connection);

impl Gateway {
    /// Opens a stream for a domain and proves a secret. Gives the answer as well.
    async fn open(server: &Server, domain: &str, secret: &str) -> io::Result<(Self, Tree)> {
        let mut connection = Connection::tcp(server.components()).await?;
        let header = format!(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' \
             xmlns:stream='http://etherx.jabber.org/streams' to='{domain}'>"
        );
        connection.write(header.as_bytes()).await?;
        let id = loop {
            match connection.next().await? {
                Incoming::Header(header) => break header.attr("id").unwrap_or_default().to_owned(),
                Incoming::Declaration => {}
                other => return Err(io::Error::other(format!("no header but {other:?}"))),
            }
        };
        let digest = Sha1::new().chain_update(id).chain_update(secret).finalize();
        let proof: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        // A stream that was refused may be closed already.
        let _ = connection.write(format!("<handshake>{proof}</handshake>").as_bytes()).await;
        let answer = connection.element().await?;
        Ok((Self(connection), answer))
    }

    async fn start(server: &Server) -> io::Result<Self> {
        let (gateway, answer) = Self::open(server, GATEWAY, GATEWAY_SECRET).await?;
        assert_eq!(answer.name, "handshake", "{}", answer.pretty());
        Ok(gateway)
    }

    async fn send(&mut self, xml: &str) -> io::Result<()> {
        self.0.write(xml.as_bytes()).await
    }

    /// The next stanza of a kind; others are passed over.
    async fn receive(&mut self, name: &str) -> io::Result<Tree> {
        loop {
            let element = self.0.element().await?;
            if element.name == name {
                return Ok(element);
            }
        }
    }
}

fn run<F: Future<Output = io::Result<()>>>(play: impl FnOnce(Server) -> F) {
    run_with("a gateway", play);
}

fn run_with<F: Future<Output = io::Result<()>>>(setting: &str, play: impl FnOnce(Server) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let server = Server::start(Target::Anemone, &[setting.to_owned()]).expect("it starts");
        server.create_account("romeo", "the secret of romeo").expect("an account");
        play(server).await.expect("it goes well");
    });
}

async fn romeo(server: &Server) -> io::Result<Client> {
    let account = Account {
        user: "romeo".into(),
        password: "the secret of romeo".into(),
        resource: Some("orchard".into()),
        mechanism: None,
    };
    Client::log_in(server.endpoint(), Via::StartTls, &account).await
}

fn condition(element: &Tree) -> Vec<String> {
    element.children().map(|child| child.name.clone()).collect()
}

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

#[test]
fn the_gateways_people_come_into_rooms() {
    run(|server| async move {
        let mut gateway = Gateway::start(&server).await?;
        let mut romeo = romeo(&server).await?;
        romeo
            .send(
                "<presence xmlns='jabber:client' to='ball@conference.verona.example/Romeo'>\
                 <x xmlns='http://jabber.org/protocol/muc'/></presence>",
            )
            .await?;
        romeo
            .receive_until(|stanza| stanza.children().any(|child| child.name == "subject"))
            .await?;
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
        let came =
            |stanza: &Tree| stanza.attr("from") == Some("ball@conference.verona.example/Juliet");
        romeo.receive_until(came).await?;
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

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The gateway keeps a block list, page by page, and some of its own people are on it.
async fn tell_the_list(gateway: &mut Gateway) -> io::Result<()> {
    let pages = [
        ("mallory@gateway.verona.example", "<first index='0'>a</first><last>a</last>"),
        ("eve@gateway.verona.example", "<first index='1'>b</first><last>b</last>"),
    ];
    let mut pages = pages.iter();
    while let Some((jid, ends)) = pages.as_slice().first() {
        let iq = gateway.receive("iq").await?;
        let id = iq.attr("id").unwrap_or_default();
        if iq.attr("type") != Some("get") {
            assert!(iq.pretty().contains("<subscribe"), "{}", iq.pretty());
            continue;
        }
        let hash = sha256(jid);
        gateway
            .send(&format!(
                "<iq from='gateway.verona.example' to='verona.example' type='result' id='{id}'>\
                 <pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='bans'>\
                 <item id='{hash}'/></items><set xmlns='http://jabber.org/protocol/rsm'>{ends}\
                 <count>2</count></set></pubsub></iq>"
            ))
            .await?;
        pages.next();
    }
    Ok(())
}

#[test]
fn whoever_is_on_a_block_list_reaches_nobody() {
    run_with("a block list", |server| async move {
        let mut gateway = Gateway::start(&server).await?;
        let mut romeo = romeo(&server).await?;
        romeo.send("<presence xmlns='jabber:client'/>").await?;
        romeo.receive_until(|stanza| stanza.name == "presence").await?;
        tell_the_list(&mut gateway).await?;
        let says = |who: &str, id: &str| {
            format!(
                "<message from='{who}@gateway.verona.example' to='romeo@verona.example' \
                 type='chat' id='{id}'><body>Buy this</body></message>"
            )
        };
        for who in ["mallory", "eve"] {
            gateway
                .send(&format!(
                    "<presence from='{who}@gateway.verona.example' to='romeo@verona.example' \
                     type='subscribe'/>{}",
                    says(who, who)
                ))
                .await?;
            let refused = gateway.receive("message").await?;
            assert_eq!(refused.attr("id"), Some(who));
            assert!(refused.pretty().contains("policy-violation"), "{}", refused.pretty());
            // Nor do they come into rooms.
            gateway
                .send(&format!(
                    "<presence from='{who}@gateway.verona.example/x' \
                     to='ball@conference.verona.example/{who}'>\
                     <x xmlns='http://jabber.org/protocol/muc'/></presence>"
                ))
                .await?;
            let refused = gateway.receive("presence").await?;
            assert!(refused.pretty().contains("policy-violation"), "{}", refused.pretty());
        }
        // The list changes: one is on it no more, another one is. Only its service says so.
        let (gone, new) =
            (sha256("eve@gateway.verona.example"), sha256("nurse@gateway.verona.example"));
        for from in ["somebody@gateway.verona.example", "gateway.verona.example"] {
            gateway
                .send(&format!(
                    "<message from='{from}' to='verona.example'>\
                     <event xmlns='http://jabber.org/protocol/pubsub#event'><items node='bans'>\
                     <retract id='{gone}'/><item id='{new}'/></items></event></message>"
                ))
                .await?;
            gateway.send(&says("nurse", from)).await?;
            if from == "gateway.verona.example" {
                let refused = gateway.receive("message").await?;
                assert_eq!(refused.attr("id"), Some(from));
            } else {
                romeo.receive_until(|stanza| stanza.attr("id") == Some(from)).await?;
            }
        }
        gateway.send(&says("eve", "at last")).await?;
        let first = romeo.receive_until(|stanza| stanza.name == "message").await?;
        assert_eq!(first.attr("id"), Some("at last"), "{}", first.pretty());
        Ok(())
    });
}
