//! How long messages of single accounts and rooms are kept, as the operator says.

use store::AccountId;

use super::{Fault, FaultCode, Operations, Response};
use crate::ext::archive::retention::{self, MOST_DAYS};

impl Operations {
    /// `days` is 0 for ever, and nothing for as long as the configuration says.
    pub(super) async fn account_retention(
        &self,
        account: &str,
        days: Option<u32>,
    ) -> Result<Response, Fault> {
        let account = self.account(account).await?;
        let kept = self.keep_for(account.id, days).await?;
        Ok(Response::Done(format!("{}: messages are kept {kept}", self.address(&account.name))))
    }

    /// The same for a room.
    pub(super) async fn room_retention(
        &self,
        room: &str,
        days: Option<u32>,
    ) -> Result<Response, Fault> {
        let room = self.room(room).await?;
        let kept = self.keep_for(room.id.archive(), days).await?;
        Ok(Response::Done(format!("{}: messages are kept {kept}", self.room_address(&room.name))))
    }

    async fn keep_for(&self, archive: AccountId, days: Option<u32>) -> Result<String, Fault> {
        if days.is_some_and(|days| days > MOST_DAYS) {
            let words = format!("so many days: from 1 to {MOST_DAYS}");
            return Err(Fault::new(FaultCode::Invalid, words));
        }
        self.store.retentions.set(archive, days).await?;
        let said = self.store.retentions.of(archive).await?;
        let config = self.config();
        let kept = retention::days(&config, &said);
        let shortened = match kept == retention::most_days(&config, &said) {
            true => "",
            false => ", as their owner wants",
        };
        Ok(format!("{}{shortened}. What is older goes within an hour.", retention::words(kept)))
    }

    /// Days for which an archive is kept, 0 for ever.
    pub(super) async fn kept_days(&self, archive: AccountId) -> Result<u64, Fault> {
        let said = self.store.retentions.of(archive).await?;
        Ok(retention::days(&self.config(), &said))
    }
}
