//! The server: what all connections and commands share.

use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use parking_lot::RwLock;
use store::{Store, StoreError, maintenance::Health};
use tokio::sync::watch;
use xmpp::{
    error::{Condition, StanzaError},
    jid::{BareJid, Jid, JidError},
    ns,
    sasl::{Hash, ht},
    sm,
    stream::{
        s2s::receiving,
        server::{Registration, Settings, StreamLimits},
    },
    time::Millis,
    xml::{Element, Limits},
};

use crate::{
    account::{Account, Accounts},
    admin::Operations,
    bytestreams::Bytestreams,
    calendar::Calendar,
    components::Components,
    config::{Config, Home, Policy, Service},
    ext::{
        Registry, block_lists::BlockLists, budget::Budgets, caps::CapsCache, muc::service::Rooms,
        notices::Telling, server_info::ServerInfo, unified_push::Sending, upload::disk::Disk,
    },
    http::{self, admin::session::AdminSessions, bosh::Sessions},
    limits::{Gate, LoginThrottle, Paces, Quota},
    metrics::Metrics,
    net::tls::Tls,
    password,
    push::Pushes,
    questions::Questions,
    s2s::{Federation, accept},
    secret::{Numbers, ServerSecret},
    session::resume::Resumable,
    turn::relay::Relay,
};

/// Everything that connections, commands and background work share.
pub struct Server {
    /// What is on disk.
    pub store: Store,
    /// Whether the disk takes writes.
    pub health: Health,
    /// The accounts in memory.
    pub accounts: Accounts,
    /// Sessions that may be resumed (XEP-0198).
    pub resumable: Resumable,
    /// Sessions over HTTP (XEP-0124).
    pub bosh: Sessions,
    /// The extensions' tables.
    pub registry: Registry,
    /// What clients can do, by capabilities hash (XEP-0115).
    pub caps: CapsCache,
    /// Rooms in memory.
    pub rooms: Rooms,
    /// External components that are connected.
    pub components: Components,
    /// Devices that want to be woken.
    pub pushes: Pushes,
    /// What was sent to devices for their other applications.
    pub unified_push: Sending,
    /// Notifications posted to one address in a minute.
    pub endpoint_posts: Quota,
    /// Notifications posted by one network in a minute.
    pub network_posts: Quota,
    /// The relay for calls.
    pub turn: Relay,
    /// The proxy for files between clients.
    pub bytestreams: Bytestreams,
    /// Where uploaded files lie.
    pub uploads: Disk,
    /// Counts connections.
    pub gate: Arc<Gate>,
    /// Slows down all connections of an account together.
    pub paces: Paces,
    /// Slows down guessing.
    pub logins: LoginThrottle,
    /// Accounts that one network may make where registration is open.
    pub registrations: Quota,
    /// Requests for an account that one network may make in a day.
    pub account_requests: Quota,
    /// Invitations that one network may look at in an hour.
    pub invitation_visits: Quota,
    /// Block lists that others keep.
    pub block_lists: BlockLists,
    /// What was used up of budgets against floods.
    pub budgets: Budgets,
    /// What is published of the connections to other servers (XEP-0485).
    pub info: ServerInfo,
    /// What everybody is told by the server.
    pub telling: Telling,
    /// Reports that one account may make in a day.
    pub reports: Quota,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Whether the wall clock is believed.
    pub calendar: Calendar,
    /// The secret that never leaves the machine.
    pub secret: ServerSecret,
    /// Numbers for messages, by which one that comes again is recognised.
    pub origins: Numbers,
    /// The certificate in use.
    pub tls: Tls,
    /// Who is signed in to the administration's pages.
    pub admin_sessions: AdminSessions,
    /// Requests of the server's own that wait for their answers.
    pub questions: Questions,
    /// Other servers.
    pub s2s: Federation,
    pubsub: RwLock<Arc<Account>>,
    home: Home,
    /// Becomes true when the server is going down.
    pub shutdown: watch::Sender<bool>,
    domain: Box<str>,
    operations: OnceLock<Arc<Operations>>,
    config: RwLock<Arc<Config>>,
    settings: RwLock<Arc<Settings>>,
    s2s_settings: RwLock<Arc<receiving::Settings>>,
    ports: RwLock<Vec<(Service, SocketAddr)>>,
    /// The hash functions that SCRAM is offered with: those that every account has keys for, or all when
    /// there is none.
    hashes: RwLock<Vec<Hash>>,
    /// The hash functions that some account has no keys for.
    lacked: RwLock<Vec<Hash>>,
    started: Instant,
    /// The wall clock at that moment.
    began: Millis,
    /// Milliseconds by which a test has moved the wall clock.
    #[cfg(any(test, feature = "model"))]
    moved: std::sync::atomic::AtomicI64,
    archives: AtomicBool,
    next_id: AtomicU64,
}

