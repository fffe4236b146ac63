//! Devices that want to be woken, as the operator sees them.

use super::{Fault, FaultCode, Operations, Response, operations::stamp, protocol::Push};
use crate::push::Registration;

impl Operations {
    pub(super) async fn push_list(&self, account: Option<&str>) -> Result<Response, Fault> {
        let account = match account {
            Some(account) => Some(self.account(account).await?),
            None => None,
        };
        if let Some(live) = &self.live {
            let mut all = live.pushes(account.as_ref().map(|account| &*account.name));
            all.sort_by(|a, b| (&a.account, &a.service).cmp(&(&b.account, &b.service)));
            return Ok(Response::Pushes(all));
        }
        let mut pushes = Vec::new();
        for row in self.store.push.list(account.map(|account| account.id)).await? {
            let Some(account) = self.store.accounts.by_id(row.account).await? else { continue };
            let registration = Registration::restore(row, &account.name);
            pushes.extend(registration.map(|one| describe(&one, &self.address(&account.name))));
        }
        Ok(Response::Pushes(pushes))
    }

    pub(super) async fn push_delete(&self, account: &str) -> Result<Response, Fault> {
        let account = self.account(account).await?;
        let mut deleted = 0;
        for row in self.store.push.list(Some(account.id)).await? {
            let node = Some(&*row.node);
            deleted += self.store.push.delete(account.id, &row.service, node).await?;
        }
        if let Some(live) = &self.live {
            live.forget_pushes(&account.name);
        }
        match deleted {
            0 => Err(Fault::new(FaultCode::NotFound, "no device of it wanted to be woken")),
            1 => Ok(Response::Done("1 device is no longer woken.".to_owned())),
            many => Ok(Response::Done(format!("{many} devices are no longer woken."))),
        }
    }
}

/// A registration for the list.
pub(super) fn describe(registration: &Registration, address: &str) -> Push {
    let progress = registration.progress();
    Push {
        account: address.to_owned(),
        service: registration.shown(),
        resource: registration.resource.to_string(),
        enabled: stamp(store::Millis(registration.enabled_at.0)),
        failures: progress.failures(),
        problem: progress.problem().map(str::to_owned),
    }
}
