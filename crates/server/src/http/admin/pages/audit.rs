//! What administrators did.

use super::{
    super::{
        super::html::Html,
        Form,
        lists::{minute, table, words},
        session::Signed,
    },
    ask,
    paging::Wish,
};
use crate::{
    admin::{AuditEntry, Fault, Request, Response, audit::MOST},
    server::Server,
};

/// Who did what on whom, newest first.
pub(super) async fn list(server: &Server, signed: &Signed, query: &Form) -> Result<Html, Fault> {
    let request = Request::AuditList { before: None, most: MOST };
    let Response::Audit(entries) = ask(server, signed, request).await? else {
        return Ok(Html::new());
    };
    let wish = Wish::of("audit", query);
    let text = |one: &AuditEntry| format!("{} {} {}", one.actor, one.did, one.subject);
    let passed =
        |one: &AuditEntry, after: &str| after.parse().is_ok_and(|after| one.number >= after);
    let page = wish.cut(entries, text, |one| one.number.to_string(), passed);
    let rows = page.rows.iter().map(|one| {
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
    Ok(whole(server, signed).await.html(&list).html(&wish.foot(&page)))
}

/// Whether the record is as it was written.
async fn whole(server: &Server, signed: &Signed) -> Html {
    let found = ask(server, signed, Request::AuditVerify { known: None }).await;
    match found {
        Ok(Response::AuditChain(chain)) => match chain.hash {
            Some(hash) => Html::new()
                .raw("<p class=\"soft\">The entries are as they were written. The last hash is <code>")
                .text(&hash)
                .raw("</code>; with <code>anemone audit verify</code> you can see later whether it is \
                      still there.</p>\n"),
            None => Html::new(),
        },
        Ok(_) => Html::new(),
        Err(fault) => Html::new()
            .raw("<p class=\"card\" role=\"alert\">The record cannot be trusted: ")
            .text(&fault.message)
            .raw("</p>\n"),
    }
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
