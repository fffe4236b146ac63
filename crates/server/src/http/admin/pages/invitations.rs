//! Invitations, and requests for an account.

use super::{
    super::{
        super::html::Html,
        Form,
        lists::{Button, form, hidden, line, minute, section, table, tick, words},
        session::Signed,
    },
    ask,
    paging::Wish,
};
use crate::{
    admin::{Fault, Invitation, InvitationState, Request, Response, SignUp},
    server::Server,
};

fn state(invitation: &Invitation) -> &'static str {
    match invitation.state {
        InvitationState::Open => "open",
        InvitationState::Used => "used",
        InvitationState::Expired => "expired",
        InvitationState::Revoked => "revoked",
    }
}

/// The form that makes an invitation.
fn new(signed: &Signed) -> Html {
    let fields = line("name", "Name (empty: the person chooses)", "autocapitalize=\"none\"")
        .html(&line("uses", "For how many people", "type=\"number\" min=\"1\" value=\"1\""))
        .html(&line(
            "days",
            "Good for how many days",
            "type=\"number\" min=\"1\" max=\"366\" value=\"7\"",
        ))
        .html(&line(
            "contact_of",
            "An account that becomes a contact of the new one",
            "autocapitalize=\"none\"",
        ))
        .html(&line("note", "A remark for this list", ""))
        .html(&tick("admin", "The new account is an administrator"));
    form(signed, "invite-new", &fields, Button::new("Make an invitation"))
}

/// Invitations, and requests for one.
pub(super) async fn list(server: &Server, signed: &Signed, query: &Form) -> Result<Html, Fault> {
    let found = ask(server, signed, Request::InviteList { all: true }).await?;
    let Response::Invitations(invitations) = found else { return Ok(Html::new()) };
    let wish = Wish::of("invitations", query);
    let text = |one: &Invitation| {
        let by = one.invited_by.as_deref().unwrap_or_default();
        let name = one.name.as_deref().unwrap_or_default();
        format!("{name} {by} {} {}", one.used_by.join(" "), one.note)
    };
    // Newest first.
    let passed = |one: &Invitation, after: &str| after.parse().is_ok_and(|after| one.id >= after);
    let page = wish.cut(invitations, text, |one| one.id.to_string(), passed);
    let rows = page.rows.iter().map(|one| {
        let id = one.id.to_string();
        let revoke = match one.state {
            InvitationState::Open => {
                form(signed, "invite-revoke", &hidden("id", &id), Button::plain("Revoke"))
            }
            _ => Html::new(),
        };
        [
            words(&id),
            words(match one.kind.as_str() {
                "contact" => "a contact",
                "password" => "a password",
                _ => "an account",
            }),
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
    let list = wish.search().html(&table(
        [
            "Number",
            "For",
            "State",
            "Uses left",
            "Ends",
            "Name",
            "By",
            "Used by",
            "Remark",
            "Change",
        ],
        rows.collect(),
        "There are no such invitations.",
    ));
    let list = list.html(&wish.foot(&page));
    Ok(section("A new invitation", &new(signed))
        .html(&section("Requests for an account", &requests(server, signed, query).await?))
        .html(&section("Invitations", &list)))
}

async fn requests(server: &Server, signed: &Signed, query: &Form) -> Result<Html, Fault> {
    let found = ask(server, signed, Request::RequestList { all: false }).await?;
    let Response::Requests(requests) = found else { return Ok(Html::new()) };
    let wish = Wish::at("waiting", "invitations", query);
    let text = |one: &SignUp| format!("{} {} {}", one.name, one.contact, one.text);
    let passed = |one: &SignUp, after: &str| after.parse().is_ok_and(|after| one.id <= after);
    let page = wish.cut(requests, text, |one| one.id.to_string(), passed);
    let rows = page.rows.iter().map(|one| {
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
        .html(&wish.foot(&page)))
}
