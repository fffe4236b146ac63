//! Roles that are external components (XEP-0114): programs that serve a domain of their own and have a
//! secret in common with the tested server.

use sha1::{Digest as _, Sha1};

use super::actor::{Actor, Class};
use super::report::Failure;
use super::script::{Login, Role};
use super::stage::Stage;
use crate::target::{DOMAIN, GATEWAY_SECRET};
use crate::tree::{STREAMS, Tree, escape};

/// What stanzas are in on the stream of a component.
pub(super) const NAMESPACE: &str = "jabber:component:accept";
/// The proof, and the answer to a good one.
pub(super) const HANDSHAKE: &str = "handshake";

/// Makes a component of the cast ready.
pub(super) fn enter(role: &Role) -> Actor {
    Actor::new(role.clone(), String::new(), GATEWAY_SECRET.to_owned())
}

/// The header of the stream of a component (XEP-0114 §3).
pub(super) fn header(attributes: &[(&str, &str)]) -> String {
    let written: String = attributes
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!(" {name}='{}'", escape(value)))
        .collect();
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='{NAMESPACE}' xmlns:stream='{STREAMS}'{written}>"
    )
}

/// A question that the server answers after whatever came before it.
pub(super) fn question(domain: &str, id: &str) -> String {
    format!(
        "<iq type='get' id='{id}' from='{domain}' to='{DOMAIN}'><ping xmlns='urn:xmpp:ping'/></iq>"
    )
}

/// What only who knows the secret can say of a stream.
fn proof(stream: &str, secret: &str) -> String {
    let digest = Sha1::new().chain_update(stream).chain_update(secret).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Stage<'_> {
    /// Proves the secret; gives the answer.
    pub(super) async fn shake_hands(&mut self, who: usize, login: &Login) -> Result<Tree, Failure> {
        let login = login.or(&self.actors[who].role.login);
        let secret = match &login.password {
            Some(secret) => secret.expand(&self.variables, false)?,
            None => self.actors[who].password.clone(),
        };
        if !self.actors[who].stream_open {
            self.open_stream_with(who, &[]).await?;
        }
        let stream = self.wait(who, "a stream header", |actor| actor.stream_id.clone()).await?;
        let request = format!("<{HANDSHAKE}>{}</{HANDSHAKE}>", proof(&stream, &secret));
        self.send_bytes(who, request.as_bytes()).await?;
        self.wait(who, "an answer to the handshake", |actor| actor.queue(Class::Stanza).pop_front())
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_is_the_hash_of_id_and_secret() {
        assert_eq!(proof("a", "bc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}
