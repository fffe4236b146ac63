//! What people use: archives, rooms, nodes, files, calls, programs with a domain, push.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use super::network::loopback;
use crate::config::{
    components::ComponentHosts,
    permissions::ComponentPermissions,
    schema::{choice, section},
};

section! {
    /// The history of messages that lets every device of a user catch up (XEP-0313).
    pub struct Archive as "archive" {
        /// Whether messages are archived. Without it, messages for users who are offline are still
        /// kept until they return.
        pub enabled: bool = true;
        /// Days a message stays in the archive; 0 keeps it for ever. `anemone account retention` and
        /// `anemone room retention` say it for one account or one room, longer or shorter; people can
        /// shorten it for themselves, and owners for their rooms.
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
        /// have another address than invitations. It must lead to `https` or `http`. Files
        /// with a name of their own are another site to browsers than the client and the
        /// pages for administrators: `anemone check` recommends it.
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
        /// Messages per second of one person in a room, averaged over ten seconds; coming in, and
        /// changes of nickname or presence, cost as much. A room takes twenty times as many messages
        /// from all of them together, and as many presences.
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
        /// Seconds for which such a password is good. What somebody has at the relay in `[turn]` cannot
        /// be refreshed afterwards and ends within minutes; it ends at once with the account.
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
    /// Addresses for notifications of other applications (UnifiedPush): an app on a phone that is connected
    /// here, such as Conversations, takes them for the applications beside it. They need no connection of
    /// their own then, and no service of the phone's maker. Accounts of this server get such addresses.
    pub struct UnifiedPush as "unified_push" {
        /// Whether apps get addresses.
        pub enabled: bool = true;
        /// Days after which an address ends, unless its app asks for it again. The app is told to do so
        /// after half of them.
        pub days: u64 = 30, in 4..=365;
        /// Addresses of one account; the one that would end first makes room.
        pub endpoints_per_account: u64 = 50, in 1..=1000;
        /// Notifications to one address in a minute. One network may send twenty times as many to all
        /// addresses together.
        pub messages_per_minute: u64 = 60, in 1..=10_000;
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
const PUBSUB: &str = "pubsub.";
const ROOMS: &str = "conference.";
