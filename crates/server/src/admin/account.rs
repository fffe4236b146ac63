//! Accounts as the operator handles them.

use std::io::BufWriter;

use store::{
    AccountId, Millis,
    accounts::{Change, CreateError, NewAccount},
};
use tokio::task::spawn_blocking;
use xmpp::jid::BareJid;

use super::{
    Account, End, Fault, FaultCode, Operations, Response,
    operations::{day, now, stamp},
};
use crate::{
    auth::removal,
    ext::moved,
    files, moving,
    password::{self, Password},
};

impl Operations {
    pub(super) async fn account_add(
        &self,
        account: &str,
        password: Password,
        admin: bool,
    ) -> Result<Response, Fault> {
        let name = self.name(account)?;
        let credentials = self.credentials(password).await?;
        let account = NewAccount {
            name: name.as_str().into(),
            credentials,
            admin,
            ignore_reservation: true,
            created_at: now(),
            invited_by: None,
            invite: None,
        };
        let address = self.address(&name);
        match self.store.accounts.create(account).await {
            Ok(_) => {
                if let Some(live) = &self.live {
                    live.welcome(&name).await;
                }
                Ok(Response::Done(format!("{address} was added.")))
            }
            Err(CreateError::Exists) => Err(Fault::new(
                FaultCode::Exists,
                format!(
                    "{address} exists already; to set another password: anemone account password \
                     {address}"
                ),
            )),
            Err(CreateError::Store(error)) => Err(error.into()),
            Err(error) => Err(Fault::new(FaultCode::Invalid, error.to_string())),
        }
    }

    pub(super) async fn account_list(&self) -> Result<Response, Fault> {
        let mut accounts: Vec<Account> = Vec::new();
        let mut after: Option<Box<str>> = None;
        loop {
            let page = self.store.accounts.list(after.as_deref(), PAGE).await?;
            for row in &page {
                accounts.push(self.describe_account(row).await?);
            }
            match page.last() {
                Some(last) => after = Some(last.name.clone()),
                None => return Ok(Response::Accounts(accounts)),
            }
        }
    }

    pub(super) async fn account_show(&self, account: &str) -> Result<Response, Fault> {
        let account = self.account(account).await?;
        let mut shown = self.describe_account(&account).await?;
        if let Ok(owner) = BareJid::new(&shown.address) {
            let moved = moved::kept(&self.store, account.id, &owner).await?;
            shown.moved_to = moved.map(|to| to.to_string());
        }
        shown.kept_days = Some(self.kept_days(account.id).await?);
        Ok(Response::Accounts(vec![shown]))
    }

    pub(super) async fn describe_account(
        &self,
        row: &store::accounts::Account,
    ) -> Result<Account, Fault> {
        let invited_by = match row.invited_by {
            Some(inviter) => self.address_of(inviter).await?,
            None => None,
        };
        Ok(Account {
            address: self.address(&row.name),
            admin: row.admin,
            disabled: row.disabled,
            created: stamp(row.created_at),
            last_login: row.last_login.map(day),
            invited_by,
            upload_bytes: self.upload_bytes(row.id).await?,
            moved_to: None,
            kept_days: None,
        })
    }

    pub(super) async fn account_enable(
        &self,
        account: &str,
        enabled: bool,
    ) -> Result<Response, Fault> {
        let account = self.account(account).await?;
        self.store.accounts.change(account.id, Change::Disabled(!enabled)).await?;
        if let Some(live) = &self.live {
            live.closed(&account.name).await?;
        }
        let address = self.address(&account.name);
        if enabled {
            return Ok(Response::Done(format!("{address} may log in again.")));
        }
        self.end_sessions(&account.name, End::Disabled).await;
        let moved = match BareJid::new(&address) {
            Ok(owner) => moved::kept(&self.store, account.id, &owner).await?,
            Err(_) => None,
        };
        Ok(Response::Done(match moved {
            None => format!("{address} can no longer log in. Messages for it are still kept."),
            // Whoever had the account may have said so, and not its owner.
            Some(to) => format!(
                "{address} can no longer log in. It says that it moved to {to}, and contacts who write to \
                 it are told so. If that is not true: anemone account move {address} --back"
            ),
        }))
    }

