//! The pages that show something.

mod account;
mod accounts;
mod attention;
mod audit;
mod domains;
mod downtime;
mod invitations;
mod notices;
mod paging;
mod rooms;
mod watching;

use hyper::StatusCode;

use super::{
    super::{
        Answer,
        html::{Html, notice},
    },
    Form,
    lists::{facts, frame, line, section, table, words},
    session::Signed,
};
use crate::{
    admin::{Fault, Operations, Request, Response, Status},
    files::size,
    server::Server,
};

/// The page at a path.
pub(super) async fn show(server: &Server, signed: &Signed, path: &str, query: &Form) -> Answer {
    let name = |rest: &str| {
        let decoded = form_urlencoded::parse(rest.as_bytes()).next();
        decoded.map(|(name, _)| name.into_owned()).unwrap_or_default()
    };
    let made = match path.split_once('/').unwrap_or((path, "")) {
        ("", _) => overview(server, signed).await.map(|main| ("", "Overview", main)),
        ("accounts", "") => {
            accounts::list(server, signed, query).await.map(|main| ("accounts", "Accounts", main))
        }
        ("accounts", rest) => account::one(server, signed, &name(rest))
            .await
            .map(|main| ("accounts", "Account", main)),
        ("invitations", _) => invitations::list(server, signed, query)
            .await
            .map(|main| ("invitations", "Invitations", main)),
        ("rooms", "") => {
            rooms::list(server, signed, query).await.map(|main| ("rooms", "Rooms", main))
        }
        ("rooms", rest) => {
            rooms::one(server, signed, &name(rest), query).await.map(|main| ("rooms", "Room", main))
        }
        ("federation", _) => watching::federation(server, signed, query)
            .await
            .map(|main| ("federation", "Other servers", main)),
        ("reports", _) => {
            watching::reports(server, signed, query).await.map(|main| ("reports", "Reports", main))
        }
        ("notices", _) => {
            notices::show(server, signed).await.map(|main| ("notices", "Notices", main))
        }
        ("downtime", _) => {
            downtime::show(server, signed).await.map(|main| ("downtime", "Downtime", main))
        }
        ("storage", _) => {
            watching::storage(server, query).await.map(|main| ("storage", "Storage", main))
        }
        ("audit", _) => {
            audit::list(server, signed, query).await.map(|main| ("audit", "Who did what", main))
        }
        ("privacy", _) => {
            watching::privacy(server, signed, query).await.map(|main| ("privacy", "Privacy", main))
        }
        _ => return notice(StatusCode::NOT_FOUND, "Nothing here", "The address leads nowhere."),
    };
    match made {
        Ok((current, title, main)) => frame(StatusCode::OK, signed, current, title, main),
        Err(fault) => failed(signed, &fault),
    }
}

/// Why something was not done.
pub(super) fn failed(signed: &Signed, fault: &Fault) -> Answer {
    let sentence =
        Html::new().raw("<p class=\"card\" role=\"alert\">").text(&fault.message).raw("</p>");
    frame(StatusCode::UNPROCESSABLE_ENTITY, signed, "-", "That did not work", sentence)
}

fn operations(server: &Server) -> Result<&Operations, Fault> {
    let words = "the server is still starting";
    let starting = || Fault::new(crate::admin::FaultCode::NotRunning, words);
    server.operations().map(AsRef::as_ref).ok_or_else(starting)
}

/// Asks what the command line asks.
pub(super) async fn ask(
    server: &Server,
    signed: &Signed,
    request: Request,
) -> Result<Response, Fault> {
    match operations(server)?.perform(&signed.by(), request).await {
        Response::Error(fault) => Err(fault),
        response => Ok(response),
    }
}

/// The field for how long messages are kept.
fn kept_days() -> Html {
    line(
        "days",
        "Days; 0 for ever, empty for as long as those of others",
        "inputmode=\"numeric\" autocomplete=\"off\"",
    )
}

/// Whether the disk takes writes, and how much more of them.
fn disk(status: &Status) -> String {
    let free = status.disk_free_bytes.map(|free| format!(", {} free", size(free)));
    let free = free.unwrap_or_default();
    match status.storing {
        true => format!("takes writes{free}"),
        false => format!("does not take writes{free}"),
    }
}

