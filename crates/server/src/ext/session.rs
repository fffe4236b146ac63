//! RFC 3921 §3: the session request of the years before RFC 6120
//!
//! It means nothing any more, and clients that still send it wait for the answer.

use xmpp::ns;

use super::{Extension, IqContext, IqFuture, IqRoute, Scope};
use crate::iq::{Iq, IqKind};

/// Answers the session request with an empty result.
pub const EXTENSION: Extension = Extension {
    name: "session",
    iq: &[route(Scope::Own), route(Scope::Server)],
    ..Extension::NOTHING
};

const fn route(scope: Scope) -> IqRoute {
    IqRoute { scope, kind: Some(IqKind::Set), ns: ns::SESSION, name: "session", handler: session }
}

fn session<'a>(_: &'a IqContext<'a>, _: &'a Iq) -> IqFuture<'a> {
    Box::pin(async { Ok(None) })
}
