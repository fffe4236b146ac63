//! XEP-0384: OMEMO Encryption 0.9.1, `urn:xmpp:omemo:2`
//!
//! Keys are bytes here; what they mean is up to the reader.

use super::binary::{decode, decode_array, encode};
use crate::jid::{BareJid, Jid};
use crate::ns;
use crate::xml::Element;

/// Devices in one list; a longer list is refused.
pub const MAX_DEVICES: usize = 256;
/// Prekeys that are read of a bundle; more are left out.
pub const MAX_PREKEYS: usize = 400;
/// Keys in one message, of all accounts; a message with more is refused.
pub const MAX_KEYS: usize = 2000;
/// Bytes of one encrypted key: a key exchange has 198.
pub const MAX_KEY_BYTES: usize = 512;
/// Bytes of a payload.
pub const MAX_PAYLOAD_BYTES: usize = 256 * 1024;
/// Bytes of a label; a longer one is left out. 53 code points are recommended.
pub const MAX_LABEL_BYTES: usize = 256;
/// Bytes of the reason of an opt-out; a longer one is left out.
pub const MAX_REASON_BYTES: usize = 2048;

/// `<devices/>`: the devices of an account. It may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices(pub Vec<Device>);

/// `<device/>`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its number.
    pub id: u32,
    /// What its owner calls it, with the signature that must be verified before it is shown.
    pub label: Option<Label>,
}

/// A label and the signature of the device's identity key over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The label.
    pub text: String,
    /// The signature.
    pub signature: [u8; 64],
}

/// `<bundle/>`: what others need to begin a session with a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The identity key, in Ed25519 form.
    pub identity: [u8; 32],
    /// The signed prekey and its id.
    pub signed_prekey: (u32, [u8; 32]),
    /// The signature of the signed prekey.
    pub signature: [u8; 64],
    /// One-time prekeys and their ids.
    pub prekeys: Vec<(u32, [u8; 32])>,
}

/// `<encrypted/>`: a message, or an empty one that only moves the ratchets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encrypted {
    /// The device that sent it.
    pub sender: u32,
    /// Keys for the devices of each account.
    pub recipients: Vec<(BareJid, Vec<Key>)>,
    /// The encrypted envelope; absent in an empty message.
    pub payload: Option<Vec<u8>>,
}

/// `<key/>`: the key of the payload, encrypted for one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The device.
    pub device: u32,
    /// The bytes include a key exchange. Some senders forget to say so: do not rely on it.
    pub exchange: bool,
    /// A message of the session with that device.
    pub data: Vec<u8>,
}

/// `<opt-out/>`: the sender no longer wants encrypted messages. Only inside of an envelope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptOut {
    /// Why, for people.
    pub reason: Option<String>,
}

impl Devices {
    /// Reads `<devices/>`. Devices with impossible numbers are left out, each device counts once,
    /// a label without a readable signature is no label. `None` for another element and for a list
    /// that is too long.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("devices", ns::OMEMO) {
            return None;
        }
        let mut devices: Vec<Device> = Vec::new();
        for device in element.children().filter_map(Device::parse) {
            if devices.iter().all(|known| known.id != device.id) {
                devices.push(device);
            }
            if devices.len() > MAX_DEVICES {
                return None;
            }
        }
        Some(Devices(devices))
    }

    /// The list as `<devices/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        Element::new("devices", ns::OMEMO).with_children(self.0.iter().map(Device::to_element))
    }
}

impl Device {
    fn parse(element: &Element) -> Option<Self> {
        if !element.is("device", ns::OMEMO) {
            return None;
        }
        let label = || {
            let text = element.attr("label").filter(|text| text.len() <= MAX_LABEL_BYTES)?;
            let signature = decode_array(element.attr("labelsig")?)?;
            Some(Label { text: text.to_owned(), signature })
        };
        Some(Device { id: element.attr("id").and_then(device_id)?, label: label() })
    }

    fn to_element(&self) -> Element {
        let device = Element::new("device", ns::OMEMO).with_attr("id", self.id.to_string());
        match &self.label {
            Some(label) => device
                .with_attr("label", label.text.as_str())
                .with_attr("labelsig", encode(label.signature)),
            None => device,
        }
    }
}

