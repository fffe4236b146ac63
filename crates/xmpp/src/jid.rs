//! RFC 7622: addresses
//!
//! Preparation and comparison are the `jid` crate's. The types here close two gaps, through which an
//! address would not equal itself once it was written and read again: the crate keeps the dot at
//! the end of a domain in the text, and some characters take two rounds of preparation (U+1D34
//! becomes `H`, which becomes `h`). The dot is dropped (RFC 7622 §3.2), such characters are refused.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

pub use jid::{DomainPart, DomainRef, NodePart, NodeRef};
pub use jid::{Error as JidError, ResourcePart, ResourceRef};

/// An address with or without a resource.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Jid(jid::Jid);

/// An address without a resource: an account, a room, a server.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BareJid(Jid);

/// An address with a resource: a session, an occupant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FullJid(Jid);

impl Jid {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// A part breaks the rules of RFC 7622.
    pub fn new(text: &str) -> Result<Jid, JidError> {
        let jid = jid::Jid::new(&without_root_dot(text)?)?;
        // Preparation of ASCII is only lower case.
        if !text.is_ascii() && jid::Jid::new(jid.as_str())? != jid {
            return Err(JidError::NodePrep);
        }
        Ok(Jid(jid))
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The address without its resource.
    pub fn to_bare(&self) -> BareJid {
        BareJid(Jid(self.0.to_bare().into()))
    }

    /// The address without its resource.
    pub fn into_bare(self) -> BareJid {
        BareJid(Jid(self.0.into_bare().into()))
    }

    /// The address as one with a resource, or else as one without.
    ///
    /// # Errors
    ///
    /// There is no resource.
    pub fn try_into_full(self) -> Result<FullJid, BareJid> {
        if self.0.is_full() { Ok(FullJid(self)) } else { Err(BareJid(self)) }
    }
}

impl BareJid {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// A part breaks the rules of RFC 7622, or there is a resource.
    pub fn new(text: &str) -> Result<BareJid, JidError> {
        let jid = Jid::new(text)?;
        if jid.is_full() { Err(JidError::ResourceInBareJid) } else { Ok(BareJid(jid)) }
    }

    /// The address with a resource.
    ///
    /// # Errors
    ///
    /// The resource breaks the rules of RFC 7622.
    pub fn with_resource_str(&self, resource: &str) -> Result<FullJid, JidError> {
        FullJid::new(&format!("{self}/{resource}"))
    }

    /// The address with a resource.
    pub fn with_resource(&self, resource: &ResourceRef) -> FullJid {
        let jid = jid::Jid::from_parts(self.node(), self.domain(), Some(resource));
        FullJid(Jid(jid))
    }
}

impl FullJid {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// A part breaks the rules of RFC 7622, or there is no resource.
    pub fn new(text: &str) -> Result<FullJid, JidError> {
        Jid::new(text)?.try_into_full().map_err(|_| JidError::ResourceMissingInFullJid)
    }

    /// The resource.
    pub fn resource(&self) -> &ResourceRef {
        match self.0.0.try_as_full() {
            Ok(full) => full.resource(),
            // A value of this type is made only where there is a resource.
            Err(_) => unreachable!("a full address has a resource"),
        }
    }
}

impl Deref for Jid {
    type Target = jid::Jid;

    fn deref(&self) -> &jid::Jid {
        &self.0
    }
}

impl Deref for BareJid {
    type Target = Jid;

    fn deref(&self) -> &Jid {
        &self.0
    }
}

impl Borrow<Jid> for BareJid {
    fn borrow(&self) -> &Jid {
        &self.0
    }
}

impl From<BareJid> for Jid {
    fn from(jid: BareJid) -> Jid {
        jid.0
    }
}

impl PartialEq<Jid> for BareJid {
    fn eq(&self, other: &Jid) -> bool {
        self.0 == *other
    }
}

impl PartialEq<BareJid> for Jid {
    fn eq(&self, other: &BareJid) -> bool {
        *self == other.0
    }
}

impl Deref for FullJid {
    type Target = Jid;

    fn deref(&self) -> &Jid {
        &self.0
    }
}

impl Borrow<Jid> for FullJid {
    fn borrow(&self) -> &Jid {
        &self.0
    }
}

impl From<FullJid> for Jid {
    fn from(jid: FullJid) -> Jid {
        jid.0
    }
}

impl PartialEq<Jid> for FullJid {
    fn eq(&self, other: &Jid) -> bool {
        self.0 == *other
    }
}

impl PartialEq<FullJid> for Jid {
    fn eq(&self, other: &FullJid) -> bool {
        *self == other.0
    }
}

impl TryFrom<Jid> for BareJid {
    type Error = JidError;

    fn try_from(jid: Jid) -> Result<BareJid, JidError> {
        jid.try_into_full().err().ok_or(JidError::ResourceInBareJid)
    }
}

impl TryFrom<Jid> for FullJid {
    type Error = JidError;

