//! Answers for people and for scripts.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal as _, Write as _},
};

use serde_json::json;

use super::table::Table;
use crate::{
    admin::{
        Account, AuditChain, AuditEntry, Fault, Invitation, InvitationState, LedgerEntry, Member,
        Push, RemoteDomain, Report, Response, Room, Session, SignUp, Storage, Token, Upload,
        duration,
    },
    config::{Config, Domains, Home},
    ext::{archive::retention, notices::Notices, outage::Outage},
    files::size,
    invitation,
};

mod status;

/// How an answer is to be shown.
#[derive(Debug)]
pub(super) struct Style {
    /// As JSON.
    pub(super) json: bool,
    /// With a QR code wherever it goes.
    pub(super) qr: bool,
}

/// Prints to standard output. A reader that has gone away is not an error.
pub(super) fn text(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out
        .write_all(text.as_bytes())
        .and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") });
    let _ = out.flush();
}

pub(super) fn value(value: &serde_json::Value) {
    text(&value.to_string());
}

/// Why nothing was done: JSON on standard output, words on standard error.
pub(super) fn fault(fault: &Fault, json: bool) {
    if json {
        return value(&json!({ "error": fault }));
    }
    eprintln!("anemone: {}", clean_lines(&fault.message));
}

pub(super) fn response(response: &Response, style: &Style) {
    if style.json {
        // These types can always be written.
        return text(&serde_json::to_string(response).unwrap_or_default());
    }
    match response {
        Response::Done(sentence) => text(sentence),
        Response::Accounts(rows) => accounts(rows),
        Response::Invitation(invitation) => new_invitation(invitation, style.qr),
        Response::ResetLink(made) => text(&format!(
            "{}\nFor a new password of {}, once, until {}. The link is shown only this once.",
            made.link,
            made.account,
            moment(&made.expires)
        )),
        Response::Invitations(rows) => invitations(rows),
        Response::Requests(rows) => requests(rows),
        Response::Sessions(rows) => sessions(rows),
        Response::Federation(rows) => federation(rows),
        Response::Tokens(rows) => tokens(rows),
        Response::Uploads(rows) => uploads(rows),
        Response::Rooms(rows) => rooms(rows),
        Response::Members(rows) => members(rows),
        Response::Pushes(rows) => pushes(rows),
        Response::Reports(rows) => reports(rows),
        Response::Outage(outage) => show_outage(outage),
        Response::Audit(rows) => audit(rows),
        Response::AuditChain(chain) => audit_chain(chain),
        Response::Notices(notices) => show_notices(notices),
        Response::Domains(domains) => show_domains(domains),
        Response::Storage(rows) => storage(rows),
        Response::Privacy(rows) => privacy(rows),
        Response::Link(link) => text(&format!(
            "{link}\nIt signs in once, within ten minutes. The link is shown only this once."
        )),
        Response::Exported(messages) => text(&count(*messages, "message")),
        Response::Backup(backup) => text(&backup.path.display().to_string()),
        Response::Reloaded(sentences) => text(&sentences.join("\n")),
        Response::Metrics(page) => text(page),
        Response::Status(one) => status::show(one),
        Response::Error(error) => fault(error, false),
    }
}

fn accounts(rows: &[Account]) {
    let mut table =
        Table::new(["ADDRESS", "ROLE", "STATE", "CREATED", "LAST LOGIN", "INVITED BY", "FILES"]);
    for row in rows {
        table.row([
            row.address.clone(),
            if row.admin { "admin" } else { "user" }.to_owned(),
            if row.disabled { "disabled" } else { "active" }.to_owned(),
            day(&row.created),
            row.last_login.as_deref().map_or("unknown".to_owned(), day),
            row.invited_by.clone().unwrap_or_default(),
            if row.upload_bytes == 0 { String::new() } else { size(row.upload_bytes) },
        ]);
    }
    table.print("There are no accounts yet. Invite somebody with: anemone invite new");
    kept(rows.iter().filter_map(|row| row.kept_days));
}

/// How long messages are kept, of what was asked about alone.
fn kept(days: impl Iterator<Item = u64>) {
    for days in days {
        text(&format!("\nmessages are kept {}", retention::words(days)));
    }
}

fn reports(rows: &[Report]) {
    let mut table = Table::new(["NUMBER", "WHEN", "BLOCKED", "BY", "REASON", "TEXT"]);
    for row in rows {
        table.row([
            row.id.clone(),
            moment(&row.at),
            row.address.clone(),
            row.by.clone(),
            row.reason.clone(),
            row.text.as_deref().unwrap_or_default().replace('\n', " "),
        ]);
    }
    table.print("Nobody reported anything.");
}

