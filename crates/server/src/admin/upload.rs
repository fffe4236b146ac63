//! Uploaded files as the operator handles them.

use store::{
    AccountId,
    uploads::{File, Purpose, Select},
};

use super::{
    Fault, FaultCode, Operations, Response,
    operations::{MOST_ROWS, stamp},
    protocol::Upload,
};
use crate::ext::upload::{self, disk};

impl Operations {
    pub(super) async fn upload_list(&self, account: Option<&str>) -> Result<Response, Fault> {
        let mut uploads = Vec::new();
        if let Some(account) = account {
            let account = self.account(account).await?;
            self.list_into(&mut uploads, account.id, &account.name).await?;
            return Ok(Response::Uploads(uploads));
        }
        let mut after: Option<Box<str>> = None;
        loop {
            let page = self.store.accounts.list(after.as_deref(), PAGE).await?;
            for account in &page {
                self.list_into(&mut uploads, account.id, &account.name).await?;
            }
            match page.last() {
                Some(last) if uploads.len() < MOST_ROWS as usize => after = Some(last.name.clone()),
                _ => return Ok(Response::Uploads(uploads)),
            }
        }
    }

    async fn list_into(
        &self,
        uploads: &mut Vec<Upload>,
        account: AccountId,
        name: &str,
    ) -> Result<(), Fault> {
        let address = self.address(name);
        let files = self.store.uploads.list(account, Select::First, MOST_ROWS).await?;
        uploads.extend(files.into_iter().map(|file| describe(file, &address)));
        Ok(())
    }

    pub(super) async fn upload_delete(
        &self,
        account: &str,
        file: Option<String>,
    ) -> Result<Response, Fault> {
        let account = self.account(account).await?;
        let missing = || Fault::new(FaultCode::NotFound, "there was no such file");
        let ids = match file {
            Some(file) => Some(vec![disk::id_of(&file).ok_or_else(missing)?]),
            None => None,
        };
        let deleted = self.store.uploads.delete(account.id, ids).await?;
        self.clear_uploads().await;
        match deleted {
            0 => Err(missing()),
            1 => Ok(Response::Done("1 file was deleted.".to_owned())),
            many => Ok(Response::Done(format!("{many} files were deleted."))),
        }
    }

    /// Bytes of the files of an account.
    pub(super) async fn upload_bytes(&self, account: AccountId) -> Result<u64, Fault> {
        let all = vec![Purpose::Message, Purpose::Profile, Purpose::Ephemeral, Purpose::Permanent];
        Ok(self.store.uploads.usage(account, all).await?.bytes)
    }

    /// Removes the bytes of files that are gone.
    pub(super) async fn clear_uploads(&self) {
        upload::clear(&self.store, &disk::Disk::new(&self.home)).await;
    }
}

fn describe(file: File, account: &str) -> Upload {
    Upload {
        file: disk::file_name(file.id),
        account: account.to_owned(),
        name: file.name.into(),
        bytes: file.size,
        media: file.media.unwrap_or_default().into(),
        purpose: match file.purpose {
            Purpose::Message => "message",
            Purpose::Profile => "profile",
            Purpose::Ephemeral => "ephemeral",
            Purpose::Permanent => "permanent",
        }
        .to_owned(),
        created: stamp(file.created),
        expires: file.expires.map(stamp),
    }
}

const PAGE: u32 = 500;
