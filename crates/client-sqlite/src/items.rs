//! Everything that is kept by a name: all but messages and the outbox.

use client::store::{
    ArchiveState, Archives, Contact, Contacts, Conversation, Conversations, DeviceEntry, Devices,
    Identity, Login, Media, OwnDevice, Profile, Reference, Result, SessionKey, StoreError,
    StoredToken, Trace, Traces, Version, within_limit,
};
use rusqlite::params;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use xmpp::jid::BareJid;
use xmpp::sasl::Secret;
use xmpp::time::Millis;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::SqliteStore;
use crate::seal::Place;
use crate::wiped::Wiped;

/// A row as bytes, wiped when it is dropped.
pub(crate) fn to_json(row: &impl Serialize) -> Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Wiped::with_capacity(2048);
    serde_json::to_writer(&mut bytes, row)
        .map_err(|error| StoreError::Io(format!("a row cannot be written: {error}")))?;
    Ok(bytes.0)
}

/// A row from its bytes.
pub(crate) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    // What serde says may quote the row.
    serde_json::from_slice(bytes)
        .map_err(|error| StoreError::Damaged(format!("a row of the form {:?}", error.classify())))
}

impl SqliteStore {
    /// The value of a kind, belonging to an owner, under a name.
    pub(crate) fn item(
        &self,
        kind: &str,
        owner: &[u8],
        name: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let sealer = self.sealer.borrow();
        let (owner, name) = (sealer.hide(kind, &[owner]), sealer.hide(kind, &[owner, name]));
        let sql = "SELECT sealed FROM item WHERE kind = ?1 AND owner = ?2 AND name = ?3";
        let found = self.rows(sql, params![kind, owner, name], |row| row.get::<_, Vec<u8>>(0))?;
        let place = Place::of("item", &[kind.as_bytes(), &owner, &name]);
        found.first().map(|sealed| sealer.open(&place, sealed)).transpose()
    }

    /// Replaces or removes a value.
    pub(crate) fn save_item(
        &self,
        kind: &str,
        owner: &[u8],
        name: &[u8],
        value: Option<&[u8]>,
    ) -> Result<()> {
        let sealer = self.sealer.borrow();
        let (owner, name) = (sealer.hide(kind, &[owner]), sealer.hide(kind, &[owner, name]));
        let Some(value) = value else {
            let sql = "DELETE FROM item WHERE kind = ?1 AND owner = ?2 AND name = ?3";
            return self.run(sql, params![kind, owner, name]);
        };
        let sealed = sealer.seal(&Place::of("item", &[kind.as_bytes(), &owner, &name]), value)?;
        self.run(
            "INSERT INTO item (kind, owner, name, sealed) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (kind, owner, name) DO UPDATE SET sealed = ?4",
            params![kind, owner, name, sealed],
        )
    }

    fn row<T: DeserializeOwned>(&self, kind: &str, owner: &[u8], name: &[u8]) -> Result<Option<T>> {
        self.item(kind, owner, name)?.map(|bytes| from_json(&bytes)).transpose()
    }

    fn save_row(&self, kind: &str, owner: &[u8], name: &[u8], row: &impl Serialize) -> Result<()> {
        self.save_item(kind, owner, name, Some(&to_json(row)?))
    }

    /// All rows of a kind, or those of one owner.
    fn list<T: DeserializeOwned>(&self, kind: &str, owner: Option<&[u8]>) -> Result<Vec<T>> {
        let sealer = self.sealer.borrow();
        let owner = owner.map(|owner| sealer.hide(kind, &[owner]));
        let sql = "SELECT owner, name, sealed FROM item WHERE kind = ?1
                   AND (?2 IS NULL OR owner = ?2) ORDER BY id";
        let read = |row: &rusqlite::Row<'_>| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?))
        };
        let rows = self.rows(sql, params![kind, owner], read)?;
        rows.iter()
            .map(|(owner, name, sealed)| {
                let place = Place::of("item", &[kind.as_bytes(), owner, name]);
                from_json(&sealer.open(&place, sealed)?)
            })
            .collect()
    }
}

fn bytes(address: &BareJid) -> &[u8] {
    address.as_str().as_bytes()
}

/// A login as it is written. Its secrets are wiped when it is dropped.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct LoginRow {
    address: String,
    password: Option<Wiped>,
    server: Option<String>,
    pinned: Option<[u8; 32]>,
    client_id: String,
    token: Option<TokenRow>,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct TokenRow {
    secret: Wiped,
    mechanism: String,
    expiry: u64,
}

impl From<&Login> for LoginRow {
    fn from(login: &Login) -> Self {
        Self {
            address: login.address.as_str().into(),
            password: login.password.as_ref().map(|secret| Wiped::of(secret.expose())),
            server: login.server.clone(),
            pinned: login.pinned,
            client_id: login.client_id.clone(),
            token: login.token.as_ref().map(|token| TokenRow {
                secret: Wiped::of(token.secret.expose()),
                mechanism: token.mechanism.clone(),
                expiry: token.expiry.0,
            }),
        }
    }
}

impl LoginRow {
    fn login(&self) -> Result<Login> {
        let address = BareJid::new(&self.address);
        Ok(Login {
            address: address.map_err(|_| StoreError::Damaged("the address of the login".into()))?,
            password: self.password.as_ref().map(|bytes| Secret::new(bytes.to_vec())),
            server: self.server.clone(),
            pinned: self.pinned,
            client_id: self.client_id.clone(),
            token: self.token.as_ref().map(|token| StoredToken {
                secret: Secret::new(token.secret.to_vec()),
                mechanism: token.mechanism.clone(),
                expiry: Millis(token.expiry),
            }),
        })
    }
}

