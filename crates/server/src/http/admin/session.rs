//! Who is signed in to the administration's pages. Kept in memory alone: a restart signs everybody out.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::admin::By;

/// Sessions and links that wait to be used, by the hash of their secret: what is in memory opens nothing.
#[derive(Default)]
pub struct AdminSessions(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    sessions: HashMap<[u8; 32], Signed>,
    links: HashMap<[u8; 32], Instant>,
}

/// Somebody who is signed in.
#[derive(Clone)]
pub struct Signed {
    /// The administrator's account, or nobody in particular: whoever may run commands on the machine.
    pub account: Option<Box<str>>,
    /// What the keys of the password were: with others the session is over.
    pub keys: [u8; 32],
    /// What every form has to show.
    pub form: String,
    until: Instant,
    seen: Instant,
}

impl Signed {
    /// Who it is, for the record of what was done.
    #[must_use]
    pub fn by(&self) -> By {
        By::Web(self.account.clone())
    }

    /// Whether a form shows the right word.
    #[must_use]
    pub fn owns(&self, form: &str) -> bool {
        form.as_bytes().ct_eq(self.form.as_bytes()).into()
    }
}

impl AdminSessions {
    /// Signs somebody in. Returns the secret of the cookie; `None` when the system has no randomness.
    pub fn sign_in(&self, account: Option<&str>, keys: [u8; 32], now: Instant) -> Option<String> {
        let (secret, form) = (random()?, random()?);
        let account = account.map(Into::into);
        let signed = Signed { account, keys, form, until: now + LONGEST, seen: now };
        let mut inner = self.0.lock();
        inner.sessions.retain(|_, signed| signed.is_good(now));
        if inner.sessions.len() >= MOST {
            let oldest = inner.sessions.iter().min_by_key(|(_, one)| one.seen).map(|(key, _)| *key);
            oldest.map(|key| inner.sessions.remove(&key));
        }
        inner.sessions.insert(hash(&secret), signed);
        Some(secret)
    }

    /// Who has this cookie.
    pub fn of(&self, secret: &str, now: Instant) -> Option<Signed> {
        let mut inner = self.0.lock();
        let signed = inner.sessions.get_mut(&hash(secret)).filter(|signed| signed.is_good(now))?;
        signed.seen = now;
        Some(signed.clone())
    }

    /// Signs somebody out.
    pub fn sign_out(&self, secret: &str) {
        self.0.lock().sessions.remove(&hash(secret));
    }

    /// A secret that signs in once, and for [`LINK_MINUTES`] only.
    pub fn link(&self, now: Instant) -> Option<String> {
        let secret = random()?;
        let mut inner = self.0.lock();
        inner.links.retain(|_, until| *until > now);
        if inner.links.len() >= MOST {
            let oldest = inner.links.iter().min_by_key(|(_, until)| **until).map(|(key, _)| *key);
            oldest.map(|key| inner.links.remove(&key));
        }
        inner.links.insert(hash(&secret), now + Duration::from_secs(LINK_MINUTES * 60));
        Some(secret)
    }

    /// Whether a link can be used.
    pub fn is_link(&self, secret: &str, now: Instant) -> bool {
        self.0.lock().links.get(&hash(secret)).is_some_and(|until| *until > now)
    }

    /// Uses a link up. `false` when it was none.
    pub fn use_link(&self, secret: &str, now: Instant) -> bool {
        self.0.lock().links.remove(&hash(secret)).is_some_and(|until| until > now)
    }
}

impl Signed {
    fn is_good(&self, now: Instant) -> bool {
        now < self.until && now.duration_since(self.seen) < IDLE
    }
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

fn random() -> Option<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

/// Minutes that a link is good for.
pub const LINK_MINUTES: u64 = 10;
/// How long somebody stays signed in, and for how long without doing anything.
const LONGEST: Duration = Duration::from_secs(8 * 60 * 60);
const IDLE: Duration = Duration::from_secs(30 * 60);
/// People who are signed in, and links that wait.
const MOST: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_by_itself_and_by_hand() {
        let (sessions, now) = (AdminSessions::default(), Instant::now());
        let minutes = |minutes: u64| now + Duration::from_secs(60 * minutes);
        let secret = sessions.sign_in(Some("ada"), [0; 32], now).unwrap();
        assert_eq!(sessions.of(&secret, minutes(29)).unwrap().account.as_deref(), Some("ada"));
        assert!(sessions.of(&secret, minutes(58)).is_some(), "it is used");
        assert!(sessions.of(&secret, minutes(89)).is_none());
        assert!(sessions.of("guess", now).is_none());
        let secret = sessions.sign_in(None, [0; 32], now).unwrap();
        sessions.sign_out(&secret);
        assert!(sessions.of(&secret, now).is_none());
    }

    #[test]
    fn nobody_stays_longer_than_a_day_of_work() {
        let (sessions, now) = (AdminSessions::default(), Instant::now());
        let secret = sessions.sign_in(None, [0; 32], now).unwrap();
        for minute in (0..480).step_by(20) {
            assert!(sessions.of(&secret, now + Duration::from_secs(60 * minute)).is_some());
        }
        assert!(sessions.of(&secret, now + LONGEST).is_none());
    }

    #[test]
    fn a_link_is_good_once_and_not_for_long() {
        let (sessions, now) = (AdminSessions::default(), Instant::now());
        let link = sessions.link(now).unwrap();
        assert!(sessions.is_link(&link, now) && sessions.use_link(&link, now));
        assert!(!sessions.use_link(&link, now));
        let late = sessions.link(now).unwrap();
        assert!(!sessions.use_link(&late, now + Duration::from_secs(60 * LINK_MINUTES)));
    }

    #[test]
    fn there_are_never_too_many() {
        let (sessions, now) = (AdminSessions::default(), Instant::now());
        for _ in 0..3 * MOST {
            sessions.sign_in(None, [0; 32], now).unwrap();
            let link = sessions.link(now).unwrap();
            assert!(sessions.is_link(&link, now), "what is handed out opens nothing");
        }
        let inner = sessions.0.lock();
        assert!(inner.sessions.len() <= MOST && inner.links.len() <= MOST);
    }
}