impl Server {
    /// A server over an open store.
    #[must_use]
    pub fn new(
        config: Config,
        home: Home,
        store: Store,
        secret: ServerSecret,
        tls: Tls,
    ) -> Arc<Self> {
        let metrics = Arc::new(Metrics::default());
        Arc::new(Self {
            archives: AtomicBool::new(config.archive.enabled),
            health: store.maintenance.health(),
            store,
            accounts: Accounts::default(),
            resumable: Resumable::default(),
            bosh: Sessions::default(),
            registry: Registry::new(),
            caps: CapsCache::default(),
            rooms: Rooms::default(),
            components: Components::default(),
            pushes: Pushes::default(),
            unified_push: Sending::default(),
            endpoint_posts: Quota::new(
                config.unified_push.messages_per_minute,
                http::unified_push::SPAN,
            ),
            network_posts: Quota::new(
                config.unified_push.messages_per_minute * http::unified_push::ADDRESSES,
                http::unified_push::SPAN,
            ),
            turn: Relay::default(),
            bytestreams: Bytestreams::default(),
            uploads: Disk::new(&home),
            gate: Gate::new(&config.limits, metrics.clone()),
            paces: Paces::new(config.limits.stanzas_per_second, config.limits.bytes_per_second),
            logins: LoginThrottle::new(config.limits.throttle),
            registrations: Quota::new(OPEN_REGISTRATIONS, OPEN_REGISTRATIONS_SPAN),
            account_requests: Quota::new(config.front_door.requests_per_network, DAY),
            invitation_visits: Quota::new(INVITATION_VISITS, Duration::from_secs(60 * 60)),
            block_lists: BlockLists::default(),
            budgets: Budgets::new(&config),
            info: ServerInfo::default(),
            telling: Telling::default(),
            reports: Quota::new(REPORTS, DAY),
            metrics,
            calendar: Calendar::load(&home, wall_clock()),
            origins: Numbers::new(&secret, "origins of messages"),
            secret,
            tls,
            admin_sessions: AdminSessions::default(),
            questions: Questions::default(),
            s2s: Federation::new(&config),
            s2s_settings: RwLock::new(Arc::new(accept::settings(&config))),
            pubsub: RwLock::new(Account::pubsub(&config)),
            home,
            operations: OnceLock::new(),
            shutdown: watch::Sender::new(false),
            domain: config.domain.as_str().into(),
            settings: RwLock::new(Arc::new(settings(&config))),
            config: RwLock::new(Arc::new(config)),
            ports: RwLock::default(),
            hashes: RwLock::new(Hash::ALL.to_vec()),
            lacked: RwLock::default(),
            started: Instant::now(),
            began: wall_clock(),
            #[cfg(any(test, feature = "model"))]
            moved: std::sync::atomic::AtomicI64::new(0),
            next_id: AtomicU64::new(1),
        })
    }

    /// The directory with its data.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// What the operator can do, for administrators among the users. None before it serves.
    #[must_use]
    pub fn operations(&self) -> Option<&Arc<Operations>> {
        self.operations.get()
    }

    /// The server serves: administrators can use the operator's commands.
    pub fn set_operations(&self, operations: Arc<Operations>) {
        // It serves once.
        let _ = self.operations.set(operations);
    }

