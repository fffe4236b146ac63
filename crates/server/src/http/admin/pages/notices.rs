//! What everybody is told by the server.

use super::{
    super::{
        super::html::Html,
        lists::{Button, area, form, section, ticked},
        session::Signed,
    },
    ask,
};
use crate::{
    admin::{Fault, Request, Response},
    ext::notices::Day,
    server::Server,
};

/// What is told, and forms to change it.
pub(super) async fn show(server: &Server, signed: &Signed) -> Result<Html, Fault> {
    let Response::Notices(notices) = ask(server, signed, Request::NoticesShow {}).await? else {
        return Ok(Html::new());
    };
    let text = area("text", "What everybody who is online is told", "");
    let now = form(signed, "notice-now", &text, Button::new("Tell them"));
    Ok(section("Now", &now)
        .html(&section("Message of the day", &day(signed, notices.day.as_ref())))
        .html(&section("Welcome", &welcome(signed, notices.welcome.as_deref()))))
}

fn day(signed: &Signed, day: Option<&Day>) -> Html {
    let text = day.map_or("", |day| &day.text);
    let mut fields = area("text", "What everybody is told once, at once or when they come", text);
    if day.is_some() {
        let label = "Only correct it: those who have it are not told again";
        fields = fields.html(&ticked("correct", label, true));
    }
    let html = form(signed, "notice-motd", &fields, Button::new("Set it"));
    match day {
        Some(_) => html.html(&delete(signed, "notice-motd-delete")),
        None => html,
    }
}

fn welcome(signed: &Signed, text: Option<&str>) -> Html {
    let fields = area("text", "What new users are told", text.unwrap_or_default());
    let html = form(signed, "notice-welcome", &fields, Button::new("Set it"));
    match text {
        Some(_) => html.html(&delete(signed, "notice-welcome-delete")),
        None => html,
    }
}

fn delete(signed: &Signed, action: &str) -> Html {
    form(signed, action, &Html::new(), Button::plain("Delete it"))
}
