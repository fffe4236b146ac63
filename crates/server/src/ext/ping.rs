//! XEP-0199: XMPP Ping 2.0.1

use xmpp::ns;

use super::{Extension, IqContext, IqFuture, IqRoute, Scope, Spec};
use crate::iq::{Iq, IqKind};

/// Answers pings to the server and to one's own account.
pub const EXTENSION: Extension = Extension {
    name: "ping",
    specs: &[Spec { xep: 199, version: "2.0.1", title: "XMPP Ping" }],
    features: &[(Scope::Server, ns::PING), (Scope::Account, ns::PING)],
    iq: &[route(Scope::Server), route(Scope::Own)],
    ..Extension::NOTHING
};

const fn route(scope: Scope) -> IqRoute {
    IqRoute { scope, kind: Some(IqKind::Get), ns: ns::PING, name: "ping", handler: pong }
}

fn pong<'a>(_: &'a IqContext<'a>, _: &'a Iq) -> IqFuture<'a> {
    Box::pin(async { Ok(None) })
}
