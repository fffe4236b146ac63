//! XEP-0199: XMPP Ping 2.0.1

use xmpp::ns;

use super::{Feature, IqRoute, Spec};

pub(crate) const FEATURE: Feature = Feature {
    name: "ping",
    specs: &[Spec { number: "XEP-0199", version: "2.0.1" }],
    features: &[ns::PING],
    iq: &[IqRoute { set: false, name: "ping", ns: ns::PING, handle: |_, _| Ok(Ok(None)) }],
    ..Feature::NOTHING
};
