//! The log and the numbers.

use std::net::SocketAddr;

use crate::config::schema::{choice, section};

section! {
    /// Numbers for Prometheus.
    pub struct Metrics as "metrics" {
        /// Addresses that answer `/metrics` and `/healthz` over plain HTTP: loopback addresses
        /// only. `anemone metrics` prints the same numbers without any address.
        pub listen: Vec<SocketAddr> = Vec::new();
    }
}

choice! {
    /// How much is logged.
    pub enum Level {
        /// What needs somebody's attention now.
        Error = "error",
        /// And what will soon.
        Warn = "warn",
        /// And what happens: starts, stops, changes by the operator.
        Info = "info",
        /// And what clients do wrong, and every connection.
        Debug = "debug",
        /// And every step.
        Trace = "trace",
    }
}

choice! {
    /// The shape of a log line.
    pub enum LogFormat {
        /// Coloured lines on a terminal, plain lines elsewhere.
        Auto = "auto",
        /// Plain lines.
        Text = "text",
        /// One JSON object per line.
        Json = "json",
    }
}

section! {
    /// The log, written to standard error. It never holds message bodies, keys or passwords.
    pub struct Log as "log" {
        /// How much is logged.
        pub level: Level = Level::Info;
        /// Levels for parts of the server, such as "anemone::auth=debug,info". The environment
        /// variable ANEMONE_LOG does the same and goes before this key.
        pub filter: Option<String> = None;
        /// The shape of a line.
        pub format: LogFormat = LogFormat::Auto;
        /// Days for which what administrators did is kept: when, who, which command, on whom
        /// (`anemone audit list`). The last entry stays, because the next one has its hash.
        pub audit_days: u64 = 365, in 1..=3650;
        /// Write addresses of people and machines in full. Otherwise a person is a code that
        /// changes every day, and a machine is the network it is in.
        pub addresses: bool = false;
    }
}
