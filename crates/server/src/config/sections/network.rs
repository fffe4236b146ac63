//! Doors, certificates, other servers, and what one client may use.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use crate::config::{
    hosts::Hosts,
    schema::{choice, section},
};

section! {
    /// Where the server listens. Every key is a list of addresses with port; an empty list closes
    /// that door. `[::]` also accepts IPv4. A key that is not in the file opens its usual port
    /// where it can, and says in the log where it could not; an address that is in the file must
    /// be available or the server does not start. For the domain `localhost`, a trial, the usual
    /// addresses are loopback ones, with port 5443 for `https`.
    pub struct Listen as "listen" {
        /// Clients that start in plain text and change to TLS (STARTTLS, RFC 6120).
        pub c2s: Vec<SocketAddr> = any(5222);
        /// Clients that speak TLS from the first byte (XEP-0368).
        pub c2s_tls: Vec<SocketAddr> = any(5223);
        /// Other servers that start in plain text and change to TLS (STARTTLS, RFC 6120). Closed
        /// where `[federation]` is off.
        pub s2s: Vec<SocketAddr> = any(5269);
        /// Other servers that speak TLS from the first byte (XEP-0368).
        pub s2s_tls: Vec<SocketAddr> = any(5270);
        /// The addresses at which this machine is reached from outside, without port. With them,
        /// `host-meta.json` tells apps and other servers every way in (XEP-0487), and those who read
        /// it ask no further: keep them current.
        pub public: Vec<IpAddr> = Vec::new();
        /// Web pages, invitations, WebSocket and BOSH (`/http-bind`), with TLS.
        pub https: Vec<SocketAddr> = any(443);
        /// The same without TLS, for a reverse proxy on this machine, or for a browser in a trial:
        /// loopback addresses only. What comes in here counts as protected.
        pub http: Vec<SocketAddr> = Vec::new();
        /// Plain HTTP for everybody, usually `["[::]:80"]`: browsers are sent on to HTTPS, and the
        /// certificate authority finds what it asks for (`[acme]` with `http-01`). Nothing else is
        /// there.
        pub redirect: Vec<SocketAddr> = Vec::new();
        /// STUN and TURN for calls, over UDP and over TCP. Opened where `[turn]` has an address
        /// that the internet can reach.
        pub turn: Vec<SocketAddr> = any(3478);
        /// The same inside TLS, for networks that let nothing else through. `https` takes it as
        /// well, from clients that ask for it (RFC 7443).
        pub turn_tls: Vec<SocketAddr> = any(5349);
        /// Files between two clients that cannot reach each other (XEP-0065).
        pub bytestreams: Vec<SocketAddr> = any(7777);
    }
}

choice! {
    /// A version of TLS.
    pub enum TlsVersion {
        /// TLS 1.2 (RFC 5246), with the extended master secret.
        V12 = "1.2",
        /// TLS 1.3 (RFC 8446).
        V13 = "1.3",
    }
}

section! {
    /// Encryption of every connection. Without `certificate` and `key` the server makes its own
    /// authority (`ca.pem` in the data directory, to be trusted by the clients) and renews the
    /// certificate it signs by itself.
    pub struct Tls as "tls" {
        /// The certificate chain in PEM, the server's own certificate first. It is read again when
        /// it changes, without a restart.
        pub certificate: Option<PathBuf> = None;
        /// Its private key in PEM, readable by the server alone.
        pub key: Option<PathBuf> = None;
        /// Whether clients must use TLS. `false` also allows plain text, and is accepted only when
        /// every address in `c2s` is a loopback address.
        pub required: bool = true;
        /// The oldest version of TLS that clients and browsers may use; phones before Android 10 have
        /// none newer than 1.2. Other servers may use 1.2 in any case.
        pub oldest: TlsVersion = TlsVersion::V12;
    }
}

choice! {
    /// How a certificate authority sees that a name is ours.
    pub enum Challenge {
        /// By a handshake on port 443 (RFC 8737).
        TlsAlpn = "tls-alpn-01",
        /// By a page on port 80 (RFC 8555 §8.3).
        Http = "http-01",
        /// By a record of the domain (RFC 8555 §8.4).
        Dns = "dns-01",
    }
}

impl Challenge {
    /// As the protocol calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TlsAlpn => "tls-alpn-01",
            Self::Http => "http-01",
            Self::Dns => "dns-01",
        }
    }
}