    pub(super) async fn account_admin(
        &self,
        account: &str,
        admin: bool,
    ) -> Result<Response, Fault> {
        let account = self.account(account).await?;
        self.store.accounts.change(account.id, Change::Admin(admin)).await?;
        let address = self.address(&account.name);
        let word = if admin { "is now" } else { "is no longer" };
        Ok(Response::Done(format!("{address} {word} an administrator.")))
    }

    pub(super) async fn account_password(
        &self,
        account: &str,
        password: Password,
    ) -> Result<Response, Fault> {
        let account = self.account(account).await?;
        let credentials = self.credentials(password).await?;
        self.set_password(&account, credentials).await?;
        let address = self.address(&account.name);
        Ok(Response::Done(format!("{address} has a new password and must log in again.")))
    }

    pub(super) async fn account_delete(&self, account: &str) -> Result<Response, Fault> {
        let account = self.account(account).await?;
        match &self.live {
            Some(live) => live.delete(&account.name).await,
            None => {
                self.leave_contacts(account.id, &account.name).await?;
                self.leave_rooms(&account.name).await?;
                let Millis(now) = now();
                self.store.accounts.delete(account.id, Millis(now + removal::RESERVED)).await?;
                self.clear_uploads().await;
            }
        }
        let address = self.address(&account.name);
        match self.store.accounts.by_name(&account.name).await? {
            None => Ok(Response::Done(format!(
                "{address} was deleted with everything that belonged to it."
            ))),
            Some(_) => Err(Fault::new(
                FaultCode::Storage,
                format!("{address} could not be deleted; the log of the server says why"),
            )),
        }
    }

    /// Deletes the archive of an account, and nothing else of it. Messages that no device has yet stay.
    pub(super) async fn account_clear(&self, account: &str) -> Result<Response, Fault> {
        let account = self.account(account).await?;
        let deleted = self.store.archive.purge(account.id).await?;
        let address = self.address(&account.name);
        Ok(Response::Done(match deleted {
            0 => format!("{address} had no messages on the server to delete."),
            1 => format!("1 message of {address} was deleted."),
            many => format!("{many} messages of {address} were deleted."),
        }))
    }

    /// Tells contacts who follow (XEP-0283) where an account went.
    pub(super) async fn account_move(
        &self,
        account: &str,
        to: Option<String>,
    ) -> Result<Response, Fault> {
        let live = self.running()?;
        let account = self.account(account).await?;
        let address = self.address(&account.name);
        let invalid = || Fault::new(FaultCode::Invalid, "the new address is none of somebody else");
        let to = match to {
            Some(text) => Some(BareJid::new(&text).map_err(|_| invalid())?),
            None => None,
        };
        if to.as_ref().is_some_and(|to| to.node().is_none() || to.as_str() == address) {
            return Err(invalid());
        }
        live.moved(&account.name, to.as_ref()).await?;
        Ok(Response::Done(match to {
            Some(to) => format!(
                "{address} says that it moved to {to}. Contacts follow when {to} asks them; keep the \
                 account until they have. Once it is disabled, contacts who write to it hear where to."
            ),
            None => format!("{address} no longer says that it moved."),
        }))
    }

    /// Writes an account into a file that other servers read (XEP-0227).
    pub(super) async fn account_export(
        &self,
        account: &str,
        path: &std::path::Path,
    ) -> Result<Response, Fault> {
        let account = self.account(account).await?;
        let failed = |error: &dyn std::fmt::Display| {
            Fault::new(FaultCode::Storage, format!("cannot write {}: {error}", path.display()))
        };
        let file = files::create_private(path).map_err(|error| failed(&error))?;
        let mut out = BufWriter::new(file);
        let written = moving::export(&self.store, &self.config(), &account, &mut out).await;
        written.map(Response::Exported).map_err(|error| failed(&error))
    }

