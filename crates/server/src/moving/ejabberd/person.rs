//! An account of ejabberd: rows in some tables.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rusqlite::Row;
use store::{
    Millis,
    prefs::{Policy, Preferences},
    roster::{Item as Contact, Subscription},
};
use xmpp::{
    ns,
    sasl::{Hash, ScramKeys},
    time,
    xml::Element,
};

use super::{DAMAGED, Ejabberd, element, node, terms::Term};
use crate::{
    moving::{
        self, BAD_KEYS, Out, Trouble,
        record::{Line, Person, Record, Request},
    },
    password::Password,
};

/// Reads an account with everything that belongs to it.
pub(super) fn read(source: &Ejabberd, user: &str, out: &mut Out<'_>) -> Result<(), Trouble> {
    let address = format!("{user}@{}", source.domain);
    let (person, bad_keys) = person(source, user)?;
    out.give(Record::Person(Box::new(person)))?;
    (0..bad_keys).try_for_each(|_| out.give(Record::skipped(address.as_str(), BAD_KEYS)))?;
    roster(source, user, out)?;
    let columns = [("vcard", "vcard", "username"), ("private_storage", "data", "namespace")];
    for (table, column, order) in columns {
        for text in source.each(table, column, OWN, [user], order, |row| row.get::<_, String>(0))? {
            match (element(&text), table) {
                (Some(vcard), "vcard") => out.give(Record::Vcard(vcard))?,
                (Some(document), _) => out.give(Record::Private(document))?,
                (None, _) => out.give(Record::skipped(address.as_str(), DAMAGED))?,
            }
        }
    }
    privacy(source, user, &address, out)?;
    let prefs =
        source.each("archive_prefs", "def, always, never", OWN, [user], "def", preferences)?;
    prefs.into_iter().try_for_each(|prefs| out.give(Record::Preferences(prefs)))?;
    node::nodes(source, &address, out)?;
    source.visit("spool", "xml, created_at", OWN, [user], "seq", |row| {
        match element(&row.get::<_, String>(0)?) {
            Some(message) => {
                let at = delayed(&message).or(moment(row.get(1).ok()));
                out.give(Record::Waiting(Line { at: at.unwrap_or_default(), message }))
            }
            None => out.give(Record::skipped(address.as_str(), DAMAGED)),
        }
    })?;
    source.visit("archive", "xml, timestamp", OWN, [user], "timestamp, id", |row| {
        match element(&row.get::<_, String>(0)?) {
            Some(message) => out.give(Record::Message(Line { at: micros(row.get(1)?), message })),
            None => out.give(Record::skipped(address.as_str(), DAMAGED)),
        }
    })
}

/// The account, and how many rows have keys that make no sense.
fn person(source: &Ejabberd, user: &str) -> Result<(Person, u64), Trouble> {
    let columns = "password, serverkey, salt, iterationcount, created_at";
    let mut person = Person { name: user.to_owned(), ..Person::default() };
    let mut bad_keys = 0;
    source.visit("users", columns, OWN, [user], "username", |row| {
        let (password, iterations): (String, i64) = (row.get(0)?, row.get(3)?);
        person.created = moment(row.get(4).ok());
        if iterations == 0 {
            person.password = Some(password).filter(|text| !text.is_empty()).map(Password::new);
        } else {
            let (server, salt): (String, String) = (row.get(1)?, row.get(2)?);
            let iterations = u32::try_from(iterations).unwrap_or(u32::MAX);
            let keys = keys(&password, &server, &salt, iterations);
            bad_keys += u64::from(keys.is_none());
            person.keys.extend(keys);
        }
        Ok(())
    })?;
    let seconds =
        source.each("last", "seconds", OWN, [user], "seconds", |row| row.get::<_, String>(0))?;
    let seconds = seconds.first().and_then(|seconds| seconds.parse::<u64>().ok());
    person.last_login = seconds.map(|seconds| Millis(seconds.saturating_mul(1000)));
    Ok((person, bad_keys))
}

/// The keys in base64; the stored key of another hash than SHA-1 begins with the hash's name.
fn keys(stored: &str, server: &str, salt: &str, iterations: u32) -> Option<ScramKeys> {
    let (hash, stored) = match stored.split_once(':') {
        Some(("sha256", stored)) => (Hash::Sha256, stored),
        Some(("sha512", stored)) => (Hash::Sha512, stored),
        Some(("sha", stored)) => (Hash::Sha1, stored),
        _ => (Hash::Sha1, stored),
    };
    let server = server.rsplit(':').next().unwrap_or(server);
    let bytes = |text: &str| STANDARD.decode(text).ok();
    moving::keys(hash, iterations, bytes(salt)?, &bytes(stored)?, &bytes(server)?)
}