impl Profile for SqliteStore {
    fn login(&self) -> Result<Option<Login>> {
        self.row::<LoginRow>("login", &[], &[])?.map(|row| row.login()).transpose()
    }

    fn save_login(&self, login: &Login) -> Result<()> {
        self.save_row("login", &[], &[], &LoginRow::from(login))
    }

    fn value(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
        self.item("value", &[], name.as_bytes())
    }

    fn save_value(&self, name: &str, value: Option<&[u8]>) -> Result<()> {
        within_limit(value)?;
        self.save_item("value", &[], name.as_bytes(), value)
    }
}

impl Contacts for SqliteStore {
    fn contacts(&self) -> Result<Vec<Contact>> {
        self.list("contact", None)
    }

    fn save_contact(&self, contact: &Contact) -> Result<()> {
        self.save_row("contact", bytes(&contact.address), &[], contact)
    }

    fn remove_contact(&self, address: &BareJid) -> Result<()> {
        self.save_item("contact", bytes(address), &[], None)
    }
}

impl Conversations for SqliteStore {
    fn conversations(&self) -> Result<Vec<Conversation>> {
        self.list("conversation", None)
    }

    fn save_conversation(&self, conversation: &Conversation) -> Result<()> {
        self.save_row("conversation", bytes(&conversation.address), &[], conversation)
    }
}

impl Archives for SqliteStore {
    fn archive(&self, owner: &BareJid) -> Result<ArchiveState> {
        Ok(self.row("archive", bytes(owner), &[])?.unwrap_or_default())
    }

    fn save_archive(&self, owner: &BareJid, state: &ArchiveState) -> Result<()> {
        self.save_row("archive", bytes(owner), &[], state)
    }
}

/// The own keys as they are written.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct OwnDeviceRow {
    id: u32,
    keys: Wiped,
    label: Option<String>,
}

impl Devices for SqliteStore {
    fn own_device(&self) -> Result<Option<OwnDevice>> {
        let row = self.row::<OwnDeviceRow>("own device", &[], &[])?;
        Ok(row.map(|row| OwnDevice {
            id: row.id,
            keys: row.keys.to_vec().into(),
            label: row.label.clone(),
        }))
    }

    fn save_own_device(&self, device: &OwnDevice) -> Result<()> {
        let (id, keys, label) = (device.id, Wiped::of(&device.keys), device.label.clone());
        self.save_row("own device", &[], &[], &OwnDeviceRow { id, keys, label })
    }

    fn device_list(&self, owner: &BareJid, version: Version) -> Result<Vec<DeviceEntry>> {
        Ok(self.row("device list", bytes(owner), &[number(version)])?.unwrap_or_default())
    }

    fn save_device_list(
        &self,
        owner: &BareJid,
        version: Version,
        devices: &[DeviceEntry],
    ) -> Result<()> {
        self.save_row("device list", bytes(owner), &[number(version)], &devices)
    }

    fn identities(&self, owner: &BareJid) -> Result<Vec<Identity>> {
        self.list("identity", Some(bytes(owner)))
    }

    fn save_identity(&self, owner: &BareJid, identity: &Identity) -> Result<()> {
        self.save_row("identity", bytes(owner), &identity.key, identity)
    }

    fn session(&self, key: &SessionKey) -> Result<Option<Zeroizing<Vec<u8>>>> {
        self.item("ratchet", bytes(&key.owner), &ratchet(key))
    }

    fn save_session(&self, key: &SessionKey, record: Option<&[u8]>) -> Result<()> {
        self.save_item("ratchet", bytes(&key.owner), &ratchet(key), record)
    }
}

fn number(version: Version) -> u8 {
    match version {
        Version::Legacy => 0,
        Version::Omemo2 => 2,
    }
}

fn ratchet(key: &SessionKey) -> Vec<u8> {
    let mut name = key.device.to_be_bytes().to_vec();
    name.push(number(key.version));
    name
}

impl Traces for SqliteStore {
    fn trace(&self, conversation: &BareJid, reference: &Reference) -> Result<Option<Trace>> {
        match self.row("trace", bytes(conversation), &called(reference))? {
            Some(trace) => Ok(Some(trace)),
            None => self.trace_of_hidden(conversation, reference),
        }
    }

    fn save_trace(
        &self,
        conversation: &BareJid,
        reference: &Reference,
        trace: Trace,
    ) -> Result<()> {
        self.save_row("trace", bytes(conversation), &called(reference), &trace)
    }
}

/// What others call a message. No address holds a zero.
fn called(reference: &Reference) -> Vec<u8> {
    match reference {
        Reference::Origin(sender, id) => [b"o", bytes(sender), b"\0", id.as_bytes()].concat(),
        Reference::Archive(id) => [b"a", id.as_bytes()].concat(),
    }
}

impl Media for SqliteStore {
    fn media(&self, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.item("media", &[], key.as_bytes())?.map(|bytes| bytes.to_vec()))
    }

    fn save_media(&self, key: &str, bytes: Option<&[u8]>) -> Result<()> {
        within_limit(bytes)?;
        self.save_item("media", &[], key.as_bytes(), bytes)
    }
}
