//! `anemone.toml`: one file in which only the domain is required. Everything wrong with a file is
//! reported at once, each with its line and what is allowed there.

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    ops::Range,
    path::{Path, PathBuf},
};

use toml::de::DeTable;

pub use self::{
    bytestreams::Bytestreams,
    components::{ComponentHosts, ComponentSecret},
    home::Home,
    hosts::{Host, Hosts},
    permissions::{Access, ComponentPermissions, Permissions, Watching},
    schema::{Chapter, Key, Problem},
    sections::{
        Abuse, Acme, Archive, Calls, Challenge, Components, Contact, Creators, DataPolicy,
        DefaultRoom, Federation, FrontDoor, Inviters, Level, Limits, Listen, Log, LogFormat, Login,
        Metrics, Outage, Policy, Pubsub, Push, Reader, Registration, Rooms, Tls, Upload, Web,
    },
    turn::{Network, Turn},
};

mod bytestreams;
mod components;
mod home;
mod hosts;
mod permissions;
mod read;
pub mod reference;
mod schema;
mod sections;
mod turn;

use self::schema::Value as _;

/// The configuration of one server. Built by [`Config::load`] or, in tests, by [`Config::parse`].
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The domain served, in its normal form: what stands behind the `@` in every address.
    pub domain: String,
    /// Where the server listens.
    pub listen: Listen,
    /// How people get an account.
    pub registration: Registration,
    /// Encryption of connections.
    pub tls: Tls,
    /// A certificate from an authority that everybody trusts.
    pub acme: Acme,
    /// How people prove who they are.
    pub login: Login,
    /// What one client, address or account may use.
    pub limits: Limits,
    /// Other servers.
    pub federation: Federation,
    /// The history of messages.
    pub archive: Archive,
    /// Rooms.
    pub rooms: Rooms,
    /// Nodes to subscribe to.
    pub pubsub: Pubsub,
    /// Files that people share.
    pub upload: Upload,
    /// Services that calls need.
    pub calls: Calls,
    /// The server's own STUN and TURN.
    pub turn: Turn,
    /// The proxy for files between clients.
    pub bytestreams: Bytestreams,
    /// Programs that serve a domain each.
    pub components: Components,
    /// Waking devices that sleep.
    pub push: Push,
    /// The client for browsers.
    pub web: Web,
    /// Whom to ask about this server.
    pub contact: Contact,
    /// Against spam.
    pub abuse: Abuse,
    /// How apps learn that the server is out of order.
    pub outage: Outage,
    /// How people's data is handled.
    pub data_policy: DataPolicy,
    /// The page at the domain's web address.
    pub front_door: FrontDoor,
    /// Numbers for Prometheus.
    pub metrics: Metrics,
    /// The log.
    pub log: Log,
    /// The keys that the file sets, as `section.key`.
    set: BTreeMap<String, Range<usize>>,
}

/// Keys of a section with their values as a file would say them.
pub type Values = Vec<(&'static str, Option<String>)>;

/// A door of the server, as named in `[listen]` and `[metrics]`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Clients, STARTTLS.
    C2s,
    /// Clients, direct TLS.
    C2sTls,
    /// Other servers, STARTTLS.
    S2s,
    /// Other servers, direct TLS.
    S2sTls,
    /// Web with TLS.
    Https,
    /// Web without TLS, loopback only.
    Http,
    /// From plain HTTP to HTTPS.
    Redirect,
    /// `/metrics` and `/healthz` without TLS, loopback only.
    Metrics,
    /// External components, without TLS.
    Components,
    /// STUN and TURN, over UDP and TCP.
    Turn,
    /// TURN, over TLS.
    TurnTls,
    /// SOCKS5 for bytestreams between clients.
    Bytestreams,
}

