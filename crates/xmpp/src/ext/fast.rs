//! XEP-0484: Fast Authentication Streamlining Tokens 0.2.0

use crate::ns;
use crate::sasl::{Secret, ht};
use crate::time::Millis;
use crate::xml::Element;

/// A client's `<fast/>`: the authentication uses a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fast {
    /// How often this token was used, for replay protection of early data.
    pub count: Option<u32>,
    /// Forget the token after this use.
    pub invalidate: bool,
}

impl Fast {
    /// Reads the element.
    #[must_use]
    pub fn parse(element: &Element) -> Self {
        Self {
            count: element.attr("count").and_then(|count| count.parse().ok()),
            invalidate: matches!(element.attr("invalidate"), Some("1" | "true")),
        }
    }

    /// Writes the element.
    #[must_use]
    pub fn element(self) -> Element {
        Element::new("fast", ns::FAST)
            .with_attr_opt("count", self.count.map(|count| count.to_string()))
            .with_attr_opt("invalidate", self.invalidate.then_some("true"))
    }
}

/// A client's `<request-token/>`.
#[must_use]
pub fn request(method: ht::Method) -> Element {
    Element::new("request-token", ns::FAST).with_attr("mechanism", method.name())
}

/// The method a `<request-token/>` names, if it is one of ours.
#[must_use]
pub fn parse_request(element: &Element) -> Option<ht::Method> {
    ht::Method::from_name(element.attr("mechanism")?)
}

/// A server's `<token/>`. The text may be secret: do not log the element.
#[must_use]
pub fn token(token: &Secret, expiry: Millis) -> Element {
    Element::new("token", ns::FAST)
        .with_attr("expiry", expiry.xep0082())
        .with_attr("token", token.expose_str().unwrap_or_default())
}

/// Reads a server's `<token/>`.
#[must_use]
pub fn parse_token(element: &Element) -> Option<(Secret, Millis)> {
    let expiry = Millis::parse_xep0082(element.attr("expiry")?)?;
    Some((Secret::from(element.attr("token")?), expiry))
}

/// The stream feature inside SASL2's `<inline/>`. Early data is not offered.
#[must_use]
pub fn feature(methods: impl IntoIterator<Item = ht::Method>) -> Element {
    let methods = methods
        .into_iter()
        .map(|method| Element::new("mechanism", ns::FAST).with_text(method.name()));
    Element::new("fast", ns::FAST).with_children(methods)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_survive_a_round_trip() {
        for fast in [Fast::default(), Fast { count: Some(123), invalidate: true }] {
            assert_eq!(Fast::parse(&fast.element()), fast);
        }
        let issued = (Secret::from("WXZz"), Millis(1_583_937_375_000));
        assert_eq!(parse_token(&token(&issued.0, issued.1)), Some(issued));
        for method in ht::Method::ALL {
            assert_eq!(parse_request(&request(method)), Some(method));
        }
    }

    #[test]
    fn a_token_needs_its_expiry() {
        let element = Element::new("token", ns::FAST).with_attr("token", "abc");
        assert_eq!(parse_token(&element), None);
    }
}
