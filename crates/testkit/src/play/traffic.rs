//! What goes over the wires, and waiting for it.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use super::actor::{Actor, Class, SM};
use super::report::{Failure, Outcome};
use super::stage::Stage;
use super::{component, foreign};
use crate::client::{Incoming, PATIENCE};
use crate::target::{DOMAIN, Target};

impl Stage<'_> {
    /// Sends XML; stanzas inside a WebSocket get the namespace that RFC 7395 §3.3.3 asks for.
    pub(super) async fn send(&mut self, who: usize, text: &str) -> Outcome {
        let websocket = self.actors[who].connection.as_ref().is_some_and(|c| c.is_websocket());
        if !websocket {
            return self.send_bytes(who, text.as_bytes()).await;
        }
        for name in ["message", "presence", "iq"] {
            if let Some(rest) = text.strip_prefix('<').and_then(|rest| rest.strip_prefix(name)) {
                let text = format!("<{name} xmlns='jabber:client'{rest}");
                return self.send_bytes(who, text.as_bytes()).await;
            }
        }
        self.send_bytes(who, text.as_bytes()).await
    }

    /// Sends what may be half a stanza, after which no question can be asked.
    pub(super) async fn send_piece(&mut self, who: usize, bytes: &[u8]) -> Outcome {
        self.send_bytes(who, bytes).await?;
        self.actors[who].mid_stanza = true;
        Ok(())
    }

    pub(super) async fn send_bytes(&mut self, who: usize, bytes: &[u8]) -> Outcome {
        let name = self.name(who).to_owned();
        self.transcript.sent(&name, &String::from_utf8_lossy(bytes));
        self.actors[who].unsettled = true;
        self.actors[who].mid_stanza = false;
        // A connection the server is closing may not take everything; what it said last matters.
        if let Err(error) = self.actors[who].write(bytes).await
            && self.actors[who].connection.is_none()
        {
            return Err(Failure::new(format!("{name} is not connected: {error}")));
        }
        Ok(())
    }

    pub(super) async fn settle_all(&mut self) -> Outcome {
        self.settle_others(usize::MAX).await?;
        for who in 0..self.actors.len() {
            self.actors[who].unsettled = true;
            self.settle(who).await?;
        }
        Ok(())
    }

    /// Makes sure the server has dealt with what the others sent before somebody else acts.
    pub(super) async fn settle_others(&mut self, who: usize) -> Outcome {
        for other in 0..self.actors.len() {
            if other != who {
                self.settle(other).await?;
            }
        }
        Ok(())
    }

    /// Asks the server something it has to answer, after whatever was sent before (RFC 6120 §10.1).
    pub(super) async fn settle(&mut self, who: usize) -> Outcome {
        self.pump_ready().await?;
        if !self.actors[who].unsettled || !self.actors[who].is_online() {
            return Ok(());
        }
        self.actors[who].unsettled = false;
        // Prosody answers nothing on a stream that it has opened.
        if self.actors[who].accepted && self.server.target() == Target::Prosody {
            return Ok(());
        }
        if self.actors[who].sm.active {
            let before = self.actors[who].queue(Class::Ack).len();
            self.actors[who].write(format!("<r xmlns='{SM}'/>").as_bytes()).await?;
            return self
                .wait(who, "<a/>", |actor| {
                    let acks = actor.queue(Class::Ack);
                    let at = (before..acks.len()).find(|at| acks[*at].name == "a")?;
                    acks.remove(at).map(drop)
                })
                .await;
        }
        self.pings += 1;
        let id = format!("settle-{}", self.pings);
        let role = &self.actors[who].role;
        let question = match (&role.server, &role.component) {
            (Some(server), _) => foreign::question(server, &id),
            (_, Some(domain)) => component::question(domain, &id),
            _ => format!(
                "<iq xmlns='jabber:client' type='get' id='{id}' to='{DOMAIN}'>\
                 <ping xmlns='urn:xmpp:ping'/></iq>"
            ),
        };
        self.actors[who].write(question.as_bytes()).await?;
        self.wait(who, "an answer to a ping", |actor| {
            if actor.ended.is_some() {
                return Some(());
            }
            let stanzas = actor.queue(Class::Stanza);
            let at = stanzas.iter().position(|stanza| stanza.attr("id") == Some(&id))?;
            stanzas.remove(at).map(drop)
        })
        .await
    }

    /// Waits until `check` finds what it looks for, while all clients keep reading.
    pub(super) async fn wait<T>(
        &mut self,
        who: usize,
        wanted: &str,
        mut check: impl FnMut(&mut Actor) -> Option<T>,
    ) -> Result<T, Failure> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            self.answer().await?;
            if let Some(found) = check(&mut self.actors[who]) {
                return Ok(found);
            }
            let actor = &self.actors[who];
            let name = &actor.role.name;
            match (&actor.connection, &actor.ended) {
                (None, _) => {
                    return Err(Failure::new(format!(
                        "{name} is not connected, expected {wanted}"
                    )));
                }
                (_, Some(why)) => {
                    return Err(Failure::new(format!("expected {wanted}, but {why}")));
                }
                _ => {}
            }
            let patience = deadline.saturating_duration_since(tokio::time::Instant::now());
            if !self.pump(patience).await {
                let name = self.name(who).to_owned();
                return Err(Failure::new(format!("{name} waited in vain for {wanted}")));
            }
        }
    }

    /// Takes what has arrived already, without waiting.
    async fn pump_ready(&mut self) -> Outcome {
        while self.pump(Duration::ZERO).await {
            self.answer().await?;
        }
        Ok(())
    }

    /// Reads from whichever client has something; false if none has in time.
    async fn pump(&mut self, patience: Duration) -> bool {
        let connections = self.actors.iter_mut().filter_map(|actor| actor.connection.as_mut());
        let mut fills: Vec<_> = connections.map(|connection| Box::pin(connection.fill())).collect();
        let any = poll_fn(|context| {
            let ready = fills.iter_mut().any(|fill| fill.as_mut().poll(context).is_ready());
            if ready { Poll::Ready(()) } else { Poll::Pending }
        });
        tokio::time::timeout(patience, any).await.is_ok()
    }

    /// Sorts what arrived and sends the answers that clients give by themselves.
    async fn answer(&mut self) -> Outcome {
        for actor in &mut self.actors {
            for (incoming, answer) in actor.sort_incoming() {
                let text = match &incoming {
                    Incoming::Header(tree) | Incoming::Element(tree) => tree.pretty(),
                    Incoming::Declaration => continue,
                    Incoming::Close => "the stream is closed".into(),
                    Incoming::End(why) => why.clone(),
                };
                if !text.contains("\"settle-") {
                    self.transcript.received(&actor.role.name, &text);
                }
                if let Some(answer) = answer {
                    self.transcript.sent(&actor.role.name, &answer);
                    let _ = actor.write(answer.as_bytes()).await;
                }
            }
        }
        Ok(())
    }
}
