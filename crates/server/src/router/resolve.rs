//! Who an address is.

use std::sync::Arc;

use store::StoreError;
use xmpp::jid::Jid;

use crate::{account::Account, server::Server};

/// The owner of an address.
pub enum Target {
    /// A local account that exists, loaded.
    Account(Arc<Account>),
    /// An address at our domain that nobody has.
    Nobody,
    /// The server itself: our domain without a local part.
    Server,
    /// The service for files.
    Upload,
    /// The proxy for bytestreams.
    Bytestreams,
    /// The service for rooms, or one of its rooms.
    Rooms,
    /// The pubsub service.
    Pubsub(Arc<Account>),
    /// Somebody at another domain.
    Remote,
}

/// Finds the owner of `jid`. Awaits only when the account is not in memory.
///
/// # Errors
/// When the store could not be read.
pub async fn resolve(server: &Server, jid: &Jid) -> Result<Target, StoreError> {
    if jid.domain().as_str() != server.domain() {
        return Ok(service(server, jid));
    }
    let Some(local) = jid.node() else { return Ok(Target::Server) };
    if let Some(account) = server.accounts.loaded(local.as_str()) {
        return Ok(Target::Account(account));
    }
    // Boxed: this is rare, and its room would be set aside in the task of every connection.
    let account = Box::pin(server.accounts.load(server, local.as_str())).await?;
    Ok(account.map_or(Target::Nobody, Target::Account))
}

/// Which service has an address outside of the domain itself.
#[must_use]
pub fn service(server: &Server, jid: &Jid) -> Target {
    let config = server.config();
    let domain = jid.domain().as_str();
    if config.upload.enabled && config.upload.is_at(domain, server.domain()) {
        return if jid.node().is_none() { Target::Upload } else { Target::Nobody };
    }
    if config.bytestreams.enabled && config.bytestreams.is_at(domain, server.domain()) {
        return if jid.node().is_none() { Target::Bytestreams } else { Target::Nobody };
    }
    if config.rooms.enabled && config.rooms.is_at(domain, server.domain()) {
        return Target::Rooms;
    }
    if config.pubsub.enabled && config.pubsub.is_at(domain, server.domain()) {
        return match jid.node() {
            None => Target::Pubsub(server.pubsub()),
            Some(_) => Target::Nobody,
        };
    }
    Target::Remote
}
