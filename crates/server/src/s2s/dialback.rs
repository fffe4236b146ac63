//! XEP-0220: Server Dialback 1.1.1, the two roles that need more than the stream itself
//!
//! Dialback proves less than a certificate: that whoever answers at the domain's address, as far as
//! the domain name system and the network can be believed, is who connected. So it is used only
//! with the domains that the operator names, and only inside TLS.

use std::sync::Arc;

use subtle::ConstantTimeEq as _;
use xmpp::{
    error::Condition,
    stream::s2s::{
        dialback::{Claim, Verdict, key},
        receiving::Pair,
    },
};
use zeroize::Zeroizing;

use super::{connect, policy};
use crate::server::Server;

/// The secret that our keys are made with.
pub(super) fn secret(server: &Server) -> Zeroizing<[u8; 32]> {
    server.secret.derive("s2s dialback")
}

/// Whether a key that somebody was shown is one of ours (§2.1.3).
pub(super) fn vouch(server: &Server, claim: &Claim) -> Verdict {
    let Some(id) = &claim.id else { return Verdict::Invalid };
    if !policy::dialback(&server.config(), &claim.from) {
        return Verdict::Invalid;
    }
    let ours = key(&*secret(server), &claim.from, &claim.to, id);
    if bool::from(ours.as_bytes().ct_eq(claim.key.as_bytes())) {
        Verdict::Valid
    } else {
        Verdict::Invalid
    }
}

/// Asks a domain's own server about the key that somebody showed in its name (§2.1.2).
pub(super) async fn check(server: &Arc<Server>, claim: Claim, id: String) -> Verdict {
    let pair = Pair { local: claim.to, remote: claim.from };
    match connect::verify(server, &pair, id, claim.key).await {
        Ok(verdict) => verdict,
        Err(failure) => {
            server.s2s.refused(&pair, &failure.reason, server.steady());
            Verdict::Error(if failure.permanent {
                Condition::RemoteServerNotFound
            } else {
                Condition::RemoteServerTimeout
            })
        }
    }
}
