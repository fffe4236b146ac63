//! The pages that show something.

use hyper::StatusCode;

use super::{
    super::{
        Answer,
        html::{Html, notice},
    },
    Form, field,
    lists::{Button, day, form, frame, hidden, line, link, minute, section, table, tick, words},
    session::Signed,
};
use crate::{
    admin::{
        Account, Fault, Invitation, InvitationState, Operations, RemoteDomain, Request, Response,
        Room,
    },
    files::size,
    server::Server,
};

/// The page at a path.
pub(super) async fn show(server: &Server, signed: &Signed, path: &str, query: &Form) -> Answer {
    let name = |rest: &str| {
        let decoded = form_urlencoded::parse(rest.as_bytes()).next();
        decoded.map(|(name, _)| name.into_owned()).unwrap_or_default()
    };
    let made = match path.split_once('/').unwrap_or((path, "")) {
        ("", _) => overview(server).await.map(|main| ("", "Overview", main)),
        ("accounts", "") => {
            accounts(server, signed, query).await.map(|main| ("accounts", "Accounts", main))
        }
        ("accounts", rest) => {
            account(server, signed, &name(rest)).await.map(|main| ("accounts", "Account", main))
        }
        ("invitations", _) => {
            invitations(server, signed).await.map(|main| ("invitations", "Invitations", main))
        }
        ("rooms", "") => rooms(server, signed).await.map(|main| ("rooms", "Rooms", main)),
        ("rooms", rest) => {
            room(server, signed, &name(rest)).await.map(|main| ("rooms", "Room", main))
        }
        ("federation", _) => {
            federation(server).await.map(|main| ("federation", "Other servers", main))
        }
        ("reports", _) => reports(server, signed).await.map(|main| ("reports", "Reports", main)),
        ("storage", _) => storage(server).await.map(|main| ("storage", "Storage", main)),
        ("privacy", _) => privacy(server, query).await.map(|main| ("privacy", "Privacy", main)),
        _ => return notice(StatusCode::NOT_FOUND, "Nothing here", "The address leads nowhere."),
    };
    match made {
        Ok((current, title, main)) => frame(StatusCode::OK, signed, current, title, main),
        Err(fault) => failed(signed, &fault),
    }
}

/// Why something was not done.
pub(super) fn failed(signed: &Signed, fault: &Fault) -> Answer {
    let sentence =
        Html::new().raw("<p class=\"card\" role=\"alert\">").text(&fault.message).raw("</p>");
    frame(StatusCode::UNPROCESSABLE_ENTITY, signed, "-", "That did not work", sentence)
}

fn operations(server: &Server) -> Result<&Operations, Fault> {
    let words = "the server is still starting";
    let starting = || Fault::new(crate::admin::FaultCode::NotRunning, words);
    server.operations().map(AsRef::as_ref).ok_or_else(starting)
}

/// Asks what the command line asks.
pub(super) async fn ask(server: &Server, request: Request) -> Result<Response, Fault> {
    match operations(server)?.perform(request).await {
        Response::Error(fault) => Err(fault),
        response => Ok(response),
    }
}

async fn overview(server: &Server) -> Result<Html, Fault> {
    let Response::Status(status) = ask(server, Request::Status {}).await? else {
        return Ok(Html::new());
    };
    let rows = vec![
        [words("Domain"), words(&status.domain)],
        [words("Version"), words(&status.version)],
        [words("Accounts"), words(&status.accounts.to_string())],
        [words("Connected devices"), words(&status.sessions.to_string())],
        [words("Database"), words(&size(status.database_bytes))],
        [
            words("Disk"),
            words(if status.storing { "takes writes" } else { "does not take writes" }),
        ],
    ];
    let doors = status
        .listening
        .iter()
        .map(|door| [words(&door.service.to_string()), words(&door.address.to_string())]);
    Ok(table(["What", "How it is"], rows, "").html(&section(
        "Where it listens",
        &table(["Service", "Address"], doors.collect(), "Nowhere."),
    )))
}

