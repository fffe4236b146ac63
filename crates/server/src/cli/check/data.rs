//! The data directory, the files in it, the clock and the disk.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
    time::{Duration, SystemTime},
};

use rustix::{fs::statvfs, process::geteuid};
use store::sqlite;

use super::{Findings, show};
use crate::{
    admin::Status,
    config::{Config, Home},
    files,
    net::tls::{
        Files,
        certificate::{self, Facts},
    },
    secret::ServerSecret,
};

pub(super) fn directory(home: &Home, findings: &mut Findings) {
    let path = home.path();
    let shown = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => metadata,
        Ok(_) => {
            return findings.problem(
                "data",
                format!("{shown} is not a directory"),
                "choose another one with --data",
            );
        }
        Err(error) => {
            return findings.problem(
                "data",
                format!("{shown} cannot be read: {error}"),
                format!("make it with: anemone init --data {shown} --domain NAME"),
            );
        }
    };
    if metadata.permissions().mode() & 0o077 != 0 {
        return findings.warning(
            "data",
            format!("{shown} can be entered by other users of this machine"),
            format!("chmod 700 {shown}"),
        );
    }
    if metadata.uid() != geteuid().as_raw() {
        return findings.warning(
            "data",
            format!("{shown} belongs to another user than the one who checks"),
            "run this as the user who runs the server to see what it sees",
        );
    }
    findings.good("data", format!("{shown} is readable by its owner alone"));
}

pub(super) fn secret(home: &Home, findings: &mut Findings) {
    match ServerSecret::load(home) {
        Err(error) => findings.problem(
            "secret",
            error.to_string(),
            format!("run again: anemone init --data {} --domain NAME", home.path().display()),
        ),
        Ok(_) => private(&home.secret(), "secret", findings),
    }
}

/// A key must not be readable by everybody.
fn private(path: &Path, subject: &'static str, findings: &mut Findings) {
    let shown = path.display();
    match files::readable_by_all(path) {
        Ok(false) => findings.good(subject, format!("{shown} is private")),
        Ok(true) => findings.problem(
            subject,
            format!("{shown} can be read by everybody on this machine"),
            format!("chmod 600 {shown}"),
        ),
        Err(error) => findings.problem(
            subject,
            format!("{shown} cannot be examined: {error}"),
            "make it readable for the user who runs the server",
        ),
    }
}

pub(super) fn certificate(home: &Home, config: &Config, findings: &mut Findings) {
    let Files { certificate: path, key, own, .. } = Files::of(config, home);
    match certificate::verify(&path, &key) {
        Ok(facts) => {
            private(&key, "certificate", findings);
            expiry(&facts, own, findings);
            names(&path, &facts, config, findings);
        }
        Err(error) if own && !path.exists() => findings.warning(
            "certificate",
            error.to_string(),
            "nothing: the server makes it at its next start",
        ),
        Err(error) => findings.problem(
            "certificate",
            error.to_string(),
            "correct [tls] in anemone.toml or the files it names",
        ),
    }
    if own && config.domain != "localhost" {
        findings.warning(
            "certificate",
            "it is the server's own: clients show a warning or refuse to connect",
            format!(
                "`enabled = true` in [acme] gets one that everybody trusts; `certificate` and `key` in [tls] name \
                 one that you have; or let the clients trust {}",
                home.authority().display()
            ),
        );
    }
}

fn expiry(facts: &Facts, own: bool, findings: &mut Findings) {
    let now = SystemTime::now();
    let remaining = facts.remaining(now);
    let day = facts.expiry_day();
    if facts.not_before > now {
        return findings.problem(
            "certificate",
            "it is not valid yet",
            "look at the clock of this machine; if it is right, get another certificate",
        );
    }
    if remaining.is_zero() && !own {
        return findings.problem(
            "certificate",
            format!("it expired on {day}"),
            "renew it; the server notices within a minute",
        );
    }
    if remaining < SOON && !own {
        return findings.warning(
            "certificate",
            format!("it expires on {day}"),
            "renew it, and see why that does not happen by itself",
        );
    }
    findings.good("certificate", format!("valid until {day}, fingerprint {}", facts.fingerprint));
}

