//! What administrators did.

use super::{
    super::{
        super::html::Html,
        Form, field,
        lists::{Button, form, line, minute, table, words},
        session::Signed,
    },
    operations,
    paging::Wish,
};
use crate::{
    admin::{Fault, listing::Record},
    server::Server,
};

/// Who did what on whom, newest first.
pub(super) async fn list(server: &Server, signed: &Signed, query: &Form) -> Result<Html, Fault> {
    let wish = Wish::of("audit", query);
    let record = operations(server)?.audit_page(wish.wanted()).await?;
    let rows = record.page.rows.iter().map(|one| {
        [
            words(&one.number.to_string()),
            minute(&one.at),
            words(&format!("{} ({})", one.actor, one.door)),
            words(&one.did),
            words(&one.subject),
            words(outcome(&one.outcome)),
        ]
    });
    let list = wish.search().html(&table(
        ["Number", "When", "Who", "Command", "On", "Outcome"],
        rows.collect(),
        "There are no such entries.",
    ));
    let begins = field(query, "q").is_empty() && field(query, "after").is_empty();
    Ok(genuine(&record, begins).html(&verify(signed)).html(&list).html(&wish.foot(&record.page)))
}

/// Whether what is shown is as it was written. `begins` when the newest entry is among it.
fn genuine(record: &Record, begins: bool) -> Html {
    if let Some(doubt) = &record.doubt {
        return Html::new()
            .raw("<p class=\"card\" role=\"alert\">The record cannot be trusted: ")
            .text(&doubt.message)
            .raw("</p>\n");
    }
    let Some(newest) = record.page.rows.first() else { return Html::new() };
    let html =
        Html::new().raw("<p class=\"soft\">The entries shown here are as they were written.");
    match begins {
        true => html
            .raw(" The last hash is <code>")
            .text(&newest.hash)
            .raw("</code>: noted somewhere else, it tells later whether that entry is still there.</p>\n"),
        false => html.raw("</p>\n"),
    }
}

/// Reads the whole record, which takes a while when it is long.
fn verify(signed: &Signed) -> Html {
    let hash = line(
        "hash",
        "A hash that was noted (may be empty)",
        "autocapitalize=\"none\" autocomplete=\"off\"",
    );
    form(signed, "audit-verify", &hash, Button::plain("Check the whole record"))
}

/// What became of it, in words.
fn outcome(code: &str) -> &str {
    match code {
        "done" => "done",
        "exists" => "not done: it exists already",
        "not_found" => "not done: there was none",
        "storage" => "failed",
        _ => "refused",
    }
}
