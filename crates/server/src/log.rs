//! The log: what goes into it and how people and machines are named there.

use std::{
    fmt,
    io::IsTerminal as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr as _,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use tracing_subscriber::{
    Layer, Registry,
    filter::{LevelFilter, Targets},
    fmt as lines,
    layer::SubscriberExt as _,
    reload,
};
use zeroize::Zeroizing;

use crate::{
    config::{Level, Log, LogFormat},
    secret::{ServerSecret, mac},
};

/// The running log, for changing its level.
pub struct LogControl {
    filter: reload::Handle<Targets, Registry>,
}

/// The bare or full address of a person in a log line: a code that changes every day, unless the
/// operator wants full addresses. The same person has the same code on one day.
#[derive(Clone, Copy)]
pub struct LogJid<'a>(pub &'a str);

/// The address of a machine in a log line: the network it is in (IPv4 /24, IPv6 /48), unless the
/// operator wants full addresses.
#[derive(Clone, Copy)]
pub struct LogAddr(pub IpAddr);

/// How people are named, set once when the log starts.
struct Names {
    key: Zeroizing<[u8; 32]>,
    full: AtomicBool,
}

static NAMES: OnceLock<Names> = OnceLock::new();

/// Starts the log. To be called once, before anything else of the server.
///
/// # Errors
/// A sentence when the filter cannot be understood or a log was started before.
pub fn start(config: &Log, secret: &ServerSecret) -> Result<LogControl, String> {
    let (filter, control) = reload::Layer::new(filter(config)?);
    let log = Registry::default().with(output(config.format).with_filter(filter));
    tracing::subscriber::set_global_default(log)
        .map_err(|_| "the log was started twice".to_owned())?;
    let names = Names { key: secret.derive("log names"), full: AtomicBool::new(config.addresses) };
    // Only the first log of a process gets here.
    let _ = NAMES.set(names);
    Ok(LogControl { filter: control })
}

impl LogControl {
    /// Looks at the levels without changing anything.
    ///
    /// # Errors
    /// A sentence when the filter cannot be understood.
    pub fn verify(config: &Log) -> Result<(), String> {
        filter(config).map(drop)
    }

    /// Changes the levels, and whether addresses are written in full, while the server runs.
    ///
    /// # Errors
    /// A sentence when the filter cannot be understood; nothing changes then.
    pub fn apply(&self, config: &Log) -> Result<(), String> {
        let filter = filter(config)?;
        self.filter.reload(filter).map_err(|error| error.to_string())?;
        if let Some(names) = NAMES.get() {
            names.full.store(config.addresses, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// The environment goes before the file: it is what one sets for a single run.
fn filter(config: &Log) -> Result<Targets, String> {
    let text = std::env::var("ANEMONE_LOG").ok();
    let (text, source) = match (&text, &config.filter) {
        (Some(text), _) => (text.as_str(), "ANEMONE_LOG"),
        (None, Some(text)) => (text.as_str(), "`filter` in [log]"),
        (None, None) => (config.level.as_str(), "`level` in [log]"),
    };
    let targets = Targets::from_str(text).map_err(|_| {
        format!(
            "{source} is `{text}`, which is not a level (error, warn, info, debug, trace) nor a \
             list such as \"anemone::auth=debug,info\""
        )
    })?;
    let silent = if config.addresses { &[] } else { INDISCREET };
    Ok(targets.with_targets(silent.iter().map(|name| (*name, LevelFilter::OFF))))
}

/// Crates that write addresses in full into what they say.
const INDISCREET: &[&str] = &["turn_server_proto", "stun_proto", "turn_types", "stun_types"];

type Output = Box<dyn Layer<Registry> + Send + Sync>;

fn output(format: LogFormat) -> Output {
    let terminal = std::io::stderr().is_terminal();
    // The journal stamps every line itself.
    let journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let plain = lines::layer().with_writer(std::io::stderr).with_ansi(false);
    match format {
        LogFormat::Json => {
            Box::new(lines::layer().json().flatten_event(true).with_writer(std::io::stderr))
        }
        LogFormat::Auto if terminal => {
            Box::new(lines::layer().with_target(false).with_writer(std::io::stderr))
        }
        LogFormat::Auto if journal => Box::new(plain.without_time()),
        LogFormat::Auto | LogFormat::Text => Box::new(plain),
    }
}

impl fmt::Display for LogJid<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(names) = NAMES.get() else { return formatter.write_str("person") };
        if names.full.load(Ordering::Relaxed) {
            return formatter.write_str(self.0);
        }
        pseudonym(&names.key, self.0, today()).fmt(formatter)
    }
}

impl fmt::Display for LogAddr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.0.to_canonical();
        if NAMES.get().is_some_and(|names| names.full.load(Ordering::Relaxed)) {
            return address.fmt(formatter);
        }
        match address {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                write!(formatter, "{}/24", Ipv4Addr::new(a, b, c, 0))
            }
            IpAddr::V6(address) => {
                let [a, b, c, ..] = address.segments();
                write!(formatter, "{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
            }
        }
    }
}

impl fmt::Debug for LogJid<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Debug for LogAddr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// `person-` and eight letters out of a keyed hash over the day and the bare address.
fn pseudonym(key: &[u8; 32], address: &str, day: u64) -> String {
    let bare = address.split('/').next().unwrap_or_default();
    let hash = mac(key, &[&day.to_be_bytes(), bare.as_bytes()]);
    let letters = hash.iter().take(8).map(|byte| char::from(b'a' + byte % 26));
    letters.fold("person-".to_owned(), |mut name, letter| {
        name.push(letter);
        name
    })
}

/// Days since 1970.
fn today() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / (24 * 60 * 60)
}

impl From<Level> for tracing::Level {
    fn from(level: Level) -> tracing::Level {
        match level {
            Level::Error => tracing::Level::ERROR,
            Level::Warn => tracing::Level::WARN,
            Level::Info => tracing::Level::INFO,
            Level::Debug => tracing::Level::DEBUG,
            Level::Trace => tracing::Level::TRACE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_one_name_for_all_devices_and_another_one_tomorrow() {
        let key = [7; 32];
        let name = pseudonym(&key, "ada@example.org/phone", 1);
        assert_eq!(name, pseudonym(&key, "ada@example.org", 1));
        assert_ne!(name, pseudonym(&key, "ada@example.org", 2));
        assert_ne!(name, pseudonym(&[8; 32], "ada@example.org", 1));
        assert!(!name.contains("ada"));
    }

    #[test]
    fn a_machine_is_named_by_its_network() {
        let name = |text: &str| LogAddr(text.parse().unwrap()).to_string();
        assert_eq!(name("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(name("::ffff:192.0.2.77"), "192.0.2.0/24");
        assert_eq!(name("2001:db8:1:2:3::9"), "2001:db8:1::/48");
    }

    #[test]
    fn a_filter_that_makes_no_sense_is_explained() {
        let config = Log { filter: Some("loud,anemone=verbose".to_owned()), ..Log::default() };
        if std::env::var_os("ANEMONE_LOG").is_none() {
            assert!(filter(&config).unwrap_err().contains("`filter` in [log]"));
        }
        assert!(filter(&Log::default()).is_ok());
    }

    #[test]
    fn crates_that_name_addresses_are_silent_unless_these_are_wanted() {
        let speaks = |config: &Log| {
            let filter = filter(config).unwrap();
            filter.would_enable("turn_server_proto::server", &tracing::Level::ERROR)
        };
        assert!(!speaks(&Log::default()));
        assert!(speaks(&Log { addresses: true, ..Log::default() }));
    }
}
