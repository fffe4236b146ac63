//! Accounts, what people are told, what they see of the server, and abuse.

use std::path::PathBuf;

use crate::config::schema::{choice, section};

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
        /// People who are no contacts that one account may write to in an hour; rooms do not count. It
        /// may ask five times as many to become contacts.
        pub strangers_per_hour: u64 = 100, in 1..=1_000_000;
        /// Messages, and requests to become contacts, that one other domain may send in an hour to
        /// people who have not got their senders as contacts.
        pub stranger_messages_per_hour: u64 = 1000, in 1..=10_000_000;
        /// Whether people of other domains may send links, files and long messages to somebody who
        /// has not got them as a contact and never wrote to them. Otherwise they begin with short
        /// texts, and what is more goes back to them. What is encrypted has a bound for its length
        /// alone, because nobody can look into it.
        pub stranger_links: bool = false;
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
        /// Whose pages may connect beside this server's own, by WebSocket and BOSH: web clients that
        /// are served elsewhere, such as "https://web.example.net"; `https://*.example.net` stands for
        /// everything below a domain, `*` for every page there is. Programs outside of browsers are
        /// not asked.
        pub origins: Vec<String> = Vec::new();
        /// Whether a reverse proxy in front of `http` says in the header `X-Forwarded-For` whom it
        /// forwards. Then what one address or network may do is counted for each visitor, and no longer
        /// for all of them together. Only for a proxy that sets or extends this header: with another one,
        /// everybody could say that they come from anywhere.
        pub forwarded: bool = false;
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
