//! `https://DOMAIN/about`: what this server is, which programs to use, how to check a device, and how to
//! ask for an account. The operator may replace the middle of the page with a file. Where the client
//! for browsers is not served, this is at `/` as well.

use std::path::PathBuf;

use hyper::StatusCode;

use super::{Answer, Visit, apps, html::Html, web, words::Words};
use crate::{config::Config, server::Server};

/// The page.
pub async fn show(visit: &Visit) -> Answer {
    let (config, words) = (visit.server.config(), visit.words());
    let title = config.front_door.title.clone().unwrap_or_else(|| config.domain.clone());
    let middle = match &config.front_door.page {
        Some(path) => own_page(&visit.server, path.clone()).await,
        None => None,
    };
    let heading = Html::new().raw("<h1>").text(&title).raw("</h1>\n");
    let main = match middle {
        Some(markup) => heading.raw(&markup),
        None => heading.html(&standard(words, &config)),
    };
    let main = main.html(&browser(words, &config)).html(&asking(words, &config));
    words.page(StatusCode::OK, &title, &main)
}

/// The client for browsers, or why there is none.
fn browser(words: &Words, config: &Config) -> Html {
    let said = &words.about;
    if !config.web.enabled {
        return Html::new();
    }
    let html = Html::new().raw("<h2>").text(said.browser).raw("</h2>\n<p>");
    if web::is_built_in() {
        return html
            .text(said.no_installation)
            .raw("</p>\n<p><a class=\"button\" href=\"/\">")
            .text(said.open_clownfish)
            .raw("</a></p>\n");
    }
    html.raw(said.without_clownfish).raw("</p>\n")
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

fn standard(words: &Words, config: &Config) -> Html {
    let said = &words.about;
    let [before, after] = said.addresses;
    Html::new()
        .raw("<p class=\"lead\">")
        .text(said.lead)
        .raw("</p>\n<h2>")
        .text(said.apps)
        .raw("</h2>\n<p>")
        .text(before)
        .raw("<code>you@")
        .text(&config.domain)
        .raw("</code>")
        .text(after)
        .raw("</p>\n")
        .html(&apps::list())
        .raw("<h2>")
        .text(said.is_it_you)
        .raw("</h2>\n<p>")
        .raw(said.fingerprints)
        .raw("</p>\n")
}

/// How to get an account.
fn asking(words: &Words, config: &Config) -> Html {
    let said = &words.about;
    let mut html = Html::new().raw("<h2>").text(said.account).raw("</h2>\n<p>");
    html = html.text(said.by_invitation);
    if config.front_door.requests {
        html =
            html.raw("</p>\n<p><a class=\"button\" href=\"/request\">").text(said.ask).raw("</a>");
    }
    html = html.raw("</p>\n");
    let addresses: Vec<&String> =
        config.contact.admin.iter().chain(&config.contact.support).collect();
    if !addresses.is_empty() {
        let [before, after] = said.questions;
        html = html.raw("<p>").text(before);
        for (at, address) in addresses.into_iter().enumerate() {
            html = html.raw(if at > 0 { ", " } else { "" });
            html = html.raw("<a href=\"").text(address).raw("\">").text(plain(address)).raw("</a>");
        }
        html = html.text(after).raw("</p>\n");
    }
    html
}

/// An address without its scheme, as people write it.
fn plain(address: &str) -> &str {
    address.strip_prefix("mailto:").or_else(|| address.strip_prefix("xmpp:")).unwrap_or(address)
}
