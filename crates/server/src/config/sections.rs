//! The sections of `anemone.toml`. The comments here are the manual: `anemone config --reference`
//! prints them and `docs/config.md` is that output.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use super::{
    components::ComponentHosts,
    hosts::Hosts,
    permissions::ComponentPermissions,
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
    /// Who may make an account.
    pub enum Policy {
        /// People who hold an invitation.
        Invite = "invite",
        /// Nobody; the operator adds accounts.
        Closed = "closed",
        /// Everybody who asks (XEP-0077).
        Open = "open",
    }
}

choice! {
    /// Which users may invite others.
    pub enum Inviters {
        /// Every user of the server.
        Everyone = "everyone",
        /// Administrators only.
        Admins = "admins",
    }
}

section! {
    /// How people get an account.
    pub struct Registration as "registration" {
        /// Who may make an account: holders of an invitation, nobody, or everybody. With "closed"
        /// the operator still adds accounts with `anemone account add`.
        pub policy: Policy = Policy::Invite;
        /// Which users may make invitations from their own client (XEP-0401).
        pub inviters: Inviters = Inviters::Everyone;
        /// How many days an invitation is good for unless its maker says otherwise.
        pub invitation_days: u64 = 7, in 1..=365;
        /// How many unused invitations one user may have at a time.
        pub invitations_per_user: u64 = 10, in 1..=1000;
        /// The shortest password accepted, in characters.
        pub password_length: u64 = 8, in 8..=128;
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
        /// What the certificate is for beside the domain; `conference.DOMAIN`, or where the rooms
        /// are, when the list is empty. When one of these cannot be checked, the domain gets its
        /// certificate alone.
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
    /// How people prove who they are.
    pub struct Login as "login" {
        /// Offer the mechanism PLAIN, inside TLS only, for clients that know nothing better. The
        /// client then sends the password itself.
        pub plain: bool = false;
        /// Let clients log in again with a token instead of the password (FAST, XEP-0484).
        pub tokens: bool = true;
        /// How many days a token is good for after its last use.
        pub token_days: u64 = 21, in 1..=365;
        /// PBKDF2 iterations for new passwords. More makes a stolen database harder to crack and
        /// every login with a password slower on the client.
        pub iterations: u64 = 100_000, in 4096..=1_000_000;
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
        /// Stanzas per second of one connection, averaged over ten seconds.
        pub stanzas_per_second: u64 = 100, in 1..=1_000_000;
        /// Bytes per second of one connection, averaged over ten seconds.
        pub bytes_per_second: u64 = 131_072, in 1024..=1_073_741_824;
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
        /// Files with further certificate authorities in PEM. They are trusted for the domains in
        /// `hosts` and for no others.
        pub trust: Vec<PathBuf> = Vec::new();
        /// Seconds after which a message goes back to its sender when the other server cannot be
        /// reached. Until then it waits and is tried again, also after a restart.
        pub bounce_seconds: u64 = 172_800, in 1..=2_592_000;
        /// The largest stanza another server may send, in bytes.
        pub stanza_bytes: u64 = 524_288, in 10_000..=8_388_608;
        /// Stanzas per second of one connection of another server, averaged over ten seconds.
        pub stanzas_per_second: u64 = 500, in 1..=1_000_000;
        /// Bytes per second of one connection of another server, averaged over ten seconds.
        pub bytes_per_second: u64 = 1_048_576, in 1024..=1_073_741_824;
    }
}

section! {
    /// The history of messages that lets every device of a user catch up (XEP-0313).
    pub struct Archive as "archive" {
        /// Whether messages are archived. Without it, messages for users who are offline are still
        /// kept until they return.
        pub enabled: bool = true;
        /// Days a message stays in the archive; 0 keeps it for ever.
        pub retention_days: u64 = 30, in 0..=36_500;
    }
}

section! {
    /// Files that people share (XEP-0363). They are uploaded over HTTPS, and whoever has the link of
    /// a file can fetch it until it ends. They lie in `uploads` in the data directory.
    pub struct Upload as "upload" {
        /// Whether files are taken.
        pub enabled: bool = true;
        /// The address at which clients ask for upload slots; `upload.DOMAIN` when absent. It needs
        /// no DNS record of its own.
        pub address: Option<String> = None;
        /// What the links of files begin with, such as "https://files.example.org", when they are to
        /// have another address than invitations. It must lead to `https` or `http`. A name of its
        /// own also keeps files and pages apart in browsers.
        pub url: Option<String> = None;
        /// The largest file, in bytes.
        pub file_bytes: u64 = 104_857_600, in 1024..=1_099_511_627_776;
        /// Bytes of shared files that one account may have at a time.
        pub bytes_per_account: u64 = 1_073_741_824, in 1024..=1_125_899_906_842_624;
        /// Days a shared file is kept; 0 keeps it until its owner deletes it.
        pub retention_days: u64 = 30, in 0..=36_500;
        /// Bytes of one account for its profile, such as avatars. They are kept until they are
        /// deleted.
        pub profile_bytes_per_account: u64 = 10_485_760, in 1024..=1_125_899_906_842_624;
        /// Bytes of one account for files that are to be kept for good, such as pictures in a blog;
        /// 0 takes no such files.
        pub permanent_bytes_per_account: u64 = 104_857_600, in 0..=1_125_899_906_842_624;
        /// Files of one account, of all kinds.
        pub files_per_account: u64 = 10_000, in 1..=10_000_000;
        /// Bytes of the disk that files never take: messages need them.
        pub keep_free_bytes: u64 = 268_435_456, in 0..=1_125_899_906_842_624;
    }
}

choice! {
    /// Who may make rooms, or nodes.
    pub enum Creators {
        /// Every user of the server.
        Everyone = "everyone",
        /// Administrators only.
        Admins = "admins",
        /// Nobody.
        Nobody = "nobody",
    }
}

choice! {
    /// What a room is until its owner configures it.
    pub enum DefaultRoom {
        /// For members, who see each other's addresses and so can encrypt for each other.
        Group = "group",
        /// For everybody, and nobody but moderators sees who they are.
        Channel = "channel",
    }
}

section! {
    /// Rooms in which many people talk (XEP-0045).
    pub struct Rooms as "rooms" {
        /// Whether there are rooms.
        pub enabled: bool = true;
        /// What stands behind the `@` in the addresses of rooms; `conference.DOMAIN` when absent.
        /// People of this server need no DNS record for it.
        pub address: Option<String> = None;
        /// Who may make rooms. People of other servers never may.
        pub creators: Creators = Creators::Everyone;
        /// What a new room is until its owner configures it: a private group, for members only, or
        /// a public channel. Both are archived and stay when everybody has left.
        pub default: DefaultRoom = DefaultRoom::Group;
        /// Rooms that one account may have made.
        pub rooms_per_account: u64 = 50, in 0..=1_000_000;
        /// Connected devices in one room.
        pub occupants_per_room: u64 = 1000, in 2..=100_000;
        /// Messages per second of one occupant, averaged over ten seconds. A room takes twenty times
        /// as many from all of them together.
        pub messages_per_second: u64 = 5, in 1..=1000;
    }
}

section! {
    /// Nodes that people make for each other and subscribe to (XEP-0060), beside those that every
    /// account has of its own: news, announcements, data that programs share.
    pub struct Pubsub as "pubsub" {
        /// Whether there is such a service.
        pub enabled: bool = true;
        /// Its address; `pubsub.DOMAIN` when absent. People of this server need no DNS record for it.
        pub address: Option<String> = None;
        /// Who may make nodes. People of other servers never may; they subscribe, and publish where
        /// an owner lets them.
        pub creators: Creators = Creators::Everyone;
        /// Nodes that one account may own.
        pub nodes_per_account: u64 = 50, in 0..=10_000;
        /// Whether the node `serverinfo` tells everybody which domains this server is connected to
        /// (XEP-0485), by name those that publish theirs as well: for maps of the network. Saying so
        /// also lets others name this server.
        pub server_info: bool = false;
        /// Bytes of all nodes and items together. A node has 1000 items, subscriptions and
        /// affiliations at most.
        pub bytes: u64 = 100_000_000, in 0..=1_000_000_000_000;
        /// Bytes of the nodes that one account owns, with everything in them.
        pub bytes_per_account: u64 = 10_000_000, in 0..=1_000_000_000_000;
    }
}

section! {
    /// Services outside of this program that calls need (XEP-0215), beside the server's own one in
    /// `[turn]`: STUN to find a way between two devices, TURN where there is none.
    pub struct Calls as "calls" {
        /// Their addresses, such as "stun:stun.example.org:3478" and
        /// "turn:turn.example.org:3478?transport=udp"; `stuns` and `turns` are those with TLS.
        pub services: Vec<String> = Vec::new();
        /// A file with the secret that the TURN service knows as well (`static-auth-secret` of
        /// coturn). Every device gets a password that is made from it.
        pub secret_file: Option<PathBuf> = None;
        /// Seconds for which such a password is good.
        pub credential_seconds: u64 = 86_400, in 60..=604_800;
    }
}

section! {
    /// Programs of yours that serve a domain each, such as gateways to other networks (XEP-0114).
    pub struct Components as "components" {
        /// Where they connect to. Nothing is encrypted there, so it is a loopback address unless
        /// the network is your own. Nothing is opened while `hosts` is empty.
        pub listen: Vec<SocketAddr> = loopback(5347);
        /// The domains, each with the secret that its program knows.
        pub hosts: ComponentHosts = ComponentHosts::default();
        /// What a program may do in the name of the accounts here (XEP-0356) or instead of the
        /// server (XEP-0355): grant it only to programs you trust like the server itself.
        /// `"gateway"` is what gateways such as slidge need. Without an entry a program speaks for
        /// its own domain alone.
        pub permissions: ComponentPermissions = ComponentPermissions::default();
    }
}

section! {
    /// Waking devices that sleep: through the server of a mobile app (XEP-0357), or straight through
    /// the push service of a browser or of a phone (Web Push, which UnifiedPush speaks as well). A
    /// notification says that something is there, and never who wrote or what.
    pub struct Push as "push" {
        /// Whether devices are woken.
        pub enabled: bool = true;
        /// Whether Web Push also goes to addresses of private networks, and to this machine without
        /// TLS: for a push service of your own. Otherwise nobody can make this server ask what only
        /// it can reach.
        pub private_addresses: bool = false;
        /// Files with further certificate authorities in PEM, trusted for Web Push beside those of
        /// the system.
        pub trust: Vec<PathBuf> = Vec::new();
        /// Registrations of one account; the oldest makes room.
        pub registrations_per_account: u64 = 20, in 1..=1000;
    }
}

section! {
    /// Whom to ask about this server (XEP-0157). Every key is a list of addresses such as
    /// "mailto:ada@example.org" or "xmpp:ada@example.org". They are public.
    pub struct Contact as "contact" {
        /// Reports of abuse.
        pub abuse: Vec<String> = Vec::new();
        /// The people who run the server.
        pub admin: Vec<String> = Vec::new();
        /// Comments.
        pub feedback: Vec<String> = Vec::new();
        /// Sales.
        pub sales: Vec<String> = Vec::new();
        /// Reports of security problems.
        pub security: Vec<String> = Vec::new();
        /// Where the state of the service is announced.
        pub status: Vec<String> = Vec::new();
        /// Help for users.
        pub support: Vec<String> = Vec::new();
    }
}

section! {
    /// Against spam, beside what people block themselves.
    pub struct Abuse as "abuse" {
        /// Block lists to follow, as SERVICE/NODE such as "xmppbl.org/muc_bans_sha256": nodes with
        /// hashes of addresses and domains. Whoever is on one cannot reach people here who do not
        /// have them as a contact. The service learns that this server follows it, and nothing else.
        pub block_lists: Vec<String> = Vec::new();
        /// People who are no contacts that one account may write to in an hour; rooms do not count.
        pub strangers_per_hour: u64 = 100, in 1..=1_000_000;
        /// Messages that one other domain may send in an hour to people who have not got their
        /// senders as contacts.
        pub stranger_messages_per_hour: u64 = 1000, in 1..=10_000_000;
    }
}

section! {
    /// Telling apps when the server is, or will be, out of order (XEP-0455), with `anemone outage`.
    pub struct Outage as "outage" {
        /// Addresses of copies of `outage.json` (in the data directory) that you keep on another
        /// machine, for when this one is away. Without any, apps are told the server's own address,
        /// which can only say what is planned.
        pub addresses: Vec<String> = Vec::new();
    }
}

choice! {
    /// Who can get at what people keep here (XEP-0504).
    pub enum Reader {
        /// The people who run the server.
        Admins = "admins",
        /// Those who moderate rooms.
        Moderators = "moderators",
        /// Anybody in the organization that owns the server.
        Organization = "organization_member",
        /// Authorities, when the law says so.
        Government = "government",
        /// Advertisers.
        Advertisers = "advertisers",
        /// Others whom a contract binds.
        Partners = "partners",
    }
}

section! {
    /// What people can learn of how their data is handled (XEP-0504). What the server knows about
    /// itself it says by itself: how people log in, how long messages and files are kept, that an
    /// account can be deleted with everything. The rest is for you to say.
    pub struct DataPolicy as "data_policy" {
        /// Whether it is told.
        pub enabled: bool = true;
        /// Who can get at what people keep here, besides themselves.
        pub access: Vec<Reader> = vec![Reader::Admins];
        /// Hours between two backups; 0 when you make none.
        pub backup_hours: Option<u64> = None;
        /// Hours that a backup is kept.
        pub backup_retention_hours: Option<u64> = None;
        /// The address of your terms of service.
        pub terms: Option<String> = None;
        /// Anything else that people should know.
        pub remarks: Option<String> = None;
    }
}

section! {
    /// Clownfish, the client for browsers, at `https://DOMAIN/`. It is part of the server's program
    /// and talks to nobody but this server.
    pub struct Web as "web" {
        /// Whether it is served. Otherwise the front door is at that address.
        pub enabled: bool = true;
        /// Where else it may fetch files from, such as "https://upload.example.net": people on other
        /// servers share files that lie there, and the client's policy forbids every address that is
        /// not named. A list of origins without path; `https://*.example.net` stands for everything
        /// below a domain.
        pub files_from: Vec<String> = Vec::new();
    }
}

section! {
    /// The page at `https://DOMAIN/about`, and the links that lead to it.
    pub struct FrontDoor as "front_door" {
        /// The name of the server as people know it. The domain when absent.
        pub title: Option<String> = None;
        /// A file with HTML of your own that replaces the middle of the page.
        pub page: Option<PathBuf> = None;
        /// The address that leads to `https` or `http` from outside, such as
        /// "https://chat.example.org", when that is not `https://DOMAIN` with the listener's port.
        pub url: Option<String> = None;
        /// Offer a form in which visitors ask for an account. The operator sees the entries with
        /// `anemone request list` and turns each into an invitation or refuses it.
        pub requests: bool = false;
        /// Entries that may wait for an answer at a time; the form closes when they are reached.
        pub requests_waiting: u64 = 50, in 1..=10_000;
        /// Entries from one network in a day.
        pub requests_per_network: u64 = 3, in 1..=1000;
    }
}

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
        /// Write addresses of people and machines in full. Otherwise a person is a code that
        /// changes every day, and a machine is the network it is in.
        pub addresses: bool = false;
    }
}

