//! The running server, as the operator's commands see it.

use std::{net::SocketAddr, sync::Arc, time::SystemTime};

use xmpp::{
    error::{Condition, StreamCondition, StreamError},
    ext::muc::Affiliation,
    jid::BareJid,
};

use tokio::sync::watch;

use super::{
    End, FaultCode, Live, Order, Pending, Push, RemoteDomain, RoomSettings, Session, push,
};
use crate::{
    account::Account,
    auth::removal,
    config::{Config, Domains, Home, Service},
    ext::{
        administration, moved,
        muc::operator::{self, ChangeError},
        notices::{self, Notices},
    },
    http::{self, admin},
    invitation,
    log::LogControl,
    s2s::{
        holding::Held,
        operate::{self, Tried as Attempt},
        status,
        verify::Trust,
    },
    server::Server,
    session::{self, life},
    turn::{self, check::Tried},
};

/// A running server with what it was started from.
pub struct Running {
    /// The server.
    pub server: Arc<Server>,
    /// Its data directory.
    pub home: Home,
    /// Its log.
    pub log: LogControl,
    /// When it is to go down.
    pub orders: watch::Sender<Option<Order>>,
}

impl Running {
    /// Reads configuration and certificate again. What cannot change while the server runs
    /// ([`Config::hold`]) stays as it is until the next start. Nothing changes when anything is wrong.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn reload(&self) -> Result<Vec<String>, String> {
        let old = self.server.config();
        let mut new = Config::load(&self.home).map_err(|error| error.to_string())?;
        if new.domain != old.domain {
            return Err(format!(
                "the file says domain = \"{}\" and the server runs for {}: the domain cannot \
                 change",
                new.domain, old.domain
            ));
        }
        // Whatever can be wrong is found out before anything changes.
        let trust = Trust::load(&new, &self.home)?;
        LogControl::verify(&new.log)?;
        self.server.tls.reload(&new, SystemTime::now()).map_err(|error| error.to_string())?;
        *self.server.s2s.trust.write() = Arc::new(trust);
        self.log.apply(&new.log)?;
        let mut later = new.hold(&old);
        // Because of what is not among that.
        if new.listeners() != old.listeners() {
            later.push("which addresses are open");
        }
        let mut sentences = vec!["Configuration and certificate were read again.".to_owned()];
        if !later.is_empty() {
            sentences.push(format!("These change at the next start: {}.", later.join(", ")));
        }
        self.server.logins.set_enabled(new.limits.throttle);
        self.server.budgets.bound(&new);
        let (clients, others) = (&new.limits, &new.federation);
        self.server.paces.set_rates(clients.stanzas_per_second, clients.bytes_per_second);
        self.server.s2s.paces.set_rates(others.stanzas_per_second, others.bytes_per_second);
        self.server.account_requests.set_limit(new.front_door.requests_per_network);
        let posts = new.unified_push.messages_per_minute;
        self.server.endpoint_posts.set_limit(posts);
        self.server.network_posts.set_limit(posts * http::unified_push::ADDRESSES);
        self.server.set_config(new);
        Ok(sentences)
    }

    fn accounts(&self, name: Option<&str>) -> Vec<Arc<Account>> {
        match name {
            Some(name) => self.server.accounts.loaded(name).into_iter().collect(),
            None => self.server.accounts.all(),
        }
    }
}

impl Live for Running {
    fn config(&self) -> Arc<Config> {
        self.server.config()
    }

    fn listening(&self) -> Vec<(Service, SocketAddr)> {
        self.server.ports()
    }

    fn calls(&self) -> Vec<String> {
        crate::turn::services(&self.server)
            .iter()
            .map(crate::ext::calls::Service::address)
            .collect()
    }

    fn certificate_expires(&self) -> SystemTime {
        self.server.tls.current().facts.not_after
    }

    fn relay(&self) -> String {
        if !self.server.config().turn.enabled {
            return "off".to_owned();
        }
        match self.server.turn.tried() {
            _ if turn::services(&self.server).is_empty() => "absent".to_owned(),
            Tried::Never => "untried".to_owned(),
            Tried::Works => "works".to_owned(),
            Tried::Fails(_, why) => why,
        }
    }

    fn clock(&self) -> Option<String> {
        self.server.calendar.problem()
    }

    fn waiting(&self) -> Held {
        self.server.s2s.holding.held()
    }

    fn sessions(&self, account: Option<&str>) -> Vec<Session> {
        let accounts = self.accounts(account);
        accounts.iter().flat_map(|account| sessions(account)).map(|one| describe(&one)).collect()
    }

