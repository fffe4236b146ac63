//! Accounts.

use super::{
    super::{
        super::html::Html,
        Form,
        lists::{Button, day, form, line, link, section, table, tick, words},
        session::Signed,
    },
    operations,
    paging::Wish,
};
use crate::{
    admin::{Account, Fault},
    server::Server,
};

/// What somebody is here. A disabled administrator is one again when enabled.
pub(super) fn role(account: &Account) -> &'static str {
    match (account.admin, account.disabled) {
        (true, true) => "administrator, disabled",
        (false, true) => "disabled",
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
