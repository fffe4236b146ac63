//! The page of an invitation (XEP-0379 §3.3, XEP-0401 §4.2): who invites, the code for the phone,
//! the link for the app. No script is needed.

use hyper::StatusCode;
use store::{
    Millis,
    invites::{Invite, Kind},
};

use super::{Answer, Visit, apps, html::Html, join::Form, web, words::Words};
use crate::{
    auth::registration,
    ext::upload::percent_encoded,
    invitation::{Purpose, Token, qr_svg},
    server::Server,
};

/// The page at `/invite/TOKEN`.
pub async fn show(visit: &Visit, token: &str) -> Answer {
    let (server, words) = (&visit.server, visit.words());
    if !server.invitation_visits.take_network(visit.address, std::time::Instant::now()) {
        return too_many(words);
    }
    let found = match Token::parse(token) {
        Some(parsed) => registration::invitation(server, token).await.map(|found| (parsed, found)),
        None => None,
    };
    // A link for a password has a page of its own, and is no invitation.
    match found.filter(|(_, found)| found.invite.kind != Kind::Reset) {
        Some((token, invite)) => {
            let name = invite.invite.name.as_deref();
            let form =
                Form { name: name.unwrap_or_default(), fixed: name.is_some(), problem: None };
            page_of(server, words, (&token, &invite), StatusCode::OK, &form).await
        }
        None => invalid(words),
    }
}

/// For who looks at many.
pub(super) fn too_many(words: &Words) -> Answer {
    words.notice(StatusCode::TOO_MANY_REQUESTS, words.invitation.too_many)
}

/// For one that is good for nothing, whyever.
pub(super) fn invalid(words: &Words) -> Answer {
    words.notice(StatusCode::NOT_FOUND, words.invitation.invalid)
}

/// The page of a valid invitation.
pub(super) async fn page_of(
    server: &Server,
    words: &Words,
    (token, invite): (&Token, &Invite),
    status: StatusCode,
    form: &Form<'_>,
) -> Answer {
    let said = &words.invitation;
    let inviter = inviter(server, invite).await;
    let name = invite.invite.name.as_deref();
    let purpose = match (invite.invite.kind, inviter.as_deref()) {
        (Kind::Contact, Some(inviter)) => Purpose::Contact { inviter },
        (_, Some(inviter)) if name.is_none() => Purpose::AccountAndContact { inviter },
        _ => Purpose::Account { name },
    };
    let uri = token.uri(purpose, server.domain());
    let title = server.config().front_door.title.clone();
    let title = title.unwrap_or_else(|| server.domain().to_owned());
    let heading = match &inviter {
        Some(inviter) => (said.invites)(inviter, &title),
        None => (said.invited)(&title),
    };
    let main = Html::new()
        .raw("<h1>")
        .text(&heading)
        .raw("</h1>\n<p class=\"lead\">")
        .text(said.lead)
        .raw("</p>\n")
        .html(&name_hint(words, name, server.domain()))
        .html(&browser(server, words, (token, invite), inviter.as_deref()))
        .raw("<h2>")
        .text(said.get_an_app)
        .raw("</h2>\n")
        .html(&apps::list())
        .raw("<h2>")
        .text(said.open_it)
        .raw("</h2>\n<div class=\"card\">\n<p>")
        .text(said.on_this_device)
        .raw("</p>\n<p><a class=\"button\" href=\"")
        .text(&uri)
        .raw("\">")
        .text(said.open_in_the_app)
        .raw("</a></p>\n<p>")
        .text(said.scan)
        .raw("</p>\n")
        .html(&code(words, &uri))
        .raw("<p class=\"soft\">")
        .text(said.copy)
        .raw("<code>")
        .text(&uri)
        .raw("</code></p>\n</div>\n");
    let main = match invite.invite.kind {
        Kind::Account => main.html(&form.html(words, token)),
        Kind::Contact | Kind::Reset => main,
    };
    words.page(status, &heading, &main.html(&limits(server, words, invite)))
}

fn name_hint(words: &Words, name: Option<&str>, domain: &str) -> Html {
    let said = &words.invitation;
    let ([before, after], name) = match name {
        Some(name) => (said.your_address, name),
        None => (said.you_choose, said.name),
    };
    Html::new()
        .raw("<p>")
        .text(before)
        .raw("<code>")
        .text(name)
        .raw("@")
        .text(domain)
        .raw("</code>")
        .text(after)
        .raw("</p>\n")
}

/// The way on that needs no app: the client for browsers. The invitation is in the part of the address
/// that is never sent: the token, the address of who invites or else the domain, and the name that it
/// is for.
fn browser(
    server: &Server,
    words: &Words,
    (token, invite): (&Token, &Invite),
    inviter: Option<&str>,
) -> Html {
    if invite.invite.kind != Kind::Account || !web::is_served(&server.config()) {
        return Html::new();
    }
    let domain = server.domain();
    let inviter = inviter.map_or_else(|| domain.to_owned(), |name| format!("{name}@{domain}"));
    let name = invite.invite.name.as_deref().unwrap_or_default();
    let parts = [token.expose(), &inviter, name].map(percent_encoded);
    Html::new()
        .raw("<p><a class=\"button\" href=\"/#/invite/")
        .text(&parts.join("/"))
        .raw("\">")
        .text(words.invitation.in_the_browser)
        .raw("</a></p>\n<p class=\"soft\">")
        .text(words.invitation.nothing_to_install)
        .raw("</p>\n")
}

fn code(words: &Words, uri: &str) -> Html {
    match qr_svg(uri) {
        Some(svg) => Html::new()
            .raw("<div class=\"qr\" role=\"img\" aria-label=\"")
            .text(words.invitation.code)
            .raw("\">")
            .raw(&svg)
            .raw("</div>\n"),
        None => Html::new(),
    }
}

fn limits(server: &Server, words: &Words, invite: &Invite) -> Html {
    let left = invite.invite.expires_at.0.saturating_sub(server.now().0) / MILLIS_PER_HOUR;
    let sentence = (words.invitation.limits)(invite.invite.uses, left);
    Html::new().raw("<p class=\"soft\">").text(&sentence).raw("</p>\n")
}

/// The name of who invites, while that account exists.
async fn inviter(server: &Server, invite: &Invite) -> Option<String> {
    let id = invite.invite.created_by?;
    let row = server.store.accounts.by_id(id).await.ok()??;
    (!row.disabled && invite.is_valid(Millis(server.now().0))).then(|| row.name.into())
}

const MILLIS_PER_HOUR: u64 = 60 * 60 * 1000;