    fn try_from(jid: Jid) -> Result<FullJid, JidError> {
        jid.try_into_full().map_err(|_| JidError::ResourceMissingInFullJid)
    }
}

impl FromStr for Jid {
    type Err = JidError;

    fn from_str(text: &str) -> Result<Jid, JidError> {
        Jid::new(text)
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Jid").field(&self.as_str()).finish()
    }
}

impl FromStr for BareJid {
    type Err = JidError;

    fn from_str(text: &str) -> Result<BareJid, JidError> {
        BareJid::new(text)
    }
}

impl fmt::Display for BareJid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for BareJid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BareJid").field(&self.as_str()).finish()
    }
}

impl FromStr for FullJid {
    type Err = JidError;

    fn from_str(text: &str) -> Result<FullJid, JidError> {
        FullJid::new(text)
    }
}

impl fmt::Display for FullJid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for FullJid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FullJid").field(&self.as_str()).finish()
    }
}

/// Prepares the local part of an address.
///
/// # Errors
///
/// It breaks the rules of RFC 7622.
pub fn node_part(text: &str) -> Result<NodePart, JidError> {
    stable(text, |text| NodePart::new(text).map(Cow::into_owned))
}

/// Prepares a domain.
///
/// # Errors
///
/// It breaks the rules of RFC 7622.
pub fn domain_part(text: &str) -> Result<DomainPart, JidError> {
    stable(text, |text| DomainPart::new(text).map(Cow::into_owned))
}

/// Prepares a resource.
///
/// # Errors
///
/// It breaks the rules of RFC 7622.
pub fn resource_part(text: &str) -> Result<ResourcePart, JidError> {
    stable(text, |text| ResourcePart::new(text).map(Cow::into_owned))
}

/// What `prepare` makes of `text`, if that is the same in a second round.
fn stable<T: fmt::Display + PartialEq>(
    text: &str,
    prepare: impl Fn(&str) -> Result<T, JidError>,
) -> Result<T, JidError> {
    let part = prepare(text)?;
    if prepare(&part.to_string())? == part { Ok(part) } else { Err(JidError::NodePrep) }
}

/// The address without the dot at the end of its domain. A second dot would be an empty label.
fn without_root_dot(text: &str) -> Result<Cow<'_, str>, JidError> {
    let (bare, resource) = match text.split_once('/') {
        Some((bare, resource)) => (bare, Some(resource)),
        None => (text, None),
    };
    match (bare.strip_suffix('.'), resource) {
        (None, _) => Ok(Cow::Borrowed(text)),
        (Some(bare), _) if bare.ends_with('.') => Err(JidError::Idna),
        (Some(bare), None) => Ok(Cow::Borrowed(bare)),
        (Some(bare), Some(resource)) => Ok(Cow::Owned(format!("{bare}/{resource}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_at_the_end_of_the_domain_makes_no_difference() {
        for (with, without) in [
            ("example.com.", "example.com"),
            ("a@example.com.", "a@example.com"),
            ("a@example.com./x.", "a@example.com/x."),
            ("example.com./x/y", "example.com/x/y"),
        ] {
            assert_eq!(Jid::new(with).unwrap(), Jid::new(without).unwrap());
            assert_eq!(Jid::new(with).unwrap().domain().as_str(), "example.com");
        }
        assert_eq!(Jid::new("example.com.."), Err(JidError::Idna));
        assert!(BareJid::new("a@example.com./x").is_err());
    }

    #[test]
    fn characters_that_are_not_stable_are_refused() {
        for text in ["\u{1D34}@example.com", "a@\u{1D34}.example", "\u{1D2C}dmin@example.com/x"] {
            assert_eq!(Jid::new(text), Err(JidError::NodePrep), "{text}");
        }
        assert_eq!(node_part("\u{1D34}").unwrap_err(), JidError::NodePrep);
        assert_eq!(node_part("Romeo").unwrap().as_str(), "romeo");
    }

    #[test]
    fn bare_and_full_addresses_come_apart_and_together() {
        let full = FullJid::new("Romeo@Example.net/Balcony").unwrap();
        assert_eq!(full.as_str(), "romeo@example.net/Balcony");
        assert_eq!(full.resource().as_str(), "Balcony");
        let bare = full.to_bare();
        assert_eq!(bare.with_resource(full.resource()), full);
        assert_eq!(bare.with_resource_str("Balcony").unwrap(), full);
        assert_eq!(BareJid::try_from(Jid::from(bare.clone())).unwrap(), bare);
        assert_eq!(Jid::from(full.clone()).try_into_full().unwrap(), full);
        assert!(FullJid::new("romeo@example.net").is_err());
        assert!(BareJid::new("romeo@example.net/x").is_err());
    }
}
