//! Roles that are other servers: streams from domain to domain (RFC 6120, XEP-0178, XEP-0220), both those
//! they open and those that the tested server opens to them.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::net::TcpListener;

use super::actor::{Actor, Class, SM};
use super::report::{Failure, Outcome};
use super::script::{Acceptance, Foreign, Login, Role};
use super::stage::Stage;
use super::template::Template;
use crate::client::login::SASL;
use crate::client::{Connection, Incoming, PATIENCE, Trust, Via};
use crate::target::Server;
use crate::tree::{Node, STREAMS, Tree, escape};

const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
const BIDI: &str = "urn:xmpp:bidi";
const CLIENT: &str = "jabber:client";
pub(super) const SERVER: &str = "jabber:server";

/// Makes a server of the cast ready, and opens its door.
pub(super) fn enter(
    server: &Server,
    role: &Role,
    foreign: &Foreign,
    doors: &mut BTreeMap<String, TcpListener>,
) -> Result<Actor, Failure> {
    let domain = &foreign.domain;
    if !doors.contains_key(domain) {
        let nowhere = || Failure::new(format!("the server does not look for {domain}"));
        let door = std::net::TcpListener::bind(server.peer(domain).ok_or_else(nowhere)?)?;
        door.set_nonblocking(true)?;
        doors.insert(domain.clone(), TcpListener::from_std(door)?);
    }
    let mut actor = Actor::new(role.clone(), String::new(), String::new());
    let identity = foreign.certificate.as_ref().map(|name| server.identity(name));
    actor.identity = identity.transpose()?;
    Ok(actor)
}

/// What came from the tested server on a stream whose stanzas are in the namespace `own`, in the one in
/// which plays are written.
pub(super) fn understood(incoming: Incoming, own: &str) -> Incoming {
    let Incoming::Element(mut element) = incoming else { return incoming };
    if element.ns == CLIENT {
        element.ns = format!("{CLIENT} instead of {own}");
    }
    rename(&mut element, own);
    Incoming::Element(element)
}

fn rename(element: &mut Tree, own: &str) {
    if element.ns == own {
        CLIENT.clone_into(&mut element.ns);
    }
    for node in &mut element.nodes {
        if let Node::Element(child) = node {
            rename(child, own);
        }
    }
}

/// Whether the tested server wants to know if something has arrived, by a ping from domain to domain.
pub(super) fn asks(element: &Tree, server: &Foreign) -> bool {
    let from_a_domain = element.attr("from").is_some_and(|from| !from.contains('@'));
    element.is("iq", CLIENT)
        && element.attr("type") == Some("get")
        && from_a_domain
        && element.attr("to") == Some(&server.domain)
        && element.child("ping", "urn:xmpp:ping").is_some()
}

/// The answer to it.
pub(super) fn answer(ping: &Tree) -> String {
    let of = |name| escape(ping.attr(name).unwrap_or_default());
    format!("<iq type='result' id='{}' from='{}' to='{}'/>", of("id"), of("to"), of("from"))
}

/// A question that every server answers on the stream on which it comes (XEP-0220 §2.1.3).
pub(super) fn question(server: &Foreign, id: &str) -> String {
    let Foreign { domain, calls, .. } = server;
    format!("<db:verify from='{domain}' to='{calls}' id='{id}'>no key</db:verify>")
}

/// The header of a stream between servers.
pub(super) fn header(attributes: &[(&str, &str)]) -> String {
    let written: String = attributes
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!(" {name}='{}'", escape(value)))
        .collect();
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='{SERVER}' xmlns:stream='{STREAMS}' \
         xmlns:db='jabber:server:dialback'{written}>"
    )
}

