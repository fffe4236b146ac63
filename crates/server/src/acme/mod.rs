//! A certificate that everybody trusts, got and renewed by the server itself: ACME (RFC 8555), with
//! the challenges `tls-alpn-01` (RFC 8737), `http-01` and `dns-01`.
//!
//! The protocol is a library's; here is when to ask, how to answer, and where the result is kept. The
//! certificate and its key lie in one file, so that they change together.

pub mod challenges;
pub mod hook;
mod missing;
mod order;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use instant_acme::{Account, AccountCredentials, Identifier, NewAccount};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use self::{missing::Missing, order::order};
use crate::{
    config::{Acme, Config, Home},
    files,
    net::{
        listen::down,
        tls::certificate::{self, Facts},
    },
    server::Server,
};

/// Why there is no new certificate.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The authority refuses, or cannot be reached; in its words.
    #[error("{0}")]
    Authority(#[from] instant_acme::Error),
    /// Names that could not be checked, each with the reason.
    #[error("{}", spell_out(.0))]
    Names(Vec<(String, String)>),
    /// The authority did not accept the order.
    #[error("the authority did not accept the order and does not say why")]
    Unexplained,
    /// The authority does not check in the way that is configured.
    #[error("the authority does not offer the challenge {0}; set another one in [acme]")]
    NotOffered(&'static str),
    /// The program for `dns-01` failed.
    #[error("the program in `hook` {0}")]
    Hook(String),
    /// Something on this machine.
    #[error("{0}")]
    Local(String),
}

/// Gets a certificate when there is none, and another one when two thirds of its time are over; until
/// the server goes down.
pub async fn run(server: Arc<Server>) {
    let mut shutdown = server.shutdown.subscribe();
    let mut failures = Failures::default();
    loop {
        let config = server.config();
        let wait = if config.acme.enabled { due_in(&server, &config) } else { LOOK };
        let pause = if wait.is_zero() {
            tokio::select! {
                done = obtain(&server, &config) => match done {
                    Ok(()) => failures.over(due_in(&server, &config)),
                    Err(error) => {
                        let pause = failures.another();
                        server.metrics.errors_environment.increment();
                        let again_in = pause.as_secs();
                        tracing::warn!(%error, again_in, "no new certificate; the old one stays");
                        pause
                    }
                },
                () = down(&mut shutdown) => return,
            }
        } else {
            wait.min(LOOK)
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = down(&mut shutdown) => return,
        }
    }
}

/// Attempts without a certificate, one after the other.
#[derive(Debug, Default)]
struct Failures(u32);

impl Failures {
    /// How long to leave the authority alone after one more.
    fn another(&mut self) -> Duration {
        self.0 = self.0.saturating_add(1);
        backoff(self.0)
    }

    /// The same after a success. A certificate that is old when it is new, as one looks to a clock that
    /// is wrong, is no reason to ask again and again.
    fn over(&mut self, due_in: Duration) -> Duration {
        self.0 = 0;
        if due_in.is_zero() { LOOK } else { due_in.min(LOOK) }
    }
}

/// How long it is until it is time to ask; nothing when it is.
fn due_in(server: &Server, config: &Config) -> Duration {
    let now = SystemTime::now();
    let missing = Missing::load(&server.home().acme_missing(), &config.acme, now);
    will_do(&server.home().acme_certificate(), &wanted(config, &missing), now)
}

/// The names to ask for now: the domain, and the others without those that failed lately.
fn wanted(config: &Config, missing: &Missing) -> Vec<String> {
    let names = names(config).into_iter().enumerate();
    names.filter(|(at, name)| *at == 0 || !missing.has(name)).map(|(_, name)| name).collect()
}

/// How long the certificate in the file will do: until a third of its time is left, if it is for all of
/// these names.
fn will_do(path: &Path, names: &[String], now: SystemTime) -> Duration {
    let Ok(facts) = certificate::inspect(path) else { return Duration::ZERO };
    if !names.iter().all(|name| certificate::covers(path, name).unwrap_or(false)) {
        return Duration::ZERO;
    }
    let lifetime = facts.not_after.duration_since(facts.not_before).unwrap_or_default();
    facts.remaining(now).saturating_sub(lifetime / 3)
}

/// The names that the certificate is for: the domain first.
fn names(config: &Config) -> Vec<String> {
    let mut names = vec![config.domain.clone()];
    let mut more = config.acme.names.clone();
    if more.is_empty() {
        // What belongs to somebody else is for the operator to name.
        let below = format!(".{}", config.domain);
        let hosts = config.virtual_hosts().into_iter().map(|(name, _)| name);
        more.extend(hosts.chain(config.files_host()).filter(|name| name.ends_with(&below)));
    }
    for name in more {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.truncate(MOST_NAMES);
    names.iter().filter_map(|name| idna::domain_to_ascii(name).ok()).collect()
}

/// The authority counts failures; so do we.
fn backoff(failures: u32) -> Duration {
    (FIRST_PAUSE * 2u32.saturating_pow(failures.saturating_sub(1))).min(LONGEST_PAUSE)
}

async fn obtain(server: &Arc<Server>, config: &Config) -> Result<(), AcmeError> {
    let account = account(server, &config.acme).await?;
    let (path, kept) = (server.home().acme_certificate(), server.home().acme_missing());
    let now = SystemTime::now();
    let mut missing = Missing::load(&kept, &config.acme, now);
    let mut names = wanted(config, &missing);
    let mut again = false;
    let pem = loop {
        let error = match order(server, &config.acme, &account, &names).await {
            Ok(pem) => break pem,
            Err(error) => error.with_names(),
        };
        // The domain is what matters. Other names often lack their record.
        let Some(left) = without(&names, &error, again) else { return Err(error) };
        let dropped = names.iter().filter(|name| !left.contains(name));
        let list = dropped.clone().map(String::as_str).collect::<Vec<_>>().join(" ");
        tracing::warn!(names = list, %error, "cannot be had now, so the certificate is without them");
        missing
            .add(&kept, dropped, now)
            .map_err(|error| AcmeError::Local(format!("{}: {error}", kept.display())))?;
        if !will_do(&path, &left, now).is_zero() {
            return Ok(());
        }
        (names, again) = (left, true);
    };
    files::write_private(&path, pem.as_bytes())
        .map_err(|error| AcmeError::Local(format!("{}: {error}", path.display())))?;
    let reloading = server.clone();
    let reloaded = tokio::task::spawn_blocking(move || {
        let config = reloading.config();
        reloading.tls.reload(&config, SystemTime::now())
    });
    match reloaded.await {
        Ok(Ok(())) => {
            let Facts { names, .. } = &server.tls.current().facts;
            let expires = server.tls.current().facts.expiry_day();
            tracing::info!(?names, expires, "a new certificate is in use");
            Ok(())
        }
        Ok(Err(error)) => Err(AcmeError::Local(error.to_string())),
        Err(error) => Err(AcmeError::Local(error.to_string())),
    }
}

/// What to ask for after an order for these names failed: what is left without those that could not be
/// checked, and the domain alone when that was not all (`again`) or nobody says which ones they are.
/// `None` when fewer names would not help.
fn without(names: &[String], error: &AcmeError, again: bool) -> Option<Vec<String>> {
    let (domain, others) = names.split_first()?;
    if others.is_empty() {
        return None;
    }
    match error {
        AcmeError::Names(failed) if failed.iter().any(|(name, _)| name == domain) => None,
        AcmeError::Names(failed) if !again => {
            let stays = |name: &&String| !failed.iter().any(|(other, _)| other == *name);
            let left: Vec<String> = names.iter().filter(stays).cloned().collect();
            Some(if left.len() < names.len() { left } else { vec![domain.clone()] })
        }
        AcmeError::Names(_) | AcmeError::Unexplained => Some(vec![domain.clone()]),
        AcmeError::Authority(instant_acme::Error::Api(problem)) => {
            let kind = problem.r#type.as_deref().unwrap_or_default();
            let kind = kind.strip_prefix("urn:ietf:params:acme:error:").unwrap_or(kind);
            (!ABOUT_NO_NAME.contains(&kind)).then(|| vec![domain.clone()])
        }
        AcmeError::Authority(_)
        | AcmeError::NotOffered(_)
        | AcmeError::Hook(_)
        | AcmeError::Local(_) => None,
    }
}

impl AcmeError {
    /// The names that a problem of the authority speaks of (RFC 8555 §6.7.1), if it does.
    fn with_names(self) -> AcmeError {
        let AcmeError::Authority(instant_acme::Error::Api(problem)) = &self else { return self };
        let named = problem.subproblems.iter().filter_map(|one| match &one.identifier {
            Some(Identifier::Dns(name)) => Some((name.clone(), reason(one.detail.as_deref()))),
            _ => None,
        });
        let named: Vec<_> = named.collect();
        if named.is_empty() { self } else { AcmeError::Names(named) }
    }
}

fn reason(detail: Option<&str>) -> String {
    detail.unwrap_or("no reason was given").to_owned()
}

fn spell_out(names: &[(String, String)]) -> String {
    let one = |(name, reason): &(String, String)| format!("{name} could not be checked: {reason}");
    names.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// What is kept of the account at the authority.
#[derive(Serialize, Deserialize)]
struct Kept {
    directory: String,
    credentials: AccountCredentials,
}

/// The account at the configured authority, made when there is none.
async fn account(server: &Server, config: &Acme) -> Result<Account, AcmeError> {
    let path = server.home().acme_account();
    let builder = || match &config.authority {
        Some(file) => Account::builder_with_root(server.home().resolve(file)),
        None => Account::builder(),
    };
    if let Ok(text) = std::fs::read(&path)
        && let Ok(kept) = serde_json::from_slice::<Kept>(&text)
        && kept.directory == config.directory
    {
        return Ok(builder()?.from_credentials(kept.credentials).await?);
    }
    let contact = config.contact.as_deref().map(|address| match address.contains(':') {
        true => address.to_owned(),
        false => format!("mailto:{address}"),
    });
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let wanted = NewAccount {
        contact: &contact,
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let (account, credentials) = builder()?.create(&wanted, config.directory.clone(), None).await?;
    let kept = Kept { directory: config.directory.clone(), credentials };
    let text = serde_json::to_vec(&kept).map_err(|error| AcmeError::Local(error.to_string()))?;
    files::write_private(&path, &text)
        .map_err(|error| AcmeError::Local(format!("{}: {error}", path.display())))?;
    Ok(account)
}

/// The address of the server's account at the configured authority, which a CAA record can name (RFC 8657
/// §3). An account at another one would lock this server out.
#[must_use]
pub fn account_uri(home: &Home, directory: &str) -> Option<String> {
    let text = std::fs::read(home.acme_account()).ok()?;
    let kept: serde_json::Value = serde_json::from_slice(&text).ok()?;
    if kept.get("directory")?.as_str()? != directory {
        return None;
    }
    Some(kept.get("credentials")?.get("id")?.as_str()?.to_owned())
}

/// ALPN of `tls-alpn-01` (RFC 8737 §6.2).
pub const ALPN: &[u8] = b"acme-tls/1";
/// Where `http-01` looks (RFC 8555 §8.3).
pub const PATH: &str = "/.well-known/acme-challenge/";
/// How often the certificate's age is looked at, at least: clocks are set, and files are changed.
const LOOK: Duration = Duration::from_secs(60 * 60);
const FIRST_PAUSE: Duration = Duration::from_secs(5 * 60);
const LONGEST_PAUSE: Duration = Duration::from_secs(12 * 60 * 60);
/// Names of a certificate: authorities take so many.
const MOST_NAMES: usize = 100;
/// Problems that have nothing to do with the names of an order (RFC 8555 §6.7): fewer do not help.
const ABOUT_NO_NAME: &[&str] = &[
    "",
    "accountDoesNotExist",
    "badCSR",
    "badNonce",
    "badPublicKey",
    "badSignatureAlgorithm",
    "externalAccountRequired",
    "serverInternal",
    "userActionRequired",
];

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    #[test]
    fn the_certificate_is_for_the_domain_and_its_services_unless_the_file_says_otherwise() {
        let config = Config::parse("domain = \"bücher.example\"\n").unwrap();
        let domain = "xn--bcher-kva.example";
        let all = ["", "conference.", "pubsub."].map(|label| format!("{label}{domain}"));
        assert_eq!(names(&config), all);
        let config = Config::parse(
            "domain = \"a.example\"\n[pubsub]\nenabled = false\n\
             [upload]\nurl = \"https://files.a.example\"\n\
             [components.hosts]\n\"irc.a.example\" = \"0123456789abcdef\"\n\
             \"irc.b.example\" = \"0123456789abcdef\"\n",
        )
        .unwrap();
        let all = ["a.example", "conference.a.example", "irc.a.example", "files.a.example"];
        assert_eq!(names(&config), all);
        let config = Config::parse(
            "domain = \"a.example\"\n[acme]\nnames = [\"xmpp.a.example\", \"a.example\"]",
        )
        .unwrap();
        assert_eq!(names(&config), ["a.example", "xmpp.a.example"]);
    }

    #[test]
    fn names_that_fail_go_together_and_then_all_but_the_domain() {
        let all = ["a.example", "b.a.example", "c.a.example", "d.a.example"].map(str::to_owned);
        let failed = |names: &[usize]| {
            let named = names.iter().map(|at| (all[*at].clone(), "no record".to_owned()));
            AcmeError::Names(named.collect())
        };
        let left = |error: &AcmeError, again| without(&all, error, again);
        let only = Some(all[..1].to_vec());
        assert_eq!(left(&failed(&[1, 3]), false).unwrap(), ["a.example", "c.a.example"]);
        assert_eq!(left(&failed(&[2]), true), only, "not one by one");
        assert_eq!(left(&failed(&[0, 1]), false), None, "without the domain there is nothing");
        assert_eq!(without(&all[..1], &AcmeError::Unexplained, false), None);
        assert_eq!(left(&AcmeError::Unexplained, false), only);
        assert_eq!(left(&AcmeError::Local("the disk is full".to_owned()), false), None);
        let says = |text: &str| {
            let problem: instant_acme::Problem = serde_json::from_str(text).unwrap();
            AcmeError::from(instant_acme::Error::Api(problem)).with_names()
        };
        let rejected = r#"{"type": "urn:ietf:params:acme:error:rejectedIdentifier"}"#;
        assert_eq!(left(&says(rejected), false), only);
        let down = r#"{"type": "urn:ietf:params:acme:error:serverInternal"}"#;
        assert_eq!(left(&says(down), false), None, "it is tried again later, with all of them");
        let which = r#"{"type": "urn:ietf:params:acme:error:caa", "subproblems": [
            {"identifier": {"type": "dns", "value": "b.a.example"}, "detail": "CAA forbids it"}]}"#;
        let error = says(which);
        assert_eq!(left(&error, false).unwrap(), ["a.example", "c.a.example", "d.a.example"]);
        assert_eq!(error.to_string(), "b.a.example could not be checked: CAA forbids it");
    }

    #[test]
    fn a_fresh_certificate_for_what_is_left_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("acme.pem");
        let now = SystemTime::now();
        let names = ["a.example", "pubsub.a.example"].map(str::to_owned);
        let will_do = |names: &[String], now| !will_do(&path, names, now).is_zero();
        assert!(!will_do(&names, now), "there is none");
        let mut params = CertificateParams::new(names.to_vec()).unwrap();
        let day = Duration::from_secs(24 * 60 * 60);
        params.not_before = now.into();
        params.not_after = (now + 90 * day).into();
        let signed = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        std::fs::write(&path, signed.pem()).unwrap();
        assert!(will_do(&names, now) && will_do(&names[..1], now + 59 * day));
        assert!(!will_do(&names, now + 61 * day));
        assert!(!will_do(&["b.example".to_owned()], now));
        let config = Config::parse("domain = \"a.example\"\n[acme]\n").unwrap();
        let mut missing = Missing::load(&directory.path().join("x"), &config.acme, now);
        assert!(!will_do(&wanted(&config, &missing), now), "the rooms have none");
        let rooms = "conference.a.example".to_owned();
        missing.add(&directory.path().join("x"), std::iter::once(&rooms), now).unwrap();
        assert!(will_do(&wanted(&config, &missing), now), "and that was found lately");
    }

    #[test]
    fn an_authority_that_is_down_for_weeks_is_asked_until_it_is_back_in_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("acme.pem");
        let names = ["a.example".to_owned()];
        let (hour, start) = (Duration::from_secs(60 * 60), SystemTime::now());
        let day = 24 * hour;
        let issue = |now: SystemTime| {
            let mut params = CertificateParams::new(names.to_vec()).unwrap();
            (params.not_before, params.not_after) = (now.into(), (now + 90 * day).into());
            let signed = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            std::fs::write(&path, signed.pem()).unwrap();
        };
        issue(start);
        // The clock goes on by what `run` would wait; the authority is away from day 50 to day 80.
        let (mut now, mut failures, mut attempts) = (start, Failures::default(), Vec::new());
        while now < start + 89 * day && attempts.last() != Some(&true) {
            let wait = will_do(&path, &names, now);
            if !wait.is_zero() {
                now += wait.min(LOOK);
                continue;
            }
            let back = now >= start + 80 * day;
            attempts.push(back);
            if back {
                issue(now);
            }
            now += if back { failures.over(LOOK) } else { failures.another() };
        }
        let last = now.duration_since(start).unwrap();
        assert_eq!(attempts.last(), Some(&true), "there is a new one before the old one ends");
        assert!(last < 81 * day, "soon after the authority was back");
        assert!((20..100).contains(&attempts.len()), "{} attempts in 20 days", attempts.len());
        assert!(will_do(&path, &names, now) > 59 * day, "and then it is left alone");
    }

    #[test]
    fn a_certificate_that_is_old_when_it_is_new_is_not_replaced_at_once() {
        let mut failures = Failures::default();
        assert_eq!(failures.over(Duration::ZERO), LOOK);
        assert_eq!(failures.over(Duration::from_secs(20)), Duration::from_secs(20));
        assert_eq!(failures.over(LOOK * 3), LOOK);
    }

    #[test]
    fn failures_are_tried_again_less_and_less_often() {
        let minutes: Vec<_> = (1..=9).map(|failures| backoff(failures).as_secs() / 60).collect();
        assert_eq!(minutes, [5, 10, 20, 40, 80, 160, 320, 640, 720]);
        assert_eq!(backoff(u32::MAX), LONGEST_PAUSE);
    }
}