async fn overview(server: &Server, signed: &Signed) -> Result<Html, Fault> {
    let Response::Status(status) = ask(server, signed, Request::Status {}).await? else {
        return Ok(Html::new());
    };
    let mut rows = vec![
        [words("Domain"), words(&status.domain)],
        [words("Version"), words(&status.version)],
        [words("Accounts"), words(&status.accounts.to_string())],
        [words("Connected devices"), words(&status.sessions.to_string())],
        [words("Database"), words(&size(status.database_bytes))],
        [words("Disk"), words(&disk(&status))],
    ];
    let waiting = match status.waiting {
        0 => words("nothing"),
        many => Html::new()
            .text(&format!("{many} stanzas, {} ", size(status.waiting_bytes)))
            .html(&Html::new().raw("(<a href=\"/admin/federation\">").raw("which").raw("</a>)")),
    };
    rows.push([words("Waits for other servers"), waiting]);
    let more = [
        ("Certificate", status.certificate()),
        ("Relay for calls", status.relaying()),
        ("Damage", status.damage()),
        ("Clock", status.clock.clone()),
        ("Ordered", status.order().map(|order| format!("it {order}"))),
    ];
    for (what, how) in more {
        rows.extend(how.map(|how| [words(what), words(&how)]));
    }
    let doors = status
        .listening
        .iter()
        .map(|door| [words(&door.service.to_string()), words(&door.address.to_string())]);
    let attention = attention::list(server, signed, &status).await;
    Ok(attention.html(&facts(rows)).html(&section(
        "Where it listens",
        &table(["Service", "Address"], doors.collect(), "Nowhere."),
    )))
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Instant};

    use http_body_util::BodyExt as _;

    use super::{
        super::{actions, parse, session::AdminSessions},
        *,
    };
    use crate::{
        config::{Config, Home},
        model::Stage,
    };

    /// Somebody who is signed in, at a server that does not run.
    struct Desk {
        stage: Stage,
        signed: Signed,
        _directory: tempfile::TempDir,
    }

    impl Desk {
        fn new() -> Self {
            let stage = Stage::with("[federation]\ndeny = [\"evil.example\"]\n");
            let directory = tempfile::tempdir().unwrap();
            let home = Home::new(directory.path().to_owned());
            let config = Config::for_domain("a.example").unwrap();
            let operations = Operations::stopped(stage.server.store.clone(), home, config);
            stage.server.set_operations(Arc::new(operations));
            let (sessions, now) = (AdminSessions::default(), Instant::now());
            let secret = sessions.sign_in(Some("ada"), [0; 32], now).unwrap();
            let signed = sessions.of(&secret, now).unwrap();
            Self { stage, signed, _directory: directory }
        }

        fn open(&self, path: &str) -> String {
            let query = parse("");
            self.read(self.stage.run(show(&self.stage.server, &self.signed, path, &query))).1
        }

        fn fill(&self, action: &str, form: &str) -> (StatusCode, String) {
            let form = parse(form);
            let done = actions::perform(&self.stage.server, &self.signed, action, &form);
            self.read(self.stage.run(done))
        }

        fn read(&self, answer: Answer) -> (StatusCode, String) {
            let status = answer.status();
            let body = self.stage.run(answer.into_body().collect()).unwrap().to_bytes();
            (status, String::from_utf8(body.to_vec()).unwrap())
        }
    }

    const OK: StatusCode = StatusCode::OK;
    const NOT_DONE: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

    #[test]
    fn the_overview_begins_with_what_waits_for_somebody() {
        let desk = Desk::new();
        assert!(!desk.open("").contains("Needs somebody"), "all is well");
        let asked = |name: &str| store::requests::NewRequest {
            name: name.into(),
            contact: "by post".into(),
            text: "".into(),
            at: store::Millis(1),
        };
        let store = &desk.stage.server.store;
        desk.stage.run(store.requests.create(asked("romeo"))).unwrap();
        let page = desk.open("");
        let waits = "<li><a href=\"/admin/invitations\">1 request for an account waits</a></li>";
        assert!(page.contains(waits), "{page}");
        desk.stage.run(store.requests.create(asked("nurse"))).unwrap();
        assert!(desk.open("").contains("2 requests for an account wait<"));
    }

    #[test]
    fn notices_are_set_corrected_and_deleted() {
        let desk = Desk::new();
        assert!(!desk.open("notices").contains("Delete it"), "nothing is told yet");
        assert_eq!(desk.fill("notice-motd", "text=Tea+%3Cis%3E+served").0, OK);
        let page = desk.open("notices");
        assert!(page.contains("Tea &lt;is&gt; served</textarea>"), "{page}");
        assert!(page.contains("notice-motd-delete") && !page.contains("notice-welcome-delete"));
        assert_eq!(desk.fill("notice-motd", "text=Tea+was+served&correct=yes").0, OK);
        assert_eq!(desk.fill("notice-welcome", "text=Be+welcome").0, OK);
        let page = desk.open("notices");
        assert!(page.contains("Tea was served") && page.contains("Be welcome"), "{page}");
        assert_eq!(desk.fill("notice-motd-delete", "").0, OK);
        assert_eq!(desk.fill("notice-welcome-delete", "").0, OK);
        assert!(!desk.open("notices").contains("Delete it"));
        let (status, page) = desk.fill("notice-now", "text=Fire");
        assert!(status == NOT_DONE && page.contains("no server is running"), "{page}");
    }

    #[test]
    fn domains_are_put_on_lists_and_taken_off_but_not_those_of_the_configuration() {
        let desk = Desk::new();
        let lists = || {
            let query = parse("");
            let lists = domains::lists(&desk.stage.server, &desk.signed, &query);
            desk.stage.run(lists).unwrap().as_str().to_owned()
        };
        let page = lists();
        assert!(page.contains("evil.example") && page.contains("anemone.toml says so"), "{page}");
        assert!(!page.contains("Take it off"));
        assert_eq!(desk.fill("federation-list", "list=deny&domain=Spam.example").0, OK);
        assert_eq!(desk.fill("federation-list", "list=allow&domain=*.friends.example").0, OK);
        let page = lists();
        assert!(page.contains("value=\"spam.example\"") && page.contains("*.friends.example"));
        let (status, page) = desk.fill("federation-list", "list=deny&domain=spam.example");
        assert!(status == NOT_DONE && page.contains("already"), "{page}");
        assert_eq!(desk.fill("federation-deny-remove", "domain=spam.example").0, OK);
        assert_eq!(desk.fill("federation-allow-remove", "domain=*.friends.example").0, OK);
        assert!(!lists().contains("Take it off"));
    }

    #[test]
    fn outages_are_announced_and_nothing_stops_by_mistake() {
        let desk = Desk::new();
        assert!(!desk.open("downtime").contains("It is over"));
        assert_eq!(desk.fill("outage-announce", "text=New+disks&after=60&takes=30").0, OK);
        let page = desk.open("downtime");
        assert!(page.contains("New disks") && page.contains("It is over"), "{page}");
        assert_eq!(desk.fill("outage-end", "").0, OK);
        assert!(!desk.open("downtime").contains("It is over"));
        for typed in ["", "b.example"] {
            let (status, page) = desk.fill("stop", &format!("after=0&confirm={typed}"));
            assert!(status == NOT_DONE && page.contains("nothing was done"), "{page}");
        }
        let (_, page) = desk.fill("stop", "after=0&confirm=a.example");
        assert!(page.contains("no server is running"), "{page}");
    }

    #[test]
    fn the_whole_record_is_checked_when_that_is_asked_for() {
        let desk = Desk::new();
        desk.fill("notice-welcome", "text=Be+welcome");
        let page = desk.open("audit");
        assert!(page.contains("notice welcome") && page.contains("as they were written"), "{page}");
        let (status, page) = desk.fill("audit-verify", "hash=");
        assert!(status == OK && page.contains("from 1 to 1 are as they were written"), "{page}");
        let (status, page) = desk.fill("audit-verify", &format!("hash={}", "0".repeat(16)));
        assert!(status == NOT_DONE && page.contains("none of them has that hash"), "{page}");
    }
}
