//! The operations behind the commands. The same code runs in the server and in a command that
//! opened the database itself.

use std::{
    path::Path,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use store::{Millis, Store, maintenance::BackupError};

use super::{
    Backup, By, Fault, FaultCode, Live, Request, Response, Status,
    protocol::{Door, Token},
};
use crate::{
    config::{Config, Home},
    files,
};

/// Carries out what the operator asks for.
pub struct Operations {
    pub(super) store: Store,
    pub(super) home: Home,
    /// The configuration when no server runs.
    config: Arc<Config>,
    pub(super) live: Option<Arc<dyn Live>>,
    /// Held while the lists of domains are changed, from reading to putting them to use.
    pub(super) changing_domains: parking_lot::Mutex<()>,
    /// The same for notices.
    pub(super) changing_notices: tokio::sync::Mutex<()>,
}

impl Operations {
    /// Operations of a running server.
    pub fn live(store: Store, home: Home, live: Arc<dyn Live>) -> Operations {
        Operations::new(store, home, live.config(), Some(live))
    }

    /// Operations on the database of a server that is stopped.
    pub fn stopped(store: Store, home: Home, config: Config) -> Operations {
        Operations::new(store, home, Arc::new(config), None)
    }

    fn new(
        store: Store,
        home: Home,
        config: Arc<Config>,
        live: Option<Arc<dyn Live>>,
    ) -> Operations {
        let (changing_domains, changing_notices) = Default::default();
        Operations { store, home, config, live, changing_domains, changing_notices }
    }

    /// Does what is asked, and writes down what changes something; a refusal is an answer, too.
    pub async fn perform(&self, by: &By, request: Request) -> Response {
        let entry = self.audited(by, &request);
        let response = self.answer(request).await.unwrap_or_else(Response::Error);
        if let Some(entry) = entry {
            self.audit(entry, &response).await;
        }
        response
    }

    async fn answer(&self, request: Request) -> Result<Response, Fault> {
        match request {
            Request::AccountAdd { account, password, admin } => {
                self.account_add(&account, password, admin).await
            }
            Request::AccountList {} => self.account_list().await,
            Request::AccountShow { account } => self.account_show(&account).await,
            Request::AccountEnable { account, enabled } => {
                self.account_enable(&account, enabled).await
            }
            Request::AccountAdmin { account, admin } => self.account_admin(&account, admin).await,
            Request::AccountPassword { account, password } => {
                self.account_password(&account, password).await
            }
            Request::AccountResetLink { account } => self.account_reset_link(&account).await,
            Request::AccountClear { account } => self.account_clear(&account).await,
            Request::AccountRetention { account, days } => {
                self.account_retention(&account, days).await
            }
            Request::AccountDelete { account } => self.account_delete(&account).await,
            Request::AccountMove { account, to } => self.account_move(&account, to).await,
            Request::AccountExport { account, path } => self.account_export(&account, &path).await,
            Request::InviteNew(wish) => self.invite_new(wish).await,
            Request::InviteList { all } => self.invite_list(all).await,
            Request::InviteRevoke { id } => self.invite_revoke(id).await,
            Request::RequestList { all } => self.request_list(all).await,
            Request::RequestApprove { id } => self.request_approve(id).await,
            Request::RequestRefuse { id } => self.request_refuse(id).await,
            Request::SessionList { account } => self.session_list(account.as_deref()),
            Request::SessionKick { address } => self.session_kick(&address).await,
            Request::FederationList {} => self.federation_list().await,
            Request::FederationTry { domain } => self.federation_try(&domain).await,
            Request::FederationGiveBack { domain } => self.federation_give_back(&domain),
            Request::FederationEnd { domain } => self.federation_end(&domain),
            Request::TokenList { account } => self.token_list(account.as_deref()).await,
            Request::TokenRevoke { account, device } => self.token_revoke(&account, device).await,
            Request::UploadList { account } => self.upload_list(account.as_deref()).await,
            Request::UploadDelete { account, file } => self.upload_delete(&account, file).await,
            Request::RoomList {} => self.room_list().await,
            Request::RoomShow { room } => self.room_show(&room).await,
            Request::RoomMembers { room } => self.room_members(&room).await,
            Request::RoomCreate { room, owner, public, title } => {
                self.room_create(&room, &owner, public, title).await
            }
            Request::RoomSet { room, settings } => self.room_set(&room, &settings).await,
            Request::RoomAffiliation { room, who, affiliation, reason } => {
                self.room_affiliation(&room, &who, &affiliation, reason.as_deref()).await
            }
            Request::RoomRetention { room, days } => self.room_retention(&room, days).await,
            Request::RoomDestroy { room, reason } => self.room_destroy(&room, reason).await,
            Request::PushList { account } => self.push_list(account.as_deref()).await,
            Request::PushDelete { account } => self.push_delete(&account).await,
            Request::ReportList {} => self.report_list().await,
            Request::ReportDelete { id } => self.report_delete(&id).await,
            rest => self.about_the_server(rest).await,
        }
    }

    /// What is about the server as a whole.
    async fn about_the_server(&self, request: Request) -> Result<Response, Fault> {
        match request {
            Request::OutageAnnounce { text, after, seconds } => {
                self.outage_announce(text, after, seconds)
            }
            Request::OutageEnd {} => self.outage_end(),
            Request::OutageShow {} => self.outage_show(),
            Request::AuditList { before, most } => self.audit_list(before, most).await,
            Request::AuditVerify { known } => self.audit_verify(known.as_deref()).await,
            Request::NoticesShow {} => self.notices_show(),
            Request::NoticeNow { text } => self.notice_now(text),
            Request::NoticeDay { text, anew } => self.notice_day(text, anew).await,
            Request::NoticeWelcome { text } => self.notice_welcome(text).await,
            Request::DomainsShow {} => self.domains_show(),
            Request::DomainsSet { deny, allow } => self.domains_set(deny, allow),
            Request::DomainDeny { domain, listed } => self.domain_deny(&domain, listed),
            Request::DomainAllow { domain, listed } => self.domain_allow(&domain, listed),
            Request::Stop { restart, after, text } => self.stop(restart, after, text),
            Request::StopCancel { text } => self.stop_cancel(text),
            Request::Storage {} => self.storage().await.map(Response::Storage),
            Request::Privacy { account } => self.privacy(account.as_deref()).await,
            Request::AdminLink {} => self.admin_link(),
            Request::Backup { path } => self.backup(&path).await,
            Request::Reload {} => self.reload().await,
            Request::Metrics {} => Ok(Response::Metrics(self.running()?.metrics())),
            // The others have been dealt with.
            _ => self.status().await,
        }
    }

    pub(super) fn config(&self) -> Arc<Config> {
        self.live.as_ref().map_or_else(|| self.config.clone(), |live| live.config())
    }

    pub(super) fn running(&self) -> Result<&Arc<dyn Live>, Fault> {
        self.live.as_ref().ok_or_else(|| {
            Fault::new(
                FaultCode::NotRunning,
                format!(
                    "no server is running on {}; start it with: anemone serve --data {}",
                    self.home.path().display(),
                    self.home.path().display()
                ),
            )
        })
    }

    fn session_list(&self, account: Option<&str>) -> Result<Response, Fault> {
        let account = account.map(|account| self.name(account)).transpose()?;
        let mut sessions = self.running()?.sessions(account.as_deref());
        sessions.sort_by(|one, other| one.address.cmp(&other.address));
        Ok(Response::Sessions(sessions))
    }

    async fn session_kick(&self, address: &str) -> Result<Response, Fault> {
        let (bare, resource) = match address.split_once('/') {
            Some((bare, resource)) => (bare, Some(resource)),
            None => (address, None),
        };
        let name = self.name(bare)?;
        let ended = self.running()?.end_sessions(&name, resource, super::End::Kicked).await;
        match ended {
            0 => Err(Fault::new(FaultCode::NotFound, format!("{address} has no session"))),
            1 => Ok(Response::Done("1 session was ended.".to_owned())),
            many => Ok(Response::Done(format!("{many} sessions were ended."))),
        }
    }

    async fn token_list(&self, account: Option<&str>) -> Result<Response, Fault> {
        let account = match account {
            Some(account) => Some(self.account(account).await?.id),
            None => None,
        };
        let mut tokens = Vec::new();
        for token in self.store.tokens.list(account, MOST_ROWS).await? {
            tokens.push(Token {
                account: self.address_of(token.account).await?.unwrap_or_default(),
                device: token.client.into(),
                description: token.description.into(),
                mechanism: token.mechanism.into(),
                created: stamp(token.created_at),
                expires: stamp(token.expires_at),
                last_used: token.last_used.map(stamp),
            });
        }
        Ok(Response::Tokens(tokens))
    }

    async fn reload(&self) -> Result<Response, Fault> {
        let sentences = self.running()?.reload().await;
        sentences
            .map(Response::Reloaded)
            .map_err(|message| Fault::new(FaultCode::Configuration, message))
    }

    async fn token_revoke(&self, account: &str, device: Option<String>) -> Result<Response, Fault> {
        let account = self.account(account).await?;
        match self.store.tokens.revoke(account.id, device.as_deref()).await? {
            0 => Err(Fault::new(FaultCode::NotFound, "there was no such token")),
            1 => Ok(Response::Done("1 token was revoked.".to_owned())),
            many => Ok(Response::Done(format!("{many} tokens were revoked."))),
        }
    }

    async fn backup(&self, path: &Path) -> Result<Response, Fault> {
        let copied = self.store.maintenance.backup(path.to_owned(), Box::new(|_| ())).await;
        let copy = copied.map_err(|error| match error {
            BackupError::Exists(_) => Fault::new(FaultCode::Exists, error.to_string()),
            _ => Fault::new(FaultCode::Storage, error.to_string()),
        })?;
        Ok(Response::Backup(Backup {
            path: copy.path,
            bytes: copy.bytes,
            sha256: copy.sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            accounts: copy.accounts,
            messages: copy.messages,
        }))
    }

    async fn status(&self) -> Result<Response, Fault> {
        let sizes = self.store.maintenance.sizes().await?;
        let live = self.live.as_ref();
        let doors = live.map_or(Vec::new(), |live| live.listening());
        let expires = live.map(|live| live.certificate_expires());
        let left = expires.map(|at| at.duration_since(SystemTime::now()).unwrap_or_default());
        let (waiting, waiting_bytes) = self.waiting().await?;
        let order = live.and_then(|live| live.ordered());
        Ok(Response::Status(Box::new(Status {
            running: live.is_some(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            domain: self.config().domain.clone(),
            listening: doors
                .into_iter()
                .map(|(service, address)| Door { service, address })
                .collect(),
            accounts: sizes.accounts,
            sessions: live.map_or(0, |live| live.sessions(None).len() as u64),
            database_bytes: sizes.database + sizes.log,
            storing: !self.store.maintenance.health().is_degraded(),
            calls: live.map_or(Vec::new(), |live| live.calls()),
            relay: live.map(|live| live.relay()),
            certificate_expires: expires.map(|at| stamp(millis(at))),
            certificate_days: left.map(|left| left.as_secs() / (24 * 60 * 60)),
            waiting,
            waiting_bytes,
            disk_free_bytes: files::free(self.home.path()).await.ok(),
            damaged: self.store.maintenance.health().is_damaged(),
            clock: live.and_then(|live| live.clock()),
            ordered: order.map(|order| order.name().to_owned()),
            ordered_seconds: order.map(|order| order.left().as_secs()),
        })))
    }

    /// Stanzas that wait for other servers, and their bytes.
    async fn waiting(&self) -> Result<(u64, u64), Fault> {
        if let Some(live) = &self.live {
            let held = live.waiting();
            return Ok((held.stanzas, held.bytes));
        }
        let stored = self.store.outbox.waiting().await?;
        let sum = |what: fn(&store::outbox::Waiting) -> u64| stored.iter().map(what).sum::<u64>();
        Ok((sum(|one| one.count), sum(|one| one.bytes)))
    }
}

/// The wall clock.
pub(crate) fn now() -> Millis {
    millis(SystemTime::now())
}

fn millis(time: SystemTime) -> Millis {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A time in whole seconds, as XEP-0082 writes it.
pub(super) fn stamp(time: Millis) -> String {
    xmpp::time::Millis::from_secs(time.0 / 1000).xep0082()
}

/// The day of a time, as XEP-0082 writes it.
pub(super) fn day(time: Millis) -> String {
    stamp(time).split('T').next().unwrap_or_default().to_owned()
}

/// Lists are cut here; a private server is far below it.
pub(super) const MOST_ROWS: u32 = 100_000;