section! {
    /// A certificate that everybody trusts, got and renewed by the server itself (ACME, RFC 8555),
    /// in place of one from `[tls]`. Until it is there the server uses one of its own authority.
    pub struct Acme as "acme" {
        /// Whether to ask for one. `true` means that you accept the terms of the authority.
        pub enabled: bool = false;
        /// The authority's directory.
        pub directory: String = LETS_ENCRYPT.to_owned();
        /// A PEM file with the authority behind the directory's own HTTPS, where this system does
        /// not know it: for an authority inside a network.
        pub authority: Option<PathBuf> = None;
        /// Where the authority may write to you: an e-mail address.
        pub contact: Option<String> = None;
        /// What the certificate is for beside the domain. When the list is empty: the domains below it
        /// at which the server has something for others, which are rooms, nodes, components, and files
        /// with an address of their own. What cannot be checked is left out, and asked for again a day
        /// later.
        pub names: Vec<String> = Vec::new();
        /// How the authority sees that the names are yours: "tls-alpn-01" on port 443, "http-01" on
        /// port 80 (`redirect` in `[listen]`), or "dns-01" with `hook`.
        pub challenge: Challenge = Challenge::TlsAlpn;
        /// For "dns-01": a program, run as `HOOK add NAME VALUE` before the check and `HOOK remove
        /// NAME VALUE` after it. It sets or removes a TXT record, and ends when that can be seen.
        pub hook: Option<PathBuf> = None;
    }
}

section! {
    /// What one client, one address or one account may use.
    pub struct Limits as "limits" {
        /// Whether rates are limited: stanzas and bytes per second, connections per address, and
        /// the growing delay after wrong passwords. Turn it off in test beds only. Sizes and depth
        /// of what clients send stay limited.
        pub throttle: bool = true;
        /// Seconds a connection may take from its first byte to a successful login.
        pub unauthenticated_seconds: u64 = 30, in 1..=3600;
        /// Seconds a connection may take for its TLS handshake.
        pub handshake_seconds: u64 = 10, in 1..=300;
        /// Connections before login, of all addresses together.
        pub unauthenticated_total: u64 = 2000, in 1..=1_000_000;
        /// Connections before login from one address (IPv4 address, IPv6 /64).
        pub unauthenticated_per_address: u64 = 20, in 1..=100_000;
        /// Connections from one address (IPv4 address, IPv6 /64).
        pub connections_per_address: u64 = 100, in 1..=1_000_000;
        /// Connections from one network (IPv4 /24, IPv6 /48).
        pub connections_per_network: u64 = 1000, in 1..=1_000_000;
        /// The largest stanza a logged-in client may send, in bytes.
        pub stanza_bytes: u64 = 262_144, in 10_000..=8_388_608;
        /// Stanzas per second of one connection, averaged over ten seconds. All connections of one
        /// account together may send twice as many.
        pub stanzas_per_second: u64 = 100, in 1..=1_000_000;
        /// Bytes per second of one connection, averaged over ten seconds. All connections of one
        /// account together may send twice as many.
        pub bytes_per_second: u64 = 131_072, in 1024..=1_073_741_824;
        /// Bytes per second that go to others because of one account, averaged over ten seconds: a
        /// message in a room counts as many times as it has occupants, a presence as many times as
        /// it has readers. A large one may go beyond; then nothing more goes to many until that
        /// has come back. A room, and another domain as a whole, may send twenty times as much.
        pub fan_out_bytes_per_second: u64 = 2_097_152, in 1024..=1_099_511_627_776;
        /// Devices of one account that may be connected or resumable at a time.
        pub sessions_per_account: u64 = 20, in 1..=1000;
        /// Seconds a lost connection may be resumed with nothing lost (XEP-0198).
        pub resume_seconds: u64 = 600, in 1..=86_400;
        /// Unacknowledged stanzas kept for a client.
        pub unacknowledged_stanzas: u64 = 500, in 10..=100_000;
        /// Unacknowledged bytes kept for a client.
        pub unacknowledged_bytes: u64 = 1_048_576, in 65_536..=1_073_741_824;
        /// Contacts in one account's roster.
        pub contacts_per_account: u64 = 2000, in 10..=100_000;
        /// Bytes that one account may keep in personal nodes: avatars, OMEMO keys, bookmarks.
        pub pep_bytes_per_account: u64 = 10_485_760, in 65_536..=1_073_741_824;
        /// Bytes that one account may keep in private storage and vCards.
        pub private_bytes_per_account: u64 = 1_048_576, in 65_536..=1_073_741_824;
    }
}

