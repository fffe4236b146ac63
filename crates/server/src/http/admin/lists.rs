//! What the pages are made of: tables that a phone shows as cards, and forms that carry the word of the
//! session. Text gets in through [`Html::text`] alone.

use hyper::StatusCode;

use super::{
    super::{
        Answer,
        html::{Html, page},
    },
    session::Signed,
};
use crate::admin::LONGEST_TEXT;

/// The pages, by address and name.
const PAGES: [(&str, &str); 11] = [
    ("", "Overview"),
    ("accounts", "Accounts"),
    ("invitations", "Invitations"),
    ("rooms", "Rooms"),
    ("federation", "Other servers"),
    ("reports", "Reports"),
    ("notices", "Notices"),
    ("downtime", "Downtime"),
    ("storage", "Storage"),
    ("privacy", "Privacy"),
    ("audit", "Record"),
];

/// A page with the way to the others.
pub(super) fn frame(
    status: StatusCode,
    signed: &Signed,
    current: &str,
    title: &str,
    main: Html,
) -> Answer {
    let mut nav = Html::new().raw("<nav class=\"admin\" aria-label=\"Administration\">\n");
    for (path, name) in PAGES {
        let mark = if path == current { " aria-current=\"page\"" } else { "" };
        nav = nav
            .raw("<a href=\"/admin/")
            .raw(path)
            .raw("\"")
            .raw(mark)
            .raw(">")
            .raw(name)
            .raw("</a>\n");
    }
    let who = signed.account.as_deref().unwrap_or("the operator");
    let out = Html::new().raw("<span class=\"soft\">").text(who).raw("</span> ");
    let nav = nav.html(&form(signed, "sign-out", &out, Button::plain("Sign out"))).raw("</nav>\n");
    let heading = Html::new().raw("<h1>").text(title).raw("</h1>\n");
    page(status, title, &nav.html(&heading).html(&main))
}

/// The button of a form.
pub(super) struct Button {
    label: &'static str,
    class: &'static str,
}

impl Button {
    pub(super) fn new(label: &'static str) -> Button {
        Button { label, class: "" }
    }

    /// One that does not ask to be pressed.
    pub(super) fn plain(label: &'static str) -> Button {
        Button { label, class: " class=\"plain\"" }
    }

    /// One whose doing cannot be undone.
    pub(super) fn danger(label: &'static str) -> Button {
        Button { label, class: " class=\"danger\"" }
    }
}

/// A form that does something.
pub(super) fn form(signed: &Signed, action: &str, fields: &Html, button: Button) -> Html {
    Html::new()
        .raw("<form method=\"post\" action=\"/admin/")
        .text(action)
        .raw("\"><input type=\"hidden\" name=\"form\" value=\"")
        .text(&signed.form)
        .raw("\">")
        .html(fields)
        .raw("<button")
        .raw(button.class)
        .raw(">")
        .raw(button.label)
        .raw("</button></form>\n")
}

/// A value that a form carries along.
pub(super) fn hidden(name: &'static str, value: &str) -> Html {
    Html::new()
        .raw("<input type=\"hidden\" name=\"")
        .raw(name)
        .raw("\" value=\"")
        .text(value)
        .raw("\">")
}

/// A line to fill in. The last argument is what HTML says more about it.
pub(super) fn line(name: &'static str, label: &'static str, more: &'static str) -> Html {
    Html::new()
        .raw("<label>")
        .raw(label)
        .raw(" <input name=\"")
        .raw(name)
        .raw("\" maxlength=\"200\" ")
        .raw(more)
        .raw("></label>\n")
}

/// Several lines to fill in, with something in them already.
pub(super) fn area(name: &'static str, label: &'static str, value: &str) -> Html {
    // A line break behind the tag is none of the text.
    Html::new()
        .raw("<label>")
        .raw(label)
        .raw(" <textarea name=\"")
        .raw(name)
        .raw("\" rows=\"4\" maxlength=\"")
        .text(&LONGEST_TEXT.to_string())
        .raw("\" required>\n")
        .text(value)
        .raw("</textarea></label>\n")
}