fn roster(source: &Ejabberd, user: &str, out: &mut Out<'_>) -> Result<(), Trouble> {
    let columns = "jid, nick, subscription, ask, askmessage";
    source.visit("rosterusers", columns, OWN, [user], "jid", |row| {
        let (jid, nick, subscription, ask): (String, String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let incoming = matches!(ask.as_str(), "I" | "B");
        if incoming {
            out.give(Record::Request(Request { from: jid.clone(), presence: None }))?;
        }
        let subscription = match subscription.as_str() {
            "B" => Subscription::Both,
            "F" => Subscription::From,
            "T" => Subscription::To,
            _ => Subscription::None,
        };
        // A request alone stands in no roster (RFC 6121 §3.1.3).
        if incoming && subscription == Subscription::None && ask == "I" && nick.is_empty() {
            return Ok(());
        }
        let groups = source.each("rostergroups", "grp", OWN_JID, [user, &jid], "grp", |row| {
            row.get::<_, String>(0).map(Into::into)
        })?;
        out.give(Record::Contact(Contact {
            jid: jid.into(),
            name: Some(nick).filter(|nick| !nick.is_empty()).map(Into::into),
            subscription,
            ask: matches!(ask.as_str(), "O" | "B"),
            approved: false,
            groups,
        }))
    })
}

/// Blocked addresses are the denials of the default list (XEP-0191 §5); more than that is not taken.
fn privacy(source: &Ejabberd, user: &str, address: &str, out: &mut Out<'_>) -> Result<(), Trouble> {
    let default: Option<String> =
        source.each("privacy_default_list", "name", OWN, [user], "name", |row| row.get(0))?.pop();
    let lists = source.each("privacy_list", "name, id", OWN, [user], "id", |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
    })?;
    for (name, id) in lists {
        if Some(&name) != default.as_ref() {
            out.give(Record::skipped(format!("{address}: {name}"), "a privacy list (XEP-0016)"))?;
            continue;
        }
        let sql = "SELECT t, value, action FROM privacy_list_data WHERE id = ?1 ORDER BY ord";
        source.rows(sql, [id], |row| {
            let (kind, value, action): (String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            match (kind.as_str(), action.as_str()) {
                ("j", "d") => out.give(Record::Blocked(value)),
                // The rule at the end of the list that lets everybody else through.
                ("n", "a") => Ok(()),
                _ => {
                    let why = "a rule of a privacy list that is more than blocking";
                    out.give(Record::skipped(address, why))
                }
            }
        })?;
    }
    Ok(())
}

fn preferences(row: &Row<'_>) -> rusqlite::Result<Preferences> {
    let default = match row.get::<_, String>(0)?.as_str() {
        "never" => Policy::Never,
        "roster" => Policy::Roster,
        _ => Policy::Always,
    };
    let list = |text: String| -> Vec<Box<str>> {
        let term = Term::parse(&text);
        let jids = term.iter().flat_map(Term::items).filter_map(jid);
        jids.map(Into::into).collect()
    };
    Ok(Preferences { default, always: list(row.get(1)?), never: list(row.get(2)?) })
}

/// An address as a tuple of its three parts, with others before or after.
pub(super) fn jid(term: &Term) -> Option<String> {
    let parts: Vec<String> = term.items().iter().filter_map(Term::word).collect();
    let (user, server) = match parts.as_slice() {
        [_tag, user, server, _, ..] if parts.len() > 3 => (user, server),
        [user, server, ..] => (user, server),
        _ => return None,
    };
    Some(if user.is_empty() { server.clone() } else { format!("{user}@{server}") })
}

/// The time in a message's `<delay/>`.
fn delayed(message: &Element) -> Option<Millis> {
    let delay = message.child("delay", ns::DELAY)?;
    time::Millis::parse_xep0082(delay.attr("stamp")?).map(|at| Millis(at.0))
}

/// `2026-11-29 00:38:04`, in UTC.
fn moment(text: Option<String>) -> Option<Millis> {
    let text = format!("{}Z", text?.replace(' ', "T"));
    time::Millis::parse_xep0082(&text).map(|at| Millis(at.0))
}

/// Archives count microseconds.
pub(super) fn micros(at: i64) -> Millis {
    Millis(u64::try_from(at).unwrap_or(0) / 1000)
}

const OWN: &str = "username = ?1";
const OWN_JID: &str = "username = ?1 AND jid = ?2";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_each_of_their_forms() {
        assert_eq!(moment(Some("2026-11-29 00:38:05".to_owned())), Some(Millis(1_795_912_685_000)));
        assert_eq!(micros(1_795_912_685_469_094), Millis(1_795_912_685_469));
    }

    #[test]
    fn keys_say_which_hash_they_are_for() {
        let encode = |bytes: usize| STANDARD.encode(vec![7; bytes]);
        let all = |prefix: &str, bytes, rounds| {
            let stored = format!("{prefix}{}", encode(bytes));
            keys(&stored, &encode(bytes), &encode(16), rounds).map(|keys| keys.hash)
        };
        let key = |prefix: &str, bytes| all(prefix, bytes, 4096);
        assert_eq!(all("", 20, u32::MAX), None, "each login would take minutes");
        assert_eq!(key("", 20), Some(Hash::Sha1));
        assert_eq!(key("sha256:", 32), Some(Hash::Sha256));
        assert_eq!(key("sha512:", 64), Some(Hash::Sha512));
        assert_eq!(key("sha512:", 20), None);
    }
}