/// One address the server listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// What is spoken there.
    pub service: Service,
    /// Where.
    pub address: SocketAddr,
    /// Whether the operator wrote it down. Such an address must open or the server does not
    /// start; one that is only a default may fail with a warning.
    pub explicit: bool,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What to do about it, in words.
        reason: String,
    },
    /// The file says something that is not allowed. One line for each problem.
    #[error("{}", render(path, text, problems))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Its content, to count lines in.
        text: String,
        /// Everything wrong with it.
        problems: Vec<Problem>,
    },
}

impl Config {
    /// Reads the configuration of a data directory.
    ///
    /// # Errors
    /// When the file is missing, unreadable or wrong; the error says what to do.
    pub fn load(home: &Home) -> Result<Config, ConfigError> {
        let path = home.config_file();
        let text = std::fs::read_to_string(&path).map_err(|error| ConfigError::Unreadable {
            reason: unreadable(&error, home),
            path: path.clone(),
        })?;
        Config::parse(&text).map_err(|problems| ConfigError::Invalid { path, text, problems })
    }

    /// Reads a configuration from its text.
    ///
    /// # Errors
    /// Everything that is wrong with the text.
    pub fn parse(text: &str) -> Result<Config, Vec<Problem>> {
        let (document, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            return Err(errors.iter().map(read::syntax).collect());
        }
        let mut problems = Vec::new();
        let config = read::read(document.get_ref(), &mut problems);
        if problems.is_empty() {
            config.verify(&mut problems);
        }
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    /// The configuration that a file with nothing but the domain gives.
    ///
    /// # Errors
    /// When the domain is not a valid one.
    pub fn for_domain(domain: &str) -> Result<Config, Vec<Problem>> {
        Config::parse(&format!("domain = {}\n", schema::quote(domain)))
    }

    /// Whether the file sets a key, such as `listen.c2s`.
    pub fn sets(&self, key: &str) -> bool {
        self.set.contains_key(key)
    }

    /// Every address to listen on from the start.
    pub fn listeners(&self) -> Vec<Listener> {
        let listen = &self.listen;
        let doors = [
            (Service::C2s, "listen.c2s", &listen.c2s),
            (Service::C2sTls, "listen.c2s_tls", &listen.c2s_tls),
            (Service::S2s, "listen.s2s", &listen.s2s),
            (Service::S2sTls, "listen.s2s_tls", &listen.s2s_tls),
            (Service::Https, "listen.https", &listen.https),
            (Service::Http, "listen.http", &listen.http),
            (Service::Redirect, "listen.redirect", &listen.redirect),
            (Service::Metrics, "metrics.listen", &self.metrics.listen),
            (Service::Components, "components.listen", &self.components.listen),
            (Service::Bytestreams, "listen.bytestreams", &listen.bytestreams),
        ];
        let components = !self.components.hosts.is_empty();
        let federates = self.federates();
        let wanted = doors.into_iter().filter(|(service, ..)| match service {
            Service::S2s | Service::S2sTls => federates,
            Service::Components => components,
            Service::Bytestreams => self.bytestreams.enabled,
            _ => true,
        });
        let mut all: Vec<Listener> = wanted
            .flat_map(|(service, key, addresses)| self.listeners_of(service, key, addresses))
            .collect();
        all.extend(self.relay_listeners().into_iter().filter(|listener| self.is_placed(listener)));
        all
    }

    /// The addresses of the relay for calls that are opened when it is known where it is.
    pub fn later_listeners(&self) -> Vec<Listener> {
        let mut later = self.relay_listeners();
        later.retain(|listener| !self.is_placed(listener));
        later
    }

    fn relay_listeners(&self) -> Vec<Listener> {
        if !self.turn.enabled {
            return Vec::new();
        }
        let doors = [
            (Service::Turn, "listen.turn", &self.listen.turn),
            (Service::TurnTls, "listen.turn_tls", &self.listen.turn_tls),
        ];
        let all = doors.into_iter();
        all.flat_map(|(service, key, addresses)| self.listeners_of(service, key, addresses))
            .collect()
    }

    /// Whether the operator said where the relay is.
    fn is_placed(&self, listener: &Listener) -> bool {
        listener.explicit || !self.turn.addresses.is_empty()
    }

    fn listeners_of(&self, service: Service, key: &str, addresses: &[SocketAddr]) -> Vec<Listener> {
        let explicit = self.sets(key);
        addresses.iter().map(|&address| Listener { service, address, explicit }).collect()
    }

    /// Whether this server talks to others.
    pub fn federates(&self) -> bool {
        let alone = self.domain == "localhost" && self.federation.hosts.is_empty();
        self.federation.enabled.unwrap_or(!alone)
    }

    /// The name of the server as people know it.
    pub fn name(&self) -> &str {
        self.front_door.title.as_deref().unwrap_or(&self.domain)
    }

    /// XEP-0157: whom to ask about what (`abuse`, `admin` …), the kinds that have an address.
    pub fn contact_addresses(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        self.contact.addresses()
    }

    /// The whole configuration in force as a file would say it: sections with keys and values;
    /// a key that is absent has none. The domain is in the section without a name.
    pub fn show(&self) -> Vec<(&'static str, Values)> {
        vec![
            ("", vec![("domain", self.domain.show())]),
            ("listen", self.listen.show()),
            ("registration", self.registration.show()),
            ("tls", self.tls.show()),
            ("acme", self.acme.show()),
            ("login", self.login.show()),
            ("limits", self.limits.show()),
            ("federation", self.federation.show()),
            ("archive", self.archive.show()),
            ("rooms", self.rooms.show()),
            ("pubsub", self.pubsub.show()),
            ("upload", self.upload.show()),
            ("calls", self.calls.show()),
            ("turn", self.turn.show()),
            ("bytestreams", self.bytestreams.show()),
            ("components", self.components.show()),
            ("push", self.push.show()),
            ("web", self.web.show()),
            ("contact", self.contact.show()),
            ("abuse", self.abuse.show()),
            ("outage", self.outage.show()),
            ("data_policy", self.data_policy.show()),
            ("front_door", self.front_door.show()),
            ("metrics", self.metrics.show()),
            ("log", self.log.show()),
        ]
    }

    /// Sentences about what the file asks for and this version does not do. Said at start and by
    /// `anemone check`.
    pub fn notices(&self) -> Vec<String> {
        let mut notices = Vec::new();
        let opened = self.sets("listen.s2s") || self.sets("listen.s2s_tls");
        if opened && !self.federates() {
            notices.push(
                "The addresses in `s2s` and `s2s_tls` are not opened, because [federation] is off: \
                 people on this server can only talk to each other."
                    .to_owned(),
            );
        }
        if !self.federation.dialback.is_empty() {
            notices.push(
                "Domains in `dialback` may prove themselves without a certificate: whoever \
                 controls the network can pretend to be one of them."
                    .to_owned(),
            );
        }
        if !self.tls.required {
            notices.push(
                "TLS is not required: clients on this machine may log in without encryption."
                    .to_owned(),
            );
        }
        let hosts = &self.components.hosts;
        if !hosts.is_empty() && !self.components.listen.iter().all(is_loopback) {
            notices.push(
                "Components can connect from other machines (`listen` in [components]), and \
                 nothing is encrypted there: whoever controls that network can read and forge \
                 everything."
                    .to_owned(),
            );
        }
        if !self.limits.throttle {
            notices.push(
                "Rate limits are off (`throttle = false`): fit for a test bed, not for the open \
                 internet."
                    .to_owned(),
            );
        }
        notices
    }

    /// The rules that concern more than one key.
    fn verify(&self, problems: &mut Vec<Problem>) {
        self.verify_loopback("listen.http", &self.listen.http, problems);
        self.verify_loopback("metrics.listen", &self.metrics.listen, problems);
        self.verify_tls(problems);
        self.verify_addresses(problems);
        self.verify_web(problems);
        self.verify_calls(problems);
        self.verify_abuse(problems);
    }

    fn verify_abuse(&self, problems: &mut Vec<Problem>) {
        let lists = self.abuse.block_lists.iter();
        let mut bad =
            lists.clone().filter(|text| crate::ext::block_lists::Place::parse(text).is_none());
        if let Some(bad) = bad.next() {
            let message = format!(
                "`{bad}` is not a block list: write it as SERVICE/NODE, such as \
                 \"xmppbl.org/muc_bans_sha256\""
            );
            problems.push(self.problem("abuse.block_lists", &message));
        }
        let own =
            lists.filter_map(|text| Some((text, crate::ext::block_lists::Place::parse(text)?)));
        let mut own = own.filter(|(_, place)| self.serves(&place.service));
        if let Some((own, _)) = own.next() {
            let message = format!(
                "`{own}` is a list of this server itself, which it cannot follow: block lists are \
                 kept by another server or by one of [components.hosts]"
            );
            problems.push(self.problem("abuse.block_lists", &message));
        }
    }

    /// Whether the server itself answers at an address: at its domain, or with one of its services.
    pub fn serves(&self, address: &str) -> bool {
        let domain = &self.domain;
        address == domain
            || (self.upload.enabled && self.upload.is_at(address, domain))
            || (self.rooms.enabled && self.rooms.is_at(address, domain))
            || (self.pubsub.enabled && self.pubsub.is_at(address, domain))
            || (self.bytestreams.enabled && self.bytestreams.is_at(address, domain))
    }

    fn verify_calls(&self, problems: &mut Vec<Problem>) {
        let bad = self
            .calls
            .services
            .iter()
            .find(|address| crate::ext::calls::Service::parse(address).is_none());
        if let Some(bad) = bad {
            problems.push(self.problem(
                "calls.services",
                &format!(
                    "`{bad}` is not the address of a service: write it like \
                     \"turn:turn.example.org:3478?transport=udp\""
                ),
            ));
        }
        if self.turn.first_port > self.turn.last_port {
            problems
                .push(self.problem("turn.last_port", "`last_port` must not be below `first_port`"));
        }
        if self.turn.name.as_ref().is_some_and(|name| domain(name).is_err()) {
            problems.push(self.problem("turn.name", "`name` must be a domain name"));
        }
    }

    fn verify_web(&self, problems: &mut Vec<Problem>) {
        if let Some(bad) = self.web.files_from.iter().find(|origin| !is_origin(origin)) {
            problems.push(self.problem(
                "web.files_from",
                &format!(
                    "`{bad}` is not an origin: write it without a path, such as \
                     \"https://upload.example.net\""
                ),
            ));
        }
    }

    fn verify_tls(&self, problems: &mut Vec<Problem>) {
        if !self.tls.required && !self.listen.c2s.iter().all(is_loopback) {
            problems.push(self.problem(
                "tls.required",
                "`required = false` lets passwords travel unencrypted, so it is accepted only \
                 when every address in `c2s` is a loopback address such as \"127.0.0.1:5222\"",
            ));
        }
        if self.acme.enabled {
            self.verify_acme(problems);
        }
        let (present, absent) = match (&self.tls.certificate, &self.tls.key) {
            (Some(_), None) => ("certificate", "key"),
            (None, Some(_)) => ("key", "certificate"),
            _ => return,
        };
        problems.push(self.problem(
            &format!("tls.{present}"),
            &format!(
                "`{present}` is set and `{absent}` is not: add `{absent}`, or remove both to let \
                 the server make its own"
            ),
        ));
    }

    fn verify_acme(&self, problems: &mut Vec<Problem>) {
        let mut wrong = |key: &str, message: &str| problems.push(self.problem(key, message));
        if self.tls.certificate.is_some() {
            wrong("acme.enabled", "[acme] and `certificate` in [tls] exclude each other");
        }
        if self.domain == "localhost" {
            wrong("acme.enabled", "nobody gives a certificate for localhost");
        }
        if !self.acme.directory.starts_with("https://") {
            wrong("acme.directory", "`directory` must start with \"https://\"");
        }
        if self.acme.challenge == Challenge::Dns && self.acme.hook.is_none() {
            wrong("acme.challenge", "\"dns-01\" needs a program in `hook`");
        }
        if self.acme.challenge == Challenge::Http && self.listen.redirect.is_empty() {
            wrong("acme.challenge", "\"http-01\" needs `redirect = [\"[::]:80\"]` in [listen]");
        }
        if self.acme.names.iter().any(|name| domain(name).is_err()) {
            wrong("acme.names", "`names` must be domain names");
        }
    }

    fn verify_addresses(&self, problems: &mut Vec<Problem>) {
        for (key, url) in
            [("front_door.url", &self.front_door.url), ("upload.url", &self.upload.url)]
        {
            let is_web = |url: &&String| url.starts_with("https://") || url.starts_with("http://");
            if url.as_ref().is_some_and(|url| !is_web(&url)) {
                problems.push(self.problem(key, "`url` must start with \"https://\""));
            }
        }
        self.verify_service("upload", self.upload.address.as_ref(), problems);
        self.verify_service("rooms", self.rooms.address.as_ref(), problems);
        self.verify_service("pubsub", self.pubsub.address.as_ref(), problems);
        self.verify_service("bytestreams", self.bytestreams.address.as_ref(), problems);
        let taken = [
            self.domain.clone(),
            self.upload.address(&self.domain),
            self.rooms.address(&self.domain),
            self.bytestreams.address(&self.domain),
        ];
        let [_, upload, rooms, bytestreams] = &taken;
        if rooms == upload {
            problems.push(self.problem("rooms.address", "[rooms] and [upload] need two addresses"));
        }
        if bytestreams == upload || bytestreams == rooms {
            let message = "[bytestreams] needs an address of its own";
            problems.push(self.problem("bytestreams.address", message));
        }
        if taken.contains(&self.pubsub.address(&self.domain)) {
            let message = "[pubsub] needs an address of its own";
            problems.push(self.problem("pubsub.address", message));
        }
        // A program may have the address when the service is off.
        let own = self.pubsub.enabled.then(|| self.pubsub.address(&self.domain));
        let taken: Vec<String> = taken.into_iter().chain(own).collect();
        if let Some(bad) = taken.iter().find(|domain| self.components.hosts.contains(domain)) {
            let message = format!("`{bad}` is served by the server itself");
            problems.push(self.problem("components.hosts", &message));
        }
        let hosts = &self.components.hosts;
        let strangers = self.components.permissions.all().find(|(name, _)| !hosts.contains(name));
        if let Some((name, _)) = strangers {
            let message = format!("`{name}` is not one of the domains in [components.hosts]");
            problems.push(self.problem("components.permissions", &message));
        }
        for (kind, addresses) in self.contact.addresses() {
            let key = format!("contact.{kind}");
            let bad = addresses.iter().find(|address| !is_uri(address));
            problems.extend(bad.map(|bad| {
                self.problem(
                    &key,
                    &format!(
                        "`{bad}` is not a contact address: write it with its kind in front, such \
                         as \"mailto:ada@example.org\" or \"xmpp:ada@example.org\""
                    ),
                )
            }));
        }
    }

    /// The address of a service is a domain of its own.
    fn verify_service(&self, section: &str, address: Option<&String>, problems: &mut Vec<Problem>) {
        let Some(address) = address else { return };
        if domain(address).as_ref() != Ok(address) || *address == self.domain {
            problems.push(self.problem(
                &format!("{section}.address"),
                &format!(
                    "`{address}` must be a domain name in small letters other than the server's, \
                     such as \"{section}.{}\"",
                    self.domain
                ),
            ));
        }
    }

    fn verify_loopback(&self, key: &str, addresses: &[SocketAddr], problems: &mut Vec<Problem>) {
        if let Some(open) = addresses.iter().find(|address| !is_loopback(address)) {
            problems.push(self.problem(
                key,
                &format!(
                    "{open} can be reached from other machines, and nothing is encrypted there: \
                     use a loopback address such as \"127.0.0.1:{}\"",
                    open.port()
                ),
            ));
        }
    }

    fn problem(&self, key: &str, message: &str) -> Problem {
        Problem { span: self.set.get(key).cloned(), message: message.to_owned() }
    }
}

/// A domain in its normal form (RFC 7622 §3.2).
///
/// # Errors
/// A sentence when it is not a domain name that can be served.
pub fn domain(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is not a domain name, such as \"example.org\"");
    let domain = jid::DomainPart::new(text).map_err(|_| wrong())?.as_str().to_owned();
    let is_host = domain.len() <= 253
        && !domain.is_empty()
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .chars()
                    .all(|letter| letter.is_alphanumeric() || letter == '-' || !letter.is_ascii())
        });
    if is_host { Ok(domain) } else { Err(wrong()) }
}

