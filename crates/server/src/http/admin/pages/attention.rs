//! What wants somebody to do something: on top of the overview, and nothing where all is well.

use super::{
    super::{
        super::{html::Html, join::capitalised},
        lists::{link, words},
        session::Signed,
    },
    ask,
};
use crate::{
    admin::{Request, Response, Status},
    server::Server,
};

/// Days before its end from which on a certificate should have been renewed.
const SOON: u64 = 14;

/// The list; empty where nothing is the matter.
pub(super) async fn list(server: &Server, signed: &Signed, status: &Status) -> Html {
    let mut items = troubles(status);
    items.extend(waiting(server, signed).await);
    if items.is_empty() {
        return Html::new();
    }
    let list =
        Html::new().raw("<div class=\"card\" role=\"status\">\n<h2>Needs somebody</h2>\n<ul>\n");
    let list = items.iter().fold(list, |list, item| list.raw("<li>").html(item).raw("</li>\n"));
    list.raw("</ul>\n</div>\n")
}

/// What the machine lacks.
fn troubles(status: &Status) -> Vec<Html> {
    let full = (!status.storing).then(|| {
        "The disk does not take writes, and messages are refused: look at its space and its health.".to_owned()
    });
    let soon = status.certificate_days.is_some_and(|days| days < SOON);
    let certificate = status.certificate().filter(|_| soon);
    let certificate = certificate.map(|until| format!("The certificate is good {until}."));
    let others = [status.damage(), status.clock.clone()].into_iter().flatten();
    let others = others.map(|text| capitalised(&text));
    let all = full.into_iter().chain(certificate).chain(others);
    all.map(|text| words(&text)).collect()
}

/// What people wait for.
async fn waiting(server: &Server, signed: &Signed) -> Vec<Html> {
    let mut items = Vec::new();
    let mut add = |number: usize, page: &'static str, one: &str, many: &str| match number {
        0 => {}
        1 => items.push(link(page, "", &format!("1 {one}"))),
        number => items.push(link(page, "", &format!("{number} {many}"))),
    };
    // A list that cannot be read has a page that says why.
    if let Ok(Response::Requests(rows)) =
        ask(server, signed, Request::RequestList { all: false }).await
    {
        add(
            rows.len(),
            "invitations",
            "request for an account waits",
            "requests for an account wait",
        );
    }
    if let Ok(Response::Reports(rows)) = ask(server, signed, Request::ReportList {}).await {
        add(rows.len(), "reports", "report of abuse", "reports of abuse");
    }
    if let Ok(Response::Federation(rows)) = ask(server, signed, Request::FederationList {}).await {
        let stuck = rows.iter().filter(|row| row.problem.is_some() && row.waiting > 0).count();
        let (one, many) = (
            "server that messages wait for cannot be reached",
            "servers that messages wait for cannot be reached",
        );
        add(stuck, "federation", one, many);
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> Status {
        let quiet = serde_json::json!({
            "running": true, "version": "1", "domain": "a.example", "listening": [], "accounts": 1,
            "sessions": 0, "database_bytes": 1, "storing": true, "certificate_days": 14,
            "certificate_expires": "2031-05-17T00:00:00Z",
        });
        serde_json::from_value(quiet).unwrap()
    }

    #[test]
    fn what_is_well_is_not_told() {
        assert!(troubles(&status()).is_empty());
        let clock = Some("the clock is 2 days behind".to_owned());
        let bad =
            Status { storing: false, damaged: true, clock, certificate_days: Some(13), ..status() };
        let told: Vec<String> = troubles(&bad).iter().map(|one| one.as_str().to_owned()).collect();
        assert_eq!(told.len(), 4);
        assert_eq!(told[1], "The certificate is good until 2031-05-17, 13 more days.");
        assert_eq!(told[3], "The clock is 2 days behind.");
    }
}