fn role(account: &Account) -> &'static str {
    match (account.admin, account.disabled) {
        (_, true) => "disabled",
        (true, false) => "administrator",
        (false, false) => "user",
    }
}

async fn accounts(server: &Server, signed: &Signed, query: &Form) -> Result<Html, Fault> {
    let Response::Accounts(mut accounts) = ask(server, Request::AccountList {}).await? else {
        return Ok(Html::new());
    };
    let wanted = field(query, "q").to_lowercase();
    accounts.retain(|account| account.address.contains(&wanted));
    let all = accounts.len();
    let rows = accounts.iter().take(MOST).map(|account| {
        [
            link("accounts/", &account.address, &account.address),
            words(role(account)),
            day(&account.created),
            words(account.last_login.as_deref().unwrap_or("unknown")),
            words(account.invited_by.as_deref().unwrap_or_default()),
        ]
    });
    let mut html = Html::new()
        .raw(
            "<form method=\"get\" action=\"/admin/accounts\" role=\"search\"><label>Search \
              <input name=\"q\" type=\"search\" value=\"",
        )
        .text(field(query, "q"))
        .raw("\"></label><button class=\"plain\">Search</button></form>\n")
        .html(&table(
            ["Address", "Role", "Made", "Last login", "Invited by"],
            rows.collect(),
            "There is no such account.",
        ));
    if all > MOST {
        html = html.raw("<p class=\"soft\">There are more: search for a part of the address.</p>");
    }
    let fields = line("account", "Name", "required autocapitalize=\"none\" autocomplete=\"off\"")
        .html(&line(
            "password",
            "Password (empty: one is made)",
            "type=\"password\" autocomplete=\"new-password\"",
        ))
        .html(&tick("admin", "Administrator"));
    Ok(html.html(&section(
        "A new account",
        &form(signed, "account-add", &fields, Button::new("Make it")),
    )))
}

async fn account(server: &Server, signed: &Signed, name: &str) -> Result<Html, Fault> {
    let request = Request::AccountShow { account: name.to_owned() };
    let Response::Accounts(found) = ask(server, request).await? else { return Ok(Html::new()) };
    let Some(account) = found.into_iter().next() else { return Ok(Html::new()) };
    let address = account.address.as_str();
    let request = Request::SessionList { account: Some(address.to_owned()) };
    let sessions = match ask(server, request).await? {
        Response::Sessions(sessions) => sessions,
        _ => Vec::new(),
    };
    let rows = vec![
        [words("Address"), words(address)],
        [words("Role"), words(role(&account))],
        [words("Made"), day(&account.created)],
        [words("Last login"), words(account.last_login.as_deref().unwrap_or("unknown"))],
        [words("Invited by"), words(account.invited_by.as_deref().unwrap_or("nobody"))],
        [words("Files"), words(&size(account.upload_bytes))],
        [words("What is stored"), link("privacy?account=", address, "the privacy ledger")],
    ];
    let devices = sessions.iter().map(|session| {
        [
            words(session.address.split_once('/').map_or("", |(_, resource)| resource)),
            words(session.client.as_deref().unwrap_or_default()),
            minute(&session.since),
            words(if session.connected { "connected" } else { "may come back" }),
        ]
    });
    let own = |action: &str, button| form(signed, action, &hidden("account", address), button);
    let enable = match account.disabled {
        true => own("account-enable", Button::new("Let it log in again")),
        false => own("account-disable", Button::plain("Disable")),
    };
    let admin = match account.admin {
        true => own("account-admin-revoke", Button::plain("No longer an administrator")),
        false => own("account-admin", Button::plain("Make it an administrator")),
    };
    let password = hidden("account", address).html(&line(
        "password",
        "New password (empty: one is made)",
        "type=\"password\" autocomplete=\"new-password\"",
    ));
    let delete = hidden("account", address).html(&line(
        "confirm",
        "Type the address again",
        "required autocapitalize=\"none\" autocomplete=\"off\"",
    ));
    Ok(table(["What", "How it is"], rows, "")
        .html(&section(
            "Devices",
            &table(["Device", "App", "Since", "State"], devices.collect(), "None is connected.")
                .html(&own("session-kick", Button::plain("End all sessions"))),
        ))
        .html(&section("Change", &enable.html(&admin)))
        .html(&section(
            "Reset the password",
            &form(signed, "account-password", &password, Button::new("Set it")),
        ))
        .html(&section(
            "Delete",
            &Html::new().raw("<p>With its messages, contacts and files, for good.</p>\n").html(
                &form(signed, "account-delete", &delete, Button::danger("Delete the account")),
            ),
        )))
}

