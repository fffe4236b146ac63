//! XEP-0384: OMEMO Encryption 0.3.0, `eu.siacs.conversations.axolotl`
//!
//! What most clients speak. Keys are bytes here; what they mean is up to the reader.

use super::binary::{decode, decode_array, encode};
use super::omemo2::{device_id, key_id};
use crate::ns;
use crate::xml::Element;

/// Devices in one list; a longer list is refused.
pub const MAX_DEVICES: usize = super::omemo2::MAX_DEVICES;
/// Prekeys that are read of a bundle; more are left out.
pub const MAX_PREKEYS: usize = super::omemo2::MAX_PREKEYS;
/// Keys in one message; a message with more is refused.
pub const MAX_KEYS: usize = super::omemo2::MAX_KEYS;
/// Bytes of one encrypted key: a key exchange has 175.
pub const MAX_KEY_BYTES: usize = super::omemo2::MAX_KEY_BYTES;
/// Bytes of a payload.
pub const MAX_PAYLOAD_BYTES: usize = super::omemo2::MAX_PAYLOAD_BYTES;

/// `<list/>`: the devices of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceList(pub Vec<u32>);

/// `<bundle/>`: what others need to begin a session with a device. Public keys have the type byte
/// 5 in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The identity key.
    pub identity: [u8; 33],
    /// The signed prekey and its id.
    pub signed_prekey: (u32, [u8; 33]),
    /// The signature of the signed prekey.
    pub signature: [u8; 64],
    /// One-time prekeys and their ids.
    pub prekeys: Vec<(u32, [u8; 33])>,
}

/// `<encrypted/>`: a message, or keys alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encrypted {
    /// The device that sent it.
    pub sender: u32,
    /// One key for each device.
    pub keys: Vec<Key>,
    /// The nonce of the payload; 12 bytes, 16 from old clients.
    pub iv: Vec<u8>,
    /// The ciphertext; absent when the message only moves the ratchets.
    pub payload: Option<Vec<u8>>,
}

/// `<key/>`: the key of the payload, encrypted for one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The device. Two accounts may have devices of the same number.
    pub device: u32,
    /// The bytes begin a session.
    pub prekey: bool,
    /// A message of the session with that device.
    pub data: Vec<u8>,
}

/// The name of the node that holds the bundle of a device.
#[must_use]
pub fn bundle_node(device: u32) -> String {
    format!("{}{device}", ns::OMEMO_LEGACY_BUNDLES)
}

impl DeviceList {
    /// Reads `<list/>`. Devices with impossible numbers are left out, each device counts once;
    /// `None` for another element and for a list that is too long.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("list", ns::OMEMO_LEGACY) {
            return None;
        }
        let mut devices = Vec::new();
        for device in element.children().filter(|child| child.is("device", ns::OMEMO_LEGACY)) {
            let Some(id) = device.attr("id").and_then(device_id) else { continue };
            if !devices.contains(&id) {
                devices.push(id);
            }
            if devices.len() > MAX_DEVICES {
                return None;
            }
        }
        Some(DeviceList(devices))
    }

    /// The list as `<list/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let device =
            |id: &u32| Element::new("device", ns::OMEMO_LEGACY).with_attr("id", id.to_string());
        Element::new("list", ns::OMEMO_LEGACY).with_children(self.0.iter().map(device))
    }
}

