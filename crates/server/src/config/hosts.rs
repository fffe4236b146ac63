//! `[federation.hosts]`: where the servers of certain domains are.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::schema::{Value, quote};

/// Where the server of one domain is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// TLS from the first byte (XEP-0368) instead of STARTTLS.
    pub tls: bool,
}

/// Domains with the places of their servers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(BTreeMap<String, Host>);

impl Hosts {
    /// Where the server of a domain is, if that is fixed.
    #[must_use]
    pub fn get(&self, domain: &str) -> Option<&Host> {
        self.0.get(domain)
    }

    /// Whether the place of a domain's server is fixed.
    #[must_use]
    pub fn contains(&self, domain: &str) -> bool {
        self.0.contains_key(domain)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Host {
    fn parse(text: &str, tls: bool) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = match host.strip_prefix('[') {
            Some(six) => six.strip_suffix(']')?,
            None if host.contains(':') => return None,
            None => host,
        };
        let port = port.parse().ok().filter(|port| *port > 0)?;
        (!host.is_empty()).then(|| Self { host: host.to_owned(), port, tls })
    }

    fn read(value: &DeValue<'_>) -> Option<Self> {
        if let Some(text) = value.as_str() {
            return Self::parse(text, false);
        }
        let table = value.as_table()?;
        let known = |key: &str| matches!(key, "address" | "tls");
        table.keys().all(|key| known(key.get_ref())).then_some(())?;
        let tls = table.get("tls").map_or(Some(false), |tls| tls.get_ref().as_bool())?;
        Self::parse(table.get("address")?.get_ref().as_str()?, tls)
    }

    fn show(&self) -> String {
        let Host { host, port, tls } = self;
        let address = if host.contains(':') {
            quote(&format!("[{host}]:{port}"))
        } else {
            quote(&format!("{host}:{port}"))
        };
        if *tls { format!("{{ address = {address}, tls = true }}") } else { address }
    }
}

impl Value for Hosts {
    fn allowed() -> String {
        "a table of domains with their addresses, such as \"example.org\" = \"192.0.2.1:5269\" or \
         \"example.org\" = { address = \"[2001:db8::1]:5270\", tls = true }"
            .to_owned()
    }

    fn read(value: &DeValue<'_>) -> Result<Self, ()> {
        let table = value.as_table().ok_or(())?;
        let entry = |(key, value): (
            &toml::Spanned<toml::de::DeString<'_>>,
            &toml::Spanned<DeValue<'_>>,
        )| {
            let domain = super::domain(key.get_ref()).map_err(drop)?;
            Ok((domain, Host::read(value.get_ref()).ok_or(())?))
        };
        table.iter().map(entry).collect::<Result<_, ()>>().map(Hosts)
    }

    fn show(&self) -> Option<String> {
        let entries: Vec<String> = self
            .0
            .iter()
            .map(|(domain, host)| format!("{} = {}", quote(domain), host.show()))
            .collect();
        if entries.is_empty() {
            Some("{}".to_owned())
        } else {
            Some(format!("{{ {} }}", entries.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn hosts(lines: &str) -> Option<Hosts> {
        let text = format!("domain = \"a.example\"\n[federation.hosts]\n{lines}\n");
        Config::parse(&text).ok().map(|config| config.federation.hosts)
    }

    #[test]
    fn a_host_is_a_text_or_a_table() {
        let found = hosts(
            "\"B.example\" = \"127.0.0.1:5269\"\n\
             \"c.example\" = { address = \"[::1]:5270\", tls = true }\n\
             \"d.example\" = \"xmpp.d.example:443\"",
        )
        .unwrap();
        let host = |domain: &str| {
            let Host { host, port, tls } = found.get(domain).unwrap().clone();
            (host, port, tls)
        };
        assert_eq!(host("b.example"), ("127.0.0.1".into(), 5269, false));
        assert_eq!(host("c.example"), ("::1".into(), 5270, true));
        assert_eq!(host("d.example"), ("xmpp.d.example".into(), 443, false));
        let shown = found.show().unwrap();
        let again = shown.trim_matches(['{', '}', ' ']).replace("\", \"", "\"\n\"");
        assert!(again.contains("\"b.example\" = \"127.0.0.1:5269\""), "{shown}");
        assert!(shown.contains("{ address = \"[::1]:5270\", tls = true }"), "{shown}");
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for bad in [
            "\"b.example\" = \"127.0.0.1\"",
            "\"b.example\" = \"::1:5269\"",
            "\"b.example\" = \":5269\"",
            "\"b.example\" = \"b:0\"",
            "\"b example\" = \"b:1\"",
            "\"b.example\" = { address = \"b:1\", tls = 1 }",
            "\"b.example\" = { address = \"b:1\", port = 1 }",
            "\"b.example\" = 5",
        ] {
            assert_eq!(hosts(bad), None, "{bad}");
        }
    }
}
