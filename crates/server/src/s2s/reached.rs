//! Which domains there were streams with lately. One of them has not ceased to exist because the domain name
//! system says so once: what is for it waits its time.

use std::collections::HashMap;

use parking_lot::Mutex;
use store::StoreError;
use xmpp::time::Millis;

use super::{outgoing::Failure, policy};
use crate::server::Server;

/// The domains, each with the day of its last stream.
#[derive(Debug, Default)]
pub struct Reached(Mutex<HashMap<String, Millis>>);

impl Reached {
    /// Reads what the store knows. Called before anybody is served.
    ///
    /// # Errors
    /// When the store could not be read.
    pub(super) async fn restore(&self, server: &Server) -> Result<(), StoreError> {
        let all = server.store.outbox.all_reached(MOST).await?;
        self.0.lock().extend(all.into_iter().map(|(domain, at)| (domain.into(), Millis(at.0))));
        Ok(())
    }

    /// There is a stream with a domain that has proven itself.
    pub(super) fn note(&self, server: &Server, domain: &str) {
        // To the day: it is nobody's business when people talk to each other.
        let day = Millis(server.now().0 / DAY * DAY);
        if !self.is_news(domain, day) {
            return;
        }
        let horizon = store::Millis(day.0.saturating_sub(KEPT_DAYS * DAY));
        // Nobody waits for this; when it is lost, the next day tells.
        drop(server.store.outbox.reached(domain.into(), store::Millis(day.0), horizon));
    }

    fn is_news(&self, domain: &str, day: Millis) -> bool {
        let mut known = self.0.lock();
        if known.get(domain) == Some(&day) {
            return false;
        }
        if known.len() >= MOST as usize && !known.contains_key(domain) {
            let oldest = known.iter().min_by_key(|(_, day)| **day);
            if let Some(oldest) = oldest.map(|(domain, _)| domain.clone()) {
                known.remove(&oldest);
            }
        }
        known.insert(domain.to_owned(), day);
        true
    }

    fn knows(&self, domain: &str, now: Millis) -> bool {
        let known = self.0.lock();
        known.get(domain).is_some_and(|day| now.since(*day) <= KEPT_DAYS * DAY)
    }
}

/// Why a domain cannot be reached, for those who wait for it: where it was reached before, that passes, unless
/// it is the operator who does not want it.
pub(super) fn judged(server: &Server, domain: &str, failure: Failure) -> Failure {
    let permitted = policy::permits(&server.config(), domain).is_ok();
    match permitted && server.s2s.reached.knows(domain, server.now()) {
        true => Failure { permanent: false, ..failure },
        false => failure,
    }
}

/// For how many days after its last stream a domain counts as one that there is.
pub const KEPT_DAYS: u64 = 90;
const DAY: u64 = 24 * 60 * 60 * 1000;
/// Domains that are remembered.
const MOST: u32 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stage;

    #[test]
    fn a_domain_that_was_reached_lately_has_not_ceased_to_exist() {
        let stage = Stage::with("[federation]\ndeny = [\"denied.example\"]\n");
        let server = &stage.server;
        for domain in ["montague.example", "denied.example"] {
            server.s2s.reached.note(server, domain);
        }
        let lasts =
            |domain: &str| judged(server, domain, Failure::permanent("no such name")).permanent;
        assert!(!lasts("montague.example"), "it was there");
        assert!(lasts("mantagoe.example"), "whoever mistyped it wants to know at once");
        assert!(lasts("denied.example"), "the operator has the last word");
        let restarted = Reached::default();
        stage.run(async {
            server.store.archive.barrier().await.unwrap();
            restarted.restore(server).await.unwrap();
        });
        assert!(restarted.knows("montague.example", server.now()));
        assert!(!restarted.knows("montague.example", server.now().plus((KEPT_DAYS + 1) * DAY)));
    }

    #[test]
    fn the_oldest_make_room_and_a_day_is_noted_once() {
        let reached = Reached::default();
        for number in 0..u64::from(MOST) {
            assert!(reached.is_news(&format!("x{number}.example"), Millis(DAY * (number + 1))));
        }
        assert!(!reached.is_news("x5.example", Millis(DAY * 6)));
        assert!(reached.is_news("new.example", Millis(DAY * 20_000)));
        assert_eq!(reached.0.lock().len(), MOST as usize);
        assert!(!reached.0.lock().contains_key("x0.example"));
    }
}
