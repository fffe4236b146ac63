//! XEP-0215: External Service Discovery 1.0.0
//!
//! Where calls find STUN and TURN: the server's own relay ([`crate::turn`]), and services outside of it.
//! Passwords for TURN are made from a secret that both sides know, and end by themselves
//! (draft-uberti-behave-turn-rest): the TURN service need not be asked.

use base64::Engine as _;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use xmpp::{
    error::{Condition, StanzaError},
    ns,
    xml::Element,
};
use zeroize::Zeroizing;

use super::{Extension, IqAnswer, IqContext, IqFuture, IqRoute, Scope, Spec};
use crate::{
    account::Account,
    iq::{Iq, IqKind},
    server::Server,
    turn::{
        self,
        credentials::{self, Credentials},
    },
};

/// Names the services that calls need.
pub const EXTENSION: Extension = Extension {
    name: "calls",
    offered: |config| config.turn.enabled || !config.calls.services.is_empty(),
    specs: &[Spec { xep: 215, version: "1.0.0", title: "External Service Discovery" }],
    features: &[(Scope::Server, ns::EXTERNAL_SERVICES)],
    iq: &[route("services", services), route("credentials", credentials)],
    ..Extension::NOTHING
};

const fn route(name: &'static str, handler: super::IqHandler) -> IqRoute {
    let ns = ns::EXTERNAL_SERVICES;
    IqRoute { scope: Scope::Server, kind: Some(IqKind::Get), ns, name, handler }
}

/// A service, read from its address (RFC 7064, RFC 7065).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// `stun`, `stuns`, `turn` or `turns`.
    pub kind: String,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// `udp` or `tcp`.
    pub transport: String,
}

impl Service {
    /// Reads `turn:turn.example.org:3478?transport=udp` and the like.
    #[must_use]
    pub fn parse(address: &str) -> Option<Self> {
        let (kind, rest) = address.split_once(':')?;
        let secure = match kind {
            "stun" | "turn" => false,
            "stuns" | "turns" => true,
            _ => return None,
        };
        let (place, transport) = match rest.split_once('?') {
            Some((place, query)) => (place, Some(query.strip_prefix("transport=")?)),
            None => (rest, None),
        };
        let transport = transport.unwrap_or(if secure { "tcp" } else { "udp" });
        if !matches!(transport, "udp" | "tcp") {
            return None;
        }
        let (host, port) = match place.strip_prefix('[') {
            Some(six) => {
                let (host, port) = six.split_once(']')?;
                (host, port.strip_prefix(':'))
            }
            None => match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            },
        };
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port > 0)?,
            None if secure => 5349,
            None => 3478,
        };
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:".contains(&byte);
        (!host.is_empty() && host.bytes().all(known)).then(|| Self {
            kind: kind.to_owned(),
            host: host.to_owned(),
            port,
            transport: transport.to_owned(),
        })
    }

    /// The address of the service, as [`Service::parse`] reads it.
    #[must_use]
    pub fn address(&self) -> String {
        let Self { kind, host, port, transport } = self;
        match host.contains(':') {
            true => format!("{kind}:[{host}]:{port}?transport={transport}"),
            false => format!("{kind}:{host}:{port}?transport={transport}"),
        }
    }

    fn needs_password(&self) -> bool {
        self.kind.starts_with("turn")
    }
}

fn services<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let kind = iq.payload.attr("type");
        let wanted = |service: &Service| kind.is_none_or(|kind| kind == service.kind);
        list(context, "services", kind, wanted).await
    })
}

/// §3.3: for one service that is known already.
fn credentials<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let asked = iq.payload.child("service", ns::EXTERNAL_SERVICES);
        let asked = asked.ok_or_else(|| StanzaError::new(Condition::BadRequest))?;
        let (host, kind, port) = (asked.attr("host"), asked.attr("type"), asked.attr("port"));
        let wanted = |service: &Service| {
            host == Some(&*service.host)
                && kind == Some(&*service.kind)
                && port.is_none_or(|port| port == service.port.to_string())
                && service.needs_password()
        };
        match list(context, "credentials", None, wanted).await? {
            Some(answer) if answer.children().next().is_some() => Ok(Some(answer)),
            _ => Err(StanzaError::new(Condition::ItemNotFound)),
        }
    })
}

