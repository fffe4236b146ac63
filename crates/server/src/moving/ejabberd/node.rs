//! Nodes of ejabberd, of accounts and of its service for publishing.

use store::Millis;
use xmpp::{
    ext::form::{Field, Form, FormType},
    ns,
};

use super::{Ejabberd, element, terms::Term};
use crate::moving::{
    Out, Place, Trouble,
    record::{Item, Node, Record},
};

/// The nodes of the service for publishing, which is another domain than that of the accounts.
pub(super) fn services(source: &Ejabberd, place: &Place, out: &mut Out<'_>) -> Result<(), Trouble> {
    let sql = "SELECT host, count(*) FROM pubsub_node WHERE instr(host, '@') = 0 GROUP BY host";
    let mut hosts: Vec<(String, usize)> = Vec::new();
    source.rows(sql, [], |row| {
        hosts.push((row.get(0)?, row.get(1)?));
        Ok(())
    })?;
    for (host, count) in hosts {
        if place.pubsub.as_ref() != Some(&host) {
            out.give(place.no_service(&host, count))?;
            continue;
        }
        out.give(Record::Service)?;
        nodes(source, &host, out)?;
        source.tell_damage(&host, out)?;
    }
    Ok(())
}

/// The nodes of an account, or of a service, with their items.
pub(super) fn nodes(source: &Ejabberd, address: &str, out: &mut Out<'_>) -> Result<(), Trouble> {
    let found =
        source.each("pubsub_node", "node, nodeid", "host = ?1", [address], "nodeid", |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        })?;
    for (name, id) in found {
        let node = node(source, address, &name, id)?;
        out.give(Record::Node(node))?;
        let sql = "SELECT itemid, publisher, modification, payload FROM pubsub_item \
                   WHERE nodeid = ?1 ORDER BY modification";
        source.rows(sql, [id], |row| {
            let payload: String = row.get(3)?;
            out.give(Record::Item(Item {
                node: name.clone(),
                id: row.get(0)?,
                publisher: Some(row.get(1)?),
                published: erlang_time(&row.get::<_, String>(2)?),
                payload: element(&payload),
            }))
        })?;
    }
    Ok(())
}

fn node(source: &Ejabberd, address: &str, name: &str, id: i64) -> Result<Node, Trouble> {
    let mut form = Form::typed(FormType::Submit, ns::PUBSUB_NODE_CONFIG);
    let sql = "SELECT name, val FROM pubsub_node_option WHERE nodeid = ?1";
    source.rows(sql, [id], |row| {
        let (name, value): (String, String) = (row.get(0)?, row.get(1)?);
        let values: Vec<String> = match Term::parse(&value) {
            Some(Term::List(items)) => items.iter().filter_map(Term::word).collect(),
            Some(term) => term.word().into_iter().collect(),
            None => vec![value],
        };
        if !matches!(name.as_str(), "rsm" | "sql") {
            form.fields.push(Field::untyped(format!("pubsub#{name}")).with_values(values));
        }
        Ok(())
    })?;
    let mut node = Node { name: name.to_owned(), config: Some(form), ..Node::default() };
    let sql = "SELECT jid, affiliation, subscriptions FROM pubsub_state WHERE nodeid = ?1";
    source.rows(sql, [id], |row| {
        let (jid, affiliation, subscriptions): (String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let word = match affiliation.as_str() {
            "m" => Some("member"),
            "p" => Some("publisher"),
            "u" => Some("publish-only"),
            "c" => Some("outcast"),
            "o" if jid != address => Some("owner"),
            _ => None,
        };
        node.affiliations.extend(word.map(|word| (jid.clone(), word.to_owned())));
        // Such as `s:0123abcd`: subscribed, and the id of the subscription.
        if jid != address && subscriptions.starts_with('s') {
            let subscription =
                store::pubsub::Subscription { jid: jid.into(), pending: false, deliver: true };
            node.subscriptions.push(subscription);
        }
        Ok(())
    })?;
    Ok(node)
}

/// Millions of seconds, seconds and microseconds.
fn erlang_time(text: &str) -> Option<Millis> {
    let parts: Vec<u64> = text.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [mega, seconds, micros] = parts.as_slice() else { return None };
    let seconds = mega.saturating_mul(1_000_000).saturating_add(*seconds);
    Some(Millis(seconds.saturating_mul(1000).saturating_add(micros / 1000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_three_parts() {
        assert_eq!(erlang_time("001795:912685:599300"), Some(Millis(1_795_912_685_599)));
        assert_eq!(erlang_time("x"), None);
        let largest = format!("{0}:{0}:{0}", u64::MAX);
        assert_eq!(erlang_time(&largest), Some(Millis(u64::MAX)));
    }
}
