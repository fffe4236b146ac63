//! Devices, their keys and the decisions about them, as they are kept.

use serde::{Deserialize, Serialize};
use xmpp::jid::BareJid;
use xmpp::time::Millis;
use zeroize::Zeroizing;

/// The versions of OMEMO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Version {
    /// `eu.siacs.conversations.axolotl` (XEP-0384 0.3).
    Legacy,
    /// `urn:xmpp:omemo:2` (XEP-0384 0.4 and later, here 0.9).
    Omemo2,
}

/// The decision about a key. Encryption is for [`Blind`](Self::Blind) and
/// [`Verified`](Self::Verified).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub enum TrustLevel {
    /// Not decided: a new key of somebody of whom another key is verified.
    #[default]
    Undecided,
    /// Believed because nothing speaks against it.
    Blind,
    /// Compared by the user, or vouched for by a verified device (XEP-0450).
    Verified,
    /// Not to be believed and not to be encrypted to.
    Distrusted,
}

/// The keys of this device.
#[derive(Clone, Debug)]
pub struct OwnDevice {
    /// Its number.
    pub id: u32,
    /// Its keys, as the `omemo` crate wrote them.
    pub keys: Zeroizing<Vec<u8>>,
    /// What the others of this account see of it.
    pub label: Option<String>,
}

/// A device in somebody's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceEntry {
    /// Its number.
    pub id: u32,
    /// In the published list now.
    pub active: bool,
    /// Its label, and the signature of it in hexadecimal.
    pub label: Option<(String, Option<String>)>,
    /// When it was last heard of.
    pub last_used: Option<Millis>,
    /// It appeared after others were known, and the user was not told yet: its key is not known.
    #[serde(default)]
    pub new: bool,
}

/// A key of somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// In Ed25519 form.
    pub key: [u8; 32],
    /// The devices that use it: one, unless something is wrong.
    pub devices: Vec<u32>,
    /// The decision about it.
    pub trust: TrustLevel,
    /// When it was first seen.
    pub first_seen: Millis,
}

/// Names the ratchet record of a device.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionKey {
    /// Whose device.
    pub owner: BareJid,
    /// Which.
    pub device: u32,
    /// Which version.
    pub version: Version,
}
