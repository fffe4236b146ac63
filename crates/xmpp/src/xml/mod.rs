//! RFC 6120 §11: restricted XML
//!
//! [`Reader`] turns the bytes of a stream into [`Event`]s, [`Element`] is a small owned tree for
//! payloads. Both rest on one validating tokenizer that enforces [`Limits`] while it reads.

mod chars;
mod element;
mod error;
mod header;
mod index;
mod limits;
mod names;
mod reader;
mod reference;
mod scan;
mod tree;
mod write;

pub use element::{Element, Node};
pub use error::{Bound, XmlError};
pub use header::StreamHeader;
pub use limits::Limits;
pub use reader::{Event, Framing, Reader};
pub use write::{escape_attribute_into, escape_into};

pub(crate) use index::{ChildAt, Form, Index};
pub(crate) use names::Outer;
pub(crate) use reference::{attribute_is, decode_attribute, decode_text, utf8};
pub(crate) use tree::build;