async fn list(
    context: &IqContext<'_>,
    name: &str,
    kind: Option<&str>,
    wanted: impl Fn(&Service) -> bool,
) -> IqAnswer {
    let (server, config) = (context.server, context.server.config());
    // Who has no account here makes calls through the services of another server.
    let session = context.session()?;
    let others = secret(server).await?;
    let account = session.account.bare();
    admit(server, &session.account).await?;
    let own = own_credentials(server, account);
    let others = others.map(|secret| {
        // The TURN service learns that it is the same person, and not who.
        let mut made = own_credentials(server, account);
        made.password = Zeroizing::new(password(secret.trim(), &made.name));
        made
    });
    let elsewhere = config.calls.services.iter().filter_map(|address| Service::parse(address));
    let all = turn::services(server).into_iter().map(|service| (service, Some(&own)));
    let all = all.chain(elsewhere.map(|service| (service, others.as_ref())));
    let mut answer = Element::new(name, ns::EXTERNAL_SERVICES).with_attr_opt("type", kind);
    for (service, credentials) in all.filter(|(service, _)| wanted(service)) {
        let mut element = Element::new("service", ns::EXTERNAL_SERVICES)
            .with_attr("type", service.kind.as_str())
            .with_attr("host", service.host.as_str())
            .with_attr("port", service.port.to_string())
            .with_attr("transport", service.transport.as_str());
        if let Some(credentials) = credentials.filter(|_| service.needs_password()) {
            element = element
                .with_attr("restricted", "true")
                .with_attr("username", credentials.name.as_str())
                .with_attr("password", credentials.password.as_str())
                .with_attr("expires", credentials.expires.xep0082());
        }
        answer.push(element);
    }
    Ok(Some(answer))
}

/// Lets an account in at the relay. Whoever was shut out while this was under way is not.
async fn admit(server: &Server, account: &Account) -> Result<(), StanzaError> {
    let person = credentials::code(&server.secret, account.bare());
    loop {
        let dismissals = server.turn.dismissals_so_far();
        let row = server.store.accounts.by_id(account.id).await;
        let row = row.map_err(|error| server.store_failed("calls", &error))?;
        if row.is_none_or(|row| row.disabled) {
            return Err(StanzaError::new(Condition::NotAuthorized));
        }
        if server.turn.admit(&person, dismissals) {
            return Ok(());
        }
    }
}

/// New credentials for the server's own relay.
fn own_credentials(server: &Server, account: &str) -> Credentials {
    let (now, seconds) = (server.now(), server.config().calls.credential_seconds);
    let made = credentials::issue(&server.secret, account, now.plus(seconds * 1000));
    server.turn.remember(&made.name, server.domain(), made.expires, now);
    made
}

/// What credentials for the other services are made from, where there is such a secret.
async fn secret(server: &Server) -> Result<Option<Zeroizing<String>>, StanzaError> {
    let config = server.config();
    let Some(path) = &config.calls.secret_file else { return Ok(None) };
    let path = server.home().resolve(path);
    let file = path.clone();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(file)).await;
    match read {
        Ok(Ok(secret)) => Ok(Some(Zeroizing::new(secret))),
        Ok(Err(error)) => {
            server.metrics.errors_environment.increment();
            tracing::warn!(path = %path.display(), %error, "the secret for TURN cannot be read");
            Err(StanzaError::new(Condition::InternalServerError))
        }
        Err(_) => Err(StanzaError::new(Condition::InternalServerError)),
    }
}

fn password(secret: &str, username: &str) -> String {
    let mut mac = <Hmac<Sha1> as hmac::Mac>::new_from_slice(secret.as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(username.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2202 §3, test case 2.
    #[test]
    fn a_password_is_a_mac_of_the_name() {
        let password = password("Jefe", "what do ya want for nothing?");
        assert_eq!(password, "7/zfauXrL6LSdBbV8YTfnCWafHk=");
    }

    #[test]
    fn services_are_read_from_their_addresses() {
        let read = |address: &str| {
            let service = Service::parse(address)?;
            let Service { kind, host, port, transport } = service;
            Some(format!("{kind} {host} {port} {transport}"))
        };
        for (address, expected) in [
            ("stun:stun.example.org", "stun stun.example.org 3478 udp"),
            ("turn:turn.example.org:3479?transport=tcp", "turn turn.example.org 3479 tcp"),
            ("turns:turn.example.org", "turns turn.example.org 5349 tcp"),
            ("turn:[2001:db8::1]:1", "turn 2001:db8::1 1 udp"),
        ] {
            assert_eq!(read(address).as_deref(), Some(expected), "{address}");
            let service = Service::parse(address).unwrap();
            assert_eq!(Service::parse(&service.address()), Some(service));
        }
        for bad in ["", "turn:", "http://x", "turn:x?transport=sctp", "turn:x:0", "turn:a b"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
