//! `anemone.toml`: one file in which only the domain is required. Everything wrong with a file is
//! reported at once, each with its line and what is allowed there.

use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
};

use toml::de::DeTable;

pub use self::{
    bytestreams::Bytestreams,
    components::{ComponentHosts, ComponentSecret},
    domains::Domains,
    home::Home,
    hosts::{Host, Hosts},
    listeners::{Listener, Service, is_loopback},
    permissions::{Access, ComponentPermissions, Permissions, Watching},
    rules::domain,
    schema::{Chapter, Key, Problem},
    sections::{
        Abuse, Acme, Archive, Calls, Challenge, Components, Contact, Creators, DataPolicy,
        DefaultRoom, Federation, FrontDoor, Inviters, Level, Limits, Listen, Log, LogFormat, Login,
        Metrics, Outage, Policy, Pubsub, Push, Reader, Registration, Rooms, Tls, TlsVersion,
        UnifiedPush, Upload, Web,
    },
    turn::{Network, Turn},
};

mod bytestreams;
mod components;
mod domains;
mod files;
mod home;
mod hosts;
mod listeners;
mod permissions;
mod read;
pub mod reference;
mod rules;
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
    /// Addresses for the applications of a phone.
    pub unified_push: UnifiedPush,
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
    /// Other domains that administrators chose, in a file of their own.
    pub domains: Domains,
    /// The keys that the file sets, as `section.key`.
    set: BTreeMap<String, Range<usize>>,
}

/// Keys of a section with their values as a file would say them.
pub type Values = Vec<(&'static str, Option<String>)>;

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
        let mut config = Config::parse(&text).map_err(|problems| ConfigError::Invalid {
            path,
            text,
            problems,
        })?;
        let path = home.domains();
        config.domains = Domains::load(&path)
            .map_err(|error| ConfigError::Unreadable { path, reason: error.to_string() })?;
        Ok(config)
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

    /// Whether this server talks to others.
    pub fn federates(&self) -> bool {
        let alone = self.domain == "localhost" && self.federation.hosts.is_empty();
        self.federation.enabled.unwrap_or(!alone)
    }

    /// The name of the server as people know it.
    pub fn name(&self) -> &str {
        self.front_door.title.as_deref().unwrap_or(&self.domain)
    }

    /// Puts what cannot change while the server runs back to what it is. Returns its names.
    pub fn hold(&mut self, old: &Config) -> Vec<&'static str> {
        fn back<T: Clone + PartialEq>(new: &mut T, old: &T) -> bool {
            let differs = new != old;
            if differs {
                new.clone_from(old);
            }
            differs
        }
        [
            ("[listen]", back(&mut self.listen, &old.listen)),
            ("[metrics]", back(&mut self.metrics, &old.metrics)),
            ("`required` in [tls]", back(&mut self.tls.required, &old.tls.required)),
            ("`address` in [rooms]", back(&mut self.rooms.address, &old.rooms.address)),
            ("`listen` in [components]", back(&mut self.components.listen, &old.components.listen)),
            ("[push]", back(&mut self.push, &old.push)),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
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
            ("unified_push", self.unified_push.show()),
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

    /// The domains beside its own at which other servers find something here, each with what that is.
    /// Its certificate should have their names, and the domain name system should know them.
    pub fn virtual_hosts(&self) -> Vec<(String, &'static str)> {
        let mut hosts = Vec::new();
        if self.rooms.enabled {
            hosts.push((self.rooms.address(&self.domain), "rooms"));
        }
        if self.pubsub.enabled {
            hosts.push((self.pubsub.address(&self.domain), "nodes"));
        }
        hosts.extend(self.components.hosts.domains().map(|name| (name.to_owned(), "a component")));
        hosts
    }

    /// The host of the links of files, where it is not that of everything else.
    pub fn files_host(&self) -> Option<String> {
        let url: hyper::Uri = self.upload.url.as_deref()?.parse().ok()?;
        let host = url.host().filter(|_| self.upload.enabled)?.to_lowercase();
        let is_name = host.parse::<std::net::IpAddr>().is_err() && !host.starts_with('[');
        (is_name && host != self.domain).then_some(host)
    }

    /// The host where browsers find the client and the pages for administrators.
    pub fn pages_host(&self) -> String {
        let url = self.front_door.url.as_deref().and_then(|url| url.parse::<hyper::Uri>().ok());
        let host = url.as_ref().and_then(|url| url.host()).unwrap_or(&self.domain);
        host.to_lowercase()
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
            unified_push: UnifiedPush::default(),
            web: Web::default(),
            contact: Contact::default(),
            abuse: Abuse::default(),
            outage: Outage::default(),
            data_policy: DataPolicy::default(),
            front_door: FrontDoor::default(),
            metrics: Metrics::default(),
            log: Log::default(),
            domains: Domains::default(),
            set: BTreeMap::new(),
        }
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
        let file = |origin| format!("domain = \"a.example\"\n[web]\norigins = [\"{origin}\"]\n");
        for good in ["https://b.example", "https://*.b.example", "*", "http://localhost:8080"] {
            assert!(Config::parse(&file(good)).is_ok(), "{good}");
        }
        for bad in ["http://b.example", "https://b.example/", "b.example", "http://localhost/", ""]
        {
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
