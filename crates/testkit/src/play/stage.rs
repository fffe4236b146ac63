//! Performing a play on a server.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use super::actor::{Actor, Class, SM};
use super::matching;
use super::pattern::Pattern;
use super::report::{Failure, Transcript};
use super::script::{Action, Deed, Operation, PageCheck, Play};
use super::template::{Template, Variables};
use crate::client::http::{self, Page};
use crate::client::{Incoming, PATIENCE};
use crate::target::{DOMAIN, Server};
use crate::tree::{Found, Framing, Reader, Tree};

type Outcome = Result<(), Failure>;

/// Performs a play; the accounts it needs are made first.
///
/// # Errors
/// A report for people when something did not go as written.
pub async fn perform(play: &Play, server: &Server) -> Result<(), String> {
    let mut stage = Stage::prepare(play, server).map_err(|failure| failure.what)?;
    if let Err(failure) = stage.befriend(&play.contacts).await {
        return Err(stage.transcript.report(play, None, &failure));
    }
    for step in &play.steps {
        if let Err(failure) = stage.step(&step.action).await {
            return Err(stage.transcript.report(play, Some(step), &failure));
        }
    }
    match stage.end().await {
        Ok(()) => Ok(()),
        Err(failure) => Err(stage.transcript.report(play, None, &failure)),
    }
}

pub(super) struct Stage<'a> {
    pub(super) server: &'a Server,
    pub(super) actors: Vec<Actor>,
    pub(super) variables: Variables,
    pub(super) transcript: Transcript,
    page: Page,
    pings: u32,
}

impl<'a> Stage<'a> {
    fn prepare(play: &Play, server: &'a Server) -> Result<Self, Failure> {
        let tag = unique_tag();
        let constants = [("host", DOMAIN), ("line break", "\n"), ("tab", "\t"), ("tag", &tag)];
        let mut variables: Variables =
            constants.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let mut accounts = BTreeMap::new();
        let mut actors = Vec::new();
        for role in &play.cast {
            let user = format!("{}-{tag}", role.account);
            let password = format!("the secret of {}", role.account);
            if role.registered && accounts.insert(user.clone(), ()).is_none() {
                server.create_account(&user, &password)?;
            }
            let bare = format!("{user}@{DOMAIN}");
            if let Some(resource) = &role.resource {
                variables.insert(role.name.clone(), format!("{bare}/{resource}"));
            }
            variables.insert(role.account.clone(), bare);
            variables.insert(format!("{}'s name", role.account), user.clone());
            variables.insert(format!("{}'s password", role.account), password.clone());
            actors.push(Actor::new(role.clone(), user, password));
        }
        let transcript = Transcript::default();
        Ok(Stage { server, actors, variables, transcript, page: Page::default(), pings: 0 })
    }

    async fn step(&mut self, action: &Action) -> Outcome {
        match action {
            Action::Client(who, deed) => {
                if !deed.only_watches() {
                    self.settle_others(*who).await?;
                }
                self.deed(*who, deed).await
            }
            Action::Operator(operation) => {
                self.settle_others(usize::MAX).await?;
                self.operate(operation)
            }
            Action::Visit(path) => {
                let path = path.expand(&self.variables, false)?;
                self.page = http::open(self.server.https(), self.server.trust(), &path).await?;
                self.transcript.note(format!("{path}: {:?}", self.page));
                Ok(())
            }
            Action::Page(check) => self.check_page(check),
        }
    }

    async fn deed(&mut self, who: usize, deed: &Deed) -> Outcome {
        match deed {
            Deed::Connect => {
                let before = self.transcript.length();
                self.log_in(who).await?;
                self.become_available(who, "<presence/>").await?;
                let name = self.name(who).to_owned();
                self.transcript.condense(before, &name, "connects");
                Ok(())
            }
            Deed::LogIn => {
                let before = self.transcript.length();
                self.log_in(who).await?;
                let name = self.name(who).to_owned();
                self.transcript.condense(before, &name, "logs in");
                Ok(())
            }
            Deed::OpenConnection => self.open_connection(who).await,
            Deed::OpenStream(attributes) => self.open_stream_with(who, attributes).await,
            Deed::StartTls => self.start_tls(who).await,
            Deed::Authenticate(login, block) => self.authenticate(who, login, block.as_ref()).await,
            Deed::TryToAuthenticate(login, block) => {
                self.try_to_authenticate(who, login, block.as_ref()).await
            }
            Deed::Bind(resource) => {
                let resource = match resource {
                    Some(resource) => Some(resource.expand(&self.variables, false)?),
                    None => self.actors[who].role.resource.clone(),
                };
                self.bind(who, resource.as_deref()).await
            }
            Deed::BecomeAvailable => self.become_available(who, "<presence/>").await,
            Deed::LoadRoster => self.load_roster(who).await,
            Deed::WantNotifications(nodes) => self.want_notifications(who, nodes).await,
            Deed::Send(template) => {
                let text = template.expand(&self.variables, true)?;
                self.send(who, &text).await
            }
            Deed::SendRaw(template) => {
                let text = template.expand(&self.variables, false)?;
                self.send_piece(who, text.as_bytes()).await
            }
            Deed::SendBytes(bytes) => self.send_piece(who, bytes).await,
            Deed::Acknowledge => {
                let text = self.actors[who].acknowledgement();
                self.send_bytes(who, text.as_bytes()).await
            }
            Deed::StopAcknowledging => {
                self.actors[who].sm.silent = true;
                Ok(())
            }
            Deed::EnableStreamManagement => self.enable_stream_management(who).await,
            Deed::Resume => self.resume(who).await,
            Deed::Disconnect => self.disconnect(who).await,
            Deed::LoseConnection => {
                self.settle(who).await?;
                drop(self.actors[who].leave());
                let name = self.name(who).to_owned();
                self.transcript.note(format!("{name} loses the connection"));
                Ok(())
            }
            _ => self.watch(who, deed).await,
        }
    }

