//! What domains say on their web servers about their other servers ([`super::posh`],
//! [`super::host_meta`]): asked for over HTTPS, and remembered for a while, so that nobody can make
//! this server ask again and again.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;
use rustls::ClientConfig;
use tokio::time::timeout;
use xmpp::time::Millis;

use crate::{
    fetch::{self, endpoint::Endpoint},
    server::Server,
};

/// Documents of one kind, by domain. A domain without one that can be used has an empty list.
#[derive(Debug)]
pub struct Documents<T>(Mutex<HashMap<String, Known<T>>>);

#[derive(Debug)]
struct Known<T> {
    until: Millis,
    found: Arc<[T]>,
}

/// How documents of one kind are asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// The name for the log.
    pub(super) kind: &'static str,
    /// Where a document is on the web server of its domain.
    pub(super) path: &'static str,
    /// For everything together.
    pub(super) patience: Duration,
    /// How many seconds it is remembered that there is none.
    pub(super) without: u64,
}

impl<T> Default for Documents<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Documents<T> {
    /// What a domain says: as far as it is remembered, or else as `read` finds it at an address, with
    /// the seconds for which it holds. Nothing where web servers are not asked.
    pub(super) async fn of(
        &self,
        server: &Server,
        domain: &str,
        terms: Terms,
        read: impl AsyncFnOnce(&str, &Arc<ClientConfig>) -> Result<(Vec<T>, u64), String>,
    ) -> Arc<[T]> {
        let now = server.steady();
        if let Some(found) = self.get(domain, now) {
            return found;
        }
        let tls = server.s2s.trust.read().web.clone();
        let (Some(tls), Ok(ascii)) = (tls, idna::domain_to_ascii(domain)) else {
            return Arc::new([]);
        };
        let place = format!("https://{ascii}/.well-known/{}", terms.path);
        let late = || Err(format!("{ascii} takes too long"));
        let answer = timeout(terms.patience, read(&place, &tls)).await.unwrap_or_else(|_| late());
        let (found, seconds) = answer.unwrap_or_else(|reason| {
            tracing::debug!(domain, kind = terms.kind, reason, "no_document");
            (Vec::new(), terms.without)
        });
        let found: Arc<[T]> = found.into();
        self.put(domain, Known { until: now.plus(seconds * 1000), found: found.clone() }, now);
        found
    }

    fn get(&self, domain: &str, now: Millis) -> Option<Arc<[T]>> {
        let all = self.0.lock();
        all.get(domain).filter(|known| now < known.until).map(|known| known.found.clone())
    }

    fn put(&self, domain: &str, known: Known<T>, now: Millis) {
        let mut all = self.0.lock();
        if all.len() >= MOST_DOMAINS {
            all.retain(|_, known| now < known.until);
        }
        if all.len() >= MOST_DOMAINS && !all.contains_key(domain) {
            // Whoever wants to be remembered for longest: a crowd of domains takes the places of its own.
            let last =
                all.iter().max_by_key(|(_, known)| known.until).map(|(name, _)| name.clone());
            last.map(|name| all.remove(&name));
        }
        all.insert(domain.to_owned(), known);
    }
}

/// The document at an address, of at most so many bytes. Redirects are not followed. `private`
/// permits addresses that are not public.
///
/// # Errors
/// Why there is none, in words.
pub(super) async fn get(
    place: &str,
    private: bool,
    tls: &Arc<ClientConfig>,
    most: usize,
) -> Result<Bytes, String> {
    let endpoint = Endpoint::parse(place, private)?;
    let answer = fetch::ask(&endpoint, private, tls, fetch::Request::get(most)).await?;
    match answer.status.is_success() {
        true => Ok(answer.body),
        false => Err(format!("{} answers {}", endpoint.host, answer.status)),
    }
}

/// Domains that are remembered.
const MOST_DOMAINS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_remembered_for_their_time_and_never_too_many() {
        let documents = Documents::<u8>::default();
        let known = |until| Known { until: Millis(until), found: Arc::new([]) };
        documents.put("a.example", known(10), Millis(0));
        assert!(documents.get("a.example", Millis(9)).is_some());
        assert!(documents.get("a.example", Millis(10)).is_none());
        for number in 0..2 * MOST_DOMAINS {
            documents.put(&format!("{number}.example"), known(20), Millis(9));
        }
        assert_eq!(documents.0.lock().len(), MOST_DOMAINS);
        documents.put("c.example", known(15), Millis(9));
        assert!(
            documents.get("c.example", Millis(9)).is_some(),
            "there is no way to take all places"
        );
        assert_eq!(documents.0.lock().len(), MOST_DOMAINS);
        documents.put("b.example", known(40), Millis(30));
        assert!(documents.get("b.example", Millis(31)).is_some(), "what is over makes room");
    }
}
