//! XEP-0065: SOCKS5 Bytestreams 1.8.2
//!
//! The proxy at `proxy.DOMAIN`, for files between two clients that cannot reach each other. Users of this
//! server learn where it is and have their streams activated; [`crate::bytestreams`] moves the bytes.

use sha1::{Digest as _, Sha1};
use xmpp::{
    error::{Condition, StanzaError},
    ext::disco::{Identity, Info, Item, Items},
    jid::Jid,
    ns,
    xml::Element,
};

use super::{Extension, IqContext, IqFuture, IqRoute, Scope, Spec, features};
use crate::{
    bytestreams::{self, Refusal, socks::StreamName},
    config::Service,
    iq::{Iq, IqKind},
    server::Server,
};

/// Carries bytes between two clients.
pub const EXTENSION: Extension = Extension {
    name: "bytestreams",
    specs: &[Spec { xep: 65, version: "1.8.2", title: "SOCKS5 Bytestreams" }],
    offered: |config| config.bytestreams.enabled,
    features: &[
        (Scope::Bytestreams, ns::DISCO_INFO),
        (Scope::Bytestreams, ns::DISCO_ITEMS),
        (Scope::Bytestreams, ns::BYTESTREAMS),
    ],
    iq: &[
        route(IqKind::Get, ns::DISCO_INFO, info),
        route(IqKind::Get, ns::DISCO_ITEMS, items),
        route(IqKind::Get, ns::BYTESTREAMS, address),
        route(IqKind::Set, ns::BYTESTREAMS, activate),
    ],
    ..Extension::NOTHING
};

const fn route(kind: IqKind, ns: &'static str, handler: super::IqHandler) -> IqRoute {
    IqRoute { scope: Scope::Bytestreams, kind: Some(kind), ns, name: "query", handler }
}

/// The service among the items of the server (§5), while its port is open.
#[must_use]
pub fn item(server: &Server) -> Option<Item> {
    port(server)?;
    let config = server.config();
    let address = config.bytestreams.address(&config.domain);
    Some(Item::new(Jid::new(&address).ok()?).with_name("Bytestreams"))
}

fn port(server: &Server) -> Option<u16> {
    let ports = server.ports();
    let door = ports.iter().find(|(service, _)| *service == Service::Bytestreams)?;
    Some(door.1.port())
}

fn info<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        if iq.payload.attr("node").is_some() {
            return Err(StanzaError::new(Condition::ItemNotFound));
        }
        let info = Info::new()
            .with_identity(Identity::new("proxy", "bytestreams").with_name("Bytestreams"))
            .with_features(features(&context.server.config(), Scope::Bytestreams));
        Ok(Some(info.to_element()))
    })
}

fn items<'a>(_: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        match iq.payload.attr("node") {
            None => Ok(Some(Items::default().to_element())),
            Some(_) => Err(StanzaError::new(Condition::ItemNotFound)),
        }
    })
}

/// §5: where clients connect to.
fn address<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        context.session()?;
        let server = context.server;
        let port = port(server).ok_or_else(|| StanzaError::new(Condition::NotAllowed))?;
        let config = server.config();
        let jid = config.bytestreams.address(&config.domain);
        let mut answer =
            Element::new("query", ns::BYTESTREAMS).with_attr_opt("sid", iq.payload.attr("sid"));
        for host in hosts(server) {
            let streamhost = Element::new("streamhost", ns::BYTESTREAMS)
                .with_attr("jid", jid.as_str())
                .with_attr("host", host)
                .with_attr("port", port.to_string());
            answer.push(streamhost);
        }
        Ok(Some(answer))
    })
}

/// What the operator says, else what is known of where this machine is, else the domain.
fn hosts(server: &Server) -> Vec<String> {
    let config = server.config();
    if let Some(host) = &config.bytestreams.host {
        return vec![host.clone()];
    }
    let found = server.turn.found().hosts();
    match found.is_empty() {
        false => found,
        true => vec![config.domain.clone()],
    }
}

/// §6.3.5.
fn activate<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let session = context.session()?;
        let bad = || StanzaError::new(Condition::BadRequest);
        let sid = iq.payload.attr("sid").filter(|sid| !sid.is_empty()).ok_or_else(bad)?;
        let target = iq.payload.child("activate", ns::BYTESTREAMS).ok_or_else(bad)?;
        let target = Jid::new(target.text().trim())
            .map_err(|_| StanzaError::new(Condition::JidMalformed))?;
        let name = stream_name(sid, &session.jid.to_string(), &target.to_string());
        let outcome = bytestreams::activate(context.server, session.account.bare(), &name);
        outcome.map(|()| None).map_err(|refusal| match refusal {
            Refusal::Unknown => StanzaError::new(Condition::ItemNotFound),
            Refusal::Half => StanzaError::new(Condition::NotAllowed),
            Refusal::TooMany => StanzaError::new(Condition::ResourceConstraint),
        })
    })
}

/// §6.3.2: what both ends call their stream.
fn stream_name(sid: &str, requester: &str, target: &str) -> StreamName {
    let digest = Sha1::new().chain_update(sid).chain_update(requester).chain_update(target);
    let mut name = [0; 40];
    for (pair, byte) in name.chunks_exact_mut(2).zip(digest.finalize()) {
        for (digit, value) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
            *digit = char::from_digit(u32::from(value), 16).map_or(b'0', |digit| digit as u8);
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The SHA-1 of "abc" (FIPS 180).
    #[test]
    fn a_stream_is_named_by_its_id_and_both_ends() {
        assert_eq!(&stream_name("a", "b", "c"), b"a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}