fn show_outage(outage: &Outage) {
    let Some(beginning) = &outage.beginning else { return text("Nothing is announced.") };
    let words = outage.message.as_ref().map(|words| words.default.as_str()).unwrap_or_default();
    let end = outage.expected_end.as_deref().map_or("unknown".to_owned(), moment);
    text(&clean_lines(&format!("{words}\nfrom {}\nuntil {end}", moment(beginning))));
}

fn show_notices(notices: &Notices) {
    let day = notices.day.as_ref().map_or("none", |day| &day.text);
    let welcome = notices.welcome.as_deref().unwrap_or("none");
    text(&clean_lines(&format!("Message of the day: {day}\nNew users are told: {welcome}")));
}

fn show_domains(domains: &Domains) {
    let list = |names: &[String]| match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    };
    text(&format!("denied: {}\nallowed: {}", list(&domains.deny), list(&domains.allow)));
}

fn new_invitation(invitation: &Invitation, qr: bool) {
    let mut page = String::new();
    let link = invitation.link.as_deref().unwrap_or_default();
    let _ = writeln!(page, "{link}");
    let _ = writeln!(page, "{}", invitation.uri.as_deref().unwrap_or_default());
    let _ = writeln!(page, "\n{}", terms(invitation));
    if let Some(notice) = &invitation.notice {
        let _ = writeln!(page, "{notice}");
    }
    if (qr || io::stdout().is_terminal())
        && let Some(picture) = invitation::qr_for_terminal(link)
    {
        let _ = write!(page, "\n{picture}");
    }
    text(&page);
}

/// What an invitation is good for, in a sentence or two.
fn terms(invitation: &Invitation) -> String {
    let who = match (&invitation.name, invitation.uses) {
        (Some(name), _) => format!("for the name {name}"),
        (None, 1) => "for one person".to_owned(),
        (None, uses) => format!("for {uses} people"),
    };
    let role = if invitation.admin { ", who becomes an administrator" } else { "" };
    let contact = match &invitation.invited_by {
        Some(inviter) => format!(" {inviter} becomes a contact."),
        None => String::new(),
    };
    format!(
        "Invitation {} {who}{role}, until {}.{contact} The link is shown only this once.",
        invitation.id,
        moment(&invitation.expires)
    )
}

fn invitations(rows: &[Invitation]) {
    let mut table = Table::new([
        "ID",
        "FOR",
        "STATE",
        "USES",
        "EXPIRES",
        "NAME",
        "ROLE",
        "INVITED BY",
        "USED BY",
        "NOTE",
    ]);
    for row in rows {
        let state = match row.state {
            InvitationState::Open => "open",
            InvitationState::Used => "used",
            InvitationState::Expired => "expired",
            InvitationState::Revoked => "revoked",
        };
        table.row([
            row.id.to_string(),
            row.kind.clone(),
            state.to_owned(),
            row.uses.to_string(),
            moment(&row.expires),
            row.name.clone().unwrap_or_default(),
            if row.admin { "admin" } else { "user" }.to_owned(),
            row.invited_by.clone().unwrap_or_else(|| "operator".to_owned()),
            row.used_by.join(" "),
            row.note.clone(),
        ]);
    }
    table.print("There are no invitations. Make one with: anemone invite new");
}

fn requests(rows: &[SignUp]) {
    let mut table = Table::new(["ID", "STATE", "AT", "NAME", "CONTACT", "TEXT"]);
    for row in rows {
        table.row([
            row.id.to_string(),
            row.state.clone(),
            moment(&row.at),
            row.name.clone(),
            row.contact.clone(),
            row.text.clone(),
        ]);
    }
    table.print("No requests are waiting.");
}

fn sessions(rows: &[Session]) {
    let mut table =
        Table::new(["ADDRESS", "STATE", "SINCE", "NETWORK", "TRANSPORT", "MECHANISM", "CLIENT"]);
    for row in rows {
        table.row([
            row.address.clone(),
            if row.connected { "connected" } else { "resumable" }.to_owned(),
            moment(&row.since),
            row.network.clone().unwrap_or_default(),
            row.transport.clone(),
            row.mechanism.clone().unwrap_or_default(),
            row.client.clone().unwrap_or_default(),
        ]);
    }
    table.print("Nobody is connected.");
}

const SILENT: &str = "does not answer whether messages have arrived, so they count as arrived";

