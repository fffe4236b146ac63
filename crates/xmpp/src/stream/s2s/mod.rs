//! RFC 6120, XEP-0178, XEP-0220, XEP-0288: streams between servers
//!
//! [`receiving`] is the side that was connected to, [`initiating`] the one that connects. Both are
//! driven like their twins for clients: they take what the reader found, write into an
//! [`Out`](super::Out), and ask their driver what only it can know (whose certificate it is,
//! whether a dialback key is right) in variants of their `Step`.
//!
//! A stream is encrypted before anything is proven on it; there is no way around that. Identity is
//! proven by certificate (SASL EXTERNAL) or, where both the driver's policy and the peer want it,
//! by dialback.

pub mod dialback;
pub mod initiating;
pub mod receiving;

/// How a peer proved to be the domain it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// SASL EXTERNAL: its certificate names the domain (XEP-0178).
    Certificate,
    /// The domain's own server confirmed a key (XEP-0220).
    Dialback,
}

impl Proof {
    /// A word for logs and lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Dialback => "dialback",
        }
    }
}
