//! XEP-0115: presence of a client that wants notifications, and its answers to disco queries.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest, Sha1};

use crate::tree::{Tree, escape};

const NODE: &str = "https://verona.example/play";
const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";

/// The features a client claims to have.
pub(super) struct Caps {
    features: Vec<String>,
}

impl Caps {
    /// Claims the features, and that of answering disco queries.
    pub(super) fn new(wanted: &[String]) -> Self {
        let mut features: Vec<String> =
            wanted
                .iter()
                .map(|node| {
                    if node.ends_with("+notify") { node.clone() } else { format!("{node}+notify") }
                })
                .collect();
        features.push(DISCO_INFO.into());
        features.push("http://jabber.org/protocol/caps".into());
        features.sort();
        features.dedup();
        Caps { features }
    }

    /// XEP-0115 §5.1: the hash other entities know the features by.
    fn version(&self) -> String {
        let mut text = String::from("client/pc//Play<");
        for feature in &self.features {
            text.push_str(feature);
            text.push('<');
        }
        BASE64_STANDARD.encode(Sha1::digest(text))
    }

    /// Available presence that announces the features.
    pub(super) fn presence(&self) -> String {
        format!(
            "<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='{NODE}' \
             ver='{}'/></presence>",
            self.version()
        )
    }

    /// The answer to a disco#info query about the announced features.
    pub(super) fn answer(&self, element: &Tree) -> Option<String> {
        let query = element.child("query", DISCO_INFO)?;
        let node = format!("{NODE}#{}", self.version());
        let asked = query.attr("node");
        let matches = element.name == "iq" && element.attr("type") == Some("get");
        if !matches || asked.is_some_and(|asked| asked != node) {
            return None;
        }
        let to =
            element.attr("from").map_or(String::new(), |from| format!(" to='{}'", escape(from)));
        let node = asked.map_or(String::new(), |node| format!(" node='{}'", escape(node)));
        let features: String =
            self.features.iter().map(|name| format!("<feature var='{}'/>", escape(name))).collect();
        Some(format!(
            "<iq type='result' id='{}'{to}><query xmlns='{DISCO_INFO}'{node}>\
             <identity category='client' type='pc' name='Play'/>{features}</query></iq>",
            escape(element.attr("id").unwrap_or_default())
        ))
    }
}
