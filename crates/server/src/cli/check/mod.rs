//! `anemone check`: what is wrong, in words with the fix.

use std::{collections::BTreeMap, process::ExitCode};

use serde::Serialize;

use super::show;
use crate::{
    admin::{Fault, Request, Response, Status, socket::Conversation},
    config::{Config, Home},
};

mod data;
mod dns;
mod ports;
mod turn;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Level {
    /// As it should be.
    Good,
    /// Works, and somebody should know or do something.
    Warning,
    /// Keeps people from using the server.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    level: Level,
    /// What was looked at: `configuration`, `certificate`, `ports` …
    subject: &'static str,
    /// What was found.
    text: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

/// Everything found so far.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn good(&mut self, subject: &'static str, text: impl Into<String>) {
        self.0.push(Finding { level: Level::Good, subject, text: text.into(), fix: None });
    }

    fn warning(&mut self, subject: &'static str, text: impl Into<String>, fix: impl Into<String>) {
        let (text, fix) = (text.into(), Some(fix.into()));
        self.0.push(Finding { level: Level::Warning, subject, text, fix });
    }

    fn problem(&mut self, subject: &'static str, text: impl Into<String>, fix: impl Into<String>) {
        let (text, fix) = (text.into(), Some(fix.into()));
        self.0.push(Finding { level: Level::Problem, subject, text, fix });
    }

    fn worst(&self) -> Level {
        self.0.iter().map(|finding| finding.level).max().unwrap_or(Level::Good)
    }
}

/// Looks at everything and prints what was found. The exit code is 1 when there is a problem.
pub(super) async fn run(home: &Home, deep: bool, json: bool) -> Result<ExitCode, Fault> {
    let mut findings = Findings::default();
    data::directory(home, &mut findings);
    let config = match Config::load(home) {
        Ok(config) => Some(config),
        Err(error) => {
            findings.problem(
                "configuration",
                error.to_string(),
                "correct the file and check again",
            );
            None
        }
    };
    if let Some(config) = config {
        configuration(&config, &mut findings);
        data::secret(home, &mut findings);
        data::certificate(home, &config, &mut findings);
        let status = status(home, &mut findings).await;
        data::database(home, status.as_ref(), deep, &mut findings).await;
        ports::look(&config, status.as_ref(), &mut findings).await;
        dns::look(home, &config, &mut findings).await;
        turn::look(home, &config, status.as_ref(), &mut findings).await;
    }
    data::clock(home, &mut findings);
    data::disk(home, &mut findings);
    print(&findings, json);
    Ok(ExitCode::from(u8::from(findings.worst() == Level::Problem)))
}

fn configuration(config: &Config, findings: &mut Findings) {
    findings.good("configuration", format!("anemone.toml is valid, for {}", config.domain));
    for notice in config.notices() {
        findings.warning("configuration", notice, "change anemone.toml if you did not mean it");
    }
    if config.contact_addresses().next().is_none() && config.domain != "localhost" {
        findings.warning(
            "configuration",
            "people cannot see whom to ask about this server",
            "set `admin` and `abuse` in [contact]",
        );
    }
    let apart = config.files_host().is_some_and(|host| host != config.pages_host());
    if config.upload.enabled && !apart && config.domain != "localhost" {
        findings.warning(
            "configuration",
            "files that people share are at the same site as the client and /admin",
            format!(
                "give them a name of their own: url = \"https://files.{}\" in [upload]",
                config.domain
            ),
        );
    }
}

/// Looks at the relay for calls alone.
pub(super) async fn relay(home: &Home, json: bool) -> Result<ExitCode, Fault> {
    let config = super::connect::configuration(home)?;
    let mut findings = Findings::default();
    let status = status(home, &mut findings).await;
    if status.is_none() {
        findings.warning("server", "no server runs here", "start it and check again");
    }
    turn::look(home, &config, status.as_ref(), &mut findings).await;
    print(&findings, json);
    Ok(ExitCode::from(u8::from(findings.worst() == Level::Problem)))
}

/// How the running server is; `None` when none runs.
async fn status(home: &Home, findings: &mut Findings) -> Option<Status> {
    let mut conversation = match Conversation::open(home).await {
        Ok(conversation) => conversation?,
        Err(fault) => {
            findings.problem("server", fault.message, "look at the log of the server");
            return None;
        }
    };
    match conversation.ask(&Request::Status {}).await {
        Ok(Response::Status(status)) => {
            findings.good("server", format!("running, version {}", status.version));
            if !status.storing {
                findings.problem(
                    "server",
                    "it cannot write to disk and refuses messages",
                    "look at the log of the server, and at the space and health of the disk",
                );
            }
            if status.damaged {
                findings.problem(
                    "database",
                    "messages were read that are not as they were written; they are not given out",
                    "look at the health of the disk; stop the server and check with --deep to count them",
                );
            }
            if let Some(problem) = &status.clock {
                let fix =
                    "set the clock and let a time service keep it right; if it is right, wait";
                findings.problem("clock", problem.clone(), fix);
            }
            Some(*status)
        }
        Ok(_) => None,
        Err(fault) => {
            findings.problem("server", fault.message, "look at the log of the server");
            None
        }
    }
}

fn print(findings: &Findings, json: bool) {
    if json {
        let mut counts = BTreeMap::new();
        for finding in &findings.0 {
            *counts.entry(format!("{:?}", finding.level).to_lowercase()).or_insert(0) += 1;
        }
        let good = findings.worst() != Level::Problem;
        return show::value(&serde_json::json!({
            "check": { "passed": good, "counts": counts, "findings": findings.0 }
        }));
    }
    let mut page = String::new();
    for finding in &findings.0 {
        let mark = match finding.level {
            Level::Good => "ok     ",
            Level::Warning => "warning",
            Level::Problem => "PROBLEM",
        };
        let indent = format!("\n{:23}", "");
        let text = finding.text.replace('\n', &indent);
        page.push_str(&format!("{mark}  {:<13} {text}\n", finding.subject));
        if let Some(fix) = &finding.fix {
            page.push_str(&format!("{:23}-> {}\n", "", fix.replace('\n', &indent)));
        }
    }
    let verdict = match findings.worst() {
        Level::Good => "All is well.",
        Level::Warning => "It works; see the warnings.",
        Level::Problem => "There are problems to solve.",
    };
    show::text(&format!("{page}\n{verdict}"));
}
