//! `anemone import` and `anemone export`: moving in and out.

use std::{
    fs::File,
    io::{self, IsTerminal as _, Write as _},
    path::{PathBuf, absolute},
    process::ExitCode,
};

use rustix::process::geteuid;
use serde_json::json;

use super::{
    backup::{Part, Temporary, cannot, copy_path},
    connect, show,
};
use crate::{
    admin::{By, Fault, FaultCode, Operations, Request, Response, socket::Conversation},
    config::Home,
    moving::{self, Source, Wish},
    secret::ServerSecret,
};

/// Takes in what another server kept. The server must be stopped: it would not see what is written
/// behind its back.
pub(super) async fn import(
    home: &Home,
    source: Source,
    wish: Wish,
    json: bool,
) -> Result<ExitCode, Fault> {
    let config = connect::configuration(home)?;
    if Conversation::open(home).await?.is_some() {
        return Err(Fault::new(
            FaultCode::Running,
            "the server is running; stop it first, import, and start it again: it keeps in memory \
             what an import changes on disk",
        ));
    }
    let secret = ServerSecret::load(home);
    let secret = secret.map_err(|error| Fault::new(FaultCode::Configuration, error.to_string()))?;
    let store = connect::open(home)?;
    let terminal = !json && io::stderr().is_terminal();
    let progress = |whose: &str, count: u64| {
        if terminal {
            // A line that is written over and over.
            eprint!("\r\x1b[K{count} records, {}", show::clean(whose));
            let _ = io::stderr().flush();
        }
    };
    let what = source_name(&source);
    let dry_run = wish.dry_run;
    let (report, outcome) = moving::import(&store, &config, &secret, source, wish, &progress).await;
    if terminal {
        eprint!("\r\x1b[K");
    }
    if !dry_run {
        let operations = Operations::stopped(store.clone(), home.clone(), config);
        let by = By::CommandLine(geteuid().as_raw());
        let became = outcome.as_ref().err().map_or("done", |fault| fault.code.name());
        operations.note_outcome(&by, "import", &what, became).await;
    }
    let closed = store.maintenance.close().await;
    match json {
        // The fault alone, when there is nothing else to say.
        _ if outcome.is_err() && report.is_empty() => {}
        true => show::value(&json!({ "import": report })),
        false => show::text(
            &report.lines().iter().map(|line| show::clean(line)).collect::<Vec<_>>().join("\n"),
        ),
    }
    outcome?;
    closed?;
    Ok(ExitCode::SUCCESS)
}

/// From where, for the record.
fn source_name(source: &Source) -> String {
    let (Source::Prosody(path) | Source::Ejabberd(path) | Source::Account(path)) = source;
    path.display().to_string()
}

/// Writes an account into a file of XEP-0227, whether the server runs or not.
pub(super) async fn export(
    home: &Home,
    account: &str,
    file: Option<PathBuf>,
    json: bool,
) -> Result<ExitCode, Fault> {
    let config = connect::configuration(home)?;
    let name = match account.contains('@') {
        true => format!("{account}.xml"),
        false => format!("{account}@{}.xml", config.domain),
    };
    let file = file.unwrap_or_else(|| PathBuf::from(name.replace('/', "_")));
    let file = absolute(&file).map_err(|error| cannot("write", &file, &error))?;
    if file.exists() {
        let words = format!("{} exists already; an export overwrites nothing", file.display());
        return Err(Fault::new(FaultCode::Exists, words));
    }
    let part = Part::create(&file)?;
    // Written by whoever has the database, where that may write.
    let copy = Temporary(copy_path(home)?);
    let question = Request::AccountExport { account: account.to_owned(), path: copy.0.clone() };
    let messages = match connect::ask(home, &question).await? {
        Response::Exported(messages) => messages,
        Response::Error(fault) => return Err(fault),
        _ => return Err(Fault::new(FaultCode::Storage, "the server answered something else")),
    };
    let bytes = part.fill(|mut out| io::copy(&mut File::open(&copy.0)?, &mut out).map(|_| ()))?;
    if json {
        show::value(&json!({ "export": { "file": file, "bytes": bytes, "messages": messages } }));
    } else {
        show::text(&format!(
            "{} holds the account with {}. It also holds the keys of its password: keep it where \
             nobody else can read it. Uploaded files are not in it.",
            file.display(),
            show::count(messages, "message"),
        ));
    }
    Ok(ExitCode::SUCCESS)
}
