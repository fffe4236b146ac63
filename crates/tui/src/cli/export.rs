//! `clownfish export`: the history that is stored here.

use std::io::{self, BufWriter, Write};

use clap::Args;
use client::store::{Conversations, Message, Position, Profile as _, Timeline};
use client_sqlite::SqliteStore;
use xmpp::jid::BareJid;

use super::{Shared, address, listen};
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Only what was written with somebody
    #[arg(value_parser = address)]
    address: Option<BareJid>,
}

impl Export {
    pub(crate) fn run(self, shared: &Shared) -> Result<(), Failure> {
        let profile = shared.account()?;
        let unlock = shared.unlock(&profile)?;
        let store = SqliteStore::open(profile.folder(), &unlock)?;
        let storage = |error: client::store::StoreError| Failure::Storage(error.to_string());
        let me = store.login().map_err(storage)?.map(|login| login.address);
        let mut addresses: Vec<BareJid> = match self.address {
            Some(address) => vec![address],
            None => {
                let all = store.conversations().map_err(storage)?.into_iter();
                all.map(|conversation| conversation.address).collect()
            }
        };
        addresses.sort();
        let mut out = BufWriter::new(io::stdout().lock());
        for address in addresses {
            let mut from = Position(0);
            loop {
                let page = store.after(&address, from, PAGE).map_err(storage)?;
                let Some(last) = page.last() else { break };
                from = last.position;
                write_page(&mut out, &page, me.as_ref())?;
            }
        }
        out.flush().map_err(|error| not_written(&error))
    }
}

fn write_page(out: &mut impl Write, page: &[Message], me: Option<&BareJid>) -> Result<(), Failure> {
    for message in page {
        let mut line = listen::json_line(message, me);
        line["conversation"] = message.conversation.as_str().into();
        writeln!(out, "{line}").map_err(|error| not_written(&error))?;
    }
    Ok(())
}

fn not_written(error: &io::Error) -> Failure {
    Failure::Other(format!("stdout cannot be written: {error}"))
}

const PAGE: usize = 200;
