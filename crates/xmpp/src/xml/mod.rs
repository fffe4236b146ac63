//! RFC 6120 §11: restricted XML
//!
//! [`Reader`] turns the bytes of a stream into [`Event`]s, [`Element`] is a small owned tree for
//! payloads. Both rest on one validating tokenizer that enforces [`Limits`] while it reads.

mod element;
mod error;
mod limits;
mod reader;
mod write;

pub use element::{Element, Node};
pub use error::{Bound, XmlError};
pub use limits::Limits;
pub use reader::{Event, Framing, Reader, StreamHeader};
pub use write::{escape_attribute_into, escape_into};