impl Stage<'_> {
    fn foreign(&self, who: usize) -> Result<Foreign, Failure> {
        let server = self.actors[who].role.server.clone();
        server.ok_or_else(|| Failure::new(format!("{} is no server", self.name(who))))
    }

    /// What to trust, and what to show where the role is a server.
    pub(super) fn trust(&self, who: usize) -> Trust {
        let trust = self.server.endpoint().trust.clone();
        match &self.actors[who].identity {
            Some(identity) => trust.showing(identity.clone()),
            None => trust,
        }
    }

    /// Connects as another server, without opening a stream.
    pub(super) async fn call(&mut self, who: usize) -> io::Result<Connection> {
        match self.actors[who].role.via {
            Via::DirectTls => {
                let address = self.server.federation(true);
                Connection::direct_tls(address, &self.trust(who), "xmpp-server").await
            }
            _ => Connection::tcp(self.server.federation(false)).await,
        }
    }

    /// The attributes of the stream headers of a server.
    pub(super) fn server_header(&mut self, who: usize) -> Vec<(&'static str, String)> {
        let actor = &self.actors[who];
        let Some(server) = &actor.role.server else { return Vec::new() };
        let mut attributes = vec![
            ("from", server.domain.clone()),
            ("to", server.calls.clone()),
            ("version", "1.0".to_owned()),
        ];
        if actor.accepted {
            self.pings += 1;
            attributes.push(("id", format!("stream-{}", self.pings)));
        }
        attributes
    }

    /// SASL EXTERNAL; gives the answer.
    pub(super) async fn show_certificate(
        &mut self,
        who: usize,
        login: &Login,
    ) -> Result<Tree, Failure> {
        let server = self.foreign(who)?;
        let name = match &login.authzid {
            Some(name) => name.expand(&self.variables, false)?,
            None => server.domain,
        };
        let mechanism = login.mechanism.as_deref().unwrap_or("EXTERNAL");
        let bidi = if server.both_ways { format!("<bidi xmlns='{BIDI}'/>") } else { String::new() };
        let name = BASE64_STANDARD.encode(name);
        let request = format!("{bidi}<auth xmlns='{SASL}' mechanism='{mechanism}'>{name}</auth>");
        self.actors[who].queue(Class::Stream).clear();
        self.send_bytes(who, request.as_bytes()).await?;
        let answer = self
            .wait(who, "an answer to EXTERNAL", |actor| actor.queue(Class::Stanza).pop_front())
            .await?;
        if answer.is("success", SASL) {
            self.expect_new_stream(who);
        }
        Ok(answer)
    }

    fn expect_new_stream(&mut self, who: usize) {
        let actor = &mut self.actors[who];
        actor.stream_open = false;
        if let Some(connection) = &mut actor.connection {
            connection.restart();
        }
    }

    /// What the role does when the tested server connects to it.
    pub(super) async fn accept(&mut self, who: usize, what: &Acceptance) -> Outcome {
        match what {
            Acceptance::Connection => self.accept_connection(who).await,
            Acceptance::Stream(features) => self.accept_stream(who, features.as_ref()).await,
            Acceptance::StreamManagement => self.accept_stream_management(who).await,
            Acceptance::Resumption => self.accept_resumption(who).await,
            Acceptance::Everything(features) => self.be_connected_to(who, features.as_ref()).await,
        }
    }

    async fn accept_connection(&mut self, who: usize) -> Outcome {
        let server = self.foreign(who)?;
        let Some(door) = self.listeners.get(&server.domain) else { return Ok(()) };
        let accepted = tokio::time::timeout(PATIENCE, door.accept()).await;
        let late = |_| Failure::new(format!("nobody connected to {}", server.domain));
        let (tcp, _) = accepted.map_err(late)??;
        tcp.set_nodelay(true)?;
        let actor = &mut self.actors[who];
        actor.take_new(Connection::accepted(tcp));
        actor.accepted = true;
        if self.actors[who].role.via != Via::DirectTls {
            return Ok(());
        }
        match self.accept_tls(who).await? {
            Some(protocol) if protocol == "xmpp-server" => Ok(()),
            other => Err(Failure::new(format!("TLS is for {other:?}, not for xmpp-server"))),
        }
    }

    async fn accept_tls(&mut self, who: usize) -> Result<Option<String>, Failure> {
        let identity = self.actors[who].identity.clone();
        let identity = identity.ok_or_else(|| Failure::new("TLS needs a certificate"))?;
        let config = Arc::new(self.server.accepting(&identity)?);
        match &mut self.actors[who].connection {
            Some(connection) => Ok(connection.accept_tls(config).await?),
            None => Err(Failure::new(format!("{} is not connected", self.name(who)))),
        }
    }

    /// STARTTLS on the side that was connected to.
    pub(super) async fn let_tls_start(&mut self, who: usize) -> Outcome {
        let asked =
            self.wait(who, "<starttls/>", |actor| actor.queue(Class::Stanza).pop_front()).await?;
        if !asked.is("starttls", TLS) {
            return Err(Failure::new(format!("not <starttls/> but:\n{}", asked.pretty())));
        }
        self.send_bytes(who, format!("<proceed xmlns='{TLS}'/>").as_bytes()).await?;
        self.forget_stream(who);
        self.accept_tls(who).await.map(drop)
    }

    /// Waits for a header and answers it; the usual features, unless the play says others.
    async fn accept_stream(&mut self, who: usize, features: Option<&Template>) -> Outcome {
        let server = self.foreign(who)?;
        let header = self
            .wait(who, "a stream header", |actor| actor.queue(Class::Stream).pop_front())
            .await?;
        let fits = header.attr("from") == Some(&server.calls)
            && header.attr("to") == Some(&server.domain)
            && header.attr("version") == Some("1.0");
        if !fits {
            return Err(Failure::new(format!("a wrong stream header:\n{}", header.pretty())));
        }
        let encrypted = self.actors[who].connection.as_ref().is_some_and(Connection::is_encrypted);
        let features = match features {
            Some(features) => features.expand(&self.variables, true)?,
            None if !encrypted => format!("<starttls xmlns='{TLS}'><required/></starttls>"),
            None => usual(&server),
        };
        self.open_stream_with(who, &[]).await?;
        let features = format!("<stream:features>{features}</stream:features>");
        self.send_bytes(who, features.as_bytes()).await
    }

    /// Lets the tested server connect and prove itself by its certificate.
    async fn be_connected_to(&mut self, who: usize, features: Option<&Template>) -> Outcome {
        let server = self.foreign(who)?;
        let before = self.transcript.length();
        self.accept_connection(who).await?;
        if self.actors[who].role.via != Via::DirectTls {
            self.accept_stream(who, None).await?;
            self.start_tls(who).await?;
        }
        self.accept_stream(who, None).await?;
        self.accept_certificate(who, &server).await?;
        let nothing = Template::parse("")?;
        self.accept_stream(who, Some(features.unwrap_or(&nothing))).await?;
        self.actors[who].bound = true;
        self.actors[who].unsettled = false;
        let name = self.name(who).to_owned();
        self.transcript.condense(before, &name, "is connected to");
        Ok(())
    }

    /// XEP-0178 §3, and XEP-0288 §2.2 before it.
    async fn accept_certificate(&mut self, who: usize, server: &Foreign) -> Outcome {
        let mut both_ways = false;
        let auth = loop {
            let next =
                self.wait(who, "EXTERNAL", |actor| actor.queue(Class::Stanza).pop_front()).await?;
            match next.is("bidi", BIDI) && server.both_ways {
                true => both_ways = true,
                false => break next,
            }
        };
        let name = BASE64_STANDARD.encode(&server.calls);
        let external = auth.is("auth", SASL)
            && auth.attr("mechanism") == Some("EXTERNAL")
            && ["=", &name].contains(&auth.text().as_str());
        if !external || both_ways != server.both_ways {
            let what = if external { "no <bidi/>" } else { "no proof that can be taken" };
            return Err(Failure::new(format!("{what}:\n{}", auth.pretty())));
        }
        self.send_bytes(who, format!("<success xmlns='{SASL}'/>").as_bytes()).await?;
        self.expect_new_stream(who);
        Ok(())
    }

    /// Answers `<enable/>`: the tested server's stanzas are counted from here on.
    async fn accept_stream_management(&mut self, who: usize) -> Outcome {
        let asked =
            self.wait(who, "<enable/>", |actor| actor.queue(Class::Stanza).pop_front()).await?;
        if !asked.is("enable", SM) {
            return Err(Failure::new(format!("not <enable/> but:\n{}", asked.pretty())));
        }
        self.pings += 1;
        let id = format!("session-{}", self.pings);
        let actor = &mut self.actors[who];
        actor.sm.active = true;
        actor.sm.handled = 0;
        actor.sm.id = Some(id.clone());
        let enabled = format!("<enabled xmlns='{SM}' id='{id}' resume='true'/>");
        self.send_bytes(who, enabled.as_bytes()).await?;
        self.actors[who].unsettled = false;
        Ok(())
    }

    /// Answers `<resume/>`, saying how much has come.
    async fn accept_resumption(&mut self, who: usize) -> Outcome {
        let asked =
            self.wait(who, "<resume/>", |actor| actor.queue(Class::Stanza).pop_front()).await?;
        let actor = &mut self.actors[who];
        let known = asked.is("resume", SM) && asked.attr("previd") == actor.sm.id.as_deref();
        if !known {
            return Err(Failure::new(format!("not the known session:\n{}", asked.pretty())));
        }
        actor.sm.active = true;
        let id = escape(actor.sm.id.as_deref().unwrap_or_default());
        let resumed = format!("<resumed xmlns='{SM}' previd='{id}' h='{}'/>", actor.sm.handled);
        self.send_bytes(who, resumed.as_bytes()).await?;
        self.actors[who].unsettled = false;
        Ok(())
    }
}

/// What a server offers that wants a certificate.
fn usual(server: &Foreign) -> String {
    let bidi = if server.both_ways { "<bidi xmlns='urn:xmpp:features:bidi'/>" } else { "" };
    format!("<mechanisms xmlns='{SASL}'><mechanism>EXTERNAL</mechanism></mechanisms>{bidi}")
}
