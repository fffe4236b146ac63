//! Nodes of Prosody: those of accounts (`mod_pep`), and those of a service for publishing (`mod_pubsub`),
//! which keeps each node under its name and the items of all of them under nobody's.

use xmpp::{
    ext::form::{Field, Form, FormType},
    ns,
};

use super::{
    Storage,
    person::{Desk, millis},
};
use crate::moving::{
    Out, Place, Trouble,
    record::{Item, Node, Record},
    table::{Table, Value},
};

/// The nodes of an account.
pub(super) fn personal(desk: &Desk<'_>, nodes: &Table, out: &mut Out<'_>) -> Result<(), Trouble> {
    for (name, node) in nodes.named() {
        let empty = Table::default();
        take(desk, name, node.table().unwrap_or(&empty), &format!("pep_{name}"), out)?;
    }
    Ok(())
}

/// The nodes of a service at a host, if it is one.
pub(super) fn services(
    storage: &dyn Storage,
    host: &str,
    place: &Place,
    out: &mut Out<'_>,
) -> Result<(), Trouble> {
    let names = storage.users(host, STORE)?;
    if names.is_empty() {
        return Ok(());
    }
    if place.pubsub.as_deref() != Some(host) {
        return out.give(place.no_service(host, names.len()));
    }
    out.give(Record::Service)?;
    for name in names {
        let node = Desk { storage, host, user: &name, address: host };
        let Some(table) = node.load(STORE, out)? else { continue };
        let items = Desk { storage, host, user: "", address: host };
        take(&items, &name, &table, &format!("pubsub_{name}"), out)?;
    }
    Ok(())
}

fn take(
    desk: &Desk<'_>,
    name: &str,
    node: &Table,
    items: &str,
    out: &mut Out<'_>,
) -> Result<(), Trouble> {
    out.give(Record::Node(read(desk.address, name, node)))?;
    desk.archive(out, items, |entry, out| {
        out.give(Record::Item(Item {
            node: name.to_owned(),
            id: entry.key,
            publisher: Some(entry.with).filter(|with| !with.is_empty()),
            published: millis(entry.when),
            payload: Some(entry.value),
        }))
    })
}

fn read(owner: &str, name: &str, node: &Table) -> Node {
    let mut form = Form::typed(FormType::Submit, ns::PUBSUB_NODE_CONFIG);
    for (key, value) in node.table("config").into_iter().flat_map(Table::named) {
        let Some(text) = word(value).filter(|_| !key.starts_with('_')) else { continue };
        form.fields.push(Field::untyped(format!("pubsub#{key}")).with_value(text));
    }
    let others = node.table("affiliations").into_iter().flat_map(Table::named);
    let others = others.filter(|(jid, _)| *jid != owner);
    let subscribers = node.table("subscribers").into_iter().flat_map(Table::named);
    Node {
        name: name.to_owned(),
        config: Some(form),
        created: None,
        affiliations: others
            .filter_map(|(jid, word)| Some((jid.to_owned(), word.text()?.to_owned())))
            .collect(),
        subscriptions: subscribers
            .map(|(jid, _)| store::pubsub::Subscription {
                jid: jid.into(),
                pending: false,
                deliver: true,
            })
            .collect(),
    }
}

/// The word of a value of a form.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Text(text) => Some(text.clone()),
        Value::Table(_) => None,
    }
}

const STORE: &str = "pubsub_nodes";
