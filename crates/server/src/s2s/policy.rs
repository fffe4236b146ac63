//! Which domains this server talks to.

use std::time::Instant;

use xmpp::{
    error::{Condition, ErrorType, StanzaError},
    jid::BareJid,
};

use crate::{config::Config, server::Server};

/// Why a domain is not talked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// This server keeps to itself.
    Off,
    /// The operator does not want this domain.
    Denied,
}

impl Refused {
    /// In words.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Refused::Off => "this server does not talk to other servers",
            Refused::Denied => "the operator of this server does not allow this domain",
        }
    }

    /// What the sender of a stanza is told.
    #[must_use]
    pub fn error(self) -> StanzaError {
        match self {
            // What it always was where there is no federation.
            Refused::Off => StanzaError::new(Condition::RemoteServerNotFound),
            Refused::Denied => StanzaError::new(Condition::NotAllowed).with_text(self.reason()),
        }
    }
}

/// Whether this server talks to a domain.
///
/// # Errors
/// Why not.
pub fn permits(config: &Config, remote: &str) -> Result<(), Refused> {
    // Programs of the operator are not other servers.
    if config.components.hosts.contains(remote) {
        return Ok(());
    }
    // The services of this server are nobody else's.
    if !config.federates() || config.serves(remote) {
        return Err(Refused::Off);
    }
    let federation = &config.federation;
    let chosen = &config.domains;
    let denied = named(&federation.deny, remote) || named(&chosen.deny, remote);
    let mut lists = [&federation.allow, &chosen.allow].into_iter();
    let allowed = lists.all(|list| list.is_empty() || named(list, remote));
    if denied || !allowed { Err(Refused::Denied) } else { Ok(()) }
}

/// Whether somebody of this server may send something to a domain. Finding one that is not talked to yet
/// costs connections, and a place in the list.
///
/// # Errors
/// What they are told.
pub fn lets_send(server: &Server, account: &BareJid, remote: &str) -> Result<(), StanzaError> {
    let config = server.config();
    permits(&config, remote).map_err(Refused::error)?;
    let free = !config.limits.throttle
        || config.components.hosts.contains(remote)
        || server.s2s.knows(server.domain(), remote)
        || server.budgets.calls(account, Instant::now());
    match free {
        true => Ok(()),
        false => Err(StanzaError::new(Condition::PolicyViolation)
            .with_type(ErrorType::Wait)
            .with_text("you wrote to many other servers; try again later")),
    }
}

/// Whether a domain may prove itself by dialback instead of a certificate.
#[must_use]
pub fn dialback(config: &Config, remote: &str) -> bool {
    named(&config.federation.dialback, remote)
}

/// Whether a domain may lead to places that only this machine can reach, because the operator permits it:
/// whoever has the domain, or writes to it, does not learn from how attempts fail what is there.
#[must_use]
pub fn conceals(config: &Config, remote: &str) -> bool {
    let federation = &config.federation;
    // In `hosts` it is the operator who says where a domain leads.
    federation.private_addresses && !federation.hosts.contains(remote)
}

/// Whether a list names a domain: itself, `*.` and one of its parents, or `*` for all.
fn named(list: &[String], domain: &str) -> bool {
    list.iter().any(|entry| match entry.strip_prefix('*') {
        Some("") => true,
        Some(parent) => domain.ends_with(parent),
        None => entry == domain,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(federation: &str) -> Config {
        let text = format!("domain = \"capulet.example\"\n[federation]\n{federation}\n");
        Config::parse(&text).unwrap()
    }

    #[test]
    fn a_public_domain_talks_to_all_and_localhost_to_none() {
        assert_eq!(permits(&config(""), "montague.example"), Ok(()));
        assert_eq!(permits(&config("enabled = false"), "montague.example"), Err(Refused::Off));
        let trial = |text: &str| Config::parse(text).unwrap();
        let alone = trial("domain = \"localhost\"\n");
        assert_eq!(permits(&alone, "montague.example"), Err(Refused::Off));
        let wired = "domain = \"localhost\"\n[federation.hosts]\n\"b.example\" = \"127.0.0.1:1\"\n";
        assert_eq!(permits(&trial(wired), "b.example"), Ok(()));
    }

    #[test]
    fn its_own_services_are_no_other_servers() {
        let config = config("");
        for own in ["", "conference.", "pubsub.", "proxy.", "upload."] {
            let own = format!("{own}capulet.example");
            let expected = match config.serves(&own) {
                true => Err(Refused::Off),
                false => Ok(()),
            };
            assert_eq!(permits(&config, &own), expected, "{own}");
        }
        for on in ["capulet.example", "conference.capulet.example", "pubsub.capulet.example"] {
            assert!(config.serves(on), "{on}");
        }
        assert!(!config.serves("gateway.capulet.example"));
    }

    #[test]
    fn lists_name_domains_and_everything_below_them() {
        let denied = config("deny = [\"spam.example\", \"*.worse.example\"]");
        assert_eq!(permits(&denied, "spam.example"), Err(Refused::Denied));
        assert_eq!(permits(&denied, "rooms.worse.example"), Err(Refused::Denied));
        assert_eq!(permits(&denied, "worse.example"), Ok(()));
        let allowed = config("allow = [\"montague.example\"]\ndeny = [\"montague.example\"]");
        assert_eq!(permits(&allowed, "verona.example"), Err(Refused::Denied));
        assert_eq!(permits(&allowed, "montague.example"), Err(Refused::Denied));
    }

    #[test]
    fn what_is_behind_the_server_is_concealed_where_domains_may_lead_there() {
        assert!(!conceals(&config(""), "montague.example"));
        let text = "private_addresses = true\n[federation.hosts]\n\"b.example\" = \"127.0.0.1:1\"";
        assert!(conceals(&config(text), "montague.example"));
        assert!(!conceals(&config(text), "b.example"));
    }

    #[test]
    fn what_administrators_chose_adds_to_the_configuration() {
        let mut config = config("allow = [\"montague.example\", \"spam.example\"]");
        config.domains.deny = vec!["spam.example".into()];
        assert_eq!(permits(&config, "montague.example"), Ok(()));
        assert_eq!(permits(&config, "spam.example"), Err(Refused::Denied));
        config.domains.allow = vec!["verona.example".into()];
        // Each list has to name it, so nothing is allowed that the operator does not.
        for remote in ["montague.example", "verona.example"] {
            assert_eq!(permits(&config, remote), Err(Refused::Denied), "{remote}");
        }
    }

    #[test]
    fn dialback_is_for_those_the_operator_names() {
        let config = config("dialback = [\"old.example\"]");
        assert!(dialback(&config, "old.example") && !dialback(&config, "new.example"));
        assert!(super::named(&["*".to_owned()], "new.example"));
    }
}
