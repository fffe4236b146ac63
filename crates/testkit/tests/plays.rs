//! Performs every play of `tests/plays` on every server there is.
//!
//! Each play is one test per server, such as `prosody::xep-0280/sent_copies`. Run alone, as nextest does,
//! a test starts a server for itself; run together they share servers, and a summary by specification
//! follows. `docs/dev/plays.md` tells how to write and run plays.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Failed, Trial};
use testkit::client::{Account, Client, Via};
use testkit::conformance::{self, Verdict};
use testkit::play::{self, Play, library};
use testkit::target::{Server, Target};

type Key = (Target, Vec<String>);

/// Running servers, one for each kind and settings.
#[derive(Default)]
struct Servers(Mutex<HashMap<Key, Arc<Server>>>);

impl Servers {
    fn find(&self, target: Target, play: &Play) -> Result<Arc<Server>, String> {
        let start = || {
            let server =
                Server::start(target, &play.settings).map_err(|error| error.to_string())?;
            Ok::<_, String>(Arc::new(server))
        };
        if play.needs_own_server() {
            return start();
        }
        let mut servers = self.0.lock().map_err(|_| "another play broke the stage")?;
        let key = (target, play.settings.clone());
        if let Some(server) = servers.get(&key) {
            return Ok(server.clone());
        }
        let server = start()?;
        servers.insert(key, server.clone());
        Ok(server)
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let servers = Arc::new(Servers::default());
    let mut plays = Vec::new();
    let mut trials = Vec::new();
    for (name, play) in library::load(&library::folder()) {
        match play {
            Ok(play) => {
                trials.extend(Target::ALL.map(|target| trial(target, play.clone(), &servers)));
                plays.push(play);
            }
            Err(mistake) => {
                trials.push(Trial::test(format!("script::{name}"), || Err(Failed::from(mistake))));
            }
        }
    }
    trials.push(table_trial(plays.clone()));
    trials.extend(Target::ALL.map(client_trial));
    trials.extend(WRONG.map(|(name, text, complaint)| wrong_trial(name, text, complaint)));
    let alone = arguments.exact || arguments.list;
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Servers stop before the summary so that an interrupted summary leaves none behind.
    servers.0.lock().map(|mut servers| servers.clear()).ok();
    if !alone {
        match conformance::write_summary(&plays) {
            Ok(summary) => println!("{summary}"),
            Err(error) => eprintln!("the summary cannot be written: {error}"),
        }
    }
    conclusion.exit_code()
}

fn trial(target: Target, play: Play, servers: &Arc<Servers>) -> Trial {
    let name = format!("{}::{}", target.name(), play.name);
    let skipped = conformance::skip(&play, target).is_some();
    let servers = servers.clone();
    Trial::test(name, move || {
        let outcome = perform(target, &play, &servers);
        let verdict = if outcome.is_ok() { Verdict::Passed } else { Verdict::Failed };
        conformance::record(target, &play.name, &verdict)?;
        outcome.map_err(Failed::from)
    })
    .with_ignored_flag(skipped)
}

fn perform(target: Target, play: &Play, servers: &Servers) -> Result<(), String> {
    if let Some(reason) = target.missing() {
        return Err(reason);
    }
    let server = servers.find(target, play)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime
        .block_on(play::perform(play, &server))
        .map_err(|report| format!("{report}\nthe server's last words:\n{}", server.log_tail(30)))
}

/// The test client logs in by every door and talks to itself.
fn client_trial(target: Target) -> Trial {
    Trial::test(format!("client::talks_on_{}", target.name()), move || {
        if let Some(reason) = target.missing() {
            return Err(reason.into());
        }
        let server = Server::start(target, &[])?;
        server.create_account("romeo", "the secret of romeo")?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        for via in [Via::StartTls, Via::DirectTls, Via::WebSocket] {
            runtime.block_on(talk(&server, via))?;
        }
        Ok(())
    })
}

async fn talk(server: &Server, via: Via) -> std::io::Result<()> {
    let account = Account {
        user: "romeo".into(),
        password: "the secret of romeo".into(),
        resource: Some("orchard".into()),
        mechanism: None,
    };
    let mut client = Client::log_in(server.endpoint(), via, &account).await?;
    let jid = client.jid().to_owned();
    let message = format!("<message xmlns='jabber:client' to='{jid}'><body>hi</body></message>");
    client.send(&message).await?;
    client.receive_until(|stanza| stanza.attr("from") == Some(&jid)).await.map(drop)
}

/// Plays that have to fail, and what the report has to say: the runner itself is tested.
const WRONG: [(&str, &str, &str); 4] = [
    (
        "unexpected_content",
        "Romeo sends: <message to=\"{Romeo}\"><body>a</body></message>\n\
         Romeo receives: <message ...><body>b</body>...</message>",
        "play:6: Romeo receives: <message ...><body>b</body>...</message>\n\
         <message> → <body> text is \"a\", expected \"b\"",
    ),
    (
        "something_instead_of_nothing",
        "Romeo sends: <message to=\"{Romeo}\"><body>a</body></message>\nRomeo receives nothing",
        "play:6: Romeo receives nothing\nRomeo received what the play does not tell",
    ),
    (
        "something_left_over",
        "Romeo sends: <message to=\"{Romeo}\"><body>a</body></message>",
        "play: at the end\nRomeo received what the play does not tell",
    ),
    (
        "connection_ended",
        "Romeo sends raw: </wrong>\nRomeo receives: <message ...>...</message>",
        "<error> came where <message> was expected",
    ),
];

fn wrong_trial(name: &str, steps: &'static str, complaint: &'static str) -> Trial {
    Trial::test(format!("runner::{name}_is_reported"), move || {
        if let Some(reason) = Target::Anemone.missing() {
            return Err(reason.into());
        }
        let text =
            format!("spec: RFC 6120\ncast:\n  Romeo: romeo/orchard\nRomeo connects\n{steps}\n");
        let play = play::parse("wrong", &text).map_err(|mistake| mistake.to_string())?;
        match perform(Target::Anemone, &play, &Servers::default()) {
            Ok(()) => Err("the play should have failed".into()),
            Err(report) if report.contains(complaint) => Ok(()),
            Err(report) => Err(format!("`{complaint}` is not in the report:\n{report}").into()),
        }
    })
}

/// The table of specifications and the plays agree.
fn table_trial(plays: Vec<Play>) -> Trial {
    Trial::test("conformance::table_and_plays_agree", move || {
        let mistakes = conformance::mistakes(&conformance::specs()?, &plays);
        if mistakes.is_empty() { Ok(()) } else { Err(mistakes.join("\n").into()) }
    })
}
