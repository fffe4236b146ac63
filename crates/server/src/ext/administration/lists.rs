//! How many users there are, and who (XEP-0133 §4.13 to §4.22).

use super::*;
use crate::account::Resource;

/// Whether somebody who is online is active: a device of theirs is connected, its app is not in the
/// background (XEP-0352), and does not say that its owner is away.
pub(super) fn is_active(account: &Account) -> bool {
    account.lock().resources.iter().any(is_used)
}

fn is_used(resource: &Resource) -> bool {
    let Some(presence) = &resource.available else { return false };
    let show = presence.stanza.child("show", ns::CLIENT).map(|show| show.text());
    let away = show.is_some_and(|show| matches!(show.trim(), "away" | "xa"));
    !away && resource.session.connected() && !resource.session.link().inactive()
}

impl Call<'_> {
    pub(super) async fn count(
        &self,
        var: &str,
        which: impl Fn(&admin::Account) -> bool,
    ) -> IqAnswer {
        let number = self.accounts().await?.iter().filter(|account| which(account)).count();
        self.result(vec![field(var, [number.to_string()])])
    }

    pub(super) async fn list(
        &self,
        var: &str,
        which: impl Fn(&admin::Account) -> bool,
    ) -> IqAnswer {
        let accounts = self.accounts().await?.into_iter().filter(|account| which(account));
        let addresses = accounts.map(|account| account.address).take(MOST_LISTED);
        self.result(vec![field(var, addresses)])
    }

    pub(super) fn count_online(&self, var: &str, which: impl Fn(&Account) -> bool) -> IqAnswer {
        let number = self.online().iter().filter(|account| which(account)).count();
        self.result(vec![field(var, [number.to_string()])])
    }

    pub(super) fn list_online(&self, var: &str, which: impl Fn(&Account) -> bool) -> IqAnswer {
        let online = self.online();
        let found = online.iter().filter(|account| which(account));
        let addresses = found.map(|account| account.bare().to_owned()).take(MOST_LISTED);
        self.result(vec![field(var, addresses)])
    }

    /// Accounts of which a device is available.
    fn online(&self) -> Vec<Arc<Account>> {
        let mut online = self.context.server.accounts.all();
        online.retain(|account| account.lock().resources.iter().any(|r| r.available.is_some()));
        online.sort_by(|one, other| one.bare().cmp(other.bare()));
        online
    }

    pub(super) async fn accounts(&self) -> Result<Vec<admin::Account>, StanzaError> {
        match self.operate(Request::AccountList {}).await? {
            Response::Accounts(accounts) => Ok(accounts),
            _ => Ok(Vec::new()),
        }
    }
}
