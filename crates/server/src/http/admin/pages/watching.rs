//! What the operator watches: other servers, reports, storage, and the privacy ledger.

use super::{
    super::{
        super::html::Html,
        Form, field,
        lists::{Button, form, hidden, line, link, minute, section, table, words},
        session::Signed,
    },
    ask, domains, operations,
    paging::Wish,
};
use crate::{
    admin::{Fault, RemoteDomain, RemoteStream, Report, Request, Response, duration},
    files::size,
    server::Server,
};

/// The reason of every failure, in words.
fn problem(domain: &RemoteDomain) -> Html {
    let mut sentences = Vec::new();
    if let Some(problem) = &domain.problem {
        let since = domain.failing_seconds.map(ago).unwrap_or_default();
        sentences.push(format!("cannot be reached{since}: {problem}"));
    }
    if let Some(refused) = &domain.refused {
        let since = domain.refused_seconds.map(ago).unwrap_or_default();
        sentences.push(format!("was not let in{since}: {refused}"));
    }
    if domain.silent {
        sentences.push(SILENT.to_owned());
    }
    if domain.full {
        sentences.push("no more can wait for it".to_owned());
    }
    words(&sentences.join("; "))
}

const SILENT: &str = "does not answer whether messages have arrived, so they count as arrived; perhaps it \
    cannot connect to this server";

fn ago(seconds: u64) -> String {
    format!(" (for {})", duration(seconds))
}

/// What waits: how many, how much, since when.
fn waiting(domain: &RemoteDomain) -> Html {
    let mut text = domain.waiting.to_string();
    if domain.waiting > 0 {
        text = format!("{text}, {}", size(domain.waiting_bytes));
    }
    if let Some(age) = domain.oldest_seconds {
        text = format!("{text}, the oldest for {}", duration(age));
    }
    words(&text)
}

/// A stream in words.
fn stream(one: &RemoteStream) -> String {
    let direction = match (one.both_ways, one.direction.as_str()) {
        (true, _) => "both ways",
        (false, "incoming") => "from there",
        (false, _) => "to there",
    };
    let managed = if one.managed { "" } else { ", without acknowledgements" };
    format!("{direction}, by {}{managed}, for {}", one.known_by, duration(one.seconds))
}

/// What can be done with a domain as it stands.
fn federation_actions(signed: &Signed, domain: &RemoteDomain) -> Html {
    let about = hidden("domain", &domain.domain);
    let mut html = Html::new();
    if domain.state != "connected" {
        html = html.html(&form(signed, "federation-try", &about, Button::plain("Try now")));
        if domain.waiting > 0 {
            let button = Button::plain("Give back what waits");
            html = html.html(&form(signed, "federation-give-back", &about, button));
        }
    }
    if !domain.streams.is_empty() {
        html = html.html(&form(signed, "federation-end", &about, Button::plain("End streams")));
    }
    html
}

/// Other servers, and why one cannot be reached.
pub(super) async fn federation(
    server: &Server,
    signed: &Signed,
    query: &Form,
) -> Result<Html, Fault> {
    let found = ask(server, signed, Request::FederationList {}).await?;
    let Response::Federation(domains) = found else { return Ok(Html::new()) };
    let wish = Wish::of("federation", query);
    // Two domains of this server may talk to the same other one.
    let key = |domain: &RemoteDomain| format!("{} {}", domain.domain, domain.from);
    let passed = |domain: &RemoteDomain, after: &str| key(domain).as_str() <= after;
    let mut domains = domains;
    domains.sort_by_key(key);
    let page = wish.cut(domains, |domain| domain.domain.clone(), key, passed);
    let rows = page.rows.iter().map(|domain| {
        let streams = domain.streams.iter().map(stream);
        [
            words(&domain.domain),
            words(if domain.state.is_empty() { "idle" } else { &domain.state }),
            words(&streams.collect::<Vec<_>>().join("; ")),
            waiting(domain),
            problem(domain),
            federation_actions(signed, domain),
        ]
    });
    let list = wish.search().html(&table(
        ["Domain", "State", "Connections", "Waiting", "Problem", "Change"],
        rows.collect(),
        "No other server was talked to.",
    ));
    let domain = line("domain", "Domain", "required autocapitalize=\"none\" autocomplete=\"off\"");
    let look = form(signed, "federation-try", &domain, Button::new("Connect to it"));
    Ok(list.html(&wish.foot(&page)).html(&section("Look for a server", &look)).html(&section(
        "Domains that are talked to or not",
        &domains::lists(server, signed, query).await?,
    )))
}

