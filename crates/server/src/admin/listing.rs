//! Long lists a page at a time, for the pages of `/admin`. A page begins after a key (a local part), so it
//! costs the same wherever it is; a search looks at every name and describes only those that are shown.

use store::{
    audit::{Entry, NewEntry},
    rooms::{Listed, Select},
};

use super::{Account, AuditEntry, Fault, Operations, Room, Storage, audit};

/// Some rows of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The rows, in their order.
    pub rows: Vec<T>,
    /// What the next page begins after; nothing on the last one.
    pub next: Option<String>,
}

/// Part of what administrators did.
#[derive(Debug)]
pub struct Record {
    /// The entries.
    pub page: Page<AuditEntry>,
    /// Why they are not what was written; nothing when they are.
    pub doubt: Option<Fault>,
}

/// Which rows.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// A part of the address, in small letters; empty for all.
    pub matching: &'a str,
    /// The key that the page begins after, from [`Page::next`].
    pub after: Option<&'a str>,
    /// Rows at most.
    pub most: usize,
}

impl Operations {
    /// Accounts in order of name.
    ///
    /// # Errors
    /// When the store could not be read.
    pub async fn account_page(&self, wanted: Wanted<'_>) -> Result<Page<Account>, Fault> {
        let found = self.accounts_after(wanted).await?;
        let mut rows = Vec::with_capacity(found.rows.len());
        for row in &found.rows {
            rows.push(self.describe_account(row).await?);
        }
        Ok(Page { rows, next: found.next })
    }

    /// How much there is of each account, in order of name.
    ///
    /// # Errors
    /// When the store could not be read.
    pub async fn storage_page(&self, wanted: Wanted<'_>) -> Result<Page<Storage>, Fault> {
        let found = self.accounts_after(wanted).await?;
        let mut rows = Vec::with_capacity(found.rows.len());
        for row in &found.rows {
            rows.push(self.describe_storage(row).await?);
        }
        Ok(Page { rows, next: found.next })
    }

    /// Rooms in order of name.
    ///
    /// # Errors
    /// When the store could not be read.
    pub async fn room_page(&self, wanted: Wanted<'_>) -> Result<Page<Room>, Fault> {
        let mut found: Vec<Listed> = Vec::new();
        let mut after: Option<Box<str>> = wanted.after.map(Into::into);
        loop {
            let select = after.map_or(Select::First, Select::After);
            let page = self.store.rooms.list(false, select, SCAN).await?;
            after = page.last().map(|last| last.name.clone());
            let fits = |name: &str| self.room_address(name).contains(wanted.matching);
            found.extend(page.into_iter().filter(|row| fits(&row.name)));
            if after.is_none() || found.len() > wanted.most {
                break;
            }
        }
        let page = cut(found, wanted.most, |row| row.name.to_string());
        let mut rows = Vec::with_capacity(page.rows.len());
        for row in &page.rows {
            rows.push(self.describe_room(row).await?);
        }
        Ok(Page { rows, next: page.next })
    }

    /// What administrators did, newest first; the key is the number of an entry. Only what is shown is compared
    /// with its hashes: [`super::Request::AuditVerify`] reads all of it.
    ///
    /// # Errors
    /// When the store could not be read.
    pub async fn audit_page(&self, wanted: Wanted<'_>) -> Result<Record, Fault> {
        let all = wanted.matching.is_empty();
        let scan = if all { u32::try_from(wanted.most).unwrap_or(SCAN) + 1 } else { SCAN };
        let mut found: Vec<Entry> = Vec::new();
        let mut before = wanted.after.and_then(|after| after.parse().ok());
        loop {
            let page = self.store.audit.newest(before, scan).await?;
            before = page.last().map(|last| last.number);
            found.extend(page.into_iter().filter(|entry| has(entry, wanted.matching)));
            if before.is_none() || found.len() > wanted.most {
                break;
            }
        }
        found.truncate(wanted.most + 1);
        let doubt = doubt(&found, all);
        let rows = found.iter().map(audit::describe).collect();
        Ok(Record { page: cut(rows, wanted.most, |row| row.number.to_string()), doubt })
    }