impl Bundle {
    /// Reads `<bundle/>`; prekeys that cannot be read are left out. `None` for another element and
    /// when one of the other keys is missing or has another length.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("bundle", ns::OMEMO) {
            return None;
        }
        let child = |name: &str| element.child(name, ns::OMEMO);
        let key = |child: &Element| {
            Some((child.attr("id").and_then(key_id)?, decode_array(&child.text())?))
        };
        let prekeys = child("prekeys").into_iter().flat_map(Element::children);
        Some(Bundle {
            identity: decode_array(&child("ik")?.text())?,
            signed_prekey: child("spk").and_then(key)?,
            signature: decode_array(&child("spks")?.text())?,
            prekeys: prekeys
                .filter(|child| child.is("pk", ns::OMEMO))
                .filter_map(key)
                .take(MAX_PREKEYS)
                .collect(),
        })
    }

    /// The bundle as `<bundle/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let new = |name: &str, bytes: &[u8]| Element::new(name, ns::OMEMO).with_text(encode(bytes));
        let numbered = |name: &str, (id, key): &(u32, [u8; 32])| {
            new(name, key).with_attr("id", id.to_string())
        };
        let prekeys = self.prekeys.iter().map(|prekey| numbered("pk", prekey));
        Element::new("bundle", ns::OMEMO)
            .with_child(numbered("spk", &self.signed_prekey))
            .with_child(new("spks", &self.signature))
            .with_child(new("ik", &self.identity))
            .with_child(Element::new("prekeys", ns::OMEMO).with_children(prekeys))
    }
}

impl Encrypted {
    /// Reads `<encrypted/>`. Keys for impossible devices or addresses and keys that cannot be read
    /// are left out; `None` for another element, without a sender, with too many keys, and when
    /// the payload cannot be read.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("encrypted", ns::OMEMO) {
            return None;
        }
        let header = element.child("header", ns::OMEMO)?;
        let mut recipients: Vec<(BareJid, Vec<Key>)> = Vec::new();
        let mut count = 0_usize;
        for group in header.children().filter(|child| child.is("keys", ns::OMEMO)) {
            let children = group.children().filter(|child| child.is("key", ns::OMEMO));
            let keys: Vec<Key> = children.filter_map(Key::parse).collect();
            count = count.saturating_add(keys.len()).saturating_add(1);
            if count > MAX_KEYS {
                return None;
            }
            if let Some(jid) = group.attr("jid").and_then(|jid| Jid::new(jid).ok()) {
                recipients.push((jid.to_bare(), keys));
            }
        }
        let payload = match element.child("payload", ns::OMEMO) {
            Some(payload) => Some(decode(&payload.text(), MAX_PAYLOAD_BYTES)?),
            None => None,
        };
        let sender = header.attr("sid").and_then(device_id)?;
        Some(Encrypted { sender, recipients, payload })
    }

    /// The keys for a device of an account.
    pub fn keys_for<'a>(
        &'a self,
        account: &'a BareJid,
        device: u32,
    ) -> impl Iterator<Item = &'a Key> {
        let groups = self.recipients.iter().filter(move |(jid, _)| jid == account);
        groups.flat_map(|(_, keys)| keys).filter(move |key| key.device == device)
    }

    /// The message as `<encrypted/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let groups = self.recipients.iter().map(|(jid, keys)| {
            Element::new("keys", ns::OMEMO)
                .with_attr("jid", jid.as_str())
                .with_children(keys.iter().map(Key::to_element))
        });
        let header = Element::new("header", ns::OMEMO)
            .with_attr("sid", self.sender.to_string())
            .with_children(groups);
        let payload = self.payload.as_ref();
        let payload =
            payload.map(|payload| Element::new("payload", ns::OMEMO).with_text(encode(payload)));
        Element::new("encrypted", ns::OMEMO).with_child(header).with_children(payload)
    }
}

impl Key {
    fn parse(element: &Element) -> Option<Self> {
        Some(Key {
            device: element.attr("rid").and_then(device_id)?,
            exchange: matches!(element.attr("kex"), Some("true" | "1")),
            data: decode(&element.text(), MAX_KEY_BYTES)?,
        })
    }

    fn to_element(&self) -> Element {
        Element::new("key", ns::OMEMO)
            .with_attr("rid", self.device.to_string())
            .with_attr_opt("kex", self.exchange.then_some("true"))
            .with_text(encode(&self.data))
    }
}

impl OptOut {
    /// Reads `<opt-out/>`; `None` for another element.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        let reason = || {
            let reason = element.child("reason", ns::OMEMO)?.text().trim().to_owned();
            (!reason.is_empty() && reason.len() <= MAX_REASON_BYTES).then_some(reason)
        };
        element.is("opt-out", ns::OMEMO).then(|| OptOut { reason: reason() })
    }

    /// The element.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let reason = self.reason.as_deref();
        let reason = reason.map(|reason| Element::new("reason", ns::OMEMO).with_text(reason));
        Element::new("opt-out", ns::OMEMO).with_children(reason)
    }
}

/// The number of a device: 1 to 2^31 - 1.
pub(super) fn device_id(text: &str) -> Option<u32> {
    key_id(text).filter(|id| *id >= 1)
}