fn federation(rows: &[RemoteDomain]) {
    let mut table = Table::new(["DOMAIN", "OUT", "IN", "WAITING", "PROBLEM"]);
    for row in rows {
        let streams = |direction: &str| {
            let of = row.streams.iter().filter(|stream| stream.direction == direction);
            of.map(|stream| stream.known_by.clone()).collect::<Vec<_>>().join(", ")
        };
        let full = row.full.then(|| "no more can wait for it".to_owned());
        let silent = row.silent.then(|| SILENT.to_owned());
        let problems = [row.problem.clone(), row.refused.clone(), silent, full];
        table.row([
            row.domain.clone(),
            if row.problem.is_some() { "failing".to_owned() } else { streams("outgoing") },
            streams("incoming"),
            match row.waiting {
                0 => "0".to_owned(),
                waiting => {
                    let age = row.oldest_seconds.map(|age| format!(", {}", duration(age)));
                    format!("{waiting} ({}{})", size(row.waiting_bytes), age.unwrap_or_default())
                }
            },
            problems.into_iter().flatten().collect::<Vec<_>>().join("; "),
        ]);
    }
    table.print("No other server was talked to.");
}

fn tokens(rows: &[Token]) {
    let mut table =
        Table::new(["ACCOUNT", "DEVICE", "DESCRIPTION", "CREATED", "LAST USED", "EXPIRES"]);
    for row in rows {
        table.row([
            row.account.clone(),
            row.device.clone(),
            row.description.clone(),
            moment(&row.created),
            row.last_used.as_deref().map_or("never".to_owned(), moment),
            moment(&row.expires),
        ]);
    }
    table.print("No device has a token.");
}

fn uploads(rows: &[Upload]) {
    let mut table =
        Table::new(["ACCOUNT", "FILE", "NAME", "SIZE", "PURPOSE", "UPLOADED", "EXPIRES"]);
    for row in rows {
        table.row([
            row.account.clone(),
            row.file.clone(),
            row.name.clone(),
            size(row.bytes),
            row.purpose.clone(),
            moment(&row.created),
            row.expires.as_deref().map_or("never".to_owned(), moment),
        ]);
    }
    table.print("No files were uploaded.");
}

fn rooms(rows: &[Room]) {
    let mut table = Table::new(["ADDRESS", "TITLE", "KIND", "MEMBERS", "INSIDE", "CREATED", "BY"]);
    for row in rows {
        table.row([
            row.address.clone(),
            row.title.clone().unwrap_or_default(),
            row.kind().to_owned(),
            row.members.to_string(),
            row.occupants.map(|number| number.to_string()).unwrap_or_default(),
            day(&row.created),
            row.creator.clone().unwrap_or_default(),
        ]);
    }
    table.print("There are no rooms.");
    let settings = rows.iter().filter_map(|row| row.settings.as_ref());
    for settings in settings {
        let yes = |value: Option<bool>| if value == Some(true) { "yes" } else { "no" };
        text(&clean_lines(&format!(
            "\ndescription  {}\npublic       {}\nmembers only {}\nmoderated    {}\narchived     {}",
            settings.description.as_deref().unwrap_or_default().replace('\n', " "),
            yes(settings.public),
            yes(settings.members_only),
            yes(settings.moderated),
            yes(settings.archived),
        )));
    }
    kept(rows.iter().filter_map(|row| row.kept_days));
}

fn members(rows: &[Member]) {
    let mut table = Table::new(["ADDRESS", "AFFILIATION", "NICKNAME", "REASON"]);
    for row in rows {
        table.row([
            row.address.clone(),
            row.affiliation.clone(),
            row.nick.clone().unwrap_or_default(),
            row.reason.clone().unwrap_or_default(),
        ]);
    }
    table.print("Nobody belongs to the room.");
}

fn pushes(rows: &[Push]) {
    let mut table = Table::new(["ACCOUNT", "SERVICE", "DEVICE", "SINCE", "FAILURES", "PROBLEM"]);
    for row in rows {
        table.row([
            row.account.clone(),
            row.service.clone(),
            row.resource.clone(),
            moment(&row.enabled),
            if row.failures == 0 { String::new() } else { row.failures.to_string() },
            row.problem.clone().unwrap_or_default(),
        ]);
    }
    table.print("No device wants to be woken.");
}

fn audit(rows: &[AuditEntry]) {
    let mut table = Table::new(["NUMBER", "WHEN", "WHO", "BY", "COMMAND", "ON", "OUTCOME", "HASH"]);
    for row in rows {
        table.row([
            row.number.to_string(),
            moment(&row.at),
            row.actor.clone(),
            row.door.clone(),
            row.did.clone(),
            row.subject.clone(),
            row.outcome.clone(),
            row.hash.chars().take(16).collect(),
        ]);
    }
    table.print("Nobody did anything yet.");
}

fn audit_chain(chain: &AuditChain) {
    match (chain.first, chain.last, &chain.hash) {
        (Some(first), Some(last), Some(hash)) => text(&format!(
            "{} from {first} to {last}, as they were written.\n\
             Note the last hash somewhere else, and verify it later: {hash}",
            entries(chain.entries)
        )),
        _ => text("Nobody did anything yet."),
    }
}

