//! The way of a stanza from a client's session to everybody whom it concerns.
//!
//! `facts` reads what a message is, `resolve` says who an address is, `pipeline` runs the named
//! stages of the extensions over it, `deliver` chooses devices, `effects` collects what must
//! happen. `message`, `iq` and `presence` put these together for each kind of stanza.

pub mod deliver;
pub mod effects;
pub mod facts;
pub mod message;
pub mod pipeline;
pub mod resolve;
pub mod stored;
