//! The rules that concern more than one key, and what is said about a configuration that keeps them.

use std::net::SocketAddr;

use super::{Config, listeners::is_loopback, schema::Problem, sections::Challenge};

impl Config {
    /// Sentences about what the file asks for and this version does not do. Said at start and by
    /// `anemone check`.
    pub fn notices(&self) -> Vec<String> {
        let mut notices = Vec::new();
        let opened = self.sets("listen.s2s") || self.sets("listen.s2s_tls");
        if opened && !self.federates() {
            notices.push(
                "The addresses in `s2s` and `s2s_tls` are not opened, because [federation] is off: \
                 people on this server can only talk to each other."
                    .to_owned(),
            );
        }
        if !self.federation.dialback.is_empty() {
            notices.push(
                "Domains in `dialback` may prove themselves without a certificate: whoever \
                 controls the network can pretend to be one of them."
                    .to_owned(),
            );
        }
        if !self.tls.required {
            notices.push(
                "TLS is not required: clients on this machine may log in without encryption."
                    .to_owned(),
            );
        }
        let hosts = &self.components.hosts;
        if !hosts.is_empty() && !self.components.listen.iter().all(is_loopback) {
            notices.push(
                "Components can connect from other machines (`listen` in [components]), and \
                 nothing is encrypted there: whoever controls that network can read and forge \
                 everything."
                    .to_owned(),
            );
        }
        if !self.limits.throttle {
            notices.push(
                "Rate limits are off (`throttle = false`): fit for a test bed, not for the open \
                 internet."
                    .to_owned(),
            );
        }
        notices
    }

    /// The rules that concern more than one key.
    pub(super) fn verify(&self, problems: &mut Vec<Problem>) {
        self.verify_loopback("listen.http", &self.listen.http, problems);
        self.verify_loopback("metrics.listen", &self.metrics.listen, problems);
        self.verify_tls(problems);
        self.verify_addresses(problems);
        self.verify_web(problems);
        self.verify_calls(problems);
        self.verify_abuse(problems);
    }

    fn verify_abuse(&self, problems: &mut Vec<Problem>) {
        let lists = self.abuse.block_lists.iter();
        let mut bad =
            lists.clone().filter(|text| crate::ext::block_lists::Place::parse(text).is_none());
        if let Some(bad) = bad.next() {
            let message = format!(
                "`{bad}` is not a block list: write it as SERVICE/NODE, such as \
                 \"xmppbl.org/muc_bans_sha256\""
            );
            problems.push(self.problem("abuse.block_lists", &message));
        }
        let own =
            lists.filter_map(|text| Some((text, crate::ext::block_lists::Place::parse(text)?)));
        let mut own = own.filter(|(_, place)| self.serves(&place.service));
        if let Some((own, _)) = own.next() {
            let message = format!(
                "`{own}` is a list of this server itself, which it cannot follow: block lists are \
                 kept by another server or by one of [components.hosts]"
            );
            problems.push(self.problem("abuse.block_lists", &message));
        }
    }

    fn verify_calls(&self, problems: &mut Vec<Problem>) {
        let bad = self
            .calls
            .services
            .iter()
            .find(|address| crate::ext::calls::Service::parse(address).is_none());
        if let Some(bad) = bad {
            problems.push(self.problem(
                "calls.services",
                &format!(
                    "`{bad}` is not the address of a service: write it like \
                     \"turn:turn.example.org:3478?transport=udp\""
                ),
            ));
        }
        if self.turn.first_port > self.turn.last_port {
            problems
                .push(self.problem("turn.last_port", "`last_port` must not be below `first_port`"));
        }
        if self.turn.name.as_ref().is_some_and(|name| domain(name).is_err()) {
            problems.push(self.problem("turn.name", "`name` must be a domain name"));
        }
    }

