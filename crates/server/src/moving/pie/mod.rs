//! XEP-0227: Portable Import/Export Format for XMPP-IM Servers 1.1

mod document;
mod read;
mod write;

pub(super) use self::{read::read, write::write};

/// The namespace of the format.
const PIE: &str = "urn:xmpp:pie:0";
const PIE_SCRAM: &str = "urn:xmpp:pie:0#scram";
const PIE_MAM: &str = "urn:xmpp:pie:0#mam";
const XINCLUDE: &str = "http://www.w3.org/2001/XInclude";
/// What the format has no place for: whether an account may log in.
const ACCOUNT: &str = "urn:anemone:account:0";