fn state(invitation: &Invitation) -> &'static str {
    match invitation.state {
        InvitationState::Open => "open",
        InvitationState::Used => "used",
        InvitationState::Expired => "expired",
        InvitationState::Revoked => "revoked",
    }
}

async fn invitations(server: &Server, signed: &Signed) -> Result<Html, Fault> {
    let found = ask(server, Request::InviteList { all: true }).await?;
    let Response::Invitations(invitations) = found else { return Ok(Html::new()) };
    let rows = invitations.iter().take(MOST).map(|one| {
        let id = one.id.to_string();
        let revoke = match one.state {
            InvitationState::Open => {
                form(signed, "invite-revoke", &hidden("id", &id), Button::plain("Revoke"))
            }
            _ => Html::new(),
        };
        [
            words(&id),
            words(state(one)),
            words(&one.uses.to_string()),
            minute(&one.expires),
            words(one.name.as_deref().unwrap_or("anybody")),
            words(one.invited_by.as_deref().unwrap_or("the operator")),
            words(&one.used_by.join(" ")),
            words(&one.note),
            revoke,
        ]
    });
    let list = table(
        ["Number", "State", "Uses left", "Ends", "For", "By", "Used by", "Remark", "Change"],
        rows.collect(),
        "There are no invitations.",
    )
    .html(&more(invitations.len()));
    let fields = line("name", "Name (empty: the person chooses)", "autocapitalize=\"none\"")
        .html(&line("uses", "For how many people", "type=\"number\" min=\"1\" value=\"1\""))
        .html(&line(
            "days",
            "Good for how many days",
            "type=\"number\" min=\"1\" max=\"366\" value=\"7\"",
        ))
        .html(&line("note", "A remark for this list", ""))
        .html(&tick("admin", "The new account is an administrator"));
    let made = form(signed, "invite-new", &fields, Button::new("Make an invitation"));
    Ok(section("A new invitation", &made)
        .html(&section("Requests for an account", &requests(server, signed).await?))
        .html(&section("Invitations", &list)))
}

async fn requests(server: &Server, signed: &Signed) -> Result<Html, Fault> {
    let found = ask(server, Request::RequestList { all: false }).await?;
    let Response::Requests(requests) = found else { return Ok(Html::new()) };
    let rows = requests.iter().take(MOST).map(|one| {
        let id = hidden("id", &one.id.to_string());
        let decide = form(signed, "request-approve", &id, Button::new("Invite")).html(&form(
            signed,
            "request-refuse",
            &id,
            Button::plain("Refuse"),
        ));
        [minute(&one.at), words(&one.name), words(&one.contact), words(&one.text), decide]
    });
    Ok(table(["When", "Name", "Contact", "Text", "Answer"], rows.collect(), "None waits.")
        .html(&more(requests.len())))
}

fn kind(room: &Room) -> &'static str {
    match (room.public, room.members_only) {
        (true, false) => "public",
        (false, true) => "private",
        (true, true) => "public, for members",
        (false, false) => "hidden",
    }
}

