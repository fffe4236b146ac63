//! `https://DOMAIN/about`: what this server is, which programs to use, how to check a device, and how to
//! ask for an account. The operator may replace the middle of the page with a file. Where the client
//! for browsers is not served, this is at `/` as well.

use std::path::PathBuf;

use hyper::StatusCode;

use super::{
    Answer, Visit, apps,
    html::{Html, page},
    web,
};
use crate::{config::Config, server::Server};

/// The page.
pub async fn show(visit: &Visit) -> Answer {
    let config = visit.server.config();
    let title = config.front_door.title.clone().unwrap_or_else(|| config.domain.clone());
    let middle = match &config.front_door.page {
        Some(path) => own_page(&visit.server, path.clone()).await,
        None => None,
    };
    let heading = Html::new().raw("<h1>").text(&title).raw("</h1>\n");
    let main = match middle {
        Some(markup) => heading.raw(&markup),
        None => heading.html(&standard(&config)),
    };
    page(StatusCode::OK, &title, &main.html(&browser(&config)).html(&asking(&config)))
}

/// The client for browsers, or why there is none.
fn browser(config: &Config) -> Html {
    if !config.web.enabled {
        return Html::new();
    }
    let html = Html::new().raw("<h2>In the browser</h2>\n");
    if web::is_built_in() {
        return html.raw(
            "<p>Clownfish, the app of this server, needs no installation.</p>\n\
             <p><a class=\"button\" href=\"/\">Open Clownfish</a></p>\n",
        );
    }
    html.raw(
        "<p>This server was built without Clownfish, the app for browsers. Who runs it gets it with \
         <code>make web</code> in the source, and a new build after that.</p>\n",
    )
}

/// The operator's file, read each time so that it can be edited while the server runs.
async fn own_page(server: &Server, path: PathBuf) -> Option<String> {
    let path = server.home().resolve(&path);
    let read = tokio::task::spawn_blocking(move || {
        let markup = std::fs::read_to_string(&path);
        markup.inspect_err(|error| {
            tracing::warn!(path = %path.display(), %error, "the front door's page cannot be read");
        })
    });
    read.await.ok()?.ok()
}

fn standard(config: &Config) -> Html {
    Html::new()
        .raw("<p class=\"lead\">A private chat server. Its people write to each other with apps of \
              their choice, end-to-end encrypted, without giving a phone number to anybody.</p>\n")
        .raw("<h2>Apps</h2>\n<p>An address here looks like <code>you@")
        .text(&config.domain)
        .raw("</code>. These apps work well with it:</p>\n")
        .html(&apps::list())
        .raw("<h2>Is it really you?</h2>\n<p>Messages are encrypted for the devices of the person \
              you write to. To be sure whose devices these are, meet once and scan the code that \
              the app shows: in Conversations it is in the contact's details, in other apps look \
              for <em>fingerprints</em> or <em>encryption keys</em>. From then on the app warns you \
              when a device appears that has not been checked.</p>\n")
}

/// How to get an account.
fn asking(config: &Config) -> Html {
    let mut html = Html::new().raw("<h2>An account</h2>\n");
    html =
        html.raw("<p>People come in by invitation. If you know somebody here, ask them for one.");
    if config.front_door.requests {
        html = html.raw("</p>\n<p><a class=\"button\" href=\"/request\">Ask for an account</a>");
    }
    html = html.raw("</p>\n");
    let addresses: Vec<&String> =
        config.contact.admin.iter().chain(&config.contact.support).collect();
    if !addresses.is_empty() {
        html = html.raw("<p>Questions go to ");
        for (at, address) in addresses.into_iter().enumerate() {
            html = html.raw(if at > 0 { ", " } else { "" });
            html = html.raw("<a href=\"").text(address).raw("\">").text(plain(address)).raw("</a>");
        }
        html = html.raw(".</p>\n");
    }
    html
}

/// An address without its scheme, as people write it.
fn plain(address: &str) -> &str {
    address.strip_prefix("mailto:").or_else(|| address.strip_prefix("xmpp:")).unwrap_or(address)
}
