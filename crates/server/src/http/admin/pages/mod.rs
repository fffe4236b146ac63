//! The pages that show something.

mod account;
mod accounts;
mod audit;
mod invitations;
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
    lists::{facts, frame, section, table, words},
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
    let more = [("Certificate", status.certificate()), ("Relay for calls", status.relaying())];
    for (what, how) in more {
        rows.extend(how.map(|how| [words(what), words(&how)]));
    }
    let doors = status
        .listening
        .iter()
        .map(|door| [words(&door.service.to_string()), words(&door.address.to_string())]);
    Ok(facts(rows).html(&section(
        "Where it listens",
        &table(["Service", "Address"], doors.collect(), "Nowhere."),
    )))
}
