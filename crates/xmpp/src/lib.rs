//! XMPP without sockets, clocks or files: XML, stanzas, stream negotiation, SASL, stream management.

pub mod edit;
pub mod error;
pub mod ext;
pub mod jid;
pub mod ns;
pub mod sasl;
pub mod sm;
pub mod stanza;
pub mod stream;
pub mod time;
pub mod xml;
