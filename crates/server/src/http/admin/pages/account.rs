//! One account: who it is, its devices, how they log in and are woken, its files, and what can be done with it.

use super::{
    super::{
        super::html::Html,
        lists::{Button, day, facts, form, hidden, line, link, minute, section, table, words},
        session::Signed,
    },
    accounts::role,
    ask, kept_days,
};
use crate::{
    admin::{Account, Fault, Push, Request, Response, Session, Token, Upload},
    ext::archive::retention,
    files::size,
    server::Server,
};

/// The page of an account.
pub(super) async fn one(server: &Server, signed: &Signed, name: &str) -> Result<Html, Fault> {
    let request = Request::AccountShow { account: name.to_owned() };
    let Response::Accounts(found) = ask(server, signed, request).await? else {
        return Ok(Html::new());
    };
    let Some(account) = found.into_iter().next() else { return Ok(Html::new()) };
    let owner = || Some(account.address.clone());
    let page = Page { signed, account: &account };
    let sessions = match ask(server, signed, Request::SessionList { account: owner() }).await? {
        Response::Sessions(sessions) => sessions,
        _ => Vec::new(),
    };
    let tokens = match ask(server, signed, Request::TokenList { account: owner() }).await? {
        Response::Tokens(tokens) => tokens,
        _ => Vec::new(),
    };
    let pushes = match ask(server, signed, Request::PushList { account: owner() }).await? {
        Response::Pushes(pushes) => pushes,
        _ => Vec::new(),
    };
    let files = match ask(server, signed, Request::UploadList { account: owner() }).await? {
        Response::Uploads(files) => files,
        _ => Vec::new(),
    };
    Ok(page
        .facts()
        .html(&section("Connected devices", &page.sessions(&sessions)))
        .html(&section("Devices that log in without the password", &page.tokens(&tokens)))
        .html(&section("Devices that are woken by notifications", &page.pushes(&pushes)))
        .html(&section("Files", &page.files(files)))
        .html(&section("Change", &page.change()))
        .html(&section("A new password", &page.password()))
        .html(&section("How long messages are kept", &page.retention()))
        .html(&section("Moving to another server", &page.moving()))
        .html(&section("Delete", &page.delete())))
}

struct Page<'a> {
    signed: &'a Signed,
    account: &'a Account,
}

