//! The command line: `anemone --help` tells everything. Commands that change something talk to the
//! running server over its socket, or open the database themselves when it is stopped.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use store::OpenError;

use crate::{
    admin::{Fault, FaultCode, NewInvitation, Request, Response, RoomSettings},
    config::Home,
    moving::{Source, Wish},
    serve::ServeError,
};

mod backup;
mod check;
mod connect;
mod dns;
mod init;
mod moving;
mod show;
mod terminal;

/// A private chat server (XMPP) for family, friends, a club or a company.
#[derive(Debug, Parser)]
#[command(name = "anemone", version, after_help = EXAMPLES, disable_help_subcommand = true)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Common {
    /// The data directory [default: $ANEMONE_DATA, or /var/lib/anemone]
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
    /// Print JSON for scripts instead of text for people
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a data directory: configuration, keys and a certificate
    Init {
        /// The domain to serve: what stands behind the @ in every address
        #[arg(long, value_name = "NAME")]
        domain: String,
    },
    /// Run the server in the foreground
    Serve,
    /// Accounts: add, list, show, disable, enable, password, reset-link, move, admin, clear, delete
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
    /// Other servers: list, try, give-back, end
    #[command(subcommand)]
    Federation(FederationCommand),
    /// Tokens with which devices log in without the password: list, revoke
    #[command(subcommand)]
    Token(TokenCommand),
    /// Files that people uploaded: list, delete
    #[command(subcommand)]
    Upload(UploadCommand),
    /// Rooms: list, show, members, create, set, affiliation, destroy
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
enum Subject {
    /// Whether the relay for calls relays: two clients send each other a packet through it
    Turn,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Print a link that signs in to https://DOMAIN/admin, once and within ten minutes
    Link,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
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
enum ImportCommand {
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
enum AccountCommand {
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
    /// Delete the messages of an account from the server, and nothing else of it
    Clear {
        /// Its address, NAME@DOMAIN, or NAME
        account: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
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
enum InviteCommand {
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
enum RequestCommand {
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
enum SessionCommand {
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
enum FederationCommand {
    /// List other servers: connections, what waits for them, and why one cannot be reached
    List,
    /// Connect to another server now, and say what came of it
    Try {
        /// Its domain
        domain: String,
    },
    /// Give what waits for a server that is not connected back to its senders
    GiveBack {
        /// Its domain
        domain: String,
    },
    /// End the streams of another server; new ones are opened when there is something to send
    End {
        /// Its domain
        domain: String,
    },
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
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
enum UploadCommand {
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
enum RoomCommand {
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
enum PushCommand {
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
enum ReportCommand {
    /// List reports
    List,
    /// Delete a report
    Delete {
        /// Its number in the list
        id: String,
    },
}

#[derive(Debug, Subcommand)]
enum OutageCommand {
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

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = run(arguments.command, &home(arguments.common.data), arguments.common.json);
    match outcome {
        Ok(code) => code,
        Err(fault) => {
            show::fault(&fault, arguments.common.json);
            exit_code(fault.code)
        }
    }
}

fn home(data: Option<PathBuf>) -> Home {
    let environment = || std::env::var_os("ANEMONE_DATA").map(PathBuf::from);
    Home::new(data.or_else(environment).unwrap_or_else(|| PathBuf::from("/var/lib/anemone")))
}

fn run(command: Command, home: &Home, json: bool) -> Result<ExitCode, Fault> {
    match command {
        Command::Init { domain } => init::run(home, &domain, json),
        Command::Serve => serve(home),
        Command::Check { what: Some(Subject::Turn), .. } => {
            connect::block_on(check::relay(home, json))?
        }
        Command::Check { what: None, deep } => connect::block_on(check::run(home, deep, json))?,
        Command::Dns { host } => dns::run(home, host.as_deref(), json),
        Command::Backup { file } => connect::block_on(backup::backup(home, &file, json))?,
        Command::Restore { file, replace } => {
            connect::block_on(backup::restore(home, &file, replace, json))?
        }
        Command::Import { source, dry_run } => {
            let (source, name) = match source {
                ImportCommand::Prosody { path } => (Source::Prosody(path), None),
                ImportCommand::Ejabberd { file } => (Source::Ejabberd(file), None),
                ImportCommand::Account { file, name } => (Source::Account(file), name),
            };
            connect::block_on(moving::import(home, source, Wish { dry_run, name }, json))?
        }
        Command::Export { account, file } => {
            connect::block_on(moving::export(home, &account, file, json))?
        }
        Command::Config { reference: true } => {
            show::text(&crate::config::reference::markdown());
            Ok(ExitCode::SUCCESS)
        }
        Command::Config { reference: false } => {
            show::configuration(&connect::configuration(home)?, json);
            Ok(ExitCode::SUCCESS)
        }
        Command::Invite(InviteCommand::New { qr, .. }) => {
            let request = request(command, home)?;
            ask(home, &request, &show::Style { json, qr })
        }
        other => {
            let request = request(other, home)?;
            ask(home, &request, &show::Style { json, qr: false })
        }
    }
}

fn serve(home: &Home) -> Result<ExitCode, Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Fault::new(FaultCode::Configuration, format!("the system gives no threads: {error}"))
    })?;
    match runtime.block_on(crate::serve::run(home.clone())) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            let code = match error {
                ServeError::Open(OpenError::InUse { .. }) => FaultCode::Running,
                ServeError::Store(_) | ServeError::Fatal(_) => FaultCode::Storage,
                _ => FaultCode::Configuration,
            };
            Err(Fault::new(code, error.to_string()))
        }
    }
}

fn ask(home: &Home, request: &Request, style: &show::Style) -> Result<ExitCode, Fault> {
    match connect::block_on(connect::ask(home, request))?? {
        Response::Error(fault) => Err(fault),
        response => {
            show::response(&response, style);
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The question that a command asks.
fn request(command: Command, home: &Home) -> Result<Request, Fault> {
    Ok(match command {
        Command::Account(command) => return account_request(command, home),
        Command::Invite(command) => invite_request(command),
        Command::Request(RequestCommand::List { all }) => Request::RequestList { all },
        Command::Request(RequestCommand::Approve { id }) => Request::RequestApprove { id },
        Command::Request(RequestCommand::Refuse { id }) => Request::RequestRefuse { id },
        Command::Session(SessionCommand::List { account }) => Request::SessionList { account },
        Command::Session(SessionCommand::Kick { address }) => Request::SessionKick { address },
        Command::Federation(command) => federation_request(command),
        Command::Token(TokenCommand::List { account }) => Request::TokenList { account },
        Command::Token(TokenCommand::Revoke { account, device }) => {
            Request::TokenRevoke { account, device }
        }
        Command::Upload(UploadCommand::List { account }) => Request::UploadList { account },
        Command::Upload(UploadCommand::Delete { account, file, all: _ }) => {
            Request::UploadDelete { account, file }
        }
        Command::Room(command) => return room_request(command),
        Command::Push(PushCommand::List { account }) => Request::PushList { account },
        Command::Push(PushCommand::Delete { account }) => Request::PushDelete { account },
        Command::Report(ReportCommand::List) => Request::ReportList {},
        Command::Report(ReportCommand::Delete { id }) => Request::ReportDelete { id },
        Command::Outage(OutageCommand::Announce { text, after, seconds }) => {
            Request::OutageAnnounce { text, after: after.unwrap_or(0), seconds }
        }
        Command::Outage(OutageCommand::End) => Request::OutageEnd {},
        Command::Outage(OutageCommand::Show) => Request::OutageShow {},
        Command::Audit(AuditCommand::List { most, before }) => Request::AuditList { before, most },
        Command::Audit(AuditCommand::Verify { hash }) => Request::AuditVerify { known: hash },
        Command::Admin(AdminCommand::Link) => Request::AdminLink {},
        Command::Storage => Request::Storage {},
        Command::Privacy { account } => Request::Privacy { account },
        Command::Reload => Request::Reload {},
        Command::Metrics => Request::Metrics {},
        // The others have been dealt with.
        _ => Request::Status {},
    })
}

fn federation_request(command: FederationCommand) -> Request {
    match command {
        FederationCommand::List => Request::FederationList {},
        FederationCommand::Try { domain } => Request::FederationTry { domain },
        FederationCommand::GiveBack { domain } => Request::FederationGiveBack { domain },
        FederationCommand::End { domain } => Request::FederationEnd { domain },
    }
}

fn account_request(command: AccountCommand, home: &Home) -> Result<Request, Fault> {
    Ok(match command {
        AccountCommand::Add { account, password_stdin, admin } => {
            connect::configuration(home)?;
            let password = terminal::password(&account, password_stdin)?;
            Request::AccountAdd { account, password, admin }
        }
        AccountCommand::Show { account } => Request::AccountShow { account },
        AccountCommand::List => Request::AccountList {},
        AccountCommand::Disable { account } => Request::AccountEnable { account, enabled: false },
        AccountCommand::Enable { account } => Request::AccountEnable { account, enabled: true },
        AccountCommand::Password { account, password_stdin } => {
            connect::configuration(home)?;
            let password = terminal::password(&account, password_stdin)?;
            Request::AccountPassword { account, password }
        }
        AccountCommand::ResetLink { account } => Request::AccountResetLink { account },
        AccountCommand::Move { account, to, back: _ } => Request::AccountMove { account, to },
        AccountCommand::Admin { account, revoke } => {
            Request::AccountAdmin { account, admin: !revoke }
        }
        AccountCommand::Clear { account, yes } => {
            if !yes {
                terminal::confirm(&account, "The messages of {} on the server will be deleted.")?;
            }
            Request::AccountClear { account }
        }
        AccountCommand::Delete { account, yes } => {
            if !yes {
                terminal::confirm_deletion(&account)?;
            }
            Request::AccountDelete { account }
        }
    })
}

fn room_request(command: RoomCommand) -> Result<Request, Fault> {
    Ok(match command {
        RoomCommand::List => Request::RoomList {},
        RoomCommand::Show { room } => Request::RoomShow { room },
        RoomCommand::Members { room } => Request::RoomMembers { room },
        RoomCommand::Create { room, owner, public, title } => {
            Request::RoomCreate { room, owner, public, title }
        }
        RoomCommand::Set {
            room,
            title,
            description,
            public,
            members_only,
            moderated,
            archived,
        } => {
            let settings =
                RoomSettings { title, description, public, members_only, moderated, archived };
            Request::RoomSet { room, settings }
        }
        RoomCommand::Affiliation { room, who, affiliation, reason } => {
            Request::RoomAffiliation { room, who, affiliation, reason }
        }
        RoomCommand::Destroy { room, reason, yes } => {
            if !yes {
                terminal::confirm_deletion(&room)?;
            }
            Request::RoomDestroy { room, reason }
        }
    })
}

fn invite_request(command: InviteCommand) -> Request {
    match command {
        InviteCommand::New { name, uses, expires, admin, contact_of, note, qr: _ } => {
            Request::InviteNew(NewInvitation {
                name,
                uses,
                expires_seconds: expires,
                admin,
                contact_of,
                note,
            })
        }
        InviteCommand::List { all } => Request::InviteList { all },
        InviteCommand::Revoke { id } => Request::InviteRevoke { id },
    }
}

/// The exit codes that `--help` promises.
fn exit_code(code: FaultCode) -> ExitCode {
    ExitCode::from(match code {
        FaultCode::Exists
        | FaultCode::NotFound
        | FaultCode::Invalid
        | FaultCode::Storage
        | FaultCode::Unreachable => 1,
        FaultCode::Usage => 2,
        FaultCode::Configuration => 3,
        FaultCode::NotRunning | FaultCode::Running => 4,
    })
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_spellings_that_scripts_rely_on_are_understood() {
        for line in [
            "anemone init --data DIR --domain NAME",
            "anemone serve --data DIR",
            "anemone account add NAME@DOMAIN --password-stdin --data DIR",
            "anemone account list",
            "anemone account show a@b",
            "anemone account move a@b c@d",
            "anemone account move a@b --back",
            "anemone account disable a@b",
            "anemone account enable a@b",
            "anemone account password a@b",
            "anemone account delete a@b --yes",
            "anemone account reset-link a@b",
            "anemone account clear a@b --yes",
            "anemone invite new --data DIR",
            "anemone invite list --json",
            "anemone --json invite revoke 3",
            "anemone session list",
            "anemone session kick a@b/c",
            "anemone federation try example.net",
            "anemone federation give-back example.net",
            "anemone federation end example.net",
            "anemone upload list",
            "anemone upload delete a@b 0123456789abcdef0123456789abcdef",
            "anemone upload delete a@b --all",
            "anemone room list",
            "anemone room show chat",
            "anemone room members chat",
            "anemone room create chat --owner a@b --public --title Chat",
            "anemone room set chat --title Chat --public yes --members-only no",
            "anemone room affiliation chat romeo owner",
            "anemone room destroy chat --yes",
            "anemone push list",
            "anemone push delete a@b",
            "anemone reports list",
            "anemone report delete 3",
            "anemone outage announce Upgrade --in 2h --for 30m",
            "anemone outage end",
            "anemone import prosody /var/lib/prosody --dry-run",
            "anemone import ejabberd ejabberd.sqlite",
            "anemone import account a@b.xml --name c",
            "anemone export a@b",
            "anemone admin link",
            "anemone audit list --most 20 --before 7",
            "anemone audit verify",
            "anemone storage",
            "anemone privacy a@b",
            "anemone check",
            "anemone backup FILE",
            "anemone restore FILE --data DIR",
        ] {
            assert!(Arguments::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
        assert!(Arguments::try_parse_from(["anemone", "account", "add", "a", "secret"]).is_err());
        assert!(Arguments::try_parse_from(["anemone", "upload", "delete", "a@b"]).is_err());
    }
}
