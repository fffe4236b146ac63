//! Accounts.

use super::{
    super::{
        super::html::Html,
        Form,
        lists::{
            Button, day, facts, form, hidden, line, link, minute, section, table, tick, words,
        },
        session::Signed,
    },
    ask, operations,
    paging::Wish,
};
use crate::{
    admin::{Account, Fault, Request, Response},
    files::size,
    server::Server,
};

fn role(account: &Account) -> &'static str {
    match (account.admin, account.disabled) {
        (_, true) => "disabled",
        (true, false) => "administrator",
        (false, false) => "user",
    }
}

/// The accounts of the server.
pub(super) async fn list(server: &Server, signed: &Signed, query: &Form) -> Result<Html, Fault> {
    let wish = Wish::of("accounts", query);
    let page = operations(server)?.account_page(wish.wanted()).await?;
    let rows = page.rows.iter().map(|account| {
        [
            link("accounts/", &account.address, &account.address),
            words(role(account)),
            day(&account.created),
            words(account.last_login.as_deref().unwrap_or("unknown")),
            words(account.invited_by.as_deref().unwrap_or_default()),
        ]
    });
    let html = wish.search().html(&table(
        ["Address", "Role", "Made", "Last login", "Invited by"],
        rows.collect(),
        "There is no such account.",
    ));
    let html = html.html(&wish.foot(&page));
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

/// One account, and what can be done with it.
pub(super) async fn one(server: &Server, signed: &Signed, name: &str) -> Result<Html, Fault> {
    let request = Request::AccountShow { account: name.to_owned() };
    let Response::Accounts(found) = ask(server, signed, request).await? else {
        return Ok(Html::new());
    };
    let Some(account) = found.into_iter().next() else { return Ok(Html::new()) };
    let address = account.address.as_str();
    let request = Request::SessionList { account: Some(address.to_owned()) };
    let sessions = match ask(server, signed, request).await? {
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
    Ok(facts(rows)
        .html(&section(
            "Devices",
            &table(["Device", "App", "Since", "State"], devices.collect(), "None is connected.")
                .html(&own("session-kick", Button::plain("End all sessions"))),
        ))
        .html(&section("Change", &enable.html(&admin)))
        .html(&section(
            "A new password",
            &Html::new()
                .raw("<p>With a link the owner sets one, and nobody else knows it.</p>\n")
                .html(&own("account-reset-link", Button::new("Make a link")))
                .raw("<p>Or set one yourself:</p>\n")
                .html(&form(signed, "account-password", &password, Button::plain("Set it"))),
        ))
        .html(&section(
            "Delete",
            &Html::new().raw("<p>With its messages, contacts and files, for good.</p>\n").html(
                &form(signed, "account-delete", &delete, Button::danger("Delete the account")),
            ),
        )))
}