    fn verify_web(&self, problems: &mut Vec<Problem>) {
        let may_connect = |origin: &String| origin == "*" || is_origin(origin) || is_local(origin);
        if let Some(bad) = self.web.origins.iter().find(|origin| !may_connect(origin)) {
            problems.push(self.problem(
                "web.origins",
                &format!(
                    "`{bad}` is not an origin: write it without a path, such as \
                     \"https://web.example.net\", or \"*\" for every page there is"
                ),
            ));
        }
        if let Some(bad) = self.web.files_from.iter().find(|origin| !is_origin(origin)) {
            problems.push(self.problem(
                "web.files_from",
                &format!(
                    "`{bad}` is not an origin: write it without a path, such as \
                     \"https://upload.example.net\""
                ),
            ));
        }
    }

    fn verify_tls(&self, problems: &mut Vec<Problem>) {
        if !self.tls.required && !self.listen.c2s.iter().all(is_loopback) {
            problems.push(self.problem(
                "tls.required",
                "`required = false` lets passwords travel unencrypted, so it is accepted only \
                 when every address in `c2s` is a loopback address such as \"127.0.0.1:5222\"",
            ));
        }
        if self.acme.enabled {
            self.verify_acme(problems);
        }
        let (present, absent) = match (&self.tls.certificate, &self.tls.key) {
            (Some(_), None) => ("certificate", "key"),
            (None, Some(_)) => ("key", "certificate"),
            _ => return,
        };
        problems.push(self.problem(
            &format!("tls.{present}"),
            &format!(
                "`{present}` is set and `{absent}` is not: add `{absent}`, or remove both to let \
                 the server make its own"
            ),
        ));
    }

    fn verify_acme(&self, problems: &mut Vec<Problem>) {
        let mut wrong = |key: &str, message: &str| problems.push(self.problem(key, message));
        if self.tls.certificate.is_some() {
            wrong("acme.enabled", "[acme] and `certificate` in [tls] exclude each other");
        }
        if self.domain == "localhost" {
            wrong("acme.enabled", "nobody gives a certificate for localhost");
        }
        if !self.acme.directory.starts_with("https://") {
            wrong("acme.directory", "`directory` must start with \"https://\"");
        }
        if self.acme.challenge == Challenge::Dns && self.acme.hook.is_none() {
            wrong("acme.challenge", "\"dns-01\" needs a program in `hook`");
        }
        if self.acme.challenge == Challenge::Http && self.listen.redirect.is_empty() {
            wrong("acme.challenge", "\"http-01\" needs `redirect = [\"[::]:80\"]` in [listen]");
        }
        if self.acme.names.iter().any(|name| domain(name).is_err()) {
            wrong("acme.names", "`names` must be domain names");
        }
    }

    fn verify_addresses(&self, problems: &mut Vec<Problem>) {
        for (key, url) in
            [("front_door.url", &self.front_door.url), ("upload.url", &self.upload.url)]
        {
            let is_web = |url: &&String| url.starts_with("https://") || url.starts_with("http://");
            if url.as_ref().is_some_and(|url| !is_web(&url)) {
                problems.push(self.problem(key, "`url` must start with \"https://\""));
            }
        }
        self.verify_service("upload", self.upload.address.as_ref(), problems);
        self.verify_service("rooms", self.rooms.address.as_ref(), problems);
        self.verify_service("pubsub", self.pubsub.address.as_ref(), problems);
        self.verify_service("bytestreams", self.bytestreams.address.as_ref(), problems);
        let taken = [
            self.domain.clone(),
            self.upload.address(&self.domain),
            self.rooms.address(&self.domain),
            self.bytestreams.address(&self.domain),
        ];
        let [_, upload, rooms, bytestreams] = &taken;
        if rooms == upload {
            problems.push(self.problem("rooms.address", "[rooms] and [upload] need two addresses"));
        }
        if bytestreams == upload || bytestreams == rooms {
            let message = "[bytestreams] needs an address of its own";
            problems.push(self.problem("bytestreams.address", message));
        }
        if taken.contains(&self.pubsub.address(&self.domain)) {
            let message = "[pubsub] needs an address of its own";
            problems.push(self.problem("pubsub.address", message));
        }
        // A program may have the address when the service is off.
        let own = self.pubsub.enabled.then(|| self.pubsub.address(&self.domain));
        let taken: Vec<String> = taken.into_iter().chain(own).collect();
        if let Some(bad) = taken.iter().find(|domain| self.components.hosts.contains(domain)) {
            let message = format!("`{bad}` is served by the server itself");
            problems.push(self.problem("components.hosts", &message));
        }
        let hosts = &self.components.hosts;
        let strangers = self.components.permissions.all().find(|(name, _)| !hosts.contains(name));
        if let Some((name, _)) = strangers {
            let message = format!("`{name}` is not one of the domains in [components.hosts]");
            problems.push(self.problem("components.permissions", &message));
        }
        for (kind, addresses) in self.contact.addresses() {
            let key = format!("contact.{kind}");
            let bad = addresses.iter().find(|address| !is_uri(address));
            problems.extend(bad.map(|bad| {
                self.problem(
                    &key,
                    &format!(
                        "`{bad}` is not a contact address: write it with its kind in front, such \
                         as \"mailto:ada@example.org\" or \"xmpp:ada@example.org\""
                    ),
                )
            }));
        }
    }