async fn rooms(server: &Server, signed: &Signed) -> Result<Html, Fault> {
    let Response::Rooms(rooms) = ask(server, Request::RoomList {}).await? else {
        return Ok(Html::new());
    };
    let rows = rooms.iter().take(MOST).map(|room| {
        [
            link("rooms/", &room.address, &room.address),
            words(room.title.as_deref().unwrap_or_default()),
            words(kind(room)),
            words(&room.members.to_string()),
            words(&room.occupants.unwrap_or(0).to_string()),
            day(&room.created),
        ]
    });
    let list = table(
        ["Address", "Title", "Kind", "Members", "Inside", "Made"],
        rows.collect(),
        "There are no rooms.",
    )
    .html(&more(rooms.len()));
    let fields = line("room", "Name", "required autocapitalize=\"none\"")
        .html(&line("owner", "The account that owns it", "required autocapitalize=\"none\""))
        .html(&line("title", "What people call it", ""))
        .html(&tick("public", "A channel that everybody can find and enter"));
    Ok(list.html(&section(
        "A new room",
        &form(signed, "room-create", &fields, Button::new("Make it")),
    )))
}

async fn room(server: &Server, signed: &Signed, name: &str) -> Result<Html, Fault> {
    let found = ask(server, Request::RoomShow { room: name.to_owned() }).await?;
    let Response::Rooms(rooms) = found else { return Ok(Html::new()) };
    let Some(room) = rooms.into_iter().next() else { return Ok(Html::new()) };
    let listed = ask(server, Request::RoomMembers { room: room.address.clone() }).await?;
    let Response::Members(members) = listed else { return Ok(Html::new()) };
    let rows = vec![
        [words("Address"), words(&room.address)],
        [words("Title"), words(room.title.as_deref().unwrap_or_default())],
        [words("Kind"), words(kind(&room))],
        [words("People inside"), words(&room.occupants.unwrap_or(0).to_string())],
        [words("Made by"), words(room.creator.as_deref().unwrap_or("unknown"))],
        [words("Made"), day(&room.created)],
    ];
    let people = members.iter().take(MOST).map(|member| {
        [
            words(&member.address),
            words(&member.affiliation),
            words(member.nick.as_deref().unwrap_or_default()),
            words(member.reason.as_deref().unwrap_or_default()),
        ]
    });
    let people =
        table(["Address", "Affiliation", "Nickname", "Reason"], people.collect(), "Nobody.")
            .html(&more(members.len()));
    let fields = hidden("room", &room.address)
        .html(&line("reason", "What the people in it are told", ""))
        .html(&line(
            "confirm",
            "Type the address again",
            "required autocapitalize=\"none\" autocomplete=\"off\"",
        ));
    let destroy = Html::new().raw("<p>With its archive, for good.</p>\n").html(&form(
        signed,
        "room-destroy",
        &fields,
        Button::danger("Destroy the room"),
    ));
    Ok(table(["What", "How it is"], rows, "")
        .html(&section("Who belongs to it", &people))
        .html(&section("Destroy", &destroy)))
}

/// The reason of every failure, in words.
fn problem(domain: &RemoteDomain) -> Html {
    let mut sentences = Vec::new();
    if let Some(problem) = &domain.problem {
        let since = domain.failing_seconds.map(ago).unwrap_or_default();
        sentences.push(format!("cannot be reached{since}: {problem}"));
    }
    if let Some(refused) = &domain.refused {
        let since = domain.refused_seconds.map(ago).unwrap_or_default();
        sentences.push(format!("was not let in{since}: {refused}"));
    }
    if domain.full {
        sentences.push("no more can wait for it".to_owned());
    }
    words(&sentences.join("; "))
}

fn ago(seconds: u64) -> String {
    match seconds {
        0..=119 => format!(" ({seconds} seconds)"),
        120..=7199 => format!(" ({} minutes)", seconds / 60),
        _ => format!(" ({} hours)", seconds / 3600),
    }
}

