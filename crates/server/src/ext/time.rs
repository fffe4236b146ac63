//! XEP-0202: Entity Time 2.0

use xmpp::{ns, xml::Element};

use super::{Extension, IqContext, IqFuture, IqRoute, Scope, Spec};
use crate::iq::{Iq, IqKind};

/// Tells the server's time, always in UTC: where the machine stands is nobody's business.
pub const EXTENSION: Extension = Extension {
    name: "time",
    specs: &[Spec { xep: 202, version: "2.0", title: "Entity Time" }],
    features: &[(Scope::Server, ns::TIME)],
    iq: &[IqRoute {
        scope: Scope::Server,
        kind: Some(IqKind::Get),
        ns: ns::TIME,
        name: "time",
        handler: time,
    }],
    ..Extension::NOTHING
};

fn time<'a>(context: &'a IqContext<'a>, _: &'a Iq) -> IqFuture<'a> {
    let text = |name: &str, value: String| Element::new(name, ns::TIME).with_text(value);
    let answer = Element::new("time", ns::TIME)
        .with_child(text("tzo", "+00:00".into()))
        .with_child(text("utc", context.server.now().xep0082()));
    Box::pin(async { Ok(Some(answer)) })
}
