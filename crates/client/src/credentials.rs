//! What lets an account in, kept aside while somebody logs in to it anew.

use std::fmt;

use zeroize::Zeroizing;

use crate::link;
use crate::store::{Login, Result, Store};

/// The login of an account as it is stored, with what was derived from its password.
pub struct Credentials {
    login: Option<Login>,
    keys: Option<Zeroizing<Vec<u8>>>,
}

impl Credentials {
    /// Those in a store that nobody else has open.
    ///
    /// # Errors
    /// The store refuses.
    pub fn of(store: &dyn Store) -> Result<Self> {
        Ok(Self { login: store.login()?, keys: store.value(link::KEYS)? })
    }

    /// Puts them in the place of those of a login that failed. Where there were none, nothing happens.
    ///
    /// # Errors
    /// The store refuses; then nothing was changed.
    pub fn put_back(&self, store: &dyn Store) -> Result<()> {
        let Some(login) = &self.login else { return Ok(()) };
        store.begin()?;
        let put = store.save_login(login).and_then(|()| {
            store.save_value(link::KEYS, self.keys.as_ref().map(|keys| keys.as_slice()))
        });
        match put {
            Ok(()) => store.commit(),
            Err(error) => {
                store.rollback();
                Err(error)
            }
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{MemoryStore, Profile};

    fn login(name: &str) -> Login {
        Login {
            address: "juliet@example.org".parse().unwrap(),
            password: None,
            server: Some(name.to_owned()),
            pinned: None,
            client_id: "id".to_owned(),
            token: None,
        }
    }

    fn server(store: &MemoryStore) -> String {
        store.login().unwrap().and_then(|login| login.server).unwrap()
    }

    #[test]
    fn a_login_that_failed_changes_nothing() {
        let store = MemoryStore::new();
        let none = Credentials::of(&store).unwrap();
        store.save_login(&login("first:1")).unwrap();
        store.save_value(link::KEYS, Some(b"keys")).unwrap();
        none.put_back(&store).unwrap();
        assert_eq!(server(&store), "first:1");
        let before = Credentials::of(&store).unwrap();
        assert_eq!(format!("{before:?}"), "Credentials");
        store.save_login(&login("second:2")).unwrap();
        store.save_value(link::KEYS, None).unwrap();
        before.put_back(&store).unwrap();
        assert_eq!(server(&store), "first:1");
        assert_eq!(store.value(link::KEYS).unwrap().unwrap().as_slice(), b"keys");
    }
}