    /// Deeds that only look at what the server does.
    async fn watch(&mut self, who: usize, deed: &Deed) -> Outcome {
        match deed {
            Deed::Receive(patterns) => {
                for pattern in patterns {
                    self.receive(who, pattern).await?;
                }
                Ok(())
            }
            Deed::ReceiveAnyOrder(patterns) => self.receive_any_order(who, patterns).await,
            Deed::ReceiveNone(patterns) => self.receive_none(who, patterns).await,
            Deed::ReceiveNothing => self.receive_nothing(who, Class::Stanza).await,
            Deed::ReceiveNoPresence => self.receive_nothing(who, Class::Presence).await,
            Deed::ReceiveDeclaration => {
                self.wait(who, "an XML declaration", |actor| actor.declared.then_some(())).await
            }
            Deed::IgnoreReceived => {
                self.settle_all().await?;
                for class in [Class::Stanza, Class::Presence, Class::Ack] {
                    self.actors[who].queue(class).clear();
                }
                Ok(())
            }
            Deed::StreamClosed => {
                self.wait(who, "the end of the stream", |actor| actor.closed.then_some(())).await?;
                self.nothing_left(who, Class::Stanza)?;
                let closing = self.closing_tag(who);
                // The server need not wait for the answer (RFC 6120 §4.4), so it may be gone.
                let _ = self.actors[who].write(closing.as_bytes()).await;
                self.wait_for_end(who).await
            }
            Deed::Disconnected => self.wait_for_end(who).await,
            other => unreachable!("{other:?} is not watching"),
        }
    }

