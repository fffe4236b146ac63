//! What keeping keys, device lists and ratchets means.

use xmpp::time::Millis;
use zeroize::Zeroizing;

use super::address;
use crate::store::{DeviceEntry, Identity, OwnDevice, SessionKey, Store, TrustLevel, Version};

/// There is one set of them.
pub fn own_keys_are_replaced(store: &dyn Store) {
    assert!(store.own_device().unwrap().is_none());
    let keys = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
    let first = OwnDevice { id: 1, keys: keys("first"), label: None };
    store.save_own_device(&first).unwrap();
    let second = OwnDevice { id: u32::MAX >> 1, keys: keys("second"), label: Some("desk".into()) };
    store.save_own_device(&second).unwrap();
    let found = store.own_device().unwrap().expect("kept");
    assert_eq!((found.id, &found.keys, &found.label), (second.id, &second.keys, &second.label));
}

/// A list of one version says nothing about the other; a list is replaced as a whole.
pub fn device_lists_are_kept_by_version(store: &dyn Store) {
    let romeo = address("romeo@example.org");
    let entry = |id| DeviceEntry {
        id,
        active: id != 2,
        label: Some(("desk".into(), Some("signature".into()))),
        last_used: Some(Millis(4)),
        new: id == 3,
    };
    assert_eq!(store.device_list(&romeo, Version::Legacy).unwrap(), []);
    store.save_device_list(&romeo, Version::Legacy, &[entry(3), entry(2)]).unwrap();
    store.save_device_list(&romeo, Version::Omemo2, &[entry(1)]).unwrap();
    assert_eq!(store.device_list(&romeo, Version::Legacy).unwrap(), [entry(3), entry(2)]);
    assert_eq!(store.device_list(&romeo, Version::Omemo2).unwrap(), [entry(1)]);
    store.save_device_list(&romeo, Version::Legacy, &[]).unwrap();
    assert_eq!(store.device_list(&romeo, Version::Legacy).unwrap(), []);
    assert_eq!(store.device_list(&address("nurse@example.org"), Version::Omemo2).unwrap(), []);
}

/// A decision is about the key, not about the device that uses it.
pub fn identities_are_kept_by_key(store: &dyn Store) {
    let romeo = address("romeo@example.org");
    let identity = |key: u8, trust| Identity {
        key: [key; 32],
        devices: vec![u32::from(key)],
        trust,
        first_seen: Millis(4),
    };
    store.save_identity(&romeo, &identity(0, TrustLevel::Blind)).unwrap();
    store.save_identity(&romeo, &identity(255, TrustLevel::Undecided)).unwrap();
    store.save_identity(&romeo, &identity(0, TrustLevel::Distrusted)).unwrap();
    store.save_identity(&address("nurse@example.org"), &identity(0, TrustLevel::Blind)).unwrap();
    let mut all = store.identities(&romeo).unwrap();
    all.sort_by_key(|identity| identity.key);
    let expected = [identity(0, TrustLevel::Distrusted), identity(255, TrustLevel::Undecided)];
    assert_eq!(all, expected);
    assert_eq!(store.identities(&address("juliet@example.org")).unwrap(), []);
}

/// None is taken for another.
pub fn ratchets_are_kept_by_owner_device_and_version(store: &dyn Store) {
    let key = |owner: &str, device, version| SessionKey { owner: address(owner), device, version };
    let keys = [
        key("romeo@example.org", 1, Version::Legacy),
        key("romeo@example.org", 1, Version::Omemo2),
        key("romeo@example.org", 2, Version::Legacy),
        key("nurse@example.org", 1, Version::Legacy),
    ];
    for (number, key) in (0u8..).zip(&keys) {
        assert!(store.session(key).unwrap().is_none());
        store.save_session(key, Some(&[number; 5000])).unwrap();
    }
    store.save_session(&keys[1], None).unwrap();
    store.save_session(&keys[1], None).unwrap();
    store.save_session(&keys[2], Some(b"next")).unwrap();
    let found = |key: &SessionKey| store.session(key).unwrap().map(|record| record.to_vec());
    assert_eq!(found(&keys[0]), Some(vec![0; 5000]));
    assert_eq!(found(&keys[1]), None);
    assert_eq!(found(&keys[2]), Some(b"next".to_vec()));
    assert_eq!(found(&keys[3]), Some(vec![3; 5000]));
}
