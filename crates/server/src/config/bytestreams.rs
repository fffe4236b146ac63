//! `[bytestreams]`: the proxy for files between two clients.

use super::schema::section;

section! {
    /// A proxy for files between two clients that cannot reach each other (XEP-0065). Users of this
    /// server may send through it to anybody. Its port is `bytestreams` in `[listen]`; nothing is kept.
    pub struct Bytestreams as "bytestreams" {
        /// Whether there is one.
        pub enabled: bool = true;
        /// The address of the service; `proxy.DOMAIN` when absent. It needs no DNS record of its own.
        pub address: Option<String> = None;
        /// The name or the address that leads to its port from outside. When absent it is where
        /// `[turn]` finds this machine, or the domain.
        pub host: Option<String> = None;
        /// Streams of one account at a time.
        pub streams_per_account: u64 = 10, in 1..=1000;
        /// Bytes per second of one stream, each way, averaged over ten seconds.
        pub bytes_per_second: u64 = 1_048_576, in 1024..=1_073_741_824;
        /// Seconds after which a stream ends on which nothing passes.
        pub idle_seconds: u64 = 300, in 1..=86_400;
    }
}

impl Bytestreams {
    /// The address of the service of a domain.
    pub fn address(&self, domain: &str) -> String {
        self.address.clone().unwrap_or_else(|| format!("{PROXY}{domain}"))
    }

    /// Whether the service of a domain has this address.
    pub fn is_at(&self, address: &str, domain: &str) -> bool {
        match &self.address {
            Some(own) => own == address,
            None => address.strip_prefix(PROXY) == Some(domain),
        }
    }
}

const PROXY: &str = "proxy.";
