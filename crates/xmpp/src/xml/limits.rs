//! What a reader accepts at most

/// Bounds on what a peer may send. A reader enforces them while it reads, so memory is bounded
/// before an element is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a first-level element, tags included; also bytes of a stream header.
    pub element_bytes: usize,
    /// Levels of elements, a first-level element being level 1.
    pub depth: usize,
    /// Attributes of one element, namespace declarations not counted.
    pub attributes: usize,
    /// Namespace declarations in force at any place of a first-level element.
    pub namespaces: usize,
    /// Elements in a first-level element, itself included.
    pub elements: usize,
    /// Bytes of a name with its prefix; namespace names may have four times as many.
    pub name_bytes: usize,
    /// What happens to a first-level element with too many bytes or elements: `true` reports it
    /// and skips its rest, `false` is an error.
    pub skip_oversized: bool,
    /// The same for one with more levels. Whoever cannot refuse what is sent needs that: a stream that ends
    /// brings the same element again.
    pub skip_deep: bool,
}

impl Limits {
    /// For peers that have not authenticated yet: anything too large is an error.
    pub const BEFORE_AUTH: Limits = Limits {
        element_bytes: 8 * 1024,
        depth: 8,
        attributes: 16,
        namespaces: 8,
        elements: 32,
        name_bytes: 256,
        skip_oversized: false,
        skip_deep: false,
    };

    /// For authenticated clients.
    pub const CLIENT: Limits = Limits {
        element_bytes: 256 * 1024,
        depth: 64,
        attributes: 64,
        namespaces: 32,
        elements: 4096,
        name_bytes: 256,
        skip_oversized: true,
        skip_deep: false,
    };

    /// For other servers, and for clients reading from their server.
    pub const SERVER: Limits = Limits { element_bytes: 512 * 1024, ..Limits::CLIENT };

    /// For what this program wrote and checked itself.
    pub const TRUSTED: Limits = Limits {
        element_bytes: u32::MAX as usize,
        depth: usize::MAX,
        attributes: usize::MAX,
        namespaces: usize::MAX,
        elements: usize::MAX,
        name_bytes: usize::MAX,
        skip_oversized: false,
        skip_deep: false,
    };
}
