//! `[components.hosts]`: domains that programs of the operator serve, with their secrets.

use std::{collections::BTreeMap, fmt};

use toml::de::DeValue;
use zeroize::Zeroizing;

use super::schema::{Value, quote};

/// A secret that a component proves to know. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ComponentSecret(Zeroizing<String>);

impl ComponentSecret {
    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ComponentSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ComponentSecret(..)")
    }
}

/// Domains with the secrets of their components.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComponentHosts(BTreeMap<String, ComponentSecret>);

impl ComponentHosts {
    /// The secret of the component of a domain, if there may be one.
    #[must_use]
    pub fn secret(&self, domain: &str) -> Option<&ComponentSecret> {
        self.0.get(domain)
    }

    /// Whether a domain is a component's.
    #[must_use]
    pub fn contains(&self, domain: &str) -> bool {
        self.0.contains_key(domain)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The domains.
    pub fn domains(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl Value for ComponentHosts {
    fn allowed() -> String {
        format!(
            "a table of domains with secrets of at least {SHORTEST} characters, such as \
             \"irc.example.org\" = \"…\""
        )
    }

    fn read(value: &DeValue<'_>) -> Result<Self, ()> {
        let mut hosts = BTreeMap::new();
        for (key, value) in value.as_table().ok_or(())? {
            let domain = super::domain(key.get_ref()).map_err(drop)?;
            let secret = value.get_ref().as_str().ok_or(())?;
            if secret.chars().count() < SHORTEST {
                return Err(());
            }
            hosts.insert(domain, ComponentSecret(Zeroizing::new(secret.to_owned())));
        }
        Ok(Self(hosts))
    }

    fn show(&self) -> Option<String> {
        let hosts: Vec<String> =
            self.0.keys().map(|domain| format!("{} = \"…\"", quote(domain))).collect();
        match hosts.is_empty() {
            true => Some("{}".to_owned()),
            false => Some(format!("{{ {} }}", hosts.join(", "))),
        }
    }
}

/// Shorter secrets are guessed.
const SHORTEST: usize = 12;

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn read(lines: &str) -> Result<Config, ()> {
        let text = format!("domain = \"a.example\"\n[components.hosts]\n{lines}\n");
        Config::parse(&text).map_err(drop)
    }

    #[test]
    fn secrets_are_read_and_never_shown() {
        let config = read("\"IRC.a.example\" = \"correct horse\"").unwrap();
        let hosts = &config.components.hosts;
        assert_eq!(hosts.secret("irc.a.example").unwrap().expose(), "correct horse");
        let shown = format!("{config:?}{:?}", config.show());
        assert!(!shown.contains("horse"), "{shown}");
    }

    #[test]
    fn what_cannot_be_a_component_is_refused() {
        for bad in [
            "\"irc.a.example\" = \"short\"",
            "\"irc.a.example\" = 5",
            "\"irc a\" = \"correct horse\"",
            "\"a.example\" = \"correct horse\"",
            "\"upload.a.example\" = \"correct horse\"",
            "\"conference.a.example\" = \"correct horse\"",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
