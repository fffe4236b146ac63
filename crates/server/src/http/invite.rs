//! The page of an invitation (XEP-0379 §3.3, XEP-0401 §4.2): who invites, the code for the phone,
//! the link for the app. No script is needed.

use hyper::StatusCode;
use store::{
    Millis,
    invites::{Invite, Kind},
};

use super::{
    Answer, Visit, apps,
    html::{Html, notice, page},
    join::Form,
    web,
};
use crate::{
    auth::registration,
    ext::upload::percent_encoded,
    invitation::{Purpose, Token, qr_svg},
    server::Server,
};

/// The page at `/invite/TOKEN`.
pub async fn show(visit: &Visit, token: &str) -> Answer {
    let server = &visit.server;
    if !server.invitation_visits.take_network(visit.address, std::time::Instant::now()) {
        return too_many();
    }
    let found = match Token::parse(token) {
        Some(parsed) => registration::invitation(server, token).await.map(|found| (parsed, found)),
        None => None,
    };
    match found {
        Some((token, invite)) => {
            let name = invite.invite.name.as_deref();
            let form =
                Form { name: name.unwrap_or_default(), fixed: name.is_some(), problem: None };
            page_of(server, &token, &invite, StatusCode::OK, &form).await
        }
        None => invalid(),
    }
}

/// For who looks at many.
pub(super) fn too_many() -> Answer {
    let text = "Too many invitations were looked up from this network. Try again in an hour.";
    notice(StatusCode::TOO_MANY_REQUESTS, "Please wait", text)
}

/// For one that is good for nothing, whyever.
pub(super) fn invalid() -> Answer {
    notice(
        StatusCode::NOT_FOUND,
        "This invitation is no longer valid",
        "It has been used, has expired, or was revoked. Ask for a new one.",
    )
}

/// The page of a valid invitation.
pub(super) async fn page_of(
    server: &Server,
    token: &Token,
    invite: &Invite,
    status: StatusCode,
    form: &Form<'_>,
) -> Answer {
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
        Some(inviter) => format!("{inviter} invites you to {title}"),
        None => format!("You are invited to {title}"),
    };
    let main = Html::new()
        .raw("<h1>")
        .text(&heading)
        .raw(
            "</h1>\n<p class=\"lead\">A private chat server: end-to-end encrypted, no phone \
              number, no advertising.</p>\n",
        )
        .html(&name_hint(name, server.domain()))
        .html(&browser(server, token, invite, inviter.as_deref()))
        .raw("<h2>1. Get an app</h2>\n")
        .html(&apps::list())
        .raw(
            "<h2>2. Open the invitation in it</h2>\n<div class=\"card\">\n<p>On this device:</p>\n",
        )
        .raw("<p><a class=\"button\" href=\"")
        .text(&uri)
        .raw("\">Open in the app</a></p>\n<p>On a phone, scan this with the app:</p>\n")
        .html(&code(&uri))
        .raw("<p class=\"soft\">Or copy it: <code>")
        .text(&uri)
        .raw("</code></p>\n</div>\n");
    let main = match invite.invite.kind {
        Kind::Account => main.html(&form.html(token)),
        Kind::Contact | Kind::Reset => main,
    };
    page(status, &heading, &main.html(&limits(invite, server)))
}

fn name_hint(name: Option<&str>, domain: &str) -> Html {
    match name {
        Some(name) => Html::new()
            .raw("<p>Your address will be <code>")
            .text(name)
            .raw("@")
            .text(domain)
            .raw("</code>. You choose the password.</p>\n"),
        None => Html::new()
            .raw("<p>You choose a name and a password; your address will be <code>name@")
            .text(domain)
            .raw("</code>.</p>\n"),
    }
}

/// The way on that needs no app: the client for browsers. The invitation is in the part of the address
/// that is never sent: the token, the address of who invites or else the domain, and the name that it
/// is for.
fn browser(server: &Server, token: &Token, invite: &Invite, inviter: Option<&str>) -> Html {
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
        .raw("\">Continue in the browser</a></p>\n<p class=\"soft\">Nothing to install. Or use an app:</p>\n")
}

fn code(uri: &str) -> Html {
    match qr_svg(uri) {
        Some(svg) => Html::new()
            .raw("<div class=\"qr\" role=\"img\" aria-label=\"The invitation as a QR code\">")
            .raw(&svg)
            .raw("</div>\n"),
        None => Html::new(),
    }
}

fn limits(invite: &Invite, server: &Server) -> Html {
    let left = invite.invite.expires_at.0.saturating_sub(server.now().0) / MILLIS_PER_HOUR;
    let time = match left {
        0 => "less than an hour".to_owned(),
        1 => "one more hour".to_owned(),
        hours if hours < 48 => format!("{hours} more hours"),
        hours => format!("{} more days", hours / 24),
    };
    let uses = match invite.invite.uses {
        1 => "for one person".to_owned(),
        uses => format!("for {uses} people"),
    };
    let sentence = format!("The invitation is good {uses} and for {time}.");
    Html::new().raw("<p class=\"soft\">").text(&sentence).raw("</p>\n")
}

/// The name of who invites, while that account exists.
async fn inviter(server: &Server, invite: &Invite) -> Option<String> {
    let id = invite.invite.created_by?;
    let row = server.store.accounts.by_id(id).await.ok()??;
    (!row.disabled && invite.is_valid(Millis(server.now().0))).then(|| row.name.into())
}

const MILLIS_PER_HOUR: u64 = 60 * 60 * 1000;