fn entries(number: u64) -> String {
    if number == 1 { "1 entry".to_owned() } else { format!("{number} entries") }
}

fn storage(rows: &[Storage]) {
    let mut table = Table::new(["ACCOUNT", "MESSAGES", "PUBLISHED", "PROFILE", "FILES"]);
    for row in rows {
        table.row([
            row.address.clone(),
            row.messages.map_or("too many to count".to_owned(), |count| count.to_string()),
            size(row.node_bytes),
            size(row.document_bytes),
            size(row.upload_bytes),
        ]);
    }
    table.print("There are no accounts yet.");
}

fn privacy(rows: &[LedgerEntry]) {
    let mut page = String::new();
    for row in rows {
        let _ = writeln!(page, "{}", clean(&row.what));
        if let Some(amount) = &row.amount {
            let _ = writeln!(page, "  how much  {}", clean(amount));
        }
        let _ = writeln!(page, "  what for  {}", clean(&row.purpose));
        let _ = writeln!(page, "  how long  {}", clean(&row.kept));
        let _ = writeln!(page, "  who       {}\n", clean(&row.readable));
    }
    text(page.trim_end());
}

/// The configuration in force, in the form of the file. JSON has the same words, since numbers,
/// texts and lists are written alike.
pub(super) fn configuration(config: &Config, json: bool) {
    let mut page = String::new();
    for (section, keys) in config.show() {
        let keys = keys.into_iter().filter_map(|(key, value)| value.map(|value| (key, value)));
        if json {
            let fields: Vec<String> =
                keys.map(|(key, value)| format!("\"{key}\":{value}")).collect();
            let fields = fields.join(",");
            let _ = match section {
                "" => write!(page, "{fields}"),
                _ => write!(page, ",\"{section}\":{{{fields}}}"),
            };
        } else {
            if !section.is_empty() {
                let _ = writeln!(page, "\n[{section}]");
            }
            for (key, value) in keys {
                let _ = writeln!(page, "{key} = {value}");
            }
        }
    }
    if json { text(&format!("{{\"config\":{{{page}}}}}")) } else { text(&page) }
}

/// The answer to `init`.
pub(super) fn initialised(home: &Home, domain: &str, existed: bool, json: bool) {
    let data = home.path().display();
    if json {
        return value(&json!({ "init": {
            "data": home.path(),
            "domain": domain,
            "configuration": home.config_file(),
            "authority": home.authority(),
            "existed": existed,
        }}));
    }
    if existed {
        return text(&format!("{data} is set up for {domain} already; nothing was overwritten."));
    }
    text(&format!(
        "{data} is set up for {domain}.\n\n\
         Next:\n  \
         anemone check --data {data}               see whether all is well\n  \
         anemone serve --data {data}               run the server\n  \
         anemone invite new --admin --data {data}  invite yourself\n\n\
{}",
        trust(home, domain)
    ));
}

/// Whom clients trust, and what to do about it.
fn trust(home: &Home, domain: &str) -> String {
    let (authority, file) = (home.authority(), home.config_file());
    let (authority, file) = (authority.display(), file.display());
    match domain {
        "localhost" => format!("Clients must trust {authority}."),
        _ => format!(
            "For a certificate that everybody trusts, write in {file}:\n\n  [acme]\n  enabled = true\n\n\
             Until there is one, clients must trust {authority}."
        ),
    }
}

/// `1 account`, `2 accounts`
pub(super) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn day(stamp: &str) -> String {
    stamp.split('T').next().unwrap_or_default().to_owned()
}

/// `2026-01-02 03:04 UTC`
fn moment(stamp: &str) -> String {
    match stamp.split_once('T') {
        Some((day, time)) => format!("{day} {} UTC", time.get(..5).unwrap_or(time)),
        None => stamp.to_owned(),
    }
}

/// What others wrote must not steer the terminal: control characters and those that change the
/// direction of writing are replaced.
pub(super) fn clean(text: &str) -> String {
    let is_harmful = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|letter| if is_harmful(letter) { '·' } else { letter }).collect()
}

fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!(moment("2026-01-02T03:04:05Z"), "2026-01-02 03:04 UTC");
    }

    #[test]
    fn the_terms_of_an_invitation_are_a_sentence() {
        let invitation = Invitation {
            id: 7,
            kind: "account".to_owned(),
            link: None,
            uri: None,
            state: InvitationState::Open,
            uses: 1,
            expires: "2026-01-02T03:04:05Z".to_owned(),
            name: None,
            admin: true,
            invited_by: None,
            note: String::new(),
            used_by: Vec::new(),
            notice: None,
        };
        assert_eq!(
            terms(&invitation),
            "Invitation 7 for one person, who becomes an administrator, until \
             2026-01-02 03:04 UTC. The link is shown only this once."
        );
    }
}
