//! The programs that pages recommend: which, for what, and where to get them.

use super::html::Html;

struct App {
    name: &'static str,
    system: &'static str,
    links: &'static [(&'static str, &'static str)],
}

/// Well-kept programs with OMEMO switched on by default, and with invitations where they have them.
const APPS: &[App] = &[
    App {
        name: "Conversations",
        system: "Android",
        links: &[
            ("F-Droid", "https://f-droid.org/packages/eu.siacs.conversations/"),
            ("Play Store", "https://play.google.com/store/apps/details?id=eu.siacs.conversations"),
        ],
    },
    App {
        name: "Monal",
        system: "iPhone, iPad, Mac",
        links: &[("App Store", "https://apps.apple.com/app/id317711500")],
    },
    App { name: "Dino", system: "Linux", links: &[("dino.im", "https://dino.im/")] },
    App {
        name: "Gajim",
        system: "Windows, Linux, Mac",
        links: &[("gajim.org", "https://gajim.org/download/")],
    },
    App {
        name: "Profanity",
        system: "terminal",
        links: &[("profanity-im.github.io", "https://profanity-im.github.io/")],
    },
];

/// The list of programs.
#[must_use]
pub fn list() -> Html {
    let mut html = Html::new().raw("<ul>\n");
    for app in APPS {
        html = html.raw("<li><strong>").text(app.name).raw("</strong> (").text(app.system);
        html = html.raw("): ");
        for (at, (label, link)) in app.links.iter().enumerate() {
            html = html.raw(if at > 0 { ", " } else { "" });
            html = html.raw("<a rel=\"noreferrer\" href=\"").text(link).raw("\">");
            html = html.text(label).raw("</a>");
        }
        html = html.raw("</li>\n");
    }
    html.raw("</ul>")
}
