//! The command line: `anemone --help` tells everything. Commands that change something talk to the
//! running server over its socket, or open the database themselves when it is stopped.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser as _;

use self::arguments::{
    AccountCommand, AdminCommand, Arguments, AuditCommand, Command, ImportCommand, InviteCommand,
    OutageCommand, PushCommand, ReportCommand, RequestCommand, RoomCommand, SessionCommand,
    Subject, TokenCommand, UploadCommand,
};
use crate::{
    admin::{Fault, FaultCode, NewInvitation, Request, Response, RoomSettings},
    config::Home,
    moving::{Source, Wish},
};

mod arguments;
mod backup;
mod check;
mod connect;
mod dns;
mod federation;
mod init;
mod moving;
mod notice;
mod serve;
mod show;
mod table;
mod terminal;

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
        Command::Serve => serve::run(home),
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
        Command::Federation(command) => federation::request(command),
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
        Command::Notice(command) => notice::request(command),
        Command::Restart(before) => before.request(true),
        Command::Stop(before) => before.request(false),
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
        AccountCommand::Retention { account, kept } => {
            Request::AccountRetention { account, days: kept.0 }
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
        RoomCommand::Retention { room, kept } => Request::RoomRetention { room, days: kept.0 },
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
            "anemone notice show",
            "anemone notice motd Tea",
            "anemone notice motd Tea --correct",
            "anemone notice welcome --delete",
            "anemone notice now Tea",
            "anemone restart --in 2m --tell Soon",
            "anemone restart --cancel --tell Stay",
            "anemone stop",
            "anemone stop --cancel",
            "anemone federation deny spam.example",
            "anemone federation allow *.example.org --remove",
            "anemone federation domains",
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
        assert!(Arguments::try_parse_from(["anemone", "notice", "motd"]).is_err());
        assert!(Arguments::try_parse_from(["anemone", "stop", "--cancel", "--in", "2m"]).is_err());
    }

    #[test]
    fn how_long_messages_are_kept_is_a_number_of_days_or_a_word() {
        let understood = |line: &str| Arguments::try_parse_from(line.split(' ')).is_ok();
        for days in ["90", "default", "forever"] {
            assert!(understood(&format!("anemone account retention a@b {days}")), "{days}");
            assert!(understood(&format!("anemone room retention chat {days}")), "{days}");
        }
        for days in ["0", "36501", "never", "-1"] {
            assert!(!understood(&format!("anemone account retention a@b {days}")), "{days}");
        }
    }
}
