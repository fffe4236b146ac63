//! A certificate that everybody trusts, got and renewed by the server itself: ACME (RFC 8555), with
//! the challenges `tls-alpn-01` (RFC 8737), `http-01` and `dns-01`.
//!
//! The protocol is a library's; here is when to ask, how to answer, and where the result is kept. The
//! certificate and its key lie in one file, so that they change together.

pub mod challenges;
pub mod hook;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeHandle, ChallengeType, Identifier,
    NewAccount, NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::{
    config::{Acme, Challenge, Config, Home},
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
    /// A name could not be checked.
    #[error("{name} could not be checked: {reason}")]
    Name {
        /// The name.
        name: String,
        /// What the authority says.
        reason: String,
    },
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
    let mut failures = 0;
    // Names that could not be had are asked for again when the server starts.
    let mut complete = false;
    loop {
        let config = server.config();
        let pause = if config.acme.enabled && is_due(&server, &config, &mut complete) {
            tokio::select! {
                done = obtain(&server, &config) => match done {
                    Ok(()) => { failures = 0; LOOK }
                    Err(error) => {
                        failures += 1;
                        let pause = backoff(failures);
                        server.metrics.errors_environment.increment();
                        let again_in = pause.as_secs();
                        tracing::warn!(%error, again_in, "no new certificate; the old one stays");
                        pause
                    }
                },
                () = down(&mut shutdown) => return,
            }
        } else {
            LOOK
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = down(&mut shutdown) => return,
        }
    }
}

/// Whether it is time to ask.
fn is_due(server: &Server, config: &Config, complete: &mut bool) -> bool {
    let path = server.home().acme_certificate();
    let Ok(facts) = certificate::inspect(&path) else { return true };
    let lifetime = facts.not_after.duration_since(facts.not_before).unwrap_or_default();
    if facts.remaining(SystemTime::now()) < lifetime / 3 {
        return true;
    }
    let covers = |name: &String| certificate::covers(&path, name).unwrap_or(false);
    !std::mem::replace(complete, true) && !names(config).iter().all(covers)
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
    let mut wanted = names(config);
    let pem = loop {
        match order(server, &config.acme, &account, &wanted).await {
            // The domain is what matters. Other names often lack their record.
            Err(AcmeError::Name { name, reason })
                if wanted.iter().skip(1).any(|one| *one == name) =>
            {
                tracing::warn!(name, reason, "cannot be checked, so the certificate is without it");
                wanted.retain(|one| *one != name);
            }
            other => break other?,
        }
    };
    let path = server.home().acme_certificate();
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

/// The address of the server's account at its authority, which a CAA record can name (RFC 8657 §3).
#[must_use]
pub fn account_uri(home: &Home) -> Option<String> {
    let text = std::fs::read(home.acme_account()).ok()?;
    let kept: serde_json::Value = serde_json::from_slice(&text).ok()?;
    Some(kept.get("credentials")?.get("id")?.as_str()?.to_owned())
}

/// The key of the certificate: the one there is, since records of the domain may name it (DANE), or a
/// new one. Whoever wants another key removes the file.
fn key(home: &Home) -> Result<KeyPair, AcmeError> {
    let kept = std::fs::read_to_string(home.acme_certificate()).ok();
    match kept.and_then(|pem| KeyPair::from_pem(&pem).ok()) {
        Some(key) => Ok(key),
        None => KeyPair::generate().map_err(|error| AcmeError::Local(error.to_string())),
    }
}

/// One order, from its names to the key and the chain in PEM.
async fn order(
    server: &Arc<Server>,
    config: &Acme,
    account: &Account,
    names: &[String],
) -> Result<String, AcmeError> {
    let identifiers: Vec<_> = names.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
    let mut records = Vec::new();
    let checked = check(server, config, &mut order, &mut records).await;
    server.tls.challenges().clear();
    for record in records {
        // It does no harm when it stays.
        if let Err(error) = hook::run(server, config, "remove", record).await {
            tracing::warn!(%error, "a record of the check is still there");
        }
    }
    checked?;
    let made = |error: rcgen::Error| AcmeError::Local(error.to_string());
    let key = key(server.home())?;
    let mut params = CertificateParams::new(names).map_err(made)?;
    params.distinguished_name = DistinguishedName::new();
    let request = params.serialize_request(&key).map_err(made)?;
    order.finalize_csr(request.der()).await?;
    let chain = order.poll_certificate(&PATIENCE).await?;
    Ok(format!("{}\n{chain}", key.serialize_pem()))
}

/// Shows the authority that the names are ours.
async fn check(
    server: &Arc<Server>,
    config: &Acme,
    order: &mut Order,
    records: &mut Vec<hook::Record>,
) -> Result<(), AcmeError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let kind = kind(config.challenge);
        let Some(mut challenge) = authorization.challenge(kind) else {
            return Err(AcmeError::NotOffered(config.challenge.name()));
        };
        show(server, config, &challenge, records).await?;
        challenge.set_ready().await?;
    }
    match order.poll_ready(&PATIENCE).await {
        Ok(OrderStatus::Ready) => Ok(()),
        Ok(_) | Err(instant_acme::Error::Api(_)) => Err(what_failed(order).await),
        Err(error) => Err(error.into()),
    }
}

