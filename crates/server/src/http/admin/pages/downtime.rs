//! When the server is away: what apps and people are told of it (XEP-0455), and ordering it.

use super::{
    super::{
        super::html::Html,
        lists::{Button, area, choice, facts, form, line, minute, section, words},
        session::Signed,
    },
    ask,
};
use crate::{
    admin::{Fault, Request, Response},
    ext::outage::Outage,
    server::Server,
};

/// The outage that is announced, the order that waits, and forms for both.
pub(super) async fn show(server: &Server, signed: &Signed) -> Result<Html, Fault> {
    let Response::Outage(outage) = ask(server, signed, Request::OutageShow {}).await? else {
        return Ok(Html::new());
    };
    let Response::Status(status) = ask(server, signed, Request::Status {}).await? else {
        return Ok(Html::new());
    };
    let ordered = status.order().map(|order| ordered(signed, &order)).unwrap_or_default();
    Ok(ordered
        .html(&section("Outage", &announced(signed, &outage)))
        .html(&section("Restart", &restart(signed)))
        .html(&section("Stop", &stop(signed))))
}

/// What is ordered, and a way to take that back.
fn ordered(signed: &Signed, order: &str) -> Html {
    let told = line("text", "What everybody who is online is told", "");
    Html::new()
        .raw("<p class=\"card\" role=\"status\">The server ")
        .text(order)
        .raw(".</p>\n")
        .html(&form(signed, "stop-cancel", &told, Button::new("Call it off")))
}

fn announced(signed: &Signed, outage: &Outage) -> Html {
    let mut html = Html::new();
    if let Some(beginning) = &outage.beginning {
        let text = outage.message.as_ref().map(|words| words.default.as_str());
        let end = outage.expected_end.as_deref().map_or_else(|| words("unknown"), minute);
        html = facts(vec![
            [words("Announced"), words(text.unwrap_or_default())],
            [words("From"), minute(beginning)],
            [words("Until"), end],
        ])
        .html(&form(signed, "outage-end", &Html::new(), Button::new("It is over")));
    }
    let minutes = "In how many minutes it begins (0: it is here)";
    let fields = area("text", "What apps show, and everybody who is online is told", "")
        .html(&line("after", minutes, "type=\"number\" min=\"0\" max=\"527040\" value=\"0\""))
        .html(&line(
            "takes",
            "How many minutes it takes (empty: unknown)",
            "type=\"number\" min=\"1\" max=\"527040\"",
        ));
    html.html(&form(signed, "outage-announce", &fields, Button::new("Announce")))
}

/// When, and what people are told before.
fn before() -> Html {
    let delays = [
        ("0", "at once"),
        ("1", "in a minute"),
        ("5", "in 5 minutes"),
        ("15", "in 15 minutes"),
        ("60", "in an hour"),
    ];
    let told = line("text", "What everybody who is online is told before", "");
    choice("after", "When", &delays).html(&told)
}

fn restart(signed: &Signed) -> Html {
    Html::new()
        .raw("<p>The server begins anew, with the program and the configuration as they are on disk.</p>\n")
        .html(&form(signed, "restart", &before(), Button::new("Restart")))
}

fn stop(signed: &Signed) -> Html {
    let fields = before().html(&line(
        "confirm",
        "Type the domain of the server",
        "required autocapitalize=\"none\" autocomplete=\"off\"",
    ));
    Html::new()
        .raw(
            "<p>These pages go with it: it has to be started again on the machine, unless something there \
             does that by itself.</p>\n",
        )
        .html(&form(signed, "stop", &fields, Button::danger("Stop the server")))
}