    /// The address of a service is a domain of its own.
    fn verify_service(&self, section: &str, address: Option<&String>, problems: &mut Vec<Problem>) {
        let Some(address) = address else { return };
        if domain(address).as_ref() != Ok(address) || *address == self.domain {
            problems.push(self.problem(
                &format!("{section}.address"),
                &format!(
                    "`{address}` must be a domain name in small letters other than the server's, \
                     such as \"{section}.{}\"",
                    self.domain
                ),
            ));
        }
    }

    fn verify_loopback(&self, key: &str, addresses: &[SocketAddr], problems: &mut Vec<Problem>) {
        if let Some(open) = addresses.iter().find(|address| !is_loopback(address)) {
            problems.push(self.problem(
                key,
                &format!(
                    "{open} can be reached from other machines, and nothing is encrypted there: \
                     use a loopback address such as \"127.0.0.1:{}\"",
                    open.port()
                ),
            ));
        }
    }

    fn problem(&self, key: &str, message: &str) -> Problem {
        Problem { span: self.set.get(key).cloned(), message: message.to_owned() }
    }
}

/// A domain in its normal form (RFC 7622 §3.2).
///
/// # Errors
/// A sentence when it is not a domain name that can be served.
pub fn domain(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is not a domain name, such as \"example.org\"");
    let domain = jid::DomainPart::new(text).map_err(|_| wrong())?.as_str().to_owned();
    let is_host = domain.len() <= 253
        && !domain.is_empty()
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .chars()
                    .all(|letter| letter.is_alphanumeric() || letter == '-' || !letter.is_ascii())
        });
    if is_host { Ok(domain) } else { Err(wrong()) }
}

/// Whether a text is the origin of a page on this machine, `http://localhost:PORT`.
fn is_local(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("http://") else { return false };
    let (host, port) = rest.split_once(':').unwrap_or((rest, "80"));
    host == "localhost" && port.parse::<u16>().is_ok()
}

/// Whether a text is `https://HOST` or `https://HOST:PORT`; `*.` may stand before the host.
fn is_origin(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else { return false };
    let (host, port) = rest.split_once(':').unwrap_or((rest, "443"));
    let host = host.strip_prefix("*.").unwrap_or(host);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    !host.is_empty() && host.bytes().all(allowed) && port.parse::<u16>().is_ok()
}

fn is_uri(text: &str) -> bool {
    let scheme = text.split_once(':').map(|(scheme, rest)| (scheme, !rest.is_empty()));
    matches!(scheme, Some((scheme, true)) if scheme.len() > 1
        && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter)))
        && !text.chars().any(|letter| letter.is_whitespace() || letter.is_control())
}
