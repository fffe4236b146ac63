//! By what this server knows that another one is the domain it says.

use xmpp::stream::s2s::Proof;

/// What convinced this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownBy {
    /// A certificate for the domain, of an authority that is trusted.
    Certificate,
    /// A certificate that the signed zone of the domain names (RFC 7673).
    Dane,
    /// A certificate that the web server of the domain names (RFC 7711).
    Posh,
    /// A certificate for a name, or with a key, that the web server of the domain names (XEP-0487).
    HostMeta,
    /// The domain name system leads to it (XEP-0220).
    Dialback,
}

impl KnownBy {
    /// What convinced, given what its certificate did: where that proved nothing, dialback did.
    #[must_use]
    pub fn of(proof: Proof, certificate: Option<Self>) -> Self {
        match proof {
            Proof::Certificate => certificate.unwrap_or(Self::Certificate),
            Proof::Dialback => Self::Dialback,
        }
    }

    /// A word for lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Dane => "DANE",
            Self::Posh => "POSH",
            Self::HostMeta => "host-meta",
            Self::Dialback => "dialback",
        }
    }
}
