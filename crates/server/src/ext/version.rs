//! XEP-0092: Software Version 1.1

use xmpp::{ns, xml::Element};

use super::{Extension, IqContext, IqFuture, IqRoute, Scope, Spec};
use crate::iq::{Iq, IqKind};

/// Says what software this is. The operating system is nobody's business and is left out, as
/// XEP-0092 §5 allows.
pub const EXTENSION: Extension = Extension {
    name: "version",
    specs: &[Spec { xep: 92, version: "1.1", title: "Software Version" }],
    features: &[(Scope::Server, ns::VERSION)],
    iq: &[IqRoute {
        scope: Scope::Server,
        kind: Some(IqKind::Get),
        ns: ns::VERSION,
        name: "query",
        handler: version,
    }],
    ..Extension::NOTHING
};

fn version<'a>(_: &'a IqContext<'a>, _: &'a Iq) -> IqFuture<'a> {
    let text = |name: &str, value: &str| Element::new(name, ns::VERSION).with_text(value);
    let query = Element::new("query", ns::VERSION)
        .with_child(text("name", "Anemone"))
        .with_child(text("version", env!("CARGO_PKG_VERSION")));
    Box::pin(async { Ok(Some(query)) })
}
