//! One order of a certificate, from showing the authority that the names are ours to the chain.

use std::{sync::Arc, time::Duration};

use instant_acme::{
    Account, AuthorizationStatus, ChallengeHandle, ChallengeType, Identifier, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use tokio::time::sleep;

use super::{AcmeError, hook, reason};
use crate::{
    config::{Acme, Challenge, Home},
    server::Server,
};

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
pub(super) async fn order(
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
    let kind = kind(config.challenge);
    let mut failed = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let name = authorization.identifier().to_string();
        let shown = match authorization.challenge(kind.clone()) {
            Some(challenge) => show(server, config, &challenge, records).await,
            None => Err(AcmeError::NotOffered(config.challenge.name())),
        };
        failed.extend(shown.err().map(|error| (name, error.to_string())));
    }
    // Nothing is checked yet: what could be shown costs no failure.
    if !failed.is_empty() {
        return Err(AcmeError::Names(failed));
    }
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        if let Some(mut challenge) = authorization.challenge(kind.clone()) {
            challenge.set_ready().await?;
        }
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

/// All names that were not accepted, with the authority's reasons.
async fn what_failed(order: &mut Order) -> AcmeError {
    let mut failed = Vec::new();
    let mut looks = LOOKS;
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        // What is known is from before the check. The first failure ends an order, and the others may
        // still be on their way.
        loop {
            if authorization.refresh().await.is_err() {
                break;
            }
            if authorization.status != AuthorizationStatus::Pending || looks == 0 {
                break;
            }
            looks -= 1;
            sleep(LOOK_AGAIN).await;
        }
        if authorization.status != AuthorizationStatus::Invalid {
            continue;
        }
        let name = authorization.identifier().to_string();
        let problem = authorization.challenges.iter().find_map(|one| one.error.as_ref());
        failed.push((name, reason(problem.and_then(|problem| problem.detail.as_deref()))));
    }
    if failed.is_empty() { AcmeError::Unexplained } else { AcmeError::Names(failed) }
}

fn kind(challenge: Challenge) -> ChallengeType {
    match challenge {
        Challenge::TlsAlpn => ChallengeType::TlsAlpn01,
        Challenge::Http => ChallengeType::Http01,
        Challenge::Dns => ChallengeType::Dns01,
    }
}

/// How often an order that failed is looked at until all of its names are decided, and how long to wait
/// in between.
const LOOKS: u32 = 30;
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long the authority may take to check names and to sign.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(120));
