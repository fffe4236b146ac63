//! A room of Prosody: the stores `config` and `muc_log` of the component.

use xmpp::{
    ext::{
        form::{Field, Form, FormType},
        muc::Affiliation,
    },
    jid::BareJid,
    ns,
};

use super::{Storage, person::millis};
use crate::moving::{
    Out, Trouble,
    record::{Line, Record, Room},
    table::{Table, Value},
};

/// Reads a room with its lists and its archive.
pub(super) fn read(
    storage: &dyn Storage,
    host: &str,
    name: &str,
    out: &mut Out<'_>,
) -> Result<(), Trouble> {
    let address = format!("{name}@{host}");
    let frozen = match storage.load(host, name, "config") {
        Ok(Some(frozen)) => frozen,
        Ok(None) => return Ok(()),
        Err(Trouble::Unreadable(words) | Trouble::Damaged(words)) => {
            return out.give(Record::skipped(format!("{address}: {words}"), "the room is damaged"));
        }
        Err(other) => return Err(other),
    };
    let Ok(jid) = BareJid::new(&address) else {
        return out.give(Record::skipped(address, "that is no address of a room"));
    };
    let empty = Table::default();
    let data = frozen.table("_data").unwrap_or(&empty);
    if !data.is_true("persistent") {
        return out.give(Record::skipped(address, "a room that ends with its last visitor"));
    }
    out.give(Record::Room(Box::new(Room {
        jid,
        config: config(data),
        subject: subject(data),
        vcard: None,
        affiliations: affiliations(&frozen),
    })))?;
    let read = storage.archive(host, name, "muc_log", &mut |entry| {
        let at = millis(entry.when).unwrap_or_default();
        out.give(Record::Message(Line { at, message: entry.value }))
    });
    match read {
        Err(Trouble::Unreadable(words) | Trouble::Damaged(words)) => {
            out.give(Record::skipped(format!("{address}: {words}"), "the archive is damaged"))
        }
        other => other,
    }
}

/// The configuration, in the words of the form. What Prosody does not write has its default.
fn config(data: &Table) -> Form {
    let text = |key: &str| data.text(key).unwrap_or_default().to_owned();
    let flag = |value: bool| if value { "1" } else { "0" }.to_owned();
    let said = |key: &str, default: bool| match data.get(key) {
        Some(Value::Bool(value)) => flag(*value),
        _ => flag(default),
    };
    let password = text("password");
    let mut fields = vec![
        ("muc#roomconfig_roomname", text("name")),
        ("muc#roomconfig_roomdesc", text("description")),
        ("muc#roomconfig_lang", text("language")),
        ("muc#roomconfig_persistentroom", flag(true)),
        ("muc#roomconfig_publicroom", flag(!data.is_true("hidden"))),
        ("muc#roomconfig_membersonly", said("members_only", false)),
        ("muc#roomconfig_moderatedroom", said("moderated", false)),
        ("muc#roomconfig_passwordprotectedroom", flag(!password.is_empty())),
        ("muc#roomconfig_changesubject", said("changesubject", false)),
        ("muc#roomconfig_allowinvites", said("allow_member_invites", false)),
        ("muc#roomconfig_enablearchiving", said("archiving", true)),
        ("muc#roomconfig_whois", data.text("whois").unwrap_or("moderators").to_owned()),
    ];
    if !password.is_empty() {
        fields.push(("muc#roomconfig_roomsecret", password));
    }
    if let Some(length) = data.number("history_length") {
        fields.push(("muc#maxhistoryfetch", (length as u64).to_string()));
    }
    let form = Form::typed(FormType::Submit, ns::MUC_ROOM_CONFIG);
    fields
        .into_iter()
        .fold(form, |form, (var, value)| form.with_field(Field::untyped(var).with_value(value)))
}

fn subject(data: &Table) -> Option<(String, String, store::Millis)> {
    let text = data.text("subject").filter(|text| !text.is_empty())?;
    let from = data.text("subject_from").unwrap_or_default();
    let nick = from.split_once('/').map_or("", |(_, nick)| nick);
    let at = millis(data.number("subject_time")).unwrap_or_default();
    Some((text.to_owned(), nick.to_owned(), at))
}

/// The lists. Before 0.10 they were in a table of their own.
fn affiliations(frozen: &Table) -> Vec<(String, Affiliation, Option<String>, Option<String>)> {
    let empty = Table::default();
    let details = frozen.table("_affiliation_data").unwrap_or(&empty);
    let listed = frozen.table("_affiliations").unwrap_or(frozen);
    let entries = listed.named().filter(|(jid, _)| !jid.starts_with('_') && *jid != "jid");
    let read = |(jid, word): (&str, &Value)| {
        let more = details.table(jid).unwrap_or(&empty);
        let nick = more.text("reserved_nickname").map(str::to_owned);
        let reason = more.text("reason").map(str::to_owned);
        Some((jid.to_owned(), Affiliation::parse(word.text()?)?, nick, reason))
    };
    let mut entries: Vec<_> = entries.filter_map(read).collect();
    entries.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    entries
}