section! {
    /// Other servers: with whom people on this server can talk. Every connection is encrypted, and
    /// the other server proves by its certificate which domain it is.
    pub struct Federation as "federation" {
        /// Whether this server talks to others. When absent, it does, except for the domain
        /// `localhost` without `hosts`.
        pub enabled: Option<bool> = None;
        /// The only domains to talk to; all when the list is empty. `*.example.org` stands for
        /// everything below a domain.
        pub allow: Vec<String> = Vec::new();
        /// Domains not to talk to, whatever `allow` says.
        pub deny: Vec<String> = Vec::new();
        /// Domains that may prove themselves by dialback (XEP-0220) when their certificate does
        /// not, still inside TLS. This is weaker: it trusts the domain name system and the network.
        pub dialback: Vec<String> = Vec::new();
        /// Domains whose servers are at fixed addresses, for private networks and trials: each with
        /// an address, or with a table that also says `tls = true` for TLS from the first byte. The
        /// domain name system is not asked about them.
        pub hosts: Hosts = Hosts::default();
        /// Whether other servers are also looked for at addresses that are not public, when the domain
        /// name system leads there: for private networks with names of their own. Otherwise nobody can
        /// find out through this server what only it can reach. Those in `hosts` need no permission.
        pub private_addresses: bool = false;
        /// Files with further certificate authorities in PEM. They are trusted for the domains in
        /// `hosts` and for no others.
        pub trust: Vec<PathBuf> = Vec::new();
        /// Seconds after which a message goes back to its sender when the other server cannot be
        /// reached. Until then it waits and is tried again, also after a restart.
        pub bounce_seconds: u64 = 172_800, in 1..=2_592_000;
        /// How many stanzas may wait for all other servers together, in memory and on disk; for one
        /// of them, a quarter. What is more goes back to its sender at once.
        pub waiting_stanzas: u64 = 100_000, in 1000..=100_000_000;
        /// The same, in bytes.
        pub waiting_bytes: u64 = 268_435_456, in 1_048_576..=1_099_511_627_776;
        /// The largest stanza another server may send, in bytes.
        pub stanza_bytes: u64 = 524_288, in 10_000..=8_388_608;
        /// Connections that one other domain may have open to this server at a time.
        pub streams_per_domain: u64 = 20, in 2..=10_000;
        /// Stanzas per second of one connection of another server, averaged over ten seconds. All
        /// connections of one domain together may send twice as many.
        pub stanzas_per_second: u64 = 500, in 1..=1_000_000;
        /// Bytes per second of one connection of another server, averaged over ten seconds. All
        /// connections of one domain together may send twice as many.
        pub bytes_per_second: u64 = 1_048_576, in 1024..=1_073_741_824;
    }
}

impl Listen {
    /// The addresses for a domain whose file sets none.
    pub(in crate::config) fn of(domain: &str) -> Listen {
        if domain != "localhost" {
            return Listen::default();
        }
        Listen {
            c2s: loopback(5222),
            c2s_tls: loopback(5223),
            https: loopback(5443),
            s2s: loopback(5269),
            s2s_tls: loopback(5270),
            turn: loopback(3478),
            turn_tls: loopback(5349),
            bytestreams: loopback(7777),
            ..Listen::default()
        }
    }
}

/// One port for programs on this machine.
pub(super) fn loopback(port: u16) -> Vec<SocketAddr> {
    vec![
        SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
    ]
}

/// One address on all interfaces, IPv6 and IPv4.
fn any(port: u16) -> Vec<SocketAddr> {
    vec![SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port)]
}

impl Limits {
    /// The time before authentication as a duration.
    pub fn unauthenticated(&self) -> Duration {
        Duration::from_secs(self.unauthenticated_seconds)
    }

    /// The time for a TLS handshake as a duration.
    pub fn handshake(&self) -> Duration {
        Duration::from_secs(self.handshake_seconds)
    }

    /// How long a detached session may be resumed as a duration.
    pub fn resume(&self) -> Duration {
        Duration::from_secs(self.resume_seconds)
    }
}

const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
