//! Numbers about the running server: counters that cost a few nanoseconds, and their text for
//! Prometheus.

use std::{
    cell::Cell,
    fmt::{self, Write as _},
    sync::atomic::{AtomicI64, AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use xmpp::stanza::Kind;

/// A number that only grows. Every thread adds to its own cache line.
#[derive(Debug, Default)]
pub struct Counter {
    shards: [Shard; SHARDS],
}

#[derive(Debug, Default)]
#[repr(align(64))]
struct Shard(AtomicU64);

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Counter {
    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds `amount`.
    pub fn add(&self, amount: u64) {
        let shard = SHARD.with(Cell::get) % SHARDS;
        self.shards[shard].0.fetch_add(amount, Relaxed);
    }

    /// The sum over all threads.
    pub fn value(&self) -> u64 {
        self.shards.iter().fold(0, |sum, shard| sum.wrapping_add(shard.0.load(Relaxed)))
    }
}

impl Gauge {
    /// One more.
    pub fn increment(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// One less.
    pub fn decrement(&self) {
        self.0.fetch_sub(1, Relaxed);
    }

    /// Exactly so many.
    pub fn set(&self, value: i64) {
        self.0.store(value, Relaxed);
    }

    /// How many now.
    pub fn value(&self) -> i64 {
        self.0.load(Relaxed)
    }
}

/// Declares the numbers: the field, its name and label for Prometheus, and its meaning, which is
/// the field's documentation as well. Lines with one name follow each other.
macro_rules! metrics {
    ($($(#[doc = $doc:literal])* $field:ident: $Kind:ident = $name:literal $(, $label:literal)?;)*) => {
        /// All numbers of one server.
        #[derive(Debug, Default)]
        pub struct Metrics {
            $($(#[doc = $doc])* pub $field: $Kind,)*
            /// What `/healthz` says.
            pub health: Health,
        }

        impl Metrics {
            /// Everything in the text format of Prometheus, version 0.0.4.
            pub fn text(&self) -> String {
                let mut text = Text::new();
                $( self.$field.write(&mut text, $name, concat!("", $($label)?), &[$($doc),*]); )*
                text.finish()
            }
        }
    };
}

metrics! {
    /// Connections accepted.
    connections_accepted: Counter = "connections_accepted_total";
    /// Connections refused because of their address.
    connections_refused: Counter = "connections_refused_total";
    /// Connections closed to make room while too many were not logged in.
    connections_evicted: Counter = "connections_evicted_total";
    /// WebSocket connections opened.
    websocket_opened: Counter = "websocket_opened_total";
    /// Sessions over HTTP (XEP-0124).
    bosh_opened: Counter = "bosh_opened_total";
    /// Connections open now.
    connections: Gauge = "connections", "state=\"all\"";
    /// Connections open now and not logged in.
    connections_unauthenticated: Gauge = "connections", "state=\"unauthenticated\"";
    /// Connections closed because they did not log in in time.
    login_timeouts: Counter = "login_timeouts_total";
    /// TLS handshakes that failed.
    tls_failed: Counter = "tls_handshake_failures_total";
    /// Logins with the right password.
    logins_password: Counter = "logins_total", "result=\"password\"";
    /// Logins with a token.
    logins_token: Counter = "logins_total", "result=\"token\"";
    /// Logins with a wrong password, token or name.
    logins_failed: Counter = "logins_total", "result=\"failed\"";
    /// Logins slowed down or refused after too many failures.
    logins_throttled: Counter = "logins_total", "result=\"throttled\"";
    /// Bound resources, connected or waiting to be resumed.
    sessions: Gauge = "sessions", "state=\"all\"";
    /// Sessions waiting to be resumed.
    sessions_detached: Gauge = "sessions", "state=\"detached\"";
    /// Sessions resumed.
    resumed: Counter = "resumptions_total", "result=\"resumed\"";
    /// Attempts to resume a session that was gone.
    resume_failed: Counter = "resumptions_total", "result=\"failed\"";
    /// Messages received from clients.
    messages_received: Counter = "stanzas_received_total", "kind=\"message\"";
    /// Presence received from clients.
    presence_received: Counter = "stanzas_received_total", "kind=\"presence\"";
    /// IQs received from clients.
    iq_received: Counter = "stanzas_received_total", "kind=\"iq\"";
    /// Messages sent to clients.
    messages_sent: Counter = "stanzas_sent_total", "kind=\"message\"";
    /// Presence sent to clients.
    presence_sent: Counter = "stanzas_sent_total", "kind=\"presence\"";
    /// IQs sent to clients.
    iq_sent: Counter = "stanzas_sent_total", "kind=\"iq\"";
    /// Stanzas received from other servers.
    s2s_received: Counter = "s2s_stanzas_total", "direction=\"received\"";
    /// Stanzas sent to other servers.
    s2s_sent: Counter = "s2s_stanzas_total", "direction=\"sent\"";
    /// Streams of other servers open now.
    s2s_incoming: Gauge = "s2s_streams", "direction=\"incoming\"";
    /// Streams to other servers open now.
    s2s_outgoing: Gauge = "s2s_streams", "direction=\"outgoing\"";
    /// Attempts to reach another server that failed.
    s2s_failed: Counter = "s2s_failures_total", "what=\"unreachable\"";
    /// Other servers that were not let in because of their certificate.
    s2s_refused: Counter = "s2s_failures_total", "what=\"refused\"";
    /// Stanzas that went back because the other server could not be reached.
    s2s_bounced: Counter = "s2s_failures_total", "what=\"returned\"";
    /// Notifications that push services and app servers took.
    push_sent: Counter = "push_notifications_total", "result=\"sent\"";
    /// Attempts to send one that failed.
    push_failed: Counter = "push_notifications_total", "result=\"failed\"";
    /// Registrations of devices that want to be woken.
    push_registrations: Gauge = "push_registrations";
    /// Stanzas that wait for other servers, in memory and on disk.
    s2s_waiting: Gauge = "s2s_waiting";
    /// How many may.
    s2s_waiting_most: Gauge = "s2s_waiting_limit";
    /// Bytes of the stanzas that wait for other servers.
    s2s_waiting_bytes: Gauge = "s2s_waiting_bytes";
    /// How many there may be.
    s2s_waiting_bytes_most: Gauge = "s2s_waiting_bytes_limit";
    /// Addresses of the relay for calls that are in use.
    turn_relays: Gauge = "turn_relays";
    /// Addresses of the relay that were asked for and could not be given.
    turn_refused: Counter = "turn_refused_total";
    /// Bytes of calls that were relayed, both ways together.
    turn_bytes: Counter = "turn_bytes_total";
    /// Packets for the relay that were dropped because there were too many.
    turn_dropped: Counter = "turn_dropped_total";
    /// Ways into the relay that did not work when they were tried last, from the machine itself.
    turn_failing: Gauge = "turn_failing";
    /// When the certificate stops being valid, in seconds since 1970.
    certificate_expires: Gauge = "certificate_expires_timestamp_seconds";
    /// Bytes that are free on the disk with the data.
    disk_free: Gauge = "disk_free_bytes";
    /// Whether messages were found on disk that are not as they were written.
    storage_damaged: Gauge = "storage_damaged";
    /// Whether the clock is not believed, because it jumped by more than a day.
    clock_doubted: Gauge = "clock_doubted";
    /// Bytes that passed the proxy for files between clients.
    bytestream_bytes: Counter = "bytestream_bytes_total";
    /// Bytes of XML received, before encryption.
    bytes_received: Counter = "bytes_received_total";
    /// Bytes of XML sent, before encryption.
    bytes_sent: Counter = "bytes_sent_total";
    /// Messages given to the archives, one row for each account.
    archive_rows: Counter = "archive_rows_total";
    /// Notifications posted for other applications of devices.
    endpoint_messages: Counter = "endpoint_messages_total";
    /// Files uploaded.
    uploads: Counter = "uploads_total";
    /// Errors that were the client's fault.
    errors_peer: Counter = "errors_total", "fault=\"peer\"";
    /// Errors of disk, network or configuration.
    errors_environment: Counter = "errors_total", "fault=\"environment\"";
    /// Times that a connection was left unread for a while because it had sent too much.
    pauses_connection: Counter = "pauses_total", "whose=\"connection\"";
    /// Times that one was left unread because all connections of its account together had.
    pauses_account: Counter = "pauses_total", "whose=\"account\"";
    /// Times that one was left unread because all streams of its domain together had.
    pauses_domain: Counter = "pauses_total", "whose=\"domain\"";
    /// Connections closed because more waited for their client than is kept.
    queue_overflows: Counter = "queue_overflows_total";
    /// Accounts made.
    registrations: Counter = "registrations_total";
}

/// Stanzas of one write, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stanzas {
    messages: u64,
    presence: u64,
    iqs: u64,
}

impl Stanzas {
    /// Counts one.
    pub fn count(&mut self, kind: Kind) {
        match kind {
            Kind::Message => self.messages += 1,
            Kind::Presence => self.presence += 1,
            Kind::Iq => self.iqs += 1,
            Kind::Other => {}
        }
    }
}

impl Metrics {
    /// Adds what was written to a client.
    pub fn sent(&self, stanzas: &Stanzas) {
        let kinds = [
            (&self.messages_sent, stanzas.messages),
            (&self.presence_sent, stanzas.presence),
            (&self.iq_sent, stanzas.iqs),
        ];
        for (counter, amount) in kinds.into_iter().filter(|(_, amount)| *amount > 0) {
            counter.add(amount);
        }
    }
}

/// What `/healthz` says.
#[derive(Debug, Default)]
pub struct Health(AtomicU8);

/// The condition of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Not listening yet.
    Starting,
    /// Serving.
    Ready,
    /// Serving, and unable to store: messages are refused.
    ReadOnly,
    /// Shutting down.
    Stopping,
}

impl Health {
    /// Changes the condition.
    pub fn set(&self, condition: Condition) {
        self.0.store(condition as u8, Relaxed);
    }

    /// The condition now.
    pub fn condition(&self) -> Condition {
        match self.0.load(Relaxed) {
            0 => Condition::Starting,
            1 => Condition::Ready,
            2 => Condition::ReadOnly,
            _ => Condition::Stopping,
        }
    }

    /// The answer to `/healthz`: whether the status is 200 (otherwise 503), and one line of text.
    pub fn answer(&self) -> (bool, &'static str) {
        match self.condition() {
            Condition::Starting => (false, "starting"),
            Condition::Ready => (true, "ready"),
            Condition::ReadOnly => (false, "cannot store messages, see the log"),
            Condition::Stopping => (false, "stopping"),
        }
    }
}

/// The page being written.
struct Text {
    page: String,
    /// The name written last: lines of one name share their heading.
    name: &'static str,
}

impl Text {
    fn new() -> Text {
        let mut text = Text { page: String::with_capacity(8192), name: "" };
        let version = env!("CARGO_PKG_VERSION");
        text.heading("build_info", "", "gauge", &["Version of the running program."]);
        text.line("build_info", &format!("version=\"{version}\""), 1);
        text
    }

    /// A family with labels has no help text: each of its lines means something else.
    fn heading(&mut self, name: &'static str, label: &str, kind: &str, docs: &[&str]) {
        if self.name == name {
            return;
        }
        self.name = name;
        if label.is_empty() {
            let help = docs.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
            let _ = writeln!(self.page, "# HELP anemone_{name} {help}");
        }
        let _ = writeln!(self.page, "# TYPE anemone_{name} {kind}");
    }

    fn line(&mut self, name: &str, label: &str, value: impl fmt::Display) {
        let _ = match label {
            "" => writeln!(self.page, "anemone_{name} {value}"),
            label => writeln!(self.page, "anemone_{name}{{{label}}} {value}"),
        };
    }

    fn finish(self) -> String {
        self.page
    }
}

/// A number that can write itself.
trait Metric {
    fn write(&self, text: &mut Text, name: &'static str, label: &str, docs: &[&str]);
}

impl Metric for Counter {
    fn write(&self, text: &mut Text, name: &'static str, label: &str, docs: &[&str]) {
        text.heading(name, label, "counter", docs);
        text.line(name, label, self.value());
    }
}

impl Metric for Gauge {
    fn write(&self, text: &mut Text, name: &'static str, label: &str, docs: &[&str]) {
        text.heading(name, label, "gauge", docs);
        text.line(name, label, self.value());
    }
}

thread_local! {
    static SHARD: Cell<usize> = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Cell::new(NEXT.fetch_add(1, Relaxed))
    };
}

const SHARDS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_one_heading_for_each_name_and_a_line_for_each_number() {
        let metrics = Metrics::default();
        metrics.messages_received.add(3);
        metrics.sessions.increment();
        let text = metrics.text();
        assert!(text.contains("anemone_stanzas_received_total{kind=\"message\"} 3\n"));
        assert!(text.contains("anemone_sessions{state=\"all\"} 1\n"));
        let mut names: Vec<&str> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
        let headings = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), headings);
    }

    #[test]
    fn threads_add_up() {
        let counter = Counter::default();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..1000).for_each(|_| counter.increment()));
            }
        });
        assert_eq!(counter.value(), 8000);
    }

    #[test]
    fn only_a_server_that_serves_is_healthy() {
        let health = Health::default();
        assert_eq!(health.answer(), (false, "starting"));
        health.set(Condition::Ready);
        assert!(health.answer().0);
        health.set(Condition::Stopping);
        assert!(!health.answer().0);
    }
}