async fn show(
    server: &Arc<Server>,
    config: &Acme,
    challenge: &ChallengeHandle<'_>,
    records: &mut Vec<hook::Record>,
) -> Result<(), AcmeError> {
    let name = challenge.identifier().to_string();
    let answer = challenge.key_authorization();
    let challenges = server.tls.challenges();
    match config.challenge {
        Challenge::TlsAlpn => challenges.show_certificate(&name, answer.digest().as_ref()),
        Challenge::Http => {
            challenges.show_page(&challenge.token, answer.as_str());
            Ok(())
        }
        Challenge::Dns => {
            let record =
                hook::Record { name: format!("_acme-challenge.{name}"), value: answer.dns_value() };
            records.push(record.clone());
            hook::run(server, config, "add", record).await
        }
    }
}

/// The first name that was not accepted, with the authority's reason.
async fn what_failed(order: &mut Order) -> AcmeError {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        // What is known is from before the check.
        if authorization.refresh().await.is_err()
            || authorization.status != AuthorizationStatus::Invalid
        {
            continue;
        }
        let name = authorization.identifier().to_string();
        let problem = authorization.challenges.iter().find_map(|one| one.error.as_ref());
        let reason = problem.and_then(|problem| problem.detail.clone());
        let reason = reason.unwrap_or_else(|| "no reason was given".to_owned());
        return AcmeError::Name { name, reason };
    }
    AcmeError::Local("the authority did not accept the order and does not say why".to_owned())
}

fn kind(challenge: Challenge) -> ChallengeType {
    match challenge {
        Challenge::TlsAlpn => ChallengeType::TlsAlpn01,
        Challenge::Http => ChallengeType::Http01,
        Challenge::Dns => ChallengeType::Dns01,
    }
}

/// ALPN of `tls-alpn-01` (RFC 8737 §6.2).
pub const ALPN: &[u8] = b"acme-tls/1";
/// Where `http-01` looks (RFC 8555 §8.3).
pub const PATH: &str = "/.well-known/acme-challenge/";
/// How often the certificate's age is looked at.
const LOOK: Duration = Duration::from_secs(60 * 60);
const FIRST_PAUSE: Duration = Duration::from_secs(5 * 60);
const LONGEST_PAUSE: Duration = Duration::from_secs(12 * 60 * 60);
/// Names of a certificate: authorities take so many.
const MOST_NAMES: usize = 100;
/// How long the authority may take to check names and to sign.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(120));

#[cfg(test)]
mod tests {
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
    fn failures_are_tried_again_less_and_less_often() {
        let minutes: Vec<_> = (1..=9).map(|failures| backoff(failures).as_secs() / 60).collect();
        assert_eq!(minutes, [5, 10, 20, 40, 80, 160, 320, 640, 720]);
        assert_eq!(backoff(u32::MAX), LONGEST_PAUSE);
    }
}