    /// What a running server does through presence (XEP-0077 §3.2): contacts on this server no
    /// longer have a subscription from or to the account.
    async fn leave_contacts(&self, id: AccountId, name: &str) -> Result<(), Fault> {
        let address = self.address(name);
        let roster = self.store.roster.load(id).await?;
        let contacts = roster.items.iter().map(|item| &*item.jid);
        let requesters = roster.requests.iter().map(|request| &*request.jid);
        for contact in contacts.chain(requesters) {
            let Ok(contact_name) = self.name(contact) else { continue };
            let Some(contact) = self.store.accounts.by_name(&contact_name).await? else { continue };
            let mut theirs = self.store.roster.load(contact.id).await?;
            let item = theirs.items.iter_mut().find(|item| *item.jid == *address);
            let mut changes = vec![store::roster::Change::Answered(address.as_str().into())];
            if let Some(item) = item {
                item.subscription = store::roster::Subscription::None;
                item.ask = false;
                item.approved = false;
                changes.push(store::roster::Change::Put(item.clone()));
            }
            self.store.roster.apply(contact.id, changes).await?;
        }
        Ok(())
    }

    /// No list of a room has the account any more. A room that nobody owns then stays as it is.
    async fn leave_rooms(&self, name: &str) -> Result<(), Fault> {
        let address = self.address(name);
        for room in self.store.rooms.with(&address).await? {
            if let Some(room) = self.store.rooms.by_name(&room).await? {
                let gone = vec![(address.as_str().into(), None)];
                self.store.rooms.save(room.id, None, gone).await?;
            }
        }
        Ok(())
    }

    /// The local part, in its normal form, of an account named by it or by its address.
    pub(super) fn name(&self, account: &str) -> Result<String, Fault> {
        let config = self.config();
        let full = match account.contains('@') {
            true => account.to_owned(),
            false => format!("{account}@{}", config.domain),
        };
        let invalid = |message: String| Fault::new(FaultCode::Invalid, message);
        let jid = BareJid::new(&full).map_err(|_| {
            invalid(format!("`{account}` is not an address such as ada@{}", config.domain))
        })?;
        let name = jid.node().map(|node| node.as_str().to_owned());
        match name {
            Some(name) if jid.domain().as_str() == config.domain => Ok(name),
            _ => Err(invalid(format!(
                "{account} is not on this server, whose domain is {}",
                config.domain
            ))),
        }
    }

    pub(super) fn address(&self, name: &str) -> String {
        format!("{name}@{}", self.config().domain)
    }

    pub(super) async fn address_of(&self, id: AccountId) -> Result<Option<String>, Fault> {
        let account = self.store.accounts.by_id(id).await?;
        Ok(account.map(|account| self.address(&account.name)))
    }

    /// The account of this name or address.
    pub(super) async fn account(&self, account: &str) -> Result<store::accounts::Account, Fault> {
        let name = self.name(account)?;
        let found = self.store.accounts.by_name(&name).await?;
        found.ok_or_else(|| {
            let address = self.address(&name);
            Fault::new(FaultCode::NotFound, format!("there is no account {address}"))
        })
    }

    async fn credentials(
        &self,
        password: Password,
    ) -> Result<Vec<store::accounts::Credential>, Fault> {
        // The rules for passwords that people choose do not bind the operator, who is warned by
        // the command. What no client could send is still refused.
        let iterations = self.config().login.iterations;
        let derived = spawn_blocking(move || password::credentials(&password, iterations));
        let derived = derived
            .await
            .map_err(|_| Fault::new(FaultCode::Invalid, "the keys could not be computed"))?;
        derived.map_err(|error| Fault::new(FaultCode::Invalid, error.to_string()))
    }

    pub(super) async fn end_sessions(&self, name: &str, why: End) {
        if let Some(live) = &self.live {
            live.end_sessions(name, None, why).await;
        }
    }
}

const PAGE: u32 = 500;