impl Bundle {
    /// Reads `<bundle/>`; prekeys that cannot be read are left out. `None` for another element and
    /// when one of the other keys is missing or has another length.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("bundle", ns::OMEMO_LEGACY) {
            return None;
        }
        let child = |name: &str| element.child(name, ns::OMEMO_LEGACY);
        let signed = child("signedPreKeyPublic")?;
        // 0 where the attribute is missing: the schema does not require it.
        let signed_id = signed.attr("signedPreKeyId").map_or(Some(0), key_id)?;
        let prekey = |child: &Element| {
            Some((child.attr("preKeyId").and_then(key_id)?, decode_array(&child.text())?))
        };
        let prekeys = child("prekeys").into_iter().flat_map(Element::children);
        Some(Bundle {
            identity: decode_array(&child("identityKey")?.text())?,
            signed_prekey: (signed_id, decode_array(&signed.text())?),
            signature: decode_array(&child("signedPreKeySignature")?.text())?,
            prekeys: prekeys
                .filter(|child| child.is("preKeyPublic", ns::OMEMO_LEGACY))
                .filter_map(prekey)
                .take(MAX_PREKEYS)
                .collect(),
        })
    }

    /// The bundle as `<bundle/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let new = |name: &str, bytes: &[u8]| {
            Element::new(name, ns::OMEMO_LEGACY).with_text(encode(bytes))
        };
        let prekeys = self
            .prekeys
            .iter()
            .map(|(id, key)| new("preKeyPublic", key).with_attr("preKeyId", id.to_string()));
        let (id, signed) = &self.signed_prekey;
        Element::new("bundle", ns::OMEMO_LEGACY)
            .with_child(
                new("signedPreKeyPublic", signed).with_attr("signedPreKeyId", id.to_string()),
            )
            .with_child(new("signedPreKeySignature", &self.signature))
            .with_child(new("identityKey", &self.identity))
            .with_child(Element::new("prekeys", ns::OMEMO_LEGACY).with_children(prekeys))
    }
}

impl Encrypted {
    /// Reads `<encrypted/>`. Keys for impossible devices and keys that cannot be read are left
    /// out; `None` for another element, without a sender, with too many keys, and when payload or
    /// nonce cannot be read.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("encrypted", ns::OMEMO_LEGACY) {
            return None;
        }
        let header = element.child("header", ns::OMEMO_LEGACY)?;
        let children = header.children().filter(|child| child.is("key", ns::OMEMO_LEGACY));
        let mut keys = Vec::new();
        for child in children {
            if keys.len() == MAX_KEYS {
                return None;
            }
            keys.extend(Key::parse(child));
        }
        let iv = match header.child("iv", ns::OMEMO_LEGACY) {
            Some(iv) => decode(&iv.text(), 16)?,
            None => Vec::new(),
        };
        let payload = match element.child("payload", ns::OMEMO_LEGACY) {
            Some(payload) => Some(decode(&payload.text(), MAX_PAYLOAD_BYTES)?),
            None => None,
        };
        Some(Encrypted { sender: header.attr("sid").and_then(device_id)?, keys, iv, payload })
    }

    /// The message as `<encrypted/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let new = |name: &str, bytes: &[u8]| {
            Element::new(name, ns::OMEMO_LEGACY).with_text(encode(bytes))
        };
        let header = Element::new("header", ns::OMEMO_LEGACY)
            .with_attr("sid", self.sender.to_string())
            .with_children(self.keys.iter().map(Key::to_element))
            .with_child(new("iv", &self.iv));
        let payload = self.payload.as_ref().map(|payload| new("payload", payload));
        Element::new("encrypted", ns::OMEMO_LEGACY).with_child(header).with_children(payload)
    }
}

impl Key {
    fn parse(element: &Element) -> Option<Self> {
        Some(Key {
            device: element.attr("rid").and_then(device_id)?,
            // "true" by the examples, "1" from others; both are xs:boolean.
            prekey: matches!(element.attr("prekey"), Some("true" | "1")),
            data: decode(&element.text(), MAX_KEY_BYTES)?,
        })
    }

