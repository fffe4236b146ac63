//! `[components.permissions]`: what programs of the operator may do beyond their own domains.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeValue;
use xmpp::ns;

use super::schema::{Value, quote};
use crate::iq::IqKind;

/// Which requests are allowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Access {
    /// Reading.
    pub get: bool,
    /// Changing.
    pub set: bool,
}

/// Whose presence a component sees (XEP-0356 §7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Watching {
    /// Nobody's.
    #[default]
    Nobody,
    /// That of the accounts.
    Accounts,
    /// That of the accounts and of their contacts.
    Contacts,
}

/// What one component may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    /// The words of the file, in their order.
    words: Vec<String>,
    /// Rosters.
    pub roster: Access,
    /// Messages in the name of accounts.
    pub message: bool,
    /// Presence.
    pub presence: Watching,
    /// Requests in the name of accounts, by namespace.
    pub iq: BTreeMap<String, Access>,
    /// Requests that the component answers instead of the server, by namespace (XEP-0355).
    pub delegated: BTreeSet<String>,
}

/// Domains of components with what they may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComponentPermissions(BTreeMap<String, Permissions>);

impl Access {
    /// Everything.
    pub const BOTH: Self = Self { get: true, set: true };

    /// Whether a kind of request is allowed.
    #[must_use]
    pub fn permits(self, kind: IqKind) -> bool {
        match kind {
            IqKind::Get => self.get,
            IqKind::Set => self.set,
        }
    }

    /// The word that XEP-0356 has for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match (self.get, self.set) {
            (false, false) => "none",
            (true, false) => "get",
            (false, true) => "set",
            (true, true) => "both",
        }
    }

    fn add(&mut self, other: Self) {
        self.get |= other.get;
        self.set |= other.set;
    }
}

impl ComponentPermissions {
    /// What a component may do; `None` when it may do nothing.
    #[must_use]
    pub fn of(&self, domain: &str) -> Option<&Permissions> {
        self.0.get(domain)
    }

    /// Whether nobody may do anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The domains with what they may do.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Permissions)> {
        self.0.iter().map(|(domain, permissions)| (domain.as_str(), permissions))
    }

    /// The component that answers requests of a namespace.
    #[must_use]
    pub fn delegate(&self, ns: &str) -> Option<&str> {
        self.all().find(|(_, permissions)| permissions.delegated.contains(ns)).map(|(to, _)| to)
    }
}

impl Permissions {
    fn parse(words: Vec<String>) -> Option<Self> {
        let mut permissions = Self::default();
        for word in &words {
            permissions.grant(word)?;
        }
        permissions.words = words;
        // XEP-0356 §7.4: whoever sees the presence of contacts sees who they are.
        let blind = permissions.presence == Watching::Contacts && !permissions.roster.get;
        (!blind).then_some(permissions)
    }

    fn grant(&mut self, word: &str) -> Option<()> {
        let parts: Vec<&str> = word.split_ascii_whitespace().collect();
        match *parts.as_slice() {
            // What a gateway needs to be convenient: contacts, messages that were written
            // elsewhere, bookmarks, read markers, and files.
            ["gateway"] => {
                self.roster.add(Access::BOTH);
                self.message = true;
                self.presence = self.presence.max(Watching::Accounts);
                self.allow(ns::PUBSUB, Access::BOTH);
                self.allow(ns::PUBSUB_OWNER, Access { get: false, set: true });
                self.allow(ns::HTTP_UPLOAD, Access { get: true, set: false });
            }
            ["roster"] => self.roster.add(Access::BOTH),
            ["roster", kind] => self.roster.add(access(kind)?),
            ["message"] => self.message = true,
            ["presence"] => self.presence = self.presence.max(Watching::Accounts),
            ["presence", "contacts"] => self.presence = Watching::Contacts,
            ["iq", namespace] if may_be_lent(namespace) => self.allow(namespace, Access::BOTH),
            ["iq", kind, namespace] if may_be_lent(namespace) => {
                self.allow(namespace, access(kind)?);
            }
            ["answer", namespace] if may_be_delegated(namespace) => {
                self.delegated.insert(namespace.to_owned());
            }
            _ => return None,
        }
        Some(())
    }

