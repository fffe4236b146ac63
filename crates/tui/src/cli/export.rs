//! `clownfish export`: the history that is stored here.

use std::io::{self, BufWriter, Write};

use clap::Args;
use client::store::{Content, Conversations, Delivery, Message, Position, Profile as _, Timeline};
use client_sqlite::SqliteStore;
use serde_json::{Map, Value, json};
use xmpp::jid::BareJid;

use super::{Shared, address, line};
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
        let line = history_line(message, me);
        writeln!(out, "{line}").map_err(|error| not_written(&error))?;
    }
    Ok(())
}

/// A line of `listen`, and what happened to the message since.
fn history_line(message: &Message, me: Option<&BareJid>) -> Value {
    let mut line = line::json_line(message, me);
    line["conversation"] = json!(message.conversation);
    line["delivery"] = json!(message.delivery.as_ref().map(|delivery| match delivery {
        Delivery::Queued => "queued",
        Delivery::Sent => "sent",
        Delivery::Delivered => "delivered",
        Delivery::Read => "read",
        Delivery::Failed(_) => "failed",
    }));
    line["edited"] = json!(!message.versions.is_empty());
    line["retracted"] = json!(message.content == Content::Retracted);
    let reactions = message.reactions.iter();
    line["reactions"] = reactions
        .filter(|reaction| !reaction.emoji.is_empty())
        .map(|reaction| (reaction.sender.to_string(), json!(reaction.emoji)))
        .collect::<Map<_, _>>()
        .into();
    line
}

fn not_written(error: &io::Error) -> Failure {
    Failure::Other(format!("stdout cannot be written: {error}"))
}

const PAGE: usize = 200;

#[cfg(test)]
mod tests {
    use client::store::Reaction;
    use client::store::conformance::message;
    use xmpp::time::Millis;

    use super::*;

    #[test]
    fn what_happened_to_a_message_is_exported() {
        let line = history_line(&message("romeo@example.org", 1, "a"), None);
        assert_eq!(line["conversation"], "romeo@example.org");
        assert_eq!((&line["edited"], &line["retracted"]), (&json!(false), &json!(false)));
        assert_eq!((&line["delivery"], &line["reactions"]), (&Value::Null, &json!({})));
        let sender = BareJid::new("juliet@example.org").unwrap();
        let reaction = |emoji: &[&str]| Reaction {
            sender: sender.clone(),
            occupant: None,
            emoji: emoji.iter().map(|&emoji| emoji.to_owned()).collect(),
            time: Millis(1),
            mark: client::store::Mark::default(),
            earlier: Vec::new(),
        };
        let line = history_line(
            &Message {
                own: true,
                delivery: Some(Delivery::Read),
                versions: vec![(Millis(1), "b".to_owned())],
                reactions: vec![reaction(&["+", "-"])],
                ..message("romeo@example.org", 1, "a")
            },
            None,
        );
        assert_eq!((&line["delivery"], &line["edited"]), (&json!("read"), &json!(true)));
        assert_eq!(line["reactions"], json!({ "juliet@example.org": ["+", "-"] }));
        let taken_back = Message {
            content: Content::Retracted,
            reactions: vec![reaction(&[])],
            ..message("romeo@example.org", 1, "a")
        };
        let line = history_line(&taken_back, None);
        assert_eq!((&line["retracted"], &line["body"]), (&json!(true), &Value::Null));
        assert_eq!(line["reactions"], json!({}));
    }
}
