//! Performing a play on a server.

use std::collections::BTreeMap;

use tokio::net::TcpListener;

use super::actor::Actor;
use super::report::{Failure, Outcome, Transcript};
use super::script::{Action, Deed, Operation, Play};
use super::template::Variables;
use super::{component, foreign};
use crate::client::http::Page;
use crate::target::{DOMAIN, Server};

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
    pub(super) page: Page,
    /// What visitors sent at the same moment and got for it.
    pub(super) pages: Vec<(String, Page)>,
    pub(super) pings: u32,
    /// Who did not receive what one of several did.
    pub(super) others: Vec<usize>,
    /// Where other servers of the cast are connected to, by domain.
    pub(super) listeners: BTreeMap<String, TcpListener>,
}

impl<'a> Stage<'a> {
    fn prepare(play: &Play, server: &'a Server) -> Result<Self, Failure> {
        let tag = unique_tag();
        let constants = [("host", DOMAIN), ("line break", "\n"), ("tab", "\t"), ("tag", &tag)];
        let mut variables: Variables =
            constants.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let mut accounts = BTreeMap::new();
        let mut actors = Vec::new();
        let mut listeners = BTreeMap::new();
        for role in &play.cast {
            if let Some(foreign) = &role.server {
                variables.insert(role.name.clone(), foreign.domain.clone());
                actors.push(foreign::enter(server, role, foreign, &mut listeners)?);
                continue;
            }
            if let Some(domain) = &role.component {
                variables.insert(role.name.clone(), domain.clone());
                actors.push(component::enter(role));
                continue;
            }
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
        let (transcript, page) = (Transcript::default(), Page::default());
        Ok(Stage {
            server,
            actors,
            variables,
            transcript,
            page,
            pages: Vec::new(),
            pings: 0,
            others: Vec::new(),
            listeners,
        })
    }

    async fn step(&mut self, action: &Action) -> Outcome {
        match action {
            Action::Client(who, deed) => {
                if !deed.only_watches() {
                    self.settle_others(*who).await?;
                }
                self.deed(*who, deed).await
            }
            Action::Together(together) => self.together(together).await,
            Action::Operator(operation) => {
                self.settle_others(usize::MAX).await?;
                self.operate(operation)
            }
            Action::Visit(visit) => self.visit(visit).await,
            Action::Page(check) => self.check_page(check),
        }
    }

    async fn deed(&mut self, who: usize, deed: &Deed) -> Outcome {
        match deed {
            Deed::Connect => {
                let before = self.transcript.length();
                self.log_in(who).await?;
                if self.actors[who].role.is_client() {
                    self.become_available(who, "<presence/>").await?;
                }
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
            Deed::MakeRoom(room, nick, fields) => self.make_room(who, room, nick, fields).await,
            Deed::JoinRoom(room, nick) => self.join_room(who, room, nick).await,
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
            Deed::Accept(what) => self.accept(who, what).await,
            _ => self.watch(who, deed).await,
        }
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
                self.page = Page { body: printed, ..Page::default() };
            }
        }
        Ok(())
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

/// Accounts of different plays on one server must not meet.
pub(super) fn unique_tag() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{:x}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