/// A box to tick.
pub(super) fn tick(name: &'static str, label: &'static str) -> Html {
    Html::new()
        .raw("<label class=\"tick\"><input type=\"checkbox\" value=\"yes\" name=\"")
        .raw(name)
        .raw("\"> ")
        .raw(label)
        .raw("</label>\n")
}

/// A line with something in it already.
pub(super) fn filled(name: &'static str, label: &'static str, value: &str) -> Html {
    Html::new()
        .raw("<label>")
        .raw(label)
        .raw(" <input name=\"")
        .raw(name)
        .raw("\" maxlength=\"1000\" value=\"")
        .text(value)
        .raw("\"></label>\n")
}

/// A box that may be ticked already.
pub(super) fn ticked(name: &'static str, label: &'static str, yes: bool) -> Html {
    Html::new()
        .raw("<label class=\"tick\"><input type=\"checkbox\" value=\"yes\" name=\"")
        .raw(name)
        .raw("\"")
        .raw(if yes { " checked" } else { "" })
        .raw("> ")
        .raw(label)
        .raw("</label>\n")
}

/// One of several.
pub(super) fn choice(
    name: &'static str,
    label: &'static str,
    choices: &[(&'static str, &'static str)],
) -> Html {
    let html = Html::new().raw("<label>").raw(label).raw(" <select name=\"").raw(name).raw("\">");
    let option = |html: Html, (value, shown): &(&'static str, &'static str)| {
        html.raw("<option value=\"").raw(value).raw("\">").raw(shown).raw("</option>")
    };
    choices.iter().fold(html, option).raw("</select></label>\n")
}

/// A table, or a sentence when it would be empty.
pub(super) fn table<const N: usize>(
    headings: [&'static str; N],
    rows: Vec<[Html; N]>,
    empty: &'static str,
) -> Html {
    if rows.is_empty() {
        return Html::new().raw("<p class=\"soft\">").raw(empty).raw("</p>\n");
    }
    let mut html = Html::new().raw("<table>\n<thead><tr>");
    for heading in headings {
        html = html.raw("<th scope=\"col\">").raw(heading).raw("</th>");
    }
    html = html.raw("</tr></thead>\n<tbody>\n");
    for row in rows {
        html = html.raw("<tr>");
        for (heading, cell) in headings.iter().zip(row) {
            html = html.raw("<td data-label=\"").raw(heading).raw("\">").html(&cell).raw("</td>");
        }
        html = html.raw("</tr>\n");
    }
    html.raw("</tbody>\n</table>\n")
}

/// What is true of one thing, a line for each.
pub(super) fn facts(rows: Vec<[Html; 2]>) -> Html {
    let mut html = Html::new().raw("<table class=\"facts\">\n<tbody>\n");
    for [what, how] in rows {
        html = html.raw("<tr><th scope=\"row\">").html(&what).raw("</th>");
        html = html.raw("<td>").html(&how).raw("</td></tr>\n");
    }
    html.raw("</tbody>\n</table>\n")
}

/// Text from anywhere.
pub(super) fn words(text: &str) -> Html {
    Html::new().text(text)
}

/// A link to a page about something.
pub(super) fn link(page: &'static str, name: &str, label: &str) -> Html {
    let encoded: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    Html::new().raw("<a href=\"/admin/").raw(page).text(&encoded).raw("\">").text(label).raw("</a>")
}

/// The day of a time.
pub(super) fn day(stamp: &str) -> Html {
    words(stamp.split('T').next().unwrap_or_default())
}

/// The minute of a time.
pub(super) fn minute(stamp: &str) -> Html {
    match stamp.split_once('T') {
        Some((day, time)) => words(&format!("{day} {} UTC", time.get(..5).unwrap_or(time))),
        None => words(stamp),
    }
}

/// A part of a page under a heading.
pub(super) fn section(heading: &'static str, content: &Html) -> Html {
    Html::new().raw("<h2>").raw(heading).raw("</h2>\n").html(content)
}