impl Listen {
    /// The addresses for a domain whose file sets none.
    pub(super) fn of(domain: &str) -> Listen {
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
fn loopback(port: u16) -> Vec<SocketAddr> {
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

impl Archive {
    /// How long a message is kept; `None` for ever.
    pub fn retention(&self) -> Option<Duration> {
        let day = Duration::from_secs(24 * 60 * 60);
        (self.retention_days > 0).then(|| day * u32::try_from(self.retention_days).unwrap_or(0))
    }
}

impl Upload {
    /// The address of the service of a domain.
    pub fn address(&self, domain: &str) -> String {
        self.address.clone().unwrap_or_else(|| format!("{UPLOAD}{domain}"))
    }

    /// Whether the service of a domain has this address.
    pub fn is_at(&self, address: &str, domain: &str) -> bool {
        match &self.address {
            Some(own) => own == address,
            None => address.strip_prefix(UPLOAD) == Some(domain),
        }
    }

    /// How long a shared file is kept; `None` for ever.
    pub fn retention(&self) -> Option<Duration> {
        let day = Duration::from_secs(24 * 60 * 60);
        (self.retention_days > 0).then(|| day * u32::try_from(self.retention_days).unwrap_or(0))
    }
}

impl Pubsub {
    /// The address of the service of a domain.
    pub fn address(&self, domain: &str) -> String {
        self.address.clone().unwrap_or_else(|| format!("{PUBSUB}{domain}"))
    }

    /// Whether the service of a domain has this address.
    pub fn is_at(&self, address: &str, domain: &str) -> bool {
        match &self.address {
            Some(own) => own == address,
            None => address.strip_prefix(PUBSUB) == Some(domain),
        }
    }
}

impl Rooms {
    /// The address of the service of a domain.
    pub fn address(&self, domain: &str) -> String {
        self.address.clone().unwrap_or_else(|| format!("{ROOMS}{domain}"))
    }

    /// Whether the service of a domain has this address.
    pub fn is_at(&self, address: &str, domain: &str) -> bool {
        match &self.address {
            Some(own) => own == address,
            None => address.strip_prefix(ROOMS) == Some(domain),
        }
    }
}

const UPLOAD: &str = "upload.";
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
const PUBSUB: &str = "pubsub.";
const ROOMS: &str = "conference.";

impl Contact {
    /// The kinds of XEP-0157 with their addresses, in the order of its form; kinds without an
    /// address are left out.
    pub fn addresses(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        [
            ("abuse", &self.abuse),
            ("admin", &self.admin),
            ("feedback", &self.feedback),
            ("sales", &self.sales),
            ("security", &self.security),
            ("status", &self.status),
            ("support", &self.support),
        ]
        .into_iter()
        .filter(|(_, addresses)| !addresses.is_empty())
        .map(|(kind, addresses)| (kind, addresses.as_slice()))
    }
}