    fn end_sessions<'a>(
        &'a self,
        account: &'a str,
        resource: Option<&'a str>,
        why: End,
    ) -> Pending<'a, usize> {
        Box::pin(async move {
            let mut ended = 0;
            let is_out = matches!(why, End::Disabled);
            let address = self.server.address(account).ok().filter(|_| is_out);
            let dismiss = || {
                if let Some(address) = &address {
                    turn::dismiss(&self.server, address.as_str());
                }
            };
            dismiss();
            for account in self.accounts(Some(account)) {
                for session in sessions(&account) {
                    if resource.is_none_or(|resource| resource == session.resource()) {
                        session.close(StreamError::new(condition(why)));
                        life::end(&self.server, &session).await;
                        ended += 1;
                    }
                }
            }
            // One of these sessions may have asked for credentials meanwhile.
            dismiss();
            ended
        })
    }

    fn delete<'a>(&'a self, account: &'a str) -> Pending<'a, ()> {
        Box::pin(async move {
            let Ok(address) = self.server.address(account) else { return };
            match self.server.account(&address.into()).await {
                Ok(Some(account)) => removal::delete(&self.server, &account, None).await,
                Ok(None) => {}
                Err(error) => {
                    self.server.store_failed("deleting an account", &error);
                }
            }
        })
    }

    fn admin_link(&self) -> Option<String> {
        let secret = self.server.admin_sessions.link(std::time::Instant::now())?;
        let origin = invitation::origin(&self.server.config(), &self.server.ports());
        Some(format!("{origin}{}/link/{secret}", admin::PATH))
    }

    fn closed<'a>(&'a self, account: &'a str) -> Pending<'a, Result<(), store::StoreError>> {
        Box::pin(async move {
            match self.server.accounts.loaded(account) {
                Some(account) => moved::changed(&self.server, &account).await,
                // Whoever loads it looks.
                None => Ok(()),
            }
        })
    }

    fn moved<'a>(
        &'a self,
        account: &'a str,
        to: Option<&'a BareJid>,
    ) -> Pending<'a, Result<(), store::StoreError>> {
        Box::pin(async move {
            let failed = || store::StoreError::Internal("the statement was not kept".to_owned());
            let address = self.server.address(account).map_err(|_| failed())?;
            let Some(account) = self.server.account(&address.into()).await? else {
                return Err(failed());
            };
            moved::state(&self.server, &account, to).await.map_err(|_| failed())?;
            moved::changed(&self.server, &account).await
        })
    }

    fn reload(&self) -> Pending<'_, Result<Vec<String>, String>> {
        Box::pin(async move { Running::reload(self) })
    }

    fn federation(&self) -> Pending<'_, Result<Vec<RemoteDomain>, store::StoreError>> {
        Box::pin(status::list(&self.server))
    }

    fn try_domain<'a>(&'a self, domain: &'a str) -> Pending<'a, Result<String, String>> {
        Box::pin(async move {
            match operate::attempt(&self.server, domain).await {
                Attempt::Connected(known_by) => {
                    Ok(format!("{domain} is connected, and known by its {known_by}."))
                }
                Attempt::Pending => Ok(format!(
                    "Nothing has come of it yet; the list of other servers will tell what becomes of {domain}."
                )),
                Attempt::Failed(reason) => Err(reason),
            }
        })
    }

    fn give_back(&self, domain: &str) -> Option<u64> {
        operate::give_back(&self.server, domain)
    }

    fn end_streams(&self, domain: &str) -> usize {
        operate::end_streams(&self.server, domain)
    }

    fn create_room<'a>(
        &'a self,
        name: &'a str,
        owner: &'a str,
        public: bool,
        title: Option<String>,
    ) -> Pending<'a, Result<(), (FaultCode, String)>> {
        Box::pin(async move {
            let Ok(owner) = self.server.address(owner) else {
                return Err((FaultCode::Invalid, format!("{owner} is not a name")));
            };
            let made = operator::create(&self.server, name, &owner, public, title).await;
            made.map_err(|error| match error.condition {
                Condition::Conflict => {
                    (FaultCode::Exists, format!("there is a room {name} already"))
                }
                _ => (FaultCode::Storage, "the room could not be made; see the log".to_owned()),
            })
        })
    }

    fn destroy_room<'a>(
        &'a self,
        name: &'a str,
        reason: Option<&'a str>,
    ) -> Pending<'a, Result<bool, store::StoreError>> {
        Box::pin(operator::destroy(&self.server, name, reason))
    }

    fn affiliate<'a>(
        &'a self,
        room: &'a str,
        who: (&'a BareJid, Affiliation),
        reason: Option<&'a str>,
    ) -> Pending<'a, Result<bool, (FaultCode, String)>> {
        Box::pin(async move {
            let done = operator::affiliate(&self.server, room, who, reason).await;
            done.map_err(|error| refused(&error))
        })
    }

    fn configure_room<'a>(
        &'a self,
        room: &'a str,
        settings: &'a RoomSettings,
    ) -> Pending<'a, Result<bool, (FaultCode, String)>> {
        Box::pin(async move {
            let done = operator::configure(&self.server, room, settings).await;
            done.map_err(|error| refused(&error))
        })
    }

    fn occupants(&self, room: &str) -> usize {
        operator::occupants(&self.server, room)
    }

    fn pushes(&self, account: Option<&str>) -> Vec<Push> {
        let all = match account {
            Some(name) => self.server.pushes.of(name),
            None => self.server.pushes.all(),
        };
        let domain = self.server.domain();
        let address = |name: &str| format!("{name}@{domain}");
        all.iter().map(|one| push::describe(one, &address(&one.name))).collect()
    }

    fn forget_pushes(&self, account: &str) {
        self.server.pushes.forget_account(account);
    }

    fn tell_online(&self, text: &str) -> usize {
        administration::tell_online(&self.server, text)
    }

    fn tell(&self, notices: Notices) -> Pending<'_, usize> {
        Box::pin(async move {
            self.server.telling.set(notices);
            notices::tell_all(&self.server).await
        })
    }

    fn welcome<'a>(&'a self, account: &'a str) -> Pending<'a, ()> {
        Box::pin(async move {
            if let Ok(address) = self.server.address(account) {
                notices::welcome(&self.server, &address).await;
            }
        })
    }

    fn set_domains(&self, domains: Domains) {
        let mut config = Config::clone(&self.server.config());
        config.domains = domains;
        self.server.set_config(config);
    }

    fn order(&self, order: Order) {
        self.orders.send_replace(Some(order));
    }

    fn ordered(&self) -> Option<Order> {
        *self.orders.borrow()
    }

    fn call_off(&self) -> Option<Order> {
        call_off(&self.orders)
    }

    fn metrics(&self) -> String {
        self.server.metrics.text()
    }
}