    async fn wait_for_end(&mut self, who: usize) -> Outcome {
        self.wait(who, "the end of the connection", |actor| actor.ended.clone().map(drop)).await?;
        self.actors[who].leave();
        Ok(())
    }

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
    async fn send_piece(&mut self, who: usize, bytes: &[u8]) -> Outcome {
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

    async fn receive(&mut self, who: usize, pattern: &Pattern) -> Outcome {
        let class = Class::of(&pattern.name, &pattern.ns);
        let wanted = describe(pattern);
        loop {
            let tree =
                self.wait(who, &wanted, |actor| actor.queue(class).pop_front()).await?;
            // A header may be passed over by a play that only asks for the features.
            if class == Class::Stream && pattern.name == "features" && tree.name != "features" {
                continue;
            }
            return matching::compare(pattern, &tree, &mut self.variables).map_err(|why| {
                Failure::new(format!("{why}\nreceived:\n{}", indent(&tree.pretty())))
            });
        }
    }

    async fn receive_any_order(&mut self, who: usize, patterns: &[Pattern]) -> Outcome {
        let mut trees = Vec::new();
        for pattern in patterns {
            let class = Class::of(&pattern.name, &pattern.ns);
            let wanted = format!("{} of {} elements", trees.len() + 1, patterns.len());
            trees.push(self.wait(who, &wanted, |actor| actor.queue(class).pop_front()).await?);
        }
        matching::compare_any_order(patterns, &trees, &mut self.variables).map_err(|why| {
            let received: String = trees.iter().map(Tree::pretty).collect();
            Failure::new(format!("{why}\nreceived:\n{}", indent(&received)))
        })
    }

    async fn receive_nothing(&mut self, who: usize, class: Class) -> Outcome {
        self.settle_for(who).await?;
        self.nothing_left(who, class)
    }

    async fn receive_none(&mut self, who: usize, patterns: &[Pattern]) -> Outcome {
        self.settle_for(who).await?;
        for pattern in patterns {
            let class = Class::of(&pattern.name, &pattern.ns);
            let mut variables = self.variables.clone();
            let queue = self.actors[who].queue(class).iter();
            let mut found = queue
                .filter(|tree| matching::compare(pattern, tree, &mut variables).is_ok())
                .map(Tree::pretty);
            if let Some(found) = found.next() {
                return Err(Failure::new(format!("it did come:\n{}", indent(&found))));
            }
        }
        Ok(())
    }

    /// Makes sure that whatever could have come to a client has come.
    async fn settle_for(&mut self, who: usize) -> Outcome {
        if !self.actors[who].is_online() {
            return Err(Failure::new("has no session through which the server could be asked"));
        }
        self.settle_others(who).await?;
        self.actors[who].unsettled = true;
        self.settle(who).await
    }

    fn nothing_left(&mut self, who: usize, class: Class) -> Outcome {
        let left: String = self.actors[who].queue(class).iter().map(Tree::pretty).collect();
        if left.is_empty() {
            return Ok(());
        }
        let name = self.name(who);
        Err(Failure::new(format!("{name} received what the play does not tell:\n{}", indent(&left))))
    }

    /// After the last step: nothing may have come that the play does not tell.
    async fn end(&mut self) -> Outcome {
        self.settle_all().await?;
        for who in 0..self.actors.len() {
            if self.actors[who].connection.is_some() {
                self.nothing_left(who, Class::Stanza)?;
            }
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
    async fn settle_others(&mut self, who: usize) -> Outcome {
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
        let ping = format!(
            "<iq xmlns='jabber:client' type='get' id='{id}' to='{DOMAIN}'>\
             <ping xmlns='urn:xmpp:ping'/></iq>"
        );
        self.actors[who].write(ping.as_bytes()).await?;
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
                    return Err(Failure::new(format!("{name} is not connected, expected {wanted}")));
                }
                (_, Some(why)) => return Err(Failure::new(format!("expected {wanted}, but {why}"))),
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

    pub(super) fn name(&self, who: usize) -> &str {
        &self.actors[who].role.name
    }

    fn operate(&mut self, operation: &Operation) -> Outcome {
        match operation {
            Operation::Restart => self.server.restart()?,
            Operation::Kill => self.server.kill()?,
            Operation::Invite(name) => {
                let token = self.server.invite()?;
                self.variables.insert(name.clone(), token);
            }
            Operation::Run(arguments) => {
                let arguments = arguments.expand(&self.variables, false)?;
                let printed = self.server.run(&arguments)?;
                self.transcript.note(format!("{arguments}: {printed}"));
            }
        }
        Ok(())
    }

    fn check_page(&mut self, check: &PageCheck) -> Outcome {
        let page = &self.page;
        let text = |template: &Template| template.expand(&self.variables, false);
        match check {
            PageCheck::Status(status) if page.status == *status => Ok(()),
            PageCheck::Status(_) => Err(Failure::new(format!("the status is {}", page.status))),
            PageCheck::Header(name, value) => match page.headers.get(name) {
                Some(found) => Ok(value.compare(found, &mut self.variables)?),
                None => Err(Failure::new(format!("there is no {name}: {:?}", page.headers))),
            },
            PageCheck::Contains(wanted) if page.body.contains(&text(wanted)?) => Ok(()),
            PageCheck::Contains(_) => Err(Failure::new(format!("the page is:\n{}", page.body))),
            PageCheck::ContainsNot(wanted) if !page.body.contains(&text(wanted)?) => Ok(()),
            PageCheck::ContainsNot(_) => Err(Failure::new(format!("the page is:\n{}", page.body))),
            PageCheck::Reads(pattern) => {
                let mut reader = Reader::new(Framing::Documents);
                reader.push(page.body.as_bytes());
                let tree = loop {
                    match reader.next()? {
                        Some(Found::Element(tree)) => break tree,
                        Some(_) => {}
                        None => return Err(Failure::new("the page is not a whole XML document")),
                    }
                };
                Ok(matching::compare(pattern, &tree, &mut self.variables)?)
            }
        }
    }
}

impl Deed {
    /// True if the deed sends nothing, so that the others need not be waited for.
    fn only_watches(&self) -> bool {
        matches!(
            self,
            Deed::Receive(_)
                | Deed::ReceiveAnyOrder(_)
                | Deed::ReceiveDeclaration
                | Deed::StreamClosed
                | Deed::Disconnected
                | Deed::StopAcknowledging
        )
    }
}

fn describe(pattern: &Pattern) -> String {
    let mut text = format!("<{}", pattern.name);
    for (name, value) in &pattern.attributes {
        text.push_str(&format!(" {name}=\"{}\"", value.shown(&Variables::new())));
    }
    text.push('>');
    text
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// Accounts of different plays on one server must not meet.
pub(super) fn unique_tag() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{:x}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
