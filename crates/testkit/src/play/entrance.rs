//! How clients enter and leave the stage: connections, streams, logins, resumption.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::actor::{Actor, Class, FRAMING, SM};
use super::caps::Caps;
use super::report::Failure;
use super::script::{Login, Via};
use super::stage::{Stage, unique_tag};
use super::template::Template;
use crate::client::Connection;
use crate::client::sasl::{Credentials, Exchange, Offer};
use crate::target::{DOMAIN, Target};
use crate::tree::{STREAMS, Tree, escape};

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const SASL2: &str = "urn:xmpp:sasl:2";
const CHANNEL_BINDING: &str = "urn:xmpp:sasl-cb:0";
const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";

type Outcome = Result<(), Failure>;

impl Stage<'_> {
    /// Makes pairs of accounts see each other's presence, with clients that leave before the play.
    pub(super) async fn befriend(&mut self, pairs: &[(String, String)]) -> Outcome {
        let cast = self.actors.len();
        for (one, other) in pairs {
            let (a, b) = (self.extra(one)?, self.extra(other)?);
            for who in [a, b] {
                self.log_in(who).await?;
            }
            for (who, whom, kind) in
                [(a, other, "subscribe"), (b, one, "subscribed"), (b, one, "subscribe"), (a, other, "subscribed")]
            {
                let whom = self.variables.get(whom).cloned().unwrap_or_default();
                self.send(who, &format!("<presence to='{whom}' type='{kind}'/>")).await?;
                self.settle(who).await?;
            }
            for who in [a, b] {
                self.disconnect(who).await?;
            }
            self.transcript.clear();
        }
        self.actors.truncate(cast);
        Ok(())
    }

    /// A client of an account in the cast that is not on stage itself.
    fn extra(&mut self, account: &str) -> Result<usize, Failure> {
        let known = self.actors.iter().find(|actor| actor.role.account == account);
        let known = known.ok_or_else(|| Failure::new(format!("no role has the account {account}")))?;
        let mut role = known.role.clone();
        role.name = format!("{account} before the play");
        role.resource = Some("before".into());
        let extra = Actor::new(role, known.user.clone(), known.password.clone());
        self.actors.push(extra);
        Ok(self.actors.len() - 1)
    }

    pub(super) async fn open_connection(&mut self, who: usize) -> Outcome {
        let server = self.server;
        let connection = match self.actors[who].role.via {
            Via::StartTls | Via::Plain => Connection::tcp(server.c2s()).await,
            Via::DirectTls => Connection::direct_tls(server.c2s_tls(), server.trust()).await,
            Via::WebSocket => {
                let path = server.websocket_path();
                Connection::websocket(server.https(), server.trust(), path).await
            }
        };
        let connection = connection
            .map_err(|error| Failure::new(format!("{} cannot connect: {error}", self.name(who))))?;
        self.actors[who].take_new(connection);
        Ok(())
    }

    pub(super) async fn open_stream_with(
        &mut self,
        who: usize,
        attributes: &[(String, Template)],
    ) -> Outcome {
        if self.actors[who].connection.is_none() {
            self.open_connection(who).await?;
        }
        let mut wanted = vec![("to".to_owned(), DOMAIN.to_owned()), ("version".into(), "1.0".into())];
        for (name, value) in attributes {
            let value = value.expand(&self.variables, false)?;
            wanted.retain(|(known, _)| known != name);
            wanted.push((name.clone(), value));
        }
        let written: String = wanted
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!(" {name}='{}'", escape(value)))
            .collect();
        let websocket = self.actors[who].connection.as_ref().is_some_and(Connection::is_websocket);
        let header = if websocket {
            format!("<open xmlns='{FRAMING}'{written}/>")
        } else {
            format!(
                "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
                 xmlns:stream='{STREAMS}'{written}>"
            )
        };
        self.actors[who].queue(Class::Stream).clear();
        self.actors[who].features = None;
        self.actors[who].stream_open = true;
        self.send_bytes(who, header.as_bytes()).await
    }

    /// Opens a stream and waits for its features, which stay to be looked at.
    async fn open_stream(&mut self, who: usize) -> Result<Tree, Failure> {
        self.open_stream_with(who, &[]).await?;
        self.features(who).await
    }

    /// The features of the current stream, waiting for them if need be.
    async fn features(&mut self, who: usize) -> Result<Tree, Failure> {
        self.wait(who, "stream features", |actor| actor.features.clone()).await
    }

    pub(super) async fn start_tls(&mut self, who: usize) -> Outcome {
        self.send_bytes(who, b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await?;
        let answer = self
            .wait(who, "an answer to <starttls/>", |actor| actor.queue(Class::Stanza).pop_front())
            .await?;
        if answer.name != "proceed" {
            return Err(Failure::new(format!("TLS is refused:\n{}", answer.pretty())));
        }
        let actor = &mut self.actors[who];
        actor.queue(Class::Stream).clear();
        actor.features = None;
        actor.stream_open = false;
        if let Some(connection) = &mut actor.connection {
            connection.start_tls(self.server.trust()).await?;
        }
        Ok(())
    }

    /// Everything before authentication; returns the features to choose a mechanism from.
    async fn reach_authentication(&mut self, who: usize) -> Result<Tree, Failure> {
        if self.actors[who].stream_open {
            return self.features(who).await;
        }
        if self.actors[who].connection.is_some() {
            return self.open_stream(who).await;
        }
        let features = self.open_stream(who).await?;
        if self.actors[who].role.via != Via::StartTls {
            return Ok(features);
        }
        self.start_tls(who).await?;
        self.open_stream(who).await
    }

    pub(super) async fn log_in(&mut self, who: usize) -> Outcome {
        if self.actors[who].role.login.sasl2 {
            let block = Template::parse("<bind xmlns='urn:xmpp:bind:0'><tag>play</tag></bind>")?;
            return self.authenticate(who, &Login::default(), Some(&block)).await;
        }
        self.authenticate(who, &Login::default(), None).await?;
        let resource = self.actors[who].role.resource.clone();
        self.bind(who, resource.as_deref()).await
    }

    /// Logs in or fails; afterwards the features of the authenticated stream are there.
    pub(super) async fn authenticate(
        &mut self,
        who: usize,
        login: &Login,
        block: Option<&Template>,
    ) -> Outcome {
        let answer = self.exchange(who, login, block).await?;
        if answer.name != "success" {
            return Err(Failure::new(format!("the login is refused:\n{}", answer.pretty())));
        }
        if answer.ns == SASL {
            self.open_stream(who).await?;
        }
        Ok(())
    }

    /// Logs in and leaves the server's last word to be received.
    pub(super) async fn try_to_authenticate(
        &mut self,
        who: usize,
        login: &Login,
        block: Option<&Template>,
    ) -> Outcome {
        let answer = self.exchange(who, login, block).await?;
        self.actors[who].queue(Class::Stanza).push_front(answer);
        Ok(())
    }

    async fn exchange(
        &mut self,
        who: usize,
        login: &Login,
        block: Option<&Template>,
    ) -> Result<Tree, Failure> {
        let features = self.reach_authentication(who).await?;
        let login = login.or(&self.actors[who].role.login);
        let mut exchange = Exchange::new(self.credentials(who, &login, &features)?);
        let initial = exchange.initial()?;
        let mechanism = self.mechanism(&login, &features)?;
        let ns = if login.sasl2 { SASL2 } else { SASL };
        let block = match block {
            Some(block) => block.expand(&self.variables, true)?,
            None => String::new(),
        };
        let data = encode(&initial);
        let request = if login.sasl2 {
            format!(
                "<authenticate xmlns='{SASL2}' mechanism='{mechanism}'>\
                 <initial-response>{data}</initial-response>{block}</authenticate>"
            )
        } else {
            format!("<auth xmlns='{SASL}' mechanism='{mechanism}'>{data}</auth>")
        };
        self.actors[who].queue(Class::Stream).clear();
        self.send_bytes(who, request.as_bytes()).await?;
        loop {
            let answer = self
                .wait(who, "an answer to the login", |actor| {
                    actor.queue(Class::Stanza).pop_front()
                })
                .await?;
            if answer.name != "challenge" || answer.ns != ns {
                return self.conclude(who, exchange, answer);
            }
            let response = exchange.respond(&decode(&answer.text())?)?;
            let text = format!("<response xmlns='{ns}'>{}</response>", encode(&response));
            self.send_bytes(who, text.as_bytes()).await?;
        }
    }

    /// Checks that a server which says yes has proved that it knows the password.
    fn conclude(&mut self, who: usize, mut exchange: Exchange, answer: Tree) -> Result<Tree, Failure> {
        if answer.is("success", SASL) {
            exchange.finish(&decode(&answer.text())?)?;
            let actor = &mut self.actors[who];
            actor.stream_open = false;
            if let Some(connection) = &mut actor.connection {
                connection.restart();
            }
        }
        if answer.is("success", SASL2) {
            let data = answer.child("additional-data", SASL2).map(Tree::text).unwrap_or_default();
            exchange.finish(&decode(&data)?)?;
            let jid = answer.child("authorization-identifier", SASL2).map(Tree::text);
            let jid = jid.ok_or_else(|| Failure::new("success names no one"))?;
            self.actors[who].start_inline(&answer);
            if jid.contains('/') {
                self.actors[who].bound = true;
                self.variables.insert(self.name(who).to_owned(), jid);
            }
        }
        Ok(answer)
    }

    fn credentials(
        &mut self,
        who: usize,
        login: &Login,
        features: &Tree,
    ) -> Result<Credentials, Failure> {
        let mechanism = self.mechanism(login, features)?;
        let text = |template: &Option<Template>, default: &str| match template {
            Some(template) => template.expand(&self.variables, false),
            None => Ok(default.to_owned()),
        };
        let actor = &self.actors[who];
        let kind = match &login.binding {
            Some(kind) => Some(kind.as_str()),
            None if mechanism.ends_with("-EXPR") => Some("tls-exporter"),
            None if mechanism.ends_with("-ENDP") => Some("tls-server-end-point"),
            None if mechanism.ends_with("-PLUS") => Some("tls-exporter"),
            None => None,
        };
        let binding = match (kind, &actor.connection) {
            (Some(kind), Some(connection)) => {
                let data = connection.channel_binding(kind).unwrap_or_default();
                Some((kind.to_owned(), data))
            }
            _ => None,
        };
        Ok(Credentials {
            user: text(&login.user, &actor.user)?,
            authzid: text(&login.authzid, "")?,
            password: text(&login.password, &actor.password)?,
            binding,
            offer: login.checks_offer.then(|| Offer {
                mechanisms: offered(login, features),
                bindings: features.child("sasl-channel-binding", CHANNEL_BINDING).map(|list| {
                    list.children().filter_map(|c| c.attr("type")).map(str::to_owned).collect()
                }),
            }),
            nonce: format!("{:p}{:?}", actor, std::time::Instant::now())
                .replace(|c: char| !c.is_ascii_alphanumeric(), ""),
            mechanism,
        })
    }

    /// The mechanism asked for, or a common one the server offers.
    fn mechanism(&self, login: &Login, features: &Tree) -> Result<String, Failure> {
        if let Some(mechanism) = &login.mechanism {
            return Ok(mechanism.clone());
        }
        let offered = offered(login, features);
        ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]
            .into_iter()
            .find(|known| offered.iter().any(|name| name == known))
            .map(str::to_owned)
            .ok_or_else(|| Failure::new(format!("no known mechanism is offered: {offered:?}")))
    }

    pub(super) async fn bind(&mut self, who: usize, resource: Option<&str>) -> Outcome {
        let resource = resource
            .map_or(String::new(), |name| format!("<resource>{}</resource>", escape(name)));
        let request = format!("<iq type='set' id='bind'><bind xmlns='{BIND}'>{resource}</bind></iq>");
        self.send(who, &request).await?;
        let answer = self
            .wait(who, "an answer to binding", |actor| actor.queue(Class::Stanza).pop_front())
            .await?;
        let jid = answer.child("bind", BIND).and_then(|bind| bind.child("jid", BIND)).map(Tree::text);
        match jid {
            Some(jid) if answer.attr("type") == Some("result") => {
                self.variables.insert(self.name(who).to_owned(), jid);
                self.actors[who].bound = true;
                self.actors[who].unsettled = false;
                Ok(())
            }
            _ => Err(Failure::new(format!("no resource was bound:\n{}", answer.pretty()))),
        }
    }

    /// Sends initial presence and waits until the server shows it, RFC 6121 §4.2.2.
    pub(super) async fn become_available(&mut self, who: usize, presence: &str) -> Outcome {
        self.send(who, presence).await?;
        let own = self.variables.get(self.name(who)).cloned().unwrap_or_default();
        self.wait(who, "the client's own presence", |actor| {
            let presences = actor.queue(Class::Presence);
            let at = presences.iter().position(|presence| {
                presence.attr("from") == Some(&own) && presence.attr("type").is_none()
            })?;
            presences.remove(at).map(drop)
        })
        .await
    }

    /// Asks for the roster, which makes the client interested in pushes (RFC 6121 §2.2).
    pub(super) async fn load_roster(&mut self, who: usize) -> Outcome {
        let request = "<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>";
        self.send(who, request).await?;
        self.wait(who, "the roster", |actor| {
            let stanzas = actor.queue(Class::Stanza);
            let is_roster = |tree: &Tree| tree.attr("id") == Some("roster") && tree.name == "iq";
            let at = stanzas.iter().position(is_roster)?;
            stanzas.remove(at).map(drop)
        })
        .await
    }

    pub(super) async fn want_notifications(&mut self, who: usize, nodes: &[String]) -> Outcome {
        if self.server.target() == Target::Prosody {
            self.teach_caps(nodes).await?;
        }
        self.announce(who, nodes).await
    }

    async fn announce(&mut self, who: usize, nodes: &[String]) -> Outcome {
        let caps = Caps::new(nodes);
        let presence = caps.presence();
        self.actors[who].caps = Some(caps);
        self.become_available(who, &presence).await?;
        // The server may ask what the caps mean; the second round trip comes after the answer.
        for _ in 0..2 {
            self.actors[who].unsettled = true;
            self.settle(who).await?;
        }
        Ok(())
    }

    /// Lets prosody learn what the caps mean from somebody without contacts. When it learns it from
    /// a user who has contacts, it notifies that user twice until the next login.
    async fn teach_caps(&mut self, nodes: &[String]) -> Outcome {
        let (user, password) = (format!("herald-{}", unique_tag()), "the secret of herald");
        self.server.create_account(&user, password)?;
        let mut role = self.actors[0].role.clone();
        role.name = "Herald".into();
        role.resource = None;
        self.actors.push(Actor::new(role, user, password.into()));
        let herald = self.actors.len() - 1;
        let before = self.transcript.length();
        self.log_in(herald).await?;
        self.announce(herald, nodes).await?;
        self.disconnect(herald).await?;
        self.transcript.condense(before, "Herald", "explains the caps");
        self.actors.truncate(herald);
        Ok(())
    }

    pub(super) async fn enable_stream_management(&mut self, who: usize) -> Outcome {
        self.send_bytes(who, format!("<enable xmlns='{SM}' resume='true'/>").as_bytes()).await?;
        self.wait(who, "<enabled/>", |actor| take_named(actor.queue(Class::Stanza), "enabled")).await?;
        self.actors[who].unsettled = false;
        Ok(())
    }

    pub(super) async fn resume(&mut self, who: usize) -> Outcome {
        let handled = self.actors[who].sm.handled;
        let id = self.actors[who].sm.id.clone();
        let id = id.ok_or_else(|| Failure::new("there is no stream that could be resumed"))?;
        drop(self.actors[who].leave());
        self.authenticate(who, &Login::default(), None).await?;
        let text = format!("<resume xmlns='{SM}' previd='{}' h='{handled}'/>", escape(&id));
        self.send_bytes(who, text.as_bytes()).await?;
        let answer = self
            .wait(who, "<resumed/>", |actor| actor.queue(Class::Stanza).pop_front())
            .await?;
        if answer.name != "resumed" {
            return Err(Failure::new(format!("resumption is refused:\n{}", answer.pretty())));
        }
        Ok(())
    }

    pub(super) async fn disconnect(&mut self, who: usize) -> Outcome {
        self.settle(who).await?;
        let closing = self.closing_tag(who);
        self.send_bytes(who, closing.as_bytes()).await?;
        self.wait(who, "the end of the stream", |actor| {
            (actor.closed || actor.ended.is_some()).then_some(())
        })
        .await?;
        if let Some(mut connection) = self.actors[who].leave() {
            connection.close().await;
        }
        Ok(())
    }

    pub(super) fn closing_tag(&self, who: usize) -> String {
        let websocket = self.actors[who].connection.as_ref().is_some_and(Connection::is_websocket);
        if websocket { format!("<close xmlns='{FRAMING}'/>") } else { "</stream:stream>".into() }
    }
}

/// The mechanisms offered for the kind of login.
fn offered(login: &Login, features: &Tree) -> Vec<String> {
    let (list, ns) = if login.sasl2 { ("authentication", SASL2) } else { ("mechanisms", SASL) };
    let mechanisms = features.child(list, ns).into_iter().flat_map(Tree::children);
    mechanisms.filter(|child| child.name == "mechanism").map(Tree::text).collect()
}

fn take_named(queue: &mut std::collections::VecDeque<Tree>, name: &str) -> Option<Tree> {
    let at = queue.iter().position(|tree| tree.name == name)?;
    queue.remove(at)
}

/// RFC 6120 §6.4.2: an empty message is written `=`.
fn encode(data: &[u8]) -> String {
    if data.is_empty() { "=".into() } else { BASE64_STANDARD.encode(data) }
}

fn decode(text: &str) -> Result<Vec<u8>, Failure> {
    let text = text.trim();
    if text.is_empty() || text == "=" {
        return Ok(Vec::new());
    }
    BASE64_STANDARD
        .decode(text)
        .map_err(|error| Failure::new(format!("{text} is not base64: {error}")))
}
