//! The elements of a login by SASL (RFC 6120 §6) or SASL2 (XEP-0388).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::tree::Tree;

/// RFC 6120: SASL
pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// XEP-0388: Extensible SASL Profile
pub const SASL2: &str = "urn:xmpp:sasl:2";
/// XEP-0440: SASL Channel-Binding Type Capability
const CHANNEL_BINDING: &str = "urn:xmpp:sasl-cb:0";

/// The mechanisms a server offers.
pub fn offered(features: &Tree, sasl2: bool) -> Vec<String> {
    let (list, ns) = if sasl2 { ("authentication", SASL2) } else { ("mechanisms", SASL) };
    let mechanisms = features.child(list, ns).into_iter().flat_map(Tree::children);
    mechanisms.filter(|child| child.name == "mechanism").map(Tree::text).collect()
}

/// The types of channel binding a server announces, `None` if it announces nothing of the kind.
pub fn announced_bindings(features: &Tree) -> Option<Vec<String>> {
    let list = features.child("sasl-channel-binding", CHANNEL_BINDING)?;
    Some(list.children().filter_map(|child| child.attr("type")).map(str::to_owned).collect())
}

/// A mechanism the test client knows, the better known ones first.
///
/// # Errors
/// A sentence when none is offered.
pub fn choose(offered: &[String]) -> Result<String, String> {
    let known = ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"].map(str::to_owned);
    let found = known.into_iter().find(|name| offered.contains(name));
    found.ok_or_else(|| format!("no known mechanism is offered: {offered:?}"))
}

/// The element that starts a login; `inline` goes with SASL2 only.
pub fn request(sasl2: bool, mechanism: &str, initial: &[u8], inline: &str) -> String {
    let data = encode(initial);
    if sasl2 {
        return format!(
            "<authenticate xmlns='{SASL2}' mechanism='{mechanism}'>\
             <initial-response>{data}</initial-response>{inline}</authenticate>"
        );
    }
    format!("<auth xmlns='{SASL}' mechanism='{mechanism}'>{data}</auth>")
}

/// The answer to a challenge.
pub fn response(sasl2: bool, data: &[u8]) -> String {
    format!("<response xmlns='{}'>{}</response>", if sasl2 { SASL2 } else { SASL }, encode(data))
}

/// The data of a success, with which the server proves itself.
///
/// # Errors
/// A sentence when it is not base64.
pub fn success_data(success: &Tree) -> Result<Vec<u8>, String> {
    if success.ns == SASL {
        return decode(&success.text());
    }
    decode(&success.child("additional-data", SASL2).map(Tree::text).unwrap_or_default())
}

/// RFC 6120 §6.4.2: an empty message is written `=`.
fn encode(data: &[u8]) -> String {
    if data.is_empty() { "=".into() } else { BASE64_STANDARD.encode(data) }
}

/// Reads base64 as logins write it.
///
/// # Errors
/// A sentence when it is something else.
pub fn decode(text: &str) -> Result<Vec<u8>, String> {
    let text = text.trim();
    if text.is_empty() || text == "=" {
        return Ok(Vec::new());
    }
    BASE64_STANDARD.decode(text).map_err(|error| format!("{text} is not base64: {error}"))
}
