//! How clients enter and leave the stage: connections, streams, resources, resumption.

use super::actor::{Class, SM};
use super::report::{Failure, Outcome};
use super::script::Login;
use super::stage::Stage;
use super::template::Template;
use super::{component, foreign};
use crate::client::Connection;
use crate::client::session::{FRAMING, bind_request, bound_jid, stream_header};
use crate::target::DOMAIN;
use crate::tree::{Tree, escape};

impl Stage<'_> {
    pub(super) async fn open_connection(&mut self, who: usize) -> Outcome {
        let via = self.actors[who].role.via;
        let role = &self.actors[who].role;
        let connection = match (&role.server, &role.component) {
            (Some(_), _) => self.call(who).await,
            (_, Some(_)) => Connection::tcp(self.server.components()).await,
            _ => self.server.endpoint().connect(via).await,
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
        let mut wanted = vec![("to", DOMAIN.to_owned()), ("version", "1.0".to_owned())];
        if self.actors[who].role.server.is_some() {
            wanted = self.server_header(who);
        }
        if let Some(domain) = &self.actors[who].role.component {
            wanted = vec![("to", domain.clone())];
        }
        for (name, value) in attributes {
            let value = value.expand(&self.variables, false)?;
            wanted.retain(|(known, _)| known != name);
            wanted.push((name, value));
        }
        let wanted: Vec<_> = wanted.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let Some(connection) = &self.actors[who].connection else { return Ok(()) };
        let role = &self.actors[who].role;
        let header = match (&role.server, &role.component) {
            (Some(_), _) => foreign::header(&wanted),
            (_, Some(_)) => component::header(&wanted),
            _ => stream_header(connection, &wanted),
        };
        self.actors[who].queue(Class::Stream).clear();
        self.actors[who].features = None;
        self.actors[who].stream_id = None;
        self.actors[who].stream_open = true;
        self.send_bytes(who, header.as_bytes()).await
    }

    /// Opens a stream and waits for its features, which stay to be looked at.
    pub(super) async fn open_stream(&mut self, who: usize) -> Result<Tree, Failure> {
        self.open_stream_with(who, &[]).await?;
        self.features(who).await
    }

    /// The features of the current stream, waiting for them if need be.
    pub(super) async fn features(&mut self, who: usize) -> Result<Tree, Failure> {
        self.wait(who, "stream features", |actor| actor.features.clone()).await
    }

    pub(super) async fn start_tls(&mut self, who: usize) -> Outcome {
        if self.actors[who].accepted {
            return self.let_tls_start(who).await;
        }
        self.send_bytes(who, b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await?;
        let answer = self
            .wait(who, "an answer to <starttls/>", |actor| actor.queue(Class::Stanza).pop_front())
            .await?;
        if answer.name != "proceed" {
            return Err(Failure::new(format!("TLS is refused:\n{}", answer.pretty())));
        }
        self.forget_stream(who);
        let trust = self.trust(who);
        if let Some(connection) = &mut self.actors[who].connection {
            connection.start_tls(&trust).await?;
        }
        Ok(())
    }

    /// Before TLS is there, nothing that was said counts (RFC 6120 §5.4.3.3).
    pub(super) fn forget_stream(&mut self, who: usize) {
        let actor = &mut self.actors[who];
        actor.queue(Class::Stream).clear();
        actor.features = None;
        actor.stream_open = false;
    }

    pub(super) async fn bind(&mut self, who: usize, resource: Option<&str>) -> Outcome {
        let Some(connection) = &self.actors[who].connection else {
            return Err(Failure::new(format!("{} is not connected", self.name(who))));
        };
        let request = bind_request(connection, resource);
        self.send_bytes(who, request.as_bytes()).await?;
        let answer = self
            .wait(who, "an answer to binding", |actor| actor.queue(Class::Stanza).pop_front())
            .await?;
        let jid = bound_jid(&answer)
            .ok_or_else(|| Failure::new(format!("no resource was bound:\n{}", answer.pretty())))?;
        self.variables.insert(self.name(who).to_owned(), jid);
        self.actors[who].bound = true;
        self.actors[who].unsettled = false;
        Ok(())
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

    pub(super) async fn enable_stream_management(&mut self, who: usize) -> Outcome {
        self.send_bytes(who, format!("<enable xmlns='{SM}' resume='true'/>").as_bytes()).await?;
        self.wait(who, "<enabled/>", |actor| take_named(actor.queue(Class::Stanza), "enabled"))
            .await?;
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
        let answer =
            self.wait(who, "<resumed/>", |actor| actor.queue(Class::Stanza).pop_front()).await?;
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

fn take_named(queue: &mut std::collections::VecDeque<Tree>, name: &str) -> Option<Tree> {
    let at = queue.iter().position(|tree| tree.name == name)?;
    queue.remove(at)
}
