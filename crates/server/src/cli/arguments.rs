//! What can be written behind `anemone`; the comments are what `--help` says.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::{federation, notice, terminal};

/// A private chat server (XMPP) for family, friends, a club or a company.
#[derive(Debug, Parser)]
#[command(name = "anemone", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Args)]
pub(super) struct Common {
    /// The data directory [default: $ANEMONE_DATA, or /var/lib/anemone]
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) data: Option<PathBuf>,
    /// Print JSON for scripts instead of text for people
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a data directory: configuration, keys and a certificate
    Init {
        /// The domain to serve: what stands behind the @ in every address
        #[arg(long, value_name = "NAME")]
        domain: String,
    },
    /// Run the server in the foreground
    Serve,
    /// Accounts: add, list, show, disable, enable, password, reset-link, move, admin, clear, retention, delete
    #[command(subcommand)]
    Account(AccountCommand),
    /// Invitations: new, list, revoke
    #[command(subcommand)]
    Invite(InviteCommand),
    /// Requests for an account from the front door's form: list, approve, refuse
    #[command(subcommand)]
    Request(RequestCommand),
    /// Connected devices: list, kick
    #[command(subcommand)]
    Session(SessionCommand),
    /// Other servers: list, domains, deny, allow, try, give-back, end
    #[command(subcommand)]
    Federation(federation::FederationCommand),
    /// Tokens with which devices log in without the password: list, revoke
    #[command(subcommand)]
    Token(TokenCommand),
    /// Files that people uploaded: list, delete
    #[command(subcommand)]
    Upload(UploadCommand),
    /// Rooms: list, show, members, create, set, affiliation, retention, destroy
    #[command(subcommand)]
    Room(RoomCommand),
    /// Devices that are woken by notifications: list, delete
    #[command(subcommand)]
    Push(PushCommand),
    /// What administrators did, by whichever way in: list, verify
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Web administration: link
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Show how much every account takes
    Storage,
    /// Show what is stored, why and for how long; of an account also how much
    Privacy {
        /// Its address, NAME@DOMAIN, or NAME
        account: Option<String>,
    },
    /// Reports that people made when they blocked somebody: list, delete
    #[command(subcommand, visible_alias = "reports")]
    Report(ReportCommand),
    /// What everybody is told by the server: show, now, motd, welcome
    #[command(subcommand)]
    Notice(notice::NoticeCommand),
    /// Let the running server begin anew, with the program as it is on disk
    Restart(notice::Before),
    /// Let the running server go down
    Stop(notice::Before),
    /// Tell apps and people when the server is out of order: announce, end, show
    #[command(subcommand)]
    Outage(OutageCommand),
    /// Look for what is wrong with configuration, certificate, ports, DNS, calls, clock and disk
    Check {
        /// Look at one thing alone
        #[command(subcommand)]
        what: Option<Subject>,
        /// Also read the whole database; takes minutes when it is large
        #[arg(long)]
        deep: bool,
    },
    /// Print the records that the domain should have, as a zone file to copy from
    Dns {
        /// The name of the machine, where that is not the domain
        #[arg(long, value_name = "NAME")]
        host: Option<String>,
    },
    /// Write everything the server keeps into one file, while it runs or not
    Backup {
        /// The file to write; it must not exist
        file: PathBuf,
    },
    /// Put a backup into a data directory; the server must be stopped
    Restore {
        /// The file that `anemone backup` wrote
        file: PathBuf,
        /// Move what is in the data directory aside
        #[arg(long)]
        replace: bool,
    },
    /// Take in what another server kept; the server must be stopped
    Import {
        #[command(subcommand)]
        source: ImportCommand,
        /// Write nothing, and say what would be taken
        #[arg(long, global = true)]
        dry_run: bool,
    },
    /// Write an account with its messages into a file that other servers read (XEP-0227)
    Export {
        /// Its address, NAME@DOMAIN, or NAME
        account: String,
        /// The file to write [default: NAME@DOMAIN.xml]
        file: Option<PathBuf>,
    },
    /// Let the running server read configuration and certificate again
    Reload,
    /// Show the configuration in force
    Config {
        /// Print the manual of all keys instead (Markdown)
        #[arg(long)]
        reference: bool,
    },
    /// Show how the server is
    Status,
    /// Print the running server's numbers in the format of Prometheus
    Metrics,
}

/// What `anemone check` can look at alone.
#[derive(Debug, Subcommand)]
pub(super) enum Subject {
    /// Whether the relay for calls relays: two clients send each other a packet through it
    Turn,
}

