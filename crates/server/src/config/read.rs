//! From the text of `anemone.toml` to a [`Config`] and everything that is wrong with it.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::{
    Config, domain, reference,
    schema::{Problem, TableReader, Value as _, unknown},
};

pub(super) fn syntax(error: &toml::de::Error) -> Problem {
    Problem { span: error.span(), message: error.message().trim().to_owned() }
}

/// Reads every section of the document; what is wrong goes to `problems`.
pub(super) fn read(document: &DeTable<'_>, problems: &mut Vec<Problem>) -> Config {
    let mut set = BTreeMap::new();
    let mut config = Config::empty(read_domain(document, problems));
    macro_rules! sections {
        ($($field:ident,)*) => {$(
            if let Some(table) = section_table(document, stringify!($field), problems) {
                let mut reader =
                    TableReader::new(stringify!($field), table, problems, &mut set);
                let start = std::mem::take(&mut config.$field);
                config.$field = start.read(&mut reader);
                reader.finish();
            }
        )*};
    }
    sections! {
        listen, registration, tls, acme, login, limits, federation, archive, rooms, pubsub, upload,
        calls, turn, bytestreams, components, push, unified_push, web, contact, abuse, outage,
        data_policy,
        front_door, metrics, log,
    }
    read_top_level(document, problems);
    config.set = set;
    config
}

fn section_table<'a, 'i>(
    document: &'a DeTable<'i>,
    name: &str,
    problems: &mut Vec<Problem>,
) -> Option<&'a DeTable<'i>> {
    let value = document.get(name)?;
    let table = value.get_ref().as_table();
    if table.is_none() {
        problems.push(Problem::at(
            value.span(),
            format!("`{name}` is a section: write [{name}] on a line of its own"),
        ));
    }
    table
}

fn read_domain(document: &DeTable<'_>, problems: &mut Vec<Problem>) -> String {
    let Some(value) = document.get("domain") else {
        problems.push(Problem::general(
            "`domain` is missing: write domain = \"example.org\" on the first line",
        ));
        return String::new();
    };
    let DeValue::String(text) = value.get_ref() else {
        problems.push(Problem::at(value.span(), format!("`domain` must be {}", String::allowed())));
        return String::new();
    };
    domain(text).unwrap_or_else(|message| {
        problems.push(Problem::at(value.span(), message));
        String::new()
    })
}

/// Reports sections that do not exist, and keys that stand before the first section by mistake.
fn read_top_level(document: &DeTable<'_>, problems: &mut Vec<Problem>) {
    let chapters = reference::chapters();
    let mut known = vec!["domain"];
    known.extend(chapters.iter().map(|chapter| chapter.name));
    for key in document.keys() {
        let name = key.get_ref().as_ref();
        if known.contains(&name) {
            continue;
        }
        let owner = chapters.iter().find(|chapter| chapter.keys.iter().any(|key| key.name == name));
        let message = match owner {
            Some(chapter) => {
                let section = chapter.name;
                format!("`{name}` belongs in the section [{section}]: put it below that line")
            }
            None => unknown(name, "the file", &known),
        };
        problems.push(Problem::at(key.span(), message));
    }
}