    async fn accounts_after(
        &self,
        wanted: Wanted<'_>,
    ) -> Result<Page<store::accounts::Account>, Fault> {
        let mut found: Vec<store::accounts::Account> = Vec::new();
        let mut after: Option<Box<str>> = wanted.after.map(Into::into);
        loop {
            let page = self.store.accounts.list(after.as_deref(), SCAN).await?;
            after = page.last().map(|last| last.name.clone());
            let fits = |name: &str| self.address(name).contains(wanted.matching);
            found.extend(page.into_iter().filter(|row| fits(&row.name)));
            if after.is_none() || found.len() > wanted.most {
                return Ok(cut(found, wanted.most, |row| row.name.to_string()));
            }
        }
    }
}

/// Whether an entry has a text in it, in small letters.
fn has(entry: &Entry, matching: &str) -> bool {
    let NewEntry { actor, command, subject, .. } = &entry.entry;
    format!("{actor} {command} {subject}").to_lowercase().contains(matching)
}

/// What is wrong with entries, of which each follows the next one when they are `all` of a stretch.
fn doubt(entries: &[Entry], all: bool) -> Option<Fault> {
    if let Some(changed) = entries.iter().find(|entry| !entry.is_genuine()) {
        return Some(audit::broken(changed, true));
    }
    let pairs = entries.iter().zip(entries.iter().skip(1));
    let mut gaps = pairs.filter(|(newer, older)| all && !newer.follows(older));
    gaps.next().map(|(newer, _)| audit::broken(newer, false))
}

/// The first rows of those that are left.
pub fn cut<T>(mut rows: Vec<T>, most: usize, key: impl Fn(&T) -> String) -> Page<T> {
    let more = rows.len() > most;
    rows.truncate(most);
    Page { next: rows.last().filter(|_| more).map(key), rows }
}

/// Rows that are read at a time.
const SCAN: u32 = 500;

#[cfg(test)]
mod tests {
    use super::{super::By, *};
    use crate::config::{Config, Home};

    fn operations(directory: &tempfile::TempDir) -> Operations {
        let options = store::sqlite::Options::default();
        let store = store::sqlite::open(&directory.path().join("anemone.db"), options).unwrap();
        let config = Config::for_domain("example.org").unwrap();
        Operations::stopped(store, Home::new(directory.path().to_owned()), config)
    }

    #[tokio::test]
    async fn only_the_entries_that_are_shown_are_compared_with_their_hashes() {
        let directory = tempfile::tempdir().unwrap();
        let first = operations(&directory);
        for number in 1..=9 {
            first.note(&By::CommandLine(0), "import", &format!("File {number}")).await;
        }
        first.store.maintenance.close().await.unwrap();
        drop(first);
        let db = rusqlite::Connection::open(directory.path().join("anemone.db")).unwrap();
        db.execute("UPDATE audit SET actor = 'eve' WHERE number = 2", []).unwrap();
        db.execute("DELETE FROM audit WHERE number = 6", []).unwrap();
        drop(db);

        let operations = operations(&directory);
        let shown = async |matching, after, most| {
            let record = operations.audit_page(Wanted { matching, after, most }).await.unwrap();
            let numbers: Vec<i64> = record.page.rows.iter().map(|row| row.number).collect();
            (numbers, record.page.next, record.doubt.map(|doubt| doubt.message))
        };
        assert_eq!(shown("", None, 2).await, (vec![9, 8], Some("8".to_owned()), None));
        let (numbers, _, doubt) = shown("", Some("9"), 2).await;
        assert_eq!(numbers, [8, 7]);
        assert!(doubt.unwrap().contains("before entry 7"), "the next one is missing");
        assert_eq!(shown("", Some("6"), 2).await, (vec![5, 4], Some("4".to_owned()), None));
        let (numbers, next, doubt) = shown("", Some("4"), 5).await;
        assert_eq!((numbers, next), (vec![3, 2, 1], None));
        assert!(doubt.unwrap().contains("entry 2 was changed"));
        assert_eq!(shown("file 7", None, 5).await, (vec![7], None, None));
        assert!(shown("eve", None, 5).await.2.unwrap().contains("entry 2"));
    }
}