/// The number of a key: up to 2^31 - 1. The XEP begins at 1, some clients at 0.
pub(super) fn key_id(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|id| *id <= i32::MAX as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Limits;

    fn parse(xml: &str) -> Element {
        Element::parse(xml.as_bytes(), &Limits::CLIENT).unwrap()
    }

    fn jid(text: &str) -> BareJid {
        BareJid::new(text).unwrap()
    }

    fn bundle() -> Bundle {
        Bundle {
            identity: [5; 32],
            signed_prekey: (1, [6; 32]),
            signature: [7; 64],
            prekeys: vec![(1, [8; 32]), (100, [9; 32])],
        }
    }

    #[test]
    fn a_list_survives_the_wire() {
        let label = Some(Label { text: "Gajim on 'Linux' & more".into(), signature: [3; 64] });
        let list = Devices(vec![Device { id: 12345, label: None }, Device { id: 4223, label }]);
        assert_eq!(Devices::parse(&list.to_element()), Some(list));
        assert_eq!(Devices::parse(&Devices::default().to_element()), Some(Devices::default()));
    }

    #[test]
    fn a_label_without_a_signature_is_no_label() {
        let list = parse(
            "<devices xmlns='urn:xmpp:omemo:2'><device id='1' label='x'/>\
             <device id='2' label='x' labelsig='AAAA'/><device id='0'/><device id='1'/></devices>",
        );
        let device = |id| Device { id, label: None };
        assert_eq!(Devices::parse(&list), Some(Devices(vec![device(1), device(2)])));
    }

    #[test]
    fn a_label_that_is_too_long_is_left_out() {
        let label = Some(Label { text: "x".repeat(MAX_LABEL_BYTES + 1), signature: [3; 64] });
        let list = Devices(vec![Device { id: 1, label }]);
        assert_eq!(Devices::parse(&list.to_element()).unwrap().0[0].label, None);
    }

    #[test]
    fn a_list_that_is_too_long_is_refused() {
        let device = |id| Device { id, label: None };
        let list = Devices((1..=MAX_DEVICES as u32 + 1).map(device).collect());
        assert_eq!(Devices::parse(&list.to_element()), None);
    }

    #[test]
    fn a_bundle_survives_the_wire() {
        assert_eq!(Bundle::parse(&bundle().to_element()), Some(bundle()));
    }

    #[test]
    fn a_bundle_without_a_key_is_none() {
        for gone in ["spk", "spks", "ik"] {
            let mut element = bundle().to_element();
            element.retain_children(|child| child.name() != gone);
            assert_eq!(Bundle::parse(&element), None, "{gone}");
        }
        let element = parse(
            "<bundle xmlns='urn:xmpp:omemo:2'><spk id='1'>AAAA</spk><spks>AAAA</spks>\
             <ik>AAAA</ik><prekeys/></bundle>",
        );
        assert_eq!(Bundle::parse(&element), None);
    }

    #[test]
    fn a_message_survives_the_wire_and_names_the_keys_of_a_device() {
        let key = |device, exchange| Key { device, exchange, data: vec![1, 2] };
        let message = Encrypted {
            sender: 27183,
            recipients: vec![
                (jid("juliet@capulet.lit"), vec![key(31415, false)]),
                (jid("romeo@montague.lit"), vec![key(1337, false), key(31415, true)]),
            ],
            payload: Some(vec![9; 300]),
        };
        assert_eq!(Encrypted::parse(&message.to_element()), Some(message.clone()));
        let romeo = jid("romeo@montague.lit");
        assert_eq!(message.keys_for(&romeo, 31415).collect::<Vec<_>>(), [&key(31415, true)]);
        assert_eq!(message.keys_for(&romeo, 1).count(), 0);
        let empty = Encrypted { payload: None, ..message };
        assert_eq!(Encrypted::parse(&empty.to_element()), Some(empty));
    }

    #[test]
    fn too_many_keys_are_refused() {
        let keys = vec![Key { device: 1, exchange: false, data: vec![1] }; MAX_KEYS];
        let recipients = vec![(jid("a@b"), keys)];
        let message = Encrypted { sender: 1, recipients, payload: None };
        assert_eq!(Encrypted::parse(&message.to_element()), None);
    }

    #[test]
    fn unreadable_keys_are_left_out_and_an_unreadable_payload_is_refused() {
        let message = |payload: &str| {
            Encrypted::parse(&parse(&format!(
                "<encrypted xmlns='urn:xmpp:omemo:2'><header sid='1'><keys jid='a@b/c'>\
                 <key rid='2' kex='1'>AQ==</key><key rid='x'>AQ==</key><key rid='3'>*</key>\
                 </keys><keys jid='@'><key rid='4'>AQ==</key></keys></header>\
                 <payload>{payload}</payload></encrypted>"
            )))
        };
        let key = Key { device: 2, exchange: true, data: vec![1] };
        assert_eq!(message("AQ==").unwrap().recipients, [(jid("a@b"), vec![key])]);
        assert_eq!(message("*"), None);
    }

    #[test]
    fn an_opt_out_survives_the_wire() {
        for reason in [None, Some("compliance & records".to_owned())] {
            let opt_out = OptOut { reason };
            assert_eq!(OptOut::parse(&opt_out.to_element()), Some(opt_out));
        }
    }
}
