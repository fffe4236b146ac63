//! Why XML was refused

use crate::error::StreamCondition;

/// Why the reader refused its input. All of these end a stream (RFC 6120 §4.9.1.1); the reader
/// returns the same error again for every later call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// A control character, or U+FFFE or U+FFFF.
    #[error("a character that XML does not allow")]
    Character,
    /// An ampersand that begins no reference.
    #[error("a stray ampersand")]
    Ampersand,
    /// A numeric reference with wrong digits, too many of them, or to no character.
    #[error("a malformed character reference")]
    CharacterReference,
    /// `]]>` in character data.
    #[error("]]> outside of a CDATA section")]
    CdataEnd,
    /// Text that is not inside of a first-level element.
    #[error("text outside of an element")]
    TextOutside,
    /// An end tag that does not match the open element.
    #[error("an end tag that does not match")]
    EndTag,
    /// A start tag with something else than attributes in it.
    #[error("a malformed start tag")]
    StartTag,
    /// A name that is not one.
    #[error("a malformed name")]
    Name,
    /// An attribute without a value in quotes, or `<` in it.
    #[error("a malformed attribute value")]
    Value,
    /// An attribute, or a namespace declaration, that is there twice.
    #[error("an attribute that is there twice")]
    AttributeTwice,
    /// An XML declaration that is malformed or not of XML 1.0.
    #[error("a malformed XML declaration")]
    Declaration,
    /// The end of the input in the middle of an element.
    #[error("an incomplete element")]
    Incomplete,
    /// Something after the only element.
    #[error("more than one element")]
    TrailingData,
    /// A comment or document type declaration, which XMPP forbids (RFC 6120 §11.1).
    #[error("a comment or document type declaration")]
    Comment,
    /// A processing instruction, which XMPP forbids (RFC 6120 §11.1).
    #[error("a processing instruction")]
    ProcessingInstruction,
    /// A reference to an entity other than the predefined five, which XMPP forbids
    /// (RFC 6120 §11.1).
    #[error("a reference to an entity")]
    Entity,
    /// A prefix that is not bound.
    #[error("a prefix that is not bound")]
    UnboundPrefix,
    /// A declaration of a prefix or namespace that may not be declared.
    #[error("a reserved prefix or namespace")]
    ReservedPrefix,
    /// Not UTF-8, or an XML declaration that announces something else (RFC 6120 §11.6).
    #[error("text that is not UTF-8")]
    Encoding,
    /// The outermost element is not in the streams namespace.
    #[error("a root that is not in the streams namespace")]
    StreamNamespace,
    /// The outermost element is in the streams namespace, but not a stream.
    #[error("a root that is not a stream")]
    NotAStream,
    /// An unknown element in the namespace of WebSocket framing (RFC 7395 §3).
    #[error("an unknown framing element")]
    Framing,
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
    /// The condition of the stream error that tells the peer (RFC 6120 §4.9.3).
    pub const fn stream_condition(&self) -> StreamCondition {
        match self {
            XmlError::Comment | XmlError::ProcessingInstruction | XmlError::Entity => {
                StreamCondition::RestrictedXml
            }
            XmlError::UnboundPrefix | XmlError::ReservedPrefix => {
                StreamCondition::BadNamespacePrefix
            }
            XmlError::Encoding => StreamCondition::UnsupportedEncoding,
            XmlError::StreamNamespace => StreamCondition::InvalidNamespace,
            XmlError::NotAStream | XmlError::Framing => StreamCondition::BadFormat,
            XmlError::Limit(_) => StreamCondition::PolicyViolation,
            _ => StreamCondition::NotWellFormed,
        }
    }
}