/// Whether only this machine can reach the address.
pub fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// Whether a text is `https://HOST` or `https://HOST:PORT`; `*.` may stand before the host.
fn is_origin(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else { return false };
    let (host, port) = rest.split_once(':').unwrap_or((rest, "443"));
    let host = host.strip_prefix("*.").unwrap_or(host);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    !host.is_empty() && host.bytes().all(allowed) && port.parse::<u16>().is_ok()
}

fn is_uri(text: &str) -> bool {
    let scheme = text.split_once(':').map(|(scheme, rest)| (scheme, !rest.is_empty()));
    matches!(scheme, Some((scheme, true)) if scheme.len() > 1
        && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter)))
        && !text.chars().any(|letter| letter.is_whitespace() || letter.is_control())
}

fn unreadable(error: &std::io::Error, home: &Home) -> String {
    let data = home.path().display();
    match error.kind() {
        std::io::ErrorKind::NotFound => format!(
            "there is no such file; make one with: anemone init --data {data} --domain NAME"
        ),
        std::io::ErrorKind::PermissionDenied => {
            "you may not read it; run the command as the user who owns the data directory"
                .to_owned()
        }
        std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => format!("it cannot be read: {error}"),
    }
}

/// `FILE:LINE: message`, one line for each problem, in the order of the file.
fn render(path: &Path, text: &str, problems: &[Problem]) -> String {
    let mut sorted: Vec<&Problem> = problems.iter().collect();
    sorted.sort_by_key(|problem| problem.span.as_ref().map_or(0, |span| span.start));
    let lines = sorted.into_iter().map(|problem| {
        let line = problem.span.as_ref().map_or(String::new(), |span| {
            let before = text.as_bytes().get(..span.start).unwrap_or(text.as_bytes());
            format!("{}:", 1 + before.iter().filter(|byte| **byte == b'\n').count())
        });
        format!("{}:{line} {}", path.display(), problem.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}

impl Config {
    fn empty(domain: String) -> Config {
        Config {
            listen: Listen::of(&domain),
            domain,
            registration: Registration::default(),
            tls: Tls::default(),
            acme: Acme::default(),
            login: Login::default(),
            limits: Limits::default(),
            federation: Federation::default(),
            archive: Archive::default(),
            rooms: Rooms::default(),
            pubsub: Pubsub::default(),
            upload: Upload::default(),
            calls: Calls::default(),
            turn: Turn::default(),
            bytestreams: Bytestreams::default(),
            components: Components::default(),
            push: Push::default(),
            web: Web::default(),
            contact: Contact::default(),
            abuse: Abuse::default(),
            outage: Outage::default(),
            data_policy: DataPolicy::default(),
            front_door: FrontDoor::default(),
            metrics: Metrics::default(),
            log: Log::default(),
            set: BTreeMap::new(),
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Service::C2s => "c2s",
            Service::C2sTls => "c2s_tls",
            Service::S2s => "s2s",
            Service::S2sTls => "s2s_tls",
            Service::Components => "components",
            Service::Https => "https",
            Service::Http => "http",
            Service::Redirect => "redirect",
            Service::Metrics => "metrics",
            Service::Turn => "turn",
            Service::TurnTls => "turn_tls",
            Service::Bytestreams => "bytestreams",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> String {
        let problems = Config::parse(text).expect_err("the text is wrong");
        render(Path::new("anemone.toml"), text, &problems)
    }

    #[test]
    fn a_domain_is_all_a_file_needs() {
        let config = Config::parse("domain = \"Example.ORG\"").unwrap();
        assert_eq!(config.domain, "example.org");
        assert_eq!(config.registration.policy, Policy::Invite);
        assert!(config.tls.required && config.archive.enabled && config.limits.throttle);
        assert_eq!(config.limits.unauthenticated_seconds, 30);
        assert!(config.listeners().iter().all(|listener| !listener.explicit));
    }

    #[test]
    fn a_trial_on_localhost_listens_to_this_machine_alone() {
        let config = Config::for_domain("localhost").unwrap();
        assert!(config.listeners().iter().all(|listener| is_loopback(&listener.address)));
        assert_eq!(config.listen.https[0], "127.0.0.1:5443".parse().unwrap());
        let text = "domain = \"localhost\"\n[listen]\nc2s = [\"127.0.0.1:7222\"]\n";
        let config = Config::parse(text).unwrap();
        assert_eq!(config.listen.c2s, ["127.0.0.1:7222".parse().unwrap()]);
        assert!(config.listen.c2s_tls.iter().all(is_loopback));
    }

    #[test]
    fn what_is_shown_is_read_back_as_the_same() {
        let config = Config::for_domain("localhost").unwrap();
        let mut text = String::new();
        for (section, keys) in config.show() {
            if !section.is_empty() {
                text.push_str(&format!("[{section}]\n"));
            }
            for (key, value) in keys {
                text.extend(value.map(|value| format!("{key} = {value}\n")));
            }
        }
        let again = Config::parse(&text).unwrap();
        assert_eq!(again.show(), config.show());
    }

    #[test]
    fn every_key_of_the_operators_scripts_is_read() {
        let config = Config::parse(
            "domain = \"localhost\"\n[listen]\nc2s = [\"127.0.0.1:0\"]\n\
             c2s_tls = [\"[::1]:5223\"]\ns2s = [\"127.0.0.1:5269\"]\ns2s_tls = []\n\
             https = [\"127.0.0.1:5443\"]\nbytestreams = []\n[registration]\npolicy = \"open\"\n\
             [tls]\nrequired = false\n[limits]\nthrottle = false\n\
             unauthenticated_seconds = 3\n[archive]\nenabled = false\n",
        )
        .unwrap();
        assert_eq!(config.registration.policy, Policy::Open);
        assert!(!config.tls.required && !config.limits.throttle && !config.archive.enabled);
        assert_eq!(config.limits.unauthenticated(), std::time::Duration::from_secs(3));
        assert!(config.listeners().iter().all(|listener| listener.explicit));
        assert_eq!(config.listeners().len(), 3);
        assert!(config.notices().iter().any(|notice| notice.contains("s2s")));
    }

    #[test]
    fn an_unknown_key_is_reported_with_its_line_and_the_right_spelling() {
        assert_eq!(
            messages("domain = \"a.example\"\n[listen]\nc2s_tsl = []\n"),
            "anemone.toml:3: unknown key `c2s_tsl` in [listen]; did you mean `c2s_tls`?"
        );
        assert_eq!(
            messages("domain = \"a.example\"\n[listne]\n"),
            "anemone.toml:2: unknown key `listne` in the file; did you mean `listen`?"
        );
        assert_eq!(
            messages("policy = \"open\"\ndomain = \"a.example\"\n"),
            "anemone.toml:1: `policy` belongs in the section [registration]: put it below that line"
        );
    }

    #[test]
    fn a_wrong_value_is_reported_with_what_is_allowed() {
        assert_eq!(
            messages("domain = \"a.example\"\n[registration]\npolicy = \"everyone\"\n"),
            "anemone.toml:3: `policy` must be \"invite\", \"closed\" or \"open\""
        );
        assert_eq!(
            messages("domain = \"a.example\"\n[listen]\nc2s = [\"127.0.0.1\"]\n"),
            "anemone.toml:3: `c2s` must be a list in square brackets; each entry is an address \
             with port, such as \"192.0.2.1:5222\" or \"[::]:5222\""
        );
        assert_eq!(
            messages("domain = \"a.example\"\n[limits]\nunauthenticated_seconds = 0\n"),
            "anemone.toml:3: `unauthenticated_seconds` must be a whole number from 1 to 3600"
        );
        assert!(messages("domain = \"a b\"").contains("`a b` is not a domain name"));
        assert!(messages("listen = 3\ndomain = \"a.example\"").contains("write [listen]"));
        assert!(messages("").contains("`domain` is missing"));
        assert!(messages("domain = \"a.example\"\n[listen\n").starts_with("anemone.toml:2:"));
    }

    #[test]
    fn everything_wrong_is_reported_at_once() {
        let text = "domain = \"\"\n[tls]\nrequired = 1\n[nonsense]\n";
        assert_eq!(messages(text).lines().count(), 3);
    }

    #[test]
    fn plain_text_is_for_loopback_listeners_alone() {
        let open = "domain = \"a.example\"\n[tls]\nrequired = false\n";
        assert!(messages(open).contains("anemone.toml:3: `required = false`"));
        let http = "domain = \"a.example\"\n[listen]\nhttp = [\"0.0.0.0:5280\"]\n";
        assert!(messages(http).contains("use a loopback address such as \"127.0.0.1:5280\""));
        let metrics = "domain = \"a.example\"\n[metrics]\nlisten = [\"[::]:9090\"]\n";
        assert!(messages(metrics).contains("loopback"));
    }

    #[test]
    fn a_certificate_needs_its_key_and_a_contact_its_kind() {
        let tls = "domain = \"a.example\"\n[tls]\ncertificate = \"c.pem\"\n";
        assert!(messages(tls).contains("`certificate` is set and `key` is not"));
        let contact = "domain = \"a.example\"\n[contact]\nadmin = [\"ada@a.example\"]\n";
        assert!(messages(contact).contains("\"mailto:ada@example.org\""));
    }

    #[test]
    fn an_origin_has_no_path() {
        let file = |origin| format!("domain = \"a.example\"\n[web]\nfiles_from = [\"{origin}\"]\n");
        for good in ["https://b.example", "https://*.b.example", "https://b.example:5443"] {
            assert!(Config::parse(&file(good)).is_ok(), "{good}");
        }
        for bad in ["http://b.example", "https://", "https://b.example/", "*", "https://b;c", ""] {
            assert!(messages(&file(bad)).contains("is not an origin"), "{bad}");
        }
    }

    #[test]
    fn international_names_and_single_labels_are_domains() {
        assert_eq!(domain("Bücher.example").unwrap(), "bücher.example");
        assert_eq!(domain("localhost").unwrap(), "localhost");
        for bad in ["", ".", "a..b", "-a.example", "a@b", "a/b", "exa_mple.org"] {
            assert!(domain(bad).is_err(), "{bad}");
        }
    }
}
