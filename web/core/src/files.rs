//! Files that are kept here: ciphertext in the origin's private files, whose keys stand in the rows
//! of the messages (`File.local`), sealed like everything there. The page gets names only.

use std::collections::{HashMap, VecDeque};

use client::effect::LocalFile;

use crate::hex;
use crate::worker::{Cipher, Sealed};

/// The keys of files whose names the page knows.
#[derive(Default)]
pub(crate) struct Files {
    known: HashMap<String, String>,
    /// In the order in which they became known.
    order: VecDeque<String>,
}

/// Names that are remembered; older ones are told again with their messages.
const MOST: usize = 10_000;

impl Files {
    /// A file that comes to be here, with a key of its own.
    pub(crate) fn add(&mut self, random: &[u8; 60]) -> LocalFile {
        let (name, secret) = random.split_at(16);
        let local = format!("{}:{}", hex::write(name), hex::write(secret));
        self.name(&local);
        LocalFile(local)
    }

    /// The name of a kept file, for the page. `None` when the row names no file of this program.
    pub(crate) fn name(&mut self, local: &str) -> Option<String> {
        let name = local.split_once(':')?.0;
        if self.known.insert(name.to_owned(), local.to_owned()).is_none() {
            self.order.push_back(name.to_owned());
            if self.order.len() > MOST
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
        }
        Some(name.to_owned())
    }

    /// The file that the page calls so.
    pub(crate) fn of_name(&self, name: &str) -> Option<LocalFile> {
        self.known.get(name).cloned().map(LocalFile)
    }
}

/// Name and key of a kept file.
pub(crate) fn sealed(file: &LocalFile) -> Option<Sealed> {
    let (name, secret) = file.0.split_once(':')?;
    let (iv, key) = secret.split_at_checked(IV_DIGITS)?;
    let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    hex::read::<32>(key)?;
    let cipher = Cipher { key: key.to_owned(), iv: iv.to_owned() };
    named.then(|| Sealed { name: name.to_owned(), cipher })
}

const IV_DIGITS: usize = 24;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn the_page_gets_the_name_and_the_worker_gets_the_key() {
        let mut files = Files::default();
        let random: [u8; 60] = std::array::from_fn(|at| at as u8);
        let local = files.add(&random);
        let name = files.name(&local.0).unwrap();
        assert_eq!(name, "000102030405060708090a0b0c0d0e0f");
        assert_eq!(files.of_name(&name), Some(local.clone()));
        let sealed = sealed(&local).unwrap();
        assert_eq!((sealed.name.as_str(), sealed.cipher.iv.len()), (name.as_str(), 24));
        assert_eq!(sealed.cipher.key, hex::write(&random[28..]));
        assert!(!local.0.is_empty() && !name.contains(&sealed.cipher.key));
    }

    #[test]
    fn what_is_no_file_of_ours_has_no_name() {
        for local in ["/home/romeo/a.jpg", "", "../a:00", "a:zz"] {
            assert!(sealed(&LocalFile(local.into())).is_none(), "{local}");
        }
        assert_eq!(Files::default().name("/home/romeo/a.jpg"), None);
    }

    #[test]
    fn memory_of_names_has_a_limit() {
        let mut files = Files::default();
        for number in 0..MOST + 10 {
            files.name(&format!("{number}:00"));
        }
        assert_eq!(files.known.len(), MOST);
        assert!(files.of_name("9").is_none() && files.of_name("10").is_some());
    }
}