    fn to_element(&self) -> Element {
        Element::new("key", ns::OMEMO_LEGACY)
            .with_attr_opt("prekey", self.prekey.then_some("true"))
            .with_attr("rid", self.device.to_string())
            .with_text(encode(&self.data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Limits;

    fn parse(xml: &str) -> Element {
        Element::parse(xml.as_bytes(), &Limits::CLIENT).unwrap()
    }

    fn bundle() -> Bundle {
        Bundle {
            identity: [5; 33],
            signed_prekey: (1, [6; 33]),
            signature: [7; 64],
            prekeys: vec![(0, [8; 33]), (99, [9; 33])],
        }
    }

    #[test]
    fn a_list_survives_the_wire() {
        let list = DeviceList(vec![12345, 4223]);
        assert_eq!(DeviceList::parse(&list.to_element()), Some(list));
        assert_eq!(
            DeviceList::parse(&DeviceList::default().to_element()),
            Some(DeviceList(vec![]))
        );
    }

    #[test]
    fn impossible_and_repeated_devices_are_left_out_of_a_list() {
        let list = parse(
            "<list xmlns='eu.siacs.conversations.axolotl'><device id='0'/><device id='7' new='1'/>\
             <device id='7'/><device id='2147483648'/><device/><device id='-3'/></list>",
        );
        assert_eq!(DeviceList::parse(&list), Some(DeviceList(vec![7])));
    }

    #[test]
    fn a_list_that_is_too_long_is_refused() {
        let list = DeviceList((1..=MAX_DEVICES as u32 + 1).collect());
        assert_eq!(DeviceList::parse(&list.to_element()), None);
    }

    #[test]
    fn a_bundle_survives_the_wire() {
        assert_eq!(Bundle::parse(&bundle().to_element()), Some(bundle()));
    }

    #[test]
    fn a_bundle_without_a_key_is_none_and_bad_prekeys_are_left_out() {
        for gone in ["signedPreKeyPublic", "signedPreKeySignature", "identityKey"] {
            let mut element = bundle().to_element();
            element.retain_children(|child| child.name() != gone);
            assert_eq!(Bundle::parse(&element), None, "{gone}");
        }
        let mut element = bundle().to_element();
        let prekeys = element.children_mut().find(|child| child.name() == "prekeys").unwrap();
        prekeys.push(
            Element::new("preKeyPublic", ns::OMEMO_LEGACY)
                .with_attr("preKeyId", "3")
                .with_text("AA"),
        );
        assert_eq!(Bundle::parse(&element), Some(bundle()));
    }

    #[test]
    fn a_message_survives_the_wire() {
        let message = Encrypted {
            sender: 27183,
            keys: vec![
                Key { device: 31415, prekey: false, data: vec![1, 2] },
                Key { device: 12321, prekey: true, data: vec![3] },
            ],
            iv: vec![9; 12],
            payload: Some(b"secret".to_vec()),
        };
        assert_eq!(Encrypted::parse(&message.to_element()), Some(message.clone()));
        let keys_alone = Encrypted { payload: None, ..message };
        assert_eq!(Encrypted::parse(&keys_alone.to_element()), Some(keys_alone));
    }

    #[test]
    fn both_spellings_of_prekey_are_read() {
        for (word, expected) in [("true", true), ("1", true), ("false", false), ("0", false)] {
            let xml = format!(
                "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'>\
                 <key rid='2' prekey='{word}'> AQ== </key></header></encrypted>"
            );
            let message = Encrypted::parse(&parse(&xml)).unwrap();
            assert_eq!(message.keys[0].prekey, expected, "{word}");
        }
    }

    #[test]
    fn messages_without_sender_or_with_rubbish_are_refused() {
        let message = |sid: &str, iv: &str, payload: &str| {
            Encrypted::parse(&parse(&format!(
                "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='{sid}'>\
                 <iv>{iv}</iv></header><payload>{payload}</payload></encrypted>"
            )))
        };
        assert!(message("1", "AAAA", "AAAA").is_some());
        assert_eq!(message("", "AAAA", "AAAA"), None);
        assert_eq!(message("1", &"A".repeat(24), "AAAA"), None);
        assert_eq!(message("1", "AAAA", "*"), None);
    }

    #[test]
    fn a_message_with_too_many_keys_is_refused() {
        let key = Key { device: 1, prekey: false, data: vec![1] };
        let message =
            Encrypted { sender: 1, keys: vec![key; MAX_KEYS + 1], ..Encrypted::default() };
        assert_eq!(Encrypted::parse(&message.to_element()), None);
    }
}