fn names(path: &Path, facts: &Facts, config: &Config, findings: &mut Findings) {
    match certificate::covers(path, &config.domain) {
        Ok(true) => findings.good("certificate", format!("it is for {}", config.domain)),
        _ => findings.problem(
            "certificate",
            format!("it is for {} and not for {}", facts.names.join(", "), config.domain),
            format!("get one for {}", config.domain),
        ),
    }
    if !config.federates() {
        return;
    }
    for (name, what) in config.virtual_hosts() {
        match certificate::covers(path, &name) {
            Ok(true) => findings.good("certificate", format!("it is for {name} ({what})")),
            _ => findings.warning(
                "certificate",
                format!("it is not for {name} ({what}): other servers do not trust that"),
                "get one that is; with [acme], see that the name leads to this machine",
            ),
        }
    }
}

pub(super) async fn database(
    home: &Home,
    status: Option<&Status>,
    deep: bool,
    findings: &mut Findings,
) {
    if let Some(status) = status {
        let size = crate::files::size(status.database_bytes);
        findings.good(
            "database",
            format!("in use, {}, {size}", show::count(status.accounts, "account")),
        );
        if deep {
            findings.warning(
                "database",
                "it was not read in full, since the server is running",
                "stop the server and check again, or make a backup, which is checked in full",
            );
        }
        return;
    }
    if !home.database().exists() {
        return findings.good("database", "there is none yet; the first start makes it");
    }
    let options = sqlite::Options { readers: 1, ..sqlite::Options::default() };
    let store = match sqlite::open(&home.database(), options) {
        Ok(store) => store,
        Err(error) => {
            return findings.problem("database", error.to_string(), "see above, then check again");
        }
    };
    match deep {
        true => read_all(&store, findings).await,
        false => {
            findings.good("database", "it can be opened; `anemone check --deep` reads all of it")
        }
    }
    // Nothing was written: there is nothing to lose when closing fails.
    let _ = store.maintenance.close().await;
}

async fn read_all(store: &store::Store, findings: &mut Findings) {
    match store.uploads.miscounted().await {
        Ok(0) => findings.good("uploads", "what everybody has uploaded is counted right"),
        Ok(accounts) => findings.problem(
            "uploads",
            format!(
                "the files of {} are counted wrong, so their quota is",
                show::count(accounts, "account")
            ),
            "this is a fault of the server: please report it",
        ),
        Err(error) => findings.problem("uploads", error.to_string(), "look at the disk"),
    }
    match store.maintenance.damaged().await {
        Ok(0) => findings.good("database", "every message is as it was written"),
        Ok(some) => findings.problem(
            "database",
            format!(
                "not as written: {}; the server gives none of them out",
                show::count(some, "message")
            ),
            "look at the health of the disk; a backup from before has them as they were",
        ),
        Err(error) => findings.problem("database", error.to_string(), "look at the disk"),
    }
    match store.maintenance.check().await {
        Ok(damages) if damages.is_empty() => {
            findings.good("database", "it was read in full and is undamaged");
        }
        Ok(damages) => findings.problem(
            "database",
            format!("it is damaged: {}", damages.join("; ")),
            "keep a copy of the data directory and restore the newest backup",
        ),
        Err(error) => findings.problem("database", error.to_string(), "look at the disk"),
    }
}

/// A clock that is wrong makes certificates look invalid and messages come from the past.
pub(super) fn clock(home: &Home, findings: &mut Findings) {
    let now = SystemTime::now();
    let newest = [home.config_file(), home.database(), home.certificate()]
        .iter()
        .filter_map(|path| fs::metadata(path).and_then(|file| file.modified()).ok())
        .max();
    let fix = "set the clock and let a time service keep it right";
    if newest.is_some_and(|newest| newest > now + Duration::from_secs(60)) {
        return findings.problem("clock", "the clock of this machine is in the past", fix);
    }
    // Where the service manager keeps the time, it leaves a mark when it has it.
    let kept = Path::new("/run/systemd/timesync");
    if kept.exists() && !kept.join("synchronized").exists() {
        return findings.warning("clock", "the clock is not synchronised", fix);
    }
    findings.good("clock", format!("{} UTC", certificate::day(now)));
}

pub(super) fn disk(home: &Home, findings: &mut Findings) {
    let Ok(volume) = statvfs(home.path()) else { return };
    let free = volume.f_bavail.saturating_mul(volume.f_frsize);
    let text = format!("{} free", crate::files::size(free));
    let fix = "free some space, or shorten `retention_days` in [archive]";
    match free {
        ..TOO_LITTLE => findings.problem("disk", text, fix),
        TOO_LITTLE..LITTLE => findings.warning("disk", text, fix),
        _ => findings.good("disk", text),
    }
}

const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);
const TOO_LITTLE: u64 = 64 << 20;
const LITTLE: u64 = 1 << 30;
