//! Which other domains are talked to: what administrators chose, and what the configuration says.

use super::{
    super::{
        super::html::Html,
        Form,
        lists::{Button, choice, form, hidden, line, table, words},
        session::Signed,
    },
    ask,
    paging::Wish,
};
use crate::{
    admin::{Fault, Request, Response},
    server::Server,
};

/// A domain on a list.
struct Row {
    domain: String,
    /// It is not talked to; otherwise it is, and domains that are on neither list are not.
    denied: bool,
    /// The configuration says so, which nobody changes here.
    fixed: bool,
}

/// Both lists, and a form that puts a domain on one.
pub(super) async fn lists(server: &Server, signed: &Signed, query: &Form) -> Result<Html, Fault> {
    let Response::Domains(chosen) = ask(server, signed, Request::DomainsShow {}).await? else {
        return Ok(Html::new());
    };
    let config = server.config();
    let written = &config.federation;
    let mut rows = Vec::new();
    for (list, denied, fixed) in [
        (&chosen.deny, true, false),
        (&chosen.allow, false, false),
        (&written.deny, true, true),
        (&written.allow, false, true),
    ] {
        rows.extend(list.iter().map(|domain| Row { domain: domain.clone(), denied, fixed }));
    }
    let key = |row: &Row| format!("{} {} {}", row.domain, row.denied, row.fixed);
    rows.sort_by_cached_key(key);
    let wish = Wish::at("listed", "federation", query);
    let passed = |row: &Row, after: &str| key(row).as_str() <= after;
    let page = wish.cut(rows, |row| row.domain.clone(), key, passed);
    let cells = page.rows.iter().map(|row| {
        let (talk, action) = match row.denied {
            true => ("is not talked to", "federation-deny-remove"),
            false => ("is talked to; those that are not listed are not", "federation-allow-remove"),
        };
        let change = match row.fixed {
            true => words("anemone.toml says so"),
            false => {
                form(signed, action, &hidden("domain", &row.domain), Button::plain("Take it off"))
            }
        };
        [words(&row.domain), words(talk), change]
    });
    let listed = table(["Domain", "What", "Change"], cells.collect(), "No domain is on a list.");
    Ok(listed.html(&wish.foot(&page)).html(&put(signed)))
}

fn put(signed: &Signed) -> Html {
    let fields = line(
        "domain",
        "A domain, or *. and a domain for everything below it",
        "required autocapitalize=\"none\" autocomplete=\"off\"",
    )
    .html(&choice(
        "list",
        "It",
        &[
            ("deny", "is not talked to"),
            ("allow", "is talked to; those that are not listed are not"),
        ],
    ));
    form(signed, "federation-list", &fields, Button::new("Put it on the list"))
}
