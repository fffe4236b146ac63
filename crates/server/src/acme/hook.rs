//! `dns-01`: the operator's program that adds and removes a record (RFC 8555 §8.4).

use std::{
    process::{Command, Stdio},
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use super::AcmeError;
use crate::{config::Acme, server::Server};

/// A TXT record.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its name, such as `_acme-challenge.example.org`.
    pub name: String,
    /// Its text.
    pub value: String,
}

/// Runs `HOOK add|remove NAME VALUE` and waits for its end: then the record is there, or gone.
pub async fn run(
    server: &Arc<Server>,
    config: &Acme,
    verb: &'static str,
    record: Record,
) -> Result<(), AcmeError> {
    let Some(hook) = &config.hook else {
        return Err(AcmeError::Hook("is not set".to_owned()));
    };
    let mut command = Command::new(server.home().resolve(hook));
    command.arg(verb).arg(record.name).arg(record.value);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let ran = tokio::task::spawn_blocking(move || wait(command)).await;
    ran.unwrap_or_else(|error| Err(error.to_string())).map_err(AcmeError::Hook)
}

fn wait(mut command: Command) -> Result<(), String> {
    let mut child = command.spawn().map_err(|error| format!("cannot be started: {error}"))?;
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("failed: {status}")),
            Ok(None) if began.elapsed() < LIMIT => sleep(POLL),
            Ok(None) => {
                // It had its time; whether it can be ended changes nothing.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("took longer than {} seconds", LIMIT.as_secs()));
            }
            Err(error) => return Err(format!("was lost: {error}")),
        }
    }
}

/// Records of some providers take minutes to be seen everywhere.
const LIMIT: Duration = Duration::from_secs(600);
const POLL: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_is_told_apart_from_one_that_is_not_there() {
        assert_eq!(wait(Command::new("true")), Ok(()));
        assert!(wait(Command::new("false")).unwrap_err().starts_with("failed"));
        assert!(wait(Command::new("/nonexistent")).unwrap_err().contains("cannot be started"));
    }
}