    /// The domain it serves.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The configuration in force. A reload replaces it as a whole.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.config.read().clone()
    }

    /// The pubsub service: nodes that nobody's account owns.
    #[must_use]
    pub fn pubsub(&self) -> Arc<Account> {
        self.pubsub.read().clone()
    }

    /// Puts another configuration into force. Its domain must be the same.
    pub fn set_config(&self, config: Config) {
        self.gate.set_limits(&config.limits);
        self.archives.store(config.archive.enabled, Ordering::Relaxed);
        *self.settings.write() = Arc::new(self.offer(&config));
        *self.s2s_settings.write() = Arc::new(accept::settings(&config));
        if self.pubsub().bare() != config.pubsub.address(&config.domain) {
            *self.pubsub.write() = Account::pubsub(&config);
        }
        *self.config.write() = Arc::new(config);
        crate::push::reloaded(self);
        crate::components::reloaded(self);
        crate::ext::muc::missed::reloaded(self);
    }

    fn offer(&self, config: &Config) -> Settings {
        let hashes = self.hashes.read().clone();
        // XEP-0480: who has a password gives what is lacking, at the next login.
        let upgrades = self.lacked.read().clone();
        Settings { hashes, upgrades, ..settings(config) }
    }

    /// Looks which hash functions every account has keys for, and offers SCRAM with those alone: which
    /// one a client takes is decided before it says who it is, so one that an account does not have would
    /// keep its owner out. Accounts that come from another server may have keys for SHA-1 only.
    ///
    /// # Errors
    /// When the store could not be read.
    pub async fn choose_hashes(&self) -> Result<(), StoreError> {
        let (mut common, mut lacked, mut without) = (Vec::new(), Vec::new(), 0);
        for hash in Hash::ALL {
            match self.store.accounts.lacking(password::hash_number(hash)).await? {
                0 => common.push(hash),
                some => {
                    lacked.push(hash);
                    without = some.max(without);
                }
            }
        }
        if common.is_empty() {
            // Nothing is right for everybody: clients that fail with one try the next.
            common = Hash::ALL.to_vec();
        }
        if *self.hashes.read() != common || *self.lacked.read() != lacked {
            let names: Vec<&str> = common.iter().map(|hash| hash.name()).collect();
            tracing::warn!(
                hashes = names.join(" "),
                without_the_rest = without,
                "SCRAM is offered with what every account has"
            );
            *self.hashes.write() = common;
            *self.lacked.write() = lacked;
            *self.settings.write() = Arc::new(self.offer(&self.config()));
        }
        Ok(())
    }

    /// The hash functions that SCRAM is offered with.
    #[must_use]
    pub fn hashes(&self) -> Vec<Hash> {
        self.hashes.read().clone()
    }

    /// What streams are offered.
    #[must_use]
    pub fn stream_settings(&self) -> Arc<Settings> {
        self.settings.read().clone()
    }

    /// What streams of other servers are offered.
    #[must_use]
    pub fn s2s_settings(&self) -> Arc<receiving::Settings> {
        self.s2s_settings.read().clone()
    }

    /// Bounds of what a session keeps for its client until it is acknowledged (XEP-0198).
    #[must_use]
    pub fn sm_limits(&self) -> sm::Limits {
        let limits = &self.config().limits;
        sm::Limits {
            stanzas: usize::try_from(limits.unacknowledged_stanzas).unwrap_or(usize::MAX),
            bytes: usize::try_from(limits.unacknowledged_bytes).unwrap_or(usize::MAX),
            ..sm::Limits::SESSION
        }
    }

    /// Contacts that one account may have.
    #[must_use]
    pub fn max_contacts(&self) -> usize {
        usize::try_from(self.config().limits.contacts_per_account).unwrap_or(usize::MAX)
    }

    /// PBKDF2 iterations of new passwords.
    #[must_use]
    pub fn iterations(&self) -> u32 {
        u32::try_from(self.config().login.iterations).unwrap_or(u32::MAX)
    }

    /// Whether messages are kept in archives. Asked for every message.
    #[must_use]
    pub fn archives(&self) -> bool {
        self.archives.load(Ordering::Relaxed)
    }

    /// The addresses that are listened on.
    #[must_use]
    pub fn ports(&self) -> Vec<(Service, SocketAddr)> {
        self.ports.read().clone()
    }

    /// Whether a port is one that is listened on.
    #[must_use]
    pub fn is_door(&self, port: u16) -> bool {
        self.ports.read().iter().any(|(_, address)| address.port() == port)
    }

    /// Notes an address that is listened on.
    pub fn add_port(&self, service: Service, address: SocketAddr) {
        self.ports.write().push((service, address));
    }

    /// How long the server has been running.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// The wall clock. It stamps what people read; nothing is ordered by it.
    #[must_use]
    pub fn now(&self) -> Millis {
        let now = wall_clock();
        #[cfg(any(test, feature = "model"))]
        let now = Millis(now.0.saturating_add_signed(self.moved.load(Ordering::Relaxed)));
        now
    }

    /// Moves the wall clock of this server by so many milliseconds.
    #[cfg(any(test, feature = "model"))]
    pub fn move_clock(&self, by: i64) {
        self.moved.fetch_add(by, Ordering::Relaxed);
    }

    /// What the wall clock would say had nobody touched it since the start. What waits or rests is measured by it,
    /// so that a clock that jumps neither ends that nor prolongs it.
    #[must_use]
    pub fn steady(&self) -> Millis {
        let elapsed = self.started.elapsed().as_millis();
        self.began.plus(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    /// The bare address of a local name that is already in its normal form, as all names in the
    /// store are.
    ///
    /// # Errors
    /// When it is not a valid local part.
    pub fn address(&self, name: &str) -> Result<BareJid, JidError> {
        BareJid::new(&format!("{name}@{}", self.domain))
    }

    /// The account behind a bare address, if it is local and in memory.
    #[must_use]
    pub fn loaded(&self, jid: &BareJid) -> Option<Arc<Account>> {
        let local = jid.node().filter(|_| jid.domain().as_str() == self.domain())?;
        self.accounts.loaded(local.as_str())
    }

    /// The account behind an address, if it is local and exists, read from the store if need be.
    ///
    /// # Errors
    /// When the store could not be read.
    pub async fn account(&self, jid: &Jid) -> Result<Option<Arc<Account>>, StoreError> {
        match jid.node().filter(|_| jid.domain().as_str() == self.domain()) {
            Some(local) => self.accounts.load(self, local.as_str()).await,
            None => Ok(None),
        }
    }

    /// An id for a stanza of the server's own, unique in this process.
    #[must_use]
    pub fn fresh_id(&self) -> String {
        format!("s{:x}", self.next_id.fetch_add(1, Ordering::Relaxed))
    }

    /// Notes that the store failed while doing `what`, and gives the error for whoever waits.
    pub fn store_failed(&self, what: &'static str, error: &StoreError) -> StanzaError {
        self.metrics.errors_environment.increment();
        tracing::warn!(what, %error, "store failed");
        let condition = match error {
            StoreError::Full | StoreError::Busy | StoreError::Limit(_) => {
                Condition::ResourceConstraint
            }
            _ => Condition::InternalServerError,
        };
        StanzaError::new(condition)
    }
}

/// What the configuration offers on streams.
fn wall_clock() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn settings(config: &Config) -> Settings {
    let mut settings = Settings::new(config.domain.as_str());
    let bytes = usize::try_from(config.limits.stanza_bytes).unwrap_or(usize::MAX);
    settings.tls_required = config.tls.required;
    settings.plain = config.login.plain;
    if !config.login.tokens {
        settings.fast = Vec::new();
    } else {
        settings.fast =
            vec![ht::Method::SHA_256_EXPR, ht::Method::SHA_256_ENDP, ht::Method::SHA_256_NONE];
    }
    settings.registration = match config.registration.policy {
        Policy::Invite => Registration::Invite,
        Policy::Closed => Registration::Closed,
        Policy::Open => Registration::Open,
    };
    settings.reader_limits = Limits { element_bytes: bytes, ..Limits::CLIENT };
    settings.limits_before = StreamLimits {
        max_bytes: u32::try_from(Limits::BEFORE_AUTH.element_bytes).ok(),
        idle_seconds: None,
    };
    settings.limits_after =
        StreamLimits { max_bytes: u32::try_from(bytes).ok(), idle_seconds: None };
    if config.archive.enabled {
        settings.bind_features.push(ns::MAM.into());
    }
    settings.features_after = vec![
        Element::new("ver", ns::ROSTER_VERSIONS),
        Element::new("sub", ns::PRE_APPROVAL),
        Element::new("csi", ns::CSI),
        crate::ext::disco::stream_feature(config),
    ];
    settings
}

/// Accounts that one network may make within the span, where registration is open to everybody.
const OPEN_REGISTRATIONS: u64 = 5;
const OPEN_REGISTRATIONS_SPAN: Duration = Duration::from_secs(60 * 60);
/// Invitations that one network may look at in an hour.
const INVITATION_VISITS: u64 = 200;
/// Reports that one account may make in a day; blocks are not counted.
const REPORTS: u64 = 50;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use store::accounts::NewAccount;

    use super::*;
    use crate::{model::Stage, password::Password};

    #[test]
    fn what_somebody_lacks_can_be_given_even_when_no_hash_is_right_for_all() {
        let stage = Stage::new();
        let all = password::credentials(&Password::new("wherefore art".to_owned()), 1).unwrap();
        let numbers = |hashes: &[Hash]| {
            hashes.iter().map(|hash| password::hash_number(*hash)).collect::<Vec<_>>()
        };
        for (name, hash) in [("romeo", Hash::Sha1), ("tybalt", Hash::Sha256)] {
            let number = password::hash_number(hash);
            let account = NewAccount {
                name: name.into(),
                credentials: all.iter().filter(|one| one.hash == number).cloned().collect(),
                admin: false,
                ignore_reservation: false,
                created_at: store::Millis(0),
                invited_by: None,
                invite: None,
            };
            stage.run(stage.server.store.accounts.create(account)).unwrap();
            stage.run(stage.server.choose_hashes()).unwrap();
            let settings = stage.server.stream_settings();
            if name == "romeo" {
                assert_eq!(numbers(&settings.hashes), numbers(&[Hash::Sha1]));
                assert_eq!(settings.upgrades.len(), 2);
            }
        }
        let settings = stage.server.stream_settings();
        assert_eq!(settings.hashes.len(), Hash::ALL.len(), "each takes what is right for them");
        assert_eq!(numbers(&settings.upgrades), numbers(&Hash::ALL), "and is asked for the rest");
    }
}