    fn allow(&mut self, namespace: &str, access: Access) {
        self.iq.entry(namespace.to_owned()).or_default().add(access);
    }
}

fn access(word: &str) -> Option<Access> {
    match word {
        "get" => Some(Access { get: true, set: false }),
        "set" => Some(Access { get: false, set: true }),
        _ => None,
    }
}

/// What would be answered with messages to a device, which a component does not get, or has a permission
/// of its own.
fn may_be_lent(namespace: &str) -> bool {
    !matches!(namespace, ns::MAM | ns::CARBONS | ns::ROSTER | ns::PRIVILEGE | ns::DELEGATION)
}

/// XEP-0355 §9 rule 5, and what nobody but the server can answer.
fn may_be_delegated(namespace: &str) -> bool {
    !matches!(namespace, ns::DELEGATION | ns::PRIVILEGE | ns::DISCO_INFO | ns::DISCO_ITEMS)
}

impl Value for ComponentPermissions {
    fn allowed() -> String {
        "a table of domains from `hosts` with lists of \"gateway\", \"roster\", \"roster get\", \
         \"roster set\", \"message\", \"presence\", \"presence contacts\" (with \"roster\"), \
         \"iq NAMESPACE\", \"iq get NAMESPACE\", \"iq set NAMESPACE\" and \"answer NAMESPACE\""
            .to_owned()
    }

    fn read(value: &DeValue<'_>) -> Result<Self, ()> {
        let mut all = BTreeMap::new();
        for (key, value) in value.as_table().ok_or(())? {
            let domain = super::domain(key.get_ref()).map_err(drop)?;
            let words = Vec::<String>::read(value.get_ref())?;
            all.insert(domain, Permissions::parse(words).ok_or(())?);
        }
        let permissions = Self(all);
        // Two programs cannot answer the same request.
        let mut taken = BTreeSet::new();
        let twice =
            permissions.all().flat_map(|(_, one)| &one.delegated).any(|ns| !taken.insert(ns));
        if twice { Err(()) } else { Ok(permissions) }
    }

    fn show(&self) -> Option<String> {
        let show = |(domain, permissions): (&String, &Permissions)| {
            let words: Vec<String> = permissions.words.iter().map(|word| quote(word)).collect();
            format!("{} = [{}]", quote(domain), words.join(", "))
        };
        let all: Vec<String> = self.0.iter().map(show).collect();
        match all.is_empty() {
            true => Some("{}".to_owned()),
            false => Some(format!("{{ {} }}", all.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn read(list: &str) -> Result<Config, ()> {
        let text = format!(
            "domain = \"a.example\"\n[components.hosts]\n\"irc.a.example\" = \"correct horse\"\n\
             [components.permissions]\n\"irc.a.example\" = {list}\n"
        );
        Config::parse(&text).map_err(drop)
    }

    #[test]
    fn words_become_permissions() {
        let config = read(
            r#"["roster get", "message", "presence contacts", "iq set urn:x", "answer urn:y"]"#,
        )
        .unwrap();
        let all = &config.components.permissions;
        let permissions = all.of("irc.a.example").unwrap();
        assert_eq!(permissions.roster.name(), "get");
        assert!(permissions.message && permissions.presence == Watching::Contacts);
        assert!(permissions.iq["urn:x"].permits(IqKind::Set));
        assert!(!permissions.iq["urn:x"].permits(IqKind::Get));
        assert_eq!(all.delegate("urn:y"), Some("irc.a.example"));
        assert_eq!(all.delegate("urn:x"), None);
        assert!(read(r#"["gateway"]"#).is_ok());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bad in [
            r#""roster""#,
            r#"["everything"]"#,
            r#"["roster both"]"#,
            r#"["presence contacts"]"#,
            r#"["presence contacts", "roster set"]"#,
            r#"["answer urn:xmpp:delegation:2"]"#,
            r#"["iq urn:xmpp:mam:2"]"#,
            r#"["iq get jabber:iq:roster"]"#,
            r#"["iq set urn:xmpp:privilege:2"]"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let stranger =
            "domain = \"a.example\"\n[components.permissions]\n\"b.example\" = [\"roster\"]";
        assert!(Config::parse(stranger).is_err());
    }
}
