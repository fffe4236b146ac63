//! Why XML was refused

use crate::error::StreamCondition;

/// Why the reader refused its input. All of these end a stream (RFC 6120 §4.9.1.1); the reader
/// returns the same error again for every later call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// The rules of XML 1.0 or Namespaces in XML are broken.
    #[error("not well-formed: {0}")]
    NotWellFormed(&'static str),
    /// XML that XMPP forbids: comments, processing instructions, DTDs, entity references beyond
    /// the five predefined ones (RFC 6120 §11.1).
    #[error("restricted XML: {0}")]
    Restricted(&'static str),
    /// A prefix is not bound, or bound to what it may not be.
    #[error("bad namespace prefix: {0}")]
    Prefix(&'static str),
    /// Not UTF-8, or an XML declaration that announces something else (RFC 6120 §11.6).
    #[error("not UTF-8")]
    Encoding,
    /// The outermost element does not open an XMPP stream.
    #[error("not an XMPP stream: {0}")]
    Namespace(&'static str),
    /// Well-formed, but not what a stream may contain at this place.
    #[error("bad format: {0}")]
    Format(&'static str),
    /// A limit was exceeded.
    #[error("more {0} than allowed")]
    Limit(Bound),
}

/// The limit that was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// [`super::Limits::element_bytes`]
    ElementBytes,
    /// [`super::Limits::depth`]
    Depth,
    /// [`super::Limits::attributes`]
    Attributes,
    /// [`super::Limits::namespaces`]
    Namespaces,
    /// [`super::Limits::elements`]
    Elements,
    /// [`super::Limits::name_bytes`]
    NameBytes,
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Bound::ElementBytes => "bytes in an element",
            Bound::Depth => "levels of elements",
            Bound::Attributes => "attributes",
            Bound::Namespaces => "namespace declarations",
            Bound::Elements => "elements",
            Bound::NameBytes => "bytes in a name",
        })
    }
}

impl XmlError {
    /// The condition of the stream error that tells the peer.
    pub const fn stream_condition(&self) -> StreamCondition {
        match self {
            XmlError::NotWellFormed(_) => StreamCondition::NotWellFormed,
            XmlError::Restricted(_) => StreamCondition::RestrictedXml,
            XmlError::Prefix(_) => StreamCondition::BadNamespacePrefix,
            XmlError::Encoding => StreamCondition::UnsupportedEncoding,
            XmlError::Namespace(_) => StreamCondition::InvalidNamespace,
            XmlError::Format(_) => StreamCondition::BadFormat,
            XmlError::Limit(_) => StreamCondition::PolicyViolation,
        }
    }
}
