//! Long lists a page at a time, for the pages of `/admin`. A page begins after a key (a local part), so it
//! costs the same wherever it is; a search looks at every name and describes only those that are shown.

use store::rooms::{Listed, Select};

use super::{Account, Fault, Operations, Room, Storage};

/// Some rows of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// The rows, in their order.
    pub rows: Vec<T>,
    /// What the next page begins after; nothing on the last one.
    pub next: Option<String>,
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

/// The first rows of those that are left.
pub fn cut<T>(mut rows: Vec<T>, most: usize, key: impl Fn(&T) -> String) -> Page<T> {
    let more = rows.len() > most;
    rows.truncate(most);
    Page { next: rows.last().filter(|_| more).map(key), rows }
}

/// Rows that are read at a time.
const SCAN: u32 = 500;