/// What people reported when they blocked somebody.
pub(super) async fn reports(server: &Server, signed: &Signed, query: &Form) -> Result<Html, Fault> {
    let Response::Reports(reports) = ask(server, signed, Request::ReportList {}).await? else {
        return Ok(Html::new());
    };
    let wish = Wish::of("reports", query);
    let key = |one: &Report| format!("{} {}", one.at, one.id);
    let text = |one: &Report| {
        format!(
            "{} {} {} {}",
            one.address,
            one.by,
            one.reason,
            one.text.as_deref().unwrap_or_default()
        )
    };
    let mut reports = reports;
    reports.sort_by_key(key);
    let page = wish.cut(reports, text, key, |one, after| key(one).as_str() <= after);
    let rows = page.rows.iter().map(|one| {
        let id = hidden("id", &one.id);
        [
            minute(&one.at),
            words(&one.address),
            words(&one.by),
            words(&one.reason),
            words(one.text.as_deref().unwrap_or_default()),
            form(signed, "report-delete", &id, Button::plain("Delete")),
        ]
    });
    let list = wish.search().html(&table(
        ["When", "Who was blocked", "By", "Why", "Text", "Change"],
        rows.collect(),
        "There are none.",
    ));
    Ok(list.html(&wish.foot(&page)))
}

/// How much every account takes.
pub(super) async fn storage(server: &Server, query: &Form) -> Result<Html, Fault> {
    let wish = Wish::of("storage", query);
    let page = operations(server)?.storage_page(wish.wanted()).await?;
    let rows = page.rows.iter().map(|row| {
        [
            link("accounts/", &row.address, &row.address),
            words(&row.messages.map_or("too many to count".to_owned(), |count| count.to_string())),
            words(&size(row.node_bytes)),
            words(&size(row.document_bytes)),
            words(&size(row.upload_bytes)),
        ]
    });
    let list = wish.search().html(&table(
        ["Account", "Messages", "Published", "Profile", "Files"],
        rows.collect(),
        "There are no such accounts.",
    ));
    let words = Html::new().raw(
        "<p class=\"soft\">Published: avatars, keys of devices, bookmarks. Profile: the vCard, and settings of \
         apps.</p>\n",
    );
    Ok(list.html(&wish.foot(&page)).html(&words))
}

/// What is stored about whom, what for, and for how long.
pub(super) async fn privacy(server: &Server, signed: &Signed, query: &Form) -> Result<Html, Fault> {
    let account = Some(field(query, "account")).filter(|account| !account.is_empty());
    let request = Request::Privacy { account: account.map(str::to_owned) };
    let Response::Privacy(entries) = ask(server, signed, request).await? else {
        return Ok(Html::new());
    };
    let intro = match account {
        Some(account) => Html::new().raw("<p>What is stored of <code>").text(account).raw("</code>.</p>\n"),
        None => Html::new().raw(
            "<p>What this server stores about people, what for, and for how long. Beside it there is \
             the log, in which nobody's address can be read unless the operator wants it.</p>\n",
        ),
    };
    let rows = entries.iter().map(|entry| {
        [
            words(&entry.what),
            words(&entry.purpose),
            words(&entry.kept),
            words(&entry.readable),
            words(entry.amount.as_deref().unwrap_or_default()),
        ]
    });
    Ok(intro.html(&table(
        ["What", "What for", "How long", "Who can read it", "How much"],
        rows.collect(),
        "",
    )))
}
