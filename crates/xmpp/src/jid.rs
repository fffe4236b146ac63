//! RFC 7622: addresses
//!
//! Parsing, preparation and comparison are the `jid` crate's; this module re-exports what the
//! project uses, so that there is one place to look.

pub use jid::{BareJid, DomainPart, DomainRef, FullJid, Jid, NodePart, NodeRef};
pub use jid::{Error as JidError, ResourcePart, ResourceRef};
