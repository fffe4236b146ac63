//! What is stored of whom: sizes, and the privacy ledger.

use super::{Fault, FaultCode, LedgerEntry, Operations, Response, Storage};
use crate::{
    ext::archive::retention,
    privacy::{self, HOLDINGS, Kind},
};

impl Operations {
    /// How much there is of each account, in order of name: counting takes its time.
    ///
    /// # Errors
    /// When the store could not be read.
    pub(super) async fn storage(&self) -> Result<Vec<Storage>, Fault> {
        let mut rows: Vec<Storage> = Vec::new();
        let mut after: Option<Box<str>> = None;
        loop {
            let page = self.store.accounts.list(after.as_deref(), PAGE).await?;
            for account in &page {
                rows.push(self.describe_storage(account).await?);
            }
            match page.last() {
                Some(last) => after = Some(last.name.clone()),
                None => return Ok(rows),
            }
        }
    }

    pub(super) async fn describe_storage(
        &self,
        account: &store::accounts::Account,
    ) -> Result<Storage, Fault> {
        let documents = self.store.documents.keys(account.id, "").await?;
        Ok(Storage {
            address: self.address(&account.name),
            messages: privacy::messages(&self.store, account.id).await?,
            node_bytes: self.store.pubsub.used(account.id).await?,
            document_bytes: documents.iter().map(|(_, bytes)| bytes).sum(),
            upload_bytes: self.upload_bytes(account.id).await?,
        })
    }

    /// The ledger; of an account with how much there is of each kind.
    pub(super) async fn privacy(&self, account: Option<&str>) -> Result<Response, Fault> {
        let account = match account {
            Some(account) => Some(self.account(account).await?),
            None => None,
        };
        let config = self.config();
        let mut entries = Vec::new();
        for holding in HOLDINGS {
            let amount = match &account {
                Some(account) => {
                    let address = self.address(&account.name);
                    let found =
                        privacy::amount(&self.store, account.id, &address, holding.kind).await?;
                    let Some(found) = found else { continue };
                    Some(found)
                }
                None => None,
            };
            let kept = match (&account, holding.kind) {
                (Some(account), Kind::Messages) => match self.kept_days(account.id).await? {
                    0 => "until the account is deleted".to_owned(),
                    days => retention::words(days),
                },
                _ => (holding.kept)(&config),
            };
            entries.push(LedgerEntry {
                what: holding.what.to_owned(),
                purpose: holding.purpose.to_owned(),
                kept,
                readable: holding.readable.words().to_owned(),
                amount,
            });
        }
        Ok(Response::Privacy(entries))
    }

    pub(super) fn admin_link(&self) -> Result<Response, Fault> {
        let link = self.running()?.admin_link();
        link.map(Response::Link)
            .ok_or_else(|| Fault::new(FaultCode::Storage, "the system gives no random numbers"))
    }
}

const PAGE: u32 = 500;