impl Page<'_> {
    /// A form that says whose account it is for, and something else perhaps.
    fn own(&self, action: &str, more: &Html, button: Button) -> Html {
        let fields = hidden("account", &self.account.address).html(more);
        form(self.signed, action, &fields, button)
    }

    fn button(&self, action: &str, button: Button) -> Html {
        self.own(action, &Html::new(), button)
    }

    fn facts(&self) -> Html {
        let account = self.account;
        let mut rows = vec![
            [words("Address"), words(&account.address)],
            [words("Role"), words(role(account))],
            [words("Made"), day(&account.created)],
            [words("Last login"), words(account.last_login.as_deref().unwrap_or("unknown"))],
            [words("Invited by"), words(account.invited_by.as_deref().unwrap_or("nobody"))],
            [words("Files"), words(&size(account.upload_bytes))],
            [
                words("What is stored"),
                link("privacy?account=", &account.address, "the privacy ledger"),
            ],
        ];
        if let Some(days) = account.kept_days {
            rows.push([words("Messages are kept"), words(&retention::words(days))]);
        }
        if let Some(to) = &account.moved_to {
            rows.push([words("Moved to"), words(to)]);
        }
        facts(rows)
    }

    fn sessions(&self, sessions: &[Session]) -> Html {
        let rows = sessions.iter().map(|one| {
            [
                words(one.address.split_once('/').map_or("", |(_, resource)| resource)),
                words(one.client.as_deref().unwrap_or_default()),
                minute(&one.since),
                words(one.network.as_deref().unwrap_or_default()),
                words(if one.connected { "connected" } else { "may come back" }),
                form(
                    self.signed,
                    "session-kick",
                    &hidden("account", &one.address),
                    Button::plain("End"),
                ),
            ]
        });
        let html = table(
            ["Device", "App", "Since", "From", "State", "Change"],
            rows.collect(),
            "None is connected.",
        );
        match sessions.len() {
            0 | 1 => html,
            _ => html.html(&self.button("session-kick", Button::plain("End all sessions"))),
        }
    }

    fn tokens(&self, tokens: &[Token]) -> Html {
        let rows = tokens.iter().map(|one| {
            let device = hidden("device", &one.device);
            [
                words(&one.description),
                minute(&one.created),
                match &one.last_used {
                    Some(used) => minute(used),
                    None => words("never"),
                },
                minute(&one.expires),
                self.own("token-revoke", &device, Button::plain("Revoke")),
            ]
        });
        let html = table(
            ["Device", "Since", "Last used", "Ends", "Change"],
            rows.collect(),
            "There are none.",
        );
        match tokens.len() {
            0 | 1 => html,
            _ => html.html(&self.button("token-revoke", Button::plain("Revoke all"))),
        }
    }

    fn pushes(&self, pushes: &[Push]) -> Html {
        let rows = pushes.iter().map(|one| {
            let problem = match (&one.problem, one.failures) {
                (Some(problem), failures) => format!("{problem} ({failures} times)"),
                (None, _) => String::new(),
            };
            [words(&one.resource), words(&one.service), minute(&one.enabled), words(&problem)]
        });
        let html =
            table(["Device", "Through", "Since", "Problem"], rows.collect(), "There are none.");
        match pushes.len() {
            0 => html,
            _ => html.html(&self.button("push-delete", Button::plain("Wake none any more"))),
        }
    }

    fn files(&self, mut files: Vec<Upload>) -> Html {
        files.sort_by(|one, other| other.created.cmp(&one.created));
        let rows = files.iter().take(MOST_FILES).map(|one| {
            let file = hidden("file", &one.file);
            [
                words(&one.name),
                words(&size(one.bytes)),
                minute(&one.created),
                match &one.expires {
                    Some(expires) => minute(expires),
                    None => words("never"),
                },
                self.own("upload-delete", &file, Button::plain("Delete")),
            ]
        });
        let mut html = table(
            ["Name", "Size", "Uploaded", "Ends", "Change"],
            rows.collect(),
            "There are none.",
        );
        if files.len() > MOST_FILES {
            let more = files.len() - MOST_FILES;
            html = html.raw("<p class=\"soft\">And ").text(&more.to_string()).raw(" more.</p>\n");
        }
        if files.len() > 1 {
            html = html.html(&self.own(
                "upload-delete-all",
                &again(),
                Button::danger("Delete all files"),
            ));
        }
        html
    }

    fn change(&self) -> Html {
        let enable = match self.account.disabled {
            true => self.button("account-enable", Button::new("Let it log in again")),
            false => self.button("account-disable", Button::plain("Disable")),
        };
        let admin = match self.account.admin {
            true => {
                self.button("account-admin-revoke", Button::plain("No longer an administrator"))
            }
            false => self.button("account-admin", Button::plain("Make it an administrator")),
        };
        enable.html(&admin)
    }

    fn password(&self) -> Html {
        let typed = line(
            "password",
            "New password (empty: one is made)",
            "type=\"password\" autocomplete=\"new-password\"",
        );
        Html::new()
            .raw("<p>With a link the owner sets one, and nobody else knows it.</p>\n")
            .html(&self.button("account-reset-link", Button::new("Make a link")))
            .raw("<p>Or set one yourself:</p>\n")
            .html(&self.own("account-password", &typed, Button::plain("Set it")))
    }

    fn moving(&self) -> Html {
        match &self.account.moved_to {
            Some(to) => Html::new()
                .raw("<p>The account says that it moved to <code>")
                .text(to)
                .raw("</code>.</p>\n")
                .html(&self.button("account-move-back", Button::plain("It did not"))),
            None => Html::new()
                .raw("<p>Contacts follow when the new account asks them.</p>\n")
                .html(&self.own(
                    "account-move",
                    &line("to", "The new address", "required autocapitalize=\"none\""),
                    Button::plain("It moved there"),
                )),
        }
    }

    fn retention(&self) -> Html {
        self.own("account-retention", &kept_days(), Button::plain("Keep them for that long"))
    }

    fn delete(&self) -> Html {
        Html::new()
            .raw("<p>Its messages on the server alone, for good; those that no device has yet stay:</p>\n")
            .html(&self.own("account-clear", &again(), Button::danger("Delete the messages")))
            .raw("<p>Or all of it, with messages, contacts and files:</p>\n")
            .html(&self.own("account-delete", &again(), Button::danger("Delete the account")))
    }
}

/// What cannot be undone is written once more.
fn again() -> Html {
    line(
        "confirm",
        "Type the address again",
        "required autocapitalize=\"none\" autocomplete=\"off\"",
    )
}

/// Files that are shown.
const MOST_FILES: usize = 100;