/// Takes an order back. One whose time has come stays: it is being carried out.
fn call_off(orders: &watch::Sender<Option<Order>>) -> Option<Order> {
    let mut off = None;
    orders.send_if_modified(|order| {
        off = order.take_if(|order| !order.left().is_zero());
        off.is_some()
    });
    off
}

/// Why a room did not do what the operator wants.
fn refused(error: &ChangeError) -> (FaultCode, String) {
    let error = match error {
        ChangeError::Refused(error) => error,
        ChangeError::Store(error) => return (FaultCode::Storage, error.to_string()),
    };
    let code = match error.condition {
        Condition::InternalServerError | Condition::ResourceConstraint => FaultCode::Storage,
        _ => FaultCode::Invalid,
    };
    let text = error.text.as_deref().map(str::to_owned);
    (code, text.unwrap_or_else(|| "the room could not be changed; see the log".to_owned()))
}

/// The sessions of an account, taken out of its lock.
fn sessions(account: &Account) -> Vec<Arc<session::Session>> {
    account.lock().resources.iter().map(|resource| resource.session.clone()).collect()
}

fn describe(session: &session::Session) -> Session {
    let origin = &session.origin;
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Session {
        address: session.full().to_owned(),
        connected: session.connected(),
        since: xmpp::time::Millis::from_secs(origin.since.secs()).xep0082(),
        network: text(&origin.address),
        transport: text(origin.transport).unwrap_or_else(|| "none".to_owned()),
        mechanism: text(&origin.mechanism),
        client: origin.client.clone(),
    }
}

/// What the client is told (RFC 6120 §4.9.3).
fn condition(why: End) -> StreamCondition {
    match why {
        End::Kicked => StreamCondition::PolicyViolation,
        End::Disabled | End::Password => StreamCondition::NotAuthorized,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn an_order_is_called_off_until_its_time_has_come() {
        let in_an_hour = Order { at: Instant::now() + Duration::from_secs(3600), restart: true };
        let orders = watch::Sender::new(Some(in_an_hour));
        assert_eq!(call_off(&orders), Some(in_an_hour));
        assert_eq!(*orders.borrow(), None);
        assert_eq!(call_off(&orders), None, "nothing is ordered");
        let due = Order { at: Instant::now(), restart: true };
        orders.send_replace(Some(due));
        assert_eq!(call_off(&orders), None);
        assert_eq!(*orders.borrow(), Some(due), "it is carried out");
    }
}