async fn federation(server: &Server) -> Result<Html, Fault> {
    let found = ask(server, Request::FederationList {}).await?;
    let Response::Federation(domains) = found else { return Ok(Html::new()) };
    let rows = domains.iter().take(MOST).map(|domain| {
        let streams = domain.streams.iter().map(|one| format!("{} ({})", one.direction, one.proof));
        [
            words(&domain.domain),
            words(if domain.state.is_empty() { "idle" } else { &domain.state }),
            words(&streams.collect::<Vec<_>>().join(", ")),
            words(&domain.waiting.to_string()),
            problem(domain),
        ]
    });
    Ok(table(
        ["Domain", "State", "Connections", "Waiting", "Problem"],
        rows.collect(),
        "No other server was talked to.",
    )
    .html(&more(domains.len())))
}

async fn reports(server: &Server, signed: &Signed) -> Result<Html, Fault> {
    let Response::Reports(reports) = ask(server, Request::ReportList {}).await? else {
        return Ok(Html::new());
    };
    let rows = reports.iter().take(MOST).map(|one| {
        let id = hidden("id", &one.id);
        [
            minute(&one.at),
            words(&one.address),
            words(&one.by),
            words(&one.reason),
            words(one.text.as_deref().unwrap_or_default()),
            form(signed, "report-delete", &id, Button::plain("Delete")),
        ]
    });
    Ok(table(
        ["When", "Who was blocked", "By", "Why", "Text", "Change"],
        rows.collect(),
        "There are none.",
    )
    .html(&more(reports.len())))
}

async fn storage(server: &Server) -> Result<Html, Fault> {
    let accounts = operations(server)?.storage(MOST).await?;
    let all = server.store.accounts.count().await?;
    let rows = accounts.iter().map(|row| {
        [
            link("accounts/", &row.address, &row.address),
            words(&row.messages.map_or("very many".to_owned(), |count| count.to_string())),
            words(&size(row.node_bytes)),
            words(&size(row.document_bytes)),
            words(&size(row.upload_bytes)),
        ]
    });
    Ok(table(
        ["Account", "Messages", "Nodes", "Documents", "Files"],
        rows.collect(),
        "There are no accounts.",
    )
    .html(&more(usize::try_from(all).unwrap_or(usize::MAX))))
}

async fn privacy(server: &Server, query: &Form) -> Result<Html, Fault> {
    let account = Some(field(query, "account")).filter(|account| !account.is_empty());
    let request = Request::Privacy { account: account.map(str::to_owned) };
    let Response::Privacy(entries) = ask(server, request).await? else { return Ok(Html::new()) };
    let intro = match account {
        Some(account) => Html::new().raw("<p>What is stored of <code>").text(account).raw("</code>.</p>\n"),
        None => Html::new().raw(
            "<p>What this server stores about people, what for, and for how long. Beside it there is \
             the log, in which nobody's address can be read unless the operator wants it.</p>\n",
        ),
    };
    let rows = entries.iter().map(|entry| {
        [
            words(&entry.what),
            words(&entry.purpose),
            words(&entry.kept),
            words(&entry.readable),
            words(entry.amount.as_deref().unwrap_or_default()),
        ]
    });
    Ok(intro.html(&table(
        ["What", "What for", "How long", "Who can read it", "How much"],
        rows.collect(),
        "",
    )))
}

/// What a table says that does not show everything.
fn more(all: usize) -> Html {
    if all <= MOST {
        return Html::new();
    }
    let sentence = format!("These are {MOST} of {all}; the command line lists them all.");
    Html::new().raw("<p class=\"soft\">").text(&sentence).raw("</p>\n")
}

/// Rows of one page.
const MOST: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_when_it_does_not_show_everything() {
        assert_eq!(more(MOST).as_str(), "");
        assert!(more(MOST + 1).as_str().contains("500 of 501"));
    }
}