#[derive(Debug, Subcommand)]
pub(super) enum AdminCommand {
    /// Print a link that signs in to https://DOMAIN/admin, once and within ten minutes
    Link,
}

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// List who did what on whom, newest first
    List {
        /// So many entries
        #[arg(long, value_name = "NUMBER", default_value_t = 100)]
        most: u32,
        /// Those before the entry with this number
        #[arg(long, value_name = "NUMBER")]
        before: Option<i64>,
    },
    /// See whether the record is as it was written
    Verify {
        /// A hash from an earlier list or from the log, which must be in it; 16 digits are enough
        hash: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ImportCommand {
    /// Prosody's data directory, such as /var/lib/prosody, or its SQLite database
    Prosody {
        /// The directory or the database
        path: PathBuf,
    },
    /// ejabberd's SQLite database, or the file that `ejabberdctl export_piefxis` wrote
    Ejabberd {
        /// The database or the file
        file: PathBuf,
    },
    /// One account from a file of XEP-0227, such as `anemone export` writes
    Account {
        /// The file
        file: PathBuf,
        /// The name of the account, where it is not to be the old one
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum AccountCommand {
    /// Make an account; asks for its password
    Add {
        /// Its address, NAME@DOMAIN, or NAME
        account: String,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
        /// The account may use administration commands
        #[arg(long)]
        admin: bool,
    },
    /// List all accounts
    List,
    /// Show one account
    Show {
        /// Its address, NAME@DOMAIN, or NAME
        account: String,
    },
    /// End all sessions of an account and let it log in no more
    Disable {
        /// Its address, NAME@DOMAIN, or NAME
        account: String,
    },
    /// Let a disabled account log in again
    Enable {
        /// Its address, NAME@DOMAIN, or NAME
        account: String,
    },
    /// Set another password; all devices must log in anew
    Password {
        /// Its address, NAME@DOMAIN, or NAME
        account: String,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Print a link with which the owner sets a new password, once and within a day
    ResetLink {
        /// Its address, NAME@DOMAIN, or NAME
        account: String,
    },
    /// Say where an account moved, so that its contacts can follow (XEP-0283)
    Move {
        /// Its address, NAME@DOMAIN, or NAME
        account: String,
        /// The new address
        #[arg(required_unless_present = "back", conflicts_with = "back")]
        to: Option<String>,
        /// It did not move after all
        #[arg(long)]
        back: bool,
    },
    /// Let an account use administration commands, or no longer
    Admin {
        /// Its address, NAME@DOMAIN, or NAME
        account: String,
        /// Take the right away
        #[arg(long)]
        revoke: bool,
    },
    /// Delete the messages of an account from the server, and nothing else of it; those that no device has
    /// yet stay
    Clear {
        /// Its address, NAME@DOMAIN, or NAME
        account: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Say how long the messages of an account are kept; what is older goes within an hour
    Retention {
        /// Its address, NAME@DOMAIN, or NAME
        account: String,
        /// A number of days, `forever`, or `default` for `retention_days` of anemone.toml
        #[arg(value_name = "DAYS|default|forever", value_parser = terminal::kept)]
        kept: terminal::Kept,
    },
    /// Delete an account with its messages, contacts and everything else
    Delete {
        /// Its address, NAME@DOMAIN, or NAME
        account: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum InviteCommand {
    /// Make an invitation and print its link
    New {
        /// The name of the new account; without it, the invitee chooses
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// How many people can use it
        #[arg(long, value_name = "NUMBER", default_value_t = 1)]
        uses: u32,
        /// How long it is good for, such as 12h, 7d or 2w; without it, `invitation_days` of
        /// anemone.toml says
        #[arg(long, value_name = "TIME", value_parser = terminal::duration)]
        expires: Option<u64>,
        /// The new account may use administration commands
        #[arg(long)]
        admin: bool,
        /// An account that becomes a contact of the new one
        #[arg(long, value_name = "ACCOUNT")]
        contact_of: Option<String>,
        /// A remark for the list
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        note: String,
        /// Print the QR code even when this is not a terminal
        #[arg(long)]
        qr: bool,
    },
    /// List invitations that can be used
    List {
        /// Also those that are used up, expired or revoked
        #[arg(long)]
        all: bool,
    },
    /// Make an invitation useless
    Revoke {
        /// Its number in the list
        id: i64,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum RequestCommand {
    /// List requests that wait for an answer
    List {
        /// Also those that were answered
        #[arg(long)]
        all: bool,
    },
    /// Turn a request into an invitation and print its link, to be sent to the person
    Approve {
        /// Its number in the list
        id: i64,
    },
    /// Refuse a request; nobody is told
    Refuse {
        /// Its number in the list
        id: i64,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum SessionCommand {
    /// List connected devices and those that may resume
    List {
        /// Of one account only
        account: Option<String>,
    },
    /// End one session or all of an account; the devices may connect again
    Kick {
        /// NAME@DOMAIN for all, NAME@DOMAIN/RESOURCE for one
        address: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// List devices that can log in without the password
    List {
        /// Of one account only
        account: Option<String>,
    },
    /// Make the tokens of one device, or of all devices of an account, useless
    Revoke {
        /// NAME@DOMAIN, or NAME
        account: String,
        /// The device as the list names it; all when absent
        device: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum UploadCommand {
    /// List uploaded files
    List {
        /// Of one account only
        account: Option<String>,
    },
    /// Delete one file of an account, or all of them
    Delete {
        /// NAME@DOMAIN, or NAME
        account: String,
        /// The file as the list names it
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        file: Option<String>,
        /// All files of the account
        #[arg(long)]
        all: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum RoomCommand {
    /// List all rooms
    List,
    /// Show one room
    Show {
        /// Its address, or the part before the @
        room: String,
    },
    /// List who belongs to a room, and who is banned from it
    Members {
        /// Its address, or the part before the @
        room: String,
    },
    /// Make a room, a private group unless --public is given
    Create {
        /// Its address, or the part before the @
        room: String,
        /// The account that owns it
        #[arg(long, value_name = "ACCOUNT")]
        owner: String,
        /// A channel that everybody can find and enter
        #[arg(long)]
        public: bool,
        /// What people call it
        #[arg(long, value_name = "TEXT")]
        title: Option<String>,
    },
    /// Change how a room is meant to be used; the people in it are told
    Set {
        /// Its address, or the part before the @
        room: String,
        /// What people call it
        #[arg(long, value_name = "TEXT")]
        title: Option<String>,
        /// A sentence about it
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// Everybody can find it
        #[arg(long, value_name = "yes|no", value_parser = terminal::yes)]
        public: Option<bool>,
        /// Only members come in; who is in it and is none has to leave
        #[arg(long, value_name = "yes|no", value_parser = terminal::yes)]
        members_only: Option<bool>,
        /// Newcomers can only read
        #[arg(long, value_name = "yes|no", value_parser = terminal::yes)]
        moderated: Option<bool>,
        /// Messages are kept
        #[arg(long, value_name = "yes|no", value_parser = terminal::yes)]
        archived: Option<bool>,
    },
    /// Make somebody an owner, admin or member of a room, ban them (outcast), or none of it
    Affiliation {
        /// Its address, or the part before the @
        room: String,
        /// NAME@DOMAIN, the NAME of an account, or a whole domain
        who: String,
        /// What they are to be
        #[arg(value_parser = ["owner", "admin", "member", "outcast", "none"])]
        affiliation: String,
        /// What the people in it are told
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Say how long the messages of a room are kept; what is older goes within an hour
    Retention {
        /// Its address, or the part before the @
        room: String,
        /// A number of days, `forever`, or `default` for `retention_days` of anemone.toml
        #[arg(value_name = "DAYS|default|forever", value_parser = terminal::kept)]
        kept: terminal::Kept,
    },
    /// End a room for good, with its archive
    Destroy {
        /// Its address, or the part before the @
        room: String,
        /// What the people in it are told
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum PushCommand {
    /// List devices that want to be woken, and why one could not be
    List {
        /// Of one account only
        account: Option<String>,
    },
    /// Wake no device of an account any more, until its client asks again
    Delete {
        /// NAME@DOMAIN, or NAME
        account: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ReportCommand {
    /// List reports
    List,
    /// Delete a report
    Delete {
        /// Its number in the list
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum OutageCommand {
    /// Tell apps of an outage, and everybody who is online
    Announce {
        /// What people are told
        text: String,
        /// When it begins, such as 30m, 12h or 2d from now; it is here when absent
        #[arg(long = "in", value_name = "TIME", value_parser = terminal::duration)]
        after: Option<u64>,
        /// How long it will take, such as 30m or 2h, if that is known
        #[arg(long = "for", value_name = "TIME", value_parser = terminal::duration)]
        seconds: Option<u64>,
    },
    /// It is over, or will not be
    End,
    /// Show what is announced
    Show,
}

const EXAMPLES: &str = "\
A first day:
  anemone init --data DIR --domain example.org   make the data directory
  anemone check --data DIR                       see whether all is well
  anemone serve --data DIR                       run the server
  anemone invite new --admin --data DIR          invite yourself, then others
  anemone account list --data DIR                see who is there

Every day:
  anemone invite new --name ada --expires 7d     an invitation for one person
  anemone account reset-link ada                 for who forgot their password
  anemone session list                           who is connected
  anemone status                                 how the server is, and what runs out
  anemone backup /backups/today.tar              everything in one file, while the server runs
  anemone config --reference                     the manual of anemone.toml

Exit codes:
  0  done                          3  configuration or data directory cannot be used
  1  refused, or something failed  4  the server must run for this, or must not
  2  wrong arguments

Passwords are never arguments: they are asked for, or read with --password-stdin.";
