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
            let words = format!("messages are kept for at most {MOST_DAYS} days, or for ever (0)");
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
        let older = if kept == 0 { "" } else { " What is older goes within an hour." };
        Ok(format!("{}{shortened}.{older}", retention::words(kept)))
    }

    /// Days for which an archive is kept, 0 for ever.
    pub(super) async fn kept_days(&self, archive: AccountId) -> Result<u64, Fault> {
        let said = self.store.retentions.of(archive).await?;
        Ok(retention::days(&self.config(), &said))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Request, *};
    use crate::{
        admin::By,
        config::{Config, Home},
        password::Password,
    };

    #[tokio::test]
    async fn it_is_said_what_becomes_of_older_messages_where_something_does() {
        let directory = tempfile::tempdir().unwrap();
        let store = store::sqlite::open_in_memory(Default::default()).unwrap();
        let config =
            Config::parse("domain = \"example.org\"\n[login]\niterations = 4096\n").unwrap();
        let home = Home::new(directory.path().to_owned());
        let operations = Operations::stopped(store, home, config);
        let password = Password::new("wherefore art".to_owned());
        let add = Request::AccountAdd { account: "romeo".into(), password, admin: false };
        operations.perform(&By::CommandLine(0), add).await;
        let said = async |days| match operations.account_retention("romeo", Some(days)).await {
            Ok(Response::Done(sentence)) => sentence,
            other => panic!("{other:?}"),
        };
        assert_eq!(said(0).await, "romeo@example.org: messages are kept for ever.");
        let for_a_week =
            "romeo@example.org: messages are kept 7 days. What is older goes within an hour.";
        assert_eq!(said(7).await, for_a_week);
        let refused = operations.account_retention("romeo", Some(MOST_DAYS + 1)).await;
        assert_eq!(refused.unwrap_err().code, FaultCode::Invalid);
    }
}
